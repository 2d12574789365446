//! The web around the wire: foreign pages, stolen tickets, guessed names, hostile text in whatever is shown or logged.

use std::path::Path;
use std::time::{Duration, Instant};

use portcullis_tests::gate::Plan;
use portcullis_tests::viewer::{Heard, dial, dial_as, refused};
use portcullis_tests::{Api, Gate, Opened, PATIENCE, Viewer};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

fn plan() -> Plan {
    let desk =
        |name: &str| format!("[[desktops]]\nname = \"{name}\"\nsize = \"320x240\"\nprocess = {{ programs = [] }}\n");
    Plan::new(&[desk("desk"), desk("other")].concat())
        .policy("tests.yaml", "policy: tests\napplies: {}\nallow:\n  control: {}\n  paste: {max_bytes: 1 KiB}\n")
}

/// Sends bytes as they are and reads the head of the answer.
async fn ask(url: &str, request: &[u8]) -> String {
    let mut stream =
        TcpStream::connect(url.trim_start_matches("http://").replace("localhost", "127.0.0.1")).await.unwrap();
    // The gate may cut a request that is too long before all of it is written.
    let _ = stream.write_all(request).await;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && timeout(PATIENCE, stream.read(&mut byte)).await.unwrap().is_ok_and(|n| n > 0)
    {
        head.extend(byte);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// A WebSocket's request with further lines in its head; the status of the answer.
async fn knock(gate: &Gate, path: &str, lines: &str) -> u16 {
    let host = gate.url.trim_start_matches("http://");
    let host = if lines.contains("Host: ") { String::new() } else { format!("Host: {host}\r\n") };
    let request = format!(
        "GET {path} HTTP/1.1\r\n{host}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{lines}\r\n"
    );
    let answer = ask(&gate.url, request.as_bytes()).await;
    answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{lines}: {answer}"))
}

async fn open_with(api: &Api, headers: &[(&str, &str)]) -> StatusCode {
    api.send(Method::POST, "/api/sessions", headers, Some(json!({"desktop": "desk"}))).await.unwrap().status()
}

/// Origins that are not the gate's, however near.
fn foreign(own: &str) -> Vec<String> {
    let port = own.rsplit(':').next().unwrap();
    vec![
        "https://evil.example".into(),
        "null".into(),
        String::new(),
        "http://localhost".into(),
        format!("{own}/"),
        own.to_uppercase(),
        own.replacen("http:", "https:", 1),
        format!("{own}.evil.example"),
        format!("http://localhost.evil.example:{port}"),
        format!("http://evil.example#{own}"),
        format!("{own}, https://evil.example"),
        format!("http://localhost@evil.example:{port}"),
    ]
}

/// W1: a page of another site can neither open a session nor a socket, whatever rides along; where there must be an Origin, none is wrong.
#[tokio::test]
async fn foreign_pages_open_nothing() {
    let gate = Gate::start(&plan()).await.unwrap();
    let own = gate.url.clone();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let cookie = sign_in(&gate).await;
    let person = Api::new(&gate.url, None);
    let opened = api.open("desk").await.unwrap();
    for origin in foreign(&own) {
        assert_eq!(open_with(&api, &[("origin", &origin)]).await, 403, "{origin:?} with a token");
        assert_eq!(
            open_with(&person, &[("origin", &origin), ("cookie", &cookie)]).await,
            403,
            "{origin:?} with a cookie"
        );
        let (status, text) = refused(dial(&gate.url, &opened, Some(&origin)).await).unwrap();
        assert_eq!(status.as_u16(), 403, "{origin:?} with a ticket: {text}");
    }
    let both = [("origin", own.as_str()), ("origin", "https://evil.example")];
    assert_eq!(open_with(&api, &both).await, 403, "two Origins");
    assert_eq!(open_with(&person, &[("cookie", &cookie)]).await, 403, "a cookie and no Origin");
    let ticket = |opened: &Opened| format!("Sec-WebSocket-Protocol: binary, ticket.{}\r\n", opened.ticket);
    let evil = format!("Host: evil.example\r\n{}", ticket(&opened));
    assert_eq!(knock(&gate, &opened.rfb, &evil).await, 421, "a foreign host (W6)");
    let signed = format!("Origin: {own}\r\nCookie: {cookie}\r\n");
    assert_eq!(knock(&gate, &opened.rfb, &signed).await, 400, "a cookie is no ticket");
    // None of these was offered where it counts: the ticket is still good, for who has no Origin as its asker had none.
    assert_eq!(knock(&gate, &opened.rfb, &ticket(&opened)).await, 101);

    assert_eq!(open_with(&person, &[("origin", &own), ("cookie", &cookie)]).await, 201, "the gate's own page");
    let path = format!("/api/sessions/{}/tickets", opened.id);
    let answer = api.send(Method::POST, &path, &[("origin", &own)], None).await.unwrap();
    let bound: Opened = answer.json().await.unwrap();
    assert_eq!(knock(&gate, &bound.rfb, &ticket(&bound)).await, 401, "a page's ticket without its Origin");
}

/// Signs the local subject in by the link that the gate printed; the cookie.
async fn sign_in(gate: &Gate) -> String {
    let link = gate.link.split_once('#').unwrap().1;
    let body = Some(json!({"link": link}));
    let answer =
        Api::new(&gate.url, None).send(Method::POST, "/api/sign-in", &[("origin", &gate.url)], body).await.unwrap();
    assert_eq!(answer.status(), 204);
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// W2, W9: neither tokens, tickets, cookies, typed text nor pasted text are in an address that works, in a log, or in any file.
#[tokio::test]
async fn secrets_are_in_no_address_and_in_no_file() {
    let gate = Gate::start(&plan()).await.unwrap();
    let token = gate.token("alice", "testers", "desk").unwrap();
    let api = Api::new(&gate.url, Some(token.clone()));
    let cookie = sign_in(&gate).await;
    for name in ["token", "access_token", "ticket", "authorization"] {
        let path = format!("/api/sessions?{name}={token}");
        let answer = Api::new(&gate.url, None).send(Method::GET, &path, &[], None).await.unwrap();
        assert_eq!(answer.status(), 401, "{name}");
    }
    let opened = api.open("desk").await.unwrap();
    let spare = api.ticket(&opened.id).await.unwrap();
    let in_address = format!("{}?ticket={}", spare.rfb, spare.ticket);
    assert_eq!(knock(&gate, &in_address, "Sec-WebSocket-Protocol: binary\r\n").await, 400, "a ticket in the address");
    let used = dial(&gate.url, &spare, None).await.unwrap();
    drop(used);
    assert_eq!(refused(dial(&gate.url, &spare, None).await).unwrap().0.as_u16(), 401);

    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.watch("the screen", |_| true).await.unwrap();
    viewer.text("correct-horse-battery").await.unwrap();
    viewer.cut_text(b"staple-in-the-clipboard").await.unwrap();
    viewer.request(false).await.unwrap();
    while viewer.hear().await.unwrap() != Heard::Update {}
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();

    let events = portcullis_tests::events(&gate.bundle(&opened.id).unwrap()).unwrap();
    assert_eq!(
        portcullis_tests::of_type(&events, "paste").len(),
        1,
        "it was pasted and recorded by its hash: {events:?}"
    );
    let link = gate.link.split_once('#').unwrap().1;
    let secrets = [
        ("the token", token.as_str()),
        ("a used ticket", &opened.ticket),
        ("a burnt ticket", &spare.ticket),
        ("the cookie", cookie.split_once('=').unwrap().1),
        ("the sign-in link", link),
        ("typed text", "correct-horse"),
        ("pasted text", "staple-in"),
    ];
    let mut files = Vec::new();
    collect(&gate.data(), &mut files);
    files.push((gate.log(), std::fs::read(gate.log()).unwrap()));
    assert!(files.len() > 10, "{} files", files.len());
    for (path, bytes) in files {
        for (what, secret) in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{what} is in {}", path.display());
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<(std::path::PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), files);
        } else if let Ok(bytes) = std::fs::read(entry.path()) {
            files.push((entry.path(), bytes));
        }
    }
}

/// W4: a session that is ended closes its sockets at once, and one whose time is up by itself.
#[tokio::test]
async fn an_ended_session_closes_its_sockets() {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    let closing = tokio::spawn(async move { (viewer.closed().await.unwrap(), Instant::now()) });
    let asked = Instant::now();
    api.end(&opened.id).await.unwrap();
    let (frame, closed) = closing.await.unwrap();
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4013, "ended by alice"));
    // A second is the promise; another one is for a busy machine.
    assert!(closed - asked < Duration::from_secs(2), "{:?}", closed - asked);

    let until = time::OffsetDateTime::now_utc().unix_timestamp() + 4;
    let brief = Api::new(&gate.url, Some(reissued(&gate, "until", json!(until))));
    let mut viewer = Viewer::connect(&gate.url, &brief.open("desk").await.unwrap()).await.unwrap();
    let frame = viewer.closed().await.unwrap();
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4001, "the session's time is up"));
}

