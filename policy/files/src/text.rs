//! Characters: whether bytes are any, and UTF-16 made UTF-8 for the search.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use crate::HEAD;
use crate::bytes::read_at_most;

/// Bytes of UTF-16 that are made UTF-8 at once.
const CHUNK: usize = 32 << 10;

/// Whether bytes may be a text's: UTF-16 behind a mark, else without zeros, and with no more controls than UTF-8 of programs has.
pub(crate) fn is_characters(bytes: &[u8]) -> bool {
    let controls = controls_in(bytes);
    wide(bytes).is_some() || controls == 0 || (few(controls, bytes.len()) && !bytes.contains(&0) && is_utf8(bytes))
}

/// Whether so many controls are those of a text: quoted in programs, as minified ones have them.
fn few(controls: usize, length: usize) -> bool {
    controls.saturating_mul(128) <= length
}

/// Whether bytes are UTF-8, the last character of which may be cut.
fn is_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).err().is_none_or(|error| error.error_len().is_none())
}

/// Controls that no text has: all but tab, line feed, vertical tab, form feed, carriage return, backspace, bell, escape, substitute at the end of files of DOS.
fn is_control(byte: u8) -> bool {
    (byte < 0x20) & !((byte.wrapping_sub(7) < 7) | (byte.wrapping_sub(0x1a) < 2))
}

/// How many of bytes are such: in runs whose count fits a byte, so that many are counted at once.
fn controls_in(bytes: &[u8]) -> usize {
    bytes
        .chunks(128)
        .map(|run| usize::from(run.iter().fold(0u8, |count, byte| count.wrapping_add(u8::from(is_control(*byte))))))
        .sum()
}

/// The order of UTF-16's bytes, by its mark: whether the high one is first.
fn wide(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => None,
        [0xff, 0xfe, ..] if !cut_pairs(bytes) => Some(false),
        [0xfe, 0xff, ..] if !cut_pairs(bytes) => Some(true),
        _ => None,
    }
}

/// UTF-16 has no unit of zero: what has is something else behind the same two bytes.
fn cut_pairs(bytes: &[u8]) -> bool {
    bytes.chunks_exact(2).any(|pair| pair == [0, 0])
}

/// The first characters of a text, without its mark.
pub(crate) fn plain_start(bytes: &[u8]) -> Cow<'_, str> {
    match wide(bytes) {
        Some(high_first) => {
            let units = bytes.chunks_exact(2).skip(1).map(|pair| unit(pair, high_first));
            Cow::Owned(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
        }
        None => match String::from_utf8_lossy(bytes) {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_start_matches('\u{feff}')),
            Cow::Owned(text) => Cow::Owned(text.trim_start_matches('\u{feff}').to_owned()),
        },
    }
}

fn unit(pair: &[u8], high_first: bool) -> u16 {
    match *pair {
        [first, second] if high_first => u16::from_be_bytes([first, second]),
        [first, second] => u16::from_le_bytes([first, second]),
        _ => 0,
    }
}

/// Reads a text to its end and hands it on as UTF-8 (or as it is: the search reads what is no UTF-8 as Latin-1). Answers whether it was characters to the end.
pub(crate) fn read(reader: &mut dyn BufRead, mut to: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<bool> {
    // By as much as the type was told by, however little each read gives.
    let start = read_at_most(&mut &mut *reader, HEAD.try_into().unwrap_or(u64::MAX))?;
    let order = wide(&start);
    let mut reader = start.as_slice().chain(reader);
    if let Some(high_first) = order {
        return wide_text(&mut reader, high_first, to);
    }
    let (mut controls, mut total, mut zeros) = (0usize, 0usize, false);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(!zeros && few(controls, total));
        }
        let more = controls_in(bytes);
        controls = controls.saturating_add(more);
        total = total.saturating_add(bytes.len());
        zeros = zeros || (more > 0 && bytes.contains(&0));
        to(bytes)?;
        let length = bytes.len();
        reader.consume(length);
    }
}

/// Reads UTF-16. A half of a character, or a unit of zero, makes it none.
fn wide_text(
    reader: &mut dyn BufRead,
    high_first: bool,
    mut to: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<bool> {
    let mut characters = true;
    let mut bytes = Vec::with_capacity(CHUNK);
    let mut text = String::with_capacity(2 * CHUNK);
    let mut first = true;
    loop {
        let before = bytes.len();
        let room = u64::try_from(CHUNK.saturating_sub(before)).unwrap_or_default();
        let read = Read::take(&mut *reader, room).read_to_end(&mut bytes)?;
        // A pair's first half, and half a unit, wait for the rest.
        let mut whole = bytes.len() & !1;
        let half = bytes
            .get(whole.saturating_sub(2)..whole)
            .is_some_and(|pair| (0xd800..0xdc00).contains(&unit(pair, high_first)));
        if half && read > 0 {
            whole = whole.saturating_sub(2);
        }
        let units = bytes
            .get(..whole)
            .unwrap_or_default()
            .chunks_exact(2)
            .skip(usize::from(first))
            .map(|pair| unit(pair, high_first));
        first = first && whole == 0;
        for character in char::decode_utf16(units) {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            characters = characters && character != '\0' && !u8::try_from(character).is_ok_and(is_control);
            text.push(character);
        }
        to(text.as_bytes())?;
        text.clear();
        bytes.drain(..whole);
        if read == 0 {
            return Ok(characters && bytes.is_empty());
        }
    }
}
