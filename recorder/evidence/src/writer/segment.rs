//! Closing a segment: its files made durable and hashed, its link written, the index renewed.
use super::error::failed;
use super::{BundleWriter, Usable, WriteError, encrypting};
use crate::digest::{Digest, FileHash};
use crate::link::Link;
use crate::path::PathInBundle;
use crate::playlist::{self, Segment};
use crate::{VERSION, canonical, jws, read};

impl BundleWriter {
    /// Ends segment n = [`BundleWriter::segment`], from [`BundleWriter::from_us`] to `to_us` on the media clock: makes its
    /// events and video durable, hashes them and writes its link.
    ///
    /// `video` is what the recorder wrote into the bundle for it: nothing, or a new init segment, or `Video(n)`, or both in
    /// this order. Returned is what may now be stored elsewhere, in that order; the index as the last, to be replaced there.
    /// An index that could not be written is left out: the next segment, or the seal, writes it again.
    ///
    /// # Errors
    /// [`WriteError::Segment`] when times or files do not fit the chain, [`WriteError::Full`], or the disk's; after an error
    /// there is no link and the segment is still open.
    pub fn close_segment(
        &mut self,
        from_us: u64,
        to_us: u64,
        video: &[PathInBundle],
    ) -> Result<Vec<PathInBundle>, WriteError> {
        self.usable()?;
        let n = self.next()?;
        if self.encryption.is_some() {
            return Err(WriteError::Encryption);
        }
        self.fits(n, from_us, to_us)?;
        self.open_events(n)?;
        self.sync()?;
        let mut files = vec![encrypting::hash(&self.dir, PathInBundle::Events(n))?];
        for path in video {
            files.push(encrypting::hash(&self.dir, *path)?);
        }
        self.end_segment(from_us, to_us, files)
    }

    pub(super) fn fits(&self, n: u32, from_us: u64, to_us: u64) -> Result<(), WriteError> {
        let wrong = |reason| Err(WriteError::Segment { n, reason });
        if from_us != self.from_us() {
            return wrong("it does not begin where the one before ends");
        }
        if to_us < from_us {
            return wrong("it ends before it begins");
        }
        Ok(())
    }

    /// Writes the link of a segment whose files are there, its events durable with their name.
    pub(super) fn end_segment(
        &mut self,
        from_us: u64,
        to_us: u64,
        files: Vec<FileHash>,
    ) -> Result<Vec<PathInBundle>, WriteError> {
        let n = self.next()?;
        let wrong = |reason| WriteError::Segment { n, reason };
        let encrypted = self.manifest.is_encrypted();
        let paths: Vec<PathInBundle> = files.iter().map(|file| file.path).collect();
        let (events, video) = paths.split_first().ok_or(wrong("it has no events"))?;
        let session = self.manifest.id.clone();
        let link = Link { v: VERSION, session, n, from_us, to_us, files, prev: self.last };
        let layout = link.layout(self.newest_init, Some(encrypted)).map_err(wrong)?;
        self.sync_video(video)?;
        if encrypted {
            self.note_history(n)?;
        }
        self.last = self.write_link(&link)?;
        self.open = None;
        self.newest_init = layout.init.unwrap_or(self.newest_init);
        self.segments.push(Segment { n, from_us, to_us, init: layout.init, video: layout.video });
        let mut written: Vec<_> = video.iter().copied().chain([*events, PathInBundle::Link(n)]).collect();
        if self.write_index(false).is_ok() {
            written.push(PathInBundle::Index);
        }
        Ok(written)
    }

    /// The index, atomically. While the session runs it is not synced: it can be derived from the chain.
    pub(super) fn write_index(&self, ended: bool) -> Result<(), WriteError> {
        let text = playlist::render(&self.segments, &self.manifest.started, ended, self.manifest.is_encrypted());
        let file = self.write_part(&[text.as_bytes()])?;
        if ended {
            self.sync_part(&file)?;
        }
        self.publish_part(PathInBundle::Index)
    }

    fn sync_video(&mut self, video: &[PathInBundle]) -> Result<(), WriteError> {
        let synced = video.iter().try_for_each(|path| {
            let at = path.under(&self.dir);
            let (file, _) = read::open(&at).map_err(failed("read", &at))?;
            self.disk.sync(&file, &at).map_err(failed("sync", &at))
        });
        let synced = synced.and_then(|()| if video.is_empty() { Ok(()) } else { self.sync_folder(Some("video")) });
        self.or_broken(synced)
    }

    /// Writes the link; its file's SHA-256.
    fn write_link(&mut self, link: &Link) -> Result<Digest, WriteError> {
        let path = PathInBundle::Link(link.n);
        let payload = canonical::to_bytes(link)
            .map_err(|_| WriteError::Segment { n: link.n, reason: "a number in it is too large" })?;
        let bytes = jws::sign_compact(jws::Typ::Link, &payload, &self.key);
        let file = self.write_part(&[&bytes])?;
        let synced = self.sync_part(&file);
        self.or_broken(synced)?;
        self.publish_part(path)?;
        let synced = self.sync_folder(path.folder());
        self.or_broken(synced)?;
        Ok(Digest::of(&bytes))
    }

    /// After a sync that failed nobody knows what is on the disk.
    pub(super) fn or_broken(&mut self, synced: Result<(), WriteError>) -> Result<(), WriteError> {
        if synced.is_err() {
            self.state = Usable::Broken;
        }
        synced
    }
}
