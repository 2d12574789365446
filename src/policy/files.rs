//! The files of a policy folder: `*.yaml` and `*.yml` are policies, those in folders named `tests` are cases, others lists of words where policies name them.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use portcullis_policy::{MAX_FILE_BYTES, MAX_FILES, PolicyFile};

/// Folders in folders that are looked into.
const DEEPEST: usize = 8;
/// Files and folders of one folder that are looked at.
const MOST_ENTRIES: usize = 4 * MAX_FILES;

/// The files of a folder, or of a commit, by their paths below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) policies: Vec<PolicyFile>,
    pub(super) cases: Vec<PolicyFile>,
    /// The lists of words that the policies name, as far as they are there.
    pub(super) lists: Vec<PolicyFile>,
}

/// What a file is, by its path below the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Policy,
    Cases,
    Other,
}

impl Kind {
    /// What a file with this path is.
    pub(super) fn of(path: &str) -> Self {
        let mut folders = path.split('/');
        let name = folders.next_back().unwrap_or_default();
        let yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        let hidden = name.starts_with('.') || folders.clone().any(|folder| folder.starts_with('.'));
        match (yaml && !hidden, folders.any(|folder| folder == "tests")) {
            (false, _) => Self::Other,
            (true, true) => Self::Cases,
            (true, false) => Self::Policy,
        }
    }
}

impl Found {
    /// Takes a file in.
    pub(super) fn add(&mut self, name: String, text: String) -> anyhow::Result<()> {
        let to = match Kind::of(&name) {
            Kind::Policy => &mut self.policies,
            Kind::Cases => &mut self.cases,
            Kind::Other => return Ok(()),
        };
        ensure!(to.len() < MAX_FILES, "{name}: there are more than {MAX_FILES} such files");
        to.push(PolicyFile { name, text });
        Ok(())
    }
}

/// Reads a folder and those in it.
pub(super) fn read(folder: &Path) -> anyhow::Result<Found> {
    let mut found = Found::default();
    walk(folder, "", DEEPEST, &mut found)
        .with_context(|| format!("the policy folder {} cannot be read", folder.display()))?;
    found.policies.sort_by(|a, b| a.name.cmp(&b.name));
    found.cases.sort_by(|a, b| a.name.cmp(&b.name));
    for list in portcullis_policy::lists(&found.policies) {
        let text = words(folder, &list).with_context(|| format!("the list of words {list} cannot be read"))?;
        found.lists.extend(text.map(|text| PolicyFile { name: list, text }));
    }
    Ok(found)
}

/// The text of a list of words; none if there is no such file, which its policy's own fault says.
fn words(folder: &Path, list: &str) -> anyhow::Result<Option<String>> {
    let mut path = folder.to_owned();
    let mut metadata = None;
    for part in list.split('/') {
        path.push(part);
        let Ok(here) = std::fs::symlink_metadata(&path) else { return Ok(None) };
        // As with policies: what was reviewed is what counts.
        ensure!(!here.is_symlink(), "{} is a link: lists are plain files in the folder itself", path.display());
        metadata = Some(here);
    }
    let Some(metadata) = metadata.filter(std::fs::Metadata::is_file) else { return Ok(None) };
    let most = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX);
    ensure!(metadata.len() <= most, "it is over the {MAX_FILE_BYTES} bytes that a file may have");
    Ok(Some(std::fs::read_to_string(&path).context("it is no UTF-8 text")?))
}

fn walk(folder: &Path, below: &str, depth: usize, found: &mut Found) -> anyhow::Result<()> {
    for (count, entry) in std::fs::read_dir(folder)?.enumerate() {
        ensure!(count < MOST_ENTRIES, "{below}: there are more than {MOST_ENTRIES} files and folders in it");
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{below}{name}");
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            ensure!(depth > 0, "{path}: there are more than {DEEPEST} folders in each other");
            walk(&entry.path(), &format!("{path}/"), depth.saturating_sub(1), found)?;
            continue;
        }
        // A link could lead out of the folder that was reviewed, to a folder of policies as well as to a file.
        if metadata.is_symlink() {
            bail!("{path} is a link: policies are plain files in the folder itself");
        }
        if Kind::of(&path) == Kind::Other {
            continue;
        }
        ensure!(metadata.is_file(), "{path} is not a plain file");
        let most = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX);
        ensure!(metadata.len() <= most, "{path} is over the {MAX_FILE_BYTES} bytes that a file may have");
        let text =
            std::fs::read_to_string(entry.path()).with_context(|| format!("{path} cannot be read as UTF-8 text"))?;
        found.add(path, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_say_what_a_file_is() {
        for (path, kind) in [
            ("users.yaml", Kind::Policy),
            ("teams/users.yml", Kind::Policy),
            ("tests/users.yaml", Kind::Cases),
            ("teams/tests/more/users.yaml", Kind::Cases),
            ("tests.yaml", Kind::Policy),
            ("README.md", Kind::Other),
            (".hidden.yaml", Kind::Other),
            (".github/workflows/ci.yaml", Kind::Other),
            ("tests/.github/ci.yaml", Kind::Other),
        ] {
            assert_eq!(Kind::of(path), kind, "{path}");
        }
    }

    #[test]
    fn folders_are_read_with_those_in_them_and_links_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("teams/tests")).unwrap();
        std::fs::create_dir_all(at(".git")).unwrap();
        for name in ["b.yaml", "teams/a.yaml", "teams/tests/a.yaml", ".git/config.yaml", "README.md"] {
            std::fs::write(at(name), name).unwrap();
        }
        let found = read(folder.path()).unwrap();
        let names = |files: &[PolicyFile]| files.iter().map(|file| file.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found.policies), ["b.yaml", "teams/a.yaml"]);
        assert_eq!(names(&found.cases), ["teams/tests/a.yaml"]);
        assert_eq!(found.policies[1].text, "teams/a.yaml");
        assert!(found.lists.is_empty());
        std::fs::create_dir(at("lists")).unwrap();
        std::fs::write(at("lists/names.txt"), "nightfall").unwrap();
        let deny =
            "deny: [{actions: [paste], containing: ['words:lists/names.txt', 'words:gone.txt', 'words:link.txt']}]";
        std::fs::write(at("b.yaml"), deny).unwrap();
        let list = PolicyFile { name: "lists/names.txt".into(), text: "nightfall".into() };
        assert_eq!(read(folder.path()).unwrap().lists, [list]);
        std::os::unix::fs::symlink("/etc/hostname", at("link.txt")).unwrap();
        assert!(format!("{:#}", read(folder.path()).unwrap_err()).contains("link.txt is a link"));
        std::fs::remove_file(at("link.txt")).unwrap();
        std::os::unix::fs::symlink(at("b.yaml"), at("c.yaml")).unwrap();
        assert!(format!("{:#}", read(folder.path()).unwrap_err()).contains("c.yaml is a link"));
        std::fs::remove_file(at("c.yaml")).unwrap();
        std::os::unix::fs::symlink("/etc", at("more")).unwrap();
        assert!(format!("{:#}", read(folder.path()).unwrap_err()).contains("more is a link"));
    }
}
