//! How much of the machine desktops may take together, and the line of those that wait for room.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portcullis_policy::Subject;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use crate::identity::same;

/// What one desktop takes: of memory in MiB, and of processors in percent of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// MiB.
    pub memory_mib: u64,
    /// 100 is one whole processor.
    pub cpu_percent: u64,
}

impl Cost {
    fn plus(self, other: Self) -> Self {
        Self {
            memory_mib: self.memory_mib.saturating_add(other.memory_mib),
            cpu_percent: self.cpu_percent.saturating_add(other.cpu_percent),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            memory_mib: self.memory_mib.saturating_sub(other.memory_mib),
            cpu_percent: self.cpu_percent.saturating_sub(other.cpu_percent),
        }
    }

    /// Whether it is within `most`, of which 0 means without bound.
    fn within(self, most: Self) -> bool {
        (most.memory_mib == 0 || self.memory_mib <= most.memory_mib)
            && (most.cpu_percent == 0 || self.cpu_percent <= most.cpu_percent)
    }
}

/// What all desktops of a gate may take together, and how long it is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// The most, 0 where it is not bounded.
    pub most: Cost,
    /// Openings that may wait in line.
    pub queue: usize,
    /// How long one waits at most.
    pub patience: Duration,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { most: Cost::default(), queue: 16, patience: Duration::from_secs(30) }
    }
}

/// Why there is no room, in words for the person who asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Full {
    /// One desktop takes more than all may.
    #[error(
        "this desktop takes {} MiB and {} % of a processor, which is more than this gate has for all desktops together",
        cost.memory_mib, cost.cpu_percent
    )]
    Never {
        /// What it takes.
        cost: Cost,
    },
    /// As many wait as may.
    #[error("there is no room for another desktop, and {waiting} are waiting for it already; try again later")]
    Line {
        /// How many.
        waiting: usize,
    },
    /// None came free in time.
    #[error("there was no room for another desktop within {} s; {before} were before you", patience.as_secs())]
    Late {
        /// How long it was waited for.
        patience: Duration,
        /// How many were before.
        before: usize,
    },
}

/// The room that a gate's desktops share.
pub(crate) struct Room {
    capacity: Capacity,
    state: Mutex<State>,
    /// Told when somebody begins to wait.
    pub(crate) pressed: Notify,
}

#[derive(Default)]
struct State {
    taken: Cost,
    line: VecDeque<Waiting>,
    next: u64,
}

struct Waiting {
    number: u64,
    subject: Subject,
    cost: Cost,
    turn: oneshot::Sender<Share>,
}

/// A desktop's share of the room, given back when it is dropped.
pub(crate) struct Share {
    room: Arc<Room>,
    cost: Cost,
}

impl Room {
    pub(crate) fn new(capacity: Capacity) -> Arc<Self> {
        Arc::new(Self { capacity, state: Mutex::default(), pressed: Notify::new() })
    }

    /// Takes a share at once, if there is room and nobody waits for it; what takes nothing need not wait for who does.
    pub(crate) fn try_take(self: &Arc<Self>, cost: Cost) -> Option<Share> {
        let mut state = self.state();
        let waits = !state.line.is_empty() || !state.taken.plus(cost).within(self.capacity.most);
        if waits && cost != Cost::default() {
            return None;
        }
        state.taken = state.taken.plus(cost);
        Some(Share { room: Arc::clone(self), cost })
    }

    /// Takes a share, after those that wait already; first come, first served.
    pub(crate) async fn take(self: &Arc<Self>, cost: Cost, subject: &Subject) -> Result<Share, Full> {
        if !cost.within(self.capacity.most) {
            return Err(Full::Never { cost });
        }
        if let Some(share) = self.try_take(cost) {
            return Ok(share);
        }
        let (number, turn) = {
            let mut state = self.state();
            if state.line.len() >= self.capacity.queue {
                return Err(Full::Line { waiting: state.line.len() });
            }
            let (turn, mine) = oneshot::channel();
            let number = state.next;
            state.next += 1;
            state.line.push_back(Waiting { number, subject: subject.clone(), cost, turn });
            (number, mine)
        };
        // What was given back in between is handed out here.
        self.serve();
        self.pressed.notify_waiters();
        let place = Place { room: self, number };
        let patience = self.capacity.patience;
        match timeout(patience, turn).await {
            Ok(Ok(share)) => Ok(share),
            _ => Err(Full::Late { patience, before: place.before() }),
        }
    }

    /// How many wait, and the best place in line (1 is next) that a subject has.
    pub(crate) fn line(&self, subject: &Subject) -> (usize, Option<usize>) {
        let state = self.state();
        let place = state.line.iter().position(|waiting| same(&waiting.subject, subject));
        (state.line.len(), place.map(|index| index + 1))
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state().line.len()
    }

