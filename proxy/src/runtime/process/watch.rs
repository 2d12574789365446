//! The life of one jail: begun, listened to, watched until it ends or is ended.

use std::collections::VecDeque;
use std::io;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::LEDGER;
use super::ledger::Ledger;
use super::spawner::Spawner;
use crate::pace::Rate;
use crate::runtime::folder::SessionFolder;
use crate::runtime::running::DESTROYED;
use crate::runtime::{READY_WITHIN, RuntimeError};

/// Most bytes of bubblewrap's account of the namespaces.
const MAX_ACCOUNT: u64 = 4096;
/// How much of what the desktop says is kept for the reason of its end, and how much of it is logged: the text is its user's to choose.
const LAST_LINES: usize = 4;
const MAX_LINE: usize = 400;
/// How much is read at once, and how often: 80 kB a second.
const PIECE: usize = 4096;
const PACE: Rate = Rate::new(20, 100);
const MAX_LOGGED: usize = 200;

/// What bubblewrap tells about a jail; it tells more, which is not needed.
#[derive(Deserialize)]
struct BubblewrapAccount {
    #[serde(rename = "child-pid")]
    child_pid: i32,
}

/// A jail that was started: the outer process, and a descriptor of the first process inside, whose end is the end of every one inside.
pub(super) struct Jail {
    child: Child,
    first: Option<OwnedFd>,
    number: Option<i32>,
    words: LastWords,
    listener: Option<JoinHandle<()>>,
}

impl Jail {
    /// Starts `command` and notes its processes in `folder`; on an error it is killed.
    pub(super) async fn begin(
        spawner: &Spawner,
        command: Command,
        folder: &SessionFolder,
    ) -> Result<Self, RuntimeError> {
        let failed = |source| RuntimeError::Spawn { program: "bwrap".to_owned(), source };
        let mut child = spawner.spawn(command).await.map_err(failed)?;
        let words = LastWords::default();
        let listener = child.stderr.take().map(|said| tokio::spawn(listen(said, words.clone())));
        let inner = match child.stdout.take() {
            Some(account) => first_process(account).await,
            None => None,
        };
        let outer = child.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(ledger) = outer.zip(inner).and_then(|(outer, inner)| Ledger::of(outer, inner)) {
            ledger.write(&folder.path().join(LEDGER)).map_err(|source| folder.failure(source))?;
        }
        Ok(Self { child, first: inner.and_then(open), number: inner, words, listener })
    }

    /// The first process inside: its number as this machine sees it, and a descriptor of it, which tells whether the number is still its own.
    pub(super) fn first_process(&self) -> Option<(i32, OwnedFd)> {
        self.number.zip(self.first.as_ref()?.try_clone().ok())
    }

    /// Waits until nothing of the desktop runs any more, which `end` makes so, and says why.
    pub(super) async fn watch(mut self, end: CancellationToken) -> String {
        tokio::select! {
            status = self.child.wait() => {
                // All writers are gone, so the listener ends by itself and has then heard everything.
                if let Some(listener) = self.listener {
                    let _ = listener.await;
                }
                self.words.explain(status)
            }
            () = end.cancelled() => {
                self.kill();
                if let Err(error) = self.child.wait().await {
                    tracing::warn!(%error, "a desktop's end could not be awaited");
                }
                DESTROYED.to_owned()
            }
        }
    }

    /// Kills everything in the jail. No SIGTERM comes first: nothing in a jail outlives it, so there is nothing that could be saved.
    ///
    /// INVARIANT: bubblewrap reaps the first process, and the kernel lets that one be reaped only when all others in its namespace are
    /// gone: once `child.wait()` returns nothing of the desktop runs.
    fn kill(&mut self) {
        let killed = self.first.as_ref().is_some_and(|first| pidfd_send_signal(first, Signal::KILL).is_ok());
        if !killed && let Err(error) = self.child.start_kill() {
            tracing::warn!(%error, "a desktop could not be killed");
        }
    }
}

