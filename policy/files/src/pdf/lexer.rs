//! PDF's characters (ISO 32000-2, 7.2 and 7.3) as values, of files and of content streams, from a reader.

use std::io::{self, BufRead};

/// Bytes of one string or word at most; what is longer is cut.
const MAX_STRING: usize = 256 << 10;
const MAX_WORD: usize = 128;
/// Values within one value, the bytes of their strings and names, and how deep they may be.
const MAX_VALUES: usize = 1 << 17;
const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 64;

/// A value, or an operator.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// In thousandths.
    Number(i64),
    Name(Vec<u8>),
    Text(Vec<u8>),
    Array(Vec<Value>),
    Dict(Vec<(Vec<u8>, Value)>),
    /// The number of another object.
    Ref(u32),
    /// `true`, `null`, and operators.
    Word(Vec<u8>),
}

enum Token {
    Value(Value),
    Open(u8),
    Close(u8),
}

impl Value {
    /// What a dictionary has under a key.
    pub(super) fn get(&self, key: &[u8]) -> Option<&Value> {
        match self {
            Self::Dict(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Whether a dictionary has one of these keys more than once: some readers take the first, some the last.
    pub(super) fn repeats(&self, keys: &[&[u8]]) -> bool {
        let Self::Dict(entries) = self else { return false };
        keys.iter().any(|key| entries.iter().filter(|(name, _)| name == key).count() > 1)
    }

    /// Whether it has this name under a key.
    pub(super) fn is(&self, key: &[u8], name: &[u8]) -> bool {
        matches!(self.get(key), Some(Self::Name(found)) if found == name)
    }

    /// A whole number that is not negative.
    pub(super) fn whole(&self) -> Option<u64> {
        match self {
            Self::Number(thousandths) if thousandths % 1000 == 0 => u64::try_from(thousandths / 1000).ok(),
            _ => None,
        }
    }

    /// The values of an array, or the one that stands for an array of one.
    pub(super) fn each(&self) -> &[Value] {
        match self {
            Self::Array(values) => values,
            one => std::slice::from_ref(one),
        }
    }
}

/// Reads values from bytes, and knows its place.
pub(super) struct Lexer<R> {
    pub(super) reader: R,
    pub(super) place: u64,
    /// Whether a comment had the beginning of an object in it, which a table may lead to.
    pub(super) hidden: bool,
    /// Whether a string was too long to be read whole.
    pub(super) cut: bool,
}

impl<R: BufRead> Lexer<R> {
    pub(super) fn new(reader: R, place: u64) -> Self {
        Self { reader, place, hidden: false, cut: false }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.reader.fill_buf()?.first().copied())
    }

    fn pass(&mut self) {
        self.reader.consume(1);
        self.place = self.place.saturating_add(1);
    }

    pub(super) fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.pass();
        }
        Ok(byte)
    }

    /// The end of the line behind `stream`.
    pub(super) fn line_end(&mut self) -> io::Result<()> {
        if self.peek()? == Some(b'\r') {
            self.pass();
        }
        if self.peek()? == Some(b'\n') {
            self.pass();
        }
        Ok(())
    }

    /// The next value, arrays and dictionaries whole; none at the end. A closing bracket with nothing open is passed over.
    pub(super) fn value(&mut self) -> io::Result<Option<Value>> {
        let mut open: Vec<(u8, Vec<Value>)> = Vec::new();
        let (mut count, mut bytes) = (0usize, 0usize);
        loop {
            let Some(token) = self.token()? else {
                // What is not closed at the end counts as closed, so that its strings are seen.
                let rest = open.drain(..).flat_map(|(_, values)| values).collect::<Vec<_>>();
                return Ok((!rest.is_empty()).then_some(Value::Array(rest)));
            };
            let value = match token {
                Token::Open(bracket) => {
                    if open.len() >= MAX_DEPTH {
                        return Err(io::ErrorKind::InvalidData.into());
                    }
                    open.push((bracket, Vec::new()));
                    continue;
                }
                Token::Close(bracket) => match open.pop() {
                    Some((b'<', values)) if bracket == b'>' => dictionary(values),
                    Some((_, values)) => Value::Array(values),
                    None => continue,
                },
                Token::Value(value) => value,
            };
            count = count.saturating_add(1);
            if let Value::Text(text) | Value::Name(text) | Value::Word(text) = &value {
                bytes = bytes.saturating_add(text.len());
            }
            if count > MAX_VALUES || bytes > MAX_BYTES {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let Some((_, values)) = open.last_mut() else { return Ok(Some(value)) };
            if value == Value::Word(b"R".to_vec()) {
                let number = values.len().checked_sub(2).and_then(|place| values.get(place)).and_then(Value::whole);
                if let Some(number) = number.and_then(|number| u32::try_from(number).ok()) {
                    values.truncate(values.len().saturating_sub(2));
                    values.push(Value::Ref(number));
                    continue;
                }
            }
            // `endobj` or `stream` within brackets: they were never closed.
            if matches!(&value, Value::Word(word) if word == b"endobj" || word == b"stream") {
                return Err(io::ErrorKind::InvalidData.into());
            }
            values.push(value);
        }
    }

    fn token(&mut self) -> io::Result<Option<Token>> {
        loop {
            let Some(byte) = self.byte()? else { return Ok(None) };
            let token = match byte {
                0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ' | b'{' | b'}' | b')' => continue,
                b'%' => {
                    self.comment()?;
                    continue;
                }
                b'[' => Token::Open(b'['),
                b']' => Token::Close(b']'),
                b'<' if self.peek()? == Some(b'<') => {
                    self.pass();
                    Token::Open(b'<')
                }
                b'<' => Token::Value(Value::Text(self.hexadecimal()?)),
                b'>' if self.peek()? == Some(b'>') => {
                    self.pass();
                    Token::Close(b'>')
                }
                b'>' => continue,
                b'(' => Token::Value(Value::Text(self.literal()?)),
                b'/' => Token::Value(Value::Name(self.name()?)),
                _ => Token::Value(self.word(byte)?),
            };
            return Ok(Some(token));
        }
    }