/// A token of the gate's own with one claim changed.
fn reissued(gate: &Gate, claim: &str, value: Value) -> String {
    use base64::Engine;
    let token = gate.token("alice", "testers", "desk").unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let mut claims: Value = serde_json::from_slice(&payload).unwrap();
    claims[claim] = value;
    let key = std::fs::read(gate.data().join("keys/token.pem")).unwrap();
    let key = jsonwebtoken::EncodingKey::from_ed_pem(&key).unwrap();
    jsonwebtoken::encode(&jsonwebtoken::decode_header(&token).unwrap(), &claims, &key).unwrap()
}

/// W5: which desktop a socket leads to is the gate's choice: no address, no other session's ticket and no name of the past is one.
#[tokio::test]
async fn where_a_socket_leads_is_the_gates_choice() {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    for extra in ["host", "port", "url", "path", "session", "runtime"] {
        let body = json!({"desktop": "desk", extra: "evil.example"});
        let answer = api.send(Method::POST, "/api/sessions", &[], Some(body)).await.unwrap();
        assert_eq!(answer.status(), 400, "{extra}");
    }
    let opened = api.open("desk").await.unwrap();
    let other = gate.api("alice", "testers", "other").unwrap().open("other").await.unwrap();
    let swapped = Opened { rfb: other.rfb.clone(), ..api.ticket(&opened.id).await.unwrap() };
    assert_eq!(refused(dial(&gate.url, &swapped, None).await).unwrap().0.as_u16(), 401, "a ticket of another session");
    for rfb in ["/sessions/../rfb", "/sessions/%2e%2e/rfb", "/sessions//rfb", "/sessions/*/rfb", "/sessions/0/rfb"] {
        let guessed = Opened { rfb: rfb.into(), ..api.ticket(&opened.id).await.unwrap() };
        let status = refused(dial(&gate.url, &guessed, None).await).unwrap().0.as_u16();
        assert!(matches!(status, 401 | 404 | 405), "{rfb}: {status}");
    }
    let ticket = api.ticket(&opened.id).await.unwrap();
    let path = format!("{}?host=evil.example&port=5900&path=/sessions/{}/rfb", ticket.rfb, other.id);
    let socket = dial_as(&gate.url, &path, &format!("binary, ticket.{}", ticket.ticket), None).await.unwrap();
    assert_eq!(Viewer::handshake(socket).await.unwrap().name, "desk");

    let late = api.ticket(&opened.id).await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    assert_eq!(refused(dial(&gate.url, &late, None).await).unwrap().0.as_u16(), 404, "a session of the past");
}

