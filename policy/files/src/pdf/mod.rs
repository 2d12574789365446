//! PDF (ISO 32000-2), read as a row of objects from its beginning to its end: earlier versions and what nothing leads to are seen too, and no table is believed.
//!
//! Once for its fonts, objects, their strings and what they lead to, and once for what its streams show or hold.

mod content;
mod filter;
mod fonts;
mod leads;
mod lexer;
mod streams;

use std::io::{self, BufRead, BufReader, Seek, SeekFrom};

use self::content::Texts;
use self::fonts::Fonts;
use self::leads::Leads;
use self::lexer::{Lexer, Value};
use crate::bytes::{Whole, find_last, read_at_most};
use crate::inspect::Look;
use crate::kind::{self, Kind};
use crate::search::{Search, Seen};
use crate::{Limit, Refused, polyglot};

/// Objects of a file at most.
const MAX_OBJECTS_OF_FILE: u32 = 1 << 22;

type File<'f> = BufReader<&'f mut dyn Whole>;

/// Looks at a PDF.
pub(crate) fn read(
    look: &Look<'_>,
    file: &mut dyn Whole,
    length: u64,
    depth: u32,
    seen: &mut Seen,
) -> Result<&'static Kind, Refused> {
    end(file, length)?;
    let mut first = Pass::new(look, depth, seen, true);
    first.over(file)?;
    let Pass { mut fonts, mut leads, strings, whole, seen, .. } = first;
    strings.finish(seen);
    fonts.settle();
    leads.settle();
    let mut whole = whole && !fonts.over && !leads.over;
    let mut second = Pass::new(look, depth, seen, false);
    // Without content rules only what is embedded, and whether it is encrypted, has to be known.
    second.texts = look.searcher.map(|_| Texts::new(fonts.readings(), || look.search()));
    (second.fonts, second.leads) = (fonts, leads);
    second.over(file)?;
    whole = whole && second.whole;
    let Pass { texts, seen, .. } = second;
    if let Some(texts) = texts {
        whole = whole && texts.whole;
        texts.finish(seen);
    }
    if !whole {
        seen.unread(kind::PDF.media_type);
    }
    Ok(&kind::PDF)
}

/// Behind the last `%%EOF` only blanks, and no zip's directory before it.
fn end(file: &mut dyn Whole, length: u64) -> Result<(), Refused> {
    let failed = |error| Refused::read(error, kind::PDF.media_type);
    let begin = length.saturating_sub(u64::try_from(polyglot::TAIL).unwrap_or(u64::MAX));
    file.seek(SeekFrom::Start(begin)).map_err(failed)?;
    let tail = read_at_most(file, length.saturating_sub(begin)).map_err(failed)?;
    polyglot::tail(&kind::PDF, &tail, length)?;
    let Some(end) = find_last(&tail, b"%%EOF") else {
        return Err(Refused::Broken { media_type: kind::PDF.media_type, reason: "it has no end" });
    };
    let behind = tail.get(end.saturating_add(5)..).unwrap_or_default();
    if behind.iter().all(|byte| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x1a)) {
        Ok(())
    } else {
        Err(Refused::Trailing { media_type: kind::PDF.media_type })
    }
}

/// One reading of the file: the first for fonts, strings and what leads where, the second for streams.
struct Pass<'a, 's> {
    look: &'s Look<'a>,
    depth: u32,
    seen: &'s mut Seen,
    first: bool,
    fonts: Fonts,
    leads: Leads,
    /// Strings of objects, such as titles, notes and fields of forms.
    strings: Search<'a>,
    texts: Option<Texts<'a>>,
    whole: bool,
}

impl<'a, 's> Pass<'a, 's> {
    fn new(look: &'s Look<'a>, depth: u32, seen: &'s mut Seen, first: bool) -> Self {
        let (fonts, leads) = (Fonts::default(), Leads::default());
        Self { look, depth, seen, first, fonts, leads, strings: look.search(), texts: None, whole: true }
    }

