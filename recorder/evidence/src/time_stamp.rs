//! Time stamps of the seal (RFC 3161): asked for, and verified offline with the authority's certificates.

mod der;
mod token;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use thiserror::Error;
use time::OffsetDateTime;

use crate::digest::Digest;
use der::{Oid, SEQUENCE, wrap};

/// The longest answer of an authority, and so the longest `seal.tsr`.
pub const MAX_TIME_STAMP_BYTES: usize = 64 * 1024;
/// The longest file of authorities' certificates.
const MAX_PEM_BYTES: usize = 256 * 1024;
/// The most certificates in it.
const MAX_AUTHORITIES: usize = 64;

/// The certificates at which the chain of a time stamp's signer may end.
#[derive(Debug, Clone, Default)]
pub struct Authorities {
    anchors: Vec<TrustAnchor<'static>>,
}

/// What an authority said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeStamp {
    /// When what is stamped was there already.
    pub time: OffsetDateTime,
}

/// Why an answer is no time stamp of these bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TimeStampError {
    /// The text holds no certificates, or one that cannot be an authority.
    #[error("not certificates of authorities in PEM (BEGIN CERTIFICATE)")]
    Authorities,
    /// Not the form of RFC 3161.
    #[error("not a time stamp: {0}")]
    Malformed(&'static str),
    /// The authority did not grant it.
    #[error("the authority refused")]
    Refused,
    /// It is of something else.
    #[error("it stamps something else")]
    OtherImprint,
    /// It answers another request.
    #[error("it answers another request")]
    OtherNonce,
    /// The signer's certificate is not there, not for stamping time, not valid at that time, or leads to no authority.
    #[error("its signer is not vouched for by an authority that was given: {0}")]
    Signer(String),
    /// The signature does not fit.
    #[error("its signature does not fit")]
    Signature,
}

impl Authorities {
    /// Reads certificates in PEM.
    ///
    /// # Errors
    /// [`TimeStampError::Authorities`].
    pub fn from_pem(pem: &str) -> Result<Self, TimeStampError> {
        if pem.len() > MAX_PEM_BYTES {
            return Err(TimeStampError::Authorities);
        }
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(pem.as_bytes()).take(MAX_AUTHORITIES).collect();
        let certificates = certificates.map_err(|_| TimeStampError::Authorities)?;
        let anchors: Result<Vec<_>, _> = certificates
            .iter()
            .map(|certificate| webpki::anchor_from_trusted_cert(certificate).map(|anchor| anchor.to_owned()))
            .collect();
        let anchors = anchors.map_err(|_| TimeStampError::Authorities)?;
        if anchors.is_empty() {
            return Err(TimeStampError::Authorities);
        }
        Ok(Self { anchors })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// What a TimeStampResp says of `stamped`, if it is granted, of these bytes, and its signer was, at that time, vouched for by
    /// one of these authorities for stamping time. `nonce` is that of the request, where it is known.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(&self, response: &[u8], stamped: &[u8], nonce: Option<u64>) -> Result<TimeStamp, TimeStampError> {
        if response.len() > MAX_TIME_STAMP_BYTES {
            return Err(TimeStampError::Malformed("it is too long"));
        }
        token::verify(response, Digest::of(stamped), nonce, &self.anchors)
    }
}

/// A TimeStampReq for `stamped` (RFC 3161 §2.4.1), which asks for the signer's certificate. `nonce` is a random number that was never used before.
#[must_use]
pub fn time_stamp_request(stamped: &[u8], nonce: u64) -> Vec<u8> {
    let algorithm = wrap(SEQUENCE, &[&wrap(der::OID, &[Oid::SHA256.0]), &wrap(der::NULL, &[])]);
    let imprint = wrap(SEQUENCE, &[&algorithm, &wrap(der::OCTETS, &[&Digest::of(stamped).0])]);
    let version = wrap(der::INTEGER, &[&[1]]);
    let nonce = wrap(der::INTEGER, &[&der::integer(nonce)]);
    wrap(SEQUENCE, &[&version, &imprint, &nonce, &wrap(der::BOOLEAN, &[&[0xff]])])
}
