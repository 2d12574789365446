//! What stands between the tags of XML and HTML, with character references read: the text as people see it, however it is cut into runs.

use crate::Refused;
use crate::search::{Search, Seen};

/// Tags whose end (or being there) parts words: paragraphs, cells, breaks, of OOXML, OpenDocument, HTML and SVG. Others, as runs, do not.
const PARTS: [&[u8]; 27] = [
    b"p",
    b"br",
    b"tab",
    b"cr",
    b"tr",
    b"tc",
    b"td",
    b"th",
    b"li",
    b"h",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"si",
    b"c",
    b"v",
    b"f",
    b"row",
    b"s",
    b"line-break",
    b"div",
    b"title",
    b"option",
    b"comment",
    b"text",
    b"sheet",
];
/// Bytes of a tag's name, or of a character reference, that are looked at.
const MOST_NAME: usize = 64;
const MOST_REFERENCE: usize = 10;
/// Bytes of text that are handed on at once.
const CHUNK: usize = 16 << 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Reference,
    /// Behind `<`.
    Opening,
    Name,
    Inside,
    Quoted(u8),
    /// `<!`: a comment, CDATA or declaration, by what follows.
    Marked,
    Comment,
    CData,
    Declared,
}

/// The text between the tags, searched as it comes.
pub(crate) struct Between<'a> {
    search: Search<'a>,
    place: Place,
    /// A tag's name, a reference or the last bytes of what ends in more than one.
    held: Vec<u8>,
    text: Vec<u8>,
}

impl<'a> Between<'a> {
    /// Begins a text.
    pub(crate) fn new(search: Search<'a>) -> Self {
        Self { search, place: Place::Text, held: Vec::with_capacity(MOST_NAME), text: Vec::with_capacity(CHUNK) }
    }

    /// Takes a piece of it.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        for byte in bytes {
            self.byte(*byte);
            if self.text.len() >= CHUNK {
                self.search.push(&self.text)?;
                self.text.clear();
            }
        }
        Ok(())
    }

    /// Ends it.
    pub(crate) fn finish(mut self, seen: &mut Seen) -> Result<(), Refused> {
        if self.place == Place::Reference {
            self.text.append(&mut self.held);
        }
        self.search.push(&self.text)?;
        self.search.finish(seen);
        Ok(())
    }

    fn byte(&mut self, byte: u8) {
        self.place = match (self.place, byte) {
            (Place::Text, b'<') => Place::Opening,
            (Place::Text, b'&') => {
                self.held.clear();
                Place::Reference
            }
            (Place::Text, _) => {
                self.text.push(byte);
                Place::Text
            }
            (Place::Reference, _) => self.reference(byte),
            (Place::Opening, b'!') => {
                self.held.clear();
                Place::Marked
            }
            (Place::Opening, b'?') => Place::Declared,
            (Place::Opening, _) if byte == b'/' || byte.is_ascii_alphabetic() || byte == b'_' => {
                self.held.clear();
                self.held.push(byte);
                Place::Name
            }
            // No tag: `a < b` in a page.
            (Place::Opening, _) => {
                self.text.extend([b'<', byte]);
                Place::Text
            }
            (Place::Name, b'>') => self.tag(),
            (Place::Name, _) if byte.is_ascii_whitespace() => Place::Inside,
            (Place::Name, b'/') => Place::Inside,
            (Place::Name, _) => {
                if self.held.len() < MOST_NAME {
                    self.held.push(byte);
                }
                Place::Name
            }
            (Place::Inside, b'>') => self.tag(),
            (Place::Inside, b'"' | b'\'') => Place::Quoted(byte),
            (Place::Inside, _) => Place::Inside,
            (Place::Quoted(quote), _) if byte == quote => Place::Inside,
            (Place::Quoted(quote), _) => Place::Quoted(quote),
            (Place::Marked, _) => self.marked(byte),
            (Place::Comment, _) => self.until(byte, b"-->", Place::Comment),
            (Place::CData, _) => {
                self.text.push(byte);
                let next = self.until(byte, b"]]>", Place::CData);
                if next == Place::Text {
                    self.text.truncate(self.text.len().saturating_sub(3));
                }
                next
            }
            (Place::Declared, b'>') => Place::Text,
            (Place::Declared, _) => Place::Declared,
        };
    }

    /// The end of a tag, in which the name is held.
    fn tag(&mut self) -> Place {
        let name = self.held.strip_prefix(b"/").unwrap_or(&self.held);
        let local = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
        if PARTS.iter().any(|part| part.eq_ignore_ascii_case(local)) {
            self.text.push(if local.eq_ignore_ascii_case(b"s") { b' ' } else { b'\n' });
        }
        self.held.clear();
        Place::Text
    }

    fn marked(&mut self, byte: u8) -> Place {
        self.held.push(byte);
        let next = match self.held.as_slice() {
            b"--" => Place::Comment,
            b"[CDATA[" => Place::CData,
            held if b"--".starts_with(held) || b"[CDATA[".starts_with(held) => return Place::Marked,
            _ if byte == b'>' => Place::Text,
            _ => Place::Declared,
        };
        self.held.clear();
        next
    }

    /// Stays until `end` was read.
    fn until(&mut self, byte: u8, end: &[u8], stay: Place) -> Place {
        self.held.push(byte);
        if self.held.ends_with(end) {
            self.held.clear();
            return Place::Text;
        }
        if self.held.len() > 8 {
            self.held.drain(..6);
        }
        stay
    }

    fn reference(&mut self, byte: u8) -> Place {
        if byte != b';' && self.held.len() < MOST_REFERENCE && (byte.is_ascii_alphanumeric() || byte == b'#') {
            self.held.push(byte);
            return Place::Reference;
        }
        match character(&self.held) {
            Some(character) => self.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            // Entities that a document declares are not read: nothing expands.
            None => {
                self.text.push(b'&');
                self.text.append(&mut self.held);
            }
        }
        self.held.clear();
        match byte {
            b';' => Place::Text,
            b'<' => Place::Opening,
            b'&' => Place::Reference,
            _ => {
                self.text.push(byte);
                Place::Text
            }
        }
    }
}

/// The character that a reference stands for: by number, or one of those that XML has, and the space that HTML has.
fn character(reference: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(reference).ok()?;
    match text {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let number = text.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(number.ok()?)
        }
    }
}
