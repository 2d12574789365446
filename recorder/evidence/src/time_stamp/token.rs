//! A TimeStampResp, taken apart and proved: status, TSTInfo, CMS signature, certificate path.
use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use time::{Date, Duration, Month, OffsetDateTime, Time};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage};

use super::der::{self, CONTEXT_0, INTEGER, OCTETS, OID, Oid, Row, SEQUENCE, SET, TIME, UTF8};
use super::{TimeStamp, TimeStampError};
use crate::digest::Digest;

/// id-kp-timeStamping (RFC 3161 §2.3).
const FOR_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];
/// The most certificates that a response may carry.
const MAX_CERTIFICATES: usize = 16;

/// What is signed, by whom, and with what.
struct Signed<'a> {
    tst: &'a [u8],
    certificates: Vec<CertificateDer<'a>>,
    /// Issuer and number of the signer's certificate, one behind the other.
    signer: &'a [u8],
    /// The signer's attributes, with the tag that they are signed with.
    attributes: Vec<u8>,
    hash: &'static digest::Algorithm,
    signature: &'a [u8],
}

pub(super) fn verify(
    response: &[u8],
    imprint: Digest,
    nonce: Option<u64>,
    anchors: &[TrustAnchor<'static>],
) -> Result<TimeStamp, TimeStampError> {
    let malformed = TimeStampError::Malformed;
    let token = granted(response)?;
    let signed = signed(token).ok_or(malformed("its signature is not CMS SignedData of one signer"))?;
    let said = tst(signed.tst).ok_or(malformed("it holds no TSTInfo of version 1 with SHA-256"))?;
    if said.stamped != imprint.0 {
        return Err(TimeStampError::OtherImprint);
    }
    if nonce.is_some_and(|nonce| said.nonce != Some(der::integer(nonce).as_slice())) {
        return Err(TimeStampError::OtherNonce);
    }
    let named = attributes(&signed).ok_or(malformed("its attributes are not those of a time stamp"))?;
    let signer = signed.certificates.iter().find(|certificate| named.names(certificate));
    let signer = signer.ok_or_else(|| TimeStampError::Signer("there is no certificate of it".to_owned()))?;
    if issuer_and_number(signer).as_deref() != Some(signed.signer) {
        return Err(TimeStampError::Signer("its certificate is not the one that it names".to_owned()));
    }
    vouched(signer, &signed, anchors, said.time)?;
    Ok(TimeStamp { time: said.time })
}

/// The token in a response that was granted.
fn granted(response: &[u8]) -> Result<Row<'_>, TimeStampError> {
    let malformed = TimeStampError::Malformed("it is no TimeStampResp");
    let mut outer = Row(response);
    let mut whole = outer.within(SEQUENCE).filter(|_| outer.is_over()).ok_or(malformed.clone())?;
    let mut status = whole.within(SEQUENCE).ok_or(malformed.clone())?;
    let granted = status.take(INTEGER).ok_or(malformed.clone())?;
    // granted, grantedWithMods; it may say more in words.
    if !matches!(granted.content, [0 | 1]) {
        return Err(TimeStampError::Refused);
    }
    let mut words = status.within(SEQUENCE).unwrap_or(Row(&[]));
    while let Some(text) = words.take(UTF8) {
        std::str::from_utf8(text.content).map_err(|_| malformed.clone())?;
    }
    if !words.is_over() || !status.is_over() {
        return Err(malformed);
    }
    whole.within(SEQUENCE).filter(|_| whole.is_over()).ok_or(malformed)
}

