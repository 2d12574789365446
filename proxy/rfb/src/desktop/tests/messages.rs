//! The other messages of a desktop: the bell, and the 253 that are refused.

use super::*;
use crate::wire::DesktopMessage;

#[test]
fn bells() {
    assert_eq!(ready(64, 48).receive(&[2, 2]).unwrap(), [Event::Bell, Event::Bell]);
}

#[test]
fn every_other_message_is_refused_by_name() {
    for code in (0..=255).filter(|code| ![0, 2, 3].contains(code)) {
        let error = refusal(&[code, 0, 0, 0]);
        assert_eq!(error.field, "message-type");
        assert!(error.reason.starts_with(&format!("{code} was not asked for")), "{error}");
        assert_eq!(error.message, DesktopMessage(code).name().unwrap_or("unknown message"));
    }
    assert_eq!(refusal(&[180]).message, "KasmVNC BinaryClipboard");
    assert_eq!(refusal(&[1]).message, "SetColourMapEntries");
}
