//! The program that reads letters: tesseract, in a jail of its own for each picture, for whoever draws a screen draws what it is given.
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use portcullis_rfb::Rect;
use thiserror::Error;

use super::lines::Found;
use super::tsv;

/// How much larger than the screen a picture is when it is read: letters of a screen are small.
const SCALE: u32 = 2;
/// The most that is read of what it says.
const MAX_OUTPUT: u64 = 4 * 1024 * 1024;
/// How long it may take for one picture, by the clock and by the processor.
const PATIENCE: Duration = Duration::from_secs(60);
const PROCESSOR_SECONDS: u32 = 30;
/// Memory that it may have.
const MEMORY: u64 = 1024 * 1024 * 1024;
/// Who it is where the gate is root: nobody.
const NOBODY: u32 = 65_534;
/// Where the reader lies in its jail if it is none of the machine's own.
const ELSEWHERE: &str = "/run/reader";
/// Where programs lie.
const PATH: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// How text is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderSettings {
    /// Tesseract, by its name or its whole path.
    pub program: String,
    /// Languages, as tesseract calls them: `eng`.
    pub languages: Vec<String>,
    /// Words that it is less sure of are left out, 0 to 100.
    pub confidence: u8,
}

/// Reads letters.
#[derive(Debug)]
pub struct Reader {
    bwrap: PathBuf,
    setpriv: PathBuf,
    prlimit: PathBuf,
    chrt: PathBuf,
    program: PathBuf,
    languages: String,
    confidence: u8,
    patience: Duration,
}

/// Why letters cannot be read on this machine.
#[derive(Debug, Error)]
pub enum ReaderError {
    /// A program is not there.
    #[error("{0} is not on this machine")]
    Missing(String),
    /// A language is no name of one.
    #[error("{0:?} is no language of tesseract's")]
    Language(String),
    /// It does not read the first picture that it is given.
    #[error("tesseract cannot read: {0}")]
    Refused(String),
}

