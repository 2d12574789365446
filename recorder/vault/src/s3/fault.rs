//! What a server said, or that nothing was heard of it, in words that an operator can act on.
use std::error::Error;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::date_time::{DateTime, Format};
use thiserror::Error as ThisError;

/// The most characters of a server's own words that are passed on.
const MAX_WORDS: usize = 200;
/// The seconds that a server's clock may differ before requests are refused (what S3 permits).
const MAX_SKEW: u64 = 900;

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Fault {
    /// No answer: no connection, no TLS, no credentials, or not in time.
    #[error("no answer of the server: {0}")]
    Unreachable(String),
    /// There is no such bucket.
    #[error("there is no such bucket")]
    NoBucket,
    /// There is no such object.
    #[error("there is no such object")]
    NoObject,
    /// The credentials are not known, are wrong, or are no longer good.
    #[error("the server does not accept the credentials ({0})")]
    Credentials(String),
    /// These credentials may not do it.
    #[error("the server permits it not ({0}): see the rights that a gate needs")]
    Denied(String),
    /// The clocks differ.
    #[error("this machine's clock and the server's differ by {0} s, more than is permitted: set the clock")]
    Clock(u64),
    /// The bucket is elsewhere.
    #[error("the bucket is in another region, {0}")]
    Region(String),
    /// A precondition was not met: there is an object.
    #[error("there is an object already")]
    Exists,
    /// Bytes or checksum were altered on the way, says the server.
    #[error("the server received other bytes than were sent ({0})")]
    Altered(String),
    /// No room, or a quota.
    #[error("the server has no room ({0})")]
    Full(String),
    /// The server does not know how to do it.
    #[error("the server does not know how ({0})")]
    Unknown(String),
    /// The range lies behind the end.
    #[error("there is no such range")]
    Range,
    /// Anything else.
    #[error("the server answered {status}: {words}")]
    Other {
        /// The status of HTTP.
        status: u16,
        /// Code and message.
        words: String,
    },
}

impl Fault {
    /// What an error of the SDK means.
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let Some(answer) = error.raw_response() else { return Self::Unreachable(causes(error)) };
        let header = |name: &str| answer.headers().get(name).map(str::to_owned);
        let status = answer.status().as_u16();
        let code = error.code().unwrap_or_default();
        let words = clean(&format!("{code} {}", error.message().unwrap_or_default()));
        let skew = header("date").and_then(|date| skew(&date));
        match (status, code) {
            (_, "RequestTimeTooSkewed") => Self::Clock(skew.unwrap_or_default()),
            (403, _) if skew.is_some_and(|skew| skew > MAX_SKEW) => Self::Clock(skew.unwrap_or_default()),
            (_, "NoSuchBucket") => Self::NoBucket,
            (
                _,
                "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken" | "InvalidSecurity",
            ) => Self::Credentials(words),
            (301 | 307 | 308 | 400, _) if header("x-amz-bucket-region").is_some() => {
                Self::Region(clean(&header("x-amz-bucket-region").unwrap_or_default()))
            }
            (_, "PermanentRedirect" | "AuthorizationHeaderMalformed") => Self::Region(words),
            (412, _) => Self::Exists,
            (416, _) => Self::Range,
            (_, "BadDigest" | "InvalidDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch") => {
                Self::Altered(words)
            }
            (507, _) | (_, "QuotaExceeded" | "InsufficientStorage" | "XMinioStorageFull") => Self::Full(words),
            (501 | 405, _) | (_, "NotImplemented") => Self::Unknown(words),
            (404, _) => Self::NoObject,
            (401 | 403, _) => Self::Denied(words),
            _ => Self::Other { status, words },
        }
    }

    /// As the source of a [`crate::VaultError::Storage`].
    pub(super) fn into_io(self) -> io::Error {
        let kind = match &self {
            Self::NoObject | Self::NoBucket => io::ErrorKind::NotFound,
            Self::Denied(_) | Self::Credentials(_) => io::ErrorKind::PermissionDenied,
            Self::Full(_) => io::ErrorKind::StorageFull,
            Self::Unreachable(_) => io::ErrorKind::HostUnreachable,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, self)
    }
}

/// The seconds between a server's `Date` and this machine's clock.
fn skew(date: &str) -> Option<u64> {
    let theirs = DateTime::from_str(date, Format::HttpDate).ok()?.secs();
    let ours = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
    Some(theirs.abs_diff(ours))
}

/// An error's causes in one line. The first, the SDK's own, only says that there was none or no good answer.
fn causes(error: &dyn Error) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if words.last() != Some(&said) {
            words.push(said);
        }
        cause = error.source();
    }
    if words.is_empty() {
        words.push(error.to_string());
    }
    clean(&words.join(": "))
}

/// Words of somebody else, fit for a log: printable and not long.
pub(super) fn clean(words: &str) -> String {
    words.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_compared_both_ways() {
        assert!(skew("Thu, 01 Jan 1970 00:00:00 GMT").unwrap() > 1_700_000_000);
        assert!(skew("Fri, 01 Jan 2100 00:00:00 GMT").unwrap() > 1_000_000);
        assert_eq!(skew("soon"), None);
    }

    #[test]
    fn words_of_others_are_cut_and_cannot_break_a_line() {
        assert_eq!(clean(" a\nb\u{1b}[31m "), "a b [31m");
        assert_eq!(clean(&"x".repeat(1000)).len(), MAX_WORDS);
    }
}
