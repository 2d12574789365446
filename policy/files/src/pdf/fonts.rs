//! What the codes of a PDF's fonts stand for: by their ToUnicode maps, by names of glyphs, or as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};

use super::lexer::{Lexer, Value};

/// Codes of all maps of a file, dictionaries of fonts, and fonts under one name, at most.
const MAX_CODES: usize = 1 << 18;
const MAX_FONTS: usize = 1 << 12;
const MAX_OF_ONE_NAME: usize = 64;
/// Ways in which a text is read, where several fonts have one name.
pub(super) const READINGS: usize = 3;

/// A map from codes to characters.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Codes {
    /// Whether a code is two bytes.
    wide: bool,
    characters: BTreeMap<u32, String>,
}

/// A font, as its dictionary has it.
#[derive(Debug, Clone, Default)]
struct Font {
    to_unicode: Option<u32>,
    /// Codes are two bytes, of glyphs, and mean nothing without a map.
    composite: bool,
    named: Codes,
}

/// All fonts of a file, and the names by which its contents ask for them.
#[derive(Debug, Default)]
pub(super) struct Fonts {
    fonts: BTreeMap<u32, Font>,
    maps: BTreeMap<u32, Codes>,
    names: BTreeMap<Vec<u8>, BTreeSet<u32>>,
    /// Dictionaries that hold nothing but references, and those of them that are asked for as `Font`.
    plain: BTreeMap<u32, Vec<(Vec<u8>, u32)>>,
    asked: BTreeSet<u32>,
    codes: usize,
    own: u32,
    /// Whether something was left out.
    pub(super) over: bool,
}

impl Fonts {
    /// Takes what an object says of fonts.
    pub(super) fn object(&mut self, number: u32, value: &Value) {
        let Value::Dict(entries) = value else { return };
        if value.is(b"Type", b"Font") || (value.get(b"BaseFont").is_some() && value.get(b"Subtype").is_some()) {
            self.font(number, value);
        } else if !entries.is_empty()
            && entries.iter().all(|(_, value)| matches!(value, Value::Ref(_)))
            && self.plain.len() < MAX_FONTS
        {
            let references = entries.iter().take(MAX_OF_ONE_NAME).filter_map(|(name, value)| {
                if let Value::Ref(number) = value { Some((name.clone(), *number)) } else { None }
            });
            self.plain.insert(number, references.collect());
        }
        self.resources(value, 0);
    }

    /// Finds `/Font << /F1 5 0 R >>` at any depth.
    fn resources(&mut self, value: &Value, depth: u32) {
        let Value::Dict(entries) = value else { return };
        for (key, value) in entries {
            match value {
                Value::Dict(fonts) if key == b"Font" => {
                    for (name, font) in fonts.clone() {
                        match font {
                            Value::Ref(number) => self.name(name, number),
                            font @ Value::Dict(_) => {
                                // Fonts that are written in place have no number: they get one that no object has.
                                self.own = self.own.wrapping_sub(1);
                                let own = self.own;
                                self.font(own, &font);
                                self.name(name, own);
                            }
                            _ => {}
                        }
                    }
                }
                Value::Ref(number) if key == b"Font" && self.asked.len() < MAX_FONTS => {
                    self.asked.insert(*number);
                }
                Value::Dict(_) if depth < 8 => self.resources(value, depth.saturating_add(1)),
                _ => {}
            }
        }
    }

    fn name(&mut self, name: Vec<u8>, number: u32) {
        if self.names.len() < MAX_FONTS {
            let fonts = self.names.entry(name).or_default();
            if fonts.len() < MAX_OF_ONE_NAME {
                fonts.insert(number);
            } else {
                self.over = true;
            }
        } else {
            self.over = true;
        }
    }

    fn font(&mut self, number: u32, value: &Value) {
        if self.fonts.len() >= MAX_FONTS {
            self.over = true;
            return;
        }
        self.over = self.over
            || value.repeats(&[b"ToUnicode", b"Encoding", b"Subtype"])
            || value.get(b"Encoding").is_some_and(|encoding| encoding.repeats(&[b"Differences"]));
        let to_unicode = if let Some(Value::Ref(number)) = value.get(b"ToUnicode") { Some(*number) } else { None };
        let differences = value.get(b"Encoding").and_then(|encoding| encoding.get(b"Differences"));
        let named = differences.map(|differences| self.named(differences)).unwrap_or_default();
        self.fonts.insert(number, Font { to_unicode, composite: value.is(b"Subtype", b"Type0"), named });
    }