/// Why one picture was not read.
#[derive(Debug, Error)]
pub(super) enum Unread {
    #[error("it could not be started")]
    Start(#[source] std::io::Error),
    #[error("it took too long")]
    Hung,
    #[error("it ended with {0}")]
    Ended(std::process::ExitStatus),
    #[error("it said more than {MAX_OUTPUT} bytes")]
    TooMuch,
    #[error("what it said cannot be read: {0}")]
    Malformed(&'static str),
}

impl Reader {
    /// Looks for tesseract, its languages and the programs that jail it, and has it read a first picture.
    ///
    /// # Errors
    /// What is missing.
    pub fn open(settings: &ReaderSettings) -> Result<Self, ReaderError> {
        let reader = Self::of(settings, PATIENCE)?;
        let blank = vec![235; 64 * 32];
        let refused = |unread: Unread| ReaderError::Refused(unread.to_string());
        reader.read(&blank, Rect::new(0, 0, 64, 32)).map_err(refused)?;
        Ok(reader)
    }

    /// One that was not tried, with this patience.
    pub(super) fn of(settings: &ReaderSettings, patience: Duration) -> Result<Self, ReaderError> {
        let name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        for language in &settings.languages {
            if language.is_empty() || !language.bytes().all(name) {
                return Err(ReaderError::Language(language.clone()));
            }
        }
        Ok(Self {
            program: find(&settings.program)?,
            bwrap: find("bwrap")?,
            setpriv: find("setpriv")?,
            prlimit: find("prlimit")?,
            chrt: find("chrt")?,
            languages: settings.languages.join("+"),
            confidence: settings.confidence,
            patience,
        })
    }

    /// How it is set, in words for the record.
    pub(super) fn settings(&self) -> String {
        format!("languages={} scale={SCALE} confidence={}", self.languages, self.confidence)
    }

    /// The lines on a part of the screen; `luma` has its pixels, line after line.
    pub(super) fn read(&self, luma: &[u8], place: Rect) -> Result<Vec<Found>, Unread> {
        let (width, height) =
            (u32::from(place.width).saturating_mul(SCALE), u32::from(place.height).saturating_mul(SCALE));
        let mut picture = format!("P5\n{width} {height}\n255\n").into_bytes();
        picture.extend(doubled(luma, usize::from(place.width)));
        let said = self.run(picture)?;
        tsv::lines(&said, (width, height), place, SCALE, self.confidence).map_err(Unread::Malformed)
    }

    /// What it says of a picture. Whatever it does, it is gone when this returns.
    fn run(&self, picture: Vec<u8>) -> Result<Vec<u8>, Unread> {
        let mut child = self.command().spawn().map_err(Unread::Start)?;
        let (told, heard) = channel();
        let pipes = (child.stdin.take(), child.stdout.take());
        let said = std::thread::scope(|scope| {
            let (stdin, stdout) = pipes;
            // One that does not read its picture has its pipe broken when it is killed.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(&picture)));
            scope.spawn(move || {
                let mut said = Vec::new();
                let read = stdout.map(|stdout| stdout.take(MAX_OUTPUT.saturating_add(1)).read_to_end(&mut said));
                let _ = told.send(read.map(|read| read.map(|_| said)));
            });
            let said = match heard.recv_timeout(self.patience) {
                Ok(Some(Ok(said))) if u64::try_from(said.len()).is_ok_and(|length| length <= MAX_OUTPUT) => Ok(said),
                Ok(Some(Ok(_))) => Err(Unread::TooMuch),
                Ok(Some(Err(error))) => Err(Unread::Start(error)),
                Ok(None) => Err(Unread::Malformed("there is nothing")),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(Unread::Hung),
            };
            if said.is_err() {
                let _ = child.kill();
            }
            said
        });
        let ended = ended(&mut child, self.patience)?;
        let said = said?;
        if ended.success() { Ok(said) } else { Err(Unread::Ended(ended)) }
    }

    /// INVARIANT: it sees programs and libraries, its picture and nothing else of this machine: no file of the gate's, no network, no
    /// process but its own; it writes no file, and is another user than root.
    fn command(&self) -> Command {
        let mut jail = Command::new(&self.bwrap);
        jail.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        jail.args([
            "--die-with-parent",
            "--new-session",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-net",
        ]);
        jail.args(["--unshare-cgroup-try", "--hostname", "reader", "--ro-bind", "/usr", "/usr"]);
        for folder in ["bin", "sbin", "lib", "lib32", "lib64"] {
            let outside = Path::new("/").join(folder);
            match std::fs::read_link(&outside) {
                Ok(target) => jail.arg("--symlink").arg(target).arg(outside),
                Err(_) => jail.arg("--ro-bind-try").arg(&outside).arg(&outside),
            };
        }
        let elsewhere = !self.program.starts_with("/usr");
        if elsewhere {
            // Folders that bubblewrap makes on its way are for root alone, so they are made by name.
            jail.args(["--perms", "0755", "--dir", "/run", "--ro-bind"]).arg(&self.program).arg(ELSEWHERE);
        }
        jail.args(["--dev", "/dev", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--cap-drop", "ALL"]);
        for (name, value) in [("OMP_THREAD_LIMIT", "1"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin")] {
            jail.args(["--setenv", name, value]);
        }
        if rustix::process::geteuid().is_root() {
            jail.args(["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--"]);
            jail.arg(&self.setpriv).args(["--clear-groups", "--no-new-privs"]);
            jail.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")]);
        }
        jail.arg("--").arg(&self.prlimit);
        jail.args([format!("--as={MEMORY}"), format!("--cpu={PROCESSOR_SECONDS}")]);
        jail.args(["--fsize=0", "--core=0", "--nofile=64"]);
        let program = if elsewhere { Path::new(ELSEWHERE) } else { &self.program };
        jail.arg(&self.chrt).args(["--idle", "0"]).arg(program);
        jail.args(["-", "-", "-l", &self.languages, "--psm", "6", "--dpi", "144", "-c", "tessedit_create_tsv=1"]);
        jail
    }
}

/// Its end, which is not waited for any longer than its words were.
fn ended(child: &mut Child, patience: Duration) -> Result<std::process::ExitStatus, Unread> {
    let step = Duration::from_millis(5);
    let mut left = patience;
    loop {
        match child.try_wait().map_err(Unread::Start)? {
            Some(status) => return Ok(status),
            None if left.is_zero() => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Unread::Hung);
            }
            None => std::thread::sleep(step),
        }
        left = left.saturating_sub(step);
    }
}

fn find(program: &str) -> Result<PathBuf, ReaderError> {
    let found = match program.contains('/') {
        true => Some(PathBuf::from(program)),
        false => PATH.iter().map(|folder| Path::new(folder).join(program)).find(|path| path.is_file()),
    };
    found.filter(|path| path.is_absolute() && path.is_file()).ok_or_else(|| ReaderError::Missing(program.to_owned()))
}

/// Twice as wide and as high, smoothly.
fn doubled(luma: &[u8], width: usize) -> Vec<u8> {
    let near = |one: u8, other: u8| u8::try_from((u16::from(one) * 3 + u16::from(other) + 2) / 4).unwrap_or(one);
    let wide = |line: &[u8]| -> Vec<u8> {
        let neighbours = line.first().into_iter().chain(line).zip(line.iter().skip(1).chain(line.last()));
        line.iter()
            .zip(neighbours)
            .flat_map(|(here, (before, after))| [near(*here, *before), near(*here, *after)])
            .collect()
    };
    let lines: Vec<Vec<u8>> = luma.chunks(width.max(1)).map(wide).collect();
    let mut out = Vec::with_capacity(luma.len().saturating_mul(4));
    let neighbours = lines.first().into_iter().chain(&lines).zip(lines.iter().skip(1).chain(lines.last()));
    for (here, (above, below)) in lines.iter().zip(neighbours) {
        out.extend(here.iter().zip(above).map(|(here, above)| near(*here, *above)));
        out.extend(here.iter().zip(below).map(|(here, below)| near(*here, *below)));
    }
    out
}
