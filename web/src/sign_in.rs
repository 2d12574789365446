//! Sign-in by a one-time link or a password, and sign-out. By a provider one signs in through `oidc`.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use portcullis_policy::Subject;

use crate::audit::{Act, Way};
use crate::cookies::{self, cookie_hash};
use crate::index::From;
use crate::portal::Portal;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::secret::{self, Hash};
use crate::types::{Go, Me, SignIn};
use crate::wire::Json;

/// How long a sign-in is good, in seconds: 12 hours.
pub(crate) const SIGN_IN_LASTS: i64 = 12 * 60 * 60;

/// How long a one-time link is good, in seconds: 10 minutes.
pub(crate) const LINK_LASTS: i64 = 10 * 60;

const STALE_LINK: &str = "This sign-in link has been used, is over, or never was one.";

/// Who is signed in.
#[utoipa::path(get, path = "/api/me", tag = "sign-in", responses(
    (status = 200, description = "Who is signed in", body = Me),
    (status = 401, description = "Nobody is", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn me(principal: Principal) -> Json<Me> {
    Json(Me::new(&principal.subject, &principal.roles, principal.by))
}

/// Signs in by a one-time link, or by a name and a password. The request must name an allowed Origin.
#[utoipa::path(post, path = "/api/sign-in", tag = "sign-in", request_body = SignIn, responses(
    (status = 204, description = "Signed in; the cookie `portcullis` is set"),
    (status = 400, description = "The body is not as described", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "The link has been used or is over; or name and password are not those of an account", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not from a page of the gate", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "It could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn sign_in(
    State(portal): State<Portal>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Json(asked): Json<SignIn>,
) -> Result<Response, Problem> {
    let origin = portal.origins().of(&headers).ok_or_else(Problem::foreign_sign_in)?;
    portal.throttle().attempt(peer, Instant::now()).map_err(Problem::too_often)?;
    let cookie = match asked {
        SignIn::Link(asked) => portal.redeem(&asked.link).await?,
        SignIn::Password(asked) => portal.sign_in_by_password(&asked.name, asked.password, peer).await?,
    };
    if let Some(before) = cookie_hash(&headers) {
        portal.end_sign_in(&before).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookies::set(&cookie, SIGN_IN_LASTS, origin.secure))]).into_response())
}

/// Signs out: the cookie is worth nothing from here on. Sessions on desktops go on, as they do when a page is closed.
#[utoipa::path(post, path = "/api/sign-out", tag = "sign-in", responses(
    (status = 200, description = "Signed out here; the address is where one signs out at the provider as well", body = Go),
    (status = 204, description = "Signed out, or nobody was signed in"),
    (status = 403, description = "Not from a page of the gate", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn sign_out(State(portal): State<Portal>, headers: HeaderMap) -> Result<Response, Problem> {
    let origin = portal.origins().of(&headers);
    let gone = [(SET_COOKIE, cookies::set("", 0, origin.is_some_and(|origin| origin.secure)))];
    let mut go = None;
    if let Some(hash) = cookie_hash(&headers) {
        let principal = portal.principal(&headers).await.map_err(|error| Problem::internal("sign out", &error))?;
        portal.end_sign_in(&hash).await?;
        if let Some(principal) = principal {
            portal.on_record(Some(&principal.subject), Act::SignedOut { by: None }).await?;
            let provider = principal.by.as_deref().and_then(|by| portal.providers().named(by));
            if let (Some(provider), Some(origin)) = (provider, origin) {
                go = provider.end_session(&format!("{}/signed-out", origin.text)).await;
            }
        }
    }
    Ok(match go {
        Some(go) => (gone, Json(Go { go })).into_response(),
        None => (StatusCode::NO_CONTENT, gone).into_response(),
    })
}

impl Portal {
    /// Takes the link and makes a sign-in of it: the cookie's value.
    async fn redeem(&self, link: &str) -> Result<String, Problem> {
        let taken = match secret::hash_of(link) {
            Some(link) => self.index().take_link(&link, crate::portal::now()).await,
            None => Ok(false),
        };
        if !taken.map_err(|error| Problem::internal("take a link", &error))? {
            self.on_record(None, Act::SignInRefused { by: Way::Link, reason: STALE_LINK }).await?;
            return Err(Problem::new(StatusCode::UNAUTHORIZED, STALE_LINK));
        }
        self.sign_in_as(self.local(), Way::Link, &From::default()).await
    }

    /// Makes a sign-in of somebody who has shown who they are: on the record first, then the cookie's value.
    pub(crate) async fn sign_in_as(&self, subject: &Subject, by: Way, from: &From) -> Result<String, Problem> {
        self.on_record(Some(subject), Act::SignedIn { by }).await?;
        let cookie = secret::fresh().map_err(|error| Problem::internal("make a cookie", &error))?;
        let hash = secret::hash_of(&cookie).ok_or_else(Problem::signed_out)?;
        let now = crate::portal::now();
        self.index()
            .add_sign_in(&hash, subject, from, now, now.saturating_add(SIGN_IN_LASTS))
            .await
            .map_err(|error| Problem::internal("keep a sign-in", &error))?;
        Ok(cookie)
    }

    pub(crate) async fn end_sign_in(&self, hash: &Hash) -> Result<(), Problem> {
        self.index().end_sign_in(hash).await.map_err(|error| Problem::internal("end a sign-in", &error))
    }
}

/// The address that the connection comes from, where the listener tells.
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Peer(parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())))
    }
}
