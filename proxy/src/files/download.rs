//! The story of a file on its way out of a desktop: may it go → copy it out whole → look at it → the verdict, on the record → hand it over.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use portcullis_files::FileName;
use portcullis_policy::ActionKind;
use tokio::sync::mpsc;
use tokio::time::{Duration, timeout};

use super::passage::{Facts, Passage, Passed};
use super::spool::Reader;
use super::{Slot, Spooled, Stopped};
use crate::session::Session;

/// Bytes that are handed over at once.
const PIECE: usize = 1 << 18;
/// Pieces that wait for the receiver.
const AHEAD: usize = 4;
/// How long copying out of the desktop may take: its folder is in memory.
const COPIED_WITHIN: Duration = Duration::from_secs(600);

/// A file that may be handed over.
pub(crate) struct Download {
    /// What is known of it.
    pub(crate) facts: Facts,
    /// What is handed over.
    pub(crate) file: Spooled,
    session: Arc<Session>,
    slot: Slot,
}

/// Copies a file out of the desktop and answers with it if nothing speaks against it.
///
/// # Errors
/// [`Stopped`]: then nobody has a byte of it, and nothing of it is left.
pub(crate) async fn fetch(session: Arc<Session>, name: FileName) -> Result<Download, Stopped> {
    let passage = Passage::new(session, ActionKind::Download, name);
    let stop = |stopped| passage.stop(stopped, 0);
    let slot = passage.session.files.slot().map_err(stop)?;
    let folder = passage.session.files.folder().map_err(stop)?;
    let verdict = passage.begin(0)?;
    let spool = passage.spool(&verdict)?;
    let session = Arc::clone(&passage.session);
    let fetching = async {
        let copied = timeout(COPIED_WITHIN, folder.take(&passage.name, spool)).await;
        let copied = copied.map_err(|_| passage.stop(Stopped::Failed("the desktop took too long".into()), 0))?;
        let spool = copied.map_err(|error| passage.stop(Stopped::transfer(&error, &verdict), 0))?;
        passage.pass(spool.finish()).await
    };
    let Passed { file, facts } = tokio::select! {
        biased;
        fetched = fetching => fetched?,
        _ = session.wait_outcome() => return Err(passage.ended(0)),
    };
    Ok(Download { facts, file, session, slot })
}

impl Download {
    /// The bytes, read as they are taken; while they are, the file counts as under way, and no longer than its receiver takes any.
    pub(crate) fn stream(self, idle: Duration) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
        let Self { file, session, slot, .. } = self;
        let (send, receive) = mpsc::channel(AHEAD);
        tokio::spawn(async move {
            let mut reader = Some(file.reader());
            while let Some(from) = reader.take() {
                let read = tokio::task::spawn_blocking(move || piece(from)).await.map_err(std::io::Error::other);
                let piece = match read.flatten() {
                    Ok((piece, _)) if piece.is_empty() => break,
                    Ok((piece, rest)) => {
                        reader = Some(rest);
                        Ok(piece)
                    }
                    Err(error) => Err(error),
                };
                if !matches!(timeout(idle, send.send(piece)).await, Ok(Ok(()))) {
                    break;
                }
                // Who fetches a file is not idle.
                session.life.stir();
            }
            drop(slot);
        });
        futures_util::stream::unfold(receive, async |mut receive| Some((receive.recv().await?, receive)))
    }
}

fn piece(mut reader: Reader) -> std::io::Result<(Bytes, Reader)> {
    let mut piece = vec![0; PIECE];
    let count = std::io::Read::read(&mut reader, &mut piece)?;
    piece.truncate(count);
    Ok((piece.into(), reader))
}
