//! A desktop that is away for a moment, scripted: what comes back is taken up again, what attacks or stays away is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod house;

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use house::{House, alice, greeting};
use portcullis_proxy::runtime::{Desktop, Runtime, RuntimeError, Stream, Template};
use portcullis_proxy::{Outcome, SessionId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::timeout;

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);
/// FramebufferUpdateRequest of a whole screen, not incremental: its first bytes.
const REQUEST: [u8; 6] = [3, 0, 0, 0, 0, 0];

/// What a desktop does with one connection.
#[derive(Clone)]
enum Turn {
    /// Nobody answers.
    Away,
    /// It says this, and this once it is asked for pixels, and stays.
    Stay(Vec<u8>, Vec<u8>),
    /// It greets, and closes once it is asked for pixels.
    Blink,
}

/// A runtime whose one desktop takes its turns, the last one for ever.
#[derive(Clone)]
struct Turns {
    turns: Arc<Vec<Turn>>,
    connected: Arc<AtomicUsize>,
    /// How many connections came to be asked for pixels.
    asked: watch::Sender<usize>,
}

impl Turns {
    fn new(turns: Vec<Turn>) -> Self {
        Self { turns: Arc::new(turns), connected: Arc::default(), asked: watch::Sender::new(0) }
    }

    fn connected(&self) -> usize {
        self.connected.load(Ordering::SeqCst)
    }

    async fn play(self, mut stream: UnixStream, first: Vec<u8>, then: Option<Vec<u8>>) {
        let _ = stream.write_all(&first).await;
        let (mut heard, mut buffer, mut asked) = (Vec::new(), [0; 4096], false);
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            heard.extend_from_slice(&buffer[..count]);
            if !asked && heard.windows(REQUEST.len()).any(|window| window == REQUEST) {
                asked = true;
                self.asked.send_modify(|asked| *asked += 1);
                let Some(then) = &then else { return };
                let _ = stream.write_all(then).await;
            }
        }
    }
}

#[async_trait]
impl Runtime for Turns {
    fn name(&self) -> &'static str {
        "process"
    }

    async fn start(&self, _: &Template, _: &SessionId) -> Result<Box<dyn Desktop>, RuntimeError> {
        Ok(Box::new(self.clone()))
    }

    async fn reap(&self) -> Result<usize, RuntimeError> {
        Ok(0)
    }
}

#[async_trait]
impl Desktop for Turns {
    async fn connect(&self) -> Result<Stream, RuntimeError> {
        let turn = self.connected.fetch_add(1, Ordering::SeqCst).min(self.turns.len() - 1);
        let (near, far) = UnixStream::pair().unwrap();
        let (first, then) = match &self.turns[turn] {
            Turn::Away => {
                let source = ErrorKind::ConnectionRefused.into();
                return Err(RuntimeError::Connect { path: "/nowhere".into(), source });
            }
            Turn::Stay(first, then) => (first.clone(), Some(then.clone())),
            Turn::Blink => (greeting(), None),
        };
        tokio::spawn(self.clone().play(far, first, then));
        Ok(Box::new(near))
    }

    async fn ended(&self) -> String {
        std::future::pending().await
    }

    async fn destroy(&self) {}
}

/// How a session on such a desktop ends by itself, what its record says, and how often the desktop was connected to.
async fn story(turns: Vec<Turn>, absence: Duration) -> (Outcome, String, usize) {
    let turns = Turns::new(turns);
    let house = House::with(Arc::new(turns.clone()), absence);
    let session = house.plane.open(&alice(), "desk").await.unwrap();
    let outcome = timeout(SOON, session.wait_outcome()).await.expect("the session ends");
    house.plane.shut_down(SOON).await;
    assert_eq!(house.spooled(), 0, "what was recorded is sealed and out of the spool");
    (outcome, house.events(&session.id), turns.connected())
}

fn count(events: &str, kind: &str) -> usize {
    events.matches(&format!("\"type\":\"{kind}\"")).count()
}

