//! DER (X.690) as far as time stamps need it: definite lengths, one-byte tags, nothing copied.

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const UTF8: u8 = 0x0c;
pub(super) const TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// `[0]`, constructed.
pub(super) const CONTEXT_0: u8 = 0xa0;

/// An object identifier's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Oid<'a>(pub &'a [u8]);

impl Oid<'static> {
    pub(super) const SHA256: Self = Self(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]);
    pub(super) const SHA384: Self = Self(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2]);
    pub(super) const SHA512: Self = Self(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3]);
    /// CMS SignedData (RFC 5652 §5.1).
    pub(super) const SIGNED_DATA: Self = Self(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]);
    /// TSTInfo (RFC 3161 §2.4.2).
    pub(super) const TST: Self = Self(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4]);
    /// What a signature may be called (RFC 8017 §A.2, RFC 4055 §5, RFC 5758 §3.2): RSA without its hash, and with it; ECDSA.
    pub(super) const RSA: Self = Self(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]);
    pub(super) const RSA_SHA256: Self = Self(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]);
    pub(super) const RSA_SHA384: Self = Self(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12]);
    pub(super) const RSA_SHA512: Self = Self(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13]);
    pub(super) const ECDSA_SHA256: Self = Self(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
    pub(super) const ECDSA_SHA384: Self = Self(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3]);
    pub(super) const ECDSA_SHA512: Self = Self(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4]);
    /// Attributes (RFC 5652 §11.1, §11.2; RFC 2634 §5.4; RFC 5035 §3).
    pub(super) const CONTENT_TYPE: Self = Self(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3]);
    pub(super) const MESSAGE_DIGEST: Self = Self(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4]);
    pub(super) const SIGNING_CERTIFICATE: Self = Self(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 12]);
    pub(super) const SIGNING_CERTIFICATE_V2: Self = Self(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47]);
}

/// One value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    /// Tag and length included.
    pub whole: &'a [u8],
}

/// What is left of a row of values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a>(pub &'a [u8]);

impl<'a> Row<'a> {
    /// The next value; `None` when there is none, or it is no DER.
    pub(super) fn next(&mut self) -> Option<Value<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // More than three bytes of length are more than is ever looked at.
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = digits.iter().fold(0_usize, |value, digit| value << 8 | usize::from(*digit));
                let shortest = digits.first().is_some_and(|digit| *digit != 0) && length >= 0x80;
                (shortest.then_some(length)?, rest)
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len().saturating_sub(after.len()))?;
        // Tags of several bytes are none of ours.
        (tag & 0x1f != 0x1f).then_some(())?;
        self.0 = after;
        Some(Value { tag, content, whole })
    }

    /// The next value, when it has this tag; else nothing is consumed.
    pub(super) fn take(&mut self, tag: u8) -> Option<Value<'a>> {
        let mut ahead = *self;
        let value = ahead.next().filter(|value| value.tag == tag)?;
        *self = ahead;
        Some(value)
    }

    /// The object identifier that comes next.
    pub(super) fn oid(&mut self) -> Option<Oid<'a>> {
        self.take(OID).map(|value| Oid(value.content))
    }

    /// What lies in the value of this tag that comes next.
    pub(super) fn within(&mut self, tag: u8) -> Option<Row<'a>> {
        self.take(tag).map(|value| Row(value.content))
    }

    /// The algorithm that comes next (RFC 5280 §4.1.1.2): without parameters, or with NULL for them.
    pub(super) fn algorithm(&mut self) -> Option<Oid<'a>> {
        let mut row = self.within(SEQUENCE)?;
        let oid = row.oid()?;
        (row.is_over() || row.0 == [NULL, 0]).then_some(oid)
    }

    /// Whether nothing is left.
    pub(super) fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

/// A value with its tag and length.
pub(super) fn wrap(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut whole = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length @ 0..=0x7f) => whole.push(length),
        Ok(length) => whole.extend([0x81, length]),
        // The requests that are written here are shorter; attributes that are read are below 16 MiB.
        Err(_) => {
            let length = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
            let digits = if length[1] == 0 { &length[2..] } else { &length[1..] };
            whole.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
            whole.extend_from_slice(digits);
        }
    }
    whole.extend(content);
    whole
}

/// An INTEGER's content: shortest, and not negative.
pub(super) fn integer(value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(7);
    let mut digits = bytes.get(zeros..).unwrap_or_default().to_vec();
    if digits.first().is_some_and(|digit| digit & 0x80 != 0) {
        digits.insert(0, 0);
    }
    digits
}
