//! A PDF's streams: what of them is searched, as text that is shown, as a file, or as the bytes that they are.

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};

use super::content;
use super::filter::{self, Filters};
use super::lexer::{Lexer, Value};
use super::{File, Pass};
use crate::Refused;
use crate::bytes::{Unpacked, find, read_at_most};
use crate::inspect::Within;
use crate::kind;
use crate::search::{Runs, Search};

/// Bytes of a stream of objects, or of a map of codes, that are unpacked at most.
const MAX_OBJECTS: u64 = 32 << 20;
/// Bytes by which a map of codes is known.
const MAP_WITHIN: u64 = 2048;

/// What a stream is looked at as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// A row of objects (7.5.7), which the first reading takes.
    Objects,
    /// A file of its own.
    Attached,
    /// What is shown, a script, or what nobody says.
    Text,
    /// Metadata, profiles of colours: a text that is not shown.
    Plain,
    /// Outlines of fonts, tables: bytes with text among them.
    Bytes,
    /// Pixels, which are not looked at unpacked.
    Pixels,
}

/// Whether a stream's bytes say themselves where they end.
pub(super) fn ends_itself(value: &Value) -> bool {
    matches!(filter::of(value), Filters::Known(filters) if filters.first() == Some(&b'F'))
}

impl Pass<'_, '_> {
    /// A stream of at most `room` bytes. Answers how many of them its packed bytes are, if they say so themselves.
    pub(super) fn stream(
        &mut self,
        number: u32,
        value: &Value,
        file: &mut File<'_>,
        room: u64,
    ) -> Result<u64, Refused> {
        let failed = |error| Refused::read(error, kind::PDF.media_type);
        let begin = file.stream_position().map_err(failed)?;
        let mut packed = BufReader::with_capacity(16 << 10, Read::take(&mut *file, room));
        let used = self.used(number, value);
        let filters = filter::of(value);
        if self.first {
            if let Filters::Known(filters) = &filters {
                self.prepare(number, value, used, filter::unpack(filters, Box::new(packed)))?;
            }
            return Ok(0);
        }
        if self.texts.is_none() && used != Use::Attached {
            return Ok(0);
        }
        // What is no text of the document's own may be damaged, or packed in ways that are not known.
        let mut matters = !matches!(used, Use::Bytes | Use::Pixels);
        let done = match &filters {
            Filters::Known(_) if used == Use::Objects => return Ok(0),
            Filters::Known(filters) if used == Use::Pixels && filters.contains(&b'F') => return Ok(0),
            Filters::Known(filters) => {
                let reader = Unpacked { reader: filter::unpack(filters, Box::new(packed)), budget: self.look.budget };
                let mut reader = BufReader::with_capacity(16 << 10, reader);
                match used {
                    Use::Attached => {
                        self.look.budget.entry()?;
                        let depth = self.depth.saturating_add(1);
                        return self.look.member(&mut reader, "".into(), Within::Document, depth, self.seen).map(|_| 0);
                    }
                    Use::Text => self.text(&mut reader),
                    Use::Plain => self.plain(&mut reader),
                    Use::Objects | Use::Bytes | Use::Pixels => self.bytes(&mut reader),
                }
            }
            filters => {
                // Pictures of forms of their own are what they are, unless something leads to them as to text.
                let hides = *filters == Filters::Unknown || self.leads.shows(number) || used == Use::Attached;
                self.whole = self.whole && !(hides && matters);
                matters = false;
                if self.texts.is_some() { self.bytes(&mut packed) } else { Ok(()) }
            }
        };
        match done.map_err(failed) {
            // What cannot be unpacked to its end is what viewers show up to there.
            Err(Refused::Broken { .. }) => self.whole = self.whole && !matters,
            other => other?,
        }
        if !ends_itself(value) {
            return Ok(0);
        }
        let now = file.stream_position().map_err(failed)?;
        Ok(now.saturating_sub(begin))
    }

    /// What a stream is looked at as: by what leads to it first, as readers do, then by what it says of itself.
    fn used(&mut self, number: u32, value: &Value) -> Use {
        let shown = self.leads.shows(number) || value.is(b"Subtype", b"Form");
        let objects = value.is(b"Type", b"ObjStm");
        let attached = value.is(b"Type", b"EmbeddedFile") || self.leads.is_file(number);
        if filter::is_ambiguous(value) || (shown && (objects || attached)) {
            self.whole = false;
        }
        if objects {
            Use::Objects
        } else if attached {
            Use::Attached
        } else if shown {
            Use::Text
        } else if value.is(b"Subtype", b"Image") {
            Use::Pixels
        } else if value.is(b"Type", b"Metadata") || value.get(b"N").is_some() {
            Use::Plain
        } else if is_table(value) || is_font(value) {
            Use::Bytes
        } else {
            Use::Text
        }
    }

    /// The first reading: objects in a stream, and maps of codes, whatever label they have.
    fn prepare(&mut self, number: u32, value: &Value, used: Use, reader: Box<dyn BufRead + '_>) -> Result<(), Refused> {
        let mut reader = BufReader::with_capacity(4 << 10, Unpacked { reader, budget: self.look.budget });
        let done = match used {
            Use::Objects => self.objects(value, &mut reader),
            _ if self.look.searcher.is_some() => self.map(number, &mut reader),
            _ => return Ok(()),
        };
        match done.map_err(|error| Refused::read(error, kind::PDF.media_type)) {
            // What is damaged, and whether that matters, is for the second reading to say.
            Err(Refused::Broken { .. }) if used != Use::Objects => Ok(()),
            Err(Refused::Broken { .. }) => {
                self.whole = false;
                Ok(())
            }
            other => other,
        }
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
            self.value(numbers.next().unwrap_or_default(), &value, false)?;
        }
        self.whole = self.whole && !lexer.cut;
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

    /// A stream that may show text: as contents, and as the bytes that it is, for scripts and forms.
    fn text(&mut self, reader: &mut dyn BufRead) -> io::Result<()> {
        let mut raw = self.look.search();
        let read = match &mut self.texts {
            Some(texts) => {
                let mut through =
                    BufReader::with_capacity(16 << 10, Through { reader: &mut *reader, search: &mut raw });
                content::read(&self.fonts, &mut through, texts)
            }
            None => Ok(()),
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

    /// A stream of a text that is not shown.
    fn plain(&mut self, reader: &mut dyn BufRead) -> io::Result<()> {
        let mut search = self.look.search();
        let read = io::copy(&mut Through { reader, search: &mut search }, &mut io::sink());
        search.finish(self.seen);
        read.map(|_| ())
    }

    /// A stream of bytes with text among them.
    fn bytes(&mut self, reader: &mut dyn BufRead) -> io::Result<()> {
        let mut runs = Runs::new(self.look.search());
        let read = loop {
            let bytes = match reader.fill_buf() {
                Ok([]) => break Ok(()),
                Ok(bytes) => bytes,
                Err(error) => break Err(error),
            };
            runs.push(bytes)?;
            let length = bytes.len();
            reader.consume(length);
        };
        runs.finish(self.seen)?;
        read
    }
}

/// Whether a stream is a table of where objects stand.
fn is_table(value: &Value) -> bool {
    value.is(b"Type", b"XRef")
}

/// Whether a stream says that it is a font's outlines.
fn is_font(value: &Value) -> bool {
    [&b"Length1"[..], b"Length2", b"Length3"].iter().any(|key| value.get(key).is_some())
        || [&b"Type1C"[..], b"CIDFontType0C", b"OpenType"].iter().any(|name| value.is(b"Subtype", name))
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
