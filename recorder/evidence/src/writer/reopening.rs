//! Recovery: finding what a killed gate left of a bundle, so that its last segment can be closed and the bundle sealed.
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::Arc;

use super::error::{damaged, failed};
use super::{BundleWriter, ClearEvents, Encryption, OpenEvents, PART, Usable, WriteError};
use crate::cover::CoverKey;
use crate::digest::Digest;
use crate::disk::Disk;
use crate::history::History;
use crate::key::SigningKey;
use crate::manifest::{MAX_MANIFEST_BYTES, Manifest};
use crate::path::PathInBundle;
use crate::playlist::Segment;
use crate::read::{self, Line};
use crate::seal::{MAX_SEAL_BYTES, Seal};
use crate::{canonical, jws};

/// What was found in a bundle's folder.
#[derive(Debug)]
pub enum Reopened {
    /// There is no manifest: the session never began and nothing was shown. The folder may be removed.
    Unstarted,
    /// The bundle is not sealed. To be finished with events, [`BundleWriter::close_segment`] and [`BundleWriter::seal`].
    Open(Box<BundleWriter>, Left),
    /// The bundle is sealed. At most its storing elsewhere is unfinished.
    Sealed(Box<Manifest>, Box<Seal>),
}

/// What a killed gate left of the open segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// Video that is on the disk and in no link, sorted: to be listed in the next link, or removed.
    pub video: Vec<PathInBundle>,
    /// How many events the open segment has.
    pub events: u64,
    /// How many bytes at the end of its events were no whole event (a torn last write) and have been cut off.
    pub torn_bytes: u64,
    /// The bundle is encrypted and the key that covered the open segment is gone: what that held is lost.
    pub lost: bool,
}

impl BundleWriter {
    /// Opens the bundle in `dir` after a crash, whatever step it happened at. `key` may be newer than the bundle.
    ///
    /// # Errors
    /// [`WriteError::Damaged`] when a file is not what a writer wrote (a crash alone does not do that), or the disk's.
    pub fn reopen(dir: &Path, key: Arc<SigningKey>) -> Result<Reopened, WriteError> {
        Self::reopen_on(Disk::default(), dir, key, None)
    }

    /// As [`BundleWriter::reopen`], on another disk, and with the key that covers the open segment of an encrypted bundle, if it is still there. Without it
    /// another one covers what is written from now on, and [`Left::lost`] says so.
    ///
    /// # Errors
    /// As [`BundleWriter::reopen`].
    pub fn reopen_on(
        disk: Disk,
        dir: &Path,
        key: Arc<SigningKey>,
        cover: Option<CoverKey>,
    ) -> Result<Reopened, WriteError> {
        let Some(bytes) = read_if_there(dir, PathInBundle::Session, MAX_MANIFEST_BYTES)? else {
            return Ok(Reopened::Unstarted);
        };
        let manifest = Manifest::from_bytes(&bytes).map_err(|error| damaged(PathInBundle::Session, error))?;
        let mut writer = Self {
            disk,
            dir: dir.to_owned(),
            key,
            manifest,
            last: Digest::of(&bytes),
            segments: Vec::new(),
            newest_init: 0,
            history: History::default(),
            encryption: None,
            open: None,
            state: Usable::Yes,
        };
        writer.remove_part()?;
        if let Some(seal) = writer.read_seal()? {
            // A crash right after the seal took its name may have left that name in memory alone.
            writer.sync_folder(None)?;
            writer.remove_covered(true)?;
            return Ok(Reopened::Sealed(Box::new(writer.manifest), Box::new(seal)));
        }
        writer.follow_chain()?;
        let mut left = Left::default();
        if writer.manifest.is_encrypted() {
            writer.uncover(cover, &mut left)?;
        } else {
            writer.recount();
            writer.trim(&mut left)?;
            left.video = writer.unlisted_video()?;
        }
        Ok(Reopened::Open(Box::new(writer), left))
    }

    /// What was covered of an encrypted bundle, if its key is there.
    fn uncover(&mut self, cover: Option<CoverKey>, left: &mut Left) -> Result<(), WriteError> {
        self.history = self.read_history()?;
        self.remove_unlisted()?;
        self.remove_covered(false)?;
        left.lost = cover.is_none();
        let fresh = || CoverKey::generate().map_err(failed("make a key for", &self.dir));
        let key = cover.clone().map_or_else(fresh, Ok)?;
        self.encryption = Encryption::of(&self.manifest, key)?;
        let Ok(n) = self.next() else { return Ok(()) };
        match cover {
            Some(key) => (left.events, left.torn_bytes) = self.uncover_events(n, &key)?,
            None => {
                let at = self.covered_path(n);
                if is_there(&at)? {
                    self.disk.remove(&at).map_err(failed("remove", &at))?;
                }
            }
        }
        Ok(())
    }

