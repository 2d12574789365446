//! The story of a file on its way into a desktop: may it come → take it whole → look at it → the verdict, on the record → deliver it.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use portcullis_files::{FileName, NameRefused};
use portcullis_policy::{ActionKind, Verdict};

use super::passage::{Facts, Passage, Passed};
use super::spool::{Poured, Spool, Spooled, drain, pour};
use super::{Slot, Stopped};
use crate::runtime::FOLDER;
use crate::session::Session;

/// Takes a file and delivers it if nothing speaks against it; answers with what it is called there. `told` is how long its sender says it is.
///
/// # Errors
/// [`Stopped`]: then nothing of it reached the desktop, and nothing of it is left.
pub(crate) async fn receive<E: Send + 'static>(
    session: Arc<Session>,
    name: FileName,
    told: Option<u64>,
    body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
) -> Result<Facts, Stopped> {
    let mut body = stirring(Arc::clone(&session), body);
    let passage = Passage::new(session, ActionKind::Upload, name);
    let (slot, verdict, spool) = match admit(&passage, told.unwrap_or(0)) {
        Ok(admitted) => admitted,
        Err(stopped) => {
            drain(body).await;
            return Err(stopped);
        }
    };
    // In a task of its own: whoever hangs up half-way leaves a file that is stopped in good order, and on the record as that.
    let carrying = tokio::spawn(async move {
        let idle = passage.session.files.depot.config.idle;
        let taken = pour(spool, &mut body, idle, passage.session.wait_outcome()).await;
        let Some((spool, poured)) = taken else { return Err(passage.ended(0)) };
        let bytes = spool.bytes();
        match poured {
            Poured::Whole => deliver(passage, spool.finish(), slot).await,
            Poured::Ended => {
                let stopped = passage.ended(bytes);
                drop((passage, slot));
                drain(body).await;
                Err(stopped)
            }
            Poured::Broken => Err(passage.stop(Stopped::Broken(bytes), bytes)),
            Poured::Refused(error) => {
                let stopped = passage.stop(Stopped::spool(&error, &verdict), bytes);
                drain(body).await;
                Err(stopped)
            }
        }
    });
    carrying.await.unwrap_or(Err(Stopped::Ended))
}

/// Who brings a file is not idle, for as long as it comes.
pub(super) fn stirring<T>(session: Arc<Session>, body: impl Stream<Item = T>) -> impl Stream<Item = T> {
    body.inspect(move |_| session.life.stir())
}

/// A place for a file that may come, as far as that is known before it does.
fn admit(passage: &Passage, bytes: u64) -> Result<(Slot, Verdict, Spool), Stopped> {
    let stop = |stopped| passage.stop(stopped, bytes);
    passage.session.files.folder().map_err(stop)?;
    let slot = passage.session.files.slot().map_err(stop)?;
    let verdict = passage.begin(bytes)?;
    let spool = passage.spool(&verdict)?;
    Ok((slot, verdict, spool))
}

/// Looks at a whole file, and delivers it if it passes.
pub(super) async fn deliver(passage: Passage, file: Spooled, slot: Slot) -> Result<Facts, Stopped> {
    let (session, bytes) = (Arc::clone(&passage.session), file.bytes);
    let delivered = tokio::select! {
        biased;
        delivered = carry(&passage, file) => delivered,
        _ = session.wait_outcome() => Err(passage.ended(bytes)),
    };
    drop(slot);
    delivered
}

async fn carry(passage: &Passage, file: Spooled) -> Result<Facts, Stopped> {
    let folder = passage.session.files.folder()?;
    let Passed { file, facts } = passage.pass(file).await?;
    // INVARIANT: the verdict is on the record before the desktop has a byte.
    match folder.put(&passage.name, &file).await {
        Ok(name) => Ok(Facts { name: name.as_str().to_owned(), ..facts }),
        Err(error) => {
            let stopped = Stopped::transfer(&error, &facts.verdict);
            passage.undelivered(&format!("it did not reach {FOLDER} after all: {error}"));
            Err(stopped)
        }
    }
}

/// A file whose name cannot cross: the record has what is left of it.
pub(crate) async fn unnamed<E>(
    session: &Session,
    name: &str,
    refused: NameRefused,
    body: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Stopped {
    let stopped = super::stopped::unnamed(session, ActionKind::Upload, name, refused);
    drain(body).await;
    stopped
}
