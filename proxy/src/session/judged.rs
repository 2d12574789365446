//! A session under the policy of this moment: for whom its verdicts hold, and what ends it when policy or the hours change.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use portcullis_evidence::What;
use portcullis_policy::{Action, Effect, Situation};
use tokio::time::sleep;

use super::Session;
use crate::crossing::verdicted;
use crate::outcome::Outcome;

/// What depends on the wall clock is looked at again after this time at the latest: the clock may be set meanwhile.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// The least that is waited before hours are looked at again.
const SHORTLY: Duration = Duration::from_millis(20);

impl Session {
    /// Who uses which desktop, from where and now.
    pub(crate) fn situation(&self) -> Situation<'_> {
        self.permit.situation(SystemTime::now())
    }

    /// Whether a viewer from this address is under the same rules as the session: what is judged for the session holds for it too.
    pub(crate) fn holds_for(&self, from: Option<IpAddr>) -> bool {
        let situation = self.situation();
        self.policies.borrow().applies_alike(&situation, &Situation { from, ..situation })
    }

    /// When policies first begin or cease to apply because of their hours after an instant, if they do.
    pub(crate) fn hours_after(&self, at: SystemTime) -> Option<SystemTime> {
        self.policies.borrow().next_change(&self.situation().at(at))
    }

    /// Decides again when the policy changes, and when hours begin or end; resolves when the session is no longer permitted.
    pub(super) async fn wait_refused(&self) -> Outcome {
        let mut policies = self.policies.clone();
        let mut followed = true;
        // INVARIANT: every change of hours is seen that came after the last decision, which at first is the permit's: it may be a while ago.
        let mut judged = SystemTime::from(self.permit.started);
        loop {
            let hours = self.hours_after(judged);
            tokio::select! {
                changed = policies.changed(), if followed => if changed.is_err() {
                    followed = false;
                    continue;
                },
                () = sleep(until(hours)), if hours.is_some() => {
                    if hours.is_some_and(|hours| SystemTime::now() < hours) {
                        continue;
                    }
                }
                else => std::future::pending().await,
            }
            judged = SystemTime::now();
            // Nobody may look on without `watch`: who loses it loses the session as who loses `open` does.
            let verdict = Some(self.judge(Action::Open)).filter(|verdict| verdict.effect == Effect::Deny);
            let verdict = verdict.unwrap_or_else(|| self.judge(Action::Watch));
            let what = What::PolicyChanged { effect: verdicted(&verdict), reason: verdict.reason.clone() };
            if let Err(outcome) = self.note_under(&verdict, what) {
                return outcome;
            }
            self.life.follow(self.obligations());
            if let Err(outcome) = self.follow_keep().await {
                return outcome;
            }
            if verdict.effect == Effect::Deny {
                return Outcome::NotPermitted { rule: verdict.rule.to_string(), reason: verdict.reason };
            }
        }
    }
}

/// How long it is until an instant, at least a little, so that a clock that is behind its timers is not asked again and again.
pub(super) fn until(at: Option<SystemTime>) -> Duration {
    let left = at.and_then(|at| at.duration_since(SystemTime::now()).ok()).unwrap_or_default();
    left.clamp(SHORTLY, LOOK_AGAIN)
}
