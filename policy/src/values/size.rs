//! Sizes in bytes with their units: read from policy files, shown in reasons.

use std::fmt::{self, Write};
use std::str::FromStr;

/// Units by name with their bytes, the largest first.
const UNITS: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// A size in bytes, shown exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Size(u64);

impl Size {
    /// So many bytes.
    pub const fn of(bytes: u64) -> Self {
        Self(bytes)
    }

    /// How many bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// Reads `4 KiB`, `64KiB`, `10 MiB`, `100 B`; the error says what is wrong and how to mend it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        read(text).map(Self)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::read(text)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.into_iter().find(|(_, unit)| self.0 > 0 && self.0.is_multiple_of(*unit));
        let (name, unit) = whole.unwrap_or(("B", 1));
        write!(f, "{} {name}", self.0.checked_div(unit).unwrap_or(0))
    }
}

fn read(text: &str) -> Result<u64, String> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start_matches(' ');
    if number.is_empty() {
        return Err(format!(
            "`{}` is not a size; write a whole number and a unit, such as 4 KiB",
            crate::shown::Shown(text)
        ));
    }
    let Some((_, bytes)) = UNITS.into_iter().find(|(name, _)| *name == unit) else {
        return Err(unknown_unit(unit));
    };
    let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(bytes));
    size.ok_or_else(|| format!("`{}` is larger than this program can count", crate::shown::Shown(text)))
}

fn unknown_unit(unit: &str) -> String {
    let mut reason = match unit {
        "" => "a size needs a unit: B, KiB, MiB, GiB or TiB".to_owned(),
        _ => format!("`{}` is not a unit of size; write B, KiB, MiB, GiB or TiB", crate::shown::Shown(unit)),
    };
    let letter = unit.chars().next().map(|letter| letter.to_ascii_uppercase());
    let meant = UNITS.into_iter().find(|(name, _)| name.chars().next() == letter);
    if let Some((name, bytes)) = meant {
        let _infallible = write!(reason, "; did you mean {name} ({bytes} bytes)?");
    }
    reason
}

/// Shows a size in its largest fitting unit, rounded up to a tenth: `9 KiB`, `1.3 MiB`, `17 B`.
pub(crate) fn show(bytes: u64) -> String {
    let fitting = UNITS.into_iter().find(|(_, unit)| bytes >= *unit);
    let (name, unit) = fitting.unwrap_or(("B", 1));
    let tenths = (u128::from(bytes) * 10).div_ceil(u128::from(unit));
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {name}"),
        (whole, tenth) => format!("{whole}.{tenth} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, bytes) in [
            ("4 KiB", 4096),
            ("64KiB", 65_536),
            ("10 MiB", 10 << 20),
            ("1 GiB", 1 << 30),
            ("100 B", 100),
            ("0 B", 0),
            ("007 B", 7),
        ] {
            assert_eq!(read(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_mend() {
        for (text, part) in [
            ("", "whole number and a unit"),
            ("KiB", "whole number and a unit"),
            ("-4 KiB", "whole number and a unit"),
            ("4", "needs a unit"),
            ("4 KB", "did you mean KiB (1024 bytes)?"),
            ("4 kib", "did you mean KiB (1024 bytes)?"),
            ("4 m", "did you mean MiB (1048576 bytes)?"),
            ("4.5 KiB", "not a unit"),
            ("4 KiB ", "did you mean KiB"),
            ("٤ KiB", "whole number and a unit"),
            ("99999999999999999999 B", "larger than"),
            ("99999999999999999 TiB", "larger than"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn sizes_are_shown_rounded_up() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (4096, "4 KiB"),
            (4097, "4.1 KiB"),
            (9216, "9 KiB"),
            (3 << 20, "3 MiB"),
            (u64::MAX, "16777216 TiB"),
        ] {
            assert_eq!(show(bytes), text);
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC{0,40}") {
            let _either = read(&text);
        }

        #[test]
        fn bytes_are_read_as_written(bytes: u64) {
            prop_assert_eq!(read(&format!("{bytes} B")), Ok(bytes));
            prop_assert_eq!(Size::read(&Size(bytes).to_string()), Ok(Size(bytes)));
        }
    }
}
