//! Links of the chain: what segment n consists of, signed, with the hash of the link before.
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, FileHash};

/// The most files of one link: events, at most one init segment and one video segment.
pub const MAX_FILES_PER_LINK: usize = 3;
/// The longest file in `chain/`: three files of some 150 bytes each, in base64url, with room to spare.
pub(crate) const MAX_LINK_BYTES: u64 = 4 * 1024;

/// The payload of `chain/n.jws`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Version of the format.
    pub v: u32,
    /// The session's id.
    pub session: String,
    /// 1, 2, 3…
    pub n: u32,
    /// Where segment n begins, microseconds since the session's start.
    pub from_us: u64,
    /// Where it ends, not before `from_us`; the next one does not begin before.
    pub to_us: u64,
    /// Its files: `events/n`, then a new init segment if there is one, then `video/n` if it has video.
    pub files: Vec<FileHash>,
    /// SHA-256 of the bytes of the file of link n − 1; of `session.json` for link 1.
    pub prev: Digest,
}
