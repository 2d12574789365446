//! Rows C5 and C6 of the threat model where rules look at contents: spellings, encodings and pieces that are to carry a secret past them.

use portcullis_proxy::{Bounds, Rate};
use portcullis_rfb::Size;
use portcullis_tests::clipboard::{NOTIFY, TEXT, extended, provide};
use portcullis_tests::puppet::{greeting, of_kind};
use portcullis_tests::viewer::Heard;
use portcullis_tests::{Stage, Viewer};

const SIZE: Size = Size::new(64, 48);

/// `card 4111 1111 1111 1111.` as people hide it.
const SPELLINGS: [&str; 13] = [
    "card 4111 1111 1111 1111.",
    "card 4111-1111-1111-1111.",
    "card 4\u{200b}1\u{200d}1\u{2060}1\u{ad}1111\u{feff}11111111.",
    "card \u{ff14}\u{ff11}\u{ff11}\u{ff11}1111 1111 1111.",
    "card 4111\u{a0}1111\u{2009}1111\u{3000}1111.",
    "card \u{664}\u{661}\u{661}\u{661} 1111 1111 1111.",
    "card 4\u{336}1\u{336}1\u{336}1\u{336}111111111111.",
    "Y2FyZCA0MTExIDExMTEgMTExMSAxMTExLg==",
    "Y2FyZCA0MTExIDEx\nMTEgMTExMSAxMTExLg==",
    "WTJGeVpDQTBNVEV4SURFeE1URWdNVEV4TVNBeE1URXhMZz09",
    "NAAxADEAMQAgADEAMQAxADEAIAAxADEAMQAxACAAMQAxADEAMQA=",
    "6361726420343131312031313131203131313120313131312e",
    "63 61 72 64 20 34 31 31 31 20 31 31 31 31 20 31 31 31 31 20 31 31 31 31 2e",
];

fn rules(then: &str) -> String {
    format!(
        "policy: contents\napplies: {{}}\nallow: {{control: {{}}, paste: {{}}, copy: {{}}}}\ndeny: [{{actions: [paste, copy], containing: [payment-card], then: {then}}}]\n"
    )
}

async fn stage(then: &str) -> Stage {
    let bounds = Bounds { texts: Rate::new(1000, 1000), ..Bounds::default() };
    let stage = Stage::bounded(SIZE, greeting(SIZE, b"puppet"), bounds).await.unwrap();
    stage.rule(&rules(then)).unwrap();
    stage
}

/// ClientCutText or ServerCutText of ASCII.
fn cut_text(kind: u8, text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[kind, 0, 0, 0][..], &length, text.as_bytes()].concat()
}

