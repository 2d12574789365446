//! A desktop in whose place another is put when it ends, so that its session goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use portcullis_files::FileName;
use portcullis_rfb::desktop::Config;
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::running::DESTROYED;
use super::{Desktop, Identity, Listed, RuntimeError, Stream, Transfer, TransferError};
use crate::files::{Spool, Spooled};
use crate::outcome::chain;

/// A desktop that lasted for this long starts the count of ends anew.
const STEADY: Duration = Duration::from_secs(60);
/// Ends in a row after which no other is put in its place.
const MOST_ENDS: u32 = 3;

/// The pause before a start that failed in passing is tried again; each further one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Starts another desktop like the one that ended.
#[async_trait]
pub(super) trait Another: Send + Sync + 'static {
    async fn start(&self) -> Result<Box<dyn Desktop>, RuntimeError>;
}

/// The desktop of this moment.
pub(super) struct Revived {
    current: watch::Receiver<Arc<dyn Desktop>>,
    over: watch::Receiver<Option<String>>,
    end: CancellationToken,
    _end_on_drop: DropGuard,
}

impl Revived {
    pub(super) fn new(first: Box<dyn Desktop>, another: impl Another) -> Self {
        let (put, current) = watch::channel(Arc::from(first));
        let (tell, over) = watch::channel(None);
        let end = CancellationToken::new();
        let asked = end.clone();
        tokio::spawn(async move {
            let reason = attend(&put, &another, &asked).await;
            tell.send_replace(Some(reason));
        });
        Self { current, over, end: end.clone(), _end_on_drop: end.drop_guard() }
    }

    fn current(&self) -> Arc<dyn Desktop> {
        Arc::clone(&self.current.borrow())
    }
}

/// Puts one desktop in the place of another until that fails, or `end` is asked for; returns why there is none any more.
async fn attend(put: &watch::Sender<Arc<dyn Desktop>>, another: &impl Another, end: &CancellationToken) -> String {
    let mut ends = 0;
    loop {
        let (desktop, since) = (Arc::clone(&put.borrow()), Instant::now());
        let reason = tokio::select! {
            reason = desktop.ended() => reason,
            () = end.cancelled() => {
                desktop.destroy().await;
                return DESTROYED.to_owned();
            }
        };
        ends = if since.elapsed() < STEADY { ends + 1 } else { 1 };
        if ends > MOST_ENDS {
            return format!("{reason}; it ended {ends} times without lasting for a minute");
        }
        tracing::warn!(reason, "a desktop ended; another takes its place");
        match next(another, end).await {
            Ok(Some(next)) => put.send_replace(Arc::from(next)),
            Ok(None) => return DESTROYED.to_owned(),
            Err(error) => return format!("{reason}; no other could be started: {}", chain(&error)),
        };
    }
}