const WINDOW: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_that_comes_back_is_taken_up_again() {
    let mut larger = greeting();
    larger[18..22].copy_from_slice(&[0, 80, 0, 60]);
    let turns = Turns::new(vec![Turn::Blink, Turn::Away, Turn::Away, Turn::Stay(larger, Vec::new())]);
    let house = House::with(Arc::new(turns.clone()), WINDOW);
    let session = house.plane.open(&alice(), "desk").await.unwrap();
    let mut asked = turns.asked.subscribe();
    timeout(SOON, asked.wait_for(|asked| *asked == 2)).await.expect("asked for its whole screen again").unwrap();
    assert_eq!(session.known_outcome(), None);
    house.plane.shut_down(SOON).await;
    assert_eq!(session.known_outcome(), Some(Outcome::Stopping));
    let events = house.events(&session.id);
    assert_eq!((count(&events, "desktop_lost"), count(&events, "desktop_back")), (1, 1), "{events}");
    assert!(events.contains("\"reason\":\"it closed its connection\"") && events.contains("\"away_us\":"), "{events}");
    assert!(events.contains("\"height\":60") && events.contains("\"width\":80"), "the new size: {events}");
    assert_eq!(turns.connected(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_attacks_is_not_connected_to_again() {
    let attack = vec![1, 0, 0, 0, 0xff, 0xff];
    let (outcome, events, connected) = story(vec![Turn::Stay(greeting(), attack.clone())], WINDOW).await;
    assert!(matches!(outcome, Outcome::Violation { side: "desktop", .. }), "{outcome}");
    assert_eq!((connected, count(&events, "desktop_lost")), (1, 0), "{events}");

    let (outcome, events, connected) = story(vec![Turn::Blink, Turn::Stay(greeting(), attack)], WINDOW).await;
    assert!(matches!(outcome, Outcome::Violation { side: "desktop", .. }), "{outcome}");
    assert_eq!((connected, count(&events, "protocol_violation")), (2, 1), "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_comes_back_as_another_ends_the_session() {
    let other = b"RFB 003.008\n\x01\x02".to_vec();
    let (outcome, _, connected) = story(vec![Turn::Blink, Turn::Stay(other, Vec::new())], WINDOW).await;
    let Outcome::Violation { side: "desktop", reason } = outcome else { panic!("{outcome}") };
    assert!(reason.contains("the desktop offers VNC Authentication (2)") && connected == 2, "{reason}");

    let shut = b"RFB 003.008\n\x01\x01\0\0\0\x01\0\0\0\x02no".to_vec();
    let (outcome, _, connected) = story(vec![Turn::Blink, Turn::Stay(shut, Vec::new())], WINDOW).await;
    let Outcome::DesktopRefused { reason } = &outcome else { panic!("{outcome}") };
    assert_eq!((reason.as_str(), connected), ("it does not accept the gate's credentials: no", 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_busy_when_it_comes_back_is_asked_again() {
    let busy = b"RFB 003.008\n\0\0\0\0\x04busy".to_vec();
    let attack = vec![7; 16];
    let turns = vec![Turn::Blink, Turn::Stay(busy, Vec::new()), Turn::Stay(greeting(), attack)];
    let (outcome, events, connected) = story(turns, WINDOW).await;
    assert!(matches!(outcome, Outcome::Violation { .. }), "{outcome}");
    assert_eq!((connected, count(&events, "desktop_back")), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_stays_away_ends_the_session_with_the_reason() {
    let (outcome, events, _) = story(vec![Turn::Blink, Turn::Away], Duration::from_secs(1)).await;
    let Outcome::DesktopEnded { reason } = &outcome else { panic!("{outcome}") };
    assert!(reason.starts_with("/nowhere does not accept: ") && reason.ends_with("; it was away for 1 s"), "{reason}");
    assert_eq!((count(&events, "desktop_lost"), count(&events, "desktop_back")), (1, 0));
    assert!(events.contains("it was away for 1 s"), "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_holds_is_given_up() {
    let (outcome, events, connected) = story(vec![Turn::Blink], WINDOW).await;
    let Outcome::DesktopEnded { reason } = &outcome else { panic!("{outcome}") };
    assert_eq!(reason, "it closed its connection; it did so 6 times without holding for a minute");
    assert_eq!((connected, count(&events, "desktop_lost"), count(&events, "desktop_back")), (6, 6, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_window_a_break_is_the_end() {
    let (outcome, events, connected) = story(vec![Turn::Blink], Duration::ZERO).await;
    assert_eq!(outcome, Outcome::DesktopEnded { reason: "it closed its connection".to_owned() });
    assert_eq!((connected, count(&events, "desktop_lost")), (1, 0));
}
