//! Over a real connection: what hyper makes of requests that a test could only imitate.

use axum::http::header::ORIGIN;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::bundles::Story;
use super::{Gate, ORIGIN_HERE};

/// Sends one request and reads the answer until the gate closes the connection.
async fn ask(gate: &Gate, request: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let served = tokio::spawn(axum::serve(listener, gate.app.clone()).into_future());
    let request = format!("{}\r\nConnection: close\r\n\r\n", request.trim().replace('\n', "\r\n"));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    served.abort();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_post_without_a_body_needs_no_content_type() {
    let gate = Gate::open().await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    let head = format!("Host: localhost:8080\n{ORIGIN}: {ORIGIN_HERE}\nCookie: portcullis={alice}");
    let chunked = ask(&gate, &format!("POST /api/sign-out HTTP/1.1\n{head}\nTransfer-Encoding: chunked")).await;
    assert!(chunked.starts_with("HTTP/1.1 415 "), "{chunked}");
    let long = ask(&gate, &format!("POST /api/sign-out HTTP/1.1\n{head}\nContent-Length: 5")).await;
    assert!(long.starts_with("HTTP/1.1 415 "), "{long}");
    assert_eq!(gate.get("/api/me", Some(&alice)).await.status, 200);
    let empty = ask(&gate, &format!("POST /api/sign-out HTTP/1.1\n{head}\nContent-Length: 0")).await;
    assert!(empty.starts_with("HTTP/1.1 204 "), "{empty}");
    gate.get("/api/me", Some(&alice)).await.is_problem(401);
    let bare = ask(&gate, &format!("POST /api/sign-out HTTP/1.1\n{head}")).await;
    assert!(bare.starts_with("HTTP/1.1 204 "), "{bare}");
}

#[tokio::test]
async fn the_request_line_cannot_name_another_host() {
    let gate = Gate::open().await;
    for (line, hosts, status) in [
        ("GET http://localhost:8080/api/me HTTP/1.1", "Host: localhost:8080", "401"),
        ("GET http://evil.example/api/me HTTP/1.1", "Host: localhost:8080", "421"),
        ("GET http://localhost:8080/api/me HTTP/1.1", "Host: evil.example", "421"),
        ("GET /api/me HTTP/1.1", "Host: localhost:8080\nHost: evil.example", "421"),
        ("GET /api/me HTTP/1.1", "X-Forwarded-Host: localhost:8080", "421"),
        ("GET /api/me HTTP/1.0", "Host: localhost:8080", "401"),
    ] {
        let answer = ask(&gate, &format!("{line}\n{hosts}")).await;
        assert!(answer.get(9..12) == Some(status), "{line} {hosts}: {answer}");
    }
}

#[tokio::test]
async fn paths_that_climb_lead_nowhere() {
    let gate = Gate::open().await;
    let place = Story::new("0198-alice", "alice").store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest(&place).await.unwrap();
    let alice = gate.cookie_of("alice", &["users"]).await;
    for path in [
        "/api/recordings/0198-alice/video/../seal.json",
        "/api/recordings/0198-alice/video/..%2f..%2f..%2f..%2f..%2f..%2fportcullis.db",
        "/api/recordings/../../portcullis.db",
        "/../../../../etc/passwd",
        "/assets/..%2f..%2fCargo.toml",
    ] {
        let answer =
            ask(&gate, &format!("GET {path} HTTP/1.1\nHost: localhost:8080\nCookie: portcullis={alice}")).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_range_has_its_exact_length() {
    let gate = Gate::open().await;
    let place = Story::new("0198-alice", "alice").store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest(&place).await.unwrap();
    let alice = gate.cookie_of("alice", &["users"]).await;
    let path = "/api/recordings/0198-alice/video/init-0001.mp4";
    let head = format!("Host: localhost:8080\nCookie: portcullis={alice}\nRange: bytes=5-7");
    let answer = ask(&gate, &format!("GET {path} HTTP/1.1\n{head}")).await;
    assert!(answer.starts_with("HTTP/1.1 206 Partial Content\r\n"), "{answer}");
    assert!(answer.contains("\r\ncontent-length: 3\r\n") && !answer.contains("transfer-encoding"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nand"), "{answer}");
}
