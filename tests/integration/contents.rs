//! Rules on what texts contain, over a real gate and a real X clipboard: what is found is stopped, redacted or told of, and never shown.

use std::path::Path;

use portcullis_evidence::{Event, Identities, kept};
use portcullis_tests::clipboard::{NOTIFY, REQUEST, TEXT, extended};
use portcullis_tests::gate::Plan;
use portcullis_tests::viewer::Heard;
use portcullis_tests::{Gate, Repository, Viewer, until};
use serde_json::Value;

use super::clipboard::{Desk, copy};
use super::notices::Page;
use super::policy_git::{Person, follows, metrics};
use super::{of_type, plan};

const RULES: &str = "\
policy: contents
applies: {groups: [testers]}
allow: {paste: {}, copy: {}}
deny:
  - {actions: [paste, copy], containing: [private-key, 'regex:(?i)project\\s+aurora', 'words:codenames.txt']}
  - {actions: [paste, copy], containing: [payment-card], then: redact}
  - {actions: [paste, copy], containing: [iban], then: alert}
";
const CARD: &str = "4111 1111 1111 1111";
const IBAN: &str = "DE89 3704 0044 0532 0130 00";

fn ruled() -> Plan {
    plan().policy("contents.yaml", RULES).policy("codenames.txt", "# whatever is called so\nnightfall\n")
}

/// What a page is told next, which must be of this kind, name the policy, and tell nothing of what was found or is looked for.
async fn told(page: &mut Page, what: &str) {
    let notice = page.next().await.unwrap();
    assert_eq!((&notice["type"], &notice["what"]), (&"refused".into(), &what.into()), "{notice}");
    assert!(notice["why"].as_str().unwrap().contains("the policy contents"), "{notice}");
    assert!(notice["rule"].as_str().unwrap().starts_with("contents.yaml:"), "{notice}");
    let shown = notice.to_string().to_lowercase();
    for secret in ["4111", "card", "nightfall", "codenames", "aurora", "regex", "words"] {
        assert!(!shown.contains(secret), "{notice}");
    }
}

/// Type, effect, what was found and in how many places it was redacted, of each text.
fn judged(events: &[Value], kind: &str) -> Vec<(String, String, u64)> {
    let row = |event: &&Value| {
        let found: Vec<&str> = event["found"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let effect = event["effect"].as_str().unwrap().to_owned();
        (effect, found.join(" "), event["redacted"].as_u64().unwrap_or(0))
    };
    of_type(events, kind).iter().map(row).collect()
}

fn row(effect: &str, found: &str, redacted: u64) -> (String, String, u64) {
    (effect.to_owned(), found.to_owned(), redacted)
}

/// No file below a folder has any of these texts in it.
fn nowhere(folder: &Path, texts: &[&str]) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            nowhere(&path, texts);
        } else if let Ok(bytes) = std::fs::read(&path) {
            for text in texts {
                let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
                assert!(!found, "a text is in {}", path.display());
            }
        }
    }
}

