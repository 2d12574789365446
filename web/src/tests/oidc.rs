//! Sign-in by a provider that does as the test says: what a good one does, and what none should.

mod answers;
mod logouts;
mod script;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use openidconnect::url::Url;
use serde_json::json;

use super::{Answer, Gate, ORIGIN_HERE, signed};
use crate::oidc::tests::config;
use crate::{Act, ProviderConfig, Way};
use script::Script;

/// A gate with this provider, called `corp`.
async fn gate(script: &Script) -> Gate {
    gate_as(script, |_| {}).await
}

async fn gate_as(script: &Script, change: impl FnOnce(&mut ProviderConfig)) -> Gate {
    let mut corp = config(&script.issuer);
    change(&mut corp);
    Gate::open_as(|config| config.providers = vec![corp]).await
}

/// A sign-in that has begun: what the provider was sent, and what the browser keeps.
struct Begun {
    go: Url,
    cookie: String,
}

impl Begun {
    fn sent(&self, name: &str) -> String {
        self.go.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }
}

async fn ask(gate: &Gate, id: &str, body: &serde_json::Value, origin: Option<&str>) -> Answer {
    let mut request =
        signed(Request::post(format!("/api/sign-in/{id}")), None).header(CONTENT_TYPE, "application/json");
    if let Some(origin) = origin {
        request = request.header(ORIGIN, origin);
    }
    gate.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn begin(gate: &Gate, to: &str) -> Begun {
    let answer = ask(gate, "corp", &json!({"to": to}), Some(ORIGIN_HERE)).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    Begun { go: answer.json()["go"].as_str().unwrap().parse().unwrap(), cookie }
}

/// The browser comes back with this query, and perhaps with its cookie.
async fn come_back(gate: &Gate, id: &str, query: &str, cookie: Option<&str>) -> Answer {
    let mut request = signed(Request::get(format!("/api/sign-in/{id}/callback?{query}")), None);
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    gate.send(request.body(Body::empty()).unwrap()).await
}

/// Where the page that is answered moves on to.
fn moves_to(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let page = String::from_utf8(answer.body.to_vec()).unwrap();
    let to = page.split("content=\"0;url=").nth(1).unwrap().split('"').next().unwrap();
    to.replace("&amp;", "&")
}

/// The cookie of a sign-in that an answer sets.
fn cookie(answer: &Answer) -> Option<String> {
    let set = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let value = set.filter_map(|text| text.strip_prefix("portcullis=")).next()?;
    Some(value.split(';').next().unwrap().to_owned())
}

/// Goes through a whole sign-in; what the gate answers.
async fn sign_in(gate: &Gate, script: &Script, to: &str) -> Answer {
    let begun = begin(gate, to).await;
    script.expect(&begun.sent("nonce"), &begun.sent("code_challenge"));
    come_back(gate, "corp", &format!("code=good&state={}", begun.sent("state")), Some(&begun.cookie)).await
}

/// That a sign-in came to nothing, for this reason.
#[track_caller]
fn failed(answer: &Answer, fault: &str) {
    let to = moves_to(answer);
    assert!(to.starts_with(&format!("/sign-in?failed={fault}&by=corp")), "{to}, not {fault}");
    assert_eq!(cookie(answer), None);
}

#[tokio::test]
async fn a_provider_signs_somebody_in() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    let ways = gate.get("/api/sign-in/ways", None).await.json();
    assert_eq!(ways, json!({"providers": [{"id": "corp", "label": "Corp", "reachable": true}], "passwords": false}));

    let begun = begin(&gate, "/recordings?q=a%26b").await;
    assert!(begun.go.as_str().starts_with(&format!("{}/authorize?", script.issuer)), "{}", begun.go);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "portcullis"),
        ("code_challenge_method", "S256"),
        ("scope", "openid groups"),
        ("redirect_uri", "http://localhost:8080/api/sign-in/corp/callback"),
    ] {
        assert_eq!(begun.sent(name), value, "{name}");
    }
    assert!(begun.cookie.starts_with("portcullis-way="));
    script.expect(&begun.sent("nonce"), &begun.sent("code_challenge"));
    let query = format!("code=good&state={}&session_state=x", begun.sent("state"));
    let answer = come_back(&gate, "corp", &query, Some(&begun.cookie)).await;
    assert_eq!(moves_to(&answer), "/recordings?q=a%26b");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    let set: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(set[0].ends_with("; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200"), "{set:?}");
    assert_eq!(set[1], "portcullis-way=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");

    let me = gate.get("/api/me", cookie(&answer).as_deref()).await.json();
    let expected =
        json!({"subject": "u-1", "groups": ["users"], "roles": ["user"], "issuer": script.issuer, "provider": "corp"});
    assert_eq!(me, expected);
    assert_eq!(gate.journal.take(), [(Some("u-1".into()), Act::SignedIn { by: Way::Provider("corp".into()) })]);
}

