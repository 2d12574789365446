//! What a PDF's objects lead to: streams that readers show whatever label they have, and those that are files.

use std::collections::BTreeSet;

use super::lexer::Value;

/// References of objects that are remembered, of all that are no streams.
const MAX_FURTHER: usize = 1 << 20;
/// Dictionaries and arrays within each other that are looked at.
const MAX_DEPTH: u32 = 64;
/// Keys under which stand what is shown: pages' contents, Type 3 glyphs, appearances of notes and fields, patterns.
const SHOWN: [&[u8]; 4] = [b"Contents", b"CharProcs", b"AP", b"Pattern"];
/// The key under which stand files.
const FILES: &[u8] = b"EF";

/// Objects by what leads to them. Readers go by that, not by what a stream says it is.
#[derive(Debug, Default)]
pub(super) struct Leads {
    shown: BTreeSet<u32>,
    files: BTreeSet<u32>,
    /// From an object that is no stream to one that it names: lists of contents, dictionaries of appearances.
    further: Vec<(u32, u32)>,
    /// Whether something was left out.
    pub(super) over: bool,
}

impl Leads {
    /// Takes what an object names.
    pub(super) fn object(&mut self, number: u32, value: &Value, is_stream: bool) {
        self.value(number, value, !is_stream, 0);
    }

    fn value(&mut self, number: u32, value: &Value, further: bool, depth: u32) {
        if depth > MAX_DEPTH {
            self.over = true;
            return;
        }
        let within = depth.saturating_add(1);
        match value {
            Value::Ref(to) if further && self.further.len() < MAX_FURTHER => self.further.push((number, *to)),
            Value::Ref(_) => self.over = self.over || further,
            Value::Array(values) => values.iter().for_each(|value| self.value(number, value, further, within)),
            Value::Dict(entries) => {
                for (key, value) in entries {
                    if SHOWN.contains(&key.as_slice()) {
                        named(value, &mut self.shown);
                    } else if key == FILES {
                        named(value, &mut self.files);
                    }
                    self.value(number, value, further, within);
                }
            }
            _ => {}
        }
    }

    /// Follows what was named through what is no stream. Afterwards streams can be asked for.
    pub(super) fn settle(&mut self) {
        self.further.sort_unstable();
        self.further.dedup();
        for found in [&mut self.shown, &mut self.files] {
            let mut next: Vec<u32> = found.iter().copied().collect();
            while let Some(number) = next.pop() {
                let from = self.further.partition_point(|(from, _)| *from < number);
                let more = self.further.iter().skip(from).take_while(|(from, _)| *from == number);
                next.extend(more.map(|(_, to)| *to).filter(|to| found.insert(*to)));
            }
        }
        self.further = Vec::new();
    }

    /// Whether a stream is shown.
    pub(super) fn shows(&self, number: u32) -> bool {
        self.shown.contains(&number)
    }

    /// Whether a stream is a file.
    pub(super) fn is_file(&self, number: u32) -> bool {
        self.files.contains(&number)
    }
}

/// All references within a value.
fn named(value: &Value, to: &mut BTreeSet<u32>) {
    match value {
        Value::Ref(number) if to.len() < MAX_FURTHER => {
            to.insert(*number);
        }
        Value::Array(values) => values.iter().for_each(|value| named(value, to)),
        Value::Dict(entries) => entries.iter().for_each(|(_, value)| named(value, to)),
        _ => {}
    }
}
