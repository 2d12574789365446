//! What a searcher looks for: detectors that are built in, expressions and words of the policy's own.

use std::fmt;

use thiserror::Error;

use crate::{MAX_PATTERN, MAX_WORD, MAX_WORDS_BYTES, Pattern, Words};

/// Something to look for.
#[derive(Debug, Clone)]
pub enum Detector {
    /// A detector that is built in.
    Known(Known),
    /// A regular expression.
    Pattern(Pattern),
    /// A list of words.
    Words(Words),
}

/// The detectors that are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Known {
    /// Numbers of payment cards: issuer, length, Luhn's check digit.
    PaymentCard,
    /// Bank accounts by ISO 13616: country, length, shape, check digits modulo 97.
    Iban,
    /// Social security numbers of the United States.
    UsSsn,
    /// Identification numbers of German taxpayers: rule of repetition, check digit by ISO 7064.
    GermanTaxId,
    /// Private keys: PEM of all kinds, OpenSSH, PGP, `PuTTY`, age.
    PrivateKey,
    /// JSON web tokens, signed or encrypted.
    Jwt,
    /// Access keys of Amazon Web Services, and secrets beside them.
    AwsKey,
    /// Tokens of GitHub.
    GithubToken,
    /// Tokens and webhooks of Slack.
    SlackToken,
    /// Keys of Google: API keys, secrets of OAuth clients, service accounts.
    GoogleKey,
}

impl Known {
    /// All of them, in the order of the policy language.
    pub const ALL: [Self; 10] = [
        Self::PaymentCard,
        Self::Iban,
        Self::UsSsn,
        Self::GermanTaxId,
        Self::PrivateKey,
        Self::Jwt,
        Self::AwsKey,
        Self::GithubToken,
        Self::SlackToken,
        Self::GoogleKey,
    ];

    /// Its name in the policy language.
    pub fn name(self) -> &'static str {
        match self {
            Self::PaymentCard => "payment-card",
            Self::Iban => "iban",
            Self::UsSsn => "us-ssn",
            Self::GermanTaxId => "german-tax-id",
            Self::PrivateKey => "private-key",
            Self::Jwt => "jwt",
            Self::AwsKey => "aws-key",
            Self::GithubToken => "github-token",
            Self::SlackToken => "slack-token",
            Self::GoogleKey => "google-key",
        }
    }

    /// The detector of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Known> for Detector {
    fn from(known: Known) -> Self {
        Self::Known(known)
    }
}

impl From<Pattern> for Detector {
    fn from(pattern: Pattern) -> Self {
        Self::Pattern(pattern)
    }
}

impl From<Words> for Detector {
    fn from(words: Words) -> Self {
        Self::Words(words)
    }
}

/// Why a detector cannot be made. No message repeats a word of a list.
#[derive(Debug, Error)]
pub enum Refused {
    /// A regular expression is empty or too long.
    #[error("a regular expression has 1 to {MAX_PATTERN} bytes; this one has {0}")]
    PatternLength(usize),
    /// A regular expression does not compile, or to more than its bound.
    #[error("this regular expression does not compile")]
    Pattern(#[source] Box<regex::Error>),
    /// A regular expression matches the empty text.
    #[error("this regular expression matches where nothing is")]
    PatternOfNothing,
    /// A word of a list is too long.
    #[error("word {0} of the list has more than {MAX_WORD} bytes")]
    WordLength(usize),
    /// A word of a list has no letter and no digit.
    #[error("word {0} of the list has no letter and no digit")]
    WordOfNothing(usize),
    /// A list of words is too long.
    #[error("a list of words has at most {MAX_WORDS_BYTES} bytes")]
    Words,
    /// What is searched for together is too large to be compiled.
    #[error("the detectors together are too large")]
    TooLarge(#[source] aho_corasick::BuildError),
}