const MARKUP: &str = "<img src=x onerror=alert(1)>";

/// W7: names are text wherever they are said: in JSON that no browser takes for a page, and in pages that never make markup of text.
#[tokio::test]
async fn markup_stays_text() {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = Api::new(&gate.url, Some(reissued(&gate, "sub", json!(MARKUP))));
    let opened = api.open("desk").await.unwrap();
    let wrong = json!({"desktop": MARKUP});
    let answers = [
        api.send(Method::GET, &format!("/api/sessions/{}", opened.id), &[], None).await.unwrap(),
        api.send(Method::POST, "/api/sessions", &[], Some(wrong)).await.unwrap(),
        api.send(Method::GET, "/api/sessions", &[("origin", MARKUP)], None).await.unwrap(),
        api.send(Method::GET, &format!("/api/sessions/{}", MARKUP.replace(' ', "%20")), &[], None).await.unwrap(),
    ];
    let mut repeated = 0;
    for answer in answers {
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("application/json") || kind == "application/problem+json", "{kind}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
        repeated += usize::from(answer.text().await.unwrap().contains("onerror"));
    }
    assert!(repeated >= 2, "the name is said");
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/ui");
    let mut sources = Vec::new();
    collect(&pages.join("src"), &mut sources);
    sources.push((pages.join("index.html"), std::fs::read(pages.join("index.html")).unwrap()));
    let words =
        ["{@html", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"];
    for (path, bytes) in sources {
        let text = String::from_utf8_lossy(&bytes);
        for word in words {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
}

/// W8: whatever is said to the gate, its log and its journal are lines of its own.
#[tokio::test]
async fn nobody_writes_lines_into_the_log() {
    const FORGED: &str = "x\r\n2026-01-01T00:00:00.000000Z  INFO forged line\u{1b}[2J\u{9b}31m\u{7}";
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let wrong = json!({"desktop": FORGED});
    assert_eq!(api.send(Method::POST, "/api/sessions", &[], Some(wrong)).await.unwrap().status(), 403);
    for claim in ["sub", "desktop", "jti", "iss"] {
        let forged = Api::new(&gate.url, Some(reissued(&gate, claim, json!(FORGED))));
        assert_eq!(open_with(&forged, &[]).await, 401, "{claim}");
    }
    let tail = "x%0d%0a2026-01-01T00:00:00.000000Z%20%20INFO%20forged%20line%1b%5b2J";
    assert_eq!(api.send(Method::GET, &format!("/api/sessions/{tail}"), &[], None).await.unwrap().status(), 404);
    for line in [
        format!("GET /healthz\u{1b}[2J HTTP/1.1\r\nHost: {0}\r\n\r\n", "localhost"),
        "GET /api/sessions HTTP/1.1\r\nHost: localhost\r\nOrigin: http://\u{1b}[31mforged\u{7}\r\n\r\n".to_owned(),
        "GET /api/sessions HTTP/1.1\r\nHost: x\u{1b}[2J\r\nUser-Agent: \u{1b}[2J\r\n\r\n".to_owned(),
    ] {
        ask(&gate.url, line.as_bytes()).await;
    }
    // The same in RFB: a version, and then the name of a clipboard's owner would do as well.
    let mut socket = dial(&gate.url, &opened, None).await.unwrap();
    use futures_util::SinkExt;
    socket.send(tokio_tungstenite::tungstenite::Message::Binary(b"\x1b[2J\r\nforged".to_vec().into())).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();

    let log = std::fs::read(gate.log()).unwrap();
    assert!(String::from_utf8_lossy(&log).contains("protocol violation"), "something was logged");
    let mut journal = Vec::new();
    collect(&gate.data().join("journal"), &mut journal);
    let bundle = gate.bundle(&opened.id).unwrap();
    collect(&bundle.join("events"), &mut journal);
    let lines: usize = journal.iter().map(|(_, bytes)| bytes.iter().filter(|byte| **byte == b'\n').count()).sum();
    assert!(lines > 10, "{lines} events");
    for (path, bytes) in journal.iter().chain([&(gate.log(), log)]) {
        let text = std::str::from_utf8(bytes).unwrap();
        let control = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(control, None, "in {}", path.display());
        assert!(!text.lines().any(|line| line.starts_with("2026-01-01T00:00:00.000000Z")), "{}", path.display());
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok_and(|event| event.is_object())));
        }
    }
}

