//! Encrypted files: their ciphertext against the chain, and with an identity what is in them too.
use std::io::{self, BufReader, Read};

use super::Check;
use super::files::go_through;
use crate::age::AgeError;
use crate::decrypted::Decrypted;
use crate::digest::{Digest, FileHash};
use crate::history::LineFault;
use crate::path::PathInBundle;
use crate::read::Hashing;
use crate::report::{Contents, Kind};

/// What was found in a file.
type Found = (u64, Digest, Option<LineFault>);

impl Check<'_> {
    /// An encrypted file against its entry in a link.
    pub(super) fn encrypted_file(&mut self, listed: &FileHash, session: &str) {
        let is_events = matches!(listed.path, PathInBundle::AgeEvents(_));
        // Without a manifest nothing has said so yet.
        if self.report.contents == Contents::Clear {
            self.report.contents = Contents::Encrypted;
        }
        let good = self.hash_file(listed);
        if !good || self.report.contents != Contents::Decrypted {
            self.events_known &= !is_events;
            return;
        }
        let mut history = self.history.continued();
        let found = self.look_into(listed, |reader| match is_events {
            false => Ok(None),
            true => go_through(reader, &mut history, session),
        });
        let Some(plain) = listed.plain else { return self.events_known &= !is_events };
        let fault = match found {
            Ok((bytes, sha256, fault)) if bytes == plain.bytes && sha256 == plain.sha256 => {
                self.events_known &= fault.is_none() || !is_events;
                if is_events {
                    self.add_events(listed.path, history, fault);
                }
                return;
            }
            Ok(_) => (Kind::Malformed, "what is in it is not what was signed".to_owned()),
            Err(AgeError::Io(error)) if !is_damage(&error) => (Kind::Unreadable, error.to_string()),
            Err(AgeError::Stranger) => {
                (Kind::Malformed, "it is not encrypted to those whom the manifest names".to_owned())
            }
            Err(error) => (Kind::Malformed, error.to_string()),
        };
        self.events_known &= !is_events;
        self.report.fault(listed.path, fault.0, fault.1);
    }

    /// Length and hash of the plaintext, which `look` may read from before; no more is decrypted than was signed.
    fn look_into(
        &self,
        listed: &FileHash,
        look: impl FnOnce(&mut BufReader<Hashing<io::Take<Box<dyn Read + '_>>>>) -> io::Result<Option<LineFault>>,
    ) -> Result<Found, AgeError> {
        let Some(identities) = self.trust.identities() else { return Err(AgeError::Stranger) };
        let opened = Decrypted::new(self.source, identities).uncover(listed.path.plain())?;
        let most = listed.plain.map_or(0, |plain| plain.bytes).saturating_add(1);
        let mut reader = BufReader::new(Hashing::new(opened.reader.take(most)));
        let fault = look(&mut reader).map_err(AgeError::Io)?;
        let (bytes, sha256) = reader.into_inner().finish().map_err(AgeError::Io)?;
        Ok((bytes, sha256, fault))
    }
}

/// Whether decryption failed, and not the place.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
