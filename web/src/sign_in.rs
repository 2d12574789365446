//! Sign-in by a one-time link, the cookie that it gives, and sign-out.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::audit::Act;
use crate::portal::Portal;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::secret::{self, Hash};
use crate::types::{Me, SignIn};
use crate::wire::Json;

/// The cookie's name.
pub(crate) const COOKIE_NAME: &str = "portcullis";

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
    Json(Me::new(&principal.subject, &principal.roles))
}

/// Signs in by a one-time link. The request must name an allowed Origin.
#[utoipa::path(post, path = "/api/sign-in", tag = "sign-in", request_body = SignIn, responses(
    (status = 204, description = "Signed in; the cookie `portcullis` is set"),
    (status = 400, description = "The body is not as described", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "The link has been used or is over", body = Problem, content_type = "application/problem+json"),
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
    let origin = portal.origins().of(&headers).ok_or_else(|| {
        Problem::new(StatusCode::FORBIDDEN, "Only a page of this gate can sign in: the Origin is not one of its own.")
    })?;
    portal.throttle().attempt(peer, Instant::now()).map_err(Problem::too_often)?;
    let cookie = match portal.redeem(&asked.link).await? {
        Some(cookie) => cookie,
        None => {
            portal.on_record(None, Act::SignInRefused { reason: STALE_LINK }).await?;
            return Err(Problem::new(StatusCode::UNAUTHORIZED, STALE_LINK));
        }
    };
    if let Some(before) = cookie_hash(&headers) {
        portal.end_sign_in(&before).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, set_cookie(&cookie, SIGN_IN_LASTS, origin.secure))]).into_response())
}

/// Signs out: the cookie is worth nothing from here on.
#[utoipa::path(post, path = "/api/sign-out", tag = "sign-in", responses(
    (status = 204, description = "Signed out, or nobody was signed in"),
    (status = 403, description = "Not from a page of the gate", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn sign_out(State(portal): State<Portal>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(hash) = cookie_hash(&headers) {
        let principal = portal.principal(&headers).await.map_err(|error| Problem::internal("sign out", &error))?;
        portal.end_sign_in(&hash).await?;
        if let Some(principal) = principal {
            portal.on_record(Some(&principal.subject), Act::SignedOut).await?;
        }
    }
    let secure = portal.origins().of(&headers).is_some_and(|origin| origin.secure);
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, set_cookie("", 0, secure))]).into_response())
}

impl Portal {
    /// Takes the link and makes a sign-in of it: the cookie's value, or `None` when the link is not good.
    async fn redeem(&self, link: &str) -> Result<Option<String>, Problem> {
        let now = crate::portal::now();
        let Some(link) = secret::hash_of(link) else { return Ok(None) };
        if !self.index().take_link(&link, now).await.map_err(|error| Problem::internal("take a link", &error))? {
            return Ok(None);
        }
        let subject = self.local();
        self.on_record(Some(subject), Act::SignedIn).await?;
        let cookie = secret::fresh().map_err(|error| Problem::internal("make a cookie", &error))?;
        let Some(hash) = secret::hash_of(&cookie) else { return Ok(None) };
        self.index()
            .add_sign_in(&hash, subject, now, now.saturating_add(SIGN_IN_LASTS))
            .await
            .map_err(|error| Problem::internal("keep a sign-in", &error))?;
        Ok(Some(cookie))
    }

    async fn end_sign_in(&self, hash: &Hash) -> Result<(), Problem> {
        self.index().end_sign_in(hash).await.map_err(|error| Problem::internal("end a sign-in", &error))
    }
}

/// Whether the request has a cookie of ours, good or not.
pub(crate) fn has_cookie(headers: &HeaderMap) -> bool {
    cookies(headers).next().is_some()
}

/// The hash of the cookie's value. Two cookies of our name are none: whoever can add one (another port of the same
/// host can) must not choose whom the request is for.
pub(crate) fn cookie_hash(headers: &HeaderMap) -> Option<Hash> {
    let mut all = cookies(headers);
    let first = all.next()?;
    all.next().is_none().then(|| secret::hash_of(first)).flatten()
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value)
}

/// The Set-Cookie header; a value and a life of nothing take the cookie away.
fn set_cookie(value: &str, lasts: i64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{COOKIE_NAME}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={lasts}{secure}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// The address that the connection comes from, where the listener tells.
pub(crate) struct Peer(Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Peer(parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())))
    }
}
