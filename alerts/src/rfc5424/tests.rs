//! The writer against a parser that was written from the RFC's grammar and knows nothing of it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A message, taken apart.
#[derive(Debug)]
struct Parsed {
    priority: u16,
    time: String,
    host: String,
    app: String,
    procid: String,
    msgid: String,
    sd_id: String,
    params: BTreeMap<String, String>,
    msg: String,
}

fn parse(frame: &[u8]) -> Option<Parsed> {
    let text = std::str::from_utf8(frame).ok()?;
    let (length, rest) = text.split_once(' ')?;
    if length.starts_with('0') || length.parse::<usize>().ok()? != rest.len() {
        return None;
    }
    let (priority, rest) = rest.strip_prefix('<')?.split_once('>')?;
    let mut words = rest.splitn(7, ' ');
    if words.next()? != "1" {
        return None;
    }
    let mut word = || words.next().filter(|word| !word.is_empty()).map(str::to_owned);
    let (time, host, app, procid, msgid) = (word()?, word()?, word()?, word()?, word()?);
    let mut rest = words.next()?.strip_prefix('[')?.chars().peekable();
    let mut sd_id = String::new();
    while let Some(letter) = rest.next_if(|letter| !matches!(letter, ' ' | ']' | '"' | '=')) {
        sd_id.push(letter);
    }
    let mut params = BTreeMap::new();
    while rest.next_if_eq(&' ').is_some() {
        let mut name = String::new();
        while let Some(letter) = rest.next_if(|letter| letter.is_ascii_lowercase()) {
            name.push(letter);
        }
        if rest.next()? != '=' || rest.next()? != '"' {
            return None;
        }
        let mut value = String::new();
        loop {
            match rest.next()? {
                '"' => break,
                '\\' => match rest.next()? {
                    escaped @ ('"' | '\\' | ']') => value.push(escaped),
                    other => value.extend(['\\', other]),
                },
                ']' => return None,
                letter => value.push(letter),
            }
        }
        if params.insert(name, value).is_some() {
            return None;
        }
    }
    if rest.next()? != ']' || rest.next()? != ' ' {
        return None;
    }
    Some(Parsed {
        priority: priority.parse().ok()?,
        time,
        host,
        app,
        procid,
        msgid,
        sd_id,
        params,
        msg: rest.collect(),
    })
}

fn entry(kind: &str, effect: Option<Effect>, text: &str) -> Entry {
    let json = serde_json::json!({"reason": text, text: [text], "type": kind}).to_string();
    Entry {
        id: "g.s-1.7".into(),
        kind: kind.into(),
        effect,
        time: "2026-01-31T23:59:59.000000Z".into(),
        session: "s-1".into(),
        subject: text.into(),
        policy: String::new(),
        rule: text.into(),
        json: json.into_bytes(),
    }
}

const LOCAL0: Facility = Facility(16);

#[test]
fn a_message_as_the_rfc_has_it() {
    let event = entry("paste", Some(Effect::Deny), "a \"b\" [c] \\d\n\u{1b}[2J é😀");
    let frame = frame(&event, LOCAL0, "gate.example.org");
    let text = String::from_utf8(frame.clone()).unwrap();
    let expected = r#"<132>1 2026-01-31T23:59:59.000000Z gate.example.org portcullis - paste [portcullis@32473 delivery="g.s-1.7" session="s-1" subject="a \"b\" [c\] \\d\\u000a\\u001b[2J \\u00e9\\ud83d\\ude00" rule="a \"b\" [c\] \\d\\u000a\\u001b[2J \\u00e9\\ud83d\\ude00" effect="deny"] {"#;
    assert!(text.split_once(' ').unwrap().1.starts_with(expected), "{text}");
    let parsed = parse(&frame).unwrap();
    assert_eq!((parsed.app.as_str(), parsed.procid.as_str(), parsed.sd_id.as_str()), ("portcullis", "-", SD_ID));
}

#[test]
fn facilities_and_severities() {
    assert_eq!(
        (Facility::named("local0"), Facility::named("audit"), Facility::named("loud")),
        (Some(LOCAL0), Some(Facility(13)), None)
    );
    for (kind, effect, severity) in [
        ("gap", None, 3),
        ("paste", Some(Effect::Deny), 4),
        ("paste", Some(Effect::Permit), 6),
        ("session_closed", None, 5),
        ("keys", None, 6),
    ] {
        assert_eq!(
            parse(&frame(&entry(kind, effect, "x"), LOCAL0, "h")).unwrap().priority,
            16 * 8 + severity,
            "{kind}"
        );
    }
    let nameless = Entry { kind: "\u{e9} \n".into(), time: "yesterday at noon".into(), ..entry("x", None, "x") };
    let parsed = parse(&frame(&nameless, LOCAL0, "")).unwrap();
    assert_eq!((parsed.msgid.as_str(), parsed.time.as_str(), parsed.host.as_str()), ("-", "-", "-"));
}

#[test]
fn a_text_of_64_kib_stays_one_message() {
    let hostile = "]\" \\ \n\u{1b}]0;x\u{7} é\u{2028}".repeat(4096);
    assert!(hostile.len() >= 64 * 1024);
    let event = entry("refused", None, &hostile);
    let frame = frame(&event, LOCAL0, "h");
    assert!(!frame.contains(&b'\n') && !frame.contains(&0x1b));
    let sent: serde_json::Value = serde_json::from_str(&parse(&frame).unwrap().msg).unwrap();
    assert_eq!(sent["reason"], hostile);
}

proptest! {
    #[test]
    fn whatever_the_text_it_is_one_printable_message_of_the_same_value(text in "\\PC{0,40}|[\\x00-\\x20\"\\]\\[\\\\\u{7f}-\u{9f}\u{2028}]{0,40}|.{0,40}", large in 0_usize..3) {
        let text = text.repeat(1 + large * 200);
        let event = entry("refused", Some(Effect::Deny), &text);
        let frame = frame(&event, LOCAL0, &text);
        prop_assert!(frame.iter().all(|byte| (b' '..=b'~').contains(byte)));
        let parsed = parse(&frame).expect("the grammar of RFC 5424");
        prop_assert!(parsed.host.len() <= 255);
        let (sent, recorded): (serde_json::Value, serde_json::Value) = (serde_json::from_str(&parsed.msg).unwrap(), serde_json::from_slice(&event.json).unwrap());
        prop_assert_eq!(sent, recorded);
        if text.chars().all(|letter| (' '..='~').contains(&letter)) && !text.is_empty() {
            prop_assert_eq!(&parsed.params["subject"], &text);
        }
    }
}
