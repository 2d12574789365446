//! The text that a PDF's content streams show, by their operators (ISO 32000-2, 9.4).

use std::io::{self, BufRead};

use super::fonts::Fonts;
use super::lexer::{Lexer, Value};
use crate::Refused;
use crate::search::{Search, Seen};

/// Operands of one operator at most; those before are dropped.
const MAX_OPERANDS: usize = 64;
/// Thousandths of a font's size by which characters stand apart as words do.
const WORD: i64 = -180_000;

/// The texts of a file: each reading with a space where characters were put apart, and one without, for those that are put one by one.
pub(super) struct Texts<'a> {
    readings: Vec<Search<'a>>,
    joined: Search<'a>,
    /// Texts of fonts that have a map, as if they had none: a map may say what is not shown.
    written: Search<'a>,
    /// Whether every character that was shown could be read.
    pub(super) whole: bool,
    shown: Vec<u8>,
}

impl<'a> Texts<'a> {
    pub(super) fn new(readings: usize, search: impl Fn() -> Search<'a>) -> Self {
        Self {
            readings: (0..readings).map(|_| search()).collect(),
            joined: search(),
            written: search(),
            whole: true,
            shown: Vec::new(),
        }
    }

    pub(super) fn finish(self, seen: &mut Seen) {
        for reading in self.readings {
            reading.finish(seen);
        }
        self.joined.finish(seen);
        self.written.finish(seen);
    }

    fn between(&mut self, mark: u8) -> Result<(), Refused> {
        for reading in &mut self.readings {
            reading.push(&[mark])?;
        }
        self.written.push(&[mark])?;
        if mark == b'\n' { self.joined.push(b"\n") } else { Ok(()) }
    }

    fn show(&mut self, fonts: &Fonts, font: &[u8], text: &[u8]) -> Result<(), Refused> {
        for (place, reading) in self.readings.iter_mut().enumerate() {
            self.shown.clear();
            self.whole = fonts.read(font, place, text, &mut self.shown) && self.whole;
            reading.push(&self.shown)?;
            if place == 0 {
                self.joined.push(&self.shown)?;
            }
        }
        self.shown.clear();
        fonts.written(font, text, &mut self.shown);
        self.written.push(&self.shown)
    }
}

/// Reads one content stream.
pub(super) fn read(fonts: &Fonts, reader: impl BufRead, texts: &mut Texts<'_>) -> io::Result<()> {
    let mut lexer = Lexer::new(reader, 0);
    let mut operands: Vec<Value> = Vec::new();
    let mut font = Vec::new();
    let mut height = None;
    let mut in_picture = false;
    while let Some(value) = lexer.value()? {
        let Value::Word(operator) = &value else {
            if operands.len() >= MAX_OPERANDS {
                operands.clear();
            }
            operands.push(value);
            continue;
        };
        let number = |behind: usize| match operands.len().checked_sub(behind).and_then(|place| operands.get(place)) {
            Some(Value::Number(number)) => *number,
            _ => 0,
        };
        match operator.as_slice() {
            b"Tf" => {
                if let Some(Value::Name(name)) = operands.iter().rev().nth(1) {
                    font.clone_from(name);
                }
            }
            b"Td" | b"TD" if number(1) != 0 => texts.between(b'\n')?,
            b"Td" | b"TD" | b"ET" => texts.between(b' ')?,
            b"T*" => texts.between(b'\n')?,
            b"Tm" => {
                let now = Some(number(1));
                texts.between(if height == now { b' ' } else { b'\n' })?;
                height = now;
            }
            b"Tj" | b"'" | b"\"" => {
                if operator != b"Tj" {
                    texts.between(b'\n')?;
                }
                match operands.last() {
                    Some(Value::Text(text)) => texts.show(fonts, &font, text)?,
                    // Some readers take what stood before another operator.
                    _ => texts.whole = false,
                }
            }
            b"TJ" => {
                texts.whole = texts.whole && matches!(operands.last(), Some(Value::Array(_)));
                for part in operands.last().map(Value::each).unwrap_or_default() {
                    match part {
                        Value::Text(text) => texts.show(fonts, &font, text)?,
                        Value::Number(apart) if *apart < WORD => texts.between(b' ')?,
                        _ => {}
                    }
                }
            }
            b"BI" => in_picture = true,
            b"ID" if in_picture => {
                in_picture = false;
                texts.whole = picture(&mut lexer, &operands)? && texts.whole;
            }
            _ => {}
        }
        operands.clear();
    }
    texts.whole = texts.whole && !lexer.cut;
    texts.between(b'\n')?;
    Ok(())
}

/// Passes over the bytes of a picture in the text, up to `EI` between blanks. Answers whether nothing is shown there, wherever else a reader takes it to end:
/// some go by its size, some by its filter, some by `EI` behind anything.
fn picture<R: BufRead>(lexer: &mut Lexer<R>, says: &[Value]) -> io::Result<bool> {
    let digits = says.iter().flat_map(Value::each).find_map(|value| match value {
        Value::Name(name) if matches!(name.as_slice(), b"A85" | b"ASCII85Decode") => Some(b'~'),
        Value::Name(name) if matches!(name.as_slice(), b"AHx" | b"ASCIIHexDecode") => Some(b'>'),
        _ => None,
    });
    let mut last = [0u8; 4];
    let mut quoted = Quoted::No;
    // Digits go up to their own end for everybody.
    let (mut within, mut shows) = (digits.is_some(), false);
    while let Some(byte) = lexer.byte()? {
        last.rotate_left(1);
        if let Some(end) = last.last_mut() {
            *end = byte;
        }
        quoted = quoted.next(byte);
        match last {
            [before, b'E', b'I', behind] if before.is_ascii_whitespace() && behind.is_ascii_whitespace() => {
                return Ok(!shows);
            }
            _ if within => within = Some(byte) != digits,
            [before, b'T', b'j' | b'J', behind] => shows = shows || (parts(before) && parts(behind)),
            _ => shows = shows || quoted == Quoted::Shown,
        }
    }
    Ok(false)
}

/// How far bytes are a string and one of the operators `'` and `"`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    No,
    Open,
    Closed,
    Operator,
    Shown,
}

impl Quoted {
    fn next(self, byte: u8) -> Self {
        match (self, byte) {
            (_, b'(' | b'<') => Self::Open,
            (Self::Open, b')' | b'>') => Self::Closed,
            (Self::Open, b' '..=b'~' | b'\t' | b'\r' | b'\n') => Self::Open,
            (Self::Closed, b'\'' | b'"') => Self::Operator,
            (Self::Closed, _) if byte.is_ascii_whitespace() => Self::Closed,
            (Self::Operator, _) if parts(byte) => Self::Shown,
            _ => Self::No,
        }
    }
}

/// Whether a byte parts words.
fn parts(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, 0 | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'/' | b'%')
}
