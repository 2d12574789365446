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
    /// Whether every character that was shown could be read.
    pub(super) whole: bool,
    shown: Vec<u8>,
}

impl<'a> Texts<'a> {
    pub(super) fn new(readings: usize, search: impl Fn() -> Search<'a>) -> Self {
        Self { readings: (0..readings).map(|_| search()).collect(), joined: search(), whole: true, shown: Vec::new() }
    }

    pub(super) fn finish(self, seen: &mut Seen) {
        for reading in self.readings {
            reading.finish(seen);
        }
        self.joined.finish(seen);
    }

    fn between(&mut self, mark: u8) -> Result<(), Refused> {
        for reading in &mut self.readings {
            reading.push(&[mark])?;
        }
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
        Ok(())
    }
}

/// Reads one content stream.
pub(super) fn read(fonts: &Fonts, reader: impl BufRead, texts: &mut Texts<'_>) -> io::Result<()> {
    let mut lexer = Lexer::new(reader, 0);
    let mut operands: Vec<Value> = Vec::new();
    let mut font = Vec::new();
    let mut height = None;
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
                if let Some(Value::Name(name)) = operands.first() {
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
                if let Some(Value::Text(text)) = operands.last() {
                    texts.show(fonts, &font, text)?;
                }
            }
            b"TJ" => {
                for part in operands.last().map(Value::each).unwrap_or_default() {
                    match part {
                        Value::Text(text) => texts.show(fonts, &font, text)?,
                        Value::Number(apart) if *apart < WORD => texts.between(b' ')?,
                        _ => {}
                    }
                }
            }
            b"ID" => picture(&mut lexer)?,
            _ => {}
        }
        operands.clear();
    }
    texts.between(b'\n')?;
    Ok(())
}

/// Passes over the bytes of a picture in the text, up to `EI` between blanks.
fn picture<R: BufRead>(lexer: &mut Lexer<R>) -> io::Result<()> {
    let mut last = [0; 4];
    while let Some(byte) = lexer.byte()? {
        last.rotate_left(1);
        if let Some(end) = last.last_mut() {
            *end = byte;
        }
        if let [before, b'E', b'I', behind] = last
            && before.is_ascii_whitespace()
            && behind.is_ascii_whitespace()
        {
            break;
        }
    }
    Ok(())
}
