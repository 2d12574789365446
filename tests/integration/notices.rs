//! What a session's page is told beside pixels, over a real gate and a real desktop.

use portcullis_tests::{Api, Gate, PATIENCE, Viewer, of_type};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::policy_change::in_utc;
use super::refusals::forged;
use super::{events, plan};

/// A page that listens.
pub(crate) struct Page {
    answer: Response,
    text: String,
}

impl Page {
    pub(crate) async fn listen(api: &Api, session: &str) -> Result<Self, (StatusCode, String)> {
        let path = format!("/api/sessions/{session}/notices");
        let answer = api.send(Method::GET, &path, &[("accept", "text/event-stream")], None).await.unwrap();
        if answer.status() != StatusCode::OK {
            return Err((answer.status(), answer.text().await.unwrap()));
        }
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Ok(Self { answer, text: String::new() })
    }

    /// The next notice; none when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name).map(str::trim));
                // A comment keeps the connection open and says nothing.
                let Some(data) = line("data:") else { continue };
                let notice: Value = serde_json::from_str(data).unwrap();
                assert_eq!(Some(notice["type"].as_str().unwrap()), line("event:"));
                return Some(notice);
            }
            let chunk = timeout(PATIENCE, self.answer.chunk()).await.expect("a notice").unwrap()?;
            self.text += std::str::from_utf8(&chunk).unwrap();
        }
    }
}

const RULES: &str = "policy: notices\napplies: {}\nsession: {idle: 6s, warning: 3s}\ninput: {blocked_chords: [F12]}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_told_of_the_end_before_it_comes_and_of_what_was_refused() {
    let gate = Gate::start(&plan().policy("notices.yaml", RULES)).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let mut page = Page::listen(&api, &opened.id).await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();

    viewer.key(0xffc9).await.unwrap();
    let refused = page.next().await.unwrap();
    assert_eq!((&refused["type"], &refused["what"]), (&"refused".into(), &"chord".into()), "{refused}");
    assert!(
        refused["rule"] == "notices.yaml:4 input.blocked_chords" && refused["why"].as_str().unwrap().contains("F12")
    );

    let ending = page.next().await.unwrap();
    assert_eq!((&ending["type"], &ending["why"]), (&"ending".into(), &"idle".into()), "{ending}");
    assert_eq!(ending["rule"], "notices.yaml:3 session.idle");
    let left = ending["left_ms"].as_u64().unwrap();
    assert!((1000..=3000).contains(&left) && ending["at"].as_str().unwrap().starts_with("20"), "{ending}");
    // Whoever looks later is told of what is near.
    let mut late = Page::listen(&api, &opened.id).await.unwrap();
    assert_eq!(late.next().await.unwrap()["type"], "ending");

    viewer.key(0x61).await.unwrap();
    assert_eq!(page.next().await.unwrap()["type"], "staying");
    assert_eq!(page.next().await.unwrap()["type"], "ending");
    let ended = page.next().await.unwrap();
    assert_eq!((&ended["type"], &ended["rule"]), (&"ended".into(), &"notices.yaml:3 session.idle".into()), "{ended}");
    assert_eq!(page.next().await, None, "the stream ends with the session");
    api.wait_gone(&opened.id).await.unwrap();
    let events = events(&gate.bundle(&opened.id).unwrap()).unwrap();
    assert_eq!(of_type(&events, "input").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_are_for_the_owner_and_bounded() {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let foreign = Page::listen(&gate.api("bob", "testers", "bare").unwrap(), &opened.id).await;
    assert_eq!(foreign.err().map(|(status, _)| status), Some(StatusCode::NOT_FOUND));
    let admin = Page::listen(&gate.api("eve", "administrators", "bare").unwrap(), &opened.id).await;
    assert_eq!(admin.err().map(|(status, _)| status), Some(StatusCode::FORBIDDEN));
    let nobody = Page::listen(&Api::new(&gate.url, None), &opened.id).await;
    assert_eq!(nobody.err().map(|(status, _)| status), Some(StatusCode::UNAUTHORIZED));
    let mut pages = Vec::new();
    for _ in 0..16 {
        pages.push(Page::listen(&api, &opened.id).await.unwrap());
    }
    let (status, _) = Page::listen(&api, &opened.id).await.err().unwrap();
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    api.end(&opened.id).await.unwrap();
    for mut page in pages {
        assert_eq!(page.next().await.unwrap()["why"], "ended by alice");
        assert_eq!(page.next().await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_hours_and_of_a_tokens_time_are_told_before_they_come() {
    let ((_, start), (_, end)) = (in_utc(23 * 3600), in_utc(20 * 60));
    let hours = format!(
        "policy: tests\napplies: {{groups: [testers], hours: 'daily {start}-{end} UTC'}}\nallow: {{control: {{}}}}\nsession: {{warning: 30m}}\n"
    );
    let gate = Gate::start(&plan().policy("tests.yaml", &hours)).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let mut page = Page::listen(&api, &opened.id).await.unwrap();
    let ending = page.next().await.unwrap();
    assert_eq!(
        (&ending["type"], &ending["why"], &ending["rule"]),
        (&"ending".into(), &"hours".into(), &"default deny".into())
    );
    assert!(ending["left_ms"].as_u64().unwrap() <= 20 * 60 * 1000, "{ending}");
    std::fs::write(
        gate.policies().join("tests.yaml"),
        "policy: tests\napplies: {groups: [testers]}\nallow: {control: {}}\n",
    )
    .unwrap();
    assert_eq!(page.next().await.unwrap()["type"], "staying", "the policy has changed");
    api.end(&opened.id).await.unwrap();

    let brief = |claims: &mut Value| {
        claims["until"] = json!(claims["iat"].as_i64().unwrap() + 30);
        claims["desktop"] = json!("bare");
    };
    let api = Api::new(&gate.url, Some(forged(&gate, brief, |_| {})));
    let opened = api.open("bare").await.unwrap();
    let mut page = Page::listen(&api, &opened.id).await.unwrap();
    let ending = page.next().await.unwrap();
    assert_eq!((&ending["why"], &ending["rule"]), (&"until".into(), &"".into()), "{ending}");
    assert!(ending["left_ms"].as_u64().unwrap() <= 30_000, "{ending}");
    api.end(&opened.id).await.unwrap();
    assert_eq!(page.next().await.unwrap()["type"], "ended");
}
