//! Wall-clock times as text: RFC 3339 in UTC with six decimals, one spelling only.
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

const FORM: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
/// `2026-01-31T23:59:59.000000Z`.
const LENGTH: usize = 27;

/// `at` as every `time`, `started` and `ended` of a bundle writes it: `2026-01-31T23:59:59.000000Z`.
#[must_use]
pub fn stamp(at: OffsetDateTime) -> String {
    // The form has no component that a date-time lacks, so this does not fail; a year beyond 9999 would be refused by `is_stamp`.
    at.to_offset(UtcOffset::UTC).format(FORM).unwrap_or_default()
}

/// Whether `text` is exactly what [`stamp`] writes.
#[must_use]
pub fn is_stamp(text: &str) -> bool {
    parse(text).is_some()
}

/// The time that `text` stands for, if it is what [`stamp`] writes.
#[must_use]
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    if text.len() != LENGTH {
        return None;
    }
    let at = PrimitiveDateTime::parse(text, FORM).ok()?.assume_utc();
    // The year 0 is none of this calendar's.
    (stamp(at) == text && at.year() > 0).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn one_spelling() {
        let at = datetime!(2026-01-31 23:59:59.000_001_999 +01:00);
        assert_eq!(stamp(at), "2026-01-31T22:59:59.000001Z");
        assert!(is_stamp("2026-01-31T22:59:59.000001Z"));
        for text in [
            "2026-01-31T22:59:59Z",
            "2026-01-31T22:59:59.00000Z",
            "2026-01-31T22:59:59.0000000Z",
            "2026-01-31t22:59:59.000001Z",
            "2026-01-31T22:59:59.000001z",
            "2026-01-31 22:59:59.000001Z",
            "2026-02-30T22:59:59.000001Z",
            "2026-01-31T24:00:00.000001Z",
            "0000-01-31T22:59:59.000001Z",
            "",
        ] {
            assert!(!is_stamp(text), "{text}");
        }
    }
}
