//! How Portcullis authenticates to a desktop: the configured type and its secrets, which no Debug shows and which are zeroed when dropped.

use std::fmt;

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use zeroize::Zeroizing;

use crate::wire::{SecurityType, VeNCryptType};

/// Bytes of a password that VncAuth looks at (RFC 6143 §7.2.2); a longer one would seem stronger than it is.
pub const MAX_VNC_PASSWORD: usize = 8;
/// Bytes of a user's name and of a password for X509Plain.
pub const MAX_PLAIN: usize = 1024;

/// How Portcullis authenticates to the desktop. Configuration chooses, never the desktop: there is no falling back.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Security {
    /// Not at all: for a unix socket that only the gate can open.
    #[default]
    None,
    /// VNC Authentication, DES with a challenge: no encryption, and whoever listens can guess at the password.
    VncAuth(VncPassword),
    /// VeNCrypt: TLS with the desktop's certificate, and nothing inside.
    X509None,
    /// VeNCrypt: TLS with the desktop's certificate, VNC Authentication inside.
    X509Vnc(VncPassword),
    /// VeNCrypt: TLS with the desktop's certificate, a user's name and password inside.
    X509Plain(Login),
}

impl Security {
    /// Its code on the wire.
    pub fn security_type(&self) -> SecurityType {
        match self {
            Self::None => SecurityType::NONE,
            Self::VncAuth(_) => SecurityType::VNC_AUTH,
            Self::X509None | Self::X509Vnc(_) | Self::X509Plain(_) => SecurityType::VENCRYPT,
        }
    }

    /// Its code within VeNCrypt; `None` when it does not use TLS.
    pub fn vencrypt_type(&self) -> Option<VeNCryptType> {
        match self {
            Self::None | Self::VncAuth(_) => None,
            Self::X509None => Some(VeNCryptType::X509_NONE),
            Self::X509Vnc(_) => Some(VeNCryptType::X509_VNC),
            Self::X509Plain(_) => Some(VeNCryptType::X509_PLAIN),
        }
    }
}

/// A password for VncAuth.
#[derive(Clone)]
pub struct VncPassword(Zeroizing<[u8; MAX_VNC_PASSWORD]>);

impl VncPassword {
    /// A password of 1 to [`MAX_VNC_PASSWORD`] bytes.
    ///
    /// # Errors
    /// When it is empty, longer, or holds a NUL, which would end it.
    pub fn new(password: &[u8]) -> Result<Self, SecretError> {
        sound(password, "password", MAX_VNC_PASSWORD)?;
        let mut padded = Zeroizing::new([0; MAX_VNC_PASSWORD]);
        for (slot, byte) in padded.iter_mut().zip(password) {
            *slot = *byte;
        }
        Ok(Self(padded))
    }

    /// The answer to a challenge: both halves by DES, whose key is the password with the bits of each byte reversed, as all desktops do it.
    pub(super) fn answer(&self, challenge: [u8; 16]) -> [u8; 16] {
        let key = Zeroizing::new(self.0.map(u8::reverse_bits));
        let des = Des::new((&*key).into());
        let mut answer = challenge;
        let (blocks, _) = answer.as_chunks_mut::<8>();
        for block in blocks {
            des.encrypt_block(block.into());
        }
        answer
    }
}

/// A user's name and password for X509Plain.
#[derive(Clone)]
pub struct Login {
    user: String,
    password: Zeroizing<Vec<u8>>,
}

impl Login {
    /// A name and a password of 1 to [`MAX_PLAIN`] bytes each.
    ///
    /// # Errors
    /// When one is empty, longer, or holds a NUL.
    pub fn new(user: &str, password: &[u8]) -> Result<Self, SecretError> {
        sound(user.as_bytes(), "user", MAX_PLAIN)?;
        sound(password, "password", MAX_PLAIN)?;
        Ok(Self { user: user.to_owned(), password: Zeroizing::new(password.to_vec()) })
    }

    /// Both as VeNCrypt's Plain has them: the two lengths, then the two texts.
    pub(super) fn write(&self, output: &mut Vec<u8>) {
        let (user, password) = (self.user.as_bytes(), self.password.as_slice());
        // At once: a vector that grows leaves copies behind that nobody zeroes.
        output.reserve_exact(8 + user.len() + password.len());
        for text in [user, password] {
            output.extend_from_slice(&u32::try_from(text.len()).unwrap_or_default().to_be_bytes());
        }
        output.extend_from_slice(user);
        output.extend_from_slice(password);
    }
}

impl fmt::Debug for VncPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VncPassword(…)")
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

/// Why a text cannot be a secret of its kind; says nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is nothing in it.
    #[error("the {0} is empty")]
    Empty(&'static str),
    /// It is longer than what counts.
    #[error("the {what} has more than {most} bytes{}", if *most == MAX_VNC_PASSWORD { ", and VncAuth looks at no more: what follows would protect nothing" } else { "" })]
    TooLong {
        /// Which text.
        what: &'static str,
        /// Bytes that it may have.
        most: usize,
    },
    /// It holds a NUL, where desktops end it.
    #[error("the {0} holds a NUL")]
    Nul(&'static str),
}

fn sound(text: &[u8], what: &'static str, most: usize) -> Result<(), SecretError> {
    match text {
        [] => Err(SecretError::Empty(what)),
        text if text.len() > most => Err(SecretError::TooLong { what, most }),
        text if text.contains(&0) => Err(SecretError::Nul(what)),
        _ => Ok(()),
    }
}
