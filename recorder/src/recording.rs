//! A session's recording, as the session sees it.
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ScopedJoinHandle};

use portcullis_evidence::{
    BundleWriter, Encryption, Ending, KeepTerms, Manifest, PathInBundle, Sealed, Settings, SigningKey, State, What,
    stamp,
};
use portcullis_rfb::{Change, Point, Size};
use portcullis_vault::Vault;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::ahead::Opening;
use crate::bundle::{Bundle, By, MAX_WAITING};
use crate::clock::{Clock, SinceStart, micros};
use crate::config::{Config, MIN_RING_BYTES};
use crate::error::{RecordError, spool as spool_error};
use crate::failure::Failure;
use crate::film::Film;
use crate::handover::{Bases, HandOver, HandOverError};
use crate::keeping;
use crate::keys;
use crate::recover::{self, Interruption};
use crate::spool::Spool;
use crate::tending::Keeper;
use crate::upload::Place;
use crate::worker::{Ended, Pulse, Worker};

/// A live recording. Clones are the same one. Dropped without [`Recording::close`], it is left to [`crate::recover()`].
#[derive(Clone)]
pub struct Recording(Arc<Live>);

struct Live {
    config: Config,
    key: Arc<SigningKey>,
    clock: Arc<dyn Clock>,
    log: Arc<HandOver>,
    bundle: Arc<Bundle>,
    failure: Arc<Failure>,
    pulse: Arc<Pulse>,
    place: Place,
    /// How long it is kept, as asked so far.
    keep: Mutex<Option<KeepTerms>>,
    closing: Mutex<Option<Closing>>,
}

/// What is needed once, to close.
struct Closing {
    spool: Spool,
    ended: oneshot::Receiver<Ended>,
    uploads: JoinHandle<()>,
    keeper: JoinHandle<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Recording {
    /// Begins a recording of a screen of `size`, black at time 0, encrypted to whom `config` says: the manifest gets to name them. When this returns, evidence exists: the manifest is in the vault,
    /// the first picture on film, and the room for the hand-over log allocated.
    ///
    /// # Errors
    /// When any of that fails; then nothing is left in the spool that recovery would take for a session that showed something.
    pub async fn start(
        config: Config,
        vault: Arc<dyn Vault>,
        key: Arc<SigningKey>,
        mut manifest: Manifest,
        size: Size,
    ) -> Result<Self, RecordError> {
        let vault = keeping::locking(vault, manifest.keep).await?;
        manifest.recipients = config.encrypting.as_ref().map(|to| to.recipients.names()).unwrap_or_default();
        let place = Place { vault, prefix: manifest.prefix(), patience: config.patience };
        let keep = Mutex::new(manifest.keep);
        let (sender, finished) = mpsc::channel(MAX_WAITING);
        let laid = {
            let (config, key) = (config.clone(), Arc::clone(&key));
            blocking(move || lay(&config, key, &manifest, size, sender)).await?
        };
        let Laid { spool, log, bundle, film, bases, clock } = laid;
        if let Err(error) = place.store(bundle.folder(), PathInBundle::Session).await {
            // Nothing was shown: better no session than one that looks interrupted.
            let _ = blocking(move || spool.remove()).await;
            return Err(error);
        }
        let (failure, pulse) = (Arc::new(Failure::new()), Arc::new(Pulse::default()));
        let worker = Worker {
            log: Arc::clone(&log),
            film,
            bases,
            failure: Arc::clone(&failure),
            pulse: Arc::clone(&pulse),
            lock: spool.lock(),
        };
        let id = bundle.manifest().id.clone();
        let spawned = worker.spawn(&id, Arc::clone(&clock));
        let (thread, ended) = spawned.map_err(spool_error("start a thread in", spool.folder()))?;
        let uploads = {
            let (place, bundle, failure, log) =
                (place.clone(), Arc::clone(&bundle), Arc::clone(&failure), Arc::clone(&log));
            tokio::spawn(async move {
                if let Err(error) = place.store_all(bundle.folder(), finished).await {
                    failure.say(&log, &error);
                }
            })
        };
        let keeper = Keeper {
            clock: Arc::clone(&clock),
            log: Arc::clone(&log),
            bundle: Arc::clone(&bundle),
            failure: Arc::clone(&failure),
            pulse: Arc::clone(&pulse),
            stall_us: micros(config.stall),
        };
        let keeper = tokio::spawn(keeper.run());
        let closing = Mutex::new(Some(Closing { spool, ended, uploads, keeper, thread }));
        Ok(Self(Arc::new(Live { config, key, clock, log, bundle, failure, pulse, place, keep, closing })))
    }

    /// Hands a revision of the screen over: the changes that make it of the one before. Returns once they are in the hand-over log;
    /// waits while that is full. Only then may a viewer be sent the revision.
    ///
    /// # Errors
    /// [`RecordError::Failed`] or [`RecordError::Closed`], or why the log did not take it; after any of them nothing more is recorded.
    pub async fn hand_over(&self, revision: u64, changes: &[Change]) -> Result<(), RecordError> {
        let live = &*self.0;
        live.failure.check()?;
        match live.log.update(revision, changes).await {
            Ok(()) => Ok(()),
            Err(HandOverError::Ended) => live.failure.check().and(Err(RecordError::Closed)),
            Err(error) => {
                let error = RecordError::HandOver(error);
                live.fail(&error);
                Err(error)
            }
        }
    }

    /// Notes where the pointer is, and so where the cursor is drawn. Moves that come fast are drawn ten times a second, and with
    /// whatever else changes.
    pub fn pointer(&self, at: Point) {
        if let Err(error) = self.0.log.pointer(at) {
            self.0.fail(&RecordError::HandOver(error));
        }
    }

    /// Appends an event of the session's subject and answers with its `seq`; being killed does not lose it any more, and each second it is made durable.
    ///
    /// # Errors
    /// [`RecordError::Failed`] or [`RecordError::Closed`], or why the bundle did not take it; then nothing more is recorded.
    pub fn event(&self, rule: &str, policy: &str, what: What) -> Result<u64, RecordError> {
        let live = &*self.0;
        live.failure.check()?;
        live.bundle.event(By::Subject, policy, rule, what).inspect_err(|error| {
            if !matches!(error, RecordError::Closed) {
                live.fail(error);
            }
        })
    }

    /// Asks that it is kept for longer or locked more firmly from now on, by a rule of a policy; less than what was asked before changes nothing.
    /// Its objects are locked so when it is sealed.
    ///
    /// # Errors
    /// When the vault cannot lock it so, and as [`Recording::event`].
    pub async fn keep(&self, rule: &str, policy: &str, terms: KeepTerms) -> Result<(), RecordError> {
        let live = &*self.0;
        let asked = *live.keep.lock().unwrap_or_else(PoisonError::into_inner);
        let more = asked.map_or(terms, |asked| asked.and(terms));
        if Some(more) == asked {
            return Ok(());
        }
        keeping::locking(Arc::clone(&live.place.vault), Some(more)).await?;
        self.event(rule, policy, What::KeepExtended { lock: more.lock, seconds: more.seconds })?;
        *live.keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(more);
        Ok(())
    }

    /// The media clock: microseconds since the recording began, the time of what is handed over now.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.0.clock.now_us()
    }

