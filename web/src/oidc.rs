//! Sign-in by OpenID Connect: the providers that are configured, and the code flow with each of them.
//!
//! INVARIANT: what a provider says becomes a subject in `claims` alone, after its signature, issuer, audience, nonce and times were checked.

mod address;
mod claims;
mod fetch;
mod flow;
mod logout;
mod pending;
mod provider;
pub(crate) mod routes;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

pub(crate) use pending::Pendings;
pub(crate) use provider::Provider;

use crate::throttle::Throttle;

/// Providers that may be configured.
const MAX_PROVIDERS: usize = 16;

/// A secret that no log shows.
#[derive(Clone)]
pub struct Concealed(pub String);

impl fmt::Debug for Concealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Concealed")
    }
}

/// A provider of sign-ins, as it is configured.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// What addresses and the journal call it: a-z, 0-9 and `-`.
    pub id: String,
    /// What its button says.
    pub label: String,
    /// Its issuer, exactly as it names itself: https, or http on this machine alone.
    pub issuer: String,
    /// What it knows this gate by.
    pub client_id: String,
    /// What it authenticates this gate by; without one the gate is a public client, which PKCE alone protects.
    pub client_secret: Option<Concealed>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that becomes the subject's name.
    pub subject_claim: String,
    /// The claim that has the groups: a name, or a JSON pointer (RFC 6901) into the claims.
    pub groups_claim: String,
    /// What its groups give here.
    pub groups: GroupRule,
    /// Groups of whoever signs in by it.
    pub everybody: Vec<String>,
    /// Only who has a verified e-mail address in one of these domains may sign in; empty: whoever it knows.
    pub domains: Vec<String>,
    /// PEM of the only authorities that are trusted; those of this machine where it is absent.
    pub ca: Option<Vec<u8>>,
    /// Seconds since the person last proved to the provider who they are, at most.
    pub max_age: Option<u64>,
}

/// What the groups that a provider names give at this gate.
#[derive(Clone, Debug)]
pub enum GroupRule {
    /// Each gives these of the gate's groups; one that is not in it gives nothing.
    Mapped(BTreeMap<String, Vec<String>>),
    /// Each is the gate's group of that name.
    AsGiven,
}

/// Why providers cannot be used as they are configured.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// There are more than the gate takes.
    #[error("{0} providers are configured, at most {MAX_PROVIDERS} are taken")]
    TooMany(usize),
    /// Two have one id.
    #[error("two providers have the id `{0}`: give each its own")]
    Twice(String),
    /// Its id could not be part of an address.
    #[error("a provider's id is a-z, 0-9 and -, 1 to 32 of them, and not `ways`: `{0}` is not")]
    Id(String),
    /// Its issuer is no address that could be trusted.
    #[error(
        "the issuer of `{0}` must be an https:// address without query or fragment; http:// leads to this machine alone"
    )]
    Issuer(String),
    /// The authorities to trust are none.
    #[error("the authorities of `{0}` cannot be used")]
    Authorities(String, #[source] reqwest::Error),
}

/// All providers, and the sign-ins that are on their way by them.
pub(crate) struct Providers {
    all: Vec<Arc<Provider>>,
    pub(crate) pending: Pendings,
    /// Of those who begin, and of those who come back with nothing good.
    pub(crate) throttle: Throttle,
}

impl Providers {
    pub(crate) fn new(configured: Vec<ProviderConfig>) -> Result<Self, ProviderError> {
        if configured.len() > MAX_PROVIDERS {
            return Err(ProviderError::TooMany(configured.len()));
        }
        let mut all: Vec<Arc<Provider>> = Vec::new();
        for config in configured {
            if all.iter().any(|known| known.id() == config.id) {
                return Err(ProviderError::Twice(config.id));
            }
            all.push(Arc::new(Provider::new(config)?));
        }
        Ok(Providers { all, pending: Pendings::default(), throttle: Throttle::of_ways(Instant::now()) })
    }

    pub(crate) fn all(&self) -> &[Arc<Provider>] {
        &self.all
    }

    pub(crate) fn named(&self, id: &str) -> Option<&Arc<Provider>> {
        self.all.iter().find(|provider| provider.id() == id)
    }
}

/// Why a sign-in by a provider came to nothing: the word that the sign-in page is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The person said no at the provider.
    Cancelled,
    /// The provider gives no answer.
    Away,
    /// Nobody began this sign-in in this browser, or it was used, or it took too long.
    Stale,
    /// Another provider than the one that was asked has answered.
    MixedUp,
    /// The provider says that something is wrong.
    Provider,
    /// What the provider handed out does not hold.
    Rejected,
    /// The provider does not say who it is.
    Nameless,
    /// None of the person's groups is one of the gate's.
    Groupless,
    /// Not of a domain that may sign in.
    Domain,
    /// It was too long ago that the person proved who they are.
    Old,
    /// Turned out at this gate.
    Revoked,
    /// It cannot be put on the record, or kept.
    Failed,
}

impl Fault {
    /// The word in the address of the sign-in page.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Fault::Cancelled => "cancelled",
            Fault::Away => "away",
            Fault::Stale => "stale",
            Fault::MixedUp => "mixed_up",
            Fault::Provider => "provider",
            Fault::Rejected => "rejected",
            Fault::Nameless => "nameless",
            Fault::Groupless => "groupless",
            Fault::Domain => "domain",
            Fault::Old => "old",
            Fault::Revoked => "revoked",
            Fault::Failed => "failed",
        }
    }

    /// What the journal says.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Fault::Cancelled => "cancelled at the provider",
            Fault::Away => "the provider gives no answer",
            Fault::Stale => "not begun in this browser, used before, or too late",
            Fault::MixedUp => "another issuer answered than was asked",
            Fault::Provider => "the provider answered with an error",
            Fault::Rejected => "what the provider handed out does not hold",
            Fault::Nameless => "the provider names no subject that could be one",
            Fault::Groupless => "none of the subject's groups is one of the gate's",
            Fault::Domain => "no verified address in a domain that may sign in",
            Fault::Old => "the subject proved who they are too long ago",
            Fault::Revoked => "the subject is revoked",
            Fault::Failed => "it could not be kept",
        }
    }
}