    fn remove_part(&self) -> Result<(), WriteError> {
        let path = self.dir.join(PART);
        match self.disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    fn read_seal(&self) -> Result<Option<Seal>, WriteError> {
        let path = PathInBundle::Seal;
        let Some(bytes) = read_if_there(&self.dir, path, MAX_SEAL_BYTES)? else { return Ok(None) };
        let unproved = jws::flattened(jws::Typ::Seal, &bytes).map_err(|error| damaged(path, error))?;
        match unproved.prove(&[self.key.verifying_key()]) {
            Ok(()) | Err(jws::JwsError::UnknownKey(_)) => {}
            Err(error) => return Err(damaged(path, error)),
        }
        canonical::from_bytes(&unproved.payload).map(Some).map_err(|error| damaged(path, error))
    }

    fn follow_chain(&mut self) -> Result<(), WriteError> {
        while let Ok(n) = self.next() {
            let path = PathInBundle::Link(n);
            if !is_there(&path.under(&self.dir))? {
                break;
            }
            let (link, digest) = self.read_link(path)?;
            if link.n != n
                || link.prev != self.last
                || link.from_us != self.from_us()
                || link.session != self.manifest.id
            {
                return Err(damaged(path, "it does not follow the link before it"));
            }
            let layout = link
                .layout(self.newest_init, Some(self.manifest.is_encrypted()))
                .map_err(|reason| damaged(path, reason))?;
            let (from_us, to_us) = (link.from_us, link.to_us);
            self.segments.push(Segment { n, from_us, to_us, init: layout.init, video: layout.video });
            self.newest_init = layout.init.unwrap_or(self.newest_init);
            self.last = digest;
        }
        Ok(())
    }

    /// Goes through the events of the links. Damage there is no reason to stop: it is for verification to name it.
    fn recount(&mut self) {
        for n in 1..=self.links() {
            let Ok((file, _)) = read::open(&PathInBundle::Events(n).under(&self.dir)) else { continue };
            let (mut reader, mut line) = (BufReader::new(file), Vec::new());
            while read::line(&mut reader, &mut line).is_ok_and(|found| found == Line::Whole) {
                let _ = self.history.line(&line, &self.manifest.id);
            }
        }
    }

    /// Cuts what is no event from the end of the open segment's events. A write that was torn, or that the power cut
    /// kept from the disk, is always at the end: everything before it had been synced.
    fn trim(&mut self, left: &mut Left) -> Result<(), WriteError> {
        let Ok(n) = self.next() else { return Ok(()) };
        let path = PathInBundle::Events(n).under(&self.dir);
        if !is_there(&path)? {
            return Ok(());
        }
        let (file, metadata) = read::open(&path).map_err(failed("read", &path))?;
        let (mut reader, mut line) = (BufReader::new(file), Vec::new());
        let (mut good, before) = (0_u64, self.history.events);
        while read::line(&mut reader, &mut line).map_err(failed("read", &path))? == Line::Whole
            && self.history.line(&line, &self.manifest.id).is_ok()
        {
            good = good.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        }
        let file = self.disk.open(&path).map_err(failed("open", &path))?;
        left.events = self.history.events.saturating_sub(before);
        left.torn_bytes = metadata.len().saturating_sub(good);
        if left.torn_bytes > 0 {
            self.disk.truncate(&file, &path, good).map_err(failed("truncate", &path))?;
        }
        self.open = Some(OpenEvents::Clear(ClearEvents { file, bytes: good, dirty: true, named: false }));
        Ok(())
    }

    fn unlisted_video(&self) -> Result<Vec<PathInBundle>, WriteError> {
        let mut video = Vec::new();
        for path in self.unlisted()? {
            match path.parse() {
                Ok(path @ (PathInBundle::Init(_) | PathInBundle::Video(_))) => video.push(path),
                Ok(PathInBundle::Events(n)) if n == self.segment() => {}
                _ => return Err(WriteError::Unlisted(path)),
            }
        }
        video.sort();
        Ok(video)
    }
}

pub(super) fn is_there(path: &Path) -> Result<bool, WriteError> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("read", path)(error)),
    }
}

fn read_if_there(dir: &Path, path: PathInBundle, most: u64) -> Result<Option<Vec<u8>>, WriteError> {
    let at = path.under(dir);
    if !is_there(&at)? {
        return Ok(None);
    }
    let bytes = read::capped(&at, most).map_err(failed("read", &at))?;
    bytes.map(Some).ok_or_else(|| damaged(path, "it is too long"))
}
