//! Links of the chain: what segment n consists of, signed, with the hash of the link before.
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, FileHash};
use crate::path::PathInBundle;

/// The most files of one link: events, at most one init segment and one video segment.
pub const MAX_FILES_PER_LINK: usize = 3;
/// The longest file in `chain/`: three files of some 150 bytes each, or 300 when encrypted, in base64url, with room to spare.
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

/// What the files of a link are, beside its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The init segment that it lists.
    pub init: Option<u32>,
    /// Whether it lists video.
    pub video: bool,
}

impl Link {
    /// What its files are, given the newest init segment of the links before (0 for none) and whether the bundle is encrypted, where
    /// that is known; or what is wrong with them.
    pub(crate) fn layout(&self, newest_init: u32, encrypted: Option<bool>) -> Result<Layout, &'static str> {
        let encrypted = encrypted.or(self.files.first().map(|file| file.path.is_encrypted())).unwrap_or(false);
        if self.files.iter().any(|file| file.path.is_encrypted() != encrypted) {
            return Err("it lists encrypted files where they are not, or clear ones where they are");
        }
        if self.files.iter().any(|file| file.plain.is_some() != encrypted) {
            return Err("hashes of what was encrypted belong to encrypted files");
        }
        let mut paths = self.files.iter().map(|file| file.path.plain());
        if paths.next() != Some(PathInBundle::Events(self.n)) {
            return Err("its first file is not its events");
        }
        let mut layout = Layout { init: None, video: false };
        for path in paths {
            match path {
                PathInBundle::Init(k) if layout.init.is_none() && !layout.video => {
                    if k <= newest_init {
                        return Err("its init segment is not newer than the one before");
                    }
                    layout.init = Some(k);
                }
                PathInBundle::Video(n) if n == self.n && !layout.video => layout.video = true,
                _ => return Err("it lists a file that is not its own, or in another order"),
            }
        }
        if layout.video && newest_init == 0 && layout.init.is_none() {
            return Err("it has video and no init segment came before");
        }
        Ok(layout)
    }
}
