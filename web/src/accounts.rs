//! Local accounts: names and passwords that this gate keeps itself, as argon2id hashes in the index.

mod hashing;
mod keeping;
mod pace;
mod strength;

use std::net::IpAddr;
use std::time::Instant;

use axum::http::StatusCode;
use portcullis_policy::Subject;

pub use hashing::HashError;
pub(crate) use hashing::Hashing;
pub use keeping::{Account, AccountError, Accounts};
pub(crate) use pace::Pace;
pub use strength::Weak;

use crate::audit::{Act, Way};
use crate::config::LOCAL_ISSUER;
use crate::index::From;
use crate::oidc::Concealed;
use crate::portal::Portal;
use crate::problem::Problem;

/// Sign-in by password.
pub(crate) struct Passwords {
    /// Whether it is wanted.
    pub(crate) on: bool,
    pub(crate) hashing: Hashing,
    pub(crate) pace: Pace,
}

/// The longest name of an account, in characters.
const MAX_NAME: usize = 64;

const WRONG: &str = "Name and password are not those of an account.";

/// Whether an account may be called so: what can be typed again, and stands in policies and lists without quotes.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
    !name.is_empty() && name.chars().count() <= MAX_NAME && name.chars().all(plain)
}

impl Portal {
    /// Whether somebody can sign in by a password: they are on, and there is an account.
    pub(crate) async fn takes_passwords(&self) -> Result<bool, Problem> {
        if !self.passwords().on {
            return Ok(false);
        }
        self.index().has_accounts().await.map_err(|error| Problem::internal("look for accounts", &error))
    }

    /// Signs in by a name and a password: the cookie's value. A name that is none and a password that is wrong take the same
    /// time and get the same answer.
    pub(crate) async fn sign_in_by_password(
        &self,
        name: &str,
        password: Concealed,
        peer: Option<IpAddr>,
    ) -> Result<String, Problem> {
        let passwords = self.passwords();
        let wrong = || Problem::new(StatusCode::UNAUTHORIZED, WRONG);
        if !passwords.on || !is_name(name) || password.0.len() > strength::LONGEST {
            self.refused_password(None).await?;
            return Err(wrong());
        }
        passwords.pace.attempt(name, peer, Instant::now()).map_err(Problem::too_often)?;
        let kept = self.index().account(name).await.map_err(|error| Problem::internal("find an account", &error))?;
        // The one-time link's subject has no password, whatever the index says.
        let kept = kept.filter(|_| name != self.local().name);
        let good = passwords.hashing.verify(password, kept.as_ref().map(|kept| kept.hash.clone())).await?;
        let Some(kept) = kept.filter(|_| good) else {
            // Who has no account may have typed a password for a name: that is not written down.
            self.refused_password(None).await?;
            return Err(wrong());
        };
        passwords.pace.succeeded(name, peer, Instant::now());
        let subject = Subject { name: name.to_owned(), groups: kept.groups, issuer: LOCAL_ISSUER.to_owned() };
        if self.is_revoked(&subject) {
            self.refused_password(Some(&subject)).await?;
            return Err(Problem::revoked());
        }
        self.sign_in_as(&subject, Way::Password, &From::default()).await
    }

    async fn refused_password(&self, who: Option<&Subject>) -> Result<(), Problem> {
        self.on_record(who, Act::SignInRefused { by: Way::Password, reason: WRONG }).await
    }
}
