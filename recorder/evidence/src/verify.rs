//! Verification: is this bundle, byte for byte, what a gate with one of these keys recorded, and is all of it there?
//!
//! Trust runs from the keys to the signatures of seal and links, from those to the hashes that they list, and from those to
//! the files. Memory does not grow with the length of files, only with their number, which is capped by their names.

mod chain;
mod derived;
mod encrypted;
mod expired;
mod files;
mod signer;
mod sums;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use time::OffsetDateTime;

use crate::digest::{Digest, FileHash};
use crate::history::History;
use crate::jws::{self, JwsError, Typ, Unproved};
use crate::key::VerifyingKey;
use crate::manifest::{MAX_MANIFEST_BYTES, Manifest};
use crate::path::PathInBundle;
use crate::report::{Contents, Kind, Report};
use crate::seal::{MAX_SEAL_BYTES, Seal};
use crate::source::{BundleFolder, Source};
use crate::trust::Trust;
use crate::{canonical, read};
use tree::Tree;

/// Verifies the bundle in the folder `dir` with the public keys of the gates that are trusted.
///
/// Every fault names its file. The bundle is what the keys' owners signed if and only if [`Report::is_sound`].
#[must_use]
pub fn verify(dir: &Path, keys: &[VerifyingKey]) -> Report {
    verify_at(&BundleFolder::at(dir), &Trust::of(keys))
}

/// As [`verify`], of a bundle that lies anywhere, and with what is known of the validity of keys and of authorities that stamp time.
#[must_use]
pub fn verify_at(source: &dyn Source, trust: &Trust) -> Report {
    let mut report = Report::default();
    let Some(tree) = tree::walk(source, &mut report) else { return report };
    let mut check = Check {
        source,
        trust,
        tree,
        report,
        used_keys: BTreeSet::new(),
        manifest: None,
        session: None,
        seal: None,
        seal_kid: String::new(),
        stamped: None,
        sums: None,
        derived: None,
        judged: HashSet::new(),
        history: History::default(),
        events_known: true,
    };
    check.read_seal();
    check.read_manifest();
    check.read_time_stamp();
    check.signers_of_the_ends();
    check.read_tombstones();
    check.sealed_files();
    check.read_derivation();
    let end = check.chain();
    check.underived(end.unproved.is_empty());
    check.against_seal(&end);
    check.leftovers(&end);
    check.report.keys = check.used_keys.into_iter().collect();
    check.report
}

/// A verification in progress.
struct Check<'a> {
    source: &'a dyn Source,
    trust: &'a Trust,
    tree: Tree,
    report: Report,
    used_keys: BTreeSet<String>,
    /// The manifest, unless it was found to be faulty.
    manifest: Option<Manifest>,
    /// SHA-256 that the manifest's file has, or should have.
    session: Option<Digest>,
    /// The seal, when its signature is good and it is of this session.
    seal: Option<Seal>,
    /// The key that signed it.
    seal_kid: String,
    /// When an authority saw the seal.
    stamped: Option<OffsetDateTime>,
    /// What `SHA256SUMS` lists, when the seal proves it.
    sums: Option<HashMap<PathInBundle, Digest>>,
    /// What stands in place of the original's video, of what was not looked at yet.
    derived: Option<BTreeMap<PathInBundle, FileHash>>,
    /// Files about which there is nothing more to say.
    judged: HashSet<PathInBundle>,
    /// The events of good segments.
    history: History,
    /// Whether all events could be counted.
    events_known: bool,
}

