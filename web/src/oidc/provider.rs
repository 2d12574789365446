//! One provider: what it says of itself, found out when it is needed, and its keys, fetched again when it signs with one that is not known.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::Uri;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, AuthType, ClientId, ClientSecret, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IssuerUrl, ProviderMetadata, RedirectUrl,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::address::is_private;
use super::fetch::Fetch;
use super::logout::Heard;
use super::{Fault, ProviderConfig, ProviderError};
use crate::problem::chain;
use crate::throttle::{Bucket, Rate};

/// For how long what a provider says of itself is taken as it was.
const FRESH: Duration = Duration::from_secs(60);
/// How long finding it out may take: people wait for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// For how long a provider that gave no answer is not asked again.
const PAUSE: Duration = Duration::from_secs(5);
/// How often keys are fetched because somebody brings a token that none of them has signed.
const RENEWALS: Rate = Rate { burst: 3.0, per_second: 1.0 / 30.0 };

/// What the crate does not know of.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct More {
    #[serde(default)]
    pub(super) end_session_endpoint: Option<String>,
    /// RFC 9207 §3.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

/// What a provider says of itself, with its keys.
pub(super) type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What speaks the protocol.
pub(super) type Speaker =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// A provider.
pub(crate) struct Provider {
    pub(super) config: ProviderConfig,
    pub(super) fetch: Fetch,
    /// Logouts that were heard already.
    pub(super) heard: Heard,
    issuer: IssuerUrl,
    known: Mutex<Known>,
}

struct Known {
    metadata: Option<(Arc<Metadata>, Instant)>,
    failed: Option<Instant>,
    renewals: Bucket,
}

impl Provider {
    pub(super) fn new(config: ProviderConfig) -> Result<Self, ProviderError> {
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=32).contains(&config.id.len()) || !config.id.bytes().all(good) || config.id == "ways" {
            return Err(ProviderError::Id(config.id));
        }
        let wrong = || ProviderError::Issuer(config.id.clone());
        let uri: Uri = config.issuer.parse().map_err(|_| wrong())?;
        if !is_private(&uri) || uri.query().is_some() || config.issuer.contains(['#', '@']) {
            return Err(wrong());
        }
        let issuer = IssuerUrl::new(config.issuer.clone()).map_err(|_| wrong())?;
        let fetch =
            Fetch::new(config.ca.as_deref()).map_err(|error| ProviderError::Authorities(config.id.clone(), error))?;
        let renewals = Bucket::full(RENEWALS, Instant::now());
        let known = Mutex::new(Known { metadata: None, failed: None, renewals });
        Ok(Provider { config, fetch, heard: Heard::default(), issuer, known })
    }

    pub(crate) fn id(&self) -> &str {
        &self.config.id
    }

    pub(crate) fn label(&self) -> &str {
        &self.config.label
    }

    /// Whether it gives an answer.
    pub(crate) async fn is_there(&self) -> bool {
        self.metadata().await.is_ok()
    }

    /// What it says of itself, not older than a minute.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, Fault> {
        // Who asks meanwhile waits for the one question that is under way.
        let mut known = self.known.lock().await;
        let now = Instant::now();
        match &known.metadata {
            Some((metadata, at)) if now.saturating_duration_since(*at) < FRESH => return Ok(Arc::clone(metadata)),
            _ => {}
        }
        if known.failed.is_some_and(|failed| now.saturating_duration_since(failed) < PAUSE) {
            return Err(Fault::Away);
        }
        self.discover(&mut known).await
    }

    /// What it says of itself after it has said `before`: asked again, though not as often as anybody likes.
    pub(super) async fn renewed(&self, before: &Arc<Metadata>) -> Option<Arc<Metadata>> {
        let mut known = self.known.lock().await;
        if let Some((metadata, _)) = &known.metadata
            && !Arc::ptr_eq(metadata, before)
        {
            return Some(Arc::clone(metadata));
        }
        known.renewals.take(RENEWALS, Instant::now()).ok()?;
        self.discover(&mut known).await.ok()
    }

    async fn discover(&self, known: &mut Known) -> Result<Arc<Metadata>, Fault> {
        let found = timeout(PATIENCE, Metadata::discover_async(self.issuer.clone(), &self.fetch)).await;
        let why = match found {
            Ok(Ok(metadata)) if speaks_in_private(&metadata) => {
                let metadata = Arc::new(metadata);
                known.metadata = Some((Arc::clone(&metadata), Instant::now()));
                known.failed = None;
                return Ok(metadata);
            }
            Ok(Ok(_)) => "it names addresses that are neither https nor on this machine".to_owned(),
            Ok(Err(error)) => chain(&error),
            Err(_) => "it takes too long".to_owned(),
        };
        tracing::warn!(provider = self.id(), why, "a provider of sign-ins cannot be found out");
        known.failed = Some(Instant::now());
        Err(Fault::Away)
    }

    /// Speaks to it, for a browser that comes back to `redirect`.
    pub(super) fn speaker(&self, metadata: &Metadata, redirect: &str) -> Result<Speaker, Fault> {
        let secret = self.config.client_secret.as_ref().map(|secret| ClientSecret::new(secret.0.clone()));
        let id = ClientId::new(self.config.client_id.clone());
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|_| Fault::Failed)?;
        let speaker = CoreClient::from_provider_metadata(metadata.clone(), id, secret).set_redirect_uri(redirect);
        let methods = metadata.token_endpoint_auth_methods_supported();
        let has = |method: &CoreClientAuthMethod| methods.is_some_and(|methods| methods.contains(method));
        let in_body = has(&CoreClientAuthMethod::ClientSecretPost) && !has(&CoreClientAuthMethod::ClientSecretBasic);
        Ok(speaker.set_auth_type(if in_body { AuthType::RequestBody } else { AuthType::BasicAuth }))
    }

    /// Where the person's sign-in at the provider is ended (OpenID Connect RP-Initiated Logout 1.0), and the browser comes back
    /// to `back`; nothing where the provider has no such place or gives no answer.
    pub(crate) async fn end_session(&self, back: &str) -> Option<String> {
        let metadata = self.metadata().await.ok()?;
        let mut place =
            metadata.additional_metadata().end_session_endpoint.as_deref()?.parse::<openidconnect::url::Url>().ok()?;
        // No token of the provider is kept, so there is none to show: it asks the person instead.
        place
            .query_pairs_mut()
            .append_pair("client_id", &self.config.client_id)
            .append_pair("post_logout_redirect_uri", back);
        Some(place.into())
    }
}

/// Whether what the browser and this gate are sent to is https, or on this machine.
fn speaks_in_private(metadata: &Metadata) -> bool {
    let private = |url: &str| url.parse::<Uri>().is_ok_and(|uri| is_private(&uri));
    private(metadata.authorization_endpoint().as_str())
        && metadata.token_endpoint().is_some_and(|url| private(url.as_str()))
        && metadata.additional_metadata().end_session_endpoint.as_deref().is_none_or(private)
}