/// ContentInfo, SignedData and its one SignerInfo (RFC 5652 §3, §5), and nothing beside them.
fn signed(mut token: Row<'_>) -> Option<Signed<'_>> {
    (token.oid()? == Oid::SIGNED_DATA).then_some(())?;
    let mut outer = token.within(CONTEXT_0)?;
    let mut data = outer.within(SEQUENCE).filter(|_| outer.is_over() && token.is_over())?;
    (data.take(INTEGER)?.content == [3]).then_some(())?;
    let mut hashes = data.within(SET)?;
    let named = hashes.algorithm().filter(|_| hashes.is_over())?;
    let mut content = data.within(SEQUENCE)?;
    (content.oid()? == Oid::TST).then_some(())?;
    let mut wrapped = content.within(CONTEXT_0).filter(|_| content.is_over())?;
    let tst = wrapped.take(OCTETS).filter(|_| wrapped.is_over())?.content;
    let mut certificates = Vec::new();
    if let Some(mut row) = data.within(CONTEXT_0) {
        while let Some(certificate) = row.take(SEQUENCE) {
            (certificates.len() < MAX_CERTIFICATES).then_some(())?;
            certificates.push(CertificateDer::from(certificate.whole));
        }
        row.is_over().then_some(())?;
    }
    let mut signers = data.within(SET)?;
    let mut signer = signers.within(SEQUENCE)?;
    (signers.is_over() && data.is_over()).then_some(())?;
    // Issuer and number: other names of a signer are of later versions.
    (signer.take(INTEGER)?.content == [1]).then_some(())?;
    let of = signer.take(SEQUENCE)?.content;
    let hash = signer.algorithm().filter(|hash| *hash == named)?;
    let attributes = der::wrap(SET, &[signer.take(CONTEXT_0)?.content]);
    let (hash, calls) = algorithm(hash)?;
    signer.algorithm().filter(|name| calls.contains(name))?;
    let signature = signer.take(OCTETS).filter(|_| signer.is_over())?.content;
    Some(Signed { tst, certificates, signer: of, attributes, hash, signature })
}

/// Issuer and number of a certificate (RFC 5280 §4.1), as a SignerInfo has them.
fn issuer_and_number(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let mut row = Row(certificate).within(SEQUENCE)?.within(SEQUENCE)?;
    row.take(CONTEXT_0);
    let number = row.take(INTEGER)?;
    row.take(SEQUENCE)?;
    Some([row.take(SEQUENCE)?.whole, number.whole].concat())
}

/// What a TSTInfo says.
struct Said<'a> {
    stamped: &'a [u8],
    time: OffsetDateTime,
    nonce: Option<&'a [u8]>,
}

/// Imprint, time and nonce of a TSTInfo (RFC 3161 §2.4.2).
fn tst(bytes: &[u8]) -> Option<Said<'_>> {
    let mut outer = Row(bytes);
    let mut tst = outer.within(SEQUENCE).filter(|_| outer.is_over())?;
    (tst.take(INTEGER)?.content == [1]).then_some(())?;
    tst.take(OID)?;
    let mut imprint = tst.within(SEQUENCE)?;
    (imprint.algorithm()? == Oid::SHA256).then_some(())?;
    let stamped = imprint.take(OCTETS)?.content;
    tst.take(INTEGER)?;
    let time = general_time(tst.take(TIME)?.content)?;
    // Accuracy and ordering are left to those who compare stamps with each other.
    tst.take(SEQUENCE);
    tst.take(der::BOOLEAN);
    Some(Said { stamped, time, nonce: tst.take(INTEGER).map(|nonce| nonce.content) })
}

/// `20260131235959Z`, or with a fraction that does not end in 0.
fn general_time(bytes: &[u8]) -> Option<OffsetDateTime> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (whole.len() == 14 && digits(whole) && digits(fraction) && fraction.len() <= 9).then_some(())?;
    let part = |from: usize, to: usize| whole.get(from..to)?.parse::<u8>().ok();
    let month = Month::try_from(part(4, 6)?).ok()?;
    let date = Date::from_calendar_date(whole.get(..4)?.parse().ok()?, month, part(6, 8)?).ok()?;
    let time = Time::from_hms(part(8, 10)?, part(10, 12)?, part(12, 14)?).ok()?;
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    date.with_time(time).assume_utc().checked_add(Duration::nanoseconds(nanoseconds))
}

/// How the attributes name the signer's certificate.
struct Named<'a> {
    hash: &'static digest::Algorithm,
    digest: &'a [u8],
}

impl Named<'_> {
    fn names(&self, certificate: &CertificateDer<'_>) -> bool {
        digest::digest(self.hash, certificate).as_ref() == self.digest
    }
}

