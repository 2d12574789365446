//! The one place that runs `git`: reading policies at a commit, which commit a line comes from, and the mirror of a repository.
//!
//! Commands have an environment of their own: no hooks, no pager, no filters, no prompts, and nothing of the caller's `GIT_*` variables,
//! which could point to another repository. Only the mirror fetches.

mod mirror;
mod remote;
mod run;
mod signature;

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, anyhow, bail, ensure};
use portcullis_policy::{MAX_FILE_BYTES, PolicyFile};

use super::files::{Found, Kind};
pub(super) use mirror::Mirror;
use run::Place;
pub(super) use signature::verify as verify_signature;

/// Bytes that the policies and cases of a commit may have together, and its lists of words.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Hexadecimal digits of a commit that people are shown.
const SHOWN: usize = 12;

/// A folder in a repository.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    place: Place,
    /// The folder's path in the repository, with a slash behind it; empty for the root.
    prefix: String,
}

impl Repository {
    /// The repository that a folder lies in.
    ///
    /// # Errors
    /// When git is not there, or the folder is in no repository that it trusts.
    pub(super) fn of(folder: &Path) -> anyhow::Result<Self> {
        let place = Place::Folder(folder.to_owned());
        let prefix = place.ask(&["rev-parse", "--show-prefix"], &[])?;
        let prefix = String::from_utf8(prefix).context("the folder's path is not UTF-8")?;
        Ok(Self { place, prefix: prefix.trim_end_matches('\n').to_owned() })
    }

    /// The full name of the commit that a revision names.
    ///
    /// # Errors
    /// When there is no such commit.
    pub(super) fn commit(&self, revision: &str) -> anyhow::Result<String> {
        // What begins with a dash would be an option to git.
        ensure!(!revision.starts_with('-') && !revision.is_empty(), "{revision:?} names no commit");
        let commit = self
            .place
            .ask(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")], &[])
            .with_context(|| format!("{revision:?} names no commit here"))?;
        Ok(String::from_utf8_lossy(&commit).trim().to_owned())
    }

    /// The files of this folder as they are in a commit.
    ///
    /// # Errors
    /// When a policy is no plain file there, or too large, or not UTF-8.
    pub(super) fn read(&self, commit: &str) -> anyhow::Result<Found> {
        let tree = format!("{commit}:{}", self.prefix.trim_end_matches('/'));
        let listed = self
            .place
            .ask(&["ls-tree", "-r", "-z", "-l", "--full-tree", &tree], &[])
            .with_context(|| format!("the folder cannot be listed in commit {}", short(commit)))?;
        let mut found = Found::default();
        for (path, text) in self.blobs(&listed, |path| Kind::of(path) != Kind::Other)? {
            found.add(path, text)?;
        }
        let named = portcullis_policy::lists(&found.policies);
        if !named.is_empty() {
            let lists = self.blobs(&listed, |path| named.contains(path))?;
            found.lists = lists.into_iter().map(|(name, text)| PolicyFile { name, text }).collect();
        }
        Ok(found)
    }

    /// The files of a listing whose paths are wanted.
    fn blobs(&self, listed: &[u8], wanted: impl Fn(&str) -> bool) -> anyhow::Result<Vec<(String, String)>> {
        let mut blobs = Vec::new();
        for entry in listed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            blobs.extend(blob(entry, &wanted)?);
        }
        let bytes = blobs.iter().fold(0, |sum: usize, blob| sum.saturating_add(blob.size));
        ensure!(bytes <= MOST_BYTES, "the files have {bytes} bytes together, over the {MOST_BYTES} that they may");
        let asked: Vec<u8> = blobs.iter().flat_map(|blob| format!("{}\n", blob.object).into_bytes()).collect();
        let answer = self.place.ask(&["cat-file", "--batch"], &asked)?;
        let mut rest = answer.as_slice();
        let mut texts = Vec::new();
        for blob in blobs {
            let text = content(&mut rest).with_context(|| format!("{} cannot be read", blob.path))?;
            texts.push((blob.path, text));
        }
        Ok(texts)
    }

    /// For each line of a file, from the first, the commit that it comes from.
    ///
    /// # Errors
    /// When the file is not in the commit.
    pub(super) fn lines(&self, commit: &str, file: &str) -> anyhow::Result<HashMap<u32, String>> {
        // Blame's paths are relative to where git runs, which is the folder.
        let told = self.place.ask(&["blame", "--porcelain", "--no-textconv", commit, "--", file], &[])?;
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
    size: usize,
}

/// `<mode> <type> <object> <size>\t<path>`; nothing for what is not wanted.
fn blob(entry: &[u8], wanted: impl Fn(&str) -> bool) -> anyhow::Result<Option<Blob>> {
    let entry = std::str::from_utf8(entry)
        .map_err(|_| anyhow!("a path in the repository is not UTF-8: {:?}", String::from_utf8_lossy(entry)))?;
    let (head, path) = entry.split_once('\t').ok_or_else(|| anyhow!("git listed {entry:?}"))?;
    let words: Vec<&str> = head.split_whitespace().collect();
    let [mode, kind, object, size] = words.as_slice() else { bail!("git listed {entry:?}") };
    let hidden = path.split('/').any(|name| name.starts_with('.'));
    match (*mode, *kind) {
        _ if hidden => return Ok(None),
        // A link could lead out of the folder that was reviewed, a submodule out of the repository.
        ("120000", _) => bail!("{path} is a link: policies are plain files in the folder itself"),
        (_, "commit") => bail!("{path} is a submodule: policies are plain files in the folder itself"),
        _ if !wanted(path) => return Ok(None),
        // Paths are shown in rules, events and logs.
        _ if path.chars().any(char::is_control) => bail!("{path:?} has control characters in it"),
        (_, "blob") => {}
        _ => bail!("{path} is not a plain file"),
    }
    let size: usize = size.parse().with_context(|| format!("git listed {entry:?}"))?;
    ensure!(size <= MAX_FILE_BYTES, "{path} is over the {MAX_FILE_BYTES} bytes that a file may have");
    Ok(Some(Blob { object: (*object).to_owned(), path: path.to_owned(), size }))
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
