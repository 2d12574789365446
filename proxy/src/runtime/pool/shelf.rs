//! What stands ready of one template, and how many should.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::runtime::room::Share;
use crate::runtime::{Desktop, Template, Warm};

/// Those asked for within this time say how many more may be asked for.
const DEMAND: Duration = Duration::from_secs(60);

/// How a template stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// So many stand ready.
    Warm(usize),
    /// One is started when it is asked for.
    Cold,
    /// None can be had, and why.
    Unavailable(String),
}

/// A desktop that stands ready, and what it was started from.
pub(super) struct Member {
    pub(super) desktop: Box<dyn Desktop>,
    pub(super) share: Share,
    pub(super) template: Template,
    /// What the runtime said that it would be made from.
    pub(super) origin: String,
    /// When it was last heard of.
    pub(super) heard: Instant,
}

impl Member {
    /// Whether it is what a session needs: the same in everything but what only concerns the pool.
    fn fits(&self, template: &Template) -> bool {
        self.template.kind == template.kind
            && self.template.size == template.size
            && self.template.egress == template.egress
            && self.template.home == template.home
    }
}

/// The desktops of one template that stand ready, the oldest first.
#[derive(Default)]
pub(super) struct Shelf {
    members: VecDeque<Member>,
    claims: VecDeque<Instant>,
    /// Why none can be had.
    pub(super) fault: Option<String>,
}

impl Shelf {
    /// Takes out the oldest that is what a session needs, and notes that one was needed.
    pub(super) fn claim(&mut self, template: &Template) -> Option<Member> {
        self.claims.push_back(Instant::now());
        self.forget(Instant::now());
        let index = self.members.iter().position(|member| member.fits(template))?;
        self.members.remove(index)
    }

    pub(super) fn put(&mut self, member: Member) {
        self.members.push_back(member);
    }

    /// Takes out those that are not to stand here any longer.
    pub(super) fn weed(&mut self, stays: impl Fn(&Member) -> bool) -> Vec<Member> {
        let (stay, go) = std::mem::take(&mut self.members).into_iter().partition(stays);
        self.members = stay;
        go.into()
    }

    /// Takes the newest, that of the least use.
    pub(super) fn give_up(&mut self) -> Option<Member> {
        self.members.pop_back()
    }

    /// Takes out one that was not heard of since `then`; it is put back when it answers.
    pub(super) fn unheard(&mut self, then: Instant) -> Option<Member> {
        let index = self.members.iter().position(|member| member.heard < then)?;
        self.members.remove(index)
    }

    pub(super) fn clear(&mut self) -> Vec<Member> {
        std::mem::take(&mut self.members).into()
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// How many should stand here: the least, or as many as were asked for lately, up to the most.
    pub(super) fn aim(&mut self, warm: Warm, now: Instant) -> usize {
        self.forget(now);
        let size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let (least, most) = (size(warm.count), size(warm.most.max(warm.count)));
        if least == 0 { 0 } else { self.claims.len().clamp(least, most) }
    }

    fn forget(&mut self, now: Instant) {
        while self.claims.front().is_some_and(|claim| now.duration_since(*claim) > DEMAND) {
            self.claims.pop_front();
        }
    }

    pub(super) fn state(&self) -> State {
        // What runs can be had while no other can be started; what is paused needs its Engine to go on.
        let at_hand = self.members.iter().any(|member| !member.template.warm.paused);
        match &self.fault {
            Some(why) if !at_hand => State::Unavailable(why.clone()),
            Some(_) => State::Warm(self.members.len()),
            None if self.members.is_empty() => State::Cold,
            None => State::Warm(self.members.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_stand_ready_as_were_asked_for_lately() {
        let (mut shelf, warm) = (Shelf::default(), Warm { count: 2, most: 4, paused: false });
        let now = Instant::now();
        assert_eq!(shelf.aim(warm, now), 2);
        let template = serde_json::json!({"name": "a", "docker": {"image": "i"}});
        let template: Template = serde_json::from_value(template).unwrap();
        for _ in 0..3 {
            assert!(shelf.claim(&template).is_none());
        }
        assert_eq!(shelf.aim(warm, Instant::now()), 3);
        for _ in 0..3 {
            shelf.claim(&template);
        }
        assert_eq!(shelf.aim(warm, Instant::now()), 4);
        assert_eq!(shelf.aim(Warm { most: 0, ..warm }, Instant::now()), 2);
        assert_eq!(shelf.aim(Warm::default(), Instant::now()), 0, "none where none are asked for");
        assert_eq!(shelf.aim(warm, Instant::now() + DEMAND + DEMAND), 2);
    }
}