/// The attributes must be of a TSTInfo, of these bytes, and name a certificate (RFC 3161 §2.4.1, RFC 5816).
fn attributes<'a>(signed: &'a Signed<'_>) -> Option<Named<'a>> {
    let (mut typed, mut digested, mut named) = (false, false, None);
    let mut row = Row(&signed.attributes).within(SET)?;
    while !row.is_over() {
        let mut attribute = row.within(SEQUENCE)?;
        let kind = attribute.oid()?;
        let mut values = attribute.within(SET)?;
        if kind == Oid::CONTENT_TYPE {
            typed = values.oid()? == Oid::TST;
        } else if kind == Oid::MESSAGE_DIGEST {
            digested = values.take(OCTETS)?.content == digest::digest(signed.hash, signed.tst).as_ref();
        } else if kind == Oid::SIGNING_CERTIFICATE_V2 || kind == Oid::SIGNING_CERTIFICATE {
            let mut first = values.within(SEQUENCE)?.within(SEQUENCE)?.within(SEQUENCE)?;
            let hash = match first.within(SEQUENCE) {
                Some(mut hash) => algorithm(hash.oid()?)?.0,
                None if kind == Oid::SIGNING_CERTIFICATE => &SHA1_FOR_LEGACY_USE_ONLY,
                None => &SHA256,
            };
            named = Some(Named { hash, digest: first.take(OCTETS)?.content });
        }
    }
    (typed && digested).then_some(named)?
}

/// The hash of this name, and what a signature over it may be called; SHA-1 signs nothing here.
fn algorithm(oid: Oid<'_>) -> Option<(&'static digest::Algorithm, [Oid<'static>; 3])> {
    match oid {
        Oid::SHA256 => Some((&SHA256, [Oid::RSA, Oid::RSA_SHA256, Oid::ECDSA_SHA256])),
        Oid::SHA384 => Some((&SHA384, [Oid::RSA, Oid::RSA_SHA384, Oid::ECDSA_SHA384])),
        Oid::SHA512 => Some((&SHA512, [Oid::RSA, Oid::RSA_SHA512, Oid::ECDSA_SHA512])),
        _ => None,
    }
}

/// The signature, and the signer's certificate up to an authority, at the time that it says.
fn vouched(
    signer: &CertificateDer<'_>,
    signed: &Signed<'_>,
    anchors: &[TrustAnchor<'static>],
    time: OffsetDateTime,
) -> Result<(), TimeStampError> {
    let refused = |error: webpki::Error| TimeStampError::Signer(error.to_string());
    let certificate = EndEntityCert::try_from(signer).map_err(refused)?;
    let algorithms = of_hash(signed.hash);
    let fits = |algorithm: &&dyn SignatureVerificationAlgorithm| {
        certificate.verify_signature(*algorithm, &signed.attributes, signed.signature).is_ok()
    };
    if !algorithms.iter().any(fits) {
        return Err(TimeStampError::Signature);
    }
    let seconds =
        u64::try_from(time.unix_timestamp()).map_err(|_| TimeStampError::Malformed("its time is before 1970"))?;
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let usage = KeyUsage::required(FOR_STAMPING);
    certificate
        .verify_for_usage(ALL_VERIFICATION_ALGS, anchors, &signed.certificates, at, usage, None, None)
        .map(|_| ())
        .map_err(refused)
}

fn of_hash(hash: &'static digest::Algorithm) -> [&'static dyn SignatureVerificationAlgorithm; 4] {
    use webpki::aws_lc_rs as known;
    if *hash == SHA256 {
        [
            known::RSA_PKCS1_2048_8192_SHA256,
            known::ECDSA_P256_SHA256,
            known::ECDSA_P384_SHA256,
            known::ECDSA_P521_SHA256,
        ]
    } else if *hash == SHA384 {
        [
            known::RSA_PKCS1_2048_8192_SHA384,
            known::ECDSA_P256_SHA384,
            known::ECDSA_P384_SHA384,
            known::ECDSA_P521_SHA384,
        ]
    } else {
        [
            known::RSA_PKCS1_2048_8192_SHA512,
            known::ECDSA_P256_SHA512,
            known::ECDSA_P384_SHA512,
            known::ECDSA_P521_SHA512,
        ]
    }
}
