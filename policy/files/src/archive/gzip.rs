//! gzip (RFC 1952): one file that is packed, in one part or several.

use std::io::{self, BufRead, BufReader, Read};

use flate2::GzHeader;
use flate2::bufread::GzDecoder;

use crate::Refused;
use crate::bytes::Unpacked;
use crate::inspect::{Called, Look, Within};
use crate::kind::{self, Kind};
use crate::member::{Paths, last};
use crate::search::{Beside, Seen};

/// Extensions of files whose packed contents have another of their own.
const SHORT: [(&str, &str); 6] =
    [("tgz", "tar"), ("taz", "tar"), ("crate", "tar"), ("svgz", "svg"), ("emz", "emf"), ("vgz", "vg")];

/// Looks at what a gzip file unpacks to. Answers with the type of that.
pub(crate) fn walk(
    look: &Look<'_>,
    reader: &mut dyn Read,
    name: &str,
    depth: u32,
    seen: &mut Seen,
) -> Result<&'static Kind, Refused> {
    look.budget.entry()?;
    let failed = |error| Refused::read(error, kind::GZIP.media_type);
    let now = Some(Part::Between(BufReader::with_capacity(64 << 10, reader)));
    let mut parts = Parts { now, own: None, beside: Beside::new(|| look.search()) };
    parts.begin().map_err(failed)?;
    // Some programs unpack it under the name that it says itself.
    let own = parts.own.as_ref().map(|own| if is_packed(own) { inner(own) } else { own.clone() });
    let inner = inner(name);
    let called = Called { name: &inner, also: own.as_deref().filter(|own| *own != inner) };
    let mut unpacked = Unpacked { reader: parts, budget: look.budget };
    let kind = look.member(&mut unpacked, called, Within::Archive, depth.saturating_add(1), seen)?;
    // What was not read to its end has its checksum still to come.
    io::copy(&mut unpacked, &mut io::sink()).map_err(failed)?;
    unpacked.reader.beside.finish(seen)?;
    Ok(kind)
}

/// Whether a name is that of the gzip file itself, as some programs write it.
fn is_packed(name: &str) -> bool {
    crate::name::extension(last(name)).is_some_and(|extension| kind::GZIP.extensions.contains(&extension.as_str()))
}

/// The name of what is packed: without `.gz`, or with the extension that stands for two.
fn inner(name: &str) -> String {
    let Some((stem, last)) = name.rsplit_once('.') else { return name.to_owned() };
    let last = last.to_ascii_lowercase();
    match SHORT.iter().find(|(short, _)| *short == last) {
        Some((_, long)) => format!("{stem}.{long}"),
        None => stem.to_owned(),
    }
}

/// The parts of a gzip file, one behind the other; behind the last only zeros, with which tapes are filled.
struct Parts<'a, R> {
    now: Option<Part<R>>,
    /// The name that the first of them says.
    own: Option<String>,
    /// What their headers say beside it.
    beside: Beside<'a>,
}

enum Part<R> {
    Between(R),
    Within(Box<GzDecoder<R>>),
}

impl<R: BufRead> Parts<'_, R> {
    /// Goes on to the next part, if it stands between two.
    fn begin(&mut self) -> io::Result<()> {
        self.now = match self.now.take() {
            Some(Part::Between(mut reader)) => match reader.fill_buf()? {
                [] => None,
                [0x1f, ..] => {
                    let part = GzDecoder::new(reader);
                    self.header(part.header())?;
                    Some(Part::Within(Box::new(part)))
                }
                [0, ..] => {
                    zeros(&mut reader)?;
                    None
                }
                _ => return Err(Refused::Trailing { media_type: kind::GZIP.media_type }.into()),
            },
            now => now,
        };
        Ok(())
    }

    /// Takes a part's header; of one that is damaged there is none, as reading the part then says.
    fn header(&mut self, header: Option<&GzHeader>) -> io::Result<()> {
        let Some(header) = header else { return Ok(()) };
        for field in [header.filename(), header.comment(), header.extra()].into_iter().flatten() {
            self.beside.push(field)?;
        }
        if let Some(name) = header.filename().filter(|name| !name.is_empty()) {
            let name = Paths::new(&kind::GZIP).take(name, true)?;
            self.own.get_or_insert(name);
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Parts<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            self.begin()?;
            let Some(Part::Within(mut part)) = self.now.take() else { return Ok(0) };
            let read = part.read(into)?;
            self.now = Some(if read == 0 { Part::Between(part.into_inner()) } else { Part::Within(part) });
            if read > 0 {
                return Ok(read);
            }
        }
    }
}

fn zeros(reader: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(Refused::Trailing { media_type: kind::GZIP.media_type }.into());
        }
        let length = bytes.len();
        reader.consume(length);
    }
}
