//! The filters of PDF's streams that text goes through (ISO 32000-2, 7.4): deflate, hexadecimal, base 85.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::ZlibDecoder;

use super::lexer::Value;

/// Filters of one stream at most.
const MAX_FILTERS: usize = 4;

/// Bytes that are written in digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    Hexadecimal,
    Base85,
}

/// How a stream is unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Filters {
    /// By these, in this order: `F` deflate, `H` hexadecimal, `8` base 85.
    Known(Vec<u8>),
    /// Pixels.
    Picture,
    /// In a way that is not known.
    Unknown,
}

/// Keys that say how a stream is read, with the short names that some have.
const SAID: [&[&[u8]]; 5] = [&[b"Filter", b"F"], &[b"DecodeParms", b"DP"], &[b"Length"], &[b"Type"], &[b"Subtype"]];

/// Whether readers differ about how a stream is read: a key stands twice, or under both of its names.
pub(super) fn is_ambiguous(dictionary: &Value) -> bool {
    SAID.iter().any(|names| {
        dictionary.repeats(names) || names.iter().filter(|name| dictionary.get(name).is_some()).count() > 1
    })
}

/// The filters that a stream's dictionary names. The short names are for pictures in contents alone, but readers take them here too.
pub(super) fn of(dictionary: &Value) -> Filters {
    if is_ambiguous(dictionary) {
        return Filters::Unknown;
    }
    let either = |long, short| dictionary.get(long).or_else(|| dictionary.get(short));
    let mut known = Vec::new();
    for filter in either(b"Filter", b"F").map(Value::each).unwrap_or_default() {
        let Value::Name(name) = filter else { return Filters::Unknown };
        known.push(match name.as_slice() {
            b"FlateDecode" | b"Fl" => b'F',
            b"ASCIIHexDecode" | b"AHx" => b'H',
            b"ASCII85Decode" | b"A85" => b'8',
            b"DCTDecode" | b"JPXDecode" | b"CCITTFaxDecode" | b"JBIG2Decode" => return Filters::Picture,
            _ => return Filters::Unknown,
        });
    }
    let predicted = |parms: &Value| match parms {
        Value::Dict(_) => {
            parms.repeats(&[b"Predictor"])
                || parms.get(b"Predictor").is_some_and(|predictor| predictor.whole().is_none_or(|way| way > 1))
        }
        // `null`, for a filter without any.
        Value::Word(_) => false,
        _ => true,
    };
    let parms = either(b"DecodeParms", b"DP").map(Value::each).unwrap_or_default();
    if known.len() > MAX_FILTERS || parms.iter().any(predicted) { Filters::Unknown } else { Filters::Known(known) }
}

/// Bytes as they come out of the filters.
pub(super) fn unpack<'a>(filters: &[u8], reader: Box<dyn BufRead + 'a>) -> Box<dyn BufRead + 'a> {
    filters.iter().fold(reader, |reader, filter| match filter {
        b'F' => Box::new(BufReader::with_capacity(16 << 10, ZlibDecoder::new(reader))),
        b'H' => Box::new(BufReader::with_capacity(
            4 << 10,
            Digits { reader, of: Filter::Hexadecimal, out: Vec::new(), ended: false },
        )),
        _ => Box::new(BufReader::with_capacity(
            4 << 10,
            Digits { reader, of: Filter::Base85, out: Vec::new(), ended: false },
        )),
    })
}

/// A reader of bytes that are written in digits.
struct Digits<R> {
    reader: R,
    of: Filter,
    out: Vec<u8>,
    ended: bool,
}

impl<R: BufRead> Digits<R> {
    /// Reads the next group: two digits of 16, or up to five of 85.
    fn group(&mut self) -> io::Result<()> {
        let (length, end) = if self.of == Filter::Hexadecimal { (2, b'>') } else { (5, b'~') };
        let mut digits = Vec::with_capacity(5);
        while digits.len() < length {
            let mut byte = [0];
            if self.reader.read(&mut byte)? == 0 || byte == [end] {
                self.ended = true;
                break;
            }
            let [byte] = byte;
            match (self.of, byte) {
                (Filter::Base85, b'z') if digits.is_empty() => {
                    self.out.extend([0; 4]);
                    return Ok(());
                }
                (Filter::Base85, b'!'..=b'u') => digits.push(u32::from(byte - b'!')),
                (Filter::Hexadecimal, _) => digits.extend(char::from(byte).to_digit(16)),
                _ => {}
            }
        }
        let there = digits.len();
        if there == 0 {
            return Ok(());
        }
        if self.of == Filter::Hexadecimal {
            digits.resize(2, 0);
            let byte = digits.iter().fold(0, |byte, digit| byte << 4 | digit);
            self.out.extend(u8::try_from(byte));
        } else {
            digits.resize(5, 84);
            let word = digits.iter().fold(0u32, |word, digit| word.wrapping_mul(85).wrapping_add(*digit));
            self.out.extend(word.to_be_bytes().into_iter().take(there.saturating_sub(1)));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Digits<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.out.len() < 1024.min(into.len()) && !self.ended {
            self.group()?;
        }
        let length = self.out.len().min(into.len());
        for (to, from) in into.iter_mut().zip(self.out.drain(..length)) {
            *to = from;
        }
        Ok(length)
    }
}
