//! Rates with their units: `40/s`, `600/min`, `30/h`.

use std::cmp::Ordering;
use std::fmt;

use crate::shown::Shown;

/// Units by name with their seconds.
const UNITS: [(&str, u32); 3] = [("s", 1), ("min", 60), ("h", 3600)];

/// So many in so much time; compared by how many that is a second.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    count: u32,
    /// INVARIANT: one of [`UNITS`].
    seconds: u32,
}

impl Rate {
    /// So many a second.
    pub const fn per_second(count: u32) -> Self {
        Self { count, seconds: 1 }
    }

    /// How many.
    pub fn count(self) -> u32 {
        self.count
    }

    /// In how many seconds: 1, 60 or 3600.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    /// Reads `40/s`, `600/min`, `30/h`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let unreadable = || {
            format!(
                "`{}` is not a rate; write a whole number a second, minute or hour, such as 40/s, 600/min or 30/h",
                Shown(text)
            )
        };
        let (count, unit) = text.split_once('/').ok_or_else(unreadable)?;
        let (_, seconds) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(unreadable)?;
        if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(unreadable());
        }
        let count = count.parse().map_err(|_| format!("`{}` is more than this program can count", Shown(text)))?;
        Ok(Self { count, seconds })
    }

    /// Makes rates of different units comparable: how many in `seconds` × `other.seconds`.
    fn over(self, other: Self) -> u64 {
        u64::from(self.count).saturating_mul(u64::from(other.seconds))
    }
}

impl Ord for Rate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.over(*other).cmp(&other.over(*self))
    }
}

impl PartialOrd for Rate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Rate {}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.into_iter().find(|(_, seconds)| *seconds == self.seconds).map_or("s", |(name, _)| name);
        write!(f, "{}/{unit}", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_shown_with_their_units() {
        for (text, count, seconds) in [("40/s", 40, 1), ("600/min", 600, 60), ("30/h", 30, 3600)] {
            let rate = Rate::read(text).unwrap();
            assert_eq!((rate.count(), rate.seconds()), (count, seconds));
            assert_eq!(rate.to_string(), text);
        }
        for text in ["", "40", "/s", "40/", "40/m", "40 / s", "+4/s", "4.5/s", "40/second", "99999999999/s"] {
            assert!(Rate::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_of_different_units_are_compared_by_what_they_mean() {
        let rate = |text| Rate::read(text).unwrap();
        assert_eq!(rate("60/min"), rate("1/s"));
        assert!(rate("59/min") < rate("1/s"));
        assert!(rate("3601/h") > rate("1/s"));
        assert!(Rate::per_second(2) > rate("100/min"));
    }
}
