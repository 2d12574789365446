//! Encryption to whoever may look: age version 1 files (<https://c2sp.org/age>) with X25519 recipients and nothing else.
//!
//! A passphrase, an SSH key or a plugin is refused by name: a gate seals with public keys alone, and asks nobody anything.
use std::collections::HashSet;
use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};

use age::stream::StreamWriter;
use age::x25519;
use age::{DecryptError, Decryptor, EncryptError, Encryptor};
use thiserror::Error;

use crate::read;

/// The most recipients of one file: each adds some hundred bytes to it.
pub const MAX_RECIPIENTS: usize = 16;
/// The most identities that one file is tried with.
pub const MAX_IDENTITIES: usize = 64;
/// The longest text of recipients or identities that is looked at, in bytes.
pub const MAX_AGE_TEXT_BYTES: u64 = 64 * 1024;
/// The longest header of an age file that is looked at: four times what [`MAX_RECIPIENTS`] need.
const MAX_HEADER_BYTES: u64 = 8 * 1024;
/// What follows the header: a nonce, then the plaintext in chunks, each with its tag.
const NONCE_BYTES: u64 = 16;
const CHUNK_BYTES: u64 = 64 * 1024;
const TAG_BYTES: u64 = 16;
/// How the last line of a header begins.
const HEADER_END: &[u8] = b"\n--- ";
const PUBLIC: &str = "age1";
const SECRET: &str = "AGE-SECRET-KEY-1";

/// Public keys (`age1…`, X25519) of those who may look at what is sealed, in the order given, none twice.
#[derive(Clone)]
pub struct Recipients(Vec<x25519::Recipient>);

/// Private keys (`AGE-SECRET-KEY-1…`, X25519). Their `Debug` shows the public halves alone.
#[derive(Clone)]
pub struct Identities(Vec<x25519::Identity>);

/// Why a text is not a list of recipients or identities. A secret is never in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct AgeKeyError {
    /// The line, or the place in a list, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Why something could not be sealed or opened.
#[derive(Debug, Error)]
pub enum AgeError {
    /// The recipients cannot be sealed to.
    #[error("it cannot be encrypted to these recipients")]
    Recipients,
    /// Not an age file of version 1, or one with a header beyond the limits.
    #[error("it is not an age file")]
    NotAge,
    /// It is encrypted to others.
    #[error("it is encrypted to none of these identities")]
    Stranger,
    /// The file is not as it was written.
    #[error("the ciphertext is damaged")]
    Damaged,
    /// The plaintext is longer than the caller takes.
    #[error("it has more than {0} bytes")]
    TooLong(usize),
    /// It could not be read or written.
    #[error("it cannot be read or written")]
    Io(#[source] io::Error),
}

/// What takes plaintext and writes an age file. Without [`AgeWriter::finish`] the file is torn, and no reader takes it.
pub struct AgeWriter<W: Write>(StreamWriter<W>);

impl Recipients {
    /// Reads public keys, one a line; empty lines and such as begin with `#` are passed over.
    ///
    /// # Errors
    /// [`AgeKeyError`] for the first line that is none, or is there twice, or when there is none at all or more than [`MAX_RECIPIENTS`].
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, AgeKeyError> {
        let mut names = HashSet::new();
        let mut recipients = Vec::new();
        let mut last = 0;
        for (line, text) in keys(lines) {
            last = line;
            let wrong = |reason| AgeKeyError { line, reason };
            // Before anything else: what is secret must not be taken for a name, nor be shown.
            if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY") {
                return Err(wrong("a private key: only its public half, age1…, belongs here"));
            }
            let recipient: x25519::Recipient = text.parse().map_err(|_| wrong(no_recipient(text)))?;
            if recipient.to_string() != text {
                return Err(wrong("not written as age-keygen writes it"));
            }
            if !names.insert(text) {
                return Err(wrong("this recipient is there twice"));
            }
            if names.len() > MAX_RECIPIENTS {
                return Err(wrong("more than 16 recipients"));
            }
            recipients.push(recipient);
        }
        match recipients.is_empty() {
            true => Err(AgeKeyError { line: last.saturating_add(1), reason: "there is no recipient" }),
            false => Ok(Self(recipients)),
        }
    }

    /// The public keys as text, in the order given.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// The whole age file of `plain`.
    ///
    /// # Errors
    /// [`AgeError::Recipients`].
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, AgeError> {
        let mut writer = self.writer(Vec::new())?;
        writer.write_all(plain).map_err(AgeError::Io)?;
        writer.finish().map_err(AgeError::Io)
    }

    /// Writes the head of an age file to `out`, and then what it is given, encrypted.
    ///
    /// # Errors
    /// [`AgeError::Recipients`], or [`AgeError::Io`].
    pub fn writer<W: Write>(&self, out: W) -> Result<AgeWriter<W>, AgeError> {
        let recipients = self.0.iter().map(|recipient| -> &dyn age::Recipient { recipient });
        let encryptor = Encryptor::with_recipients(recipients).map_err(|error| match error {
            EncryptError::Io(error) => AgeError::Io(error),
            _ => AgeError::Recipients,
        })?;
        encryptor.wrap_output(out).map(AgeWriter).map_err(AgeError::Io)
    }
}

