//! Text that was on a real desktop, end to end: recorded by a real gate, read by the real tesseract once the session has ended, found by a search.

use portcullis_tests::{DesktopProbe, Gate, until};
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use serde_json::Value;

use super::plan;

const ASKS: &str = "policy: text\napplies: {groups: [testers], desktops: [bare]}\nrecording: {text: read}\n\
    screen: {mask: [{x: 0, y: 360, width: 640, height: 120}]}\n";

/// Somebody who is signed in at the portal by the gate's one-time link.
struct Portal {
    http: reqwest::Client,
    url: String,
    cookie: String,
}

impl Portal {
    async fn enter(gate: &Gate) -> Self {
        let link = gate.link.split("/sign-in#").nth(1).expect("a link");
        let (http, url) = (reqwest::Client::new(), gate.url.clone());
        let body = serde_json::json!({ "link": link.trim() });
        let answer = http.post(format!("{url}/api/sign-in")).header(ORIGIN, &url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        Self { http, url, cookie }
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("{}{path}", self.url)).header(COOKIE, &self.cookie).send().await.unwrap()
    }

    async fn hits(&self, query: &str) -> Vec<Value> {
        let answer: Value = self.get(&format!("/api/search?{query}")).await.json().await.unwrap();
        answer["hits"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// How a reading of a recording stands once nothing of it is wanted any more.
    async fn settled(&self, id: &str, kind: &str) -> Value {
        until("it was read", async || {
            let told: Value = self.get(&format!("/api/recordings/{id}")).await.json().await?;
            let standing = told["readings"][kind].clone();
            Ok(Some(standing).filter(|standing| standing["state"] != "wanted" && standing["reason"] != "running"))
        })
        .await
        .unwrap()
    }
}

/// A window of black letters on white that fills the screen: some stand at the top unless there is a file `gone` in the desktop's folder, some further down, some below a mask.
fn window(desktop: &DesktopProbe) -> std::process::Child {
    let shows = r#"printf '\033[?25l\033[12;3H%s\033[23;3H%s' '<script>alert(1)</script> stands here' 'Password correcthorse'
        while :; do
            if [ -e /home/transfer/gone ]; then top=; else top='Quarterly payroll transfer'; fi
            printf '\033[3;3H%-30s' "$top"
            sleep 0.1
        done"#;
    let look = ["-bg", "white", "-fg", "black", "+sb", "-fa", "DejaVu Sans Mono", "-fs", "11", "-e", "sh", "-c", shows];
    desktop.spawn("xterm", &look).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_on_a_screen_is_found_where_and_when_it_was() {
    // Nobody connects: what is on the desktop is recorded all the same.
    let mut plan = plan().policy("text.yaml", ASKS);
    plan.config = plan.config.replace("reconnect_seconds = 20", "reconnect_seconds = 300");
    let mut gate = Gate::start(&plan).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    // Dark pixels of some rows: letters, where the rest is white.
    let letters = async |from: usize, to: usize| {
        let screen = desktop.picture().await?;
        let rows = screen.pixels()[from * 640 * 4..to * 640 * 4].chunks_exact(4);
        Ok::<_, anyhow::Error>(rows.filter(|pixel| pixel[..3].iter().all(|colour| *colour < 60)).count())
    };
    let (text, top) = (150..5000, (30, 120));
    let mut window = window(&desktop);
    until("the words are there", async || {
        let all = [letters(top.0, top.1).await?, letters(180, 300).await?, letters(380, 470).await?];
        Ok(all.iter().all(|count| text.contains(count)).then_some(()))
    })
    .await
    .unwrap();
    // Long enough to rest, and to be told from what follows.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let gone = desktop.transfer().join("gone");
    std::fs::write(&gone, "").unwrap();
    until("they are gone", async || Ok((letters(top.0, top.1).await? < 50).then_some(()))).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;

    let portal = Portal::enter(&gate).await;
    std::fs::remove_file(&gone).unwrap();
    until("they are there again", async || Ok(text.contains(&letters(top.0, top.1).await?).then_some(())))
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let early = portal.hits("q=payroll").await;
    assert!(early.is_empty(), "nothing is read while the session runs: {early:?}");
    // Where the letters are, by the desktop itself: once the hits are known, it is gone.
    let screen = desktop.picture().await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    let _ = window.wait();

    let text = portal.settled(&opened.id, "text").await;
    assert_eq!((&text["state"], &text["failed"]), (&"made".into(), &0.into()), "{text}\n{}", gate.log_text());
    let found = portal.hits(&format!("q=%22quarterly%20payroll%20transfer%22&recording={}", opened.id)).await;
    assert_eq!(found.len(), 2, "it stood there twice: {found:?}");
    let (second, first) = (&found[0], &found[1]);
    assert!(first["screen"]["until"].as_u64() < second["at"].as_u64(), "{found:?}");
    let stood = first["screen"]["until"].as_u64().unwrap() - first["at"].as_u64().unwrap();
    assert!((2500..15_000).contains(&stood), "three seconds and what it took to look: {stood} ms");
    assert_eq!(first["screen"]["x"], second["screen"]["x"]);
    // The box has the letters, and nothing of them is beside it.
    let number = |name: &str| second["screen"][name].as_u64().unwrap() as usize;
    let is_dark = |x: usize, y: usize| screen.pixels()[(y * 640 + x) * 4..][..3].iter().all(|colour| *colour < 100);
    let rows = number("y")..number("y") + number("height");
    let count = |columns: std::ops::Range<usize>| {
        rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y))).filter(|(x, y)| is_dark(*x, *y)).count()
    };
    let (left, right) = (number("x"), number("x") + number("width"));
    assert!(count(left..right) > 300, "{second}");
    assert_eq!(count(left.saturating_sub(2)..left) + count(right + 1..right + 3), 0, "{second}");

