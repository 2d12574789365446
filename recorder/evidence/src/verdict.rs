//! The verdict: one word for a whole report, with an exit code of its own.
use std::fmt;

use serde::{Serialize, Serializer};

use crate::report::{Kind, Report};

/// The exit code of a verifier that could not look: no such folder, no key.
pub const COULD_NOT_LOOK: u8 = 2;

/// What a report comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The record is what was signed, all of it.
    Sound,
    /// The record is what was signed, and says itself that it lacks a stretch of time.
    GapDeclared,
    /// Its time is over: events and video are gone or going, as a tombstone says, and what proves them is what was signed.
    Expired,
    /// All of it is what was signed, but the video is one that was made of the recorded one, and whoever made it signed that.
    Derived,
    /// Its video went and another was made of it, as a tombstone says; all else is what was signed.
    Replaced,
    /// It is not sound; of the kinds of faults found, the one that says most.
    Faulty(Kind),
}

/// The exit code of a recording whose time is over.
const EXPIRED: u8 = 23;
/// The exit code of what is sound and derived: behind all faults, for it came later.
const DERIVED: u8 = 24;
/// The exit code of what is sound but for its video, which was replaced.
const REPLACED: u8 = 25;
/// The exit code of the first of the kinds of faults.
const FIRST_FAULT: u8 = 4;
/// What says most comes first, and has the lowest exit code: a fault of a kind explains those of the kinds below it.
const WEIGHT: [Kind; 19] = [
    Kind::Unreadable,
    Kind::UnknownKey,
    Kind::WrongKey,
    Kind::RevokedKey,
    Kind::KeyNotValid,
    Kind::Reordered,
    Kind::Truncated,
    Kind::Missing,
    Kind::BadSignature,
    Kind::Edited,
    Kind::Extended,
    Kind::Extra,
    Kind::NotAFile,
    Kind::Malformed,
    Kind::NotMonotonic,
    Kind::BadTimeStamp,
    Kind::WrongClock,
    Kind::Unsealed,
    Kind::NotDue,
];

impl Report {
    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.heaviest {
            Some(kind) => Verdict::Faulty(kind),
            None if self.expired.is_some() => Verdict::Expired,
            None if self.replaced.is_some() => Verdict::Replaced,
            None if self.derived.is_some() => Verdict::Derived,
            None if self.gaps.is_some_and(|gaps| gaps > 0) => Verdict::GapDeclared,
            None => Verdict::Sound,
        }
    }
}

impl Verdict {
    /// Every verdict, in the order of the exit codes.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Sound, Self::GapDeclared, Self::Expired, Self::Derived, Self::Replaced];
        all.extend(WEIGHT.map(Self::Faulty));
        all.sort_by_key(|verdict| verdict.exit_code());
        all
    }

    /// The exit code of `portcullis verify`: 0 when sound, 3 for a declared gap, 23 when its time is over, and one for each kind of fault, of
    /// which the lowest counts. 1 is nobody's, 2 is [`COULD_NOT_LOOK`].
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Sound => 0,
            Self::GapDeclared => 3,
            Self::Expired => EXPIRED,
            Self::Derived => DERIVED,
            Self::Replaced => REPLACED,
            Self::Faulty(kind) => {
                let place = WEIGHT.iter().position(|other| *other == kind).and_then(|place| u8::try_from(place).ok());
                place.unwrap_or(0).saturating_add(FIRST_FAULT)
            }
        }
    }

    /// The verdict's name in JSON: `sound`, `gap_declared`, `expired`, or the kind's.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::GapDeclared => "gap_declared",
            Self::Expired => "expired",
            Self::Derived => "derived",
            Self::Replaced => "replaced",
            Self::Faulty(kind) => kind.name(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name().replace('_', " "))
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_codes_are_distinct() {
        let all = Verdict::all();
        let codes: Vec<u8> = all.iter().map(|verdict| verdict.exit_code()).collect();
        assert_eq!(codes, [vec![0], (3..=25).collect()].concat());
        assert_eq!(all.iter().map(|verdict| verdict.name()).collect::<HashSet<_>>().len(), all.len());
    }
}
