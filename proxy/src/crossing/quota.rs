//! What policy's limits have left of texts in one direction, for all viewers of a session together; time is handed in.

use std::time::{Duration, Instant};

use portcullis_policy::{ActionKind, Limits, Rule, Stated};

use crate::pace::Pace;

/// A minute in the parts that quotas of bytes are counted in.
const MINUTE: u128 = 60_000;

/// What has crossed, as far as limits count it.
#[derive(Debug, Default)]
pub(super) struct Quota {
    /// Texts that may cross in a minute, and so many at once.
    texts: Option<(u32, Pace)>,
    /// Bytes that crossed in the last minute, times [`MINUTE`]; they run out evenly.
    minute: u128,
    at: Option<Instant>,
    /// Bytes that crossed.
    session: u64,
}

impl Quota {
    /// The limit that one more text of so many bytes would be over, and words for a person; it is counted if it `crosses` and is over none.
    /// What is only announced needs room for a byte.
    pub(super) fn over(
        &mut self,
        limits: &Limits,
        (kind, bytes, crosses): (ActionKind, u64, bool),
        now: Instant,
    ) -> Option<(Rule, String)> {
        let least = if crosses { bytes } else { bytes.max(1) };
        if let Some(Stated { value, rule }) = &limits.bytes_per_session
            && self.session.saturating_add(least) > value.bytes()
        {
            return Some((rule.clone(), format!("{kind} is over the {value} of a session that are allowed")));
        }
        if let Some(Stated { value, rule }) = &limits.bytes_per_minute {
            self.run_out(value.bytes(), now);
            let filled = self.minute.saturating_add(u128::from(least) * MINUTE);
            if filled > u128::from(value.bytes()) * MINUTE {
                return Some((rule.clone(), format!("{kind} is over the {value} a minute that are allowed")));
            }
        }
        if let Some(Stated { value, rule }) = &limits.per_minute
            && !self.may(*value, crosses, now)
        {
            let why = format!("{kind} happens more often than the {value} times a minute that are allowed");
            return Some((rule.clone(), why));
        }
        if crosses {
            self.session = self.session.saturating_add(bytes);
            let minute = if limits.bytes_per_minute.is_some() { u128::from(bytes) * MINUTE } else { 0 };
            self.minute = self.minute.saturating_add(minute);
        }
        None
    }

    /// Whether one more text may cross, which is then counted if it does.
    fn may(&mut self, per_minute: u32, crosses: bool, now: Instant) -> bool {
        if self.texts.as_ref().is_none_or(|(known, _)| *known != per_minute) {
            self.texts = Some((per_minute, Pace::every(Duration::from_secs(60) / per_minute.max(1), per_minute)));
        }
        let Some((_, pace)) = &mut self.texts else { return false };
        if crosses { pace.try_take(now) } else { pace.wait(now).is_zero() }
    }

    /// Lets what crossed run out, by so many bytes a minute.
    fn run_out(&mut self, per_minute: u64, now: Instant) {
        let passed = self.at.replace(now).map_or(0, |at| now.saturating_duration_since(at).as_millis());
        self.minute = self.minute.saturating_sub(passed.saturating_mul(u128::from(per_minute)));
    }
}

#[cfg(test)]
mod tests {
    use portcullis_policy::{PolicyFile, PolicySet, Situation, Subject};

    use super::*;

    fn limits(stated: &str) -> Limits {
        let text = format!("policy: p\napplies: {{}}\nallow: {{paste: {{{stated}}}}}\n");
        let set = PolicySet::parse(&[PolicyFile { name: "p.yaml".into(), text }]).unwrap();
        let subject = Subject { name: "a".into(), groups: Vec::new(), issuer: "i".into() };
        set.limits(&Situation::new(&subject, "d"), ActionKind::Paste)
    }

    fn crosses(quota: &mut Quota, limits: &Limits, bytes: u64, now: Instant) -> bool {
        quota.over(limits, (ActionKind::Paste, bytes, true), now).is_none()
    }

    fn announced(quota: &mut Quota, limits: &Limits, now: Instant) -> bool {
        quota.over(limits, (ActionKind::Paste, 0, false), now).is_none()
    }

    #[test]
    fn so_many_texts_cross_in_a_minute() {
        let (mut quota, start, three) = (Quota::default(), Instant::now(), limits("per_minute: 3"));
        assert!(announced(&mut quota, &three, start), "what is announced is not counted");
        assert_eq!((0..9).filter(|_| crosses(&mut quota, &three, 1, start)).count(), 3);
        assert!(!announced(&mut quota, &three, start));
        let later = start + Duration::from_secs(20);
        assert!(crosses(&mut quota, &three, 1, later) && !crosses(&mut quota, &three, 1, later));
        assert!(crosses(&mut quota, &limits("per_minute: 4"), 1, later), "another limit is counted anew");
    }

    #[test]
    fn so_many_bytes_cross_in_a_minute_however_often_it_is_asked() {
        let (mut quota, start, most) = (Quota::default(), Instant::now(), limits("bytes_per_minute: 600 B"));
        assert!(!crosses(&mut quota, &most, 601, start));
        assert!(crosses(&mut quota, &most, 400, start) && crosses(&mut quota, &most, 200, start));
        assert!(!announced(&mut quota, &most, start));
        // 10 bytes a second, in small steps too.
        for step in 1..=100 {
            assert_eq!(announced(&mut quota, &most, start + Duration::from_millis(20 * step)), step >= 5, "{step}");
        }
        let later = start + Duration::from_secs(2);
        assert!(!crosses(&mut quota, &most, 21, later) && crosses(&mut quota, &most, 20, later));
        assert!(crosses(&mut quota, &most, 600, later + Duration::from_secs(60)));
    }

    #[test]
    fn so_many_bytes_cross_in_a_session_and_what_is_stopped_is_not_counted() {
        let (mut quota, start, most) = (Quota::default(), Instant::now(), limits("bytes_per_session: 100 B"));
        assert!(crosses(&mut quota, &most, 60, start) && !crosses(&mut quota, &most, 41, start));
        assert!(crosses(&mut quota, &most, 40, start));
        let later = start + Duration::from_secs(86_400);
        assert!(!announced(&mut quota, &most, later) && !crosses(&mut quota, &most, 1, later));
        let (rule, why) = quota.over(&most, (ActionKind::Paste, 1, true), later).unwrap();
        assert_eq!(rule.to_string(), "p.yaml:3 allow.paste.bytes_per_session");
        assert_eq!(why, "paste is over the 100 B of a session that are allowed");
        // A limit that comes later counts what crossed before it.
        let mut before = Quota::default();
        assert!(crosses(&mut before, &Limits::default(), 90, start) && !crosses(&mut before, &most, 11, start));
    }
}
