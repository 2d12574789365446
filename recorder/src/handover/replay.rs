//! Reading records back from the file: one at a time by the encoder, all of them after a crash.
use std::io;
use std::path::Path;

use portcullis_evidence::{Cover, CoverKey};

use super::PURPOSE;
use super::base::Mark;
use super::record::{Body, HEADER_BYTES, Header, Record};
use super::ring::Ring;
use crate::number::{long, short};

/// The record at a position, if it is whole and the one that is due there.
pub(super) fn read(
    ring: &Ring,
    cover: Option<&Cover>,
    position: u64,
    sequence: u64,
) -> io::Result<Option<(Record, Mark)>> {
    let mut bytes = [0u8; HEADER_BYTES];
    ring.read(&mut bytes, position)?;
    let Some(header) = Header::from_bytes(&bytes).filter(|header| header.sequence == sequence) else {
        return Ok(None);
    };
    let length = u64::from(header.length);
    if long(HEADER_BYTES) + length > ring.capacity() {
        return Ok(None);
    }
    let mut payload = vec![0u8; short(length)];
    let start = position + long(HEADER_BYTES);
    ring.read(&mut payload, start)?;
    if crc32fast::hash(&payload) != header.crc {
        return Ok(None);
    }
    let payload = match cover {
        None => payload,
        Some(cover) => match cover.open(&header.bound(), payload) {
            Some((_, payload)) => payload,
            None => return Ok(None),
        },
    };
    let mark =
        Mark { position: start + length, sequence: sequence + 1, revision: header.revision, at_us: header.at_us };
    Ok(Body::from_bytes(header.kind, &payload).map(|body| (Record { header, body }, mark)))
}

/// The log of a killed gate, read from a base on until the first record that is not whole.
pub(crate) struct Replay {
    ring: Ring,
    cover: Option<Cover>,
    position: u64,
    sequence: u64,
}

impl Replay {
    /// Opens the log at `path` to be read from `mark` on, under the key that covers it if one does.
    pub(crate) fn open(path: &Path, mark: Mark, key: Option<&CoverKey>) -> io::Result<Self> {
        let ring = Ring::open(path)?;
        let cover = key.map(|key| key.uncover(PURPOSE, ring.salt()?)).transpose()?;
        Ok(Self { ring, cover, position: mark.position, sequence: mark.sequence })
    }

    /// When the session was last known to live.
    pub(crate) fn alive_us(&self) -> io::Result<u64> {
        self.ring.alive_us()
    }

    /// The next record and where the log stands behind it; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<(Record, Mark)>> {
        let found = read(&self.ring, self.cover.as_ref(), self.position, self.sequence)?;
        if let Some((_, mark)) = &found {
            self.position = mark.position;
            self.sequence = mark.sequence;
        }
        Ok(found)
    }
}
