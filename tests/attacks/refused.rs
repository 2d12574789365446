//! Every route of the API and the WebSocket, as everybody who must be refused there. A route that is not in the table fails the test.

use std::io::Write;
use std::process::{Command, Stdio};

use portcullis_tests::gate::{Plan, program};
use portcullis_tests::{Api, Gate, PATIENCE};
use reqwest::Method;
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

/// Whose a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// Everybody's, by what they bring: what nobody gets who brings nothing good.
    Open(u16),
    /// Of whoever is signed in, each their own.
    Signed,
    /// Of who may see the recording or the session; for others it is not to be found.
    Found,
    /// Of who holds a ticket; a sign-in is none.
    Ticket,
}

use Whose::{Found, Open, Signed, Ticket};

/// Every route: the description in docs/openapi.json has no other.
const ROUTES: [(&str, &str, Whose); 42] = [
    ("get", "/healthz", Open(200)),
    ("get", "/readyz", Open(200)),
    ("get", "/sessions/{id}/rfb", Ticket),
    ("get", "/api/desktops", Signed),
    ("get", "/api/filters", Signed),
    ("put", "/api/filters/{name}", Signed),
    ("get", "/api/filters/{name}", Signed),
    ("delete", "/api/filters/{name}", Signed),
    ("get", "/api/me", Signed),
    ("get", "/api/policy", Signed),
    ("post", "/api/policy/webhook", Open(403)),
    ("get", "/api/recordings", Signed),
    ("get", "/api/recordings/{id}", Found),
    ("get", "/api/recordings/{id}/bundle", Found),
    ("get", "/api/recordings/{id}/bundle/{path}", Found),
    ("get", "/api/recordings/{id}/events", Found),
    ("get", "/api/recordings/{id}/events/{file}", Found),
    ("get", "/api/recordings/{id}/export", Found),
    ("post", "/api/recordings/{id}/hold", Found),
    ("delete", "/api/recordings/{id}/hold", Found),
    ("get", "/api/recordings/{id}/index.m3u8", Found),
    ("get", "/api/recordings/{id}/notes", Found),
    ("post", "/api/recordings/{id}/notes", Found),
    ("delete", "/api/recordings/{id}/notes/{note}", Found),
    ("get", "/api/recordings/{id}/thumbnail", Found),
    ("get", "/api/recordings/{id}/video/{file}", Found),
    ("get", "/api/search", Signed),
    ("get", "/api/sessions", Signed),
    ("post", "/api/sessions", Signed),
    ("get", "/api/sessions/{id}", Found),
    ("delete", "/api/sessions/{id}", Found),
    ("get", "/api/sessions/{id}/files", Found),
    ("post", "/api/sessions/{id}/files", Found),
    ("get", "/api/sessions/{id}/files/{name}", Found),
    ("get", "/api/sessions/{id}/notices", Found),
    ("post", "/api/sessions/{id}/tickets", Found),
    ("post", "/api/sessions/{id}/uploads", Found),
    ("delete", "/api/sessions/{id}/uploads/{upload}", Found),
    ("head", "/api/sessions/{id}/uploads/{upload}", Found),
    ("patch", "/api/sessions/{id}/uploads/{upload}", Found),
    ("post", "/api/sign-out", Open(204)),
    ("get", "/api/trust", Signed),
];

/// Those of signing in, which one must be able to reach from outside; what they refuse has tests of its own.
const DOORS: [(&str, &str); 5] = [
    ("post", "/api/sign-in"),
    ("get", "/api/sign-in/ways"),
    ("post", "/api/sign-in/{provider}"),
    ("get", "/api/sign-in/{provider}/callback"),
    ("post", "/api/sign-in/{provider}/logout"),
];

fn plan() -> Plan {
    Plan::new(
        "[[desktops]]\nname = \"desk\"\nsize = \"320x240\"\nprocess = { programs = [] }\n\
         [[auditors]]\ngroup = \"leads\"\ngroups = [\"contractors\"]\n",
    )
    .policy(
        "tests.yaml",
        "policy: tests\napplies: {}\nallow:\n  open: {}\n  control: {}\n  upload: {}\n  download: {}\n",
    )
}

