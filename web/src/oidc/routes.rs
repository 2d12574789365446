//! The ways to sign in, and the three addresses of each provider: out to it, back from it, and its word that somebody has signed out.

use std::net::IpAddr;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{AppendHeaders, IntoResponse, Response};
use futures_util::future::join_all;
use openidconnect::url::form_urlencoded;
use serde::Deserialize;

use super::address::{escaped, is_ours};
use super::claims::Known;
use super::flow::Answer;
use super::pending::{LASTS, Pending};
use super::{Fault, Provider};
use crate::audit::{Act, Way};
use crate::cookies::{self, cookie_hash};
use crate::portal::Portal;
use crate::problem::Problem;
use crate::secret;
use crate::sign_in::{Peer, SIGN_IN_LASTS};
use crate::types::{Beginning, Go, ProviderWay, Ways};
use crate::wire::Json;

/// The longest logout token that is read, with what is around it.
pub(crate) const MAX_LOGOUT_BYTES: usize = 16 * 1024;

/// How one can sign in here.
#[utoipa::path(get, path = "/api/sign-in/ways", tag = "sign-in", responses(
    (status = 200, description = "The ways there are", body = Ways),
))]
pub(crate) async fn ways(State(portal): State<Portal>) -> Result<Json<Ways>, Problem> {
    let passwords = portal.takes_passwords().await?;
    let providers = join_all(portal.providers().all().iter().map(|provider| async {
        let (id, label) = (provider.id().to_owned(), provider.label().to_owned());
        ProviderWay { id, label, reachable: provider.is_there().await }
    }));
    Ok(Json(Ways { providers: providers.await, passwords }))
}

/// Begins a sign-in at a provider: the answer says where the page goes. The request must name an allowed Origin.
#[utoipa::path(post, path = "/api/sign-in/{provider}", tag = "sign-in", request_body = Beginning, params(
    ("provider" = String, Path, description = "The provider's id"),
), responses(
    (status = 200, description = "Where to go; a cookie of ten minutes binds the sign-in to this browser", body = Go),
    (status = 400, description = "It is not to lead to a page of this gate", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not from a page of the gate", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is no such provider", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The provider gives no answer", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn begin(
    State(portal): State<Portal>,
    Path(id): Path<String>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Json(asked): Json<Beginning>,
) -> Result<Response, Problem> {
    let origin = portal.origins().of(&headers).ok_or_else(Problem::foreign_sign_in)?;
    let provider = portal.providers().named(&id).ok_or_else(Problem::no_provider)?;
    let to = asked.to.unwrap_or_else(|| "/".to_owned());
    if !is_ours(&to) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "A sign-in leads to a page of this gate alone."));
    }
    portal.providers().throttle.attempt(peer, Instant::now()).map_err(Problem::too_often)?;
    // The same for all sign-ins that one browser begins, so that several tabs do not disturb each other.
    let browser = match cookies::browser(&headers, origin.secure) {
        Some(browser) => browser.to_owned(),
        None => secret::fresh().map_err(|error| Problem::internal("make a cookie", &error))?,
    };
    let hash = secret::hash_of(&browser).ok_or_else(Problem::foreign_sign_in)?;
    let redirect = format!("{}/api/sign-in/{id}/callback", origin.text);
    let begun = provider.begin(hash, redirect, to, cookie_hash(&headers)).await.map_err(|fault| {
        let detail = match fault {
            Fault::Away => "The provider gives no answer. Try again in a moment, or sign in another way.",
            _ => "The sign-in could not begin. Try again in a moment.",
        };
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    })?;
    portal.providers().pending.add(begun.state, begun.pending);
    let cookie = cookies::set_browser(&browser, LASTS.as_secs(), origin.secure);
    Ok(([(SET_COOKIE, cookie)], Json(Go { go: begun.go })).into_response())
}

