//! One event as one syslog message (RFC 5424), framed by octet counting (RFC 6587 §3.4.1, RFC 5425 §4.3).
//!
//! Everything is printable: MSG is the recorded JSON with everything outside of printable ASCII escaped as JSON has it, so that it is the same
//! value, needs no byte order mark, and no text in it can end a message or move a terminal.

use std::fmt::Write;

use portcullis_evidence::Effect;

use crate::entry::Entry;

/// The name of the structured data. 32473 is the number for documentation (RFC 5612); there is none of our own.
const SD_ID: &str = "portcullis@32473";
/// The name of the program.
const APP_NAME: &str = "portcullis";
/// The longest HOSTNAME and MSGID.
const MAX_HOSTNAME: usize = 255;
const MAX_MSGID: usize = 32;

/// A syslog facility: 0 to 23.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facility(u8);

/// The facilities by the names that syslog daemons have for them, by number.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

impl Facility {
    /// The facility of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let number = FACILITIES.iter().position(|known| *known == name)?;
        u8::try_from(number).ok().map(Self)
    }

    /// All names.
    #[must_use]
    pub fn names() -> &'static [&'static str] {
        &FACILITIES
    }
}

/// Severities (RFC 5424 §6.2.1).
const ERROR: u16 = 3;
const WARNING: u16 = 4;
const NOTICE: u16 = 5;
const INFORMATIONAL: u16 = 6;

/// How grave an event is: what breaks the record, what was stopped, what changes a session, the rest.
fn severity(entry: &Entry) -> u16 {
    match (entry.kind.as_str(), entry.effect) {
        ("gap", _) => ERROR,
        (_, Some(Effect::Deny)) => WARNING,
        ("session_opened" | "session_closed" | "policy_changed" | "desktop_lost" | "viewed" | "signed_in", _) => NOTICE,
        _ => INFORMATIONAL,
    }
}

/// The message of one event with its length before it.
pub(crate) fn frame(entry: &Entry, facility: Facility, hostname: &str) -> Vec<u8> {
    let message = message(entry, facility, hostname);
    let mut frame = format!("{} ", message.len()).into_bytes();
    frame.extend_from_slice(message.as_bytes());
    frame
}

/// RFC 5424 §6: HEADER, STRUCTURED-DATA, MSG.
fn message(entry: &Entry, facility: Facility, hostname: &str) -> String {
    let priority = u16::from(facility.0) * 8 + severity(entry);
    let (host, kind) = (name(hostname, MAX_HOSTNAME), name(&entry.kind, MAX_MSGID));
    let time = if portcullis_evidence::is_stamp(&entry.time) { entry.time.as_str() } else { "-" };
    let mut text = format!("<{priority}>1 {time} {host} {APP_NAME} - {kind} [{SD_ID}");
    let effect = match entry.effect {
        Some(Effect::Permit) => "permit",
        Some(Effect::Deny) => "deny",
        None => "",
    };
    for (name, value) in [
        ("delivery", entry.id.as_str()),
        ("session", &entry.session),
        ("subject", &entry.subject),
        ("policy", &entry.policy),
        ("rule", &entry.rule),
        ("effect", effect),
    ] {
        if !value.is_empty() {
            let _infallible = write!(text, " {name}=\"");
            value.chars().for_each(|letter| parameter(&mut text, letter));
            text.push('"');
        }
    }
    text.push_str("] ");
    json(&mut text, &entry.json);
    text
}

/// Printable ASCII without spaces, or `-` (NILVALUE).
fn name(text: &str, most: usize) -> String {
    let name: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

/// A character of a PARAM-VALUE (RFC 5424 §6.3.3); what controls a terminal or a line is shown as JSON would.
fn parameter(text: &mut String, letter: char) {
    match letter {
        '"' | '\\' | ']' => text.extend(['\\', letter]),
        ' '..='~' => text.push(letter),
        other => {
            let mut units = [0; 2];
            for unit in other.encode_utf16(&mut units) {
                let _infallible = write!(text, "\\\\u{unit:04x}");
            }
        }
    }
}

/// JSON in ASCII. What stands outside of it stands in a string, where `\uXXXX` is the same character.
fn json(text: &mut String, json: &[u8]) {
    for letter in String::from_utf8_lossy(json).chars() {
        match letter {
            ' '..='~' => text.push(letter),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    let _infallible = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
