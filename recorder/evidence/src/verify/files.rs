//! Files against the hashes that were signed for them, read once and in constant memory.
use std::io::{self, BufReader, Read, Take};

use super::Check;
use crate::digest::{Digest, FileHash};
use crate::history::{History, LineFault};
use crate::path::PathInBundle;
use crate::read::{self, Hashing, Line};
use crate::report::Kind;

impl Check<'_> {
    /// A file against its entry in a link or the seal; whether it is as it was signed.
    pub(super) fn hash_file(&mut self, listed: &FileHash) -> bool {
        self.with_file(listed, |reader| reader.finish()).is_some()
    }

    /// The events of a link: their bytes, and what they say.
    pub(super) fn events_file(&mut self, listed: &FileHash, session: &str) {
        let mut history = self.history.continued();
        let mut fault = None;
        let good = self.with_file(listed, |reader| {
            let mut reader = BufReader::new(reader);
            fault = go_through(&mut reader, &mut history, session)?;
            reader.into_inner().finish()
        });
        if good.is_none() || fault.is_some() {
            self.events_known = false;
        }
        // Faults in edited events are no news.
        if good.is_some() {
            self.add_events(listed.path, history, fault);
        }
    }

    /// Takes over what the events of a file that is as it was signed say, and what is wrong with them.
    pub(super) fn add_events(&mut self, path: PathInBundle, history: History, fault: Option<LineFault>) {
        self.report.events = self.report.events.saturating_add(history.events);
        self.report.unknown_events = self.report.unknown_events.saturating_add(history.unknown);
        let seq = history.seq;
        self.history.absorb(history);
        match fault {
            None => {}
            Some(LineFault::Malformed(reason)) => {
                self.report.fault(path, Kind::Malformed, format!("after event {seq}: {reason}"));
            }
            Some(LineFault::NotMonotonic(reason)) => {
                self.report.fault(path, Kind::NotMonotonic, format!("after event {seq}: {reason}"));
            }
        }
    }

    /// A file against its line in `SHA256SUMS`.
    pub(super) fn against_sum(&mut self, path: PathInBundle, digest: Digest) {
        match self.source.open(path).and_then(|file| Hashing::new(file.reader).finish()) {
            Ok((_, found)) if found == digest => self.report.files = self.report.files.saturating_add(1),
            Ok(_) => self.report.fault(path, Kind::Edited, "its bytes are not those that SHA256SUMS lists"),
            Err(error) => self.report.fault(path, Kind::Unreadable, error.to_string()),
        }
    }

    /// Opens the file, lets `read` read it to its end, and compares length and hash; `None` after a fault.
    pub(super) fn with_file(
        &mut self,
        listed: &FileHash,
        read: impl FnOnce(Hashing<Take<Box<dyn Read + '_>>>) -> io::Result<(u64, Digest)>,
    ) -> Option<()> {
        let path = listed.path;
        self.judged.insert(path);
        if !self.tree.has(path) {
            self.report.fault(path, Kind::Missing, "it was signed and is not there");
            return None;
        }
        if !self.tree.is_file(path) {
            return None;
        }
        let found = self.source.open(path).and_then(|file| match file.bytes {
            // A file of another length is not read: it could be of any length.
            length if length != listed.bytes => Ok((length, None)),
            // One that grows meanwhile is not read on.
            length => read(Hashing::new(file.reader.take(length))).map(|(read, digest)| (read, Some(digest))),
        });
        match found {
            Ok((bytes, Some(digest))) if bytes == listed.bytes && digest == listed.sha256 => {
                self.report.files = self.report.files.saturating_add(1);
                self.report.bytes = self.report.bytes.saturating_add(bytes);
                return Some(());
            }
            Ok((bytes, _)) if bytes != listed.bytes => {
                let reason = format!("it has {bytes} bytes, {} were signed", listed.bytes);
                self.report.fault(path, Kind::Edited, reason);
            }
            Ok(_) => self.report.fault(path, Kind::Edited, "its bytes are not those that were signed"),
            Err(error) => self.report.fault(path, Kind::Unreadable, error.to_string()),
        }
        None
    }
}

/// Adds all lines to the history, up to the first fault.
pub(super) fn go_through<R: Read>(
    reader: &mut BufReader<R>,
    history: &mut History,
    session: &str,
) -> io::Result<Option<LineFault>> {
    let mut line = Vec::new();
    loop {
        let malformed = |reason: &str| Ok(Some(LineFault::Malformed(reason.to_owned())));
        match read::line(reader, &mut line)? {
            Line::End => return Ok(None),
            Line::Torn => return malformed("the last line has no line feed"),
            Line::TooLong => return malformed("a line is too long"),
            Line::Whole => {
                if let Err(fault) = history.line(&line, session) {
                    return Ok(Some(fault));
                }
            }
        }
    }
}
