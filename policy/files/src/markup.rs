//! What stands between the tags of XML and HTML, with character references read: the text as people see it, however it is cut into runs.

use crate::inspect::Within;
use crate::kind::{self, Class, Kind};
use crate::search::{Search, Seen};
use crate::{Refused, text};

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
/// Elements of HTML in which nothing is a tag but their own end.
const RAW: [&[u8]; 8] = [b"script", b"style", b"textarea", b"title", b"xmp", b"iframe", b"noembed", b"noframes"];
/// Bytes of a tag's name, or of a character reference without its noughts in front, that are looked at.
const MOST_NAME: usize = 64;
const MOST_REFERENCE: usize = 20;
/// Bytes of text that are handed on at once.
const CHUNK: usize = 16 << 10;

/// By whose rules tags are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    /// XML 1.0: word processors and viewers of pictures.
    Xml,
    /// HTML, 13.2.5: browsers and mail programs, which show what is ill-formed too.
    Html,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Reference,
    /// Behind `<`, and behind `</`.
    Opening,
    Closing,
    Name,
    /// Before, within and behind the name of an attribute.
    Inside,
    Attribute,
    Named,
    /// Behind `=`.
    Value,
    Unquoted,
    Quoted(u8),
    /// `<!`: a comment, CDATA or declaration, by what follows.
    Marked,
    Comment,
    CData,
    Declared,
    /// `<?` of XML.
    Instruction,
    /// Within an element of [`RAW`].
    Raw,
}

/// The text between the tags, searched as it comes.
pub(crate) struct Between<'a> {
    search: Search<'a>,
    rules: Rules,
    place: Place,
    /// A tag's name, a reference or the last bytes of what ends in more than one.
    held: Vec<u8>,
    text: Vec<u8>,
    /// The element of [`RAW`] that it is in.
    raw: &'static [u8],
}

impl<'a> Between<'a> {
    /// Begins a text.
    pub(crate) fn new(search: Search<'a>, rules: Rules) -> Self {
        let (held, text) = (Vec::with_capacity(MOST_NAME), Vec::with_capacity(CHUNK));
        Self { search, rules, place: Place::Text, held, text, raw: &[] }
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
        let blank = byte.is_ascii_whitespace();
        let html = self.rules == Rules::Html;
        self.place = match (self.place, byte) {
            (Place::Text, _) => self.plain(byte),
            (Place::Reference, _) => self.reference(byte),
            (Place::Opening, b'!') => self.begin(Place::Marked),
            (Place::Opening, b'?') if html => Place::Declared,
            (Place::Opening, b'?') => self.begin(Place::Instruction),
            (Place::Opening, b'/') => Place::Closing,
            (Place::Opening, _) if self.names(byte) => self.name(byte),
            // No tag: `a < b` in a page.
            (Place::Opening, _) => {
                self.text.push(b'<');
                self.plain(byte)
            }
            (Place::Closing, b'>') => Place::Text,
            (Place::Closing, _) if self.names(byte) => self.name(byte),
            (Place::Closing, _) => Place::Declared,
            (Place::Name | Place::Inside | Place::Attribute | Place::Named | Place::Value | Place::Unquoted, b'>') => {
                self.tag()
            }
            (Place::Name | Place::Inside | Place::Unquoted, _) if blank => Place::Inside,
            (Place::Attribute | Place::Named, _) if blank => Place::Named,
            (Place::Name | Place::Inside | Place::Attribute | Place::Named, b'/') => Place::Inside,
            (Place::Name, _) => {
                if self.held.len() < MOST_NAME {
                    self.held.push(byte);
                }
                Place::Name
            }
            // Quotes are some only around values: elsewhere browsers take them for parts of names.
            (Place::Attribute | Place::Named, b'=') => Place::Value,
            (Place::Inside | Place::Attribute | Place::Named, _) => Place::Attribute,
            (Place::Value, b'"' | b'\'') => Place::Quoted(byte),
            (Place::Value, _) if blank => Place::Value,
            (Place::Value | Place::Unquoted, _) => Place::Unquoted,
            (Place::Quoted(quote), _) if byte == quote => Place::Inside,
            (Place::Quoted(quote), _) => Place::Quoted(quote),
            (Place::Marked, _) => self.marked(byte),
            (Place::Comment, b'>') if html && self.held.ends_with(b"--!") => Place::Text,
            (Place::Comment, _) => self.until(byte, b"-->", Place::Comment),
            (Place::Instruction, _) => self.until(byte, b"?>", Place::Instruction),
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
            (Place::Raw, _) => self.within_raw(byte),
        };
    }

    fn plain(&mut self, byte: u8) -> Place {
        match byte {
            b'<' => Place::Opening,
            b'&' => self.begin(Place::Reference),
            _ => {
                self.text.push(byte);
                Place::Text
            }
        }
    }

    fn begin(&mut self, place: Place) -> Place {
        self.held.clear();
        place
    }

    /// Whether a tag's name may begin so.
    fn names(&self, byte: u8) -> bool {
        byte.is_ascii_alphabetic() || (self.rules == Rules::Xml && (matches!(byte, b'_' | b':') || byte >= 0x80))
    }

    fn name(&mut self, first: u8) -> Place {
        self.held.clear();
        if self.place == Place::Closing {
            self.held.push(b'/');
        }
        self.held.push(first);
        Place::Name
    }

