//! PDF (ISO 32000-2), read as a row of objects from its beginning to its end: earlier versions and what nothing leads to are seen too, and no table is believed.
//!
//! Once for its fonts, objects and their strings, and once for what its streams show.

mod content;
mod filter;
mod fonts;
mod lexer;

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};

use self::content::Texts;
use self::filter::Filters;
use self::fonts::Fonts;
use self::lexer::{Lexer, Value};
use crate::bytes::{Unpacked, Whole, find, find_last, read_at_most};
use crate::inspect::{Look, Within};
use crate::kind::{self, Kind};
use crate::search::{Search, Seen};
use crate::{Limit, Refused, polyglot};

/// Bytes of a stream of objects, or of a map of codes, that are unpacked at most.
const MAX_OBJECTS: u64 = 32 << 20;
/// Bytes by which a map of codes is known.
const MAP_WITHIN: u64 = 2048;
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
    if look.searcher.is_none() {
        // Without content rules only what is embedded, and whether it is encrypted, has to be known.
        let mut pass = Pass::new(look, depth, seen, false);
        pass.over(file)?;
        if !pass.whole {
            seen.unread(kind::PDF.media_type);
        }
        return Ok(&kind::PDF);
    }
    let mut first = Pass::new(look, depth, seen, true);
    first.over(file)?;
    let (mut fonts, mut whole) = (first.fonts, first.whole);
    first.strings.finish(first.seen);
    fonts.settle();
    whole = whole && !fonts.over;
    let mut second = Pass::new(look, depth, seen, false);
    second.fonts = fonts;
    second.texts = Some(Texts::new(second.fonts.readings(), || look.search()));
    second.over(file)?;
    whole = whole && second.whole;
    let Pass { texts, strings, seen, .. } = second;
    if let Some(texts) = texts {
        whole = whole && texts.whole;
        texts.finish(seen);
    }
    strings.finish(seen);
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

/// One reading of the file: the first for fonts and strings, the second for streams.
struct Pass<'a, 's> {
    look: &'s Look<'a>,
    depth: u32,
    seen: &'s mut Seen,
    first: bool,
    fonts: Fonts,
    /// Strings of objects, such as titles, notes and fields of forms.
    strings: Search<'a>,
    texts: Option<Texts<'a>>,
    whole: bool,
}

