//! Covered files: what a killed gate must find again and no disk may hold in clear, under a key that lives only as long as the machine runs.
//!
//! AES-256-GCM. Each file has a random salt and so a key of its own (HKDF-SHA256 of the session's key, the salt and the file's purpose), and
//! each frame of it the next number as its nonce. A file is only ever written by the process that made it, never continued by another.
//! INVARIANT: no nonce is used twice under one key, whatever fails in between.
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

use crate::disk::Disk;
use crate::read;

/// How much longer a frame is than what is in it: its number before, its tag behind.
pub const COVER_BYTES: usize = 8 + 16;
/// Bytes of a salt.
pub const SALT_BYTES: usize = 32;
/// Bytes of a [`CoverKey`].
const KEY_BYTES: usize = 32;
/// The longest frame of a covered file that is read.
const MAX_FRAME_BYTES: usize = 64 * 1024 * 1024;
const MAGIC: &[u8; 8] = b"PCCOVER1";

/// The key of one session's covered files. Wiped from memory when dropped; its `Debug` shows nothing.
#[derive(Clone)]
pub struct CoverKey(Zeroizing<[u8; KEY_BYTES]>);

impl CoverKey {
    /// A new key.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate() -> io::Result<Self> {
        random().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The key of 32 bytes; `None` when they are not as many.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The 32 bytes, for the file where the key lives.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// A cover for a new file of this purpose.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn cover(&self, purpose: &str) -> io::Result<Cover> {
        self.uncover(purpose, random()?)
    }

    /// The cover of a file that has this salt; to read it only.
    ///
    /// # Errors
    /// The cryptographic library's, which is not known to fail.
    pub fn uncover(&self, purpose: &str, salt: [u8; SALT_BYTES]) -> io::Result<Cover> {
        let failed = |_| io::Error::other("a key could not be derived");
        let secret = Salt::new(HKDF_SHA256, &salt).extract(self.bytes());
        let key = UnboundKey::from(secret.expand(&[purpose.as_bytes()], &AES_256_GCM).map_err(failed)?);
        Ok(Cover { salt, key: LessSafeKey::new(key), next: AtomicU64::new(0) })
    }
}

impl fmt::Debug for CoverKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CoverKey")
    }
}

/// What covers the frames of one file.
pub struct Cover {
    salt: [u8; SALT_BYTES],
    key: LessSafeKey,
    next: AtomicU64,
}

impl Cover {
    /// The file's salt, which lies in it in clear.
    #[must_use]
    pub fn salt(&self) -> &[u8; SALT_BYTES] {
        &self.salt
    }

    /// The frame of what the parts hold together: its number, the ciphertext, the tag. `bound` must be given again to open it.
    ///
    /// # Errors
    /// The cryptographic library's, which is not known to fail below 64 GiB.
    pub fn cover<'a>(&self, bound: &[u8], parts: impl Iterator<Item = &'a [u8]> + Clone) -> io::Result<Vec<u8>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let length = parts.clone().fold(COVER_BYTES, |length, part| length.saturating_add(part.len()));
        let mut frame = Vec::with_capacity(length);
        frame.extend_from_slice(&number.to_le_bytes());
        parts.for_each(|part| frame.extend_from_slice(part));
        let plain = frame.get_mut(8..).unwrap_or_default();
        let tag = self.key.seal_in_place_separate_tag(nonce(number), Aad::from(bound), plain);
        let tag = tag.map_err(|_| io::Error::other("a frame could not be covered"))?;
        frame.extend_from_slice(tag.as_ref());
        Ok(frame)
    }

    /// Number and content of a frame; `None` when it is not one of this cover, or damaged.
    #[must_use]
    pub fn open(&self, bound: &[u8], mut frame: Vec<u8>) -> Option<(u64, Vec<u8>)> {
        let number = u64::from_le_bytes(frame.get(..8)?.try_into().ok()?);
        let sealed = frame.get_mut(8..)?;
        let length = self.key.open_in_place(nonce(number), Aad::from(bound), sealed).ok()?.len();
        frame.truncate(length.checked_add(8)?);
        frame.drain(..8);
        Some((number, frame))
    }
}

impl fmt::Debug for Cover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cover")
    }
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; 12];
    for (to, from) in bytes.iter_mut().skip(4).zip(number.to_be_bytes()) {
        *to = from;
    }
    Nonce::assume_unique_for_key(bytes)
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("the system has no random bytes"))?;
    Ok(bytes)
}

/// A covered file that grows by one frame at a time. Nothing of it is synced: after a power cut its key is gone.
#[derive(Debug)]
pub struct CoveredLog {
    disk: Disk,
    file: File,
    cover: Cover,
    bytes: u64,
}

impl CoveredLog {
    /// A new one at `path`, over whatever was there.
    ///
    /// # Errors
    /// The disk's.
    pub fn create(path: &Path, key: &CoverKey, purpose: &str) -> io::Result<Self> {
        Self::create_on(Disk::default(), path, key, purpose)
    }

    pub(crate) fn create_on(disk: Disk, path: &Path, key: &CoverKey, purpose: &str) -> io::Result<Self> {
        let cover = key.cover(purpose)?;
        let mut file = disk.create(path)?;
        let head = [MAGIC.as_slice(), cover.salt()].concat();
        disk.append(&mut file, path, &head)?;
        Ok(Self { disk, file, cover, bytes: u64::try_from(head.len()).unwrap_or(u64::MAX) })
    }

