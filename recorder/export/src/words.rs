//! An event in a line for a person, whatever its type: what happened, the verdict, the rule.
use serde_json::{Map, Value};

/// What an event comes to in a film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// From when, microseconds since the session's start.
    pub(crate) from_us: u64,
    /// Until when, where the event itself says.
    pub(crate) to_us: Option<u64>,
    /// The line.
    pub(crate) text: String,
    /// Whether a chapter begins with it.
    pub(crate) chapter: bool,
}

/// The longest line, in characters.
const MAX_LINE: usize = 200;
/// Types that say nothing to who sees the picture, or what must not be shown: which keys were pressed, kept contents.
const UNTOLD: [&str; 6] = ["keys", "strokes", "clicks", "bell", "contents", "signed_in"];
/// Types with which a chapter begins, whatever their effect; else it is `deny`.
const CHAPTERS: [&str; 10] = [
    "session_opened",
    "session_closed",
    "viewer_joined",
    "viewer_left",
    "refused",
    "protocol_violation",
    "policy_changed",
    "gap",
    "desktop_lost",
    "desktop_back",
];
/// Members whose values are told, in this order, and what is said before and behind them.
const MEMBERS: [(&str, &str, &str); 13] = [
    ("desktop", "", ""),
    ("side", "by the ", ""),
    ("what", "", ""),
    ("kind", "", ""),
    ("key", "", ""),
    ("value", "", ""),
    ("viewer", "viewer ", ""),
    ("count", "", " times"),
    ("width", "", " wide"),
    ("height", "", " high"),
    ("name", "", ""),
    ("bytes", "", " bytes"),
    ("origin", "from ", ""),
];

/// What a line of an events file comes to; `None` where nothing is told of it, or it is no event.
pub(crate) fn told(line: &[u8]) -> Option<Told> {
    let event: Map<String, Value> = serde_json::from_slice(line).ok()?;
    let text = |key: &str| event.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let number = |key: &str| event.get(key).and_then(Value::as_u64);
    let kind = text("type").filter(|kind| !UNTOLD.contains(kind))?;
    let denied = text("effect") == Some("deny");
    let mut said = kind.replace('_', " ");
    match text("effect") {
        Some("deny") => said.push_str(" DENIED"),
        Some("permit") => said.push_str(" permitted"),
        _ => {}
    }
    if let Some(holds) = event.get("holds").and_then(Value::as_bool) {
        said.push_str(if holds { " holds" } else { " holds no longer" });
    }
    for (key, before, behind) in MEMBERS {
        // Viewer 0 is nobody.
        let value = text(key).map(str::to_owned).or_else(|| number(key).filter(|n| *n > 0).map(|n| n.to_string()));
        if let Some(value) = value {
            said.push_str(&format!(", {before}{value}{behind}"));
        }
    }
    if let Some(reason) = text("reason") {
        said.push_str(&format!(": {reason}"));
    }
    if let Some(rule) = text("rule") {
        said.push_str(&format!(" [{rule}]"));
    }
    let at_us = number("at_us")?;
    let gap = (kind == "gap").then(|| number("from_us").zip(number("to_us"))).flatten();
    Some(Told {
        from_us: gap.map_or(at_us, |(from_us, _)| from_us),
        to_us: gap.map(|(_, to_us)| to_us),
        text: clean(&said),
        chapter: denied || CHAPTERS.contains(&kind),
    })
}

/// One line of characters that move nothing.
fn clean(text: &str) -> String {
    let whole = text.chars().count() <= MAX_LINE;
    let kept = text.chars().take(if whole { MAX_LINE } else { MAX_LINE - 1 });
    let shown = kept.map(|c| if c.is_control() || is_format(c) { ' ' } else { c });
    shown.chain((!whole).then_some('…')).collect()
}

/// Characters that turn the direction of a line, or cannot be seen.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_in_words() {
        for (line, wanted, chapter) in [
            (
                r#"{"at_us":5,"type":"paste","effect":"deny","viewer":1,"bytes":20,"reason":"too long","rule":"a.yaml:3 allow.paste","sha256":"00"}"#,
                "paste DENIED, viewer 1, 20 bytes: too long [a.yaml:3 allow.paste]",
                true,
            ),
            (
                r#"{"at_us":5,"type":"session_opened","desktop":"d","runtime":"process","rule":""}"#,
                "session opened, d",
                true,
            ),
            (r#"{"at_us":5,"type":"resized","width":640,"height":480}"#, "resized, 640 wide, 480 high", false),
            (r#"{"at_us":5,"type":"of_a_later_gate","x":1}"#, "of a later gate", false),
            (r#"{"at_us":5,"type":"refused","what":"a\u202eb\nc"}"#, "refused, a b c", true),
        ] {
            let found = told(line.as_bytes()).unwrap();
            assert_eq!((found.text.as_str(), found.chapter, found.from_us), (wanted, chapter, 5));
        }
    }

    #[test]
    fn keys_are_never_told() {
        let line = r#"{"at_us":5,"type":"strokes","viewer":1,"strokes":[{"down":true,"keysym":97,"name":"a"}]}"#;
        assert_eq!(told(line.as_bytes()), None);
        assert_eq!(told(b"no event"), None);
    }

    #[test]
    fn a_gap_is_where_it_was() {
        let found = told(br#"{"at_us":90,"type":"gap","from_us":10,"to_us":80,"reason":"disk full"}"#).unwrap();
        assert_eq!((found.from_us, found.to_us, found.text.as_str()), (10, Some(80), "gap: disk full"));
    }

    #[test]
    fn a_line_is_cut() {
        let line = format!(r#"{{"at_us":5,"type":"refused","reason":"{}"}}"#, "ü".repeat(500));
        let found = told(line.as_bytes()).unwrap();
        assert_eq!((found.text.chars().count(), found.text.ends_with('…')), (MAX_LINE, true));
    }
}
