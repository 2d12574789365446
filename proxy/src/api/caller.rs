//! Who makes a request, and from which Origin: the one place where the session plane's API authenticates.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use portcullis_evidence::What;
use portcullis_policy::Subject;
use time::OffsetDateTime;

use super::problem::Problem;
use crate::identity::Caller;
use crate::journal::About;
use crate::plane::Plane;

/// A verified caller and the Origin of its request (empty where there was none, which no browser can bring about across sites).
pub(super) struct Asked {
    pub(super) caller: Caller,
    pub(super) origin: String,
}

/// The address that a request's connection comes from, where the listener tells.
pub(super) struct Peer(pub(super) Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())))
    }
}

/// Authenticates a request by bearer token or sign-in cookie.
///
/// INVARIANT: an Origin that is not on the allow-list is refused whatever else the request carries, and a cookie changes nothing
/// without an allowed Origin.
pub(super) async fn authenticate(plane: &Plane, method: &Method, headers: &HeaderMap) -> Result<Asked, Problem> {
    let origin = origin(plane, headers).inspect_err(|problem| note(plane, "origin", &problem.detail))?;
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        let token = authorization.to_str().ok().and_then(bearer).unwrap_or_default();
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let claims = plane.config.verifier.verify_bearer(token, now).map_err(|error| {
            note(plane, &format!("token: {}", error.code()), &error.to_string());
            Problem::new(StatusCode::UNAUTHORIZED, error.to_string())
        })?;
        let subject = Subject { name: claims.sub.clone(), groups: claims.groups.clone(), issuer: claims.iss.clone() };
        return Ok(Asked { caller: Caller::Bearer(Box::new(claims), subject), origin });
    }
    let Some(subject) = plane.config.identify.identify(headers).await else {
        let detail = "sign in, or send a token: Authorization: Bearer <JWT>";
        note(plane, "token", "no token and no sign-in");
        return Err(Problem::new(StatusCode::UNAUTHORIZED, detail));
    };
    if plane.config.verifier.revocations().covers_subject(&subject, OffsetDateTime::now_utc().unix_timestamp()) {
        let detail = "this sign-in was revoked: ask who keeps this gate";
        note(plane, "sign-in: revoked", detail);
        return Err(Problem::new(StatusCode::UNAUTHORIZED, detail));
    }
    if !matches!(*method, Method::GET | Method::HEAD) && origin.is_empty() {
        let detail = "a request with a sign-in cookie needs an Origin header";
        note(plane, "origin", detail);
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    Ok(Asked { caller: Caller::Person(subject), origin })
}

/// The request's Origin, if it is on the allow-list; empty if it has none.
pub(super) fn origin(plane: &Plane, headers: &HeaderMap) -> Result<String, Problem> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (first, second) = (origins.next(), origins.next());
    let Some(value) = first else { return Ok(String::new()) };
    let origin = value.to_str().unwrap_or_default();
    if second.is_none() && plane.config.origins.iter().any(|allowed| allowed == origin) {
        Ok(origin.to_owned())
    } else {
        let shown: String = origin.chars().take(SHOWN).filter(|c| !c.is_control()).collect();
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            format!("the Origin {shown:?} is not one of this gate's; add it to `origins` if it is yours"),
        ))
    }
}

/// Characters of a foreign Origin that an error repeats.
const SHOWN: usize = 80;

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Journals a request that was refused before its caller was known.
pub(super) fn note(plane: &Plane, what: &str, reason: &str) {
    // Anybody may knock: what knocks faster is counted, not written line by line onto the disk that recordings need.
    let Some(more) = plane.knocks.due() else { return };
    let reason = if more == 0 { reason.to_owned() } else { format!("{reason} (and {more} more refused meanwhile)") };
    let revision = plane.policies().revision().to_string();
    let about = About { policy: &revision, ..About::default() };
    plane.config.journal.note(about, What::Refused { what: what.to_owned(), reason });
}