/// V27: heads and bodies of requests are bounded, those of a WebSocket too; what is over the bound is refused and the gate lives.
#[tokio::test]
async fn heads_and_bodies_are_bounded() {
    let gate = Gate::start(&plan()).await.unwrap();
    let host = gate.url.trim_start_matches("http://").to_owned();
    let long = "x".repeat(1 << 20);
    let many = "X-Line: x\r\n".repeat(10_000);
    let get = |path: &str, lines: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n");
    let protocol =
        format!("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: binary, ticket.{long}\r\n");
    let body = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", 1 << 20);
    let cases = [
        ("a long line", get("/api/me", &format!("X-Long: {long}\r\n"))),
        ("many lines", get("/api/me", &many)),
        ("a long address", get(&format!("/{long}"), "")),
        ("a long ticket", get("/sessions/0/rfb", &protocol)),
        ("a long body", format!("POST /api/sessions HTTP/1.1\r\nHost: {host}\r\n{body}\r\n{long}")),
    ];
    for (what, request) in cases {
        let answer = ask(&gate.url, request.as_bytes()).await;
        // A connection that is cut in the midst of what nobody reads has no answer.
        let status = answer.get(9..12).unwrap_or("cut");
        assert!(["400", "413", "414", "431", "cut"].contains(&status), "{what}: {answer}");
    }
    gate.api("alice", "testers", "desk").unwrap().get("/api/desktops").await.unwrap();
}