    fn over(&mut self, file: &mut dyn Whole) -> Result<(), Refused> {
        let failed = |error| Refused::read(error, kind::PDF.media_type);
        let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        file.rewind().map_err(failed)?;
        let mut lexer = Lexer::new(BufReader::with_capacity(32 << 10, file), 0);
        let mut numbers = (None, None);
        let mut objects = 0u32;
        loop {
            let value = match lexer.value() {
                Ok(Some(value)) => value,
                Ok(None) => break,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    self.whole = false;
                    continue;
                }
                Err(error) => return Err(failed(error)),
            };
            match &value {
                Value::Number(_) => numbers = (numbers.1, value.whole()),
                Value::Word(word) if word == b"obj" => {
                    objects = objects.saturating_add(1);
                    if objects > MAX_OBJECTS_OF_FILE {
                        return Err(Refused::Bomb { which: Limit::Entries });
                    }
                    let number = numbers.0.and_then(|number| u32::try_from(number).ok()).unwrap_or_default();
                    self.object(number, &mut lexer, length)?;
                }
                Value::Dict(_) => self.trailer(&value)?,
                _ => {}
            }
        }
        self.whole = self.whole && !lexer.hidden && !lexer.cut;
        Ok(())
    }

    fn trailer(&self, value: &Value) -> Result<(), Refused> {
        if value.get(b"Encrypt").is_some() {
            Err(Refused::Encrypted { media_type: kind::PDF.media_type })
        } else {
            Ok(())
        }
    }

    /// An object, and its stream.
    fn object(&mut self, number: u32, lexer: &mut Lexer<File<'_>>, length: u64) -> Result<(), Refused> {
        let failed = |error| Refused::read(error, kind::PDF.media_type);
        let malformed = |error: &io::Error| error.kind() == io::ErrorKind::InvalidData;
        let value = match lexer.value() {
            Ok(value) => value.unwrap_or(Value::Number(0)),
            Err(error) if malformed(&error) => {
                self.whole = false;
                return Ok(());
            }
            Err(error) => return Err(failed(error)),
        };
        self.trailer_of_stream(&value)?;
        let next = if matches!(value, Value::Dict(_)) { lexer.value() } else { Ok(None) };
        let is_stream = matches!(&next, Ok(Some(Value::Word(word))) if word == b"stream");
        self.value(number, &value, is_stream)?;
        match next {
            Ok(_) if is_stream => {}
            Ok(_) => return Ok(()),
            Err(error) if malformed(&error) => {
                self.whole = false;
                return Ok(());
            }
            Err(error) => return Err(failed(error)),
        }
        lexer.line_end().map_err(failed)?;
        let begin = lexer.place;
        let said = value
            .get(b"Length")
            .and_then(Value::whole)
            .and_then(|said| begin.checked_add(said))
            .filter(|end| *end <= length);
        let said = match said {
            Some(end) if ends_at(&mut lexer.reader, end).map_err(failed)? => Some(end),
            // Where no length holds, packed bytes end by themselves, whatever looks like an end within them; others do not.
            _ if streams::ends_itself(&value) => None,
            _ => {
                lexer.reader.seek(SeekFrom::Start(begin)).map_err(failed)?;
                Some(begin.saturating_add(until_end(&mut lexer.reader).map_err(failed)?))
            }
        };
        lexer.reader.seek(SeekFrom::Start(begin)).map_err(failed)?;
        let room = said.unwrap_or(length).saturating_sub(begin);
        let used = self.stream(number, &value, &mut lexer.reader, room)?;
        let end = match said {
            Some(end) => end,
            None => {
                let from = begin.saturating_add(used);
                lexer.reader.seek(SeekFrom::Start(from)).map_err(failed)?;
                from.saturating_add(until_end(&mut lexer.reader).map_err(failed)?)
            }
        };
        lexer.reader.seek(SeekFrom::Start(end)).map_err(failed)?;
        lexer.place = end;
        Ok(())
    }

    /// Trailers of newer files are streams' dictionaries.
    fn trailer_of_stream(&self, value: &Value) -> Result<(), Refused> {
        if value.is(b"Type", b"XRef") { self.trailer(value) } else { Ok(()) }
    }

    fn value(&mut self, number: u32, value: &Value, is_stream: bool) -> Result<(), Refused> {
        if self.first {
            self.leads.object(number, value, is_stream);
            self.fonts.object(number, value);
            self.fonts.encoding(number, value);
            strings(value, &mut self.strings)?;
        }
        Ok(())
    }
}

/// The strings within a value: UTF-16 behind its mark, else as they are.
fn strings(value: &Value, search: &mut Search<'_>) -> Result<(), Refused> {
    match value {
        Value::Text(text) => {
            search.push(crate::text::plain_start(text).as_bytes())?;
            search.push(b"\n")
        }
        Value::Array(values) => values.iter().try_for_each(|value| strings(value, search)),
        Value::Dict(entries) => entries.iter().try_for_each(|(_, value)| strings(value, search)),
        _ => Ok(()),
    }
}

/// Whether `endstream` stands at a place, behind blanks.
fn ends_at(file: &mut File<'_>, place: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(place))?;
    let bytes = read_at_most(file, 16)?;
    Ok(bytes.trim_ascii_start().starts_with(b"endstream"))
}

/// Bytes up to `endstream`, or to the end.
fn until_end(file: &mut File<'_>) -> io::Result<u64> {
    const END: &[u8] = b"endstream";
    let mut passed = 0u64;
    let mut matched = 0usize;
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            return Ok(passed);
        }
        let length = bytes.len();
        for (place, byte) in bytes.iter().enumerate() {
            matched = match byte {
                _ if END.get(matched) == Some(byte) => matched.saturating_add(1),
                // `endstre`, whose last letter begins the word anew.
                b'n' if matched == 7 => 2,
                _ => usize::from(*byte == b'e'),
            };
            if matched == END.len() {
                return Ok(passed.saturating_add(u64::try_from(place).unwrap_or_default()).saturating_sub(8));
            }
        }
        passed = passed.saturating_add(u64::try_from(length).unwrap_or_default());
        file.consume(length);
    }
}