    /// Whether somebody waits.
    pub(crate) fn is_pressed(&self) -> bool {
        self.waiting() > 0
    }

    #[cfg(test)]
    fn taken(&self) -> Cost {
        self.state().taken
    }

    /// Gives room to those that are first in line.
    fn serve(self: &Arc<Self>) {
        let mut turned_away = Vec::new();
        let mut state = self.state();
        while let Some(first) = state.line.front() {
            let taken = state.taken.plus(first.cost);
            if !taken.within(self.capacity.most) {
                break;
            }
            let Some(first) = state.line.pop_front() else { break };
            state.taken = taken;
            // One that has left gives its share back, which must wait until the state is let go of.
            turned_away.extend(first.turn.send(Share { room: Arc::clone(self), cost: first.cost }).err());
        }
        drop(state);
        drop(turned_away);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = self.room.state();
        state.taken = state.taken.minus(self.cost);
        drop(state);
        self.room.serve();
    }
}

/// A place in line, left when it is dropped.
struct Place<'a> {
    room: &'a Arc<Room>,
    number: u64,
}

impl Place<'_> {
    fn before(&self) -> usize {
        self.room.state().line.iter().take_while(|waiting| waiting.number != self.number).count()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let left = {
            let mut state = self.room.state();
            let index = state.line.iter().position(|waiting| waiting.number == self.number);
            index.and_then(|index| state.line.remove(index))
        };
        if left.is_some() {
            // A smaller one behind it may fit.
            self.room.serve();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn subject(name: &str) -> Subject {
        Subject { name: name.into(), groups: Vec::new(), issuer: "local".into() }
    }

    fn cost(memory_mib: u64) -> Cost {
        Cost { memory_mib, cpu_percent: 100 }
    }

    fn room(memory_mib: u64, queue: usize, patience: Duration) -> Arc<Room> {
        Room::new(Capacity { most: Cost { memory_mib, cpu_percent: 0 }, queue, patience })
    }

    async fn in_line(room: &Room, waiting: usize) {
        while room.line(&subject("nobody")).0 != waiting {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn who_comes_first_is_served_first_and_knows_its_place() {
        let room = room(1000, 2, Duration::from_secs(30));
        let held = room.take(cost(800), &subject("alice")).await.unwrap();
        let wait = |name: &str, memory| {
            let (room, name) = (Arc::clone(&room), subject(name));
            tokio::spawn(async move { room.take(cost(memory), &name).await })
        };
        let large = wait("bob", 900);
        in_line(&room, 1).await;
        // It would fit, but is not before its turn.
        let small = wait("carol", 100);
        in_line(&room, 2).await;
        assert!(room.try_take(cost(100)).is_none());
        assert_eq!((room.line(&subject("bob")).1, room.line(&subject("carol")).1), (Some(1), Some(2)));
        let refused = room.take(cost(1), &subject("dave")).await.err().unwrap();
        assert_eq!(refused, Full::Line { waiting: 2 });

        drop(held);
        let (large, small) = (large.await.unwrap().unwrap(), small.await.unwrap().unwrap());
        assert_eq!((room.taken().memory_mib, room.is_pressed()), (1000, false));
        drop((large, small));
        assert_eq!(room.taken(), Cost::default());
    }

    #[tokio::test]
    async fn who_waited_too_long_leaves_the_line_to_the_next() {
        let patience = Duration::from_millis(20);
        let room = room(1000, 8, patience);
        let held = room.take(cost(500), &subject("alice")).await.unwrap();
        let late = room.take(cost(600), &subject("bob")).await.err().unwrap();
        assert_eq!(late, Full::Late { patience, before: 0 });
        assert!(!room.is_pressed());
        drop(room.take(cost(500), &subject("carol")).await.unwrap());
        drop(held);
        assert!(matches!(room.take(cost(1001), &subject("bob")).await.err(), Some(Full::Never { .. })));
        assert_eq!(room.taken(), Cost::default());
    }

    #[tokio::test]
    async fn who_needs_no_room_does_not_wait_for_it() {
        let room = room(100, 1, Duration::from_secs(30));
        let _held = room.take(cost(100), &subject("alice")).await.unwrap();
        let line = Arc::clone(&room);
        let waiting = tokio::spawn(async move { line.take(cost(50), &subject("bob")).await });
        in_line(&room, 1).await;
        let taken = room.take(Cost::default(), &subject("carol")).now_or_never();
        assert!(taken.is_some_and(|taken| taken.is_ok()), "the line is not for what takes nothing");
        waiting.abort();
    }
}