/// Another desktop; none when `end` is asked for meanwhile. An Engine that is away, as while it is started anew, is asked again: how long a session
/// waits for that is its tether's to say (`absence_seconds`), and ends in `end`.
async fn next(another: &impl Another, end: &CancellationToken) -> Result<Option<Box<dyn Desktop>>, RuntimeError> {
    let (mut pause, mut deaths) = (FIRST_PAUSE, 0);
    loop {
        // A start is never broken off: what it made would be nobody's, and might still write into a home.
        match another.start().await {
            Ok(next) if end.is_cancelled() => {
                next.destroy().await;
                return Ok(None);
            }
            Ok(next) => return Ok(Some(next)),
            Err(error) if matches!(error, RuntimeError::Engine { .. }) || error.is_passing() => {
                tracing::warn!(error = chain(&error), "no other can be started yet");
            }
            // As one does that an Engine starts while it is stopping.
            Err(error @ RuntimeError::Died { .. }) if deaths < MOST_ENDS => {
                deaths += 1;
                tracing::warn!(error = chain(&error), "another ended while it was starting");
            }
            Err(error) => return Err(error),
        }
        if end.run_until_cancelled(sleep(pause)).await.is_none() {
            return Ok(None);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[async_trait]
impl Desktop for Revived {
    fn rfb(&self) -> Config {
        self.current().rfb()
    }

    fn identity(&self) -> Identity {
        self.current().identity()
    }

    async fn connect(&self) -> Result<Stream, RuntimeError> {
        self.current().connect().await
    }

    async fn secure(&self, stream: Stream) -> Result<Stream, RuntimeError> {
        self.current().secure(stream).await
    }

    async fn outward(&self) -> UnixStream {
        let mut changes = self.current.clone();
        loop {
            let desktop = Arc::clone(&changes.borrow_and_update());
            tokio::select! {
                stream = desktop.outward() => return stream,
                changed = changes.changed() => if changed.is_err() { std::future::pending::<()>().await },
            }
        }
    }

    fn transfer(&self) -> Option<Arc<dyn Transfer>> {
        self.current().transfer().map(|_| -> Arc<dyn Transfer> { Arc::new(Folder(self.current.clone())) })
    }

    async fn ended(&self) -> String {
        let mut over = self.over.clone();
        match over.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => "the gate is stopping".to_owned(),
        }
    }

    async fn destroy(&self) {
        self.end.cancel();
        self.ended().await;
    }
}

/// The transfer folder of the desktop of this moment: what was in that of the one before went with it.
struct Folder(watch::Receiver<Arc<dyn Desktop>>);

impl Folder {
    fn current(&self) -> Result<Arc<dyn Transfer>, TransferError> {
        self.0.borrow().transfer().ok_or(TransferError::Gone)
    }
}

#[async_trait]
impl Transfer for Folder {
    async fn list(&self) -> Result<Vec<Listed>, TransferError> {
        self.current()?.list().await
    }

    async fn put(&self, name: &FileName, file: &Spooled) -> Result<FileName, TransferError> {
        self.current()?.put(name, file).await
    }

    async fn take(&self, name: &FileName, spool: Spool) -> Result<Spool, TransferError> {
        self.current()?.take(name, spool).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::timeout;

    use super::*;
    use crate::runtime::sham::{Fates, Sham};

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Starts that fail so many times, as while an Engine is started anew.
    struct Away {
        fails: usize,
        tried: Arc<AtomicUsize>,
        fates: Arc<Fates>,
    }

    #[async_trait]
    impl Another for Away {
        async fn start(&self) -> Result<Box<dyn Desktop>, RuntimeError> {
            let tried = self.tried.fetch_add(1, Ordering::SeqCst);
            if tried < self.fails { Err(Sham::away()) } else { Ok(Sham::stands("second", &self.fates).0) }
        }
    }

    fn revived(fails: usize) -> (Revived, CancellationToken, Arc<AtomicUsize>) {
        let (fates, tried) = (Arc::new(Fates::default()), Arc::new(AtomicUsize::new(0)));
        let (first, end_of_first) = Sham::stands("first", &fates);
        let another = Away { fails, tried: Arc::clone(&tried), fates };
        (Revived::new(first, another), end_of_first, tried)
    }

    #[tokio::test]
    async fn an_engine_that_is_away_for_two_attempts_is_no_end() {
        let (desktop, end_of_first, tried) = revived(2);
        end_of_first.cancel();
        let replaced = async {
            while desktop.identity().name != "second" {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let reason = tokio::select! {
            reason = desktop.ended() => Some(reason),
            () = replaced => None,
        };
        assert_eq!((reason, tried.load(Ordering::SeqCst)), (None, 3));
        timeout(PATIENCE, desktop.destroy()).await.unwrap();
    }

    #[tokio::test]
    async fn an_end_is_heard_while_another_is_sought() {
        let (desktop, end_of_first, tried) = revived(usize::MAX);
        end_of_first.cancel();
        let sought = async {
            while tried.load(Ordering::SeqCst) < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            desktop.destroy().await;
        };
        timeout(PATIENCE, sought).await.unwrap();
        assert_eq!(desktop.ended().await, DESTROYED);
    }
}
