//! A git repository of policies as its keepers have it: a work tree with one branch, `main`, whose commits a test chooses.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use tempfile::TempDir;

/// A work tree, gone with the value.
#[derive(Debug)]
pub struct Repository(TempDir);

impl Repository {
    /// A repository with these files in its first commit.
    ///
    /// # Errors
    /// When git is missing or fails.
    pub fn new(files: &[(&str, &str)]) -> anyhow::Result<Self> {
        let repository = Self(tempfile::Builder::new().prefix("portcullis-policies-").tempdir()?);
        repository.git(&["init", "--quiet", "--initial-branch=main"])?;
        repository.commit(files)?;
        Ok(repository)
    }

    /// Its folder, which is a repository's address too.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    /// Runs git in it and returns what it answers.
    ///
    /// # Errors
    /// When it fails.
    pub fn git(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new("git");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").current_dir(self.0.path());
        for setting in ["user.name=Ada", "user.email=ada@example.com", "gpg.format=ssh"] {
            command.args(["-c", setting]);
        }
        let output = command.args(arguments).stdin(Stdio::null()).output().context("git")?;
        ensure!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Writes files without committing them.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write(&self, files: &[(&str, &str)]) -> anyhow::Result<()> {
        for (name, text) in files {
            let path = self.0.path().join(name);
            std::fs::create_dir_all(path.parent().context("no folder")?)?;
            std::fs::write(path, text)?;
        }
        Ok(())
    }

    /// Writes files and commits all that is there; the commit.
    ///
    /// # Errors
    /// When git fails.
    pub fn commit(&self, files: &[(&str, &str)]) -> anyhow::Result<String> {
        self.write(files)?;
        self.commit_with(&[])
    }

    /// Commits all that is there with more options of `git commit`; the commit.
    ///
    /// # Errors
    /// When git fails.
    pub fn commit_with(&self, options: &[&str]) -> anyhow::Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&[&["commit", "--quiet", "--allow-empty", "--message=policies"], options].concat())?;
        self.head()
    }

    /// Commits what is in the index and signs it with this private key; the commit.
    ///
    /// # Errors
    /// When git or ssh-keygen fails.
    pub fn commit_signed(&self, key: &Path) -> anyhow::Result<String> {
        let key = format!("user.signingKey={}", key.display());
        self.git(&["add", "--all"])?;
        self.git(&["-c", &key, "commit", "--quiet", "--allow-empty", "--message=policies", "--gpg-sign"])?;
        self.head()
    }

    /// Commits ten folders in each other, ten times over: few objects, and as many files as nobody can list; the commit.
    ///
    /// # Errors
    /// When git fails.
    pub fn bomb(&self) -> anyhow::Result<String> {
        let script = r#"
            entries() { for name in 0 1 2 3 4 5 6 7 8 9; do printf '%s\t%s.md\n' "$1" "$name"; done; }
            tree=$(entries "100644 blob $(git hash-object -w --stdin </dev/null)" | git mktree)
            for level in 1 2 3 4 5 6 7 8 9; do tree=$(entries "040000 tree $tree" | git mktree); done
            git update-ref HEAD "$(git -c user.name=Ada -c user.email=ada@example.com commit-tree -p HEAD -m bomb "$tree")""#;
        let output = Command::new("sh").args(["-ec", script]).current_dir(self.0.path()).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.head()
    }

    /// Undoes the last commit as its keepers do; the commit that does so.
    ///
    /// # Errors
    /// When git fails.
    pub fn revert(&self) -> anyhow::Result<String> {
        self.git(&["revert", "--no-edit", "HEAD"])?;
        self.head()
    }

    /// The tip of `main`.
    ///
    /// # Errors
    /// When git fails.
    pub fn head(&self) -> anyhow::Result<String> {
        self.git(&["rev-parse", "HEAD"])
    }
}

/// Makes an SSH key pair without a passphrase at `path` and `path.pub`; the public half.
///
/// # Errors
/// When ssh-keygen is missing or fails.
pub fn ssh_key(path: &Path) -> anyhow::Result<String> {
    let output = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .context("ssh-keygen")?;
    ensure!(output.status.success(), "ssh-keygen: {}", String::from_utf8_lossy(&output.stderr));
    Ok(std::fs::read_to_string(path.with_extension("pub"))?.trim().to_owned())
}