/// What a provider may put into the address; what else there is, is passed over.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Brought {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// Where a provider sends the browser back to: a page that moves on, to where the sign-in was to lead or to the sign-in page.
#[utoipa::path(get, path = "/api/sign-in/{provider}/callback", tag = "sign-in", params(
    ("provider" = String, Path, description = "The provider's id"),
    ("code" = Option<String>, Query, description = "What is exchanged for the person's claims"),
    ("state" = Option<String>, Query, description = "Which sign-in it is"),
    ("iss" = Option<String>, Query, description = "Who answers (RFC 9207)"),
    ("error" = Option<String>, Query, description = "Why there is no code"),
), responses(
    (status = 200, description = "A page that moves on; the cookie `portcullis` is set where it leads to the gate", body = String, content_type = "text/html"),
    (status = 404, description = "There is no such provider", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn callback(
    State(portal): State<Portal>,
    Path(id): Path<String>,
    Peer(peer): Peer,
    uri: Uri,
    headers: HeaderMap,
    brought: Result<Query<Brought>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let provider = portal.providers().named(&id).ok_or_else(Problem::no_provider)?;
    // A parameter that is there twice is none.
    let Query(Brought { code, state, iss, error }) = brought.unwrap_or_default();
    let answer = Answer { code, state, iss, error };
    let secure = portal.origins().served(&uri, &headers).is_some_and(|origin| origin.secure);
    let browser = cookies::browser(&headers, secure).and_then(secret::hash_of);
    let (to, done) = match portal.providers().taken(provider, &answer, browser) {
        Ok(pending) => {
            let (to, before) = (pending.to.clone(), pending.before);
            let done = portal.come_back(provider, answer, pending).await;
            if let (Ok(_), Some(before)) = (&done, before) {
                portal.end_sign_in(&before).await?;
            }
            (to, done)
        }
        Err(fault) => ("/".to_owned(), Err(fault)),
    };
    match done {
        Ok(cookie) => {
            let cookies = [
                (SET_COOKIE, cookies::set(&cookie, SIGN_IN_LASTS, secure)),
                (SET_COOKIE, cookies::set_browser("", 0, secure)),
            ];
            Ok((AppendHeaders(cookies), passing(&to)).into_response())
        }
        Err(fault) => {
            portal.turned_back(provider, fault, peer).await;
            let back = if to == "/" { String::new() } else { format!("&to={}", encoded(&to)) };
            Ok(passing(&format!("/sign-in?failed={}&by={}{back}", fault.code(), provider.id())).into_response())
        }
    }
}

/// A provider's word that somebody has signed out there (OpenID Connect Back-Channel Logout 1.0): it ends their sign-ins here.
#[utoipa::path(post, path = "/api/sign-in/{provider}/logout", tag = "sign-in", params(
    ("provider" = String, Path, description = "The provider's id"),
), request_body(content = String, description = "`logout_token`", content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, description = "Their sign-ins are over"),
    (status = 400, description = "The token is not one that is heeded", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is no such provider", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "It could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn logout(
    State(portal): State<Portal>,
    Path(id): Path<String>,
    Peer(peer): Peer,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let provider = portal.providers().named(&id).ok_or_else(Problem::no_provider)?;
    let refused =
        || Problem::new(StatusCode::BAD_REQUEST, "This is not a logout token of the provider that counts here.");
    let token = logout_token(&headers, &body).ok_or_else(refused)?;
    let out = match provider.hear(&token, crate::portal::now()).await {
        Ok(out) => out,
        Err(why) => {
            // What is good is never held up; what is not is slowed down.
            portal.providers().throttle.attempt(peer, Instant::now()).map_err(Problem::too_often)?;
            tracing::warn!(provider = id, %why, "a logout token is not heeded");
            return Err(refused());
        }
    };
    let ended = portal.index().end_sign_ins_by(&id, out.sub.as_deref(), out.sid.as_deref()).await;
    let ended = ended.map_err(|error| Problem::internal("end sign-ins", &error))?;
    for subject in &ended {
        portal.on_record(Some(subject), Act::SignedOut { by: Some(Way::Provider(id.clone())) }).await?;
    }
    Ok(StatusCode::OK)
}

/// The one logout token of a form.
fn logout_token(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return None;
    }
    let mut tokens = form_urlencoded::parse(body).filter(|(name, _)| name == "logout_token");
    let (_, token) = tokens.next()?;
    tokens.next().is_none().then(|| token.into_owned())
}

impl Portal {
    /// Signs in who comes back from a provider: the cookie's value.
    async fn come_back(&self, provider: &Provider, answer: Answer, pending: Pending) -> Result<String, Fault> {
        let Known { subject, sub, sid } = provider.finish(answer, pending, crate::portal::now()).await?;
        if self.is_revoked(&subject) {
            return Err(Fault::Revoked);
        }
        let from = crate::index::From { provider: provider.id().to_owned(), sub, sid };
        self.sign_in_as(&subject, Way::Provider(provider.id().to_owned()), &from).await.map_err(|problem| {
            tracing::warn!(status = problem.status, "a sign-in cannot be kept");
            Fault::Failed
        })
    }

    /// Says on the journal that somebody came back in vain; not more often than somebody may try.
    async fn turned_back(&self, provider: &Provider, fault: Fault, peer: Option<IpAddr>) {
        if self.providers().throttle.attempt(peer, Instant::now()).is_err() {
            return;
        }
        let act = Act::SignInRefused { by: Way::Provider(provider.id().to_owned()), reason: fault.reason() };
        // There is nothing to withhold from them: a journal that takes nothing is said in the log.
        let _ = self.on_record(None, act).await;
    }
}

/// A page that moves on by itself, so that the next request comes from a page of ours and brings the strict cookie, and the code
/// leaves the address bar.
fn passing(to: &str) -> impl IntoResponse + use<> {
    let to = escaped(to);
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta http-equiv=\"refresh\" content=\"0;url={to}\">\n\
         <title>Portcullis</title>\n</head>\n<body>\n<p><a href=\"{to}\">Continue</a></p>\n</body>\n</html>\n"
    );
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], page)
}

/// A path as the value of a parameter.
fn encoded(path: &str) -> String {
    form_urlencoded::byte_serialize(path.as_bytes()).collect()
}
