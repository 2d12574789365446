//! JSON lines on standard output, written by a thread of their own: a reader that stands still keeps nobody else waiting.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::entry::Entry;
use crate::sink::{Answer, Sink};

/// The time that a reader has to take a line before it is said that it does not.
const PATIENCE: Duration = Duration::from_secs(10);

/// A line and where it is told what became of it.
type Line = (Vec<u8>, oneshot::Sender<io::Result<()>>);

/// Delivers to standard output. One line is under way at a time.
#[derive(Default)]
pub(crate) struct Stdout {
    lines: Mutex<Option<mpsc::SyncSender<Line>>>,
}

impl Stdout {
    /// Hands a line to the thread, which is started for the first.
    fn begin(&self, line: Vec<u8>) -> io::Result<oneshot::Receiver<io::Result<()>>> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = match lines.take() {
            Some(sender) => sender,
            None => {
                let (sender, receiver) = mpsc::sync_channel::<Line>(1);
                thread::Builder::new().name("alerts stdout".into()).spawn(move || write_all(&receiver))?;
                sender
            }
        };
        let (told, written) = oneshot::channel();
        sender.try_send((line, told)).map_err(|_| io::Error::other("the line before it is still under way"))?;
        *lines = Some(sender);
        Ok(written)
    }
}

fn write_all(lines: &mpsc::Receiver<Line>) {
    for (line, told) in lines {
        let mut output = io::stdout().lock();
        let written = output.write_all(&line).and_then(|()| output.flush());
        let _ = told.send(written);
    }
}

#[async_trait]
impl Sink for Stdout {
    async fn deliver(&self, entry: &Entry) -> Answer {
        let mut written = match self.begin([entry.json.as_slice(), b"\n"].concat()) {
            Ok(written) => written,
            Err(error) => return Answer::later(error.to_string()),
        };
        // A line that is under way cannot be taken back, and is not written twice: it is waited for.
        loop {
            match timeout(PATIENCE, &mut written).await {
                Err(_) => tracing::warn!("nobody has read standard output for {PATIENCE:?}: events wait"),
                Ok(Ok(Ok(()))) => return Answer::Taken("written".to_owned()),
                Ok(Ok(Err(error))) => return Answer::later(error.to_string()),
                Ok(Err(_)) => return Answer::later("the thread that writes has ended"),
            }
        }
    }

    async fn knock(&self) -> Result<String, String> {
        Ok("standard output".to_owned())
    }
}
