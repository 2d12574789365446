//! Policy's `input` and `recording.keys`: what of a keyboard and a pointer reaches a desktop, and what of them is on the record.

use std::time::{Duration, Instant};

use portcullis_rfb::Size;
use portcullis_tests::puppet::of_kind;
use portcullis_tests::stage::Act;
use portcullis_tests::{Gate, Stage, Viewer, clipboard};
use serde_json::{Value, json};

use super::{events, of_type, plan};

const SIZE: Size = Size::new(64, 48);
const CTRL: u32 = 0xffe3;
const ALT: u32 = 0xffe9;
const DELETE: u32 = 0xffff;

async fn stage(rules: &str) -> (Stage, Act, Viewer) {
    let mut stage = Stage::under(SIZE, rules).await.unwrap();
    let act = stage.open().await.unwrap();
    let viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    (stage, act, viewer)
}

fn event(down: bool, keysym: u32) -> Vec<u8> {
    [&[4, u8::from(down), 0, 0], keysym.to_be_bytes().as_slice()].concat()
}

/// The keys that a desktop has heard: down or up, and the keysym.
fn heard(act: &Act) -> Vec<(bool, u32)> {
    let messages = act.desktop.messages().unwrap();
    let key = |message: &Vec<u8>| (message[1] == 1, u32::from_be_bytes(message[4..8].try_into().unwrap()));
    of_kind(&messages, 4).map(key).collect()
}

/// Waits until the desktop has heard a key come up: then whatever was sent before it has been judged.
async fn until_up(act: &mut Act, keysym: u32) {
    let last = event(false, keysym);
    act.desktop.hears("the last key", |messages| messages.contains(&last)).await.unwrap();
}

/// A script that types 500 letters a second for two seconds, in the rhythm of a loop; then a rest, and `z` by hand.
async fn script(viewer: &mut Viewer) {
    let started = Instant::now();
    for ten in 0..100_u32 {
        let letters = (0..10).map(|n| 0x61 + (ten * 10 + n) % 25);
        let typed: Vec<u8> = letters.flat_map(|letter| [event(true, letter), event(false, letter)].concat()).collect();
        viewer.send(&typed).await.unwrap();
        tokio::time::sleep_until((started + Duration::from_millis(u64::from(ten) * 20)).into()).await;
    }
    viewer.listen(Duration::from_millis(1500)).await.unwrap();
    viewer.key(0x7a).await.unwrap();
}

