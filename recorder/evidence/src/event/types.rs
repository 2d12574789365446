//! The names of the types of events.

/// The types of events that this version knows: what [`What`](super::What) is tagged with.
pub const TYPES: [&str; 39] = [
    "session_opened",
    "session_closed",
    "viewer_joined",
    "viewer_left",
    "keys",
    "strokes",
    "input",
    "clicks",
    "paste",
    "copy",
    "contents",
    "upload",
    "download",
    "control",
    "resized",
    "refused",
    "protocol_violation",
    "gap",
    "policy_changed",
    "bell",
    "desktop_lost",
    "desktop_back",
    "screen_rule",
    "desktop_started",
    "egress",
    "egress_ended",
    "keep_extended",
    "signed_in",
    "signed_out",
    "viewed",
    "searched",
    "note_added",
    "note_removed",
    "recording_expired",
    "recording_missing",
    "recording_replaced",
    "quarantine_expired",
    "recording_held",
    "recording_released",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::What;

    #[test]
    fn every_type_is_in_the_table() {
        // What serde says when it knows none of them: the names of all variants.
        let error = serde_json::from_str::<What>(r#"{"type":""}"#).unwrap_err().to_string();
        let known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
        assert_eq!(known, TYPES);
    }
}
