//! Which events a destination is told: kinds by name or with `*`, and, where asked, only what was denied or permitted.

use portcullis_evidence::{Effect, TYPES};
use thiserror::Error;

use crate::entry::Entry;

/// Kinds that hold what was typed, passwords too: such an event leaves the gate only for a destination that names its kind in full.
const NAMED_IN_FULL: [&str; 1] = ["strokes"];

/// The choice of a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    kinds: Vec<String>,
    effects: Vec<Effect>,
}

/// Why a choice is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChoiceError {
    /// Nothing is chosen.
    #[error("`kinds` is empty: name kinds of events, or \"*\" for all")]
    Empty,
    /// No kind of event is called so, or fits.
    #[error("`{0}` is no kind of event")]
    Unknown(String),
}

impl Choice {
    /// Events of these kinds (`*` stands for any letters, but not for `strokes`); of these effects alone, unless there are none.
    ///
    /// # Errors
    /// When a kind fits nothing that this version records.
    pub fn new(kinds: Vec<String>, effects: Vec<Effect>) -> Result<Self, ChoiceError> {
        if kinds.is_empty() {
            return Err(ChoiceError::Empty);
        }
        match kinds.iter().find(|kind| !TYPES.iter().any(|known| names(kind, known))) {
            Some(unknown) => Err(ChoiceError::Unknown(unknown.clone())),
            None => Ok(Self { kinds, effects }),
        }
    }

    /// Whether the destination is told of it.
    #[must_use]
    pub fn takes(&self, entry: &Entry) -> bool {
        let kind = self.kinds.iter().any(|kind| names(kind, &entry.kind));
        kind && (self.effects.is_empty() || entry.effect.is_some_and(|effect| self.effects.contains(&effect)))
    }
}

/// Whether a kind, as it is written, is this one.
fn names(written: &str, kind: &str) -> bool {
    written == kind || !NAMED_IN_FULL.contains(&kind) && fits(written.as_bytes(), kind.as_bytes())
}

/// Whether `pattern`, in which `*` stands for any run of bytes, is `text`. In time of one times the other at most.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    // Where the newest star stood and what it has not swallowed yet: all that need be gone back to.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => return true,
            (Some((b'*', rest)), _) => {
                star = Some((rest, text));
                pattern = rest;
            }
            (Some((wanted, wants)), Some((found, finds))) if wanted == found => (pattern, text) = (wants, finds),
            _ => match star {
                Some((rest, [_, less @ ..])) => {
                    star = Some((rest, less));
                    (pattern, text) = (rest, less);
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(kinds: &[&str], effects: &[Effect]) -> Result<Choice, ChoiceError> {
        Choice::new(kinds.iter().map(|kind| (*kind).to_owned()).collect(), effects.to_vec())
    }

    fn entry(kind: &str, effect: Option<Effect>) -> Entry {
        Entry { kind: kind.into(), effect, ..Entry::test("t") }
    }

    #[test]
    fn stars_and_names() {
        for (pattern, text, is) in [
            ("paste", "paste", true),
            ("paste", "pastes", false),
            ("*", "", true),
            ("session_*", "session_opened", true),
            ("*_lost", "desktop_lost", true),
            ("*s*o*d", "session_opened", true),
            ("*s*x", "session_opened", false),
            ("viewer*left", "viewer_left", true),
            ("", "paste", false),
        ] {
            assert_eq!(fits(pattern.as_bytes(), text.as_bytes()), is, "{pattern} {text}");
        }
    }

    #[test]
    fn what_was_typed_leaves_only_where_it_is_named_in_full() {
        assert!(NAMED_IN_FULL.iter().all(|kind| TYPES.contains(kind)));
        let strokes = entry("strokes", None);
        assert!(!choice(&["*", "keys", "s*"], &[]).unwrap().takes(&strokes));
        assert!(choice(&["strokes"], &[]).unwrap().takes(&strokes));
        assert_eq!(choice(&["stroke*"], &[]), Err(ChoiceError::Unknown("stroke*".into())));
    }

    #[test]
    fn what_fits_nothing_is_refused() {
        assert_eq!(choice(&[], &[]), Err(ChoiceError::Empty));
        assert_eq!(choice(&["*", "pate"], &[]), Err(ChoiceError::Unknown("pate".into())));
        assert_eq!(choice(&["pasted_*"], &[]), Err(ChoiceError::Unknown("pasted_*".into())));
    }

    #[test]
    fn effects_narrow_to_what_was_decided() {
        let denials = choice(&["*"], &[Effect::Deny]).unwrap();
        assert!(
            denials.takes(&entry("paste", Some(Effect::Deny))) && !denials.takes(&entry("paste", Some(Effect::Permit)))
        );
        assert!(!denials.takes(&entry("keys", None)));
        let pastes = choice(&["paste", "session_*"], &[]).unwrap();
        assert!(pastes.takes(&entry("paste", Some(Effect::Permit))) && pastes.takes(&entry("session_closed", None)));
        assert!(!pastes.takes(&entry("copy", None)));
    }
}