/// The gate's log has nothing of what crossed, nor of what is looked for.
fn log_is_clean(desk: &Desk) {
    let log = desk.gate.log_text().to_lowercase();
    for text in [CARD, IBAN, "nightfall", "aurora", "1111 1111"] {
        assert!(!log.contains(&text.to_lowercase()), "{text} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pasted_is_stopped_redacted_or_told_of() {
    let mut plan = ruled();
    plan.config = format!("metrics = \"127.0.0.1:0\"\n{}", plan.config);
    let desk = Desk::on(&plan).await;
    let mut page = Page::listen(&desk.api, &desk.opened.id).await.ok().unwrap();
    let mut viewer = desk.viewer().await;

    viewer.paste(&format!("my card: {CARD}, as agreed.")).await.unwrap();
    desk.pastes("my card: [redacted], as agreed.").await;
    told(&mut page, "paste_redacted").await;
    viewer.paste(&format!("pay to {IBAN}.")).await.unwrap();
    desk.pastes(&format!("pay to {IBAN}.")).await;
    for evasion in
        ["about n\u{200b}ight\u{ad}fall.", "about \u{0440}roject aur\u{043e}ra.", "see cHJvamVjdCBhdXJvcmEgaXMgb24=."]
    {
        viewer.paste(evasion).await.unwrap();
        told(&mut page, "paste").await;
    }
    // In two parts: the first is nothing, the second completes it.
    viewer.paste("the first half is 4111 1111 ").await.unwrap();
    desk.pastes("the first half is 4111 1111 ").await;
    viewer.paste("1111 1111 is the other.").await.unwrap();
    desk.pastes("[redacted] is the other.").await;
    told(&mut page, "paste_redacted").await;

    let told = metrics(&desk.gate).await;
    for line in [
        "{detector=\"payment-card\",effect=\"redact\"} 2",
        "{detector=\"iban\",effect=\"alert\"} 1",
        "{detector=\"regex\",effect=\"deny\"} 2",
        "{detector=\"words\",effect=\"deny\"} 1",
        "{detector=\"jwt\",effect=\"deny\"} 0",
    ] {
        assert!(told.contains(&format!("portcullis_contents_found_total{line}\n")), "{told}");
    }
    for line in
        ["{way=\"paste\",effect=\"permit\"} 4", "{way=\"paste\",effect=\"deny\"} 3", "{way=\"copy\",effect=\"deny\"} 0"]
    {
        assert!(told.contains(&format!("portcullis_texts_total{line}\n")), "{told}");
    }
    let events = desk.end().await;
    nowhere(&desk.gate.data(), &[CARD, "as agreed", "ightfall", "1111 1111"]);
    assert_eq!(
        judged(&events, "paste"),
        [
            row("permit", "payment-card", 1),
            row("permit", "iban", 0),
            row("deny", "words:codenames.txt", 0),
            row("deny", "regex", 0),
            row("deny", "regex", 0),
            row("permit", "", 0),
            row("permit", "payment-card", 1),
        ]
    );
    let pastes = of_type(&events, "paste");
    assert_eq!(pastes[0]["rule"], "contents.yaml:6 deny[1].containing");
    assert!(pastes[0]["reason"].as_str().unwrap().starts_with("contents.yaml:6 "), "{}", pastes[0]);
    // Size and hash are of what was offered.
    assert_eq!(pastes[0]["bytes"], format!("my card: {CARD}, as agreed.").len());
    assert_eq!(pastes[1]["rule"], "contents.yaml:7 deny[2].containing");
    assert_eq!(pastes[2]["rule"], "contents.yaml:5 deny[0].containing");
    assert_eq!(pastes[5]["rule"], "contents.yaml:3 allow.paste");
    log_is_clean(&desk);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_copied_is_stopped_redacted_or_told_of() {
    let desk = Desk::on(&ruled()).await;
    let mut page = Page::listen(&desk.api, &desk.opened.id).await.ok().unwrap();
    let mut viewer = desk.viewer().await;

    let _owner = copy(&desk.desktop, "clipboard", format!("out: {CARD}.").as_bytes());
    assert_eq!(viewer.copied().await.unwrap(), "out: [redacted].");
    told(&mut page, "copy_redacted").await;
    let _owner = copy(&desk.desktop, "clipboard", b"named nIGHTfall.");
    told(&mut page, "copy").await;
    // Each half for itself is nothing; what was stopped did not cross, so the second half comes alone.
    let _owner = copy(&desk.desktop, "clipboard", b"half 4111 1111 ");
    assert_eq!(viewer.copied().await.unwrap(), "half 4111 1111 ");
    let _owner = copy(&desk.desktop, "clipboard", b"nightfall 1111 1111.");
    told(&mut page, "copy").await;
    let _owner = copy(&desk.desktop, "clipboard", b"1111 1111 is the rest.");
    assert_eq!(viewer.copied().await.unwrap(), "[redacted] is the rest.");
    told(&mut page, "copy_redacted").await;
    let _owner = copy(&desk.desktop, "clipboard", IBAN.as_bytes());
    assert_eq!(viewer.copied().await.unwrap(), IBAN);

    let events = desk.end().await;
    nowhere(&desk.gate.data(), &[CARD, "IGHTfall", "1111 1111", IBAN]);
    log_is_clean(&desk);
    assert_eq!(
        judged(&events, "copy"),
        [
            row("permit", "payment-card", 1),
            row("deny", "words:codenames.txt", 0),
            row("permit", "", 0),
            row("deny", "words:codenames.txt", 0),
            row("permit", "payment-card", 1),
            row("permit", "iban", 0),
        ]
    );
}

/// What crossed to the gate under an older policy is looked at again when it is asked for under a new one.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_rule_holds_for_a_text_that_was_offered_before() {
    let open = "policy: contents\napplies: {groups: [testers]}\nallow: {paste: {}, copy: {}}\n";
    let desk = Desk::on(&plan().policy("contents.yaml", open)).await;
    let mut viewer = desk.viewer().await;
    let _owner = copy(&desk.desktop, "clipboard", format!("it is {CARD}.").as_bytes());
    let offer = Heard::Clipboard(NOTIFY | TEXT, Vec::new());
    viewer.until("the announcement", |heard| (heard == offer).then_some(())).await.unwrap();
    let ruled = open.replace("copy: {}}", "copy: {max_bytes: 2 KiB}}");
    let rule = "deny: [{actions: [copy], containing: [payment-card], then: redact}]\n";
    std::fs::write(desk.gate.policies().join("contents.yaml"), format!("{ruled}{rule}")).unwrap();
    until("the policy is in force", async || {
        let session = desk.api.get(&format!("/api/sessions/{}", desk.opened.id)).await?;
        Ok((session["allows"]["copy_bytes"] == 2048).then_some(()))
    })
    .await
    .unwrap();
    viewer.send(&extended(REQUEST | TEXT, &[])).await.unwrap();
    let withdrawn = Heard::Clipboard(NOTIFY, Vec::new());
    viewer.until("it is taken back", |heard| (heard == withdrawn).then_some(())).await.unwrap();
    // What is copied now is redacted, and asked for as often as one likes.
    let _owner = copy(&desk.desktop, "clipboard", format!("once more {CARD}.").as_bytes());
    assert_eq!(viewer.copied().await.unwrap(), "once more [redacted].");
    viewer.send(&extended(REQUEST | TEXT, &[])).await.unwrap();
    let provided = |heard| matches!(heard, Heard::Clipboard(..)).then_some(heard);
    assert_ne!(viewer.until("an answer", provided).await.unwrap(), withdrawn);
    let events = desk.close(&[CARD]).await;
    assert_eq!(
        judged(&events, "copy"),
        [row("permit", "", 0), row("deny", "payment-card", 0), row("permit", "payment-card", 1)]
    );
    assert_eq!(of_type(&events, "copy")[1]["rule"], "contents.yaml:4 deny[0].containing");
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_bytes_cross_and_all_viewers_count_together() {
    let rules = "policy: contents\napplies: {groups: [testers]}\nallow: {paste: {bytes_per_session: 20 B}, copy: {bytes_per_minute: 20 B}}\n";
    let desk = Desk::on(&plan().policy("contents.yaml", rules)).await;
    let mut page = Page::listen(&desk.api, &desk.opened.id).await.ok().unwrap();
    let mut viewer = desk.viewer().await;
    let again = desk.api.ticket(&desk.opened.id).await.unwrap();
    let mut other = Viewer::connect_extended(&desk.gate.url, &again).await.unwrap();
    viewer.paste("fifteen bytes..").await.unwrap();
    desk.pastes("fifteen bytes..").await;
    other.paste("six...").await.unwrap();
    let notice = page.next().await.unwrap();
    assert_eq!(
        (&notice["what"], &notice["rule"]),
        (&"paste".into(), &"contents.yaml:3 allow.paste.bytes_per_session".into())
    );
    assert!(notice["why"].as_str().unwrap().contains("20 B"), "{notice}");
    other.paste("five.").await.unwrap();
    desk.pastes("five.").await;
    let _owner = copy(&desk.desktop, "clipboard", b"twenty one bytes.....");
    assert_eq!(page.next().await.unwrap()["rule"], "contents.yaml:3 allow.copy.bytes_per_minute");
    let _owner = copy(&desk.desktop, "clipboard", b"twenty bytes........");
    assert_eq!(viewer.copied().await.unwrap(), "twenty bytes........");
    let events = desk.close(&["bytes.."]).await;
    let effects = |kind| of_type(&events, kind).iter().map(|event| event["effect"].clone()).collect::<Vec<_>>();
    assert_eq!(effects("paste"), ["permit", "deny", "permit"]);
    assert_eq!(effects("copy"), ["deny", "permit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn words_come_from_the_repository_with_their_commit() {
    let rules = RULES.replace("codenames.txt", "lists/names.txt");
    let testers = &plan().policies[0].1;
    let files = [("tests.yaml", testers.as_str()), ("contents.yaml", &rules), ("lists/names.txt", "nightfall\n")];
    let repository = Repository::new(&files).unwrap();
    let address = repository.path().display().to_string();
    let desk = Desk::on(&follows(&address, "poll_seconds = 1")).await;
    let mut page = Page::listen(&desk.api, &desk.opened.id).await.ok().unwrap();
    let mut viewer = desk.viewer().await;
    viewer.paste("the night nightfall.").await.unwrap();
    told(&mut page, "paste").await;
    let (first, person) = (repository.head().unwrap(), Person::of(&desk.gate).await);
    let second = repository.commit(&[("lists/names.txt", "daybreak\n")]).unwrap();
    person.live(&second).await;
    viewer.paste("the day daybreak.").await.unwrap();
    told(&mut page, "paste").await;
    viewer.paste("the night nightfall.").await.unwrap();
    desk.pastes("the night nightfall.").await;
    // A list that is none is refused by its line, and the last good commit stays.
    let third = repository.commit(&[("lists/names.txt", "dusk\n...\n")]).unwrap();
    let faults = person.refused(&third).await;
    assert!(faults.contains("lists/names.txt") && faults.contains("no letter and no digit"), "{faults}");
    viewer.paste("the day daybreak.").await.unwrap();
    told(&mut page, "paste").await;
    let events = desk.close(&["nightfall", "daybreak"]).await;
    let revisions: Vec<&str> =
        of_type(&events, "paste").iter().map(|event| event["policy"].as_str().unwrap()).collect();
    assert_eq!(revisions, [&*first, &*second, &*second, &*second]);
}

const AUDITOR: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

#[tokio::test(flavor = "multi_thread")]
async fn what_policy_keeps_is_on_the_chain_for_the_auditor_alone() {
    let auditor = Identities::read(AUDITOR).unwrap();
    let mut plan = ruled();
    plan.config = format!("{}\n[recording]\nrecipients = [\"{}\"]\nencrypt = false\n", plan.config, auditor.names()[0]);
    let plan = plan.policy("contents.yaml", &RULES.replace("paste: {}", "paste: {keep: contents}"));
    let desk = Desk::on(&plan).await;
    let mut page = Page::listen(&desk.api, &desk.opened.id).await.ok().unwrap();
    let mut viewer = desk.viewer().await;
    let long: String = (0..3000).map(|line| format!("line {line}\n")).collect();
    let texts = [format!("kept, {CARD}."), "kept, nightfall.".to_owned(), long, "kept as it is".to_owned()];
    viewer.paste(&texts[0]).await.unwrap();
    told(&mut page, "paste_redacted").await;
    viewer.paste(&texts[1]).await.unwrap();
    told(&mut page, "paste").await;
    viewer.paste(&texts[2]).await.unwrap();
    desk.pastes(&texts[2]).await;
    viewer.paste(&texts[3]).await.unwrap();
    desk.pastes(&texts[3]).await;

    let shown = desk.end().await;
    let (sound, report) = desk.gate.verify(&desk.gate.bundle(&desk.opened.id).unwrap()).unwrap();
    assert!(sound, "{report}");
    let events: Vec<Event> = shown.iter().map(|event| serde_json::from_value(event.clone()).unwrap()).collect();
    let pastes = of_type(&shown, "paste");
    let effects: Vec<&Value> = pastes.iter().map(|event| &event["effect"]).collect();
    assert_eq!(effects, ["permit", "deny", "permit", "permit"]);
    for (paste, text) in pastes.iter().zip(&texts) {
        assert_eq!(kept(&events, paste["seq"].as_u64().unwrap(), &auditor).unwrap(), *text);
    }
    let contents = of_type(&shown, "contents");
    assert!(contents.len() > 6 && contents.iter().all(|event| event["rule"] == "contents.yaml:3 allow.paste.keep"));
    nowhere(&desk.gate.data(), &[CARD, "kept, n", "kept as it", "line 299"]);
    log_is_clean(&desk);
}

#[tokio::test]
async fn a_gate_without_recipients_refuses_to_keep_anything() {
    let plan = ruled().policy("contents.yaml", &RULES.replace("paste: {}", "paste: {keep: contents}"));
    let refused = format!("{:#}", Gate::start(&plan).await.unwrap_err());
    assert!(refused.contains("contents.yaml:3: `allow.paste.keep` keeps contents"), "{refused}");
    assert!(refused.contains("recording.recipients"), "{refused}");
}
