//! Spans of time with their units: `15m`, `8h`, `1h30m`, `400d`.

use std::fmt;
use std::time::Duration;

use crate::shown::Shown;

/// Units by name with their seconds, the largest first; also the order in which they are written.
const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];

/// A whole number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span(u64);

impl Span {
    /// A span of so many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// The same for timers.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }

    /// Reads `15m`, `8h`, `1h30m`, `400d`: whole numbers with their units, the largest first.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut units = UNITS.iter();
        let mut seconds = 0_u64;
        let mut rest = text;
        let unreadable = || {
            format!(
                "`{}` is not a span of time; write whole numbers with d, h, m or s, such as 90s or 1h30m",
                Shown(text)
            )
        };
        while !rest.is_empty() {
            let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
            let (number, behind) = rest.split_at(digits);
            if number.is_empty() {
                return Err(unreadable());
            }
            let letters = behind.find(|character: char| character.is_ascii_digit()).unwrap_or(behind.len());
            let (unit, next) = behind.split_at(letters);
            if unit.is_empty() {
                return Err(format!("`{}` needs a unit: d, h, m or s, such as 90s or 1h30m", Shown(text)));
            }
            // Each unit once, and none after a smaller one.
            let Some((_, worth)) = units.find(|(name, _)| *name == unit) else {
                return Err(unreadable());
            };
            let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*worth));
            let sum = part.and_then(|part| seconds.checked_add(part));
            seconds = sum.ok_or_else(|| format!("`{}` is longer than this program can count", Shown(text)))?;
            rest = next;
        }
        if text.is_empty() { Err(unreadable()) } else { Ok(Self(seconds)) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (name, worth) in UNITS {
            let count = rest.checked_div(worth).unwrap_or(0);
            if count > 0 {
                write!(f, "{count}{name}")?;
            }
            rest = rest.checked_rem(worth).unwrap_or(0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_are_read_with_their_units() {
        for (text, seconds) in
            [("90s", 90), ("15m", 900), ("8h", 28_800), ("400d", 34_560_000), ("1h30m", 5400), ("1d1h1m1s", 90_061)]
        {
            assert_eq!(Span::read(text), Ok(Span(seconds)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_mend() {
        for (text, part) in [
            ("", "such as 90s"),
            ("m", "such as 90s"),
            ("15", "needs a unit"),
            ("15 m", "such as 90s"),
            ("15min", "such as 90s"),
            ("30m1h", "such as 90s"),
            ("1h1h", "such as 90s"),
            ("-5m", "such as 90s"),
            ("1.5h", "such as 90s"),
            ("2y", "such as 90s"),
            ("1h30", "needs a unit"),
            ("99999999999999999999s", "longer than"),
            ("999999999999999999d", "longer than"),
        ] {
            let error = Span::read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn spans_are_read_as_they_are_shown(seconds: u64) {
            prop_assert_eq!(Span::read(&Span(seconds).to_string()), Ok(Span(seconds)));
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,20}|[0-9dhms]{0,20}") {
            let _either = Span::read(&text);
        }
    }
}
