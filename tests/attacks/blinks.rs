//! A desktop that is away for a moment, scripted: what comes back is taken up again, what attacks or stays away is not.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use portcullis_proxy::runtime::{Desktop, Runtime, RuntimeError, Stream, Template};
use portcullis_proxy::{Outcome, SessionId};
use portcullis_rfb::Size;
use portcullis_tests::stage::Record;
use portcullis_tests::{PATIENCE, Stage, puppet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::timeout;

const SIZE: Size = Size::new(64, 48);
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

    async fn origin(&self, _: &Template) -> Result<String, RuntimeError> {
        Ok(String::new())
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

fn greeting() -> Vec<u8> {
    puppet::greeting(SIZE, b"turns")
}

/// How a session on such a desktop ends by itself, what its record says, and how often the desktop was connected to.
async fn story(turns: Vec<Turn>, absence: Duration) -> (Outcome, Record, usize) {
    let turns = Turns::new(turns);
    let stage = Stage::played_by(SIZE, Arc::new(turns.clone()), absence).await.unwrap();
    let session = stage.enter().await.unwrap();
    let outcome = stage.outcome(&session).await.unwrap();
    (outcome, stage.end(&session).await.unwrap(), turns.connected())
}

fn count(record: &Record, kind: &str) -> usize {
    record.of_type(kind).len()
}

const WINDOW: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_that_comes_back_is_taken_up_again() {
    let larger = puppet::greeting(Size::new(80, 60), b"turns");
    let turns = Turns::new(vec![Turn::Blink, Turn::Away, Turn::Away, Turn::Stay(larger, Vec::new())]);
    let stage = Stage::played_by(SIZE, Arc::new(turns.clone()), WINDOW).await.unwrap();
    let session = stage.enter().await.unwrap();
    let mut asked = turns.asked.subscribe();
    timeout(PATIENCE, asked.wait_for(|asked| *asked == 2)).await.expect("asked for its whole screen again").unwrap();
    assert_eq!(session.known_outcome(), None);
    let record = stage.end(&session).await.unwrap();
    assert_eq!(record.of_type("desktop_lost")[0]["reason"], "it closed its connection");
    assert!(record.of_type("desktop_back")[0]["away_us"].as_u64().unwrap() >= 100_000);
    let resized = record.of_type("resized");
    assert_eq!((&resized[0]["width"], &resized[0]["height"]), (&80.into(), &60.into()));
    assert_eq!((turns.connected(), count(&record, "desktop_lost"), count(&record, "desktop_back")), (4, 1, 1));
    assert_eq!(record.of_type("session_closed")[0]["reason"], "ended by the test");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_attacks_is_not_connected_to_again() {
    let attack = vec![1, 0, 0, 0, 0xff, 0xff];
    let (outcome, record, connected) = story(vec![Turn::Stay(greeting(), attack.clone())], WINDOW).await;
    assert!(matches!(outcome, Outcome::Violation { side: "desktop", .. }), "{outcome}");
    assert_eq!((connected, count(&record, "desktop_lost")), (1, 0));

    let (outcome, record, connected) = story(vec![Turn::Blink, Turn::Stay(greeting(), attack)], WINDOW).await;
    assert!(matches!(outcome, Outcome::Violation { side: "desktop", .. }), "{outcome}");
    assert_eq!((connected, count(&record, "protocol_violation")), (2, 1));
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
    let (outcome, record, connected) = story(turns, WINDOW).await;
    assert!(matches!(outcome, Outcome::Violation { .. }), "{outcome}");
    assert_eq!((connected, count(&record, "desktop_back")), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_stays_away_ends_the_session_with_the_reason() {
    let (outcome, record, _) = story(vec![Turn::Blink, Turn::Away], Duration::from_secs(1)).await;
    let Outcome::DesktopEnded { reason } = &outcome else { panic!("{outcome}") };
    assert!(reason.starts_with("/nowhere does not accept: ") && reason.ends_with("; it was away for 1 s"), "{reason}");
    assert_eq!((count(&record, "desktop_lost"), count(&record, "desktop_back")), (1, 0));
    assert!(record.of_type("session_closed")[0]["reason"].as_str().unwrap().ends_with("it was away for 1 s"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_holds_is_given_up() {
    let (outcome, record, connected) = story(vec![Turn::Blink], WINDOW).await;
    let Outcome::DesktopEnded { reason } = &outcome else { panic!("{outcome}") };
    assert_eq!(reason, "it closed its connection; it did so 6 times without holding for a minute");
    assert_eq!((connected, count(&record, "desktop_lost"), count(&record, "desktop_back")), (6, 6, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_window_a_break_is_the_end() {
    let (outcome, record, connected) = story(vec![Turn::Blink], Duration::ZERO).await;
    assert_eq!(outcome, Outcome::DesktopEnded { reason: "it closed its connection".to_owned() });
    assert_eq!((connected, count(&record, "desktop_lost")), (1, 0));
}