/// The texts that a desktop was handed.
fn pasted(messages: &[Vec<u8>]) -> Vec<String> {
    of_kind(messages, 6).map(|message| String::from_utf8_lossy(&message[8..]).into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_no_spelling_carries_a_secret_past_a_rule() {
    let mut stage = stage("deny").await;
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect_extended(&stage.url, &act.opened).await.unwrap();
    for spelling in SPELLINGS {
        viewer.paste(spelling).await.unwrap();
        // Texts are judged one after the other: what comes behind it has arrived, and it has not.
        viewer.paste("harmless").await.unwrap();
    }
    let count = SPELLINGS.len();
    act.desktop.hears("what is harmless", |messages| pasted(messages).len() >= count).await.unwrap();
    // The same out of the desktop, as far as its clipboard has the characters.
    for spelling in SPELLINGS.iter().filter(|spelling| spelling.is_ascii()) {
        act.desktop.say(&cut_text(3, spelling)).await.unwrap();
    }
    act.desktop.say(&cut_text(3, "harmless")).await.unwrap();
    assert_eq!(viewer.copied().await.unwrap(), "harmless");
    assert_eq!(pasted(&act.desktop.messages().unwrap()), vec!["harmless"; count]);
    let record = stage.end(&act.session).await.unwrap();
    let denied = |kind| record.of_type(kind).into_iter().filter(|event| event["effect"] == "deny").collect::<Vec<_>>();
    assert_eq!((denied("paste").len(), denied("copy").len()), (count, 8));
    for event in denied("paste").iter().chain(&denied("copy")) {
        assert_eq!(
            (&event["found"][0], &event["rule"]),
            (&"payment-card".into(), &"all.yaml:4 deny[0].containing".into())
        );
        let shown = event.to_string();
        assert!(!shown.contains("1111") && !shown.contains("NAAx") && !shown.contains("6361"), "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_a_secret_in_pieces_does_not_come_together() {
    let mut stage = stage("deny").await;
    let mut act = stage.open().await.unwrap();
    let mut one = Viewer::connect_extended(&stage.url, &act.opened).await.unwrap();
    let again = stage.ticket(&act.session).unwrap();
    let mut other = Viewer::connect_extended(&stage.url, &again).await.unwrap();
    // Two viewers of one session share what has crossed.
    one.paste("4111 1").await.unwrap();
    act.desktop.hears("a piece", |messages| pasted(messages).len() == 1).await.unwrap();
    other.paste("111 1111").await.unwrap();
    act.desktop.hears("another", |messages| pasted(messages).len() == 2).await.unwrap();
    one.paste(" 1111").await.unwrap();
    one.paste("harmless").await.unwrap();
    act.desktop.hears("what is harmless", |messages| pasted(messages).len() == 3).await.unwrap();
    // Out of the desktop it is another direction, in which nothing has crossed yet.
    act.desktop.say(&cut_text(3, "4111 1111 1111 ")).await.unwrap();
    assert_eq!(one.copied().await.unwrap(), "4111 1111 1111 ");
    act.desktop.say(&[cut_text(3, "1111"), cut_text(3, "harmless")].concat()).await.unwrap();
    assert_eq!(one.copied().await.unwrap(), "harmless");
    assert_eq!(pasted(&act.desktop.messages().unwrap())[2], "harmless");
    let record = stage.end(&act.session).await.unwrap();
    let denied = |kind| record.of_type(kind).iter().filter(|event| event["effect"] == "deny").count();
    assert_eq!((denied("paste"), denied("copy")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_what_is_redacted_reaches_nobody_however_it_is_asked_for() {
    let mut stage = stage("redact").await;
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect_extended(&stage.url, &act.opened).await.unwrap();
    for spelling in SPELLINGS {
        viewer.paste(spelling).await.unwrap();
    }
    let count = SPELLINGS.len();
    act.desktop.hears("each text", |messages| pasted(messages).len() == count).await.unwrap();
    let texts = pasted(&act.desktop.messages().unwrap());
    assert_eq!(texts[0], "card [redacted].");
    assert!(texts.iter().all(|text| text.contains("[redacted]") && !text.contains("11")), "{texts:?}");
    let mut classic = Viewer::connect(&stage.url, &stage.ticket(&act.session).unwrap()).await.unwrap();
    act.desktop.say(&cut_text(3, SPELLINGS[0])).await.unwrap();
    assert_eq!(viewer.copied().await.unwrap(), "card [redacted].");
    let text = |heard| if let Heard::CutText(text) = heard { Some(text) } else { None };
    assert_eq!(classic.until("the same by the classic message", text).await.unwrap(), "card [redacted].");
    let record = stage.end(&act.session).await.unwrap();
    assert!(record.of_type("paste").iter().all(|event| event["redacted"].as_u64() >= Some(1)));
}

/// C5: a NUL ends a text before it is judged, so what is judged is what crosses.
#[tokio::test(flavor = "multi_thread")]
async fn c5_what_is_judged_is_what_crosses() {
    let mut stage = stage("deny").await;
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect_extended(&stage.url, &act.opened).await.unwrap();
    // In UTF-16 all but the first character is behind a NUL; what hides behind one does not cross, and is nothing to be found.
    for text in
        ["4\x001\x001\x001\x00 \x001\x001\x001\x001\x00", "harmless\x004111 1111 1111 1111", "4111 1111\r1111 1111\r\n"]
    {
        viewer.paste(text).await.unwrap();
    }
    act.desktop.hears("what is left of them", |messages| pasted(messages).len() == 3).await.unwrap();
    let texts = pasted(&act.desktop.messages().unwrap());
    assert_eq!(texts[..2], ["4", "harmless"]);
    assert!(texts[2].starts_with("4111 1111\n1111 1111"), "numbers wrapped over lines are two: {texts:?}");
    stage.end(&act.session).await.unwrap();
}

/// What a paste was to bring does not come: the key that pastes is not pressed either, or it would bring what was copied before.
#[tokio::test(flavor = "multi_thread")]
async fn c6_a_text_that_is_stopped_is_not_replaced_by_an_older_one() {
    let mut stage = stage("deny").await;
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect_extended(&stage.url, &act.opened).await.unwrap();
    let (control, v) = (0xffe3u32, 0x76u32);
    viewer.send(&extended(NOTIFY | TEXT, &[])).await.unwrap();
    for (down, keysym) in [(1, control), (1, v), (0, v), (0, control), (1, 0x78), (0, 0x78)] {
        let mut key = vec![4, down, 0, 0];
        key.extend(keysym.to_be_bytes());
        viewer.send(&key).await.unwrap();
    }
    viewer.until_asked().await.unwrap();
    viewer.send(&provide(SPELLINGS[0])).await.unwrap();
    let pressed =
        |messages: &[Vec<u8>]| of_kind(messages, 4).filter(|key| key[1] == 1).map(|key| key[7]).collect::<Vec<_>>();
    act.desktop.hears("the key behind it", |messages| pressed(messages).contains(&0x78)).await.unwrap();
    let messages = act.desktop.messages().unwrap();
    assert_eq!(pressed(&messages), [0xe3, 0x78], "control and x, and no v");
    assert!(pasted(&messages).is_empty());
}

/// Texts that come faster than the gate listens are on the record by their number.
#[tokio::test(flavor = "multi_thread")]
async fn c6_what_comes_too_fast_is_counted_on_the_record() {
    let bounds = Bounds { texts: Rate::new(1, 3), ..Bounds::default() };
    let mut stage = Stage::bounded(SIZE, greeting(SIZE, b"puppet"), bounds).await.unwrap();
    stage.rule(&rules("deny")).unwrap();
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    for number in 0..60 {
        viewer.send(&cut_text(6, &format!("text {number}"))).await.unwrap();
    }
    viewer.key(0x61).await.unwrap();
    act.desktop.hears("the key behind them", |messages| of_kind(messages, 4).count() == 2).await.unwrap();
    let handed = pasted(&act.desktop.messages().unwrap()).len();
    let record = stage.end(&act.session).await.unwrap();
    let count =
        |event: &&serde_json::Value| event["what"].as_str()?.split_once(" clipboard messages")?.0.parse::<usize>().ok();
    let refused = record.of_type("refused");
    let passed_over: Vec<_> = refused.iter().filter_map(count).collect();
    assert_eq!(record.of_type("paste").len(), handed);
    assert_eq!(handed + passed_over.iter().sum::<usize>(), 60, "{refused:?}");
    assert!(passed_over.len() <= 8, "not an event for each: {refused:?}");
}
