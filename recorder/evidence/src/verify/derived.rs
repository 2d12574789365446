//! A derived bundle: its video is what the derivation says, everything else what the original's chain says.
use std::collections::BTreeMap;

use super::Check;
use crate::derivation::{Derivation, MAX_DERIVATION_BYTES};
use crate::digest::{Digest, FileHash};
use crate::jws::{self, Typ};
use crate::path::PathInBundle;
use crate::report::{DerivedReport, Kind};
use crate::{canonical, stamp};

impl Check<'_> {
    /// The derivation, if there is one. What is wrong with it is a fault, and then the video is held against the original's hashes.
    pub(super) fn read_derivation(&mut self) {
        let path = PathInBundle::Derivation;
        if !self.tree.has(path) {
            return;
        }
        let Some(bytes) = self.small_file(path, MAX_DERIVATION_BYTES) else { return };
        let Some(unproved) = self.prove(path, jws::flattened(Typ::Derivation, &bytes)) else { return };
        let derivation: Derivation = match canonical::from_bytes(&unproved.payload) {
            Ok(derivation) => derivation,
            Err(error) => return self.report.fault(path, Kind::Malformed, error.to_string()),
        };
        if let Some(fault) = derivation.fault() {
            return self.report.fault(path, Kind::Malformed, fault);
        }
        let sealed = match self.seal {
            Some(_) => self.small_file(PathInBundle::Seal, crate::seal::MAX_SEAL_BYTES),
            None => None,
        };
        if sealed.as_deref().map(Digest::of) != Some(derivation.of) {
            return self.report.fault(
                path,
                Kind::Reordered,
                "it was made of another bundle than the one that is sealed",
            );
        }
        if self.seal.as_ref().is_some_and(|seal| seal.session != derivation.session) {
            return self.report.fault(path, Kind::Malformed, "it names another session than the seal");
        }
        // The time stamp is the seal's, and proves nothing of what was made later.
        let stamped = self.stamped.take();
        self.signer_of(path, &unproved.kid, stamp::parse(&derivation.made));
        self.stamped = stamped;
        self.report.files = self.report.files.saturating_add(1);
        self.derived = Some(derivation.files.iter().map(|file| (file.path, *file)).collect());
        self.report.derived = Some(DerivedReport {
            made: derivation.made,
            codec: derivation.codec,
            tool: derivation.tool,
            settings: derivation.settings,
            pictures: derivation.pictures,
            duration_us: derivation.duration_us,
        });
    }

    /// What a file that a link lists must be: of a derived bundle's video, what the derivation says. `None` after a fault.
    pub(super) fn expected(&mut self, listed: &FileHash) -> Option<FileHash> {
        let Some(derived) = self.derived.as_mut().filter(|_| listed.path.is_video()) else { return Some(*listed) };
        let found = derived.remove(&listed.path);
        if found.is_none() {
            self.judged.insert(listed.path);
            let reason = format!("it has nothing in place of {}", listed.path);
            self.report.fault(PathInBundle::Derivation, Kind::Malformed, reason);
        }
        found
    }

    /// What the derivation lists and no good link does.
    pub(super) fn underived(&mut self, all_good: bool) {
        let left: BTreeMap<_, _> = self.derived.take().unwrap_or_default();
        for path in left.into_keys() {
            if all_good {
                let reason = format!("it has {path}, and the original had none");
                self.report.fault(PathInBundle::Derivation, Kind::Malformed, reason);
            }
            // Of a link that proves nothing, neither does what is in its video's place.
            self.judged.insert(path);
        }
    }
}
