//! What the API describes of events is what bundles have.

use portcullis_evidence::{Effect, Event, Stroke, What};

use super::*;

/// One of each. A new kind of event fails to compile in `covered`, and is added here and above.
fn every() -> Vec<What> {
    let (viewer, effect, bytes) = (1, Effect::Deny, 5);
    let [reason, sha256, what, side, desktop, runtime, origin, key, value] =
        ["reason", "sha256", "what", "side", "desktop", "runtime", "origin", "key", "value"].map(str::to_owned);
    vec![
        What::SessionOpened { desktop, runtime },
        What::SessionClosed { reason: reason.clone() },
        What::ViewerJoined { viewer, origin },
        What::ViewerLeft { viewer, reason: reason.clone(), sent_revision: 7 },
        What::Keys { viewer, pressed: 2 },
        What::Strokes { viewer, strokes: vec![Stroke { down: true, keysym: 0x61, name: "a".to_owned() }] },
        What::Input { viewer, effect, kind: "chord".to_owned(), count: 2, reason: reason.clone() },
        What::Clicks { viewer, pressed: 2, x: 3, y: 4 },
        What::Paste {
            viewer,
            effect,
            bytes,
            sha256: sha256.clone(),
            reason: reason.clone(),
            found: Vec::new(),
            redacted: None,
        },
        What::Copy {
            viewer,
            effect: Effect::Permit,
            bytes,
            sha256,
            reason: reason.clone(),
            found: vec!["iban".to_owned()],
            redacted: Some(2),
        },
        What::Contents { of: 3, part: 1, parts: 2, age: "YWdl".to_owned() },
        What::Upload {
            effect,
            name: "a.pdf".to_owned(),
            bytes: 5,
            media_type: "application/pdf".to_owned(),
            sha256: String::new(),
            found: vec!["iban".to_owned()],
            archive_entries: Some(3),
            quarantined: Some("s/1.age".to_owned()),
            stripped_sha256: None,
            reason: reason.clone(),
        },
        What::Download {
            effect,
            name: "b.txt".to_owned(),
            bytes: 5,
            media_type: "text/plain".to_owned(),
            sha256: String::new(),
            found: Vec::new(),
            archive_entries: None,
            quarantined: None,
            stripped_sha256: Some("00".repeat(32)),
            reason: reason.clone(),
        },
        What::Control { viewer, effect, reason: reason.clone() },
        What::Resized { width: 8, height: 9 },
        What::Refused { what, reason: reason.clone() },
        What::ProtocolViolation { side, reason: reason.clone() },
        What::Gap { from_us: 1, to_us: 2, reason: reason.clone() },
        What::PolicyChanged { effect, reason: reason.clone() },
        What::Bell {},
        What::DesktopLost { reason: reason.clone() },
        What::DesktopStarted { name: "name".to_owned(), image: "sha256:0".to_owned(), warm: true },
        What::Egress { effect, host: "host".to_owned(), port: 443, reason },
        What::EgressEnded { host: "host".to_owned(), port: 443, sent: 1, received: 2 },
        What::DesktopBack { away_us: 6 },
        What::ScreenRule { holds: false, key, value },
        What::KeepExtended { lock: portcullis_evidence::KeepLock::Compliance, seconds: 86_400 },
    ]
}

fn covered(what: &What) {
    match what {
        What::SessionOpened { .. } | What::SessionClosed { .. } | What::ViewerJoined { .. } => {}
        What::ViewerLeft { .. } | What::Keys { .. } | What::Clicks { .. } | What::Paste { .. } => {}
        What::Strokes { .. } | What::Input { .. } | What::Contents { .. } => {}
        What::Upload { .. } | What::Download { .. } => {}
        What::Copy { .. } | What::Control { .. } | What::Resized { .. } | What::Refused { .. } => {}
        What::ProtocolViolation { .. } | What::Gap { .. } | What::PolicyChanged { .. } | What::Bell {} => {}
        What::DesktopLost { .. } | What::DesktopBack { .. } | What::ScreenRule { .. } => {}
        What::DesktopStarted { .. } | What::Egress { .. } | What::EgressEnded { .. } => {}
        What::KeepExtended { .. } => {}
        // In the gate's journal alone, never in a bundle.
        What::SignedIn {} | What::SignedOut {} | What::Viewed { .. } => {}
        What::Searched { .. } | What::NoteAdded { .. } | What::NoteRemoved { .. } => {}
        What::QuarantineExpired { .. } => {}
        What::RecordingExpired { .. }
        | What::RecordingMissing { .. }
        | What::RecordingReplaced { .. }
        | What::RecordingHeld { .. }
        | What::RecordingReleased { .. } => {}
    }
}

#[test]
fn what_is_described_is_what_the_bundle_has() {
    for what in every() {
        covered(&what);
        let [time, session, subject, policy, rule] =
            ["time", "session", "subject", "policy", "rule"].map(str::to_owned);
        let event = Event { v: 1, seq: 2, at_us: 3, time, session, subject, policy, rule, what };
        let as_kept = serde_json::to_value(&event).unwrap();
        let described: RecordedEvent = serde_json::from_value(as_kept.clone()).unwrap();
        assert_eq!(serde_json::to_value(described).unwrap(), as_kept);
    }
}
