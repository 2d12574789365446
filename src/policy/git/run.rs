//! Runs `git` as a child with an environment of its own: no hooks, no prompts, nobody's configuration, bounded in time, memory and output.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process_group};

/// Bytes of git's answers; one that is longer is refused.
const MOST_ANSWER: u64 = 96 * 1024 * 1024;
/// Bytes of what git complains that are kept: the last ones, which say why it failed.
const MOST_COMPLAINT: usize = 4096;
/// How long a command that reads may take.
const READING: Duration = Duration::from_secs(60);
/// Limits of a child and its children: no core files, bytes of a file in blocks of 512, KiB of memory.
const BOUNDED: &str = r#"ulimit -c 0 && ulimit -f "$1" && ulimit -v "$2" && shift 2 && exec "$@""#;
/// KiB of memory that git may map while it takes what a remote sends.
const MEMORY: u64 = 2 * 1024 * 1024;

/// Where git works.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A folder of somebody's work tree; the configuration of who asks says whether it is to be trusted.
    Folder(PathBuf),
    /// The gate's own bare mirror: no configuration counts but what is on the command line and in the `gitconfig` beside it.
    Mirror(PathBuf),
}

/// What a command said.
pub(super) struct Said {
    pub(super) status: ExitStatus,
    pub(super) answer: Vec<u8>,
    /// Printable, on one line.
    pub(super) complaint: String,
}

impl Place {
    /// A command of git that runs here.
    pub(super) fn command(&self) -> Command {
        self.dressed(Command::new("git"))
    }

    /// A command of git that runs here and may write files of so many bytes each.
    pub(super) fn bounded(&self, bytes: u64) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", BOUNDED, "sh", &(bytes / 512).to_string(), &MEMORY.to_string(), "git"]);
        self.dressed(command)
    }

    fn dressed(&self, mut command: Command) -> Command {
        command.env_clear().envs([
            ("LC_ALL", "C"),
            ("GIT_ASKPASS", ""),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_LITERAL_PATHSPECS", "1"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
        ]);
        inherit(&mut command, &["PATH"]);
        command.arg("--no-pager");
        match self {
            Self::Folder(folder) => {
                inherit(&mut command, &["HOME"]);
                command.arg("-C").arg(folder);
            }
            Self::Mirror(mirror) => {
                let beside = mirror.parent().unwrap_or(mirror);
                command.env("HOME", beside).env("GIT_CONFIG_NOSYSTEM", "1");
                command.env("GIT_CONFIG_GLOBAL", beside.join("gitconfig")).current_dir(beside);
                command.arg("--git-dir").arg(mirror);
            }
        }
        let settings =
            ["core.hooksPath=/dev/null", "core.fsmonitor=false", "blame.ignoreRevsFile=", "protocol.allow=never"];
        settings.iter().for_each(|setting| {
            command.args(["-c", setting]);
        });
        command
    }

    /// Runs git here with this input and returns what it answers.
    pub(super) fn ask(&self, arguments: &[&str], input: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut command = self.command();
        command.args(arguments);
        let what = arguments.first().unwrap_or(&"");
        let said = run(command, input).with_context(|| format!("git {what}"))?;
        ensure!(said.status.success(), "git {what} failed: {}", said.complaint);
        Ok(said.answer)
    }
}

/// Hands variables of the gate's own environment on, where they are set.
pub(super) fn inherit(command: &mut Command, names: &[&str]) {
    command.envs(names.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
}

/// Runs a command to its end, or to that of its time.
pub(super) fn run(mut command: Command, input: &[u8]) -> anyhow::Result<Said> {
    let program = Path::new(command.get_program()).display().to_string();
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = piped.spawn().with_context(|| format!("{program} cannot be started: is it installed?"))?;
    let (mut stdin, stdout, mut stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut answer, mut complaint) = (Vec::new(), Complaint::default());
    let group = Group::of(&child);
    let (done, watched) = mpsc::channel::<()>();
    let status = std::thread::scope(|scope| {
        scope.spawn(move || {
            if watched.recv_timeout(READING) == Err(mpsc::RecvTimeoutError::Timeout) {
                group.end();
            }
        });
        // It may answer before it has read all: all three are served at once, or both would wait for ever.
        scope.spawn(move || stdin.take().map(|mut stdin| stdin.write_all(input)));
        let complaint = &mut complaint;
        scope.spawn(move || {
            let mut bytes = [0; 1024];
            while let Some(Ok(count @ 1..)) = stderr.as_mut().map(|stderr| stderr.read(&mut bytes)) {
                complaint.add(bytes.get(..count).unwrap_or_default());
            }
        });
        let read = stdout.map(|stdout| stdout.take(MOST_ANSWER).read_to_end(&mut answer)).transpose();
        let status = child.wait();
        drop(done);
        read.and(status)
    })?;
    ensure!(u64::try_from(answer.len()).unwrap_or(u64::MAX) < MOST_ANSWER, "its answer is over {MOST_ANSWER} bytes");
    Ok(Said { status, answer, complaint: complaint.shown() })
}

/// A child's process group: it and whatever it has started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group(Option<Pid>);

impl Group {
    pub(super) fn of(child: &Child) -> Self {
        Self::led_by(child.id())
    }

    pub(super) fn led_by(id: u32) -> Self {
        Self(i32::try_from(id).ok().and_then(Pid::from_raw))
    }

    /// Ends all of it; only while its leader has not been waited for, or the number may be another's.
    pub(super) fn end(self) {
        if let Some(leader) = self.0 {
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// The end of what a child complains.
#[derive(Debug, Default)]
pub(super) struct Complaint(Vec<u8>);

impl Complaint {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        let over = self.0.len().saturating_sub(MOST_COMPLAINT);
        self.0.drain(..over);
    }

    /// On one line and printable: some of it is what a remote chose to say.
    pub(super) fn shown(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let lines = text.lines().map(|line| line.chars().filter(|c| !c.is_control()).collect::<String>());
        lines.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_complaint_is_kept_on_one_printable_line() {
        let mut complaint = Complaint::default();
        complaint.add(&[b'x'; 3 * MOST_COMPLAINT]);
        complaint.add(b"\nremote: \x1b[31mred\x07\n\nfatal: gone\n");
        let shown = complaint.shown();
        assert!(shown.len() < MOST_COMPLAINT && shown.ends_with("x; remote: [31mred; fatal: gone"), "{shown}");
    }

    #[test]
    fn a_command_sees_nothing_of_the_gates_environment() {
        let mut command = Place::Mirror("/nowhere/mirror.git".into()).command();
        let names: Vec<_> = command.get_envs().filter_map(|(name, value)| value.map(|_| name.to_owned())).collect();
        assert!(
            names.iter().all(|name| name == "PATH"
                || name == "HOME"
                || name == "LC_ALL"
                || name.to_string_lossy().starts_with("GIT_")),
            "{names:?}"
        );
        command = Command::new("/bin/sh");
        command.env_clear().args(["-c", "cat; echo word >&2; exit 3"]);
        let said = run(command, b"given").unwrap();
        assert_eq!(
            (said.status.code(), said.answer.as_slice(), said.complaint.as_str()),
            (Some(3), &b"given"[..], "word")
        );
    }
}
