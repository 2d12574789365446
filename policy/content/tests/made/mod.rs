//! Secrets that nobody has, made with right checksums, and the spellings in which they hide.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use portcullis_content::{Detector, Known, Searcher};

/// A searcher of all that is built in.
pub fn all() -> Searcher {
    Searcher::new(Known::ALL.map(Detector::from)).expect("they compile")
}

/// What one detector finds in a text.
pub fn found(known: Known, text: &str) -> Vec<&str> {
    let searcher = Searcher::new([known.into()]).expect("it compiles");
    let found: Vec<&str> = searcher.search(text).into_iter().map(|found| &text[found.range]).collect();
    // Among all others it finds the same.
    let place = Known::ALL.iter().position(|other| *other == known).expect("it is one of them");
    let among: Vec<&str> = all()
        .search(text)
        .into_iter()
        .filter(|found| found.detector == place)
        .map(|found| &text[found.range])
        .collect();
    assert_eq!(found, among, "{text:?}");
    found
}

/// Pseudo-random numbers, the same for the same seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    pub fn text(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet = alphabet.as_bytes();
        (0..length).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }

    pub fn digits(&mut self, length: usize) -> String {
        self.text("0123456789", length)
    }
}

pub const ALPHANUMERIC: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A card of 16 digits with this prefix.
pub fn card(dice: &mut Dice, prefix: &str) -> String {
    let body = format!("{prefix}{}", dice.digits(15 - prefix.len()));
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// The account number with its check digits.
pub fn iban(country: &str, account: &str) -> String {
    let digits: String = format!("{account}{country}00")
        .chars()
        .map(|digit| digit.to_digit(36).expect("alphanumeric").to_string())
        .collect();
    let rest = digits.bytes().fold(0, |sum, digit| (sum * 10 + u32::from(digit - b'0')) % 97);
    format!("{country}{:02}{account}", 98 - rest)
}

/// A token whose checksum is right.
pub fn github(dice: &mut Dice, prefix: &str, length: usize) -> String {
    let random = dice.text(ALPHANUMERIC, length - 6);
    let mut rest = crc32fast::hash(random.as_bytes());
    let mut sum = Vec::new();
    for _ in 0..6 {
        sum.insert(0, b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[(rest % 62) as usize]);
        rest /= 62;
    }
    format!("{prefix}{random}{}", String::from_utf8(sum).expect("ASCII"))
}

/// A token with these claims, and a signature that is none.
pub fn jwt(dice: &mut Dice, header: &str, claims: &str) -> String {
    format!("{}.{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()), dice.text(ALPHANUMERIC, 43))
}

/// A PEM file whose body is noise.
pub fn pem(dice: &mut Dice, label: &str) -> String {
    let body: Vec<String> = (0..12).map(|_| dice.text(ALPHANUMERIC, 64)).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", body.join("\n"))
}

fn sixty_four(bytes: &[u8], last: [char; 2], padded: bool) -> String {
    let digits: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(last).collect();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let value = chunk.iter().chain(&[0, 0]).take(3).fold(0_usize, |value, byte| value << 8 | usize::from(*byte));
        for place in 0..4 {
            match place <= chunk.len() {
                true => text.push(digits[value >> (18 - 6 * place) & 63]),
                false if padded => text.push('='),
                false => {}
            }
        }
    }
    text
}

pub fn base64(bytes: &[u8]) -> String {
    sixty_four(bytes, ['+', '/'], true)
}

pub fn base64url(bytes: &[u8]) -> String {
    sixty_four(bytes, ['-', '_'], false)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

pub fn wrapped(text: &str, width: usize, end: &str) -> String {
    let lines: Vec<&str> =
        text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    lines.join(end)
}

/// The same in characters of full width.
pub fn full_width(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_ascii_graphic() {
                char::from_u32(letter as u32 + 0xfee0).expect("a character")
            } else {
                letter
            }
        })
        .collect()
}

/// The same with Cyrillic and Greek letters for those that look like them.
pub fn look_alikes(text: &str) -> String {
    let pairs = [
        ('a', 'а'),
        ('c', 'с'),
        ('e', 'е'),
        ('o', 'о'),
        ('p', 'р'),
        ('x', 'х'),
        ('A', 'А'),
        ('B', 'В'),
        ('E', 'Е'),
        ('K', 'К'),
        ('I', 'І'),
        ('T', 'Т'),
    ];
    text.chars()
        .map(|letter| pairs.iter().find(|(ascii, _)| *ascii == letter).map_or(letter, |(_, other)| *other))
        .collect()
}

/// The same with something that cannot be seen behind each character.
pub fn between(text: &str, unseen: &str) -> String {
    text.chars().map(|letter| format!("{letter}{unseen}")).collect()
}
