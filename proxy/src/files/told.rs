//! What the record says of a file: one event, of either direction.

use portcullis_evidence::{Effect as Verdicted, What};
use portcullis_policy::{ActionKind, Effect, Verdict};

/// What is known of a file; as little as its name, when it went no further.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) bytes: u64,
    pub(super) media_type: String,
    pub(super) sha256: String,
    pub(super) found: Vec<String>,
    pub(super) archive_entries: Option<u32>,
    pub(super) quarantined: Option<String>,
    pub(super) stripped_sha256: Option<String>,
}

impl Told {
    /// The event of a file of this name under a verdict.
    pub(super) fn event(self, kind: ActionKind, name: String, verdict: &Verdict) -> What {
        let Self { bytes, media_type, sha256, found, archive_entries, quarantined, stripped_sha256 } = self;
        let effect = if verdict.effect == Effect::Deny { Verdicted::Deny } else { Verdicted::Permit };
        let reason = verdict.reason.clone();
        if kind == ActionKind::Upload {
            What::Upload {
                effect,
                name,
                bytes,
                media_type,
                sha256,
                found,
                archive_entries,
                quarantined,
                stripped_sha256,
                reason,
            }
        } else {
            What::Download {
                effect,
                name,
                bytes,
                media_type,
                sha256,
                found,
                archive_entries,
                quarantined,
                stripped_sha256,
                reason,
            }
        }
    }
}
