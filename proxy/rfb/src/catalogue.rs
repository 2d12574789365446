//! What becomes of everything that RFB can carry: one table for each kind of number, which the parsers ask and a document shows.
//!
//! A number that is not listed is refused. `docs/rfb-messages.md` is [`document`] of these tables.

mod clipboard;
mod document;
mod encodings;
mod messages;
mod security;
#[cfg(test)]
mod tests;

pub use clipboard::CLIPBOARD;
pub use document::document;
pub use encodings::{FROM_DESKTOP, TO_VIEWER};
pub use messages::{DESKTOP_MESSAGES, VIEWER_MESSAGES};
pub use security::{DESKTOP_SECURITY, VENCRYPT_TYPES};

use std::fmt;

/// What becomes of a message, an encoding or a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Parsed, bounded, and kept as a typed value of this connection; nothing of it crosses as it came.
    Understood,
    /// Portcullis answers it itself; the other side never learns of it.
    Answered,
    /// Policy decides with a rule; what it permits is written anew for the other side.
    Judged,
    /// May be listed by a viewer, and is forgotten.
    Forgotten,
    /// Ends the connection, by name.
    Refused,
}

impl Outcome {
    /// Whether a connection goes on after it.
    pub fn survives(self) -> bool {
        self != Self::Refused
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Understood => "understood",
            Self::Answered => "answered",
            Self::Judged => "judged",
            Self::Forgotten => "forgotten",
            Self::Refused => "refused",
        })
    }
}

/// One line of a table: a code, its outcome, and how or why.
pub type Line<C> = (C, Outcome, &'static str);

/// The outcome of a code: [`Outcome::Refused`] where the table has no line.
pub fn outcome<C: Copy + PartialEq>(table: &[Line<C>], code: C) -> Outcome {
    table.iter().find(|(known, _, _)| *known == code).map_or(Outcome::Refused, |(_, outcome, _)| *outcome)
}

/// Why a code is refused, as the end of a sentence; empty where the table has no line.
pub(crate) fn why<C: Copy + PartialEq>(table: &[Line<C>], code: C) -> String {
    let line = table.iter().find(|(known, _, _)| *known == code);
    line.map(|(_, _, how)| format!(": {how}")).unwrap_or_default()
}