    /// Appends a frame with a plain write: a killed process loses nothing. After an error it is not in the file, if it could be cut off again.
    ///
    /// # Errors
    /// The disk's; [`io::ErrorKind::BrokenPipe`] when what was torn could not be cut off.
    pub fn append(&mut self, path: &Path, plain: &[u8]) -> io::Result<()> {
        let sealed = self.cover.cover(&[], std::iter::once(plain))?;
        let length = u32::try_from(sealed.len()).ok().filter(|_| sealed.len() <= MAX_FRAME_BYTES);
        let length = length.ok_or_else(|| io::Error::other("a frame is too long"))?;
        let frame = [length.to_le_bytes().as_slice(), &sealed].concat();
        if let Err(error) = self.disk.append(&mut self.file, path, &frame) {
            let cut = self.disk.truncate(&self.file, path, self.bytes);
            return Err(cut.map_or(io::ErrorKind::BrokenPipe.into(), |()| error));
        }
        self.bytes = self.bytes.saturating_add(u64::try_from(frame.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Gives each frame of the file at `path` to `each`, up to the first that is torn, out of order, or not covered by this key.
    ///
    /// # Errors
    /// The disk's, or that of `each`.
    pub fn read(
        path: &Path,
        key: &CoverKey,
        purpose: &str,
        mut each: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let (file, metadata) = read::open(path)?;
        let (mut reader, mut left) = (BufReader::new(file), metadata.len());
        let Some(head) = take(&mut reader, &mut left, MAGIC.len() + SALT_BYTES)? else { return Ok(()) };
        let Some(salt) = head.strip_prefix(MAGIC).and_then(|salt| salt.try_into().ok()) else { return Ok(()) };
        let cover = key.uncover(purpose, salt)?;
        let mut due = 0;
        while let Some(length) = take(&mut reader, &mut left, 4)? {
            let length = length.try_into().map(u32::from_le_bytes).ok().and_then(|length| usize::try_from(length).ok());
            let Some(length) = length.filter(|length| *length <= MAX_FRAME_BYTES) else { return Ok(()) };
            let Some(frame) = take(&mut reader, &mut left, length)? else { return Ok(()) };
            match cover.open(&[], frame) {
                // One that could not be written leaves a number out.
                Some((number, plain)) if number >= due => {
                    due = number.saturating_add(1);
                    each(&plain)?;
                }
                _ => return Ok(()),
            }
        }
        Ok(())
    }
}

/// The next bytes, if there are as many left.
fn take(reader: &mut impl Read, left: &mut u64, length: usize) -> io::Result<Option<Vec<u8>>> {
    let Some(rest) = u64::try_from(length).ok().and_then(|length| left.checked_sub(length)) else { return Ok(None) };
    *left = rest;
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(path: &Path, key: &CoverKey, purpose: &str) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        CoveredLog::read(path, key, purpose, |frame| {
            found.push(frame.to_vec());
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn what_is_covered_comes_back_in_order_and_up_to_where_it_is_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let key = CoverKey::generate().unwrap();
        let mut log = CoveredLog::create(&path, &key, "events 1").unwrap();
        let all: Vec<Vec<u8>> = (0..5u8).map(|n| vec![n; usize::from(n) * 100]).collect();
        all.iter().for_each(|frame| log.append(&path, frame).unwrap());
        assert_eq!(frames(&path, &key, "events 1"), all);
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(50).any(|window| window == [3; 50]), "nothing is clear");
        for (at, whole) in [(bytes.len() - 1, 4), (bytes.len() - 430, 3), (41, 0), (20, 0), (0, 0)] {
            std::fs::write(&path, &bytes[..at]).unwrap();
            assert_eq!(frames(&path, &key, "events 1"), all[..whole], "cut at {at}");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            let found = frames(&path, &key, "events 1");
            assert!(found.len() < all.len() && found == all[..found.len()], "changed at {at}");
        }
        std::fs::write(&path, &bytes).unwrap();
        assert!(frames(&path, &key, "events 2").is_empty(), "another's place");
        assert!(frames(&path, &CoverKey::generate().unwrap(), "events 1").is_empty(), "another's key");
    }

    #[test]
    fn the_same_twice_is_never_the_same_frame() {
        let key = CoverKey::from_bytes(&[7; 32]).unwrap();
        let cover = key.cover("a").unwrap();
        let frame = |cover: &Cover| cover.cover(b"place", [b"some".as_slice(), b"thing"].into_iter()).unwrap();
        let (one, two) = (frame(&cover), frame(&cover));
        assert!(one[8..] != two[8..] && frame(&key.cover("a").unwrap()) != one);
        assert_eq!(cover.open(b"place", two.clone()), Some((1, b"something".to_vec())));
        assert_eq!(cover.open(b"other", two), None);
        assert_eq!(one.len(), 9 + COVER_BYTES);
        assert!(CoverKey::from_bytes(&[7; 31]).is_none());
        assert!(!format!("{key:?} {cover:?}").contains('7'));
    }
}