#[tokio::test]
async fn over_https_the_cookie_is_of_this_host_alone() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    let request = Request::post("/api/sign-in/corp")
        .header("host", "gate.example")
        .header(ORIGIN, "https://gate.example")
        .header(CONTENT_TYPE, "application/json");
    let answer = gate.send(request.body(Body::from("{}")).unwrap()).await;
    let set = answer.header("set-cookie");
    assert!(
        set.starts_with("__Host-portcullis-way=")
            && set.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure"),
        "{set}"
    );
    let go = answer.json()["go"].as_str().unwrap().to_owned();
    assert!(go.contains("redirect_uri=https%3A%2F%2Fgate.example%2Fapi%2Fsign-in%2Fcorp%2Fcallback"), "{go}");
}

#[tokio::test]
async fn a_sign_in_begins_at_a_page_of_ours_and_ends_at_one() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    for origin in [None, Some("https://evil.example"), Some("null")] {
        ask(&gate, "corp", &json!({}), origin).await.is_problem(403);
    }
    for to in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/api/me",
        "/a\"><script>",
    ] {
        ask(&gate, "corp", &json!({"to": to}), Some(ORIGIN_HERE)).await.is_problem(400);
    }
    ask(&gate, "other", &json!({}), Some(ORIGIN_HERE)).await.is_problem(404);
    ask(&gate, "corp", &json!({"more": 1}), Some(ORIGIN_HERE)).await.is_problem(422);
    come_back(&gate, "other", "code=x&state=y", None).await.is_problem(404);
}

#[tokio::test]
async fn the_earlier_sign_in_of_the_browser_is_over() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    let before = gate.cookie_of("alice", &["users"]).await;
    let request = signed(Request::post("/api/sign-in/corp"), Some(&before)).header(ORIGIN, ORIGIN_HERE);
    let answer = gate.send(request.header(CONTENT_TYPE, "application/json").body(Body::from("{}")).unwrap()).await;
    let begun = Begun {
        go: answer.json()["go"].as_str().unwrap().parse().unwrap(),
        cookie: answer.header("set-cookie").split(';').next().unwrap().to_owned(),
    };
    script.expect(&begun.sent("nonce"), &begun.sent("code_challenge"));
    // SameSite=Strict: the sign-in's own cookie does not come back from another site.
    let answer =
        come_back(&gate, "corp", &format!("code=good&state={}", begun.sent("state")), Some(&begun.cookie)).await;
    assert!(cookie(&answer).is_some());
    gate.get("/api/me", Some(&before)).await.is_problem(401);
}

#[tokio::test]
async fn beginning_is_slowed_down() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    let mut last = 0;
    for _ in 0..40 {
        let peer: std::net::SocketAddr = "192.0.2.9:1".parse().unwrap();
        let request = signed(Request::post("/api/sign-in/corp"), None)
            .header(ORIGIN, ORIGIN_HERE)
            .header(CONTENT_TYPE, "application/json")
            .extension(axum::extract::ConnectInfo(peer));
        last = gate.send(request.body(Body::from("{}")).unwrap()).await.status.as_u16();
    }
    assert_eq!(last, 429);
    assert_eq!(script.hits("/.well-known/openid-configuration"), 1, "the provider is not asked for each");
}

/// A provider that is not configured any more has signed nobody in.
#[tokio::test]
async fn who_came_by_a_provider_that_is_gone_is_out() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    let cookie = cookie(&sign_in(&gate, &script, "/").await).unwrap();
    let config = crate::PortalConfig::new(gate.dir().join("portcullis.db"), vec![ORIGIN_HERE.into()]);
    let without = crate::Portal::open(config, gate.vault.clone(), gate.journal.clone()).await.unwrap();
    let headers = signed(Request::get("/"), Some(&cookie)).body(()).unwrap().headers().clone();
    assert!(gate.portal.authenticate(&headers).await.is_some());
    assert_eq!(without.authenticate(&headers).await, None);
}