fn sum(events: &[&Value], member: &str) -> u64 {
    events.iter().map(|event| event[member].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_a_second_are_stopped_and_reported() {
    let (stage, mut act, mut viewer) = stage("input: {keys: 40/s}\n").await;
    let started = Instant::now();
    script(&mut viewer).await;
    until_up(&mut act, 0x7a).await;
    let heard = heard(&act);
    let pressed = heard.iter().filter(|(down, _)| *down).count();
    let most = 40.0 + 12.0 + 40.0 * started.elapsed().as_secs_f64();
    assert!(pressed as f64 <= most && pressed > 60, "{pressed} passed, at most {most}");
    for (index, (down, keysym)) in heard.iter().enumerate() {
        assert!(!down || heard[index..].contains(&(false, *keysym)), "{keysym:#x} stays pressed");
    }
    viewer.close().await.unwrap();
    let record = stage.end(&act.session).await.unwrap();
    let told = record.of_type("input");
    assert_eq!(told.len(), 1, "one burst: {told:?}");
    assert_eq!((&told[0]["kind"], &told[0]["effect"]), (&json!("keys"), &json!("deny")));
    assert_eq!(told[0]["rule"], "all.yaml:8 input.keys");
    assert_eq!(sum(&told, "count") + sum(&record.of_type("keys"), "pressed"), 1001, "each press passed or was refused");
    assert_eq!(sum(&record.of_type("keys"), "pressed"), pressed as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_paste_is_told_of_and_stopped() {
    for (word, effect) in [("alert", "permit"), ("stop", "deny")] {
        let (stage, mut act, mut viewer) = stage(&format!("input: {{typed_paste: {word}}}\n")).await;
        script(&mut viewer).await;
        until_up(&mut act, 0x7a).await;
        viewer.close().await.unwrap();
        let record = stage.end(&act.session).await.unwrap();
        let told = record.of_type("input");
        assert!(!told.is_empty(), "{word}");
        for event in &told {
            assert_eq!((&event["kind"], &event["effect"]), (&json!("typed_paste"), &json!(effect)), "{event}");
            assert_eq!(event["rule"], "all.yaml:8 input.typed_paste");
        }
        let passed = sum(&record.of_type("keys"), "pressed");
        let all = if word == "stop" { passed + sum(&told, "count") } else { passed };
        assert_eq!(all, 1001, "{word}");
        assert!(word == "alert" || passed < 200, "{passed} passed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_key_of_a_blocked_chord_stays_outside() {
    let (mut stage, mut act, mut viewer) = stage("input: {blocked_chords: [Ctrl+Alt+Delete, F12]}\n").await;
    let press = |keysym| event(true, keysym);
    let typed = [press(CTRL), press(ALT), press(DELETE), event(false, DELETE), event(false, ALT), event(false, CTRL)];
    viewer.send(&typed.concat()).await.unwrap();
    viewer.key(0xffc9).await.unwrap();
    viewer.key(0x7a).await.unwrap();
    until_up(&mut act, 0x7a).await;
    let down: Vec<u32> = heard(&act).iter().filter(|(down, _)| *down).map(|(_, keysym)| *keysym).collect();
    assert_eq!(down, [CTRL, ALT, 0x7a]);
    assert!([CTRL, ALT].iter().all(|keysym| heard(&act).contains(&(false, *keysym))), "modifiers are let go");

    // Struck by two viewers together, and after a viewer that held its modifiers has gone.
    let mut other = Viewer::connect(&stage.url, &stage.ticket(&act.session).unwrap()).await.unwrap();
    viewer.send(&[press(CTRL), press(ALT)].concat()).await.unwrap();
    act.desktop
        .hears("Ctrl again", |messages| messages.iter().filter(|message| **message == event(true, ALT)).count() == 2)
        .await
        .unwrap();
    other.key(DELETE).await.unwrap();
    other.key(0x79).await.unwrap();
    until_up(&mut act, 0x79).await;
    assert!(!heard(&act).contains(&(true, DELETE)));
    viewer.close().await.unwrap();
    act.desktop
        .hears("what the viewer held", |messages| {
            messages.iter().filter(|message| **message == event(false, ALT)).count() == 2
        })
        .await
        .unwrap();
    other.key(DELETE).await.unwrap();
    other.key(0x78).await.unwrap();
    until_up(&mut act, 0x78).await;
    assert!(heard(&act).contains(&(true, DELETE)), "no chord any more");
    other.close().await.unwrap();
    let record = stage.end(&act.session).await.unwrap();
    let told: Vec<_> = record
        .of_type("input")
        .iter()
        .map(|event| (event["kind"].clone(), event["viewer"].clone(), event["rule"].clone()))
        .collect();
    let rule = json!("all.yaml:8 input.blocked_chords");
    let chord = |viewer: u32| (json!("chord"), json!(viewer), rule.clone());
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().filter(|told| **told == chord(1)).count() == 2 && told.contains(&chord(2)), "{told:?}");
    assert_eq!(stage.count(), 0);
    stage.rule("").unwrap();
    drop(stage.open().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_presses_nothing_and_who_may_no_more_lets_go() {
    let (stage, mut act, mut viewer) = stage("deny: [{actions: [control]}]\n").await;
    viewer.text("never").await.unwrap();
    viewer.pointer(1, 5, 5).await.unwrap();
    // What it asks behind them is answered once they were judged.
    viewer.request(false).await.unwrap();
    viewer.hear().await.unwrap();
    stage.rule("").unwrap();
    viewer.send(&event(true, 0x61)).await.unwrap();
    act.desktop.hears("a key", |messages| messages.contains(&event(true, 0x61))).await.unwrap();
    stage.rule("deny: [{actions: [key]}]\n").unwrap();
    until_up(&mut act, 0x61).await;
    viewer.text("nor this").await.unwrap();
    viewer.pointer(0, 7, 7).await.unwrap();
    act.desktop.hears("the pointer", |messages| of_kind(messages, 5).any(|at| at[3] == 7)).await.unwrap();
    assert_eq!(heard(&act), [(true, 0x61), (false, 0x61)]);
    viewer.close().await.unwrap();
    let record = stage.end(&act.session).await.unwrap();
    assert_eq!(sum(&record.of_type("keys"), "pressed"), 1);
    assert!(record.of_type("clicks").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_has_of_keys_what_policy_says_from_that_moment_on() {
    let (stage, mut act, mut viewer) = stage("recording: {keys: none}\n").await;
    viewer.text("ab").await.unwrap();
    until_up(&mut act, 0x62).await;
    stage.rule("recording: {keys: keys}\n").unwrap();
    viewer.text("cD").await.unwrap();
    until_up(&mut act, 0x44).await;
    stage.rule("").unwrap();
    viewer.text("efg").await.unwrap();
    until_up(&mut act, 0x67).await;
    viewer.close().await.unwrap();
    let record = stage.end(&act.session).await.unwrap();
    assert_eq!(sum(&record.of_type("keys"), "pressed"), 3);
    let strokes: Vec<_> =
        record.of_type("strokes").iter().flat_map(|event| event["strokes"].as_array().unwrap().clone()).collect();
    let told: Vec<_> =
        strokes.iter().map(|stroke| (stroke["down"].as_bool().unwrap(), stroke["name"].as_str().unwrap())).collect();
    assert_eq!(told, [(true, "c"), (false, "c"), (true, "D"), (false, "D")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pointer_moves_as_often_as_policy_says() {
    let (_stage, act, mut viewer) = stage("input: {pointer: 10/s}\n").await;
    let mut act = act;
    let before = of_kind(&act.desktop.messages().unwrap(), 5).count();
    let started = Instant::now();
    for n in 0..60_u8 {
        viewer.send(&[5, 0, 0, n % 50, 0, n % 40]).await.unwrap();
        viewer.listen(Duration::from_millis(10)).await.unwrap();
    }
    viewer.send(&[5, 0, 0, 61, 0, 41]).await.unwrap();
    act.desktop.hears("the last place", |messages| of_kind(messages, 5).any(|at| at[3] == 61)).await.unwrap();
    let passed = of_kind(&act.desktop.messages().unwrap(), 5).count() - before;
    let most = 3.0 + 10.0 * started.elapsed().as_secs_f64();
    assert!(passed as f64 <= most && passed > 2, "{passed} passed, at most {most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_cross_so_many_times_a_minute() {
    let rules = "policy: all\napplies: {}\nallow:\n  control: {}\n  paste: {max_bytes: 1 KiB, per_minute: 2}\n  copy: {max_bytes: 1 KiB, per_minute: 2}\n";
    let (stage, mut act, mut viewer) = stage(rules).await;
    for n in 0..4 {
        viewer.cut_text(format!("in {n}").as_bytes()).await.unwrap();
        act.desktop.say(&[&[3, 0, 0, 0, 0, 0, 0, 5], format!("out {n}").as_bytes()].concat()).await.unwrap();
    }
    viewer.key(0x7a).await.unwrap();
    until_up(&mut act, 0x7a).await;
    let pasted = of_kind(&act.desktop.messages().unwrap(), 6).count();
    // What the desktop shows comes behind what it copied.
    act.desktop.show(&portcullis_tests::puppet::filled(portcullis_rfb::Rect::new(0, 0, 1, 1), [1; 4])).await.unwrap();
    viewer.watch("the picture behind the copies", |viewer| viewer.pixel(0, 0) == [1; 3]).await.unwrap();
    viewer.close().await.unwrap();
    let record = stage.end(&act.session).await.unwrap();
    for (kind, line) in [("paste", 5), ("copy", 6)] {
        let all = record.of_type(kind);
        let effects: Vec<_> = all.iter().map(|event| event["effect"].as_str().unwrap()).collect();
        assert_eq!(effects, ["permit", "permit", "deny", "deny"], "{kind}: {all:?}");
        assert_eq!(all[3]["rule"], format!("all.yaml:{line} allow.{kind}.per_minute"));
    }
    assert_eq!(pasted, 2);
}

/// A browser that is slow to give the text of a paste: what is typed meanwhile comes to the desktop at once, and no program typed it.
#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_a_paste_is_judged_by_when_it_was_typed() {
    let mut stage = Stage::under(SIZE, "input: {keys: 20/s, typed_paste: stop}\n").await.unwrap();
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect_extended(&stage.url, &act.opened).await.unwrap();
    viewer.send(&clipboard::extended(clipboard::NOTIFY | clipboard::TEXT, &[])).await.unwrap();
    viewer.until_asked().await.unwrap();
    type_by_hand(&mut viewer, &"the quick brown fox jumps over the lazy dog ".repeat(2)[..56]).await;
    viewer.send(&clipboard::provide("text")).await.unwrap();
    // None of the text's own: the last key is awaited, or the session could end before it.
    viewer.key(0x31).await.unwrap();
    until_up(&mut act, 0x31).await;
    viewer.close().await.unwrap();
    let record = stage.end(&act.session).await.unwrap();
    assert!(record.of_type("input").is_empty(), "{:?}", record.of_type("input"));
    assert_eq!(sum(&record.of_type("keys"), "pressed"), 57);
}

/// Types as a person does who writes 144 words a minute: twelve characters a second, and not by a clock.
async fn type_by_hand(viewer: &mut Viewer, text: &str) {
    let mut due = Instant::now();
    for (character, gap) in text.chars().zip([45, 130, 70, 95, 55, 105].into_iter().cycle()) {
        viewer.text(&character.to_string()).await.unwrap();
        due += Duration::from_millis(gap);
        tokio::time::sleep_until(due.into()).await;
    }
}

/// On a real desktop: what a person types arrives whole, what a script types does not, and a blocked chord does not end the shell's `read`.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_hears_a_person_whole_and_a_script_in_part() {
    let rules = "policy: input\napplies: {}\ninput: {keys: 40/s, typed_paste: alert, blocked_chords: [Ctrl+d]}\n";
    let gate = Gate::start(&plan().policy("input.yaml", rules)).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.pointer(0, 120, 120).await.unwrap();
    viewer.watch("a terminal", |viewer| viewer.count([255, 255, 255]) > 20_000).await.unwrap();

    type_by_hand(&mut viewer, "read x\n").await;
    type_by_hand(&mut viewer, &"the quick brown fox ".repeat(4)).await;
    type_by_hand(&mut viewer, "j\n[ ${#x} = 81 ]&&printf '\\033]11;#00ff00\\007'\n").await;
    viewer.watch("all 81 letters arrived: green", |viewer| viewer.count([0, 255, 0]) > 20_000).await.unwrap();

    type_by_hand(&mut viewer, "read x\n").await;
    let started = Instant::now();
    for n in 0..600_u64 {
        viewer.key(0x61 + u32::try_from(n % 26).unwrap()).await.unwrap();
        tokio::time::sleep_until((started + Duration::from_millis(n * 2)).into()).await;
    }
    viewer.listen(Duration::from_millis(1500)).await.unwrap();
    type_by_hand(&mut viewer, "\n[ ${#x} -lt 300 ]&&printf '\\033]11;#0000ff\\007'\n").await;
    viewer.watch("less than half arrived: blue", |viewer| viewer.count([255, 0, 0]) > 20_000).await.unwrap();

    type_by_hand(&mut viewer, "read x&&printf '\\033]11;#ff00ff\\007'\n").await;
    for (down, keysym) in [(true, CTRL), (true, 0x64), (false, 0x64), (false, CTRL)] {
        viewer.send(&event(down, keysym)).await.unwrap();
    }
    type_by_hand(&mut viewer, "ok\n").await;
    viewer.watch("read went on past Ctrl+D: magenta", |viewer| viewer.count([255, 0, 255]) > 20_000).await.unwrap();
    viewer.close().await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    let bundle = gate.bundle(&opened.id).unwrap();
    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound, "{report}");
    let events = events(&bundle).unwrap();
    let told = of_type(&events, "input");
    let of = |kind: &str| told.iter().filter(|event| event["kind"] == kind).copied().collect::<Vec<_>>();
    assert!(sum(&of("keys"), "count") > 300 && of("keys")[0]["rule"] == "input.yaml:3 input.keys", "{told:?}");
    assert!(
        of("typed_paste").iter().all(|event| event["effect"] == "permit") && !of("typed_paste").is_empty(),
        "{told:?}"
    );
    assert!(sum(&of("typed_paste"), "count") < 600, "of the script alone: {told:?}");
    assert_eq!(sum(&of("chord"), "count"), 1, "{told:?}");
}
