//! The Range header of a request for a file (RFC 9110 §14), as a value.

use std::ops::Range;

/// What part of a file is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of it: no range, one that is not in bytes or not well-formed (RFC 9110 §14.2 says to ignore it), or
    /// several, which would make the answer a multipart one that no player needs.
    Whole,
    /// These bytes, never empty and within the file: 206.
    Part(Range<u64>),
    /// Nothing that the file has: 416.
    Beyond,
}

/// Reads a Range header's value against a file of `len` bytes.
pub(crate) fn asked(header: &str, len: u64) -> Asked {
    let Some((unit, range)) = header.split_once('=') else { return Asked::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Asked::Whole;
    }
    let Some((first, last)) = range.trim().split_once('-') else { return Asked::Whole };
    match (first, last) {
        ("", suffix) => position(suffix).map_or(Asked::Whole, |suffix| part(len.saturating_sub(suffix), len, len)),
        (first, "") => position(first).map_or(Asked::Whole, |first| part(first, len, len)),
        (first, last) => match (position(first), position(last)) {
            (Some(first), Some(last)) if first <= last => part(first, last.saturating_add(1), len),
            _ => Asked::Whole,
        },
    }
}

fn part(first: u64, end: u64, len: u64) -> Asked {
    if first >= len { Asked::Beyond } else { Asked::Part(first..end.min(len)) }
}

/// Digits and nothing else; a number too big for 64 bits is as good as the biggest.
fn position(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        for (header, len, expected) in [
            ("bytes=0-0", 10, Asked::Part(0..1)),
            ("bytes=2-5", 10, Asked::Part(2..6)),
            ("bytes=2-", 10, Asked::Part(2..10)),
            ("bytes=-3", 10, Asked::Part(7..10)),
            ("bytes=-30", 10, Asked::Part(0..10)),
            ("bytes=9-99999999999999999999999", 10, Asked::Part(9..10)),
            ("Bytes=0-1", 10, Asked::Part(0..2)),
            ("bytes=10-", 10, Asked::Beyond),
            ("bytes=99999999999999999999999-", 10, Asked::Beyond),
            ("bytes=-0", 10, Asked::Beyond),
            ("bytes=0-", 0, Asked::Beyond),
            ("bytes=-5", 0, Asked::Beyond),
            ("bytes=0-1,4-5", 10, Asked::Whole),
            ("bytes=5-2", 10, Asked::Whole),
            ("bytes=", 10, Asked::Whole),
            ("bytes=-", 10, Asked::Whole),
            ("bytes=a-b", 10, Asked::Whole),
            ("bytes=+1-2", 10, Asked::Whole),
            ("bytes=--2", 10, Asked::Whole),
            ("bytes", 10, Asked::Whole),
            ("rows=0-1", 10, Asked::Whole),
            ("", 10, Asked::Whole),
        ] {
            assert_eq!(asked(header, len), expected, "{header:?} of {len}");
        }
    }
}
