//! Uploads that come in pieces (tus 1.0.0): what came so far is kept while its sender is away, for a while, in no more than a few places.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use portcullis_files::FileName;
use portcullis_policy::ActionKind;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until, timeout};

use super::passage::{Facts, Passage};
use super::spool::{Poured, pour};
use super::{Spool, Stopped, upload};
use crate::session::Session;

/// Uploads in pieces that one session may have at once.
const MOST: usize = 8;
const TOO_MANY: &str = "as many uploads as may wait for their next piece do; finish or end one of them";
/// How long is waited for a piece whose sender hung up, before its successor is taken.
const SETTLED: Duration = Duration::from_secs(5);

/// The uploads of a session, by their names.
#[derive(Default)]
pub(crate) struct Uploads(Mutex<HashMap<String, Arc<Upload>>>);

/// One upload in pieces.
pub(crate) struct Upload {
    /// Its name in the API.
    pub(crate) id: String,
    /// Its length in bytes.
    pub(crate) length: u64,
    passage: Passage,
    /// What came; none once it is whole.
    spool: tokio::sync::Mutex<Option<Spool>>,
    rests: Mutex<Instant>,
}

/// Why a piece was not taken.
pub(crate) enum Piece {
    /// It does not begin where the last one ended, which is here.
    Elsewhere(u64),
    /// Another piece is coming.
    Busy,
    /// The upload is over.
    Over,
    /// The file was stopped.
    Stopped(Stopped),
}

/// What became of a piece.
pub(crate) enum Taken {
    /// So many bytes are there now.
    More(u64),
    /// The file is whole, and was delivered.
    Delivered(Box<Facts>),
}

impl Uploads {
    /// Begins an upload of so many bytes.
    ///
    /// # Errors
    /// [`Stopped`], as for a file that comes at once.
    pub(crate) fn begin(&self, session: &Arc<Session>, name: FileName, length: u64) -> Result<Arc<Upload>, Stopped> {
        let passage = Passage::new(Arc::clone(session), ActionKind::Upload, name);
        session.files.folder().map_err(|stopped| passage.stop(stopped, length))?;
        let verdict = passage.begin(length)?;
        let spool = passage.spool(&verdict)?;
        let id = format!("{:032x}", rand::random::<u128>());
        let rests = Mutex::new(Instant::now());
        let upload = Upload { id: id.clone(), length, passage, spool: tokio::sync::Mutex::new(Some(spool)), rests };
        let upload = Arc::new(upload);
        {
            let mut uploads = self.lock();
            if uploads.len() >= MOST {
                drop(uploads);
                return Err(upload.passage.stop(Stopped::Busy(TOO_MANY), length));
            }
            uploads.insert(id, Arc::clone(&upload));
        }
        tokio::spawn(expire(Arc::downgrade(session), Arc::downgrade(&upload)));
        Ok(upload)
    }

    /// An upload by its name.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Upload>> {
        self.lock().get(id).cloned()
    }

    /// Gives an upload up; what came of it is gone, and that is on the record.
    pub(crate) async fn give_up(&self, upload: &Upload, why: &str) {
        if self.lock().remove(&upload.id).is_some()
            && let Some(spool) = upload.spool.lock().await.take()
        {
            upload.passage.abandon(why, spool.bytes());
        }
    }

    /// Gives all up that rest: their session has ended.
    async fn end(&self) {
        let left: Vec<_> = self.lock().drain().map(|(_, upload)| upload).collect();
        for upload in left {
            if let Some(spool) = upload.spool.lock().await.take() {
                let _ = upload.passage.ended(spool.bytes());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Upload>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload {
    /// How many bytes are there; waits a moment for a piece that is coming.
    pub(crate) async fn offset(&self) -> Option<u64> {
        let spool = timeout(SETTLED, self.spool.lock()).await.ok()?;
        spool.as_ref().map(Spool::bytes)
    }

    /// When it is given up if nothing comes.
    pub(crate) fn expires(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + self.until().saturating_duration_since(Instant::now())
    }

    fn until(&self) -> Instant {
        let rests = *self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        rests + self.passage.session.files.depot.config.resting
    }

    fn stir(&self) {
        *self.rests.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Takes a piece that begins at `offset`; the last one delivers the file.
    ///
    /// # Errors
    /// [`Piece`]. After [`Piece::Stopped`] the upload is over, unless its sender merely went away.
    pub(crate) async fn take<E: Send + 'static>(
        self: &Arc<Self>,
        offset: u64,
        body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    ) -> Result<Taken, Piece> {
        let this = Arc::clone(self);
        let body = upload::stirring(Arc::clone(&self.passage.session), body);
        // In a task of its own: what came of a piece that breaks off stays.
        let taking = tokio::spawn(async move { this.append(offset, body).await });
        taking.await.unwrap_or(Err(Piece::Over))
    }

    async fn append<E: Send + 'static>(
        &self,
        offset: u64,
        mut body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
    ) -> Result<Taken, Piece> {
        let mut held = timeout(SETTLED, self.spool.lock()).await.map_err(|_| Piece::Busy)?;
        let at = held.as_ref().map(Spool::bytes).ok_or(Piece::Over)?;
        if at != offset {
            return Err(Piece::Elsewhere(at));
        }
        let session = &self.passage.session;
        let slot = session.files.slot().map_err(Piece::Stopped)?;
        // Policy may have changed since the last piece.
        let verdict = match self.passage.begin(self.length) {
            Ok(verdict) => verdict,
            Err(stopped) => {
                *held = None;
                return Err(self.over(stopped));
            }
        };
        self.stir();
        let Some(mut spool) = held.take() else { return Err(Piece::Over) };
        spool.expect(self.length);
        let poured = pour(spool, &mut body, session.files.depot.config.idle, session.wait_outcome()).await;
        self.stir();
        let Some((spool, poured)) = poured else { return Err(self.over(self.passage.ended(0))) };
        let bytes = spool.bytes();
        match poured {
            Poured::Ended => Err(self.over(self.passage.ended(bytes))),
            Poured::Refused(error) => {
                let stopped = Stopped::spool(&error, &verdict);
                Err(self.over(self.passage.stop(stopped, bytes)))
            }
            Poured::Whole | Poured::Broken if bytes < self.length => {
                let broken = matches!(poured, Poured::Broken);
                *held = Some(spool);
                if broken { Err(Piece::Stopped(Stopped::Broken(bytes))) } else { Ok(Taken::More(bytes)) }
            }
            Poured::Whole | Poured::Broken => {
                drop(held);
                self.forget();
                let delivered = upload::deliver(self.passage.clone(), spool.finish(), slot).await;
                delivered.map(Box::new).map(Taken::Delivered).map_err(Piece::Stopped)
            }
        }
    }

    fn over(&self, stopped: Stopped) -> Piece {
        self.forget();
        Piece::Stopped(stopped)
    }

    fn forget(&self) {
        self.passage.session.files.uploads.lock().remove(&self.id);
    }
}

/// Gives an upload up that rests for too long.
async fn expire(session: Weak<Session>, upload: Weak<Upload>) {
    loop {
        let Some(until) = upload.upgrade().map(|upload| upload.until()) else { return };
        let Some(ended) = session.upgrade() else { return };
        tokio::select! {
            () = sleep_until(until) => {}
            // Uploads hold their session.
            _ = ended.wait_outcome() => return ended.files.uploads.end().await,
        }
        let Some(upload) = upload.upgrade() else { return };
        if upload.until() <= Instant::now() {
            ended.files.uploads.give_up(&upload, "the upload rested for too long").await;
            return;
        }
    }
}
