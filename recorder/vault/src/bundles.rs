//! Which bundles a vault holds, and where the one of a session lies.
use time::{Duration, OffsetDateTime};

use crate::{Key, KeyError, Result, Vault};

/// Where a bundle lies: `sessions/YYYY/MM/DD/<id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(Key);

impl Place {
    /// The place that a key, or an object under it, belongs to; `None` when it is none of a bundle.
    #[must_use]
    pub fn of(key: &Key) -> Option<Self> {
        let mut segments = key.segments();
        let place: Vec<_> = segments.by_ref().take(5).collect();
        let whole = place.len() == 5 && place.first() == Some(&"sessions");
        Key::new(place.join("/")).ok().filter(|_| whole).map(Self)
    }

    /// As a key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.0
    }

    /// Where the bundle lies that was derived from this one, if it was: `derived/YYYY/MM/DD/<id>`.
    ///
    /// # Errors
    /// Never, for a place is made of a key's segments.
    pub fn derived(&self) -> std::result::Result<Key, KeyError> {
        Key::new(format!("derived/{}/{}", self.day(), self.id()))
    }

    /// Where lies what was read off the pictures of this one, if anything was: `readings/YYYY/MM/DD/<id>`.
    ///
    /// # Errors
    /// Never, for a place is made of a key's segments.
    pub fn readings(&self) -> std::result::Result<Key, KeyError> {
        Key::new(format!("readings/{}/{}", self.day(), self.id()))
    }

    /// The session's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.name()
    }

    /// The day, `YYYY/MM/DD`.
    #[must_use]
    pub fn day(&self) -> &str {
        self.0.folder().strip_prefix("sessions/").unwrap_or_default()
    }
}

/// The next bundle behind `after`, in the order of their places; `None` behind the last.
///
/// One object of a bundle tells of it and the others are skipped, so going through a vault costs by the bundle and not by the segment.
///
/// # Errors
/// [`crate::VaultError::Storage`].
pub async fn next_bundle(vault: &dyn Vault, after: Option<&Place>) -> Result<Option<Place>> {
    // No name in a bundle, known or strange, comes behind this one: all of them begin with a letter or digit below.
    let mut after = after.and_then(|place| Key::new(format!("{}/zzzz", place.key())).ok());
    let passed = after.as_ref().and_then(Place::of);
    loop {
        let Some(found) = vault.list("sessions/", after.as_ref(), 1).await?.into_iter().next() else { return Ok(None) };
        match Place::of(&found.key).filter(|place| place.key() != &found.key && Some(place) != passed.as_ref()) {
            Some(place) => return Ok(Some(place)),
            None => after = Some(found.key),
        }
    }
}

/// Where the bundle of a session lies: on the days around the time that is in an id of version 7 (RFC 9562 §5.7), else wherever it is found.
///
/// # Errors
/// [`crate::VaultError::Storage`].
pub async fn find_bundle(vault: &dyn Vault, id: &str) -> Result<Option<Place>> {
    for key in days_of(id).filter_map(|day| Key::new(format!("sessions/{day}/{id}")).ok()) {
        if !vault.list(&format!("{key}/"), None, 1).await?.is_empty() {
            return Ok(Some(Place(key)));
        }
    }
    let mut last = None;
    while let Some(place) = next_bundle(vault, last.as_ref()).await? {
        if place.id() == id {
            return Ok(Some(place));
        }
        last = Some(place);
    }
    Ok(None)
}

/// The days, `YYYY/MM/DD`, on which the session of such an id may have begun by the clock of its gate; none of an id that tells no time.
pub fn days_of(id: &str) -> impl Iterator<Item = String> + use<> {
    let digits = id.get(..8).zip(id.get(9..13)).map(|(high, low)| format!("{high}{low}"));
    let seconds =
        digits.and_then(|digits| i64::from_str_radix(&digits, 16).ok()).map(|milliseconds| milliseconds / 1000);
    let began = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let days = began.into_iter().flat_map(|began| [0, -1, 1].map(|days| began.saturating_add(Duration::days(days))));
    days.map(|day| {
        let (year, month, day) = day.to_calendar_date();
        format!("{year:04}/{:02}/{day:02}", u8::from(month))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_looked_for_on_its_days() {
        let found = |id: &str| days_of(id).collect::<Vec<_>>();
        assert_eq!(found("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), ["2022/02/22", "2022/02/21", "2022/02/23"]);
        assert!(found("somewhere").is_empty());
    }

    #[test]
    fn what_lies_in_a_bundle_belongs_to_its_place() {
        let place = |text: &str| Place::of(&Key::new(text).unwrap());
        let inner = place("sessions/2026/01/31/a-b/chain/00001.jws").unwrap();
        assert_eq!((inner.id(), inner.day()), ("a-b", "2026/01/31"));
        assert_eq!(place("sessions/2026/01/31/a-b"), Some(inner));
        assert_eq!((place("holds/a-b/1/2/3"), place("sessions/2026/01")), (None, None));
    }
}