    /// Takes an encoding that is an object of its own.
    pub(super) fn encoding(&mut self, number: u32, value: &Value) {
        if let (Some(differences), true) = (value.get(b"Differences"), self.maps.len() < MAX_FONTS) {
            let named = self.named(differences);
            self.maps.insert(number, named);
        }
    }

    /// Codes by names of glyphs, as far as there is room.
    fn named(&mut self, differences: &Value) -> Codes {
        let codes = named(differences.each());
        self.codes = self.codes.saturating_add(codes.characters.len());
        if self.codes > MAX_CODES {
            self.over = true;
            return Codes::default();
        }
        codes
    }

    /// Reads a ToUnicode map (a CMap), which is the stream of this object.
    pub(super) fn map(&mut self, number: u32, reader: impl BufRead) -> io::Result<()> {
        let mut codes = Codes::default();
        let mut values: Vec<Value> = Vec::new();
        let mut lexer = Lexer::new(reader, 0);
        while let Some(value) = lexer.value()? {
            let Value::Word(word) = &value else {
                values.push(value);
                if values.len() > 4096 {
                    values.clear();
                    self.over = true;
                }
                continue;
            };
            match word.as_slice() {
                b"endcodespacerange" => {
                    codes.wide = values.iter().any(|value| matches!(value, Value::Text(code) if code.len() == 2))
                }
                b"endbfchar" => {
                    for pair in values.chunks_exact(2) {
                        if let [Value::Text(code), Value::Text(text)] = pair {
                            self.code(&mut codes, number_of(code), utf16(text, 0));
                        }
                    }
                }
                b"endbfrange" => {
                    for range in values.chunks_exact(3) {
                        if let [Value::Text(from), Value::Text(to), text] = range {
                            self.range(&mut codes, number_of(from), number_of(to), text);
                        }
                    }
                }
                _ => {}
            }
            values.clear();
        }
        if self.maps.len() < MAX_FONTS {
            self.maps.insert(number, codes);
        }
        Ok(())
    }

    fn range(&mut self, codes: &mut Codes, from: u32, to: u32, text: &Value) {
        for (step, code) in (from..=to.min(from.saturating_add(0xffff))).enumerate() {
            match text {
                Value::Text(text) => self.code(codes, code, utf16(text, u16::try_from(step).unwrap_or_default())),
                Value::Array(texts) => match texts.get(step) {
                    Some(Value::Text(text)) => self.code(codes, code, utf16(text, 0)),
                    _ => break,
                },
                _ => break,
            }
            if self.over {
                break;
            }
        }
    }

    fn code(&mut self, codes: &mut Codes, code: u32, text: String) {
        self.codes = self.codes.saturating_add(1);
        if self.codes > MAX_CODES {
            self.over = true;
        } else {
            codes.characters.insert(code, text);
        }
    }

    /// Resolves names that lead through dictionaries of their own. Afterwards texts can be read.
    pub(super) fn settle(&mut self) {
        for asked in std::mem::take(&mut self.asked) {
            for (name, number) in self.plain.get(&asked).cloned().unwrap_or_default() {
                self.name(name, number);
            }
        }
        self.plain.clear();
    }

    /// Reads a text in the font of this name, in one of the readings. Answers whether it could be.
    pub(super) fn read(&self, name: &[u8], reading: usize, text: &[u8], to: &mut Vec<u8>) -> bool {
        let Some(numbers) = self.names.get(name) else {
            plain(text, None, to);
            return false;
        };
        let mut known = numbers.iter().filter_map(|number| self.fonts.get(number));
        let few = known.clone().count();
        let Some(font) = known.nth(reading.min(few.saturating_sub(1))) else {
            plain(text, None, to);
            return false;
        };
        let map = font.to_unicode.map(|number| self.maps.get(&number));
        if map == Some(None) {
            // There should be a map, and what stands in its place is none.
            plain(text, None, to);
            return false;
        }
        let mapped = map.flatten().filter(|codes| !codes.characters.is_empty());
        match mapped {
            Some(codes) if codes.wide || font.composite => {
                let mut whole = true;
                for code in text.chunks(2) {
                    match codes.characters.get(&number_of(code)) {
                        Some(characters) => to.extend_from_slice(characters.as_bytes()),
                        None => whole = false,
                    }
                }
                whole && few <= READINGS
            }
            None if font.composite => false,
            mapped => {
                plain(text, Some(mapped.unwrap_or(&font.named)), to);
                few <= READINGS
            }
        }
    }

