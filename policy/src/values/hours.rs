//! Hours of the week in a time zone: `Mon-Fri 08:00-19:00 Europe/Berlin`.
//!
//! What the wall clock shows decides: an hour that daylight saving time repeats counts twice, one that it skips never comes.

use std::fmt;
use std::ops::Range;
use std::time::SystemTime;

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};

use super::{Zone, meant};
use crate::shown::Shown;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAY: u16 = 24 * 60;
const WEEK: u16 = 7 * DAY;
/// Days that are searched for the next opening or closing: two weeks, as daylight saving time may skip one that comes weekly.
const HORIZON: i64 = 15;

/// Hours of the week.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Hours {
    text: String,
    zone: Zone,
    /// Minutes of the week from Monday, 00:00. INVARIANT: in order, none empty, none touching the next.
    open: Vec<Range<u16>>,
}

impl Hours {
    /// Reads days, times and a zone: `Mon-Fri 08:00-19:00 Europe/Berlin`, `Mon,Wed 09:00-12:00,13:00-17:00 UTC`, `daily 22:00-06:00 UTC`.
    /// Times that end before they begin end on the next day.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [days, times, zone] = words.as_slice() else {
            return Err(format!(
                "`{}` are not hours; write days, times and a time zone, such as Mon-Fri 08:00-19:00 Europe/Berlin",
                Shown(text)
            ));
        };
        let days = read_days(days)?;
        let times = times.split(',').map(read_times).collect::<Result<Vec<_>, _>>()?;
        let zone = Zone::read(zone)?;
        let mut open = Vec::new();
        for midnight in days.iter().map(|day| day.saturating_mul(DAY)) {
            for (start, end) in &times {
                let minutes = if end > start { end - start } else { DAY - start + end };
                let from = midnight.saturating_add(*start);
                let to = from.saturating_add(minutes);
                open.push(from..to.min(WEEK));
                // Sunday night goes on into Monday.
                open.push(0..to.saturating_sub(WEEK));
            }
        }
        Ok(Self { text: words.join(" "), zone, open: joined(open) })
    }

    /// Their time zone.
    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Whether they are open in this minute of the week ([`minute`]).
    pub(crate) fn contain(&self, minute: u16) -> bool {
        self.open.iter().any(|range| range.contains(&minute))
    }

    /// Whether they are open at an instant.
    pub(crate) fn are_open(&self, at: SystemTime) -> bool {
        minute(&self.zone, at).is_some_and(|minute| self.contain(minute))
    }

    /// Whether these are open whenever the others are; never true for hours of another zone.
    pub(crate) fn cover(&self, others: &Self) -> bool {
        let within =
            |narrow: &Range<u16>| self.open.iter().any(|wide| wide.start <= narrow.start && narrow.end <= wide.end);
        self.is_always() || (self.zone == others.zone && others.open.iter().all(within))
    }

    /// Whether they never close.
    pub(crate) fn is_always(&self) -> bool {
        self.open.contains(&(0..WEEK))
    }

    /// The instants of the next two weeks at which they may open or close, as times of the wall clock and as changes of the clock.
    pub(crate) fn edges(&self, from: SystemTime) -> Vec<SystemTime> {
        let (Some(local), Ok(now)) = (self.zone.local(from), Timestamp::try_from(from)) else {
            return Vec::new();
        };
        let mut edges = Vec::new();
        for day in -1..=HORIZON {
            let Ok(date) = local.date().checked_add(SignedDuration::from_hours(24 * day)) else { continue };
            let weekday = number(date);
            for edge in self.open.iter().flat_map(|range| [range.start, range.end]) {
                // The end of Sunday is Monday's midnight.
                if edge / DAY == weekday || edge == (weekday + 1) * DAY {
                    edges.extend(self.instants(date, edge - weekday * DAY));
                }
            }
        }
        let horizon = SignedDuration::from_hours(24 * HORIZON);
        let transitions = self.zone.rules().following(now).map(|transition| transition.timestamp());
        edges.extend(transitions.take_while(|at| at.duration_since(now) < horizon));
        edges.into_iter().filter(|edge| *edge > now).map(SystemTime::from).collect()
    }

    /// The instants at which the wall clock shows this minute of a day: one, or the two readings where the clock is changed.
    fn instants(&self, date: Date, minute: u16) -> Vec<Timestamp> {
        let midnight = date.to_datetime(Time::midnight());
        let Ok(civil) = midnight.checked_add(SignedDuration::from_mins(i64::from(minute))) else {
            return Vec::new();
        };
        let read = || self.zone.rules().to_ambiguous_timestamp(civil);
        [read().earlier(), read().later()].into_iter().flatten().collect()
    }
}

