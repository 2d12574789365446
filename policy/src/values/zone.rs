//! Time zones by their IANA names, from the database that is compiled in: the same on every machine.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::SystemTime;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, civil};

use crate::nearest::nearest;
use crate::shown::Shown;

/// Reads an instant as people write it: `2026-03-02 09:00 Europe/Berlin`; the error says how to.
pub fn read_instant(text: &str) -> Result<SystemTime, String> {
    let unreadable = || format!("`{}` is not a time; write it as 2026-03-02 09:00 Europe/Berlin", Shown(text));
    let words: Vec<&str> = text.split_whitespace().collect();
    let [day, time, zone] = words.as_slice() else { return Err(unreadable()) };
    Zone::read(zone)?.instant(day, time).ok_or_else(unreadable)
}

/// A time zone.
#[derive(Debug, Clone)]
pub struct Zone {
    /// INVARIANT: a name stands for one zone, so names are compared in place of all their rules.
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// Coordinated Universal Time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// The IANA name, such as `Europe/Berlin`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds that this zone's clocks are ahead of UTC at an instant; 0 for instants beyond the year 9999.
    pub fn offset(&self, at: SystemTime) -> i32 {
        Timestamp::try_from(at).map_or(0, |at| self.zone.to_offset(at).seconds())
    }

    /// Reads an IANA name, spelt as the database spells it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let known = TimeZoneDatabase::bundled();
        let exact = known.get(text).ok().filter(|zone| zone.iana_name() == Some(text) || text == "UTC");
        if let Some(zone) = exact {
            return Ok(Self { name: text.to_owned(), zone });
        }
        let names: Vec<String> = known.available().map(|name| name.as_str().to_owned()).collect();
        let mend = match nearest(text, names.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "write an IANA name, such as Europe/Berlin or UTC".to_owned(),
        };
        Err(format!("`{}` is not a time zone; {mend}", Shown(text)))
    }

    /// What this zone's clocks show at an instant; nothing for instants beyond the year 9999.
    pub(crate) fn local(&self, at: SystemTime) -> Option<civil::DateTime> {
        Timestamp::try_from(at).ok().map(|at| self.zone.to_datetime(at))
    }

    /// The instant at which this zone's clocks show a day and a time, `2026-03-02` and `09:00`; the earlier one where they show it twice.
    fn instant(&self, day: &str, time: &str) -> Option<SystemTime> {
        let plain = |text: &str, form: &str| {
            text.len() == form.len()
                && text
                    .bytes()
                    .zip(form.bytes())
                    .all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form })
        };
        if !plain(day, "0000-00-00") || !plain(time, "00:00") {
            return None;
        }
        let civil: civil::DateTime = format!("{day}T{time}:00").parse().ok()?;
        self.zone.to_ambiguous_timestamp(civil).earlier().ok().map(SystemTime::from)
    }

    /// The zone itself, for arithmetic.
    pub(crate) fn rules(&self) -> &TimeZone {
        &self.zone
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// 2026-07-01 00:00 UTC.
    const JULY: Duration = Duration::from_secs(1_782_864_000);

    #[test]
    fn zones_are_known_by_their_names() {
        let july = SystemTime::UNIX_EPOCH + JULY;
        for (name, offset) in
            [("Europe/Berlin", 7200), ("UTC", 0), ("America/New_York", -14_400), ("Asia/Kolkata", 19_800)]
        {
            let zone = Zone::read(name).unwrap();
            assert_eq!((zone.name(), zone.offset(july)), (name, offset));
        }
        assert_eq!(Zone::read("Europe/Berlin").unwrap().local(july).unwrap().to_string(), "2026-07-01T02:00:00");
        assert_eq!(Zone::read("UTC").unwrap(), Zone::utc());
    }

    #[test]
    fn other_names_are_refused_with_the_mend() {
        for (name, part) in [
            ("Europe/Berln", "did you mean Europe/Berlin?"),
            ("europe/berlin", "did you mean Europe/Berlin?"),
            ("CEST", "did you mean CET?"),
            ("local time", "such as Europe/Berlin"),
            ("", "such as Europe/Berlin"),
            ("+02:00", "such as Europe/Berlin"),
        ] {
            let error = Zone::read(name).unwrap_err();
            assert!(error.contains(part), "{name}: {error}");
        }
    }
}