    /// Reads a text as Latin-1, if its font is one of single bytes that has a map: what is shown hangs on the font, not on what its map says.
    pub(super) fn written(&self, name: &[u8], text: &[u8], to: &mut Vec<u8>) {
        let numbers = self.names.get(name).into_iter().flatten().take(READINGS);
        let mut fonts = numbers.filter_map(|number| self.fonts.get(number));
        if fonts.any(|font| !font.composite && (font.to_unicode.is_some() || !font.named.characters.is_empty())) {
            plain(text, None, to);
        }
    }

    /// How many readings there are.
    pub(super) fn readings(&self) -> usize {
        self.names.values().map(BTreeSet::len).max().unwrap_or(1).clamp(1, READINGS)
    }
}

/// Codes of one byte: by the map, else as Latin-1.
fn plain(text: &[u8], codes: Option<&Codes>, to: &mut Vec<u8>) {
    for byte in text {
        match codes.and_then(|codes| codes.characters.get(&u32::from(*byte))) {
            Some(characters) => to.extend_from_slice(characters.as_bytes()),
            None => to.extend_from_slice(char::from(*byte).encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

fn number_of(code: &[u8]) -> u32 {
    code.iter().fold(0, |number: u32, byte| number << 8 | u32::from(*byte))
}

/// UTF-16, high byte first, of which the last unit is further by some steps.
fn utf16(text: &[u8], step: u16) -> String {
    let mut units: Vec<u16> =
        text.chunks(2).take(16).map(|unit| u16::try_from(number_of(unit)).unwrap_or_default()).collect();
    if let Some(last) = units.last_mut() {
        *last = last.wrapping_add(step);
    }
    String::from_utf16_lossy(&units)
}

/// Names of ASCII's characters that are not letters, in Adobe's glyph list.
const GLYPHS: [(&[u8], char); 40] = [
    (b"zero", '0'),
    (b"one", '1'),
    (b"two", '2'),
    (b"three", '3'),
    (b"four", '4'),
    (b"five", '5'),
    (b"six", '6'),
    (b"seven", '7'),
    (b"eight", '8'),
    (b"nine", '9'),
    (b"space", ' '),
    (b"hyphen", '-'),
    (b"period", '.'),
    (b"comma", ','),
    (b"colon", ':'),
    (b"semicolon", ';'),
    (b"slash", '/'),
    (b"backslash", '\\'),
    (b"underscore", '_'),
    (b"plus", '+'),
    (b"equal", '='),
    (b"at", '@'),
    (b"numbersign", '#'),
    (b"dollar", '$'),
    (b"percent", '%'),
    (b"ampersand", '&'),
    (b"asterisk", '*'),
    (b"exclam", '!'),
    (b"question", '?'),
    (b"parenleft", '('),
    (b"parenright", ')'),
    (b"bracketleft", '['),
    (b"bracketright", ']'),
    (b"braceleft", '{'),
    (b"braceright", '}'),
    (b"quotedbl", '"'),
    (b"quotesingle", '\''),
    (b"less", '<'),
    (b"greater", '>'),
    (b"bar", '|'),
];

/// `[65 /A /B 97 /a]`: names of glyphs from codes on.
fn named(differences: &[Value]) -> Codes {
    let mut codes = Codes::default();
    let mut code = 0u32;
    for value in differences.iter().take(1024) {
        match value {
            Value::Name(name) => {
                if let Some(character) = glyph(name) {
                    codes.characters.insert(code, character.into());
                }
                code = code.saturating_add(1);
            }
            number => code = number.whole().and_then(|number| u32::try_from(number).ok()).unwrap_or(code),
        }
    }
    codes
}

fn glyph(name: &[u8]) -> Option<char> {
    if let [one] = name {
        return one.is_ascii_alphabetic().then(|| char::from(*one));
    }
    if let Some((_, character)) = GLYPHS.iter().find(|(glyph, _)| *glyph == name) {
        return Some(*character);
    }
    let hex = name.strip_prefix(b"uni").or_else(|| name.strip_prefix(b"u"))?;
    char::from_u32(u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?)
}
