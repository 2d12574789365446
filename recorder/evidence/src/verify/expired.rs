//! Tombstones: what they permit to be gone, of a recording whose time is over or whose video was encoded anew.
use super::Check;
use crate::digest::Digest;
use crate::jws;
use crate::path::PathInBundle;
use crate::report::{Kind, ReplacedReport};
use crate::seal::MAX_SEAL_BYTES;
use crate::tombstone::{self, Buried, MAX_TOMBSTONE_BYTES, Replacement, Tombstone};
use crate::{canonical, stamp};

impl Check<'_> {
    /// Reads the tombstones that are there, and the seal that they are of.
    pub(super) fn read_tombstones(&mut self) {
        self.report.expired = self.tombstone::<Tombstone>().map(|tombstone| tombstone.at);
        // What is derived has nothing that could be replaced: the file is found among what is left.
        if !self.tree.has(PathInBundle::Derivation) {
            let said = self.tombstone::<Replacement>();
            self.report.replaced = said.map(|said| ReplacedReport { at: said.at, derivation: said.derivation });
        }
    }

    /// A tombstone, if there is one and nothing is wrong with it.
    fn tombstone<T: Buried>(&mut self) -> Option<T> {
        let path = T::PATH;
        // Without a seal file it has no business there, and is found among what is left.
        if !self.tree.has(path) || !self.tree.has(PathInBundle::Seal) {
            return None;
        }
        let bytes = self.small_file(path, MAX_TOMBSTONE_BYTES)?;
        // Of a faulty seal nothing can be said, and nothing of its tombstone.
        let seal = self.seal.clone()?;
        let proved = self.prove(path, jws::flattened(tombstone::typ::<T>(), &bytes))?;
        let said: T = match canonical::from_bytes(&proved.payload) {
            Ok(said) => said,
            Err(error) => {
                self.report.fault(path, Kind::Malformed, error.to_string());
                return None;
            }
        };
        let sealed = Digest::of(&self.small_file(PathInBundle::Seal, MAX_SEAL_BYTES)?);
        let fault = said.malformed().map(|fault| (Kind::Malformed, fault));
        let fault = fault.or_else(|| said.of_another(&seal, sealed).map(|fault| (Kind::Reordered, fault)));
        if let Some((kind, reason)) = fault.or_else(|| said.early(&seal).map(|fault| (Kind::NotDue, fault))) {
            self.report.fault(path, kind, reason);
            return None;
        }
        // The time stamp is the seal's, and proves nothing of what came years later.
        let (stamped, faults) = (self.stamped.take(), self.report.count());
        self.signer_of(path, &proved.kid, stamp::parse(said.at()));
        self.stamped = stamped;
        let good = self.report.count() == faults;
        self.report.files = self.report.files.saturating_add(u64::from(good));
        good.then_some(said)
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

    /// Whether the file may be gone because a tombstone says so.
    pub(super) fn may_be_gone(&self, path: PathInBundle) -> bool {
        self.report.expired.is_some() && path.expires() || self.report.replaced.is_some() && path.is_video()
    }
}