impl<'a, 's> Pass<'a, 's> {
    fn new(look: &'s Look<'a>, depth: u32, seen: &'s mut Seen, first: bool) -> Self {
        Self { look, depth, seen, first, fonts: Fonts::default(), strings: look.search(), texts: None, whole: true }
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
        self.whole = self.whole && !lexer.hidden;
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
        self.value(number, &value)?;
        if !matches!(value, Value::Dict(_)) {
            return Ok(());
        }
        match lexer.value() {
            Ok(Some(Value::Word(word))) if word == b"stream" => {}
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
            _ => None,
        };
        // Where no length holds, packed bytes end by themselves, whatever looks like an end within them.
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

    fn value(&mut self, number: u32, value: &Value) -> Result<(), Refused> {
        if self.first {
            self.fonts.object(number, value);
            self.fonts.encoding(number, value);
            strings(value, &mut self.strings)?;
        }
        Ok(())
    }

    /// A stream of at most `room` bytes. Answers how many of them its packed bytes are, if they say so themselves.
    fn stream(&mut self, number: u32, value: &Value, file: &mut File<'_>, room: u64) -> Result<u64, Refused> {
        let filters = match filter::of(value) {
            Filters::Picture => return Ok(0),
            Filters::Unknown => {
                self.whole = self.whole && (value.is(b"Subtype", b"Image") || value.is(b"Type", b"XRef"));
                return Ok(0);
            }
            Filters::Known(filters) => filters,
        };
        let embedded = value.is(b"Type", b"EmbeddedFile");
        let wanted = self.texts.is_some() || self.first || self.look.searcher.is_none();
        if !wanted || value.is(b"Subtype", b"Image") || value.is(b"Type", b"XRef") || is_font(value) {
            return Ok(0);
        }
        let begin = file.stream_position().map_err(|error| Refused::read(error, kind::PDF.media_type))?;
        let packed: Box<dyn BufRead + '_> = Box::new(Read::take(&mut *file, room));
        let look = *self.look;
        let mut reader = BufReader::with_capacity(
            16 << 10,
            Unpacked { reader: filter::unpack(&filters, packed), budget: look.budget },
        );
        let done = if value.is(b"Type", b"ObjStm") {
            if self.texts.is_none() { self.objects(value, &mut reader) } else { Ok(()) }
        } else if self.first {
            self.map(number, &mut reader)
        } else if embedded {
            look.budget.entry()?;
            return look.member(&mut reader, "", Within::Document, self.depth.saturating_add(1), self.seen).map(|()| 0);
        } else if self.texts.is_some() {
            self.text(value, &mut reader)
        } else {
            return Ok(0);
        };
        drop(reader);
        match done.map_err(|error| Refused::read(error, kind::PDF.media_type)) {
            // What cannot be unpacked to its end is what viewers show up to there.
            Err(Refused::Broken { .. }) => self.whole = false,
            other => other?,
        }
        if filters.first() != Some(&b'F') {
            return Ok(0);
        }
        let now = file.stream_position().map_err(|error| Refused::read(error, kind::PDF.media_type))?;
        Ok(now.saturating_sub(begin))
    }

    /// A stream of objects (7.5.7): numbers and places first, then the values in a row.
    fn objects(&mut self, value: &Value, reader: &mut dyn BufRead) -> io::Result<()> {
        let bytes = read_at_most(&mut &mut *reader, MAX_OBJECTS)?;
        self.whole = self.whole && u64::try_from(bytes.len()).is_ok_and(|length| length < MAX_OBJECTS);
        let count = value.get(b"N").and_then(Value::whole).unwrap_or_default();
        let mut lexer = Lexer::new(bytes.as_slice(), 0);
        let mut numbers = Vec::new();
        for _ in 0..count.min(bytes.len().try_into().unwrap_or(u64::MAX)) {
            let Some(number) = lexer.value()? else { break };
            lexer.value()?;
            numbers.push(number.whole().and_then(|number| u32::try_from(number).ok()).unwrap_or_default());
        }
        let mut numbers = numbers.into_iter();
        while let Some(value) = lexer.value()? {
            self.value(numbers.next().unwrap_or_default(), &value)?;
        }
        Ok(())
    }

    /// A map of codes, if the stream is one.
    fn map(&mut self, number: u32, reader: &mut dyn BufRead) -> io::Result<()> {
        let head = read_at_most(&mut &mut *reader, MAP_WITHIN)?;
        if find(&head, b"begincmap").is_some() || find(&head, b"beginbf").is_some() {
            self.fonts.map(number, BufReader::new(Cursor::new(head).chain(reader).take(MAX_OBJECTS)))?;
        }
        Ok(())
    }

    /// A stream that may show text: as contents, and as the bytes that it is, for scripts, forms and metadata.
    fn text(&mut self, value: &Value, reader: &mut dyn BufRead) -> io::Result<()> {
        let mut raw = self.look.search();
        let other = value.is(b"Type", b"Metadata") || value.get(b"N").is_some();
        let read = match &mut self.texts {
            Some(texts) if !other => {
                let mut through =
                    BufReader::with_capacity(16 << 10, Through { reader: &mut *reader, search: &mut raw });
                content::read(&self.fonts, &mut through, texts)
            }
            _ => Ok(()),
        };
        // What is no content to its end is read on as bytes.
        let read = match read {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.whole = false;
                Ok(())
            }
            read => read,
        };
        let rest = io::copy(&mut Through { reader, search: &mut raw }, &mut io::sink());
        raw.finish(self.seen);
        read.and(rest).map(|_| ())
    }
}

/// Whether a stream is a font's outlines.
fn is_font(value: &Value) -> bool {
    [&b"Length1"[..], b"Length2", b"Length3"].iter().any(|key| value.get(key).is_some())
        || [&b"Type1C"[..], b"CIDFontType0C", b"OpenType"].iter().any(|name| value.is(b"Subtype", name))
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

/// A reader that searches what is read through it.
struct Through<'r, 'a> {
    reader: &'r mut dyn BufRead,
    search: &'r mut Search<'a>,
}

impl Read for Through<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.search.push(into.get(..read).unwrap_or_default())?;
        Ok(read)
    }
}
