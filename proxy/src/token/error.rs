//! Why a token is refused: one variant for each cause, a sentence for the person and a short code for the event.

use thiserror::Error;

/// Characters of a text from a token that a sentence repeats.
const SHOWN: usize = 64;

/// Why a token is refused. No variant holds more of the token than a shortened, escaped piece of one field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TokenError {
    /// There is none.
    #[error("there is no token: send Authorization: Bearer <JWT>")]
    Missing,
    /// It is longer than this gate reads.
    #[error("the token is longer than {limit} bytes")]
    TooLong {
        /// The longest that is read.
        limit: usize,
    },
    /// It is not three parts of base64url with JSON in the first two.
    #[error("the token is not a JWT: {reason}")]
    Malformed {
        /// Which part, and what is wrong with it.
        reason: &'static str,
    },
    /// Its header says `alg: none`.
    #[error("the token is not signed: its header says alg none")]
    Unsigned,
    /// Its header names an algorithm that no trusted key has, such as HS256.
    #[error("the token's algorithm {found} is not accepted: sign with EdDSA, ES256 or RS256")]
    UnsupportedAlgorithm {
        /// The header's `alg`, shortened.
        found: String,
    },
    /// Its header names another algorithm than the key has.
    #[error("the token's algorithm {found} is not that of its key: this key signs {expected}")]
    WrongAlgorithm {
        /// The header's `alg`.
        found: &'static str,
        /// The algorithm of the key that its `kid` names.
        expected: &'static str,
    },
    /// Its header says that it is another kind of JWT.
    #[error("the token is a {found}, not a plain JWT or an access token")]
    WrongType {
        /// The header's `typ`, shortened.
        found: String,
    },
    /// Its header demands extensions (`crit`), of which none is known (RFC 7515 §4.1.11).
    #[error("the token's header demands extensions (crit) that this gate does not know")]
    Critical,
    /// Its header names no key.
    #[error("the token's header has no kid: it must name the key that signed it")]
    MissingKeyId,
    /// Its issuer has no key of that name.
    #[error("the token's key {kid} is none of its issuer's trusted keys")]
    UnknownKey {
        /// The header's `kid`, shortened.
        kid: String,
    },
    /// The signature does not prove it.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// Its issuer is not trusted.
    #[error("the token's issuer {found} is not trusted here")]
    WrongIssuer {
        /// The claim `iss`, shortened.
        found: String,
    },
    /// It is meant for somebody else.
    #[error("the token is for another audience: its aud must name {expected}")]
    WrongAudience {
        /// The audience of this gate.
        expected: String,
    },
    /// A claim that it must have is not there.
    #[error("the token has no claim {0}")]
    MissingClaim(&'static str),
    /// A claim has the wrong shape or size.
    #[error("the token's claim {claim} {reason}")]
    BadClaim {
        /// Which.
        claim: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Its time is over.
    #[error("the token expired {seconds} s ago")]
    Expired {
        /// Seconds since `exp`.
        seconds: i64,
    },
    /// Its time has not come.
    #[error("the token is not valid for another {seconds} s: do the clocks agree?")]
    NotYetValid {
        /// Seconds until `nbf`.
        seconds: i64,
    },
    /// It, its subject or its session was revoked.
    #[error("the token was revoked")]
    Revoked,
}

impl TokenError {
    /// The cause as a short word for events and metrics; it never changes for a cause.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::TooLong { .. } => "too_long",
            Self::Malformed { .. } => "malformed",
            Self::Unsigned => "unsigned",
            Self::UnsupportedAlgorithm { .. } => "unsupported_algorithm",
            Self::WrongAlgorithm { .. } => "wrong_algorithm",
            Self::WrongType { .. } => "wrong_type",
            Self::Critical => "critical",
            Self::MissingKeyId => "missing_key_id",
            Self::UnknownKey { .. } => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::WrongIssuer { .. } => "wrong_issuer",
            Self::WrongAudience { .. } => "wrong_audience",
            Self::MissingClaim(_) => "missing_claim",
            Self::BadClaim { .. } => "bad_claim",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::Revoked => "revoked",
        }
    }
}

/// A text from a token for a sentence: shortened, quoted, with what is not printable escaped.
pub(super) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    format!("{short:?}")
}
