//! One event on its way out: the line of the record as it stands there, and what is read off it.

use portcullis_evidence::Effect;
use serde::Deserialize;

/// Events that have no `effect` and are denials all the same.
const DENIALS: [&str; 2] = ["refused", "protocol_violation"];

/// One event of the record.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name for ever: `GATE.SESSION.SEQ`, or `GATE.journal-DAY.LINE`; in ASCII, without spaces.
    pub id: String,
    /// Its type, such as `paste`.
    pub kind: String,
    /// Whether something crossed or was stopped; `None` where that is no question.
    pub effect: Option<Effect>,
    /// When it happened, RFC 3339.
    pub time: String,
    /// The session; empty where there was none.
    pub session: String,
    /// Who.
    pub subject: String,
    /// The policy revision.
    pub policy: String,
    /// The rule that decided.
    pub rule: String,
    /// The line as it was recorded, byte for byte, without its line feed.
    pub json: Vec<u8>,
}

/// What every event has; whatever else a line holds is for those who know its type.
#[derive(Deserialize)]
struct Members {
    seq: u64,
    time: String,
    session: String,
    subject: String,
    policy: String,
    rule: String,
    #[serde(rename = "type")]
    kind: String,
    effect: Option<Effect>,
}

/// Where a line was read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// A session's events: the event's own number names it.
    Session(&'a str),
    /// The journal of a day, and the number of the line, from 1: the journal's own numbers begin anew with each gate.
    Journal(&'a str, u64),
}

impl Entry {
    /// Reads a line of the record; `None` when it is none.
    pub(crate) fn read(gate: &str, origin: Origin<'_>, line: &[u8]) -> Option<Self> {
        let Members { seq, time, session, subject, policy, rule, kind, effect } = serde_json::from_slice(line).ok()?;
        let id = match origin {
            Origin::Session(id) => format!("{gate}.{id}.{seq}"),
            Origin::Journal(day, number) => format!("{gate}.journal-{day}.{number}"),
        };
        let effect = effect.or_else(|| DENIALS.contains(&kind.as_str()).then_some(Effect::Deny));
        Some(Self { id, kind, effect, time, session, subject, policy, rule, json: line.to_vec() })
    }

    /// An entry that tells a destination that it is reached; it is on no record, and its type is `alerts_test`.
    #[must_use]
    pub fn test(time: &str) -> Self {
        let id = format!("test.{}", uuid::Uuid::now_v7().simple());
        let json = serde_json::json!({
            "at_us": 0, "policy": "", "rule": "", "seq": 0, "session": "", "subject": "portcullis", "time": time,
            "type": "alerts_test", "v": 1,
        });
        Self {
            id,
            kind: "alerts_test".into(),
            effect: None,
            time: time.into(),
            session: String::new(),
            subject: "portcullis".into(),
            policy: String::new(),
            rule: String::new(),
            json: json.to_string().into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_kept_as_it_is_and_named_by_where_it_stands() {
        let line = r#"{"at_us":1,"effect":"deny","extra":[1],"policy":"p","rule":"r","seq":7,"session":"s-1","subject":"a","time":"t","type":"paste","v":1}"#;
        let entry = Entry::read("g", Origin::Session("s-1"), line.as_bytes()).unwrap();
        assert_eq!((entry.id.as_str(), entry.kind.as_str(), entry.effect), ("g.s-1.7", "paste", Some(Effect::Deny)));
        assert_eq!(entry.json, line.as_bytes());
        let refused = line.replace(r#""effect":"deny","#, "").replace("paste", "refused");
        let entry = Entry::read("g", Origin::Journal("2026-01-31", 12), refused.as_bytes()).unwrap();
        assert_eq!((entry.id.as_str(), entry.effect), ("g.journal-2026-01-31.12", Some(Effect::Deny)));
        let keys = refused.replace("refused", "keys");
        assert_eq!(Entry::read("g", Origin::Session("s"), keys.as_bytes()).unwrap().effect, None);
        assert!(Entry::read("g", Origin::Session("s"), b"{\"seq\":1}").is_none());
    }
}
