//! The note of which processes a desktop is, and the killing of those that a killed gate left behind.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

/// Most bytes of a ledger.
const MAX_LEDGER: u64 = 4096;
/// How long a killed process may take to go, and how often it is looked at.
const GONE_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The two processes that stand for a desktop: bubblewrap outside, and the first process of the namespace, whose end ends all in it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ledger {
    outer: Process,
    inner: Process,
}

/// A process and when it started, in clock ticks since boot: a number alone may belong to another by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Process {
    pid: i32,
    started: u64,
}

impl Process {
    fn of(pid: i32) -> Option<Self> {
        Some(Self { pid, started: started(pid)? })
    }

    /// Whether it still is the process that was noted, and runs for the session in `folder`.
    fn is_still(&self, folder: &Path) -> bool {
        let names_folder = || {
            let line = std::fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
            let folder = folder.as_os_str().as_bytes();
            line.windows(folder.len().max(1)).any(|part| part == folder)
        };
        started(self.pid) == Some(self.started) && names_folder()
    }

    /// Kills it if it still is itself, and waits (bounded) until it is gone.
    async fn kill(&self, folder: &Path) {
        let Some(pid) = Pid::from_raw(self.pid) else { return };
        // The descriptor is taken first and the process judged after, so that what is killed is what was judged.
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
        if !self.is_still(folder) {
            return;
        }
        if let Err(error) = pidfd_send_signal(&process, Signal::KILL) {
            tracing::warn!(pid = self.pid, %error, "a process of an earlier session could not be killed");
            return;
        }
        let give_up = Instant::now() + GONE_WITHIN;
        while started(self.pid) == Some(self.started) && Instant::now() < give_up {
            sleep(LOOK_EVERY).await;
        }
    }
}

impl Ledger {
    /// Notes two running processes; `None` if one is gone already.
    pub(super) fn of(outer: i32, inner: i32) -> Option<Self> {
        Some(Self { outer: Process::of(outer)?, inner: Process::of(inner)? })
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = File::create(path)?;
        serde_json::to_writer(&mut file, self)?;
        file.flush()
    }

    /// What was noted at `path`; `None` if there is nothing that can be read.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let mut text = Vec::new();
        File::open(path).ok()?.take(MAX_LEDGER).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Kills what was noted and still runs for the session in `folder`: the inner one first, so that the outer one reaps it.
    pub(super) async fn kill(&self, folder: &Path) {
        self.inner.kill(folder).await;
        self.outer.kill(folder).await;
    }
}

/// When a process started (`starttime` of proc(5)); `None` if there is none, or only what a parent has yet to collect.
fn started(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in parentheses that may hold both spaces and parentheses.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    if state == "Z" || state == "X" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use tempfile::TempDir;

    use super::*;

    /// A process that has said something, so that its command line is there to be read, and waits.
    fn bystander(word: &Path) -> Child {
        let mut command = Command::new("sh");
        command.arg("-c").arg("echo; read wait; :").arg(word).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        child
    }

    fn pid(child: &Child) -> i32 {
        i32::try_from(child.id()).unwrap()
    }

    #[test]
    fn tells_a_process_from_a_later_one_of_the_same_number() {
        let folder = TempDir::new().unwrap();
        let mut child = bystander(folder.path());
        let mut noted = Process::of(pid(&child)).unwrap();
        assert!(noted.is_still(folder.path()));
        assert!(!noted.is_still(Path::new("/another/session")));
        noted.started += 1;
        assert!(!noted.is_still(folder.path()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(Process::of(pid(&child)), None);
    }

    #[tokio::test]
    async fn kills_what_it_noted_and_nothing_else() {
        let folder = TempDir::new().unwrap();
        let (mut ours, mut other) = (bystander(folder.path()), bystander(Path::new("/another/session")));
        let file = folder.path().join("ledger");
        Ledger::of(pid(&ours), pid(&other)).unwrap().write(&file).unwrap();

        Ledger::read(&file).unwrap().kill(folder.path()).await;

        assert!(!ours.wait().unwrap().success());
        assert!(other.try_wait().unwrap().is_none(), "a process of another session was killed");
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn a_torn_ledger_is_none() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("ledger");
        std::fs::write(&file, "{\"outer\":{\"pid\":1").unwrap();
        assert!(Ledger::read(&file).is_none());
        assert!(Ledger::read(&folder.path().join("none")).is_none());
    }
}
