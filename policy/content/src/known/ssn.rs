//! Social security numbers of the United States, by the rules that area, group and serial number follow.

use std::ops::Range;

use super::numbers::{Group, alone, digits};
use super::scan::before;

/// Bytes before a number in which the word may stand that tells what it is.
const CONTEXT: usize = 48;
const WORDS: [&str; 5] = ["ssn", "social security", "social-security", "social_security", "soc sec"];

/// Looks for `123-45-6789`; with spaces, dots or nothing between only where a word before says what it is, as many other numbers look so.
pub(super) fn find(bytes: &[u8], groups: &[Group], mut push: impl FnMut(Range<usize>)) {
    for place in 0..groups.len() {
        let rest = groups.get(place..).unwrap_or_default();
        let (number, telling) = match rest {
            [one, ..] if one.len() == 9 => (rest.get(..1), false),
            [area, group, serial, ..] if [area.len(), group.len(), serial.len()] == [3, 2, 4] => {
                let other = group.separator != serial.separator || longer(groups, place, group.separator);
                (rest.get(..3).filter(|_| !other), group.separator == b'-')
            }
            _ => continue,
        };
        let Some(number) = number.filter(|number| is_issued(&digits(bytes, number))) else { continue };
        if let Some(range) = alone(bytes, number).filter(|range| telling || told(bytes, range.start)) {
            push(range);
        }
    }
}

/// Whether the three groups from this one on are part of more, with the same separator.
fn longer(groups: &[Group], place: usize, separator: u8) -> bool {
    let joined = |place: usize| groups.get(place).is_some_and(|group| group.separator == separator);
    joined(place) || joined(place.saturating_add(3))
}

fn told(bytes: &[u8], start: usize) -> bool {
    let context = bytes.get(start.saturating_sub(CONTEXT)..start).unwrap_or_default();
    WORDS.iter().any(|word| {
        let places = context.windows(word.len()).enumerate();
        places.into_iter().any(|(place, part)| {
            part.eq_ignore_ascii_case(word.as_bytes()) && !before(context, place).is_ascii_alphabetic()
        })
    })
}

/// No area 000, 666 or from 900 on, no group 00, no serial number 0000.
fn is_issued(digits: &[u8]) -> bool {
    let number = digits.iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    let (area, group, serial) = (number / 1_000_000, number / 10_000 % 100, number % 10_000);
    area != 0 && area != 666 && area < 900 && group != 0 && serial != 0
}
