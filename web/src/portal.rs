//! The portal as the program sees it: opened once, merged into its router, told of new recordings.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::Router;
use axum::http::HeaderMap;
use portcullis_policy::Subject;
use portcullis_vault::Vault;
use portcullis_vault::keeping::Keeper;
use time::OffsetDateTime;
use tokio::sync::Semaphore;

use crate::accounts::{HashError, Hashing, Pace, Passwords};
use crate::audit::{Act, Audit};
use crate::config::{LOCAL_ISSUER, PortalConfig};
use crate::cookies::cookie_hash;
use crate::guard;
use crate::index::{Index, IndexError};
use crate::oidc::{ProviderError, Providers};
use crate::origins::{OriginError, Origins};
use crate::playlists::Playlists;
use crate::principal::{Principal, Roles};
use crate::problem::{Problem, chain};
use crate::secret;
use crate::sign_in::LINK_LASTS;
use crate::throttle::Throttle;
use crate::types::Me;
use crate::viewings::Viewings;

/// Whose sign-ins count no more, though their cookies have not expired.
pub trait Revoked: Send + Sync {
    /// Whether this subject is out at this moment.
    fn covers(&self, subject: &Subject) -> bool;
}

/// Bundles that are read again at a time because somebody looks at a list; a further one is shown as it was.
const REFRESHES: usize = 2;
/// Recordings that are exported at a time; a further one is to be asked for again.
const EXPORTS: usize = 2;

/// The portal. Cheap to clone.
#[derive(Clone)]
pub struct Portal(Arc<Inner>);

struct Inner {
    index: Index,
    vault: Arc<dyn Vault>,
    audit: Arc<dyn Audit>,
    origins: Origins,
    local: Subject,
    providers: Providers,
    passwords: Passwords,
    roles: Roles,
    throttle: Throttle,
    playlists: Playlists,
    viewings: Viewings,
    refreshes: Semaphore,
    exports: Arc<Semaphore>,
    keys: Option<PathBuf>,
    revoked: OnceLock<Arc<dyn Revoked>>,
    keeper: OnceLock<Arc<Keeper>>,
}

