//! The embedded pages and the headers around everything.

use axum::body::Body;
use axum::http::Request;

use super::{Gate, signed};

#[tokio::test]
async fn the_addresses_of_pages_answer_with_the_one_page() {
    let gate = Gate::open().await;
    let index = gate.get("/", None).await;
    assert_eq!(index.status, 200);
    assert_eq!(index.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(index.header("cache-control"), "no-cache");
    assert!(index.body.starts_with(b"<!doctype html>") || index.body.starts_with(b"<!DOCTYPE html>"));
    for path in [
        "/sign-in",
        "/desktop/browser",
        "/recordings",
        "/recordings/0198-a",
        "/desktop/office-1.2",
        "/index.html",
        "/nowhere",
    ] {
        let page = gate.get(path, None).await;
        assert_eq!((page.status.as_u16(), &page.body), (200, &index.body), "{path}");
    }
    let held = signed(Request::get("/recordings"), None).header("if-none-match", index.header("etag"));
    let held = gate.send(held.body(Body::empty()).unwrap()).await;
    assert_eq!((held.status.as_u16(), held.body.len()), (304, 0));
    let head = gate.send(signed(Request::head("/"), None).body(Body::empty()).unwrap()).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
}

#[tokio::test]
async fn what_is_no_page_is_not_answered_with_one() {
    let gate = Gate::open().await;
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/recordings/",
        "/sessions/x/rfb",
        "/assets/gone.js",
        "/robots.txt",
        "/.env",
        "/../Cargo.toml",
        "/..%2fCargo.toml",
        "/assets/../../../Cargo.toml",
        "//etc/passwd.x",
    ] {
        gate.get(path, None).await.is_problem(404);
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let request = signed(Request::builder().method(method).uri("/recordings"), None).body(Body::empty()).unwrap();
        let answer = gate.send(request).await;
        answer.is_problem(405);
        assert_eq!(answer.header("allow"), "GET, HEAD");
    }
}

#[tokio::test]
async fn every_answer_fences_the_page_in() {
    let gate = Gate::open().await;
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
        media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; font-src 'self'; base-uri 'none'; \
        form-action 'none'; frame-ancestors 'none'";
    for path in ["/", "/api/me", "/api/nothing", "/assets/gone.js"] {
        let answer = gate.get(path, None).await;
        assert_eq!(answer.headers.get_all("content-security-policy").iter().count(), 1);
        for (name, value) in [
            ("content-security-policy", policy),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(answer.header("permissions-policy").contains("clipboard-write=(self)"));
        assert_eq!(answer.header("strict-transport-security"), "", "not over http");
        let caching = if path == "/" { "no-cache" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), caching, "{path}");
    }
}
