//! Obligations and limits as a list of keys and texts, for people, for comparisons and for JSON.

use std::fmt::{Display, Write};

use serde::Serialize;

use super::{Limits, Obligations, Stated};
use crate::Rule;

/// One thing that is owed: `session.idle`, `15m`, and the rule that asks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obligation {
    /// The path of keys in a policy file.
    pub key: &'static str,
    /// The value as it is written there.
    pub value: String,
    /// The rule that asks it.
    pub rule: Rule,
}

/// Gathers what is stated.
#[derive(Default)]
struct List(Vec<Obligation>);

impl List {
    fn add<'a, T: Display + 'a>(&mut self, key: &'static str, stated: impl IntoIterator<Item = &'a Stated<T>>) {
        let listed = stated.into_iter().map(|stated| (stated.value.to_string(), stated.rule.clone()));
        self.0.extend(listed.map(|(value, rule)| Obligation { key, value, rule }));
    }
}

impl Obligations {
    /// All that is owed, in the order of the language; what can be owed several times is listed as often.
    pub fn listed(&self) -> Vec<Obligation> {
        let mut list = List::default();
        list.add("session.longest", &self.session.longest);
        list.add("session.idle", &self.session.idle);
        list.add("session.reconnect", &self.session.reconnect);
        list.add("session.warning", &self.session.warning);
        list.add("session.concurrent", &self.session.concurrent);
        list.add("session.viewers", &self.session.viewers);
        list.add("input.keys", &self.input.keys);
        list.add("input.pointer", &self.input.pointer);
        list.add("input.typed_paste", &self.input.typed_paste);
        list.add("input.blocked_chords", &self.input.blocked_chords);
        list.add("screen.max_fps", &self.screen.max_fps);
        self.list_size(&mut list);
        list.add("screen.watermark", &self.screen.watermarks);
        list.add("screen.mask", &self.screen.masks);
        list.add("screen.visible", &self.screen.visible);
        list.add("recording.mode", &self.recording.mode);
        list.add("recording.keys", &self.recording.keys);
        list.add("recording.keep", &self.recording.keep);
        list.add("recording.lock", &self.recording.lock);
        list.add("recording.text", &self.recording.text);
        list.add("desktop.egress", &self.desktop.egress);
        list.add("desktop.home", &self.desktop.home);
        list.0
    }

    /// The largest size is one key with two numbers, which different rules may ask.
    fn list_size(&self, list: &mut List) {
        let (Some(width), Some(height)) = (&self.screen.max_width, &self.screen.max_height) else {
            return;
        };
        let value = format!("{}x{}", width.value, height.value);
        let rules = if width.rule == height.rule { vec![width] } else { vec![width, height] };
        list.0.extend(rules.into_iter().map(|stated| Obligation {
            key: "screen.max_size",
            value: value.clone(),
            rule: stated.rule.clone(),
        }));
    }
}

impl Limits {
    /// All limits, in the order of the language.
    pub fn listed(&self) -> Vec<Obligation> {
        let mut list = List::default();
        list.add("max_bytes", &self.max_bytes);
        list.add("per_minute", &self.per_minute);
        list.add("bytes_per_minute", &self.bytes_per_minute);
        list.add("bytes_per_session", &self.bytes_per_session);
        list.add("keep", &self.keep);
        list.add("per_session", &self.files.per_session);
        list.add("types", &self.types.iter().map(shown).collect::<Vec<_>>());
        list.add("extensions", &self.files.extensions.iter().map(shown).collect::<Vec<_>>());
        list.add("archives", &self.files.archives);
        list.add("scan", &self.scan);
        list.add("metadata", &self.files.metadata);
        list.add("quarantine", &self.files.quarantine);
        list.0
    }
}

fn shown<T: Display>(stated: &Stated<Vec<T>>) -> Stated<String> {
    Stated { value: joined(&stated.value), rule: stated.rule.clone() }
}

/// `[one, two]`
fn joined<T: Display>(values: &[T]) -> String {
    let mut text = String::from("[");
    for (index, value) in values.iter().enumerate() {
        let _infallible = write!(text, "{}{value}", if index == 0 { "" } else { ", " });
    }
    text + "]"
}
