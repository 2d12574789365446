//! A pool over a runtime that fails when it is told to.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use portcullis_policy::Subject;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::super::{Capacity, State};
use super::*;
use crate::runtime::room::Cost;
use crate::runtime::sham::{Fates, Sham};
use crate::runtime::{Desktop, Runtime};

/// Less than the rest after a start that failed.
const SOON: Duration = Duration::from_secs(5);

/// A yard that desktops come from.
struct Yard {
    /// Whether the Engine does not answer, and whether it has no image.
    away: AtomicBool,
    missing: AtomicBool,
    started: AtomicUsize,
    /// Desktops that may be started at once; closed where starts fail.
    permits: Semaphore,
    fates: Arc<Fates>,
}

#[async_trait::async_trait]
impl Runtime for Yard {
    fn name(&self) -> &'static str {
        "docker"
    }

    async fn start(&self, _: &Template, name: &SessionId) -> Result<Box<dyn Desktop>, RuntimeError> {
        self.started.fetch_add(1, Ordering::SeqCst);
        let permit = self.permits.acquire().await;
        permit.map_err(|_| Sham::away())?.forget();
        Ok(Sham::stands(name.as_str(), &self.fates).0)
    }

    async fn reap(&self) -> Result<usize, RuntimeError> {
        Ok(0)
    }

    async fn origin(&self, template: &Template) -> Result<String, RuntimeError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(Sham::away());
        }
        if self.missing.load(Ordering::SeqCst) {
            return Err(RuntimeError::NoImage { image: template.name.clone() });
        }
        Ok("sha256:1".to_owned())
    }
}

fn pool(warm: u32, memory_mib: u64, permits: usize) -> (Arc<Pool>, Arc<Yard>, Template) {
    let template = json!({"name": "t", "docker": {"image": "i", "memory_mib": 100}, "warm": {"count": warm}});
    let template: Template = serde_json::from_value(template).unwrap();
    let yard = Arc::new(Yard {
        away: AtomicBool::new(false),
        missing: AtomicBool::new(false),
        started: AtomicUsize::new(0),
        permits: Semaphore::new(permits),
        fates: Arc::default(),
    });
    let capacity = Capacity { most: Cost { memory_mib, cpu_percent: 0 }, queue: 4, patience: Duration::from_secs(30) };
    let runtime: Arc<dyn Runtime> = Arc::<Yard>::clone(&yard);
    (Pool::new(vec![template.clone()], vec![runtime], capacity), yard, template)
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let look = async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(30), look).await.unwrap_or_else(|_| panic!("waited in vain for {what}"));
}

#[tokio::test]
async fn what_stands_ready_stays_while_the_engine_is_away() {
    let (pool, yard, template) = pool(2, 0, 2);
    pool.look_after(&template).await.unwrap();
    assert_eq!(pool.state("t"), State::Warm(2));
    yard.away.store(true, Ordering::SeqCst);
    assert!(pool.look_after(&template).await.is_err());
    assert_eq!((pool.state("t"), yard.fates.destroyed.load(Ordering::SeqCst)), (State::Warm(2), 0));
    yard.away.store(false, Ordering::SeqCst);
    pool.look_after(&template).await.unwrap();
    assert_eq!(yard.started.load(Ordering::SeqCst), 2, "none had to be started anew");
    // That there is no such image any more is no silence.
    yard.missing.store(true, Ordering::SeqCst);
    assert!(pool.look_after(&template).await.is_err());
    assert_eq!((pool.counts().0, yard.fates.destroyed.load(Ordering::SeqCst)), (0, 2));
}

#[tokio::test]
async fn who_begins_to_wait_during_a_start_that_fails_is_heard_after_it() {
    let (pool, yard, _) = pool(2, 200, 1);
    pool.tend();
    // One stands ready, and another is being started: all the room is taken.
    until("the second start", || yard.started.load(Ordering::SeqCst) == 2).await;
    let (room, alice) =
        (Arc::clone(&pool.room), Subject { name: "alice".into(), groups: Vec::new(), issuer: "local".into() });
    let waiting =
        tokio::spawn(async move { room.take(Cost { memory_mib: 150, cpu_percent: 0 }, &alice).await.map(drop) });
    until("who waits", || pool.room.is_pressed()).await;
    yard.permits.close();
    let served = timeout(SOON, waiting).await.expect("what stands ready is not given up");
    assert_eq!(served.unwrap(), Ok(()));
    pool.close().await;
}
