//! International bank account numbers (ISO 13616): country, length, shape, and check digits modulo 97 (ISO 7064).

use std::ops::Range;
use std::sync::LazyLock;

use super::scan::{at, before, is_word, next_digit, span};

/// Bytes before the check digits: two letters and a separator.
const LEAD: usize = 3;

/// The shape of a number behind country and check digits (`n` digits, `a` letters, `c` either), and the countries that have it: those of the registry, and
/// those that use its form without being in it.
const SHAPES: [(&str, &str); 56] = [
    ("n8 c12", "AD"),
    ("n19", "AE IL SO TL"),
    ("n8 c16", "AL CY"),
    ("n21", "AO CV LY MZ PT ST"),
    ("n16", "AT BA EE LT MN XK"),
    ("n14", "AX DK FI FO GL SD"),
    ("a4 c20", "AZ"),
    ("n12", "BE"),
    ("c2 n22", "BF BJ ML"),
    ("a4 n6 c8", "BG"),
    ("a4 c14", "BH"),
    ("n23", "BI CF CG CM DJ GA GQ KM MG MR TD"),
    ("n10 c11 n2", "BL FR GF GP MC MF MQ NC PF PM RE TF WF YT"),
    ("c8 n15 c2", "BR"),
    ("c4 n4 c16", "BY"),
    ("n5 c12", "CH LI"),
    ("a2 n22", "CI NE SN TG"),
    ("n18", "CR DE ME RS VA"),
    ("n20", "CZ ES SE SK TN"),
    ("c4 n20", "DO"),
    ("n22", "DZ IR IS"),
    ("n25", "EG"),
    ("a2 n12", "FK"),
    ("a4 n14", "GB GG IE IM JE"),
    ("a2 n16", "GE"),
    ("a4 c15", "GI"),
    ("n7 c16", "GR"),
    ("c24", "GT"),
    ("c2 n19", "GW"),
    ("a4 n20", "HN NI SV"),
    ("n17", "HR"),
    ("n24", "HU MA PL"),
    ("a4 n15", "IQ"),
    ("a1 n10 c12", "IT SM"),
    ("a4 n4 c18", "JO YE"),
    ("a4 c22", "KW"),
    ("n3 c13", "KZ LU"),
    ("n4 c20", "LB"),
    ("a4 c24", "LC"),
    ("a4 c13", "LV"),
    ("c20", "MD"),
    ("n3 c10 n2", "MK"),
    ("a4 n5 c18", "MT"),
    ("a4 n19 a3", "MU"),
    ("a4 n10", "NL"),
    ("n11", "NO"),
    ("n3 c16", "OM"),
    ("a4 c16", "PK RO"),
    ("a4 c21", "PS QA"),
    ("n14 c15", "RU"),
    ("n2 c18", "SA"),
    ("a4 n20 a3", "SC"),
    ("n15", "SI"),
    ("n6 c16", "TR"),
    ("n6 c19", "UA"),
    ("a4 n16", "VG"),
];

/// The shape of each country, by its two letters from `AA` on.
static BY_COUNTRY: LazyLock<Vec<Option<&'static str>>> = LazyLock::new(|| {
    let letters = b'A'..=b'Z';
    let countries = letters.clone().flat_map(|first| letters.clone().map(move |second| [first, second]));
    let has = |country: &[u8; 2], countries: &str| countries.as_bytes().chunks(3).any(|one| one.starts_with(country));
    let shape = |country| SHAPES.iter().find(|(_, countries)| has(&country, countries)).map(|(shape, _)| *shape);
    countries.map(shape).collect()
});

/// Looks for numbers that begin in a part, in groups with single spaces, dashes or dots between or in one; capitals or small letters.
pub(super) fn find(bytes: &[u8], part: Range<usize>, mut push: impl FnMut(Range<usize>)) {
    let mut place = part.start;
    // The check digits are what there is least of.
    while let Some(digit) = next_digit(bytes, place).filter(|digit| digit.saturating_sub(LEAD) < part.end) {
        place = span(bytes, digit, usize::MAX, |byte| byte.is_ascii_digit());
        let Some(start) = begin(bytes, digit) else { continue };
        let letters = (at(bytes, start), at(bytes, start.saturating_add(1)));
        if let Some(end) = shape(letters.0, letters.1).and_then(|shape| number(bytes, start, shape)) {
            push(start..end);
        }
    }
}

/// Where the country's letters stand before check digits.
fn begin(bytes: &[u8], digit: usize) -> Option<usize> {
    // Behind small letters it would be a word and a number: "no 12 345".
    let apart = separates(before(bytes, digit));
    let start = digit.checked_sub(if apart { LEAD } else { LEAD - 1 })?;
    let letters = bytes.get(start..start.saturating_add(2))?;
    let right =
        if apart { letters.iter().all(u8::is_ascii_uppercase) } else { letters.iter().all(u8::is_ascii_alphabetic) };
    (right && !is_word(before(bytes, start))).then_some(start)
}

fn separates(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.')
}

fn shape(first: u8, second: u8) -> Option<&'static str> {
    let letter =
        |byte: u8| usize::from(byte.to_ascii_uppercase()).checked_sub(usize::from(b'A')).filter(|letter| *letter < 26);
    let place = letter(first)?.saturating_mul(26).saturating_add(letter(second)?);
    BY_COUNTRY.get(place).copied().flatten()
}

/// The end of a number of this shape that is right and stands alone.
fn number(bytes: &[u8], start: usize, shape: &str) -> Option<usize> {
    let mut place = start;
    let mut text = Vec::with_capacity(34);
    for part in ["a2", "n2"].into_iter().chain(shape.split(' ')) {
        let (kind, count) = part.split_at_checked(1)?;
        for _ in 0..count.parse().unwrap_or(usize::MAX) {
            if !text.is_empty() && separates(at(bytes, place)) {
                place = place.saturating_add(1);
            }
            let byte = at(bytes, place).to_ascii_uppercase();
            let fits = match kind {
                "n" => byte.is_ascii_digit(),
                "a" => byte.is_ascii_uppercase(),
                _ => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            };
            if !fits {
                return None;
            }
            text.push(byte);
            place = place.saturating_add(1);
        }
    }
    // Check digits are 98 less the rest, so some are none, though the rest of the whole is right.
    let checked = !matches!(text.get(2..4), Some(b"00" | b"01" | b"99")) && remainder(&text) == 1;
    (checked && !is_word(at(bytes, place))).then_some(place)
}

/// The number modulo 97, its first four characters put last and letters counted from 10.
fn remainder(text: &[u8]) -> u32 {
    let (head, tail) = text.split_at_checked(4).unwrap_or((text, &[]));
    tail.iter().chain(head).fold(0, |sum, byte| {
        let value = char::from(*byte).to_digit(36).unwrap_or_default();
        (sum * if value < 10 { 10 } else { 100 } + value) % 97
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_one_shape() {
        let mut countries: Vec<&str> = SHAPES.iter().flat_map(|(_, countries)| countries.split(' ')).collect();
        let all = countries.len();
        countries.sort_unstable();
        countries.dedup();
        assert_eq!((countries.len(), all), (127, 127));
        assert_eq!((shape(b'g', b'B'), shape(b'U', b'S')), (Some("a4 n14"), None));
    }
}