/// Makes a local account and signs it in; the cookie.
async fn account(gate: &Gate, name: &str, groups: &str) -> String {
    let mut child = Command::new(program().unwrap())
        .args(["accounts", "add", name, "--groups", groups])
        .env("PORTCULLIS_DATA", gate.data())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let body = Some(json!({"name": name, "password": PASSWORD}));
    let answer =
        Api::new(&gate.url, None).send(Method::POST, "/api/sign-in", &[("origin", &gate.url)], body).await.unwrap();
    assert_eq!(answer.status(), 204, "{name}");
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// Where things are that are alice's.
struct Things {
    recording: String,
    session: String,
}

impl Things {
    fn path(&self, path: &str) -> String {
        let id = if path.contains("/recordings/") { &self.recording } else { &self.session };
        let path = path
            .replace("{id}", id)
            .replace("{path}", "session.json")
            .replace("{file}", if path.contains("/events/") { "00001.jsonl" } else { "00001.m4s" })
            .replace("{note}", "nowhere")
            .replace("{upload}", "nowhere")
            .replace("{name}", "mine");
        assert!(!path.contains('{'), "a parameter that this test does not know: {path}");
        match path.as_str() {
            "/api/search" => "/api/search?q=x".to_owned(),
            path if path.ends_with("/files") => format!("{path}?name=x.txt"),
            path => path.to_owned(),
        }
    }
}

async fn status(gate: &Gate, method: &str, path: &str, cookie: Option<&str>, origin: Option<&str>) -> u16 {
    // What uploads ask for, whole and in pieces, so that it is the person who is refused and not the form.
    let kind = if method == "patch" { "application/offset+octet-stream" } else { "application/json" };
    let tus = [
        ("tus-resumable", "1.0.0"),
        ("upload-length", "2"),
        ("upload-offset", "0"),
        ("upload-metadata", "filename YQ=="),
    ];
    let mut headers = vec![("content-type", kind)];
    headers.extend(tus);
    headers.extend(cookie.map(|cookie| ("cookie", cookie)));
    headers.extend(origin.map(|origin| ("origin", origin)));
    if path.ends_with("/rfb") {
        headers.extend([
            ("upgrade", "websocket"),
            ("connection", "upgrade"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
            ("sec-websocket-protocol", "binary"),
        ]);
    }
    let body = match path {
        "/api/sessions" => json!({"desktop": "desk"}),
        "/api/filters/mine" => json!({"query": "denied=true"}),
        path if path.ends_with("/notes") => json!({"at": 5, "text": "seen"}),
        path if path.ends_with("/hold") => json!({"reason": "because"}),
        _ => json!({}),
    };
    let method: Method = method.to_uppercase().parse().unwrap();
    let body = (!method.is_safe()).then_some(body);
    let api = Api::new(&gate.url, None);
    let sent = api.send(method, path, &headers, body);
    tokio::time::timeout(PATIENCE, sent).await.unwrap().unwrap().status().as_u16()
}

#[test]
fn every_route_that_is_described_is_in_the_table() {
    let described: Value = serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap();
    let mut described: Vec<(String, String)> = described["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())))
        .collect();
    let table = ROUTES.iter().map(|(method, path, _)| (*method, *path)).chain(DOORS);
    let mut table: Vec<_> = table.map(|(method, path)| (method.to_owned(), path.to_owned())).collect();
    described.sort();
    table.sort();
    assert_eq!(described, table);
}

/// W1, W4, W5: on every route, over a real recording and a live session: nobody, somebody else, an auditor of others, who is revoked, and
/// a foreign page that has the owner's own cookie.
#[tokio::test]
async fn everybody_who_must_be_is_refused() {
    let gate = Gate::start(&plan()).await.unwrap();
    let alice = account(&gate, "alice", "users").await;
    let open = async || {
        let headers = [("cookie", alice.as_str()), ("origin", gate.url.as_str())];
        let body = Some(json!({"desktop": "desk"}));
        let answer = Api::new(&gate.url, None).send(Method::POST, "/api/sessions", &headers, body).await.unwrap();
        assert_eq!(answer.status(), 201);
        answer.json::<portcullis_tests::Opened>().await.unwrap()
    };
    let things = Things { recording: open().await.id, session: open().await.id };
    let own = |path: &str| things.path(path);
    assert_eq!(
        status(&gate, "delete", &format!("/api/sessions/{}", things.recording), Some(&alice), Some(&gate.url)).await,
        204
    );
    let there = own("/api/recordings/{id}/index.m3u8");
    let end = std::time::Instant::now() + PATIENCE;
    while status(&gate, "get", &there, Some(&alice), None).await != 200 {
        assert!(std::time::Instant::now() < end, "the recording is not to be had");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }

    let bob = account(&gate, "bob", "users").await;
    let lena = account(&gate, "lena", "leads").await;
    let carol = account(&gate, "carol", "auditors,administrators").await;
    assert_eq!(
        status(&gate, "get", &own("/api/recordings/{id}"), Some(&carol), None).await,
        200,
        "before she is revoked"
    );
    gate.run(&["revoke", "--subject", "carol", "--issuer", "local"]).unwrap();
    while status(&gate, "get", "/api/me", Some(&carol), None).await != 401 {
        assert!(std::time::Instant::now() < end, "she is not out");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }

    // Before the table has them sign out.
    let list =
        Api::new(&gate.url, None).send(Method::GET, "/api/recordings", &[("cookie", &lena)], None).await.unwrap();
    assert_eq!(list.json::<Value>().await.unwrap()["recordings"], json!([]), "an auditor of others sees none of them");

    let mut wrong = Vec::new();
    for (method, path, whose) in ROUTES {
        let (path, safe) = (own(path), matches!(method, "get" | "head"));
        let foreign = if safe { None } else { Some("https://evil.example") };
        let (nobody, other, revoked, forged) = match whose {
            Open(status) => (status, status, status, if safe { status } else { 403 }),
            Signed => (401, 0, 401, 403),
            Found => (401, 404, 401, 403),
            Ticket => (400, 400, 400, 400),
        };
        let own_page = Some(gate.url.as_str());
        for (who, cookie, origin, expected) in [
            ("nobody", None, own_page, nobody),
            ("bob", Some(&bob), own_page, other),
            ("lena", Some(&lena), own_page, other),
            ("carol", Some(&carol), own_page, revoked),
            ("a foreign page", Some(&alice), foreign, forged),
        ] {
            // Each their own, and what is safe to ask for from anywhere without being read: there is nothing to refuse.
            if expected == 0 || (who == "a foreign page" && safe) {
                continue;
            }
            let status = status(&gate, method, &path, cookie.map(String::as_str), origin).await;
            if status != expected {
                wrong.push(format!("{method} {path} as {who}: {status}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    // What nobody could reach is still there, and its owner's.
    assert_eq!(status(&gate, "get", &own("/api/sessions/{id}"), Some(&alice), None).await, 200);
    let headers = [("cookie", alice.as_str()), ("origin", gate.url.as_str())];
    let ticket =
        Api::new(&gate.url, None).send(Method::POST, &own("/api/sessions/{id}/tickets"), &headers, None).await.unwrap();
    assert_eq!(ticket.status(), 201);
}
