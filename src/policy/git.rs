//! The one place that runs `git`: reading policies at a commit, and which commit a line comes from.
//!
//! Only commands that read are run, with an environment of their own: no hooks, no pager, no filters, no prompts, nothing fetched, and
//! nothing of the caller's `GIT_*` variables, which could point to another repository.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow, bail, ensure};
use portcullis_policy::MAX_FILE_BYTES;

use super::files::{Found, Kind};

/// Bytes of git's answers; one that is longer is refused.
const MOST_ANSWER: u64 = 256 * 1024 * 1024;
/// Hexadecimal digits of a commit that people are shown.
const SHOWN: usize = 12;

/// A folder in a repository.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    folder: PathBuf,
    /// The folder's path in the repository, with a slash behind it; empty for the root.
    prefix: String,
}

impl Repository {
    /// The repository that a folder lies in.
    ///
    /// # Errors
    /// When git is not there, or the folder is in no repository that it trusts.
    pub(super) fn of(folder: &Path) -> anyhow::Result<Self> {
        let prefix = ask(folder, &["rev-parse", "--show-prefix"], &[])?;
        let prefix = String::from_utf8(prefix).context("the folder's path is not UTF-8")?;
        Ok(Self { folder: folder.to_owned(), prefix: prefix.trim_end_matches('\n').to_owned() })
    }

    /// The full name of the commit that a revision names.
    ///
    /// # Errors
    /// When there is no such commit.
    pub(super) fn commit(&self, revision: &str) -> anyhow::Result<String> {
        // What begins with a dash would be an option to git.
        ensure!(!revision.starts_with('-') && !revision.is_empty(), "{revision:?} names no commit");
        let commit = ask(&self.folder, &["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")], &[])
            .with_context(|| format!("{revision:?} names no commit here"))?;
        Ok(String::from_utf8_lossy(&commit).trim().to_owned())
    }

    /// The files of this folder as they are in a commit.
    ///
    /// # Errors
    /// When a policy is no plain file there, or too large, or not UTF-8.
    pub(super) fn read(&self, commit: &str) -> anyhow::Result<Found> {
        let tree = format!("{commit}:{}", self.prefix.trim_end_matches('/'));
        let listed = ask(&self.folder, &["ls-tree", "-r", "-z", "-l", "--full-tree", &tree], &[])
            .with_context(|| format!("the folder is not in commit {}", short(commit)))?;
        let mut blobs = Vec::new();
        for entry in listed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            blobs.extend(blob(entry)?);
        }
        let asked: Vec<u8> = blobs.iter().flat_map(|blob| format!("{}\n", blob.object).into_bytes()).collect();
        let answer = ask(&self.folder, &["cat-file", "--batch"], &asked)?;
        let mut rest = answer.as_slice();
        let mut found = Found::default();
        for blob in blobs {
            let text = content(&mut rest).with_context(|| format!("{} cannot be read", blob.path))?;
            found.add(blob.path, text)?;
        }
        Ok(found)
    }

    /// For each line of a file, from the first, the commit that it comes from.
    ///
    /// # Errors
    /// When the file is not in the commit.
    pub(super) fn lines(&self, commit: &str, file: &str) -> anyhow::Result<HashMap<u32, String>> {
        // Blame's paths are relative to where git runs, which is the folder.
        let told = ask(&self.folder, &["blame", "--porcelain", "--no-textconv", commit, "--", file], &[])?;
        let mut lines = HashMap::new();
        for line in String::from_utf8_lossy(&told).lines() {
            // `<commit> <line then> <line now> [<count>]`; the lines themselves begin with a tab.
            let words: Vec<&str> = line.split(' ').collect();
            if let [commit, _, now, ..] = words.as_slice()
                && commit.len() >= 40
                && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
                && let Ok(now) = now.parse()
            {
                lines.insert(now, (*commit).to_owned());
            }
        }
        Ok(lines)
    }
}

/// A commit's name as people are shown it.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..SHOWN).unwrap_or(commit)
}

