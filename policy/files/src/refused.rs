//! Why a file is not what it should be, in words for the person who sent it.

use std::io;

use crate::Limit;

/// Why a file is refused. None of them says what is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The name's extension is not one of the type's.
    #[error("the name says .{extension}, but the contents are {media_type}")]
    Disagrees {
        /// In small letters.
        extension: String,
        /// By the bytes.
        media_type: &'static str,
    },
    /// `invoice.pdf.exe`, `photo.exe.jpg`.
    #[error("the name has two extensions, and one of them is a program's")]
    DoubleExtension,
    /// Readers of two types would each take it for theirs.
    #[error("the file is {first} and {second} at once")]
    Polyglot {
        /// By its beginning.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// Bytes that are none of the type's.
    #[error("the file ({media_type}) has bytes behind its end, before its beginning or between its parts")]
    Trailing {
        /// By its beginning.
        media_type: &'static str,
    },
    /// More than is looked at.
    #[error("the file unpacks to too much ({which})")]
    Bomb {
        /// The limit that it is over.
        which: Limit,
    },
    /// Nobody but who has the key can look at it.
    #[error("the file ({media_type}) is encrypted and cannot be looked into")]
    Encrypted {
        /// Of the file or the member.
        media_type: &'static str,
    },
    /// It is not well-formed, or readers would differ about what it holds.
    #[error("the file ({media_type}) is broken: {reason}")]
    Broken {
        /// By its beginning.
        media_type: &'static str,
        /// The field, and what is wrong with it.
        reason: &'static str,
    },
    /// An archive of a kind that cannot be looked into, or one within another that is too large to be.
    #[error("the archive ({media_type}) cannot be looked into")]
    NotLookedInto {
        /// Of the archive or its member.
        media_type: &'static str,
    },
    /// A member that would be unpacked outside of its folder, or is no file at all.
    #[error("the archive ({media_type}) has a member that would be written outside of it ({reason})")]
    Escapes {
        /// Of the archive.
        media_type: &'static str,
        /// What is wrong with its name.
        reason: &'static str,
    },
    /// The file could not be read: says nothing about the file.
    #[error("the file could not be read")]
    Unreadable(#[source] io::Error),
}

impl Refused {
    /// One word for it, for events and metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Disagrees { .. } => "disagrees",
            Self::DoubleExtension => "double_extension",
            Self::Polyglot { .. } => "polyglot",
            Self::Trailing { .. } => "trailing",
            Self::Bomb { .. } => "bomb",
            Self::Encrypted { .. } => "encrypted",
            Self::Broken { .. } => "broken",
            Self::NotLookedInto { .. } => "not_looked_into",
            Self::Escapes { .. } => "escapes",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// What a read of `media_type` failed with: a refusal on its way through a reader, a fault of the type's bytes, or of the medium.
    pub(crate) fn read(error: io::Error, media_type: &'static str) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Broken { media_type, reason: "it ends too early" },
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Self::Broken { media_type, reason: "its packed bytes cannot be unpacked" }
            }
            io::ErrorKind::Other => error.downcast::<Self>().unwrap_or_else(Self::Unreadable),
            _ => Self::Unreadable(error),
        }
    }
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        Self::other(refused)
    }
}