    /// `Some(reason)` once it cannot record any more.
    #[must_use]
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.0.failure.watch()
    }

    /// Ends the recording: the last picture lasts until now, the bundle is sealed and in the vault, the spool is gone.
    ///
    /// After a failure the bundle is closed from the spool, as recovery would, and sealed as interrupted.
    ///
    /// # Errors
    /// When it is closed already, or cannot be now. Then the spool keeps it, and [`crate::recover()`] closes it at the next start.
    pub async fn close(&self, reason: &str) -> Result<Sealed, RecordError> {
        let live = &*self.0;
        let closing = live.closing.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Closing { spool, ended, uploads, keeper, thread } = closing.ok_or(RecordError::Closed)?;
        live.log.end();
        let ended = live.wait(ended).await?;
        if let (Some(end), None) = (ended, live.failure.reason()) {
            keeper.abort();
            return live.seal(reason, end, uploads, spool).await;
        }
        // Whoever still works in the spool must have stopped before recovery does.
        live.failure.say(&live.log, &RecordError::Died);
        uploads.abort();
        let others = async { tokio::join!(uploads, keeper) };
        let _ = tokio::time::timeout(live.config.stall, others).await.map_err(|_| RecordError::Stuck)?;
        blocking(move || Ok(thread.join())).await.map(drop)?;
        live.bundle.retire();
        let failed = Interruption::Failed {
            reason: reason.to_owned(),
            why: live.failure.reason().unwrap_or_default(),
            from_us: live.failure.at_us().unwrap_or(0),
            to_us: live.clock.now_us(),
        };
        let sealed = recover::finish(&live.config, &live.place.vault, Arc::clone(&live.key), spool, failed).await?;
        sealed.ok_or(RecordError::Closed)
    }

    /// Kills the encoder's thread at its next step, for tests of what must happen then.
    #[doc(hidden)]
    pub fn kill_encoder(&self) {
        self.0.pulse.kill();
        self.0.log.wake();
    }
}