/// A file of a commit.
struct Blob {
    object: String,
    path: String,
}

/// `<mode> <type> <object> <size>\t<path>`; nothing for what is neither policy nor case.
fn blob(entry: &[u8]) -> anyhow::Result<Option<Blob>> {
    let entry = std::str::from_utf8(entry).context("a path in the repository is not UTF-8")?;
    let (head, path) = entry.split_once('\t').ok_or_else(|| anyhow!("git listed {entry:?}"))?;
    let words: Vec<&str> = head.split_whitespace().collect();
    let [mode, kind, object, size] = words.as_slice() else { bail!("git listed {entry:?}") };
    let hidden = path.split('/').any(|name| name.starts_with('.'));
    match (*mode, *kind) {
        _ if hidden => return Ok(None),
        // A link could lead out of the folder that was reviewed, a submodule out of the repository.
        ("120000", _) => bail!("{path} is a link: policies are plain files in the folder itself"),
        (_, "commit") => bail!("{path} is a submodule: policies are plain files in the folder itself"),
        _ if Kind::of(path) == Kind::Other => return Ok(None),
        (_, "blob") => {}
        _ => bail!("{path} is not a plain file"),
    }
    let size: usize = size.parse().with_context(|| format!("git listed {entry:?}"))?;
    ensure!(size <= MAX_FILE_BYTES, "{path} is over the {MAX_FILE_BYTES} bytes that a file may have");
    Ok(Some(Blob { object: (*object).to_owned(), path: path.to_owned() }))
}

/// Takes the next object off `cat-file --batch`: `<object> blob <size>\n<bytes>\n`.
fn content(rest: &mut &[u8]) -> anyhow::Result<String> {
    let end = rest.iter().position(|byte| *byte == b'\n').context("git's answer is cut short")?;
    let head = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
    let size: usize =
        head.rsplit(' ').next().and_then(|size| size.parse().ok()).with_context(|| format!("git said {head:?}"))?;
    let from = end.saturating_add(1);
    let bytes = from.checked_add(size).and_then(|to| rest.get(from..to)).context("git's answer is cut short")?;
    let text = std::str::from_utf8(bytes).context("it is not UTF-8 text")?.to_owned();
    *rest = rest.get(from.saturating_add(size).saturating_add(1)..).unwrap_or_default();
    Ok(text)
}

/// Runs git in a folder with this input and returns what it answers.
fn ask(folder: &Path, arguments: &[&str], input: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut command = Command::new("git");
    command.env_clear().envs(["PATH", "HOME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.envs([
        ("LC_ALL", "C"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_LITERAL_PATHSPECS", "1"),
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_NO_REPLACE_OBJECTS", "1"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_TERMINAL_PROMPT", "0"),
    ]);
    command.arg("--no-pager").arg("-C").arg(folder);
    for setting in ["core.hooksPath=/dev/null", "core.fsmonitor=false", "blame.ignoreRevsFile=", "protocol.allow=never"]
    {
        command.args(["-c", setting]);
    }
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("git cannot be run: install it, or give folders")?;
    let (mut stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut answer, mut complaint) = (Vec::new(), String::new());
    std::thread::scope(|scope| {
        // git may answer before it has read all: all three are served at once, or both would wait for ever.
        scope.spawn(move || stdin.take().map(|mut stdin| stdin.write_all(input)));
        scope.spawn(|| stderr.map(|stderr| stderr.take(4096).read_to_string(&mut complaint)));
        stdout.map(|stdout| stdout.take(MOST_ANSWER).read_to_end(&mut answer))
    })
    .transpose()?;
    ensure!(u64::try_from(answer.len()).unwrap_or(u64::MAX) < MOST_ANSWER, "git's answer is over {MOST_ANSWER} bytes");
    let status = child.wait()?;
    ensure!(status.success(), "git {} failed: {}", arguments.first().unwrap_or(&""), complaint.trim());
    Ok(answer)
}