impl Identities {
    /// Reads private keys, one a line, as `age-keygen` writes them; empty lines and such as begin with `#` are passed over.
    ///
    /// # Errors
    /// [`AgeKeyError`] for the first line that is none, or when there is none at all or more than [`MAX_IDENTITIES`].
    pub fn read(text: &str) -> Result<Self, AgeKeyError> {
        let mut identities = Vec::new();
        let mut last = 0;
        for (line, text) in keys(text.lines()) {
            last = line;
            let wrong = |reason| AgeKeyError { line, reason };
            let identity = text.parse().map_err(|_| wrong(no_identity(text)))?;
            if identities.len() == MAX_IDENTITIES {
                return Err(wrong("more than 64 identities"));
            }
            identities.push(identity);
        }
        match identities.is_empty() {
            true => Err(AgeKeyError { line: last.saturating_add(1), reason: "there is no identity" }),
            false => Ok(Self(identities)),
        }
    }

    /// The public halves as text.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|identity| identity.to_public().to_string()).collect()
    }

    /// The plaintext of a whole age file, if it has at most `most` bytes.
    ///
    /// # Errors
    /// Any of [`AgeError`] but `Recipients`.
    pub fn open(&self, sealed: &[u8], most: usize) -> Result<Vec<u8>, AgeError> {
        let plain = self.reader(sealed)?;
        let cap = u64::try_from(most).unwrap_or(u64::MAX);
        read::all(plain, cap).map_err(broken)?.ok_or(AgeError::TooLong(most))
    }

    /// Reads the head of an age file; then its plaintext can be read. Damage found later is an error of kind
    /// [`io::ErrorKind::InvalidData`] or [`io::ErrorKind::UnexpectedEof`], and what was read until then is as it was sealed.
    ///
    /// # Errors
    /// [`AgeError::NotAge`], [`AgeError::Stranger`], [`AgeError::Damaged`], [`AgeError::Io`].
    pub fn reader<'r, R: Read + 'r>(&self, sealed: R) -> Result<impl Read + use<'r, R>, AgeError> {
        self.measured(sealed, 0).map(|(_, plain)| plain)
    }

    /// As [`Identities::reader`], with the length that the plaintext of a file of `bytes` has.
    pub(crate) fn measured<'r, R: Read + 'r>(
        &self,
        sealed: R,
        bytes: u64,
    ) -> Result<(u64, impl Read + use<'r, R>), AgeError> {
        let (header, sealed) = headed(sealed)?;
        let decryptor = Decryptor::new_buffered(sealed).map_err(refused)?;
        let identities = self.0.iter().map(|identity| -> &dyn age::Identity { identity });
        let plain = decryptor.decrypt(identities).map_err(refused)?;
        let payload = bytes.saturating_sub(header).saturating_sub(NONCE_BYTES);
        let tags = payload.div_ceil(CHUNK_BYTES.saturating_add(TAG_BYTES)).saturating_mul(TAG_BYTES);
        Ok((payload.saturating_sub(tags), plain))
    }
}

impl<W: Write> AgeWriter<W> {
    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// The writer's.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for AgeWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The lines that hold a key, with their numbers.
fn keys<'a>(lines: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = (usize, &'a str)> {
    let numbered = lines.into_iter().enumerate().map(|(before, line)| (before.saturating_add(1), line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn no_recipient(text: &str) -> &'static str {
    match text {
        _ if text.starts_with("ssh-") => "an SSH key: only X25519 keys, age1…, are taken",
        _ if text.starts_with("age1pq") || text.starts_with("age1tag") => "not an X25519 key: only those are taken",
        _ if text.starts_with(PUBLIC) => "not a public key: mistyped, or of a plugin",
        _ => "not a public key: one begins with age1",
    }
}

fn no_identity(text: &str) -> &'static str {
    match text {
        _ if text.starts_with(PUBLIC) => "a public key: the private one, AGE-SECRET-KEY-1…, opens",
        _ if text.starts_with("age-encryption.org") || text.starts_with("-----BEGIN AGE") => {
            "an encrypted file of identities: decrypt it first with `age --decrypt`"
        }
        _ if text.starts_with("AGE-PLUGIN") => "an identity of a plugin: only X25519 ones are taken",
        _ if text.starts_with(SECRET) => "not a private key: mistyped",
        _ => "not a private key: one begins with AGE-SECRET-KEY-1",
    }
}

/// The length of the header, and the reader from its beginning, once its header is known to end within [`MAX_HEADER_BYTES`]: the parser would take any.
fn headed<R: Read>(mut sealed: R) -> Result<(u64, impl BufRead), AgeError> {
    let mut head = Vec::new();
    (&mut sealed).take(MAX_HEADER_BYTES).read_to_end(&mut head).map_err(AgeError::Io)?;
    let last = head.windows(HEADER_END.len()).position(|bytes| bytes == HEADER_END).ok_or(AgeError::NotAge)?;
    let rest = head.iter().skip(last.saturating_add(1)).position(|byte| *byte == b'\n').ok_or(AgeError::NotAge)?;
    let length = last.saturating_add(rest).saturating_add(2);
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    Ok((length, Cursor::new(head).chain(BufReader::with_capacity(64 * 1024, sealed))))
}

fn refused(error: DecryptError) -> AgeError {
    match error {
        DecryptError::NoMatchingKeys => AgeError::Stranger,
        DecryptError::InvalidMac | DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            AgeError::Damaged
        }
        DecryptError::Io(error) => broken(error),
        _ => AgeError::NotAge,
    }
}

fn broken(error: io::Error) -> AgeError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => AgeError::Damaged,
        _ => AgeError::Io(error),
    }
}

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recipients").field(&self.names()).finish()
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identities").field(&self.names()).finish()
    }
}

impl<W: Write> fmt::Debug for AgeWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgeWriter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
