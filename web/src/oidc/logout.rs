//! Back-channel logout: what a provider says when it has signed somebody out (OpenID Connect Back-Channel Logout 1.0).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::JsonWebKey;
use openidconnect::core::CoreJwsSigningAlgorithm;
use serde::Deserialize;
use serde_json::Value;

use super::claims::{ALGORITHMS, LEEWAY};
use super::provider::{Metadata, Provider};
use crate::secret::Hash;

/// Seconds between the making of a logout token and its coming here, at most.
const OLDEST: i64 = 2 * 60;
/// Logouts that are remembered; they are over after [`OLDEST`].
const MOST: usize = 4096;
/// What a logout token has in `events`.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What has been heard already, by the hash of its `jti`, and until when it could be said again.
#[derive(Default)]
pub(super) struct Heard(Mutex<HashMap<Hash, i64>>);

impl Heard {
    /// Whether this is heard for the first time. A memory that is full hears nothing new: better than the same twice.
    fn first(&self, jti: &str, now: i64) -> bool {
        use sha2::{Digest, Sha256};
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, until| *until >= now);
        all.len() < MOST
            && all
                .insert(Sha256::digest(jti.as_bytes()).into(), now.saturating_add(OLDEST).saturating_add(2 * LEEWAY))
                .is_none()
    }
}