    let markup = portal.hits("q=alert%20stands&kind=screen").await;
    assert_eq!(markup.len(), 1, "{markup:?}");
    let words = markup[0]["snippet"]["text"].as_str().unwrap();
    assert!(words.contains("<script>") && words.contains("</script>"), "text, as it stood there: {words}");
    assert!(portal.hits("q=correcthorse").await.is_empty(), "what a mask hides was not recorded, and is not read");
    let small = portal.get(&format!("/api/recordings/{}/thumbnail", opened.id)).await;
    assert_eq!(small.headers()["content-type"], "image/jpeg");
    let small = small.bytes().await.unwrap();
    assert!(small.starts_with(&[0xff, 0xd8, 0xff]) && small.len() < 20_000);

    // A session that no policy asks it of is not read.
    let other = gate.api("alice", "testers", "desk").unwrap();
    let unread = other.open("desk").await.unwrap();
    other.end(&unread.id).await.unwrap();
    other.wait_gone(&unread.id).await.unwrap();
    let standing = portal.settled(&unread.id, "text").await;
    assert_eq!((&standing["state"], &standing["reason"]), (&"none".into(), &"not_asked".into()));

    // The index comes back from what lies beside the bundles; nothing is left to read with.
    gate.stop().await.unwrap();
    gate.configure("[sessions]", "[text]\nprogram = \"/nowhere/tesseract\"\n[sessions]").unwrap();
    let said = gate.run(&["recordings", "rebuild-index"]).unwrap();
    assert!(said.contains("2 recordings in the index"), "{said}");
    gate.launch().await.unwrap();
    let portal = Portal::enter(&gate).await;
    let rebuilt = portal.hits(&format!("q=%22quarterly%20payroll%20transfer%22&recording={}", opened.id)).await;
    assert_eq!(rebuilt, found);
    assert_eq!(portal.get(&format!("/api/recordings/{}/thumbnail", opened.id)).await.bytes().await.unwrap(), small);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_cannot_read_says_so_and_keeps_why() {
    let mut plan = plan().policy("text.yaml", ASKS);
    plan.config.insert_str(0, "[text]\nprogram = \"/nowhere/tesseract\"\n");
    let gate = Gate::start(&plan).await.unwrap();
    until("the log says it", async || {
        let log = gate.log_text();
        let said = log.contains("policy asks that the text on the screen be read, and it cannot be");
        Ok((said && log.contains("text.yaml:3") && log.contains("/nowhere/tesseract")).then_some(()))
    })
    .await
    .unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    let portal = Portal::enter(&gate).await;
    let text = portal.settled(&opened.id, "text").await;
    assert_eq!(
        (&text["state"], &text["reason"]),
        (&"failed".into(), &"/nowhere/tesseract is not on this machine".into())
    );
    assert_eq!(portal.settled(&opened.id, "thumbnail").await["state"], "made", "what needs no reader is made");
    let (sound, report) = gate.verify(&gate.bundle(&opened.id).unwrap()).unwrap();
    assert!(sound, "{report}");
}