/// Why the portal cannot be opened, or cannot make a link.
#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    /// An origin in the configuration is none.
    #[error("the configured origins are wrong")]
    Origins(#[from] OriginError),
    /// A provider in the configuration cannot be one.
    #[error("a provider of sign-ins is wrong")]
    Provider(#[from] ProviderError),
    /// Passwords cannot be hashed.
    #[error("passwords cannot be taken")]
    Passwords(#[from] HashError),
    /// The database.
    #[error("the index failed")]
    Index(#[from] IndexError),
    /// The system gave no randomness.
    #[error("the system gave no randomness for a secret")]
    Randomness(#[source] rand::rngs::SysError),
}

impl Portal {
    /// Opens the database, which is made when absent, and takes the vault to read from and the record to write to.
    pub async fn open(
        config: PortalConfig,
        vault: Arc<dyn Vault>,
        audit: Arc<dyn Audit>,
    ) -> Result<Portal, PortalError> {
        let origins = Origins::parse(&config.origins)?;
        let providers = Providers::new(config.providers)?;
        let passwords = Passwords { on: config.passwords, hashing: Hashing::new()?, pace: Pace::default() };
        let index = Index::open(&config.database).await?;
        Ok(Portal(Arc::new(Inner {
            index,
            vault,
            audit,
            origins,
            local: config.local,
            providers,
            passwords,
            roles: config.roles,
            throttle: Throttle::new(Instant::now()),
            playlists: Playlists::default(),
            viewings: Viewings::default(),
            refreshes: Semaphore::new(REFRESHES),
            exports: Arc::new(Semaphore::new(EXPORTS)),
            keys: config.keys,
            revoked: OnceLock::new(),
            keeper: OnceLock::new(),
        })))
    }

    /// Asks this, at every request, whether who is signed in has been revoked meanwhile; the first one given stays.
    pub fn heed(&self, revoked: Arc<dyn Revoked>) {
        let _ = self.0.revoked.set(revoked);
    }

    /// Lets administrators hold recordings by this keeper of the same vault; the first one given stays.
    pub fn keep(&self, keeper: Arc<Keeper>) {
        let _ = self.0.keeper.set(keeper);
    }

    pub(crate) fn keeper(&self) -> Option<&Keeper> {
        self.0.keeper.get().map(Arc::as_ref)
    }

    /// Whether a subject's sign-ins count no more.
    pub(crate) fn is_revoked(&self, subject: &Subject) -> bool {
        self.0.revoked.get().is_some_and(|revoked| revoked.covers(subject))
    }

    /// The portal's API and the pages, which answer whatever no other route does; guarded by [`Portal::protect`].
    pub fn router(&self) -> Router {
        self.protect(crate::routes::router(self.clone()))
    }

    /// Puts the guard around the whole program's router: only configured hosts are served (421), what changes
    /// something with the cookie must name an allowed Origin (403) and send JSON (415), and every answer has the
    /// headers that fence pages in. Twice does no harm.
    pub fn protect(&self, app: Router) -> Router {
        guard::guarded(app, &self.0.origins)
    }

    /// Who is signed in by the request's cookie. A database that fails signs nobody in, and says so in the log.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Option<Subject> {
        match self.principal(headers).await {
            Ok(principal) => principal.map(|principal| principal.subject),
            Err(error) => {
                tracing::error!(error = chain(&error), "a sign-in cannot be looked up");
                None
            }
        }
    }

    /// Who is signed in, with roles, as `GET /api/me` tells.
    pub async fn me(&self, headers: &HeaderMap) -> Option<Me> {
        let principal = self.principal(headers).await.unwrap_or_else(|error| {
            tracing::error!(error = chain(&error), "a sign-in cannot be looked up");
            None
        });
        let principal = principal.filter(|principal| !self.is_revoked(&principal.subject))?;
        Some(Me::new(&principal.subject, &principal.roles, principal.by))
    }

    /// Whether the request's Origin is exactly one of the configured; none and `null` are not.
    pub fn origin_allowed(&self, headers: &HeaderMap) -> bool {
        self.0.origins.allowed(headers)
    }

    /// The secret of a new link that signs the local subject in, once, within 10 minutes. It belongs behind the `#` of
    /// `/sign-in#<secret>`, where no log sees it.
    pub async fn one_time_link(&self) -> Result<String, PortalError> {
        let link = secret::fresh().map_err(PortalError::Randomness)?;
        if let Some(hash) = secret::hash_of(&link) {
            let now = now();
            self.0.index.add_link(&hash, now, now.saturating_add(LINK_LASTS)).await?;
        }
        Ok(link)
    }

    /// Closes the database. What is asked afterwards fails.
    pub async fn close(&self) {
        self.0.index.close().await;
    }

    /// Who is signed in by the request's cookie.
    pub(crate) async fn principal(&self, headers: &HeaderMap) -> Result<Option<Principal>, IndexError> {
        let Some(sign_in) = cookie_hash(headers) else { return Ok(None) };
        let Some((subject, by)) = self.0.index.signed_in(&sign_in, now()).await? else { return Ok(None) };
        let by = (!by.is_empty()).then_some(by);
        let Some(subject) = self.current(subject, by.as_deref()).await? else { return Ok(None) };
        Ok(Some(self.0.roles.principal(subject, sign_in, by)))
    }

    /// The local subject is what the configuration says now, an account what the index says now, neither what it was at sign-in;
    /// and a provider that is not configured any more has signed nobody in.
    async fn current(&self, subject: Subject, by: Option<&str>) -> Result<Option<Subject>, IndexError> {
        match by {
            Some(by) if self.0.providers.named(by).is_none() => Ok(None),
            None if subject.issuer == LOCAL_ISSUER && subject.name == self.0.local.name => {
                Ok(Some(self.0.local.clone()))
            }
            None if subject.issuer == LOCAL_ISSUER && !self.0.passwords.on => Ok(None),
            None if subject.issuer == LOCAL_ISSUER => {
                let account = self.0.index.account(&subject.name).await?;
                Ok(account.map(|account| Subject { groups: account.groups, ..subject }))
            }
            _ => Ok(Some(subject)),
        }
    }

    /// Puts an act on the record, or says that it is not to be done.
    pub(crate) async fn on_record(&self, who: Option<&Subject>, act: Act) -> Result<(), Problem> {
        let recorded = self.0.audit.record(who, &act).await;
        recorded.map_err(|error| Problem::off_the_record(error.as_ref()))
    }

    pub(crate) fn index(&self) -> &Index {
        &self.0.index
    }

    pub(crate) fn vault(&self) -> &Arc<dyn Vault> {
        &self.0.vault
    }

    pub(crate) fn origins(&self) -> &Origins {
        &self.0.origins
    }

    pub(crate) fn local(&self) -> &Subject {
        &self.0.local
    }

    pub(crate) fn providers(&self) -> &Providers {
        &self.0.providers
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    pub(crate) fn playlists(&self) -> &Playlists {
        &self.0.playlists
    }

    pub(crate) fn viewings(&self) -> &Viewings {
        &self.0.viewings
    }

    pub(crate) fn refreshes(&self) -> &Semaphore {
        &self.0.refreshes
    }

    pub(crate) fn exports(&self) -> &Arc<Semaphore> {
        &self.0.exports
    }

    /// Where the list of evidence keys lies.
    pub(crate) fn keys(&self) -> Option<&Path> {
        self.0.keys.as_deref()
    }
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}
