//! What holds for every request and every answer of the whole program: Host, Origin, and the headers that fence pages in.

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::cookies::has_cookie;
use crate::origins::Origins;
use crate::problem::Problem;

/// Nothing but what the gate serves itself: no inline script, no foreign address, no frame around it.
/// `blob:` is for the player, which hands the video to the browser that way, and for pictures of a moment.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; font-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// The session page asks for the clipboard and the whole screen; nothing else is ever asked for.
const PERMISSIONS: &str = "clipboard-read=(self), clipboard-write=(self), fullscreen=(self), camera=(), \
    microphone=(), geolocation=(), display-capture=(), usb=(), serial=(), hid=(), midi=(), payment=()";

/// In every answer, whoever wrote it.
const ALWAYS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
];

/// Puts the guard around `app`. Twice does no harm, so that the portal's own router has it and the whole program too.
pub(crate) fn guarded(app: Router, origins: &Origins) -> Router {
    app.layer(from_fn_with_state(origins.clone(), guard))
}

async fn guard(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let Some(served) = origins.served(request.uri(), request.headers()) else {
        let detail = "The gate is not reached under this host name. Its configuration lists the origins it has.";
        return fence(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail).into_response(), false);
    };
    let secure = served.secure;
    let response = match permitted(&origins, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    fence(response, secure)
}

/// Whether a request that changes something, and that a browser may have signed by itself with the cookie, comes from
/// a page of ours: the Origin says so, and a body says that it is JSON or a file's bytes, which no form can send.
fn permitted(origins: &Origins, request: &Request) -> Result<(), Problem> {
    if request.method().is_safe() || !has_cookie(request.headers()) {
        return Ok(());
    }
    if !origins.allowed(request.headers()) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "This request does not come from a page of this gate."));
    }
    if !request.body().is_end_stream() && !is_no_form(request.headers()) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body must be application/json, or a file as application/octet-stream.",
        ));
    }
    Ok(())
}

/// Types that a page of another site cannot send without asking first (CORS); the last is that of tus.
const NO_FORMS: [&str; 3] = ["application/json", "application/octet-stream", "application/offset+octet-stream"];

fn is_no_form(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default();
    NO_FORMS.iter().any(|known| essence.trim().eq_ignore_ascii_case(known))
}

/// Adds the headers; what says nothing of caching is not to be cached.
fn fence(mut response: Response, secure: bool) -> Response {
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
