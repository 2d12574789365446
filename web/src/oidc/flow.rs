//! The code flow (OpenID Connect Core 1.0 §3.1, with PKCE, RFC 7636): out to the provider, and back from it.

use std::time::Instant;

use openidconnect::core::CoreAuthenticationFlow;
use openidconnect::{AuthorizationCode, CsrfToken, Nonce, PkceCodeChallenge, RequestTokenError, Scope};

use super::claims::{Known, Unfit, checked, known};
use super::pending::Pending;
use super::provider::Provider;
use super::{Fault, Providers};
use crate::problem::chain;
use crate::secret::{self, Hash};

/// The longest code that is brought to a provider.
const MAX_CODE: usize = 4096;

/// Where a browser is sent, and what it is known by when it comes back.
pub(super) struct Begun {
    /// The provider's address.
    pub(super) go: String,
    pub(super) state: Hash,
    pub(super) pending: Pending,
}

/// What a browser brings back (RFC 6749 §4.1.2, RFC 9207).
#[derive(Default)]
pub(super) struct Answer {
    pub(super) code: Option<String>,
    pub(super) state: Option<String>,
    pub(super) iss: Option<String>,
    pub(super) error: Option<String>,
}

impl Provider {
    /// Begins a sign-in for the browser whose cookie has this hash.
    pub(super) async fn begin(
        &self,
        browser: Hash,
        redirect: String,
        to: String,
        before: Option<Hash>,
    ) -> Result<Begun, Fault> {
        let metadata = self.metadata().await?;
        let speaker = self.speaker(&metadata, &redirect)?;
        let fresh = || secret::fresh().map_err(|_| Fault::Failed);
        let (state, nonce) = (fresh()?, fresh()?);
        let hash = secret::hash_of(&state).ok_or(Fault::Failed)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (said_state, said_nonce) = (state.clone(), nonce.clone());
        let mut request = speaker
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(said_state),
                move || Nonce::new(said_nonce),
            )
            .set_pkce_challenge(challenge)
            .add_scopes(self.config.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new));
        if let Some(age) = self.config.max_age {
            request = request.set_max_age(std::time::Duration::from_secs(age));
        }
        let (go, _, _) = request.url();
        let pending = Pending {
            provider: self.id().to_owned(),
            browser,
            nonce,
            verifier,
            redirect,
            to,
            before,
            began: Instant::now(),
        };
        Ok(Begun { go: go.into(), state: hash, pending })
    }

    /// Exchanges the code, and checks what it is exchanged for.
    pub(super) async fn finish(&self, answer: Answer, pending: Pending, now: i64) -> Result<Known, Fault> {
        let metadata = self.metadata().await?;
        // RFC 9207 §2.4: who answers is who was asked.
        let says = metadata.additional_metadata().authorization_response_iss_parameter_supported;
        match &answer.iss {
            Some(iss) if *iss != self.config.issuer => return Err(Fault::MixedUp),
            None if says => return Err(Fault::MixedUp),
            _ => {}
        }
        if let Some(error) = answer.error {
            return Err(if error == "access_denied" { Fault::Cancelled } else { Fault::Provider });
        }
        let code = answer.code.filter(|code| !code.is_empty() && code.len() <= MAX_CODE).ok_or(Fault::Provider)?;
        let speaker = self.speaker(&metadata, &pending.redirect)?;
        let request = speaker.exchange_code(AuthorizationCode::new(code)).map_err(|_| Fault::Away)?;
        let handed =
            request.set_pkce_verifier(pending.verifier).request_async(&self.fetch).await.map_err(
                |error| match error {
                    RequestTokenError::Request(error) => {
                        tracing::warn!(provider = self.id(), error = chain(&error), "a code cannot be exchanged");
                        Fault::Away
                    }
                    // What the provider says of it could name the code: the kind of error alone is told.
                    RequestTokenError::ServerResponse(error) => {
                        tracing::warn!(provider = self.id(), error = %error.error(), "a provider refused a code");
                        Fault::Rejected
                    }
                    _ => {
                        tracing::warn!(provider = self.id(), "what a provider gave for a code cannot be read");
                        Fault::Rejected
                    }
                },
            )?;
        let token = handed.extra_fields().id_token().ok_or(Fault::Rejected)?;
        let claims = match checked(&self.config, &metadata, token, &pending.nonce, now) {
            // Its keys may have been changed since they were fetched.
            Err(Unfit::Key) => match self.renewed(&metadata).await {
                Some(newer) => checked(&self.config, &newer, token, &pending.nonce, now),
                None => Err(Unfit::Key),
            },
            claims => claims,
        };
        let claims = claims.map_err(|unfit| match unfit {
            Unfit::Fault(fault) => fault,
            Unfit::Key => {
                tracing::warn!(provider = self.id(), "none of the provider's keys has signed an ID token");
                Fault::Rejected
            }
        })?;
        known(&self.config, &claims)
    }
}

impl Providers {
    /// Takes the sign-in that the browser with this cookie began at this provider, by the state that it brings back.
    pub(super) fn taken(&self, provider: &Provider, answer: &Answer, browser: Option<Hash>) -> Result<Pending, Fault> {
        let state = answer.state.as_deref().and_then(secret::hash_of).ok_or(Fault::Stale)?;
        let pending = self.pending.take(&state, Instant::now()).ok_or(Fault::Stale)?;
        if browser != Some(pending.browser) {
            return Err(Fault::Stale);
        }
        if pending.provider == provider.id() { Ok(pending) } else { Err(Fault::MixedUp) }
    }
}
