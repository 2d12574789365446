//! Argon2id: how a password becomes what is kept of it, a few at a time.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::TryRng;
use rand::rngs::SysRng;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::oidc::Concealed;
use crate::problem::Problem;

/// OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes that are computed at once: each takes [`MEMORY_KIB`] and a processor.
const AT_ONCE: usize = 2;
/// Attempts that wait for one, and for how long; more are to come again.
const WAITING: usize = 32;
const WAIT: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_secs(2);

/// What hashes passwords.
pub(crate) struct Hashing {
    running: Arc<Semaphore>,
    waiting: Semaphore,
    /// A hash of nobody's password, which a name that is none is held against.
    nobody: String,
}

/// A password could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed")]
pub struct HashError;

impl Hashing {
    pub(crate) fn new() -> Result<Self, HashError> {
        let nobody = hashed(&Concealed("nobody's password".to_owned()))?;
        Ok(Hashing { running: Arc::new(Semaphore::new(AT_ONCE)), waiting: Semaphore::new(WAITING), nobody })
    }

    /// Whether this is the password that the hash was made of; without a hash it is not, after the same time.
    pub(crate) async fn verify(&self, password: Concealed, hash: Option<String>) -> Result<bool, Problem> {
        let _place = self.waiting.try_acquire().map_err(|_| Problem::too_often(AGAIN))?;
        let turn = timeout(WAIT, Arc::clone(&self.running).acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or_else(|| Problem::too_often(AGAIN))?;
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let done = tokio::task::spawn_blocking(move || {
            // It is held until the hash is done, even when nobody waits for it any more.
            let _turn = turn;
            matches(&password, &hash)
        });
        Ok(done.await.unwrap_or(false) && known)
    }
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| HashError)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// What is kept of a password: a PHC string with a salt of its own.
pub(super) fn hashed(password: &Concealed) -> Result<String, HashError> {
    let mut salt = [0; 16];
    SysRng.try_fill_bytes(&mut salt).map_err(|_| HashError)?;
    let salt = SaltString::encode_b64(&salt).map_err(|_| HashError)?;
    let hash = argon2()?.hash_password(password.0.as_bytes(), &salt).map_err(|_| HashError)?;
    Ok(hash.to_string())
}

/// Whether the hash was made of this password; compared in constant time. By the hash's own parameters, so that they can be changed.
fn matches(password: &Concealed, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.0.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concealed(text: &str) -> Concealed {
        Concealed(text.to_owned())
    }

    #[tokio::test]
    async fn a_hash_knows_its_password_and_no_other() {
        let hashing = Hashing::new().unwrap();
        let hash = hashed(&concealed("correct horse battery")).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, hashed(&concealed("correct horse battery")).unwrap());
        for (password, kept, good) in [
            ("correct horse battery", Some(hash.clone()), true),
            ("correct horse batterx", Some(hash.clone()), false),
            ("", Some(hash), false),
            ("nobody's password", None, false),
            ("x", Some("no hash".to_owned()), false),
        ] {
            assert_eq!(hashing.verify(concealed(password), kept).await.unwrap(), good, "{password}");
        }
    }

    #[tokio::test]
    async fn so_many_at_once_and_the_rest_comes_again() {
        let hashing = Hashing::new().unwrap();
        let held = hashing.waiting.try_acquire_many(u32::try_from(WAITING).unwrap()).unwrap();
        let refused = hashing.verify(concealed("x"), None).await.unwrap_err();
        assert_eq!(refused.status, 429);
        drop(held);
        assert!(!hashing.verify(concealed("x"), None).await.unwrap());
    }
}