/// The minute of the week from Monday, 00:00, that this zone's clocks show at an instant.
pub(crate) fn minute(zone: &Zone, at: SystemTime) -> Option<u16> {
    let local = zone.local(at)?;
    let part = |part: i8| u16::try_from(part).unwrap_or(0);
    Some(number(local.date()) * DAY + part(local.hour()) * 60 + part(local.minute()))
}

/// The day of the week, from Monday as 0.
fn number(date: Date) -> u16 {
    u16::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0)
}

/// Days from Monday as 0: `Mon-Fri`, `Fri-Mon`, `Mon,Wed,Sat`, `daily`.
fn read_days(text: &str) -> Result<Vec<u16>, String> {
    if text == "daily" {
        return Ok((0..7).collect());
    }
    let one = |name: &str| {
        let position = DAYS.iter().position(|day| *day == name);
        let number = position.and_then(|position| u16::try_from(position).ok());
        number.ok_or_else(|| format!("`{}` is not a day of the week; {}", Shown(name), meant(name, &DAYS)))
    };
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (one(first)?, one(last)?);
        let count = if last >= first { last - first } else { 7 - first + last };
        days.extend((0..=count).map(|step| (first + step) % 7));
    }
    Ok(days)
}

/// Start and end as minutes of the day: `08:00-19:00`, up to `24:00`.
fn read_times(text: &str) -> Result<(u16, u16), String> {
    let unreadable = || format!("`{}` are not times of the day; write them as 08:00-19:00, up to 24:00", Shown(text));
    let one = |time: &str| {
        let (hour, minute) = time.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2)?;
        let digits =
            |two: &str| two.bytes().all(|byte| byte.is_ascii_digit()).then(|| two.parse::<u16>().ok()).flatten();
        let (hour, minute) = (digits(hour)?, digits(minute)?);
        let time = hour * 60 + minute;
        (minute < 60 && time <= DAY).then_some(time)
    };
    let (start, end) = text.split_once('-').ok_or_else(unreadable)?;
    match (one(start), one(end)) {
        (Some(start), Some(end)) if start == end => {
            Err(format!("`{}` begin when they end; write 00:00-24:00 for the whole day", Shown(text)))
        }
        (Some(DAY), Some(_)) => Err(unreadable()),
        (Some(start), Some(end)) => Ok((start, end)),
        _ => Err(unreadable()),
    }
}

