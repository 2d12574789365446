//! The way out of a desktop without a network: through the gate, in its subject's name, on the record, as far as policy says at that moment.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use portcullis_tests::gate::Plan;
use portcullis_tests::{Gate, until};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{events, of_type};

/// Asks for pages for as long as it lives.
const ASKING: &str = "while :; do curl -s -m 5 http://site.example/page; curl -s -m 5 -p -x $http_proxy http://169.254.169.254/; curl -s -m 5 -x $http_proxy --noproxy none http://localhost:8080/; sleep 0.2; done";

/// An egress proxy that tells what heads it was sent.
async fn proxy() -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, heads) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            let _ = tell.send(String::from_utf8_lossy(&head).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
        }
    });
    (port, heads)
}

fn desktop(egress: &str) -> String {
    format!(
        "[[desktops]]\nname = \"desk\"\nsize = \"320x240\"\negress = \"{egress}\"\nprocess = {{ programs = [[\"sh\", \"-c\", \"{ASKING}\"]] }}\n"
    )
}

fn secret(folder: &Path) -> String {
    let path = folder.join("credentials");
    let mut file = std::fs::File::create(&path).unwrap();
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).unwrap();
    file.write_all(b"* = nobody:nothing\nalice = al:open sesame\n").unwrap();
    path.display().to_string()
}

/// The events so far, read from the spool of a live session.
async fn until_event(gate: &Gate, session: &str, what: &str, wanted: impl Fn(&Value) -> bool) {
    until(what, async || {
        let spooled = gate.data().join("spool").join(session).join("bundle");
        let found = events(&spooled).unwrap_or_default();
        Ok(found.iter().any(&wanted).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_desktop_comes_out_by_the_egress_proxy_in_its_subject_s_name() {
    let (port, mut heads) = proxy().await;
    let folder = TempDir::new().unwrap();
    let egress =
        format!("[egress]\nproxy = \"http://127.0.0.1:{port}\"\ncredentials_file = \"{}\"\n", secret(folder.path()));
    let gate = Gate::start(&Plan::new(&(egress + &desktop("proxy")))).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();

    let head = until("a request", async || Ok(heads.try_recv().ok())).await.unwrap();
    assert!(head.starts_with("GET http://site.example/page HTTP/1.1\r\nHost: site.example\r\n"), "{head}");
    assert!(head.contains("\r\nProxy-Authorization: Basic YWw6b3BlbiBzZXNhbWU=\r\n"), "{head}");
    // What the proxy takes for itself or its machine is not even asked for.
    for host in ["169.254.169.254", "localhost"] {
        until_event(&gate, &opened.id, host, |event| {
            event["type"] == "egress" && event["effect"] == "deny" && event["host"] == host
        })
        .await;
    }
    while let Ok(head) = heads.try_recv() {
        assert!(head.contains("site.example"), "{head}");
    }

    // Less, from now on.
    let denied =
        "policy: tests\napplies: {groups: [testers]}\nallow:\n  open: {}\n  control: {}\ndesktop: {egress: deny}\n";
    std::fs::write(gate.policies().join("tests.yaml"), denied).unwrap();
    until_event(&gate, &opened.id, "a refusal by the new policy", |event| {
        event["type"] == "egress" && event["effect"] == "deny" && event["rule"] == "tests.yaml:6 desktop.egress"
    })
    .await;
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();

    let bundle = gate.bundle(&opened.id).unwrap();
    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound, "{report}");
    let events = events(&bundle).unwrap();
    let started = of_type(&events, "desktop_started");
    assert_eq!(
        (started.len(), &started[0]["name"], &started[0]["warm"]),
        (1, &opened.id.clone().into(), &false.into())
    );
    let out = of_type(&events, "egress");
    assert!(
        out.iter().any(|event| event["effect"] == "permit" && event["host"] == "site.example" && event["port"] == 80)
    );
    let inside = |event: &&&Value| event["host"] == "169.254.169.254" || event["host"] == "localhost";
    assert!(out.iter().filter(inside).all(|event| event["effect"] == "deny"));
    let ended = of_type(&events, "egress_ended");
    assert!(ended.iter().any(|event| event["received"].as_u64().is_some_and(|bytes| bytes > 5)), "{ended:?}");
    let whole = serde_json::to_string(&events).unwrap();
    assert!(!whole.contains("sesame") && !whole.contains("YWw6"), "the record has the proxy's password");
}

#[tokio::test]
async fn a_connection_that_is_open_when_its_session_ends_is_on_the_record_with_its_bytes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, mut taken) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut piece, mut sum) = (vec![0; 1 << 16], 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while let Ok(count @ 1..) = stream.read(&mut piece).await {
            sum += count;
            let _ = tell.send(sum);
        }
    });
    let asking = "(printf 'CONNECT site.example:443 HTTP/1.1\\\\r\\\\n\\\\r\\\\n'; head -c 100000 /dev/zero; sleep 1000) | socat - TCP:127.0.0.1:3128";
    let egress = format!("[egress]\nproxy = \"http://127.0.0.1:{port}\"\n");
    let gate = Gate::start(&Plan::new(&(egress + &desktop("proxy").replace(ASKING, asking)))).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    until("much of it went out", async || Ok(taken.try_recv().ok().filter(|sum| *sum > 100_000))).await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();

    let events = events(&gate.bundle(&opened.id).unwrap()).unwrap();
    let ended = of_type(&events, "egress_ended");
    assert!(ended.len() == 1 && ended[0]["sent"] == 100_000 && ended[0]["host"] == "site.example", "{ended:?}");
    assert!(ended[0]["seq"].as_u64() < of_type(&events, "session_closed")[0]["seq"].as_u64());
}

#[tokio::test]
async fn a_home_that_cannot_be_kept_is_refused_by_the_rule_that_keeps_it() {
    let policy = "policy: tests\napplies: {groups: [testers]}\nallow: {open: {}, control: {}}\ndesktop: {home: keep}\n";
    let gate = Gate::start(&Plan::new(&desktop("deny")).policy("tests.yaml", policy)).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let refused = api.open("desk").await.unwrap_err().to_string();
    assert!(refused.contains("homes are kept of desktops in containers alone"), "{refused}");
    assert!(refused.contains("tests.yaml:4 desktop.home"), "{refused}");
}

#[tokio::test]
async fn allow_reaches_what_is_public_and_not_this_machine() {
    let page = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = page.local_addr().unwrap().port();
    let asking = format!("while :; do curl -s -m 5 http://127.0.0.1:{port}/ --noproxy none; sleep 0.2; done");
    let desktop = desktop("allow").replace(ASKING, &asking);
    for (reachable, effect) in [("[]", "deny"), ("[\"127.0.0.1/32\"]", "permit")] {
        let gate = Gate::start(&Plan::new(&format!("[egress]\nreachable = {reachable}\n{desktop}"))).await.unwrap();
        let api = gate.api("alice", "testers", "desk").unwrap();
        let opened = api.open("desk").await.unwrap();
        until_event(&gate, &opened.id, effect, |event| {
            event["type"] == "egress" && event["effect"] == effect && event["host"] == "127.0.0.1"
        })
        .await;
        if effect == "permit" {
            page.accept().await.unwrap();
        }
        api.end(&opened.id).await.unwrap();
        api.wait_gone(&opened.id).await.unwrap();
    }
}
