//! gzip (RFC 1952): one file that is packed, in one part or several.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use crate::Refused;
use crate::bytes::Unpacked;
use crate::inspect::{Look, Within};
use crate::kind::{self, Kind};
use crate::search::Seen;

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
    let parts = Parts { now: Some(Part::Between(BufReader::with_capacity(64 << 10, reader))) };
    let mut unpacked = Unpacked { reader: parts, budget: look.budget };
    let kind = look.member(&mut unpacked, &inner(name), Within::Archive, depth.saturating_add(1), seen)?;
    // What was not read to its end has its checksum still to come.
    io::copy(&mut unpacked, &mut io::sink()).map_err(failed)?;
    Ok(kind)
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
struct Parts<R> {
    now: Option<Part<R>>,
}

enum Part<R> {
    Between(R),
    Within(Box<GzDecoder<R>>),
}

impl<R: BufRead> Read for Parts<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            match self.now.take() {
                None => return Ok(0),
                Some(Part::Within(mut part)) => {
                    let read = part.read(into)?;
                    self.now = Some(if read == 0 { Part::Between(part.into_inner()) } else { Part::Within(part) });
                    if read > 0 {
                        return Ok(read);
                    }
                }
                Some(Part::Between(mut reader)) => match reader.fill_buf()? {
                    [] => return Ok(0),
                    [0x1f, ..] => self.now = Some(Part::Within(Box::new(GzDecoder::new(reader)))),
                    [0, ..] => return zeros(&mut reader),
                    _ => return Err(Refused::Trailing { media_type: kind::GZIP.media_type }.into()),
                },
            }
        }
    }
}

fn zeros(reader: &mut dyn BufRead) -> io::Result<usize> {
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(0);
        }
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(Refused::Trailing { media_type: kind::GZIP.media_type }.into());
        }
        let length = bytes.len();
        reader.consume(length);
    }
}