/// The same minutes in as few ranges as it takes.
fn joined(mut ranges: Vec<Range<u16>>) -> Vec<Range<u16>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u16>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> SystemTime {
        text.parse::<Timestamp>().unwrap().into()
    }

    /// These hours are open, or not, at this instant of UTC.
    fn check(hours: &str, instant: &str, expected: bool) {
        assert_eq!(Hours::read(hours).unwrap().are_open(at(instant)), expected, "{hours} at {instant}");
    }

    #[test]
    fn hours_are_those_of_the_wall_clock_in_their_zone() {
        let office = "Mon-Fri 08:00-19:00 Europe/Berlin";
        // 2026-03-02 is a Monday; Berlin is an hour ahead of UTC, two in summer.
        check(office, "2026-03-02T06:59:59Z", false);
        check(office, "2026-03-02T07:00:00Z", true);
        check(office, "2026-03-02T17:59:59Z", true);
        check(office, "2026-03-02T18:00:00Z", false);
        check(office, "2026-03-07T12:00:00Z", false);
        check(office, "2026-07-06T06:00:00Z", true);
        check(office, "2026-07-06T17:00:00Z", false);
        // Where it is Monday already, and where it is still Sunday.
        check("Mon 00:00-01:00 Pacific/Auckland", "2026-03-01T11:30:00Z", true);
        check("Sun 20:00-24:00 America/Los_Angeles", "2026-03-02T07:59:00Z", true);
    }

    #[test]
    fn hours_may_cross_midnight_and_the_end_of_the_week() {
        let night = "Fri-Sun 22:00-06:00 UTC";
        check(night, "2026-03-06T21:59:00Z", false);
        check(night, "2026-03-06T22:00:00Z", true);
        check(night, "2026-03-07T05:59:00Z", true);
        check(night, "2026-03-07T06:00:00Z", false);
        check(night, "2026-03-09T05:59:00Z", true);
        check(night, "2026-03-09T06:00:00Z", false);
        check(night, "2026-03-09T22:30:00Z", false);
        check("Sat-Mon 09:00-10:00 UTC", "2026-03-08T09:30:00Z", true);
        check("Sat-Mon 09:00-10:00 UTC", "2026-03-10T09:30:00Z", false);
        check("Mon,Wed 09:00-12:00,13:00-17:00 UTC", "2026-03-04T12:30:00Z", false);
        check("Mon,Wed 09:00-12:00,13:00-17:00 UTC", "2026-03-04T13:00:00Z", true);
    }

    #[test]
    fn an_hour_that_is_repeated_counts_twice_and_one_that_is_skipped_never_comes() {
        // Berlin: 2026-03-29 02:00 → 03:00, 2026-10-25 03:00 → 02:00.
        let hours = "Sun 02:00-03:00 Europe/Berlin";
        check(hours, "2026-03-29T00:59:59Z", false);
        check(hours, "2026-03-29T01:00:00Z", false);
        check(hours, "2026-10-25T00:30:00Z", true);
        check(hours, "2026-10-25T01:30:00Z", true);
        check(hours, "2026-10-25T02:00:00Z", false);
    }

    #[test]
    fn other_texts_are_refused_with_the_mend() {
        for (text, part) in [
            ("", "such as Mon-Fri 08:00-19:00 Europe/Berlin"),
            ("Mon-Fri 08:00-19:00", "such as Mon-Fri 08:00-19:00 Europe/Berlin"),
            ("Mon - Fri 08:00-19:00 UTC", "such as Mon-Fri 08:00-19:00 Europe/Berlin"),
            ("Mo-Fri 08:00-19:00 UTC", "did you mean `Mon`?"),
            ("mon-Fri 08:00-19:00 UTC", "did you mean `Mon`?"),
            ("Mon-Fri 8:00-19:00 UTC", "write them as 08:00-19:00"),
            ("Mon-Fri 08:00-24:01 UTC", "write them as 08:00-19:00"),
            ("Mon-Fri 08:60-19:00 UTC", "write them as 08:00-19:00"),
            ("Mon-Fri 24:00-06:00 UTC", "write them as 08:00-19:00"),
            ("Mon-Fri 08:00-08:00 UTC", "00:00-24:00 for the whole day"),
            ("Mon-Fri 08:00 UTC", "write them as 08:00-19:00"),
            ("Mon-Fri 08:00-19:00 Europe/Berln", "did you mean Europe/Berlin?"),
        ] {
            let error = Hours::read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn wider_hours_cover_narrower_ones_of_their_zone() {
        let cover = |wide, narrow| Hours::read(wide).unwrap().cover(&Hours::read(narrow).unwrap());
        assert!(cover("daily 08:00-19:00 UTC", "Mon-Fri 09:00-12:00,13:00-19:00 UTC"));
        assert!(!cover("Mon-Fri 09:00-12:00,13:00-19:00 UTC", "Mon-Fri 09:00-19:00 UTC"));
        assert!(!cover("daily 08:00-19:00 UTC", "Mon 09:00-12:00 Europe/London"));
        assert!(cover("daily 00:00-24:00 UTC", "Mon 09:00-12:00 Europe/London"));
    }

    /// The first instant after this one at which membership differs, found minute by minute.
    fn next(hours: &Hours, from: SystemTime) -> Option<SystemTime> {
        let member = |at| hours.are_open(at);
        (1..=20 * u64::from(DAY))
            .map(|step| from + std::time::Duration::from_secs(step * 60))
            .find(|at| member(*at) != member(from))
    }

    proptest! {
        #[test]
        fn edges_name_every_opening_and_closing(
            days in "(Mon|Tue|Sat|Sun)(-(Mon|Sun|Wed))?", start in 0..24_u16, end in 1..=24_u16,
            zone in prop::sample::select(&["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia"][..]),
            quarter in 0..40_000_u64,
        ) {
            prop_assume!(start != end);
            let hours = Hours::read(&format!("{days} {start:02}:00-{end:02}:00 {zone}")).unwrap();
            let from = at("2026-01-01T00:00:00Z") + std::time::Duration::from_secs(quarter * 900);
            let member = |at| hours.are_open(at);
            let mut edges = hours.edges(from);
            edges.sort();
            let found = edges.into_iter().find(|edge| member(*edge) != member(from));
            let expected = next(&hours, from).filter(|at| *at < from + std::time::Duration::from_secs(13 * 86_400));
            if let Some(expected) = expected {
                prop_assert_eq!(found, Some(expected), "{} from {:?}", hours, from);
            }
        }
    }
}
