//! The pages, embedded in the program: what vite built into `web/ui/dist`.

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

use crate::problem::Problem;
use crate::tags;

/// Read from the source tree in debug builds, embedded in release builds.
#[derive(Embed)]
#[folder = "ui/dist"]
struct Pages;

/// What vite names by its content, so that a name never changes its meaning.
const HASHED: &str = "assets/";

/// Addresses of the program; what is not found below them is an error, not a page.
const NOT_PAGES: [&str; 2] = ["api", "sessions"];

/// Answers whatever no route does: a file of the pages, or `index.html` for the addresses that its script knows.
pub(crate) async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if NOT_PAGES.contains(&path.split('/').next().unwrap_or_default()) {
        return Problem::no_page().into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Pages can only be read.");
        return ([(ALLOW, "GET, HEAD")], problem).into_response();
    }
    if let Some(file) = Pages::get(path) {
        return serve(path, file, &headers);
    }
    match Pages::get("index.html").filter(|_| is_page(path)) {
        Some(index) => serve("index.html", index, &headers),
        None => Problem::no_page().into_response(),
    }
}

/// Whether the script of `index.html` knows this address, or is to say that there is nothing. A name with a dot is
/// that of a file, unless it is a desktop's or a recording's.
fn is_page(path: &str) -> bool {
    path.starts_with("desktop/") || path.starts_with("recordings/") || !path.contains('.')
}

fn serve(path: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let caching = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = tags::tag(&file.metadata.sha256_hash());
    let mut response = if tags::is_held(asked, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(file.data));
        response.headers_mut().insert(CONTENT_TYPE, media_type(path));
        response
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn media_type(path: &str) -> HeaderValue {
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    let text = if guess.type_() == "text" { format!("{guess}; charset=utf-8") } else { guess.to_string() };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}
