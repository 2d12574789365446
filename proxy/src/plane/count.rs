//! How many sessions one subject may have at once, by policy: asked when one is opened, and of those that live when the policy changes.

use std::convert::Infallible;

use portcullis_policy::Stated;

use super::{Plane, Slot};
use crate::identity::same;
use crate::outcome::{Limit, Outcome};
use crate::permit::Permit;
use crate::refusal::Refusal;
use crate::session::Session;

impl Plane {
    /// Whether a subject that has `own` sessions, live or starting, may have one more.
    pub(crate) fn within_count(&self, permit: &Permit, own: usize) -> Result<(), Refusal> {
        let policies = self.policies();
        let owed = policies.obligations(&permit.situation(permit.started.into()));
        match owed.session.concurrent {
            Some(Stated { value, rule }) if own >= usize::try_from(value).unwrap_or(usize::MAX) => {
                let (reason, rule) = (reason(value), Box::new(rule));
                Err(Refusal::Limited { reason, rule, revision: policies.revision().clone() })
            }
            _ => Ok(()),
        }
    }

    /// Ends a session when a policy that changes leaves its subject room for older ones alone.
    pub(super) async fn hold_to_count(&self, session: &Session) -> Infallible {
        let mut rules = session.life.rules();
        loop {
            let stated = rules.borrow_and_update().session.concurrent.clone();
            if let Some(Stated { value, rule }) = stated
                && self.older(session) >= usize::try_from(value).unwrap_or(usize::MAX)
            {
                let (rule, reason) = (rule.to_string(), reason(value));
                session.end(Outcome::Limited { limit: Limit::Concurrent, rule, reason });
            }
            if rules.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// How many sessions the subject of this one has that are older. Names of sessions sort by time.
    fn older(&self, session: &Session) -> usize {
        let table = self.table();
        let own = table.iter().filter(|(_, slot)| same(slot.subject(), &session.permit.subject));
        let stays = |slot: &Slot| slot.live().is_none_or(|session| !session.is_ending());
        own.filter(|(id, slot)| **id < session.id && stays(slot)).count()
    }
}

fn reason(most: u32) -> String {
    match most {
        1 => "you may have one session at once".to_owned(),
        most => format!("you may have {most} sessions at once"),
    }
}