impl Live {
    fn fail(&self, error: &RecordError) {
        self.failure.say(&self.log, error);
    }

    /// Waits for the encoder's thread as long as it makes progress.
    async fn wait(&self, mut ended: oneshot::Receiver<Ended>) -> Result<Option<Ended>, RecordError> {
        loop {
            let read = self.log.read();
            match tokio::time::timeout(self.config.stall, &mut ended).await {
                Ok(end) => return Ok(end.ok()),
                Err(_) if self.log.read() != read => {}
                Err(_) => return Err(RecordError::Stuck),
            }
        }
    }

    async fn seal(
        &self,
        reason: &str,
        end: Ended,
        uploads: JoinHandle<()>,
        spool: Spool,
    ) -> Result<Sealed, RecordError> {
        let ending = Ending {
            state: State::Closed,
            reason: reason.to_owned(),
            ended: stamp(OffsetDateTime::now_utc()),
            duration_us: end.at_us,
            revisions: end.revision,
        };
        let bundle = Arc::clone(&self.bundle);
        let sealed = blocking(move || bundle.seal(ending)).await?;
        uploads.await.map_err(|_| RecordError::Died)?;
        self.failure.check()?;
        let terms = self.bundle.manifest().keep;
        keeping::settle(self.place.vault.as_ref(), &self.place.prefix, terms, &sealed.seal).await?;
        blocking(move || spool.remove()).await?;
        Ok(sealed)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let closing = self.closing.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(closing) = closing {
            // Left as a kill would leave it.
            self.pulse.kill();
            self.log.end();
            closing.keeper.abort();
            closing.uploads.abort();
        }
    }
}

/// Everything that is on the disk before a recording begins.
struct Laid {
    spool: Spool,
    log: Arc<HandOver>,
    bundle: Arc<Bundle>,
    film: Film,
    bases: Bases,
    clock: Arc<dyn Clock>,
}

/// Lays the spool's folder out. INVARIANT: log and base are there before the manifest is, so where there is a session there is a log.
fn lay(
    config: &Config,
    key: Arc<SigningKey>,
    manifest: &Manifest,
    size: Size,
    finished: mpsc::Sender<PathInBundle>,
) -> Result<Laid, RecordError> {
    let spool = Spool::create(&config.spool, &manifest.id)?;
    let clock: Arc<dyn Clock> = Arc::new(SinceStart::now());
    let lay = |opening: ScopedJoinHandle<'_, Result<Opening, RecordError>>| {
        let ring = spool.ring();
        let capacity = config.ring_bytes.max(MIN_RING_BYTES);
        let encryption = config.encrypting.as_ref().map(|to| {
            let key = keys::make(&to.keys, spool.folder())?;
            Ok(Encryption::new(to.recipients.clone(), key))
        });
        let encryption = encryption.transpose()?;
        let cover = encryption.as_ref().map(Encryption::key);
        let log = HandOver::create(&ring, capacity, config.stall, Arc::clone(&clock), cover);
        let log = Arc::new(log.map_err(spool_error("create", &ring))?);
        let mut bases = Bases::new(spool.folder(), cover.cloned());
        bases.begin(size).map_err(|error| spool_error("write", bases.older())(error))?;
        let settings = Settings { encryption, ..Settings::default() };
        let writer =
            BundleWriter::create_with(&spool.bundle(), manifest, key, settings).map_err(RecordError::Bundle)?;
        let bundle = Arc::new(Bundle::new(writer, Arc::clone(&clock), Some(finished)));
        let opening = opening.join().unwrap_or(Err(RecordError::Died))?;
        let film = Film::begin(config, Arc::clone(&bundle), opening)?;
        Ok((log, bundle, film, bases))
    };
    let ready = config.ahead.as_ref().and_then(|ahead| ahead.take(config, size));
    let opening = || ready.map_or_else(|| Opening::of(config, size).map_err(RecordError::Encoder), Ok);
    // The encoder opens while the disk makes things durable: somebody waits for both.
    let laid = thread::scope(|scope| lay(scope.spawn(opening)));
    if let Some(ahead) = &config.ahead {
        ahead.prepare(config.clone(), size);
    }
    match laid {
        Ok((log, bundle, film, bases)) => Ok(Laid { spool, log, bundle, film, bases, clock }),
        Err(error) => {
            // Nothing was shown. What cannot be removed now, recovery closes as an empty session.
            let _ = spool.remove();
            Err(error)
        }
    }
}

/// Runs what waits for a disk where it keeps nobody else waiting.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RecordError> + Send + 'static,
) -> Result<T, RecordError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(RecordError::Died))
}
