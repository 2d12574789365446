//! How many files, and how much of them, may cross in a minute and in a session, each way.

use std::time::{Duration, Instant};

use portcullis_policy::{ActionKind, Limits, Rule};

use crate::pace::Pace;

/// What is left, each way.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    upload: Quota,
    download: Quota,
}

#[derive(Debug, Default)]
struct Quota {
    minute: Option<(u32, Pace)>,
    files: u32,
    bytes: u64,
}

/// Why no more may cross.
pub(super) struct Spent {
    /// Policy's rule; none where the gate's own configuration says so.
    pub(super) rule: Option<Rule>,
    /// Words for a person.
    pub(super) why: String,
}

impl Quotas {
    /// Whether a file of so many bytes may cross, which is then counted if it `crosses`. `most` is what the gate lets cross in a session.
    pub(super) fn allow(
        &mut self,
        kind: ActionKind,
        limits: &Limits,
        (bytes, most): (u64, u64),
        crosses: bool,
        now: Instant,
    ) -> Result<(), Spent> {
        let quota = if kind == ActionKind::Upload { &mut self.upload } else { &mut self.download };
        if let Some(stated) = limits.files.per_session.as_ref().filter(|stated| quota.files >= stated.value) {
            let why = format!("{} files have crossed by {kind}, as many as may in one session", stated.value);
            return Err(Spent { rule: Some(stated.rule.clone()), why });
        }
        if quota.bytes.saturating_add(bytes) > most {
            let why = format!("more than {most} bytes would have crossed by {kind} in this session");
            return Err(Spent { rule: None, why });
        }
        if let Some(stated) = &limits.per_minute {
            let count = stated.value.max(1);
            if quota.minute.as_ref().is_none_or(|(known, _)| *known != count) {
                quota.minute = Some((count, Pace::every(Duration::from_secs(60) / count, count)));
            }
            let Some((_, pace)) = &mut quota.minute else { return Ok(()) };
            if !(if crosses { pace.try_take(now) } else { pace.wait(now).is_zero() }) {
                let why = format!("{kind} happens more often than the {count} times a minute that are allowed");
                return Err(Spent { rule: Some(stated.rule.clone()), why });
            }
        }
        if crosses {
            quota.files = quota.files.saturating_add(1);
            quota.bytes = quota.bytes.saturating_add(bytes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use portcullis_policy::{PolicyFile, PolicySet, Situation, Subject};

    use super::*;

    fn limits(text: &str) -> Limits {
        let text = format!("policy: p\napplies: {{}}\nallow:\n  upload: {{{text}}}\n");
        let policies = PolicySet::draft(&[PolicyFile { name: "p.yaml".into(), text }]).unwrap().set;
        let subject = Subject { name: "a".into(), groups: Vec::new(), issuer: "i".into() };
        policies.limits(&Situation::new(&subject, "d"), ActionKind::Upload)
    }

    #[test]
    fn files_and_bytes_of_a_minute_and_a_session_are_counted_when_they_cross() {
        let (limits, now) = (limits("per_minute: 2, per_session: 3"), Instant::now());
        let mut quotas = Quotas::default();
        let mut ask = |kind, bytes, crosses, now| {
            let answer = quotas.allow(kind, &limits, (bytes, 100), crosses, now);
            answer.err().map(|spent| spent.rule.map(|rule| rule.key).unwrap_or_default())
        };
        let up = ActionKind::Upload;
        assert_eq!((ask(up, 1, false, now), ask(up, 101, true, now)), (None, Some(String::new())));
        assert_eq!((ask(up, 40, true, now), ask(up, 40, true, now)), (None, None));
        assert_eq!(ask(up, 1, true, now).unwrap(), "allow.upload.per_minute");
        assert_eq!(ask(ActionKind::Download, 100, true, now), None, "the other way is counted apart");
        let later = now + Duration::from_secs(60);
        assert_eq!(ask(up, 21, true, later).unwrap(), "");
        assert_eq!(ask(up, 20, true, later), None);
        assert_eq!(ask(up, 0, false, later).unwrap(), "allow.upload.per_session");
    }
}