/// The number of the first process inside, by bubblewrap's account; `None` if it fails before.
async fn first_process(account: ChildStdout) -> Option<i32> {
    let mut text = Vec::new();
    timeout(READY_WITHIN, account.take(MAX_ACCOUNT).read_to_end(&mut text)).await.ok()?.ok()?;
    serde_json::from_slice::<BubblewrapAccount>(&text).ok().map(|account| account.child_pid)
}

fn open(pid: i32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()
}

/// The last lines that a desktop's programs said.
#[derive(Clone, Default)]
struct LastWords(Arc<Mutex<VecDeque<String>>>);

impl LastWords {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LAST_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Takes a line as it was said: to the log while there have been few, and among the last.
    fn hear(&self, line: &[u8], logged: &mut usize) {
        let line: String = String::from_utf8_lossy(line).chars().filter(|c| !c.is_control()).collect();
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        if *logged < MAX_LOGGED {
            *logged += 1;
            tracing::debug!(line, "a desktop says");
        }
        self.push(line.to_owned());
    }

    /// The reason of an end that nobody asked for.
    fn explain(&self, status: io::Result<ExitStatus>) -> String {
        let how = match status {
            Ok(status) => format!("the desktop's screen ended ({status})"),
            Err(error) => format!("the desktop's end could not be seen ({error})"),
        };
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            how
        } else {
            format!("{how}: {}", lines.iter().map(String::as_str).collect::<Vec<_>>().join("; "))
        }
    }
}

/// Reads what the desktop's programs say until all of them are gone: bounded lines, the first of them to the log, the last kept.
///
/// INVARIANT: at a pace. One that talks without end waits, as its pipe is full, and costs the gate no more than that.
async fn listen(mut said: impl AsyncRead + Unpin, words: LastWords) {
    let (mut piece, mut line, mut logged, mut pace) = (vec![0; PIECE], Vec::new(), 0, PACE.pace());
    loop {
        sleep(pace.wait(Instant::now())).await;
        pace.take(Instant::now());
        let Ok(count @ 1..) = said.read(&mut piece).await else { break };
        for byte in piece.get(..count).unwrap_or_default() {
            if *byte == b'\n' || line.len() == MAX_LINE {
                words.hear(&line, &mut logged);
                line.clear();
            }
            if *byte != b'\n' {
                line.push(*byte);
            }
        }
    }
    words.hear(&line, &mut logged);
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll};

    use tokio::io::ReadBuf;

    use super::*;

    /// Says the same line for ever, and counts how often it was listened to.
    struct Endless(Arc<AtomicUsize>);

    impl AsyncRead for Endless {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            into.put_slice(b"x\n");
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn a_desktop_that_talks_without_end_is_heard_at_a_pace() {
        let heard = Arc::new(AtomicUsize::new(0));
        let (words, began) = (LastWords::default(), Instant::now());
        let listening = listen(Endless(Arc::clone(&heard)), words.clone());
        let _ = timeout(std::time::Duration::from_millis(500), listening).await;
        let most = PACE.burst + PACE.per_second * u32::try_from(began.elapsed().as_secs() + 1).unwrap();
        let heard = u32::try_from(heard.load(Ordering::Relaxed)).unwrap();
        assert!((1..=most).contains(&heard), "{heard} reads, at most {most}");
    }

    #[tokio::test]
    async fn the_last_lines_are_kept_without_control_characters() {
        let words = LastWords::default();
        let said = format!("first\n{}\n\n\x1b[31mred\nthe \x00end", "y".repeat(MAX_LINE + 3));
        listen(said.as_bytes(), words.clone()).await;
        let lines: Vec<_> = words.0.lock().unwrap().iter().cloned().collect();
        assert_eq!(lines, [&"y".repeat(MAX_LINE), "yyy", "[31mred", "the end"]);
    }
}
