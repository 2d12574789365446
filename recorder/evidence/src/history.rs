//! The run of a session's events: what is checked of each line, and what the seal says about them all.
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::event::{Event, EventError, MAX_CONTENTS_DIGITS, TYPES, What};
use crate::gap::{self, Gap};
use crate::{KeepTerms, MAX_KEEP_SECONDS, VERSION, canonical, is_stamp};

/// Where a session's events stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    /// `seq` of the last event; 0 before the first.
    pub seq: u64,
    /// `at_us` of the last event.
    pub at_us: u64,
    /// How many there were.
    pub events: u64,
    /// How many of them are of a type that this version does not know.
    pub unknown: u64,
    /// The gaps that they tell of.
    pub gaps: Vec<Gap>,
    /// The longest and firmest that they ask the recording to be kept, where any does.
    pub keep: Option<KeepTerms>,
    /// The highest revision of the screen in the segments that they belong to, as the recorder says.
    pub revisions: u64,
    /// The subject of the last one that says that the session is closed.
    pub closed_by: Option<String>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineFault {
    /// It is no event.
    Malformed(String),
    /// It does not come after the event before.
    NotMonotonic(&'static str),
}

/// What events of every type have.
#[derive(Deserialize)]
struct Envelope {
    v: u32,
    seq: u64,
    at_us: u64,
    time: String,
    session: String,
    #[serde(rename = "subject")]
    _subject: String,
    #[serde(rename = "policy")]
    _policy: String,
    #[serde(rename = "rule")]
    _rule: String,
    r#type: String,
}

impl History {
    /// A history that goes on where this one stands, with nothing counted yet.
    pub(crate) fn continued(&self) -> Self {
        Self { seq: self.seq, at_us: self.at_us, ..Self::default() }
    }

    /// Takes over what a [`History::continued`] one gathered.
    pub(crate) fn absorb(&mut self, later: Self) {
        self.seq = later.seq;
        self.at_us = later.at_us;
        self.events = self.events.saturating_add(later.events);
        self.unknown = self.unknown.saturating_add(later.unknown);
        self.keep = self.keep.into_iter().chain(later.keep).reduce(KeepTerms::and);
        self.revisions = self.revisions.max(later.revisions);
        self.closed_by = later.closed_by.or(self.closed_by.take());
        later.gaps.into_iter().for_each(|gap| gap::gather(&mut self.gaps, gap));
    }

    /// Adds the event of one line, which must be of `session`.
    pub(crate) fn line(&mut self, line: &[u8], session: &str) -> Result<(), LineFault> {
        match Event::from_line(line) {
            Ok(event) if event.session == session => match well_said(&event.what) {
                Ok(()) => self.event(&event).map_err(LineFault::NotMonotonic),
                Err(fault) => Err(LineFault::Malformed(fault.to_owned())),
            },
            Ok(_) => Err(LineFault::Malformed("an event of another session".to_owned())),
            Err(error) => self.foreign(line, session).unwrap_or_else(|| Err(LineFault::Malformed(words(&error)))),
        }
    }

    /// Adds an event; nothing is changed when it does not come after the one before.
    pub(crate) fn event(&mut self, event: &Event) -> Result<(), &'static str> {
        self.follows(event.seq, event.at_us)?;
        self.add(event.seq, event.at_us);
        match event.what {
            What::Gap { from_us, to_us, .. } => gap::gather(&mut self.gaps, Gap { from_us, to_us }),
            What::SessionClosed { .. } => self.closed_by = Some(event.subject.clone()),
            _ => {}
        }
        if let What::KeepExtended { lock, seconds } = event.what {
            let asked = KeepTerms { lock, seconds };
            self.keep = self.keep.into_iter().chain([asked]).reduce(KeepTerms::and);
        }
        Ok(())
    }

    /// Whether an event with these would come after the last one.
    pub(crate) fn follows(&self, seq: u64, at_us: u64) -> Result<(), &'static str> {
        if seq <= self.seq {
            return Err("seq does not rise");
        }
        if at_us < self.at_us {
            return Err("at_us falls");
        }
        Ok(())
    }

    /// An event of a type that came after this version: what all types have is checked. `None` when it is none.
    fn foreign(&mut self, line: &[u8], session: &str) -> Option<Result<(), LineFault>> {
        let line = line.strip_suffix(b"\n")?;
        let value: Value = canonical::from_bytes(line).ok()?;
        let event: Envelope = serde_json::from_value(value).ok()?;
        if TYPES.contains(&event.r#type.as_str())
            || event.v != VERSION
            || !is_stamp(&event.time)
            || event.session != session
        {
            return None;
        }
        if let Err(fault) = self.follows(event.seq, event.at_us) {
            return Some(Err(LineFault::NotMonotonic(fault)));
        }
        self.add(event.seq, event.at_us);
        self.unknown = self.unknown.saturating_add(1);
        Some(Ok(()))
    }

    fn add(&mut self, seq: u64, at_us: u64) {
        self.seq = seq;
        self.at_us = at_us;
        self.events = self.events.saturating_add(1);
    }
}

/// What the schema says of texts in events, beyond their being texts.
fn well_said(what: &What) -> Result<(), &'static str> {
    match what {
        What::Paste { sha256, .. } | What::Copy { sha256, .. }
            if !sha256.is_empty() && sha256.parse::<Digest>().is_err() =>
        {
            Err("sha256 is neither empty nor 64 hexadecimal digits")
        }
        What::KeepExtended { seconds, .. } if *seconds > MAX_KEEP_SECONDS => Err("it is kept for longer than can be"),
        What::Paste { redacted: Some(0), .. } | What::Copy { redacted: Some(0), .. } => Err("redacted is 0"),
        What::Contents { of, part, parts, age } => {
            let digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            let whole = (1..=MAX_CONTENTS_DIGITS).contains(&age.len()) && age.bytes().all(digit);
            let numbered = *of > 0 && *part > 0 && *parts > 0;
            if whole && numbered { Ok(()) } else { Err("these are no contents") }
        }
        What::ProtocolViolation { side, .. } if side != "viewer" && side != "desktop" => {
            Err("side is neither viewer nor desktop")
        }
        _ => Ok(()),
    }
}

/// The error with its cause: a fault's reason has no chain to look at.
fn words(error: &EventError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
