//! Whom a verifier believes: keys with their validity, and authorities that stamp time.
use time::OffsetDateTime;

use crate::age::Identities;
use crate::key::VerifyingKey;
use crate::key_list::{KeyList, KeyListError};
use crate::stamp;
use crate::time_stamp::{Authorities, TimeStampError};

/// What verification starts from; whatever it finds in a bundle adds nothing to it.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    keys: Vec<VerifyingKey>,
    validity: Vec<Validity>,
    authorities: Authorities,
    identities: Option<Identities>,
}

/// When a key counts. Keys that were given by themselves always do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Validity {
    kid: String,
    pub(crate) from: Option<OffsetDateTime>,
    pub(crate) until: Option<OffsetDateTime>,
    pub(crate) revoked: Option<OffsetDateTime>,
}

impl Trust {
    /// Trust in these keys, whatever the time.
    #[must_use]
    pub fn of(keys: &[VerifyingKey]) -> Self {
        Self { keys: keys.to_vec(), ..Self::default() }
    }

    /// Trust in the keys of a list, each within its validity.
    ///
    /// # Errors
    /// When a key of the list is none.
    pub fn listed(list: &KeyList) -> Result<Self, KeyListError> {
        let mut trust = Self::default();
        for listed in &list.keys {
            trust.keys.push(listed.key()?);
            trust.validity.push(Validity {
                kid: listed.kid.clone(),
                from: stamp::parse(&listed.from),
                until: stamp::parse(&listed.until),
                revoked: stamp::parse(&listed.revoked),
            });
        }
        Ok(trust)
    }

    /// Trust in time stamps, too, that lead to one of these certificates (PEM, authorities' roots or what is below them).
    ///
    /// # Errors
    /// [`TimeStampError::Authorities`] when the text holds no certificate that can be an authority.
    pub fn with_authorities(mut self, pem: &str) -> Result<Self, TimeStampError> {
        self.authorities = Authorities::from_pem(pem)?;
        Ok(self)
    }

    /// With identities that open encrypted bundles: what is in them is then checked too.
    #[must_use]
    pub fn with_identities(mut self, identities: Identities) -> Self {
        self.identities = Some(identities);
        self
    }

    pub(crate) fn identities(&self) -> Option<&Identities> {
        self.identities.as_ref()
    }

    pub(crate) fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    pub(crate) fn validity(&self, kid: &str) -> Option<&Validity> {
        self.validity.iter().find(|validity| validity.kid == kid)
    }

    pub(crate) fn is_revoked(&self, kid: &str) -> bool {
        self.validity(kid).is_some_and(|validity| validity.revoked.is_some())
    }

    pub(crate) fn authorities(&self) -> Option<&Authorities> {
        (!self.authorities.is_empty()).then_some(&self.authorities)
    }
}
