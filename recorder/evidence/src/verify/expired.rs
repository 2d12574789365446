//! The tombstone of a recording whose time is over: what it permits to be gone.
use super::Check;
use crate::digest::Digest;
use crate::jws::{self, Typ};
use crate::path::PathInBundle;
use crate::report::Kind;
use crate::seal::MAX_SEAL_BYTES;
use crate::tombstone::{MAX_TOMBSTONE_BYTES, Tombstone};
use crate::{canonical, stamp};

impl Check<'_> {
    /// Reads the tombstone, if there is one, and the seal that it is of.
    pub(super) fn read_tombstone(&mut self) {
        let path = PathInBundle::Expired;
        // Without a seal file it has no business there, and is found among what is left.
        if !self.tree.has(path) || !self.tree.has(PathInBundle::Seal) {
            return;
        }
        let Some(bytes) = self.small_file(path, MAX_TOMBSTONE_BYTES) else { return };
        // Of a faulty seal nothing can be said, and nothing of its tombstone.
        let Some(seal) = self.seal.clone() else { return };
        let Some(proved) = self.prove(path, jws::flattened(Typ::Tombstone, &bytes)) else { return };
        let tombstone: Tombstone = match canonical::from_bytes(&proved.payload) {
            Ok(tombstone) => tombstone,
            Err(error) => return self.report.fault(path, Kind::Malformed, error.to_string()),
        };
        let Some(sealed) = self.small_file(PathInBundle::Seal, MAX_SEAL_BYTES) else { return };
        let fault = tombstone.malformed().map(|fault| (Kind::Malformed, fault));
        let fault =
            fault.or_else(|| tombstone.of_another(&seal, Digest::of(&sealed)).map(|fault| (Kind::Reordered, fault)));
        if let Some((kind, reason)) = fault.or_else(|| tombstone.early(&seal).map(|fault| (Kind::NotDue, fault))) {
            return self.report.fault(path, kind, reason);
        }
        // The time stamp is the seal's, and proves nothing of what came years later.
        let stamped = self.stamped.take();
        let faults = self.report.count();
        self.signer_of(path, &proved.kid, stamp::parse(&tombstone.at));
        self.stamped = stamped;
        if self.report.count() == faults {
            self.report.files = self.report.files.saturating_add(1);
            self.report.expired = Some(tombstone.at);
        }
    }

    /// Takes note of a file that is gone, and with it what could be counted.
    pub(super) fn gone(&mut self, path: PathInBundle) {
        self.judged.insert(path);
        // Of a derived bundle, what stood in its place.
        if let Some(derived) = self.derived.as_mut() {
            derived.remove(&path);
        }
        self.events_known &= !matches!(path.plain(), PathInBundle::Events(_));
    }

    /// Whether the file may be gone because the recording's time is over.
    pub(super) fn may_be_gone(&self, path: PathInBundle) -> bool {
        self.report.expired.is_some() && path.expires()
    }
}
