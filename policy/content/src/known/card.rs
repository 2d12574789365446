//! Numbers of payment cards (ISO/IEC 7812): issuer, length, and Luhn's check digit.

use std::ops::Range;

use super::numbers::{Group, alone, digits, even};

/// Lowest and highest prefix of an issuer, and the lengths of its numbers. Left out for their many false findings: Visa's old ones of 13 digits, which no card
/// has any more and barcodes have, and Maestro's of 12 to 15.
const ISSUERS: [(&str, &str, &[usize]); 27] = [
    // Visa, with Electron and Elo's in its range.
    ("4", "4", &[16, 19]),
    // Mastercard.
    ("51", "55", &[16]),
    ("2221", "2720", &[16]),
    // American Express.
    ("34", "34", &[15]),
    ("37", "37", &[15]),
    // Diners Club.
    ("300", "305", &[14, 16]),
    ("3095", "3095", &[14, 16]),
    ("36", "36", &[14, 16]),
    ("38", "39", &[14, 16]),
    // JCB.
    ("3528", "3589", &[16, 17, 18, 19]),
    // Discover, RuPay in its ranges.
    ("6011", "6011", &[16, 19]),
    ("644", "649", &[16, 19]),
    ("65", "65", &[16, 19]),
    // UnionPay.
    ("62", "62", &[16, 17, 18, 19]),
    ("8100", "8171", &[16, 17, 18, 19]),
    // Maestro, Dankort.
    ("5018", "5020", &[16, 18, 19]),
    ("5038", "5038", &[16, 18, 19]),
    ("5893", "5893", &[16, 18, 19]),
    ("6304", "6304", &[16, 18, 19]),
    ("6759", "6763", &[16, 18, 19]),
    // Mir.
    ("2200", "2204", &[16, 17, 18, 19]),
    // RuPay.
    ("508", "508", &[16]),
    ("6069", "6085", &[16]),
    // Elo, Hipercard.
    ("5041", "5099", &[16]),
    ("6362", "6363", &[16]),
    ("6370", "6376", &[16]),
    // Troy.
    ("9792", "9792", &[16]),
];
const SHORTEST: usize = 14;
const LONGEST: usize = 19;

/// Looks for cards in a row of groups: all of it, evenly separated; a single group; or groups as they are printed on cards.
pub(super) fn find(bytes: &[u8], groups: &[Group], mut push: impl FnMut(Range<usize>)) {
    if let Some(range) = whole(bytes, groups) {
        return push(range);
    }
    for (place, group) in groups.iter().enumerate() {
        let rest = groups.get(place..).unwrap_or_default();
        let count = if (SHORTEST..=LONGEST).contains(&group.len()) {
            usize::from(!decimal(groups, place))
        } else {
            printed(bytes, groups, place)
        };
        let card = rest.get(..count).unwrap_or_default();
        if is_card(&digits(bytes, card)) {
            alone(bytes, card).into_iter().for_each(&mut push);
        }
    }
}

/// All groups as one number, however they are grouped.
fn whole(bytes: &[u8], groups: &[Group]) -> Option<Range<usize>> {
    let length: usize = groups.iter().map(Group::len).sum();
    // With dots that would be versions, addresses and amounts.
    let dotted =
        groups.get(1).is_some_and(|group| group.separator == b'.') && groups.iter().any(|group| group.len() > 1);
    let may_be = groups.len() > 1 && (SHORTEST..=LONGEST).contains(&length) && even(groups) && !dotted;
    (may_be && is_card(&digits(bytes, groups))).then(|| alone(bytes, groups)).flatten()
}

/// Whether a group is part of a decimal number.
fn decimal(groups: &[Group], place: usize) -> bool {
    let dot = |place: usize| groups.get(place).is_some_and(|group| group.separator == b'.');
    dot(place) || dot(place.saturating_add(1))
}

/// How many groups from this one on are as on a card; 0 if they are not, or if more of the kind stand around them, as in a table.
fn printed(bytes: &[u8], groups: &[Group], place: usize) -> usize {
    let rest = groups.get(place..).unwrap_or_default();
    let lengths: [usize; 6] = std::array::from_fn(|group| rest.get(group).map_or(0, Group::len));
    let count = match lengths {
        [4, 6, 5, ..] | [4, 6, 4, ..] => 3,
        [4, 4, 4, 4, 3, ..] if groups.len() == 5 => 5,
        [4, 4, 4, 4, 0..=3, _] => 4,
        // Behind it, month and year, and at most a code.
        [4, 4, 4, 4, 4, 0..=3] if is_month(bytes, rest.get(4)) => 4,
        _ => return 0,
    };
    let first = place.checked_sub(1).and_then(|before| groups.get(before)).is_some_and(|group| group.len() == 4);
    if first || !rest.get(..count).is_some_and(even) { 0 } else { count }
}

fn is_month(bytes: &[u8], group: Option<&Group>) -> bool {
    let text = group.and_then(|group| bytes.get(group.range.clone()));
    text.is_some_and(|text| matches!(text, [b'0', b'1'..=b'9', ..] | [b'1', b'0'..=b'2', ..]))
}

fn is_card(digits: &[u8]) -> bool {
    if !(SHORTEST..=LONGEST).contains(&digits.len()) || !luhn(digits) {
        return false;
    }
    let text: String = digits.iter().filter_map(|digit| char::from_digit(u32::from(*digit), 10)).collect();
    ISSUERS.iter().any(|(low, high, lengths)| {
        let prefix = text.get(..low.len()).unwrap_or_default();
        (*low..=*high).contains(&prefix) && lengths.contains(&text.len())
    })
}

/// Luhn's sum (ISO/IEC 7812-1, annex B).
fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u8| digit.saturating_mul(2) / 10 + digit.saturating_mul(2) % 10;
    let value = |(place, digit): (usize, &u8)| u32::from(if place % 2 == 1 { doubled(*digit) } else { *digit });
    digits.iter().rev().enumerate().map(value).sum::<u32>().is_multiple_of(10)
}