    /// The end of a tag, in which the name is held.
    fn tag(&mut self) -> Place {
        if self.rules == Rules::Html
            && let Some(raw) = RAW.into_iter().find(|raw| raw.eq_ignore_ascii_case(&self.held))
        {
            self.raw = raw;
            self.text.push(b'\n');
            return self.begin(Place::Raw);
        }
        let name = self.held.strip_prefix(b"/").unwrap_or(&self.held);
        let local = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
        if PARTS.iter().any(|part| part.eq_ignore_ascii_case(local)) {
            self.text.push(if local.eq_ignore_ascii_case(b"s") { b' ' } else { b'\n' });
        }
        self.begin(Place::Text)
    }

    /// Text up to the element's own end, whose beginning is held.
    fn within_raw(&mut self, byte: u8) -> Place {
        self.text.push(byte);
        let name = self.held.get(2..).unwrap_or_default();
        let ends = byte == b'>' || byte == b'/' || byte.is_ascii_whitespace();
        if self.held.starts_with(b"</") && ends && self.raw.eq_ignore_ascii_case(name) {
            self.text.truncate(self.text.len().saturating_sub(self.held.len()).saturating_sub(1));
            self.text.push(b'\n');
            self.held.clear();
            return if byte == b'>' { Place::Text } else { Place::Inside };
        }
        if byte == b'<' {
            self.held.clear();
        } else if self.held.first() != Some(&b'<') {
            return Place::Raw;
        }
        self.held.push(byte);
        if self.held.len() > MOST_NAME {
            self.held.clear();
        }
        Place::Raw
    }

    fn marked(&mut self, byte: u8) -> Place {
        self.held.push(byte);
        let html = self.rules == Rules::Html;
        match self.held.as_slice() {
            // `<!-->` and `<!--->` are whole comments to a browser: the two dashes are held.
            b"--" if html => Place::Comment,
            b"--" => self.begin(Place::Comment),
            b"[CDATA[" => self.begin(Place::CData),
            held if b"--".starts_with(held) || b"[CDATA[".starts_with(held) => Place::Marked,
            _ if byte == b'>' => self.begin(Place::Text),
            _ => self.begin(Place::Declared),
        }
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
        if byte == b'0' && matches!(self.held.as_slice(), b"#" | b"#x" | b"#X") {
            return Place::Reference;
        }
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
        if byte == b';' { Place::Text } else { self.plain(byte) }
    }
}

/// References that HTML has for what stands between groups of digits, or is not seen there.
const NAMED: [(&str, char); 22] = [
    ("lt", '<'),
    ("gt", '>'),
    ("amp", '&'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("ensp", ' '),
    ("emsp", ' '),
    ("thinsp", ' '),
    ("hairsp", ' '),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("shy", '\u{ad}'),
    ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
    ("ZeroWidthSpace", '\u{200b}'),
    ("NoBreak", '\u{2060}'),
    ("hyphen", '-'),
    ("dash", '-'),
    ("period", '.'),
    ("lowbar", '_'),
    ("colon", ':'),
];

/// The character that a reference stands for: by number, or one of those that XML has, and the space that HTML has.
fn character(reference: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(reference).ok()?;
    if let Some((_, character)) = NAMED.iter().find(|(name, _)| *name == text) {
        return Some(*character);
    }
    let number = text.strip_prefix('#')?;
    let number = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    char::from_u32(number.ok()?)
}

/// By whose rules characters may be read: by those of the type, by both where a page may be taken for XML, by none where there are no tags.
pub(crate) fn rules(kind: &Kind, head: &[u8], within: Within) -> &'static [Rules] {
    let start = text::plain_start(head);
    let start = start.trim_start();
    if *kind == kind::HTML {
        return if start.starts_with("<?xml") || within == Within::Document {
            &[Rules::Xml, Rules::Html]
        } else {
            &[Rules::Html]
        };
    }
    // A document's parts are what it says they are, by whatever name.
    let is_part = within == Within::Document && text::is_characters(head) && start.starts_with('<');
    if kind.class == Class::Markup || is_part { &[Rules::Xml] } else { &[] }
}

/// Codes of characters that XML may declare and that are read as they are.
const READ: [&str; 12] = [
    "utf-8",
    "utf8",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "us-ascii",
    "ascii",
    "iso-8859-1",
    "latin1",
    "iso-8859-15",
    "windows-1252",
    "unicode",
];

/// Whether this is XML in a code that is not read: another one that it declares, or UTF-16 without its mark, which readers tell by its first sign.
pub(crate) fn is_foreign(kind: &Kind, head: &[u8], within: Within) -> bool {
    let wide = matches!(head, [b'<', 0, _, 0, ..] | [0, b'<', 0, _, ..]);
    if wide && (*kind == kind::UNKNOWN || within == Within::Document) {
        return true;
    }
    // The same sign in EBCDIC.
    if within == Within::Document && head.starts_with(b"\x4c\x6f\xa7\x94\x93") {
        return true;
    }
    if !kind.is_characters() {
        return false;
    }
    let start = text::plain_start(head);
    let Some(first) = start.trim_start().strip_prefix("<?xml").and_then(|rest| rest.split("?>").next()) else {
        return false;
    };
    let Some(said) = first.split("encoding").nth(1) else { return false };
    let said = said.trim_start_matches(|c: char| c == '=' || c.is_ascii_whitespace());
    let said = said.get(1..).unwrap_or_default().split(['"', '\'']).next().unwrap_or_default();
    !READ.iter().any(|read| read.eq_ignore_ascii_case(said))
}