/// Whom the provider signed out: the subject, one of its sign-ins, or both, that is one sign-in of the subject.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SignedOut {
    pub(super) sub: Option<String>,
    pub(super) sid: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: Value,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    iat: i64,
    exp: Option<i64>,
    jti: String,
    sub: Option<String>,
    sid: Option<String>,
    events: HashMap<String, Value>,
    nonce: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Why a logout token is not heeded; the words are for the log.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unheard {
    #[error("it is not of the form of a token")]
    Form,
    #[error("its algorithm is not one that is taken")]
    Algorithm,
    #[error("it says that it is another kind of token")]
    Kind,
    #[error("none of the provider's keys has signed it")]
    Key,
    #[error("its {0} is not what it must be")]
    Claim(&'static str),
    #[error("it was heard before")]
    Again,
    #[error("the provider's keys cannot be fetched")]
    Away,
}

impl Provider {
    /// Whom the provider has signed out, by its word of it. `now`: Unix seconds.
    pub(super) async fn hear(&self, token: &str, now: i64) -> Result<SignedOut, Unheard> {
        let metadata = self.metadata().await.map_err(|_| Unheard::Away)?;
        let claims = match signed(&metadata, token) {
            // Its keys may have been changed since they were fetched.
            Err(Unheard::Key) => {
                let newer = self.renewed(&metadata).await.ok_or(Unheard::Key)?;
                signed(&newer, token)?
            }
            claims => claims?,
        };
        self.judged(claims, now)
    }

    /// §2.6, from 3 on.
    fn judged(&self, claims: Claims, now: i64) -> Result<SignedOut, Unheard> {
        let client = &self.config.client_id;
        let for_us = match &claims.aud {
            Audience::One(one) => one == client,
            Audience::Many(all) => all.contains(client),
        };
        let soonest = now.saturating_sub(OLDEST).saturating_sub(LEEWAY);
        let named = |name: &Option<String>| name.clone().filter(|name| !name.is_empty() && name.len() <= 1024);
        let out = SignedOut { sub: named(&claims.sub), sid: named(&claims.sid) };
        for (good, claim) in [
            (claims.iss == self.config.issuer, "iss"),
            (for_us, "aud"),
            ((soonest..=now.saturating_add(LEEWAY)).contains(&claims.iat), "iat"),
            (claims.exp.is_none_or(|exp| exp > now.saturating_sub(LEEWAY)), "exp"),
            (claims.events.get(EVENT).is_some_and(Value::is_object), "events"),
            (claims.nonce.is_none(), "nonce"),
            (out.sub.is_some() || out.sid.is_some(), "sub"),
            (!claims.jti.is_empty() && claims.jti.len() <= 1024, "jti"),
        ] {
            if !good {
                return Err(Unheard::Claim(claim));
            }
        }
        // Last: what is refused for another reason may be said again.
        if self.heard.first(&claims.jti, now) { Ok(out) } else { Err(Unheard::Again) }
    }
}

/// The claims of a token that one of the provider's keys has signed.
fn signed(metadata: &Metadata, token: &str) -> Result<Claims, Unheard> {
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Unheard::Form);
    };
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Unheard::Form);
    let known: Header = serde_json::from_slice(&bytes(header)?).map_err(|_| Unheard::Form)?;
    let algorithm: CoreJwsSigningAlgorithm = serde_json::from_value(known.alg).map_err(|_| Unheard::Algorithm)?;
    if !ALGORITHMS.contains(&algorithm) {
        return Err(Unheard::Algorithm);
    }
    let kind = known.typ.as_deref().map(str::to_ascii_lowercase);
    let of_kind = matches!(kind.as_deref(), None | Some("jwt" | "logout+jwt" | "application/logout+jwt"));
    if !of_kind || known.crit.is_some() {
        return Err(Unheard::Kind);
    }
    let message = token.get(..header.len().saturating_add(1).saturating_add(claims.len())).ok_or(Unheard::Form)?;
    let signature = bytes(signature)?;
    let fits = |id: Option<&str>| known.kid.as_deref().is_none_or(|kid| id == Some(kid));
    let keys = metadata.jwks().keys().iter().filter(|key| fits(key.key_id().map(|id| id.as_str())));
    // A key of another kind or use than the algorithm's is refused by the key itself.
    if !keys.into_iter().any(|key| key.verify_signature(&algorithm, message.as_bytes(), &signature).is_ok()) {
        return Err(Unheard::Key);
    }
    serde_json::from_slice(&bytes(claims)?).map_err(|_| Unheard::Form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::tests::config;

    const NOW: i64 = 1_000_000;

    fn claims(change: impl FnOnce(&mut Value)) -> Claims {
        let mut claims = serde_json::json!({
            "iss": "https://id.example", "aud": ["portcullis"], "iat": NOW, "exp": NOW + 120, "jti": "j-1", "sub": "u-1", "sid": "s-1",
            "events": {EVENT: {}},
        });
        change(&mut claims);
        serde_json::from_value(claims).unwrap()
    }

    #[test]
    fn what_it_says_is_held_against_the_standard() {
        let provider = Provider::new(config("https://id.example")).unwrap();
        for (claim, value) in [
            ("iss", "https://other.example".into()),
            ("aud", "another".into()),
            ("iat", (NOW - OLDEST - LEEWAY - 1).into()),
            ("iat", (NOW + LEEWAY + 1).into()),
            ("exp", (NOW - LEEWAY).into()),
            ("events", serde_json::json!({})),
            ("events", serde_json::json!({EVENT: true})),
            ("nonce", "n".into()),
            ("jti", "".into()),
        ] {
            let wrong = claims(|claims| claims[claim] = value);
            assert_eq!(provider.judged(wrong, NOW), Err(Unheard::Claim(claim)));
        }
        let nobody = claims(|claims| {
            let claims = claims.as_object_mut().unwrap();
            claims.remove("sub");
            claims.remove("sid");
        });
        assert_eq!(provider.judged(nobody, NOW), Err(Unheard::Claim("sub")));
        let good = || claims(|_| {});
        let out = SignedOut { sub: Some("u-1".into()), sid: Some("s-1".into()) };
        assert_eq!(provider.judged(good(), NOW), Ok(out));
        assert_eq!(provider.judged(good(), NOW + 60), Err(Unheard::Again));
    }

    #[test]
    fn what_was_heard_is_remembered_within_bounds() {
        let heard = Heard::default();
        assert!(heard.first("a", NOW) && !heard.first("a", NOW + OLDEST));
        for n in 1..MOST {
            assert!(heard.first(&n.to_string(), NOW));
        }
        assert!(!heard.first("one more", NOW));
        assert!(heard.first("later", NOW + 10 * OLDEST));
        assert_eq!(heard.0.lock().unwrap().len(), 1);
    }
}
