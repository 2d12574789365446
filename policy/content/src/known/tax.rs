//! Identification numbers of German taxpayers (section 139b AO): the rule of repetition, and the check digit by ISO 7064, MOD 11,10.

use std::ops::Range;

use super::numbers::{Group, alone, digits};

const DIGITS: usize = 11;

/// Looks for eleven digits in one group, or as letters of the tax office print them: `12 345 678 901`.
pub(super) fn find(bytes: &[u8], groups: &[Group], mut push: impl FnMut(Range<usize>)) {
    for (place, group) in groups.iter().enumerate() {
        let behind = |count: usize| groups.get(place.saturating_add(count));
        let joined = |group: Option<&Group>, separator| group.is_some_and(|group| group.separator == separator);
        let rest = groups.get(place..).unwrap_or_default();
        let number = match rest {
            [one, ..] if one.len() == DIGITS && one.separator != b'.' && !joined(behind(1), b'.') => rest.get(..1),
            [one, two, three, four, ..] if [one, two, three, four].map(Group::len) == [2, 3, 3, 3] => {
                let separator = two.separator;
                let even = three.separator == separator && four.separator == separator;
                let longer = group.separator == separator || joined(behind(4), separator);
                rest.get(..4).filter(|_| even && !longer && separator != b'.')
            }
            _ => None,
        };
        if let Some(number) = number.filter(|number| is_right(&digits(bytes, number))) {
            alone(bytes, number).into_iter().for_each(&mut push);
        }
    }
}

fn is_right(digits: &[u8]) -> bool {
    let Some((check, number)) = digits.split_last() else { return false };
    digits.len() == DIGITS && number.first() != Some(&0) && repeats_once(number) && check_digit(number) == *check
}

/// Of the first ten digits one stands there twice or three times (then not three times in a row), and every other at most once.
fn repeats_once(number: &[u8]) -> bool {
    let count = |digit: u8| number.iter().filter(|other| **other == digit).count();
    let repeated: Vec<usize> = (0..10).map(count).filter(|count| *count > 1).collect();
    let in_a_row = number.windows(3).any(|three| matches!(three, [a, b, c] if a == b && b == c));
    matches!(repeated[..], [2 | 3]) && !in_a_row
}

fn check_digit(number: &[u8]) -> u8 {
    let product = number.iter().fold(10_u32, |product, digit| {
        let sum = (product + u32::from(*digit)) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    u8::try_from((11 - product) % 10).unwrap_or_default()
}
