//! Sealing: final index, `SHA256SUMS`, and the seal as the last file of all.
use std::collections::HashSet;

use super::error::{damaged, failed};
use super::{BundleWriter, Usable, WriteError, encrypting};
use crate::digest::Digest;
use crate::link::{Link, MAX_LINK_BYTES};
use crate::manifest::MAX_MANIFEST_BYTES;
use crate::path::PathInBundle;
use crate::seal::{Ending, MAX_REASON_BYTES, Seal};
use crate::{KeepTerms, VERSION, canonical, is_stamp, jws, read};

/// A bundle that has been sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// What the seal says.
    pub seal: Seal,
    /// What may now be stored elsewhere: index (to be replaced), `SHA256SUMS`, and the seal as the last.
    pub written: Vec<PathInBundle>,
}

impl BundleWriter {
    /// Seals the bundle. The open segment must have been closed. Room kept in reserve is given back first.
    ///
    /// # Errors
    /// [`WriteError::Unlisted`] when a file is in no link, [`WriteError::Ending`], [`WriteError::Damaged`] when what is on the
    /// disk is not what was written, or the disk's; after an error there is no seal.
    pub fn seal(&mut self, ending: Ending) -> Result<Sealed, WriteError> {
        self.usable()?;
        self.check(&ending)?;
        if let Some(path) = self.unlisted()?.into_iter().next() {
            return Err(WriteError::Unlisted(path));
        }
        self.release_room()?;
        self.write_index(true)?;
        self.write_sums()?;
        let synced = self.sync_folder(None);
        self.or_broken(synced)?;
        let seal = self.compose(ending)?;
        let payload = canonical::to_bytes(&seal).map_err(|_| WriteError::Ending("a number in it is too large"))?;
        let file = self.write_part(&[&jws::sign_flattened(jws::Typ::Seal, &payload, &self.key)])?;
        let synced = self.sync_part(&file);
        self.or_broken(synced)?;
        self.publish_part(PathInBundle::Seal)?;
        let synced = self.sync_folder(None);
        self.or_broken(synced)?;
        self.state = Usable::Sealed;
        // The seal is there: what is left beside it hurts nobody but who looks for foreign files.
        let _ = self.remove_covered(true);
        Ok(Sealed { seal, written: vec![PathInBundle::Index, PathInBundle::Sums, PathInBundle::Seal] })
    }

    /// What lies in the bundle's folders and is in no link, as paths; what has no business there included.
    pub(super) fn unlisted(&self) -> Result<Vec<String>, WriteError> {
        let inits: HashSet<u32> = self.segments.iter().filter_map(|segment| segment.init).collect();
        let videos: HashSet<u32> =
            self.segments.iter().filter(|segment| segment.video).map(|segment| segment.n).collect();
        let encrypted = self.manifest.is_encrypted();
        let numbered = |path: PathInBundle| match path {
            PathInBundle::Init(k) => inits.contains(&k),
            PathInBundle::Video(n) => videos.contains(&n),
            other => other.segment().is_some_and(|n| n <= self.links()),
        };
        let listed = |path: PathInBundle| path.plain().encrypted().is_encrypted() && path.is_encrypted() != encrypted;
        let listed = |path: PathInBundle| !listed(path) && numbered(path.plain());
        let mut found = Vec::new();
        for folder in ["chain", "events", "video"] {
            let at = self.dir.join(folder);
            for entry in std::fs::read_dir(&at).map_err(failed("read", &at))? {
                let name = entry.map_err(failed("read", &at))?.file_name();
                let path = format!("{folder}/{}", name.to_string_lossy());
                if !path.parse().is_ok_and(listed) {
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    fn check(&self, ending: &Ending) -> Result<(), WriteError> {
        if !is_stamp(&ending.ended) {
            return Err(WriteError::Ending("ended is not RFC 3339 in UTC with six decimals"));
        }
        if ending.duration_us < self.from_us() {
            return Err(WriteError::Ending("the session is shorter than its chain"));
        }
        Ok(())
    }

    fn compose(&self, ending: Ending) -> Result<Seal, WriteError> {
        let Ending { state, mut reason, ended, duration_us, revisions } = ending;
        reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES));
        let mut files = Vec::new();
        for path in [PathInBundle::Sums, PathInBundle::Index, PathInBundle::Session] {
            files.push(encrypting::hash(&self.dir, path)?);
        }
        let asked = self.manifest.keep.into_iter().chain(self.history.keep).reduce(KeepTerms::and);
        let keep = asked.and_then(|asked| asked.from(&ended));
        Ok(Seal {
            v: VERSION,
            session: self.manifest.id.clone(),
            state,
            reason,
            ended,
            duration_us,
            links: self.links(),
            last: self.last,
            events: self.history.events,
            revisions,
            gaps: self.history.gaps.clone(),
            files,
            keep,
        })
    }

    /// `SHA256SUMS`: manifest, then of each link its files and the link itself, then the index. The chain is read again, so
    /// that memory does not grow with the session, and followed up to the last link that this writer wrote.
    fn write_sums(&mut self) -> Result<(), WriteError> {
        let session = PathInBundle::Session.under(&self.dir);
        let manifest = read::capped(&session, MAX_MANIFEST_BYTES).map_err(failed("read", &session))?;
        let mut last = Digest::of(&manifest.unwrap_or_default());
        let part = self.dir.join(super::PART);
        let mut file = self.write_part(&[sum(last, PathInBundle::Session).as_bytes()])?;
        for n in 1..=self.links() {
            let path = PathInBundle::Link(n);
            let (link, digest) = self.read_link(path)?;
            if link.prev != last {
                return Err(damaged(path, "it does not follow the link before it"));
            }
            let mut lines: String = link.files.iter().map(|listed| sum(listed.sha256, listed.path)).collect();
            lines.push_str(&sum(digest, path));
            self.disk.append(&mut file, &part, lines.as_bytes()).map_err(failed("write", &part))?;
            last = digest;
        }
        if last != self.last {
            return Err(damaged(PathInBundle::Link(self.links()), "it is not the link that was written"));
        }
        let index = PathInBundle::Index.under(&self.dir);
        let (_, digest) = read::hash(&index).map_err(failed("read", &index))?;
        let line = sum(digest, PathInBundle::Index);
        self.disk.append(&mut file, &part, line.as_bytes()).map_err(failed("write", &part))?;
        let synced = self.sync_part(&file);
        self.or_broken(synced)?;
        self.publish_part(PathInBundle::Sums)
    }

    /// A link as it lies on the disk, and its file's SHA-256. A signature of this writer's key is checked.
    pub(super) fn read_link(&self, path: PathInBundle) -> Result<(Link, Digest), WriteError> {
        let at = path.under(&self.dir);
        let bytes = read::capped(&at, MAX_LINK_BYTES).map_err(failed("read", &at))?;
        let bytes = bytes.ok_or_else(|| damaged(path, "it is too long"))?;
        let unproved = jws::compact(jws::Typ::Link, &bytes).map_err(|error| damaged(path, error))?;
        match unproved.prove(&[self.key.verifying_key()]) {
            // Signed before the gate's key was renewed: the chain of hashes still ties it to what follows.
            Ok(()) | Err(jws::JwsError::UnknownKey(_)) => {}
            Err(error) => return Err(damaged(path, error)),
        }
        let link = canonical::from_bytes(&unproved.payload).map_err(|error| damaged(path, error))?;
        Ok((link, Digest::of(&bytes)))
    }
}

/// A line of `SHA256SUMS` as coreutils writes and reads it.
fn sum(digest: Digest, path: PathInBundle) -> String {
    format!("{digest}  {path}\n")
}