    fn comment(&mut self) -> io::Result<()> {
        let mut last = [0; 4];
        while let Some(byte) = self.byte()? {
            if byte == b'\n' || byte == b'\r' {
                break;
            }
            last.rotate_left(1);
            if let Some(end) = last.last_mut() {
                *end = byte;
            }
            self.hidden = self.hidden || last == *b" obj";
        }
        Ok(())
    }

    fn plain(&mut self, most: usize, word: &mut Vec<u8>) -> io::Result<()> {
        while let Some(byte) = self.peek()? {
            if matches!(
                byte,
                0 | b'\t'
                    | b'\n'
                    | 0x0c
                    | b'\r'
                    | b' '
                    | b'('
                    | b')'
                    | b'<'
                    | b'>'
                    | b'['
                    | b']'
                    | b'{'
                    | b'}'
                    | b'/'
                    | b'%'
            ) {
                break;
            }
            self.pass();
            if word.len() < most {
                word.push(byte);
            }
        }
        Ok(())
    }

    fn word(&mut self, first: u8) -> io::Result<Value> {
        let mut word = vec![first];
        self.plain(MAX_WORD, &mut word)?;
        Ok(number(&word).map_or(Value::Word(word), Value::Number))
    }

    fn name(&mut self) -> io::Result<Vec<u8>> {
        let mut word = Vec::new();
        self.plain(MAX_WORD, &mut word)?;
        let mut name = Vec::with_capacity(word.len());
        let mut rest = word.as_slice();
        while let [first, behind @ ..] = rest {
            rest = behind;
            match (first, behind) {
                (b'#', [high, low, after @ ..]) if digit(*high).is_some() && digit(*low).is_some() => {
                    name.push(digit(*high).unwrap_or_default() << 4 | digit(*low).unwrap_or_default());
                    rest = after;
                }
                _ => name.push(*first),
            }
        }
        Ok(name)
    }

    fn hexadecimal(&mut self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut high = None;
        while let Some(byte) = self.byte()? {
            if byte == b'>' {
                break;
            }
            let Some(digit) = digit(byte) else { continue };
            match high.take() {
                None => high = Some(digit << 4),
                Some(high) if text.len() < MAX_STRING => text.push(high | digit),
                Some(_) => self.cut = true,
            }
        }
        text.extend(high);
        Ok(text)
    }

    fn literal(&mut self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut depth = 1usize;
        while let Some(byte) = self.byte()? {
            let byte = match byte {
                b'(' => {
                    depth = depth.saturating_add(1);
                    byte
                }
                b')' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                    byte
                }
                b'\\' => match self.escaped()? {
                    Some(byte) => byte,
                    None => continue,
                },
                _ => byte,
            };
            if text.len() < MAX_STRING {
                text.push(byte);
            } else {
                self.cut = true;
            }
        }
        Ok(text)
    }

    fn escaped(&mut self) -> io::Result<Option<u8>> {
        Ok(match self.byte()? {
            Some(b'n') => Some(b'\n'),
            Some(b'r') => Some(b'\r'),
            Some(b't') => Some(b'\t'),
            Some(b'b') => Some(8),
            Some(b'f') => Some(0x0c),
            Some(b'\n') | None => None,
            Some(b'\r') => {
                if self.peek()? == Some(b'\n') {
                    self.pass();
                }
                None
            }
            Some(first @ b'0'..=b'7') => {
                let mut number = u32::from(first - b'0');
                for _ in 0..2 {
                    let Some(next @ b'0'..=b'7') = self.peek()? else { break };
                    self.pass();
                    number = number * 8 + u32::from(next - b'0');
                }
                u8::try_from(number & 0xff).ok()
            }
            other => other,
        })
    }
}

fn dictionary(values: Vec<Value>) -> Value {
    let mut entries = Vec::with_capacity(values.len() / 2);
    let mut values = values.into_iter();
    while let Some(key) = values.next() {
        if let (Value::Name(key), Some(value)) = (key, values.next()) {
            entries.push((key, value));
        }
    }
    Value::Dict(entries)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// A number in thousandths.
fn number(word: &[u8]) -> Option<i64> {
    let (negative, digits) = match word {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, word),
    };
    let (whole, fraction) = match digits.iter().position(|byte| *byte == b'.') {
        Some(dot) => (digits.get(..dot)?, digits.get(dot.checked_add(1)?..)?),
        None => (digits, &[][..]),
    };
    if digits.len() > 15
        || whole.len().saturating_add(fraction.len()) == 0
        || !whole.iter().chain(fraction).all(u8::is_ascii_digit)
    {
        return None;
    }
    let digits = whole.iter().chain(fraction.iter().chain(b"000").take(3));
    let number = digits
        .fold(0i64, |number, digit| number.saturating_mul(10).saturating_add(i64::from(digit.saturating_sub(b'0'))));
    Some(if negative { number.saturating_neg() } else { number })
}