impl Check<'_> {
    fn read_seal(&mut self) {
        let path = PathInBundle::Seal;
        self.judged.insert(path);
        if !self.tree.has(path) {
            let reason = "there is no seal: the session still runs, or the end was taken away";
            return self.report.fault(path, Kind::Unsealed, reason);
        }
        let Some(bytes) = self.small_file(path, MAX_SEAL_BYTES) else { return };
        let Some(unproved) = self.prove(path, jws::flattened(Typ::Seal, &bytes)) else { return };
        match canonical::from_bytes::<Seal>(&unproved.payload) {
            Ok(seal) => match seal.malformed() {
                None => (self.seal, self.seal_kid) = (Some(seal), unproved.kid),
                Some(fault) => self.report.fault(path, Kind::Malformed, fault),
            },
            Err(error) => self.report.fault(path, Kind::Malformed, error.to_string()),
        }
    }

    /// The manifest is what the seal says or what link 1 follows; of the two, the one that disagrees is out of place.
    fn read_manifest(&mut self) {
        let path = PathInBundle::Session;
        let bytes = self.small_file(path, MAX_MANIFEST_BYTES);
        let sealed = self.seal.as_ref().and_then(|seal| seal.files.last()).map(|file| file.sha256);
        let followed = self.first_link().map(|link| link.prev);
        let signed: Vec<Digest> = [sealed, followed].into_iter().flatten().collect();
        let found = bytes.as_deref().map(Digest::of);
        self.session = found.filter(|found| signed.is_empty() || signed.contains(found)).or(signed.first().copied());
        match bytes.as_deref().map(Manifest::from_bytes) {
            None => {}
            Some(_) if self.session != found => {
                self.report.fault(path, Kind::Edited, "its bytes are not those that the seal and link 1 name");
            }
            Some(Err(error)) => self.report.fault(path, Kind::Malformed, chain_of(&error)),
            Some(Ok(manifest)) => {
                self.report.session = Some(manifest.id.clone());
                if manifest.is_encrypted() {
                    let known = self
                        .trust
                        .identities()
                        .is_some_and(|given| given.names().iter().any(|name| manifest.recipients.contains(name)));
                    self.report.contents = if known { Contents::Decrypted } else { Contents::Encrypted };
                    self.report.recipients.clone_from(&manifest.recipients);
                }
                self.report.files = self.report.files.saturating_add(1);
                self.manifest = Some(manifest);
            }
        }
        if sealed.is_some() && sealed != self.session {
            self.report.fault(PathInBundle::Seal, Kind::Reordered, "it is the seal of another session");
            self.seal = None;
        }
        self.report_seal();
    }

    fn report_seal(&mut self) {
        let Some(seal) = self.seal.as_ref() else { return };
        self.report.session.get_or_insert_with(|| seal.session.clone());
        self.report.state = Some(seal.state);
        self.report.reason = Some(seal.reason.clone());
        self.report.duration_us = Some(seal.duration_us);
        self.report.revisions = Some(seal.revisions);
        self.report.gaps = u64::try_from(seal.gaps.len()).ok();
        self.report.files = self.report.files.saturating_add(1);
        if self.manifest.as_ref().is_some_and(|manifest| manifest.id != seal.session) {
            self.report.fault(
                PathInBundle::Seal,
                Kind::Malformed,
                "it names another session than the manifest that it seals",
            );
        }
    }

    /// Index and `SHA256SUMS` against the hashes in the seal.
    fn sealed_files(&mut self) {
        let Some(files) = self.seal.as_ref().map(|seal| seal.files.clone()) else { return };
        for listed in files {
            match listed.path {
                PathInBundle::Sums => self.read_sums(listed),
                PathInBundle::Index if self.may_be_gone(listed.path) && !self.tree.has(listed.path) => {
                    self.gone(listed.path);
                }
                PathInBundle::Index => {
                    self.hash_file(&listed);
                }
                _ => {}
            }
        }
    }

    /// What the seal says of the chain, once the chain is known.
    fn against_seal(&mut self, end: &chain::End) {
        let Some(seal) = self.seal.as_ref() else { return };
        let path = PathInBundle::Seal;
        if let Some(last) = end.last.filter(|last| *last != seal.last) {
            let at = if seal.links == 0 { path } else { PathInBundle::Link(seal.links) };
            self.report.fault(at, Kind::Reordered, format!("the seal ends the chain in {}, this is {last}", seal.last));
            return;
        }
        if end.last.is_some() && end.to_us > seal.duration_us {
            self.report.fault(path, Kind::NotMonotonic, "the session is shorter than its chain");
        }
        if self.events_known && seal.events != self.history.events {
            let reason = format!("it counts {} events, the chain has {}", seal.events, self.history.events);
            self.report.fault(path, Kind::Malformed, reason);
        }
        if self.events_known && seal.gaps != self.history.gaps {
            self.report.fault(path, Kind::Malformed, "its gaps are not those of the gap events");
        }
    }

    /// Files that no good link listed: those of faulty links are looked up in `SHA256SUMS`, all others are too many.
    fn leftovers(&mut self, end: &chain::End) {
        let sums = self.sums.take();
        let left: Vec<PathInBundle> = self.tree.files().filter(|path| !self.judged.contains(path)).collect();
        for path in left {
            let links = self.seal.as_ref().map_or(end.links, |seal| seal.links);
            let unproved = path.segment().map_or(!end.unproved.is_empty(), |n| end.unproved.contains(&n));
            match (&sums, sums.as_ref().and_then(|sums| sums.get(&path))) {
                (_, Some(digest)) if unproved => self.against_sum(path, *digest),
                (None, None) if unproved || (self.seal.is_none() && end.may_be_open(path)) => {}
                (Some(_), None) => self.report.fault(path, Kind::Extended, "neither the chain nor SHA256SUMS lists it"),
                _ => self.report.fault(path, Kind::Extended, format!("none of the {links} links lists it")),
            }
        }
        let mut lost: Vec<PathInBundle> = sums.unwrap_or_default().into_keys().collect();
        lost.retain(|path| !self.judged.contains(path) && !self.tree.has(*path) && !self.may_be_gone(*path));
        lost.sort();
        for path in lost {
            self.report.fault(path, Kind::Missing, "SHA256SUMS lists it");
        }
    }

    /// The bytes of a file that is read into memory; `None` after a fault.
    fn small_file(&mut self, path: PathInBundle, most: u64) -> Option<Vec<u8>> {
        self.judged.insert(path);
        if !self.tree.has(path) {
            self.report.fault(path, Kind::Missing, "every bundle has it");
            return None;
        }
        if !self.tree.is_file(path) {
            return None;
        }
        match self.source.open(path).and_then(|file| read::all(file.reader, most)) {
            Ok(Some(bytes)) => Some(bytes),
            Ok(None) => {
                self.report.fault(path, Kind::Malformed, format!("it is longer than {most} bytes"));
                None
            }
            Err(error) => {
                self.report.fault(path, Kind::Unreadable, error.to_string());
                None
            }
        }
    }

    /// The signed thing, when its signature is good; `None` after a fault.
    fn prove(&mut self, path: PathInBundle, unproved: Result<Unproved, JwsError>) -> Option<Unproved> {
        let proved = unproved.and_then(|unproved| unproved.prove(self.trust.keys()).map(|()| unproved));
        match proved {
            Ok(proved) => {
                self.used_keys.insert(proved.kid.clone());
                return Some(proved);
            }
            Err(JwsError::Malformed(reason)) => self.report.fault(path, Kind::Malformed, reason),
            Err(JwsError::UnknownKey(kid)) => {
                self.report.fault(
                    path,
                    Kind::UnknownKey,
                    format!("it is signed with the key {kid}, which was not given"),
                );
            }
            Err(JwsError::BadSignature) => {
                self.report.fault(path, Kind::BadSignature, "its bytes are not those that were signed");
            }
        }
        None
    }
}

/// An error with its causes: the reason of a fault has no chain to look at.
fn chain_of(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
