//! `[policies]`: the git repository that a gate follows, as an operator writes it.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

/// Bytes of a file that holds a secret.
const MAX_SECRET: u64 = 4096;
/// The least that a webhook's secret must have, in bytes: anybody may try.
const MIN_WEBHOOK_SECRET: usize = 16;
/// The bits of a file's mode that let everybody in.
const EVERYBODY: u32 = 0o007;

/// `[policies]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policies {
    pub(crate) repository: String,
    pub(crate) branch: String,
    pub(crate) folder: String,
    pub(crate) poll_seconds: u64,
    pub(crate) fetch_seconds: u64,
    pub(crate) max_mib: u64,
    pub(crate) rewritten: bool,
    pub(crate) signers: PathBuf,
    pub(crate) webhook_secret_file: PathBuf,
    pub(crate) user: String,
    pub(crate) token_file: PathBuf,
    pub(crate) ca_file: PathBuf,
    pub(crate) ssh_key_file: PathBuf,
    pub(crate) ssh_known_hosts_file: PathBuf,
}

/// How a repository is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// A folder of this machine: `/path` or `file:///path`.
    File,
    /// `https://host/path`.
    Https,
    /// `ssh://[user@]host/path` or `user@host:path`.
    Ssh,
}

impl Transport {
    /// Git's word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Https => "https",
            Self::Ssh => "ssh",
        }
    }

    /// The transport of an address; every other way to name a repository is refused.
    pub(crate) fn of(repository: &str) -> anyhow::Result<Self> {
        ensure!(
            repository.chars().all(|c| c.is_ascii_graphic()) && !repository.contains("::"),
            "`policies.repository` must be printable ASCII without spaces and without `::`"
        );
        if let Some(rest) = repository.strip_prefix("https://") {
            let authority = rest.split('/').next().unwrap_or_default();
            ensure!(
                !authority.contains('@'),
                "`policies.repository` holds no credentials: name them in `policies.token_file`"
            );
            ensure!(is_host(authority), "`policies.repository` has no host");
            return Ok(Self::Https);
        }
        if let Some(rest) = repository.strip_prefix("ssh://") {
            let authority = rest.split('/').next().unwrap_or_default();
            let (user, host) = authority.split_once('@').unwrap_or(("git", authority));
            ensure!(is_word(user), "`policies.repository` has a user that is no plain name, or a password");
            ensure!(is_host(host), "`policies.repository` has no host");
            return Ok(Self::Ssh);
        }
        if repository.starts_with('/') || repository.starts_with("file:///") {
            return Ok(Self::File);
        }
        let before = repository.split(['/', ':']).next().unwrap_or_default();
        if let Some((user, host)) = before.split_once('@')
            && repository.get(before.len()..).is_some_and(|rest| rest.starts_with(':'))
            && is_word(user)
            && is_host(host)
        {
            return Ok(Self::Ssh);
        }
        bail!(
            "`policies.repository` must be an absolute path, file:///path, https://host/path, ssh://user@host/path or user@host:path"
        )
    }
}

/// What may stand where an option could: never a dash first.
fn is_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !text.is_empty() && !text.starts_with('-') && text.chars().all(plain)
}

/// A name or an address, perhaps with a port.
fn is_host(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '[' | ']');
    !text.is_empty() && !text.starts_with(['-', ':']) && text.chars().all(plain)
}

impl Policies {
    /// Whether a repository is followed at all.
    pub(crate) fn is_set(&self) -> bool {
        !self.repository.is_empty()
    }

    /// Whether commits count only when an allowed signer has signed them.
    pub(crate) fn signed(&self) -> bool {
        !self.signers.as_os_str().is_empty()
    }

    /// Refuses what could not work, and a folder beside the repository.
    pub(super) fn check(&self, folder: &Path) -> anyhow::Result<()> {
        if !self.is_set() {
            let given = !self.webhook_secret_file.as_os_str().is_empty() || self.signed();
            ensure!(!given, "`policies.signers` and `policies.webhook_secret_file` are for a `policies.repository`");
            return Ok(());
        }
        ensure!(folder.as_os_str().is_empty(), "`policy` and `policies.repository` are both given: keep one of them");
        let transport = Transport::of(&self.repository)?;
        ensure!(is_branch(&self.branch), "`policies.branch` is no name of a branch");
        ensure!(is_folder(&self.folder), "`policies.folder` must be a path in the repository, such as `gate/policies`");
        for (key, value, most) in [
            ("poll_seconds", self.poll_seconds, 3600),
            ("fetch_seconds", self.fetch_seconds, 600),
            ("max_mib", self.max_mib, 4096),
        ] {
            ensure!((1..=most).contains(&value), "`policies.{key}` must be from 1 to {most}");
        }
        for (key, path, of) in [
            ("token_file", &self.token_file, Transport::Https),
            ("ca_file", &self.ca_file, Transport::Https),
            ("ssh_key_file", &self.ssh_key_file, Transport::Ssh),
            ("ssh_known_hosts_file", &self.ssh_known_hosts_file, Transport::Ssh),
        ] {
            let given = !path.as_os_str().is_empty();
            ensure!(!given || of == transport, "`policies.{key}` is for a repository by {}", of.name());
            ensure!(
                given || of != Transport::Ssh || transport != Transport::Ssh,
                "`policies.{key}` is missing: ssh needs it"
            );
            // These become words of a command line that ssh and git take apart at spaces, quotes and percent signs.
            ensure!(is_path(path), "`policies.{key}` must be an absolute path of letters, digits and ./_+@=-");
        }
        ensure!(is_path(&self.signers), "`policies.signers` must be an absolute path of letters, digits and ./_+@=-");
        ensure!(
            !self.user.is_empty() && !self.user.contains(':') && self.user.chars().all(|c| c.is_ascii_graphic()),
            "`policies.user` must be printable ASCII without a colon"
        );
        Ok(())
    }

    /// The secret of webhooks; nothing where none are taken.
    pub(crate) fn webhook_secret(&self) -> anyhow::Result<Option<String>> {
        let Some(secret) = secret("policies.webhook_secret_file", &self.webhook_secret_file)? else { return Ok(None) };
        ensure!(
            secret.len() >= MIN_WEBHOOK_SECRET,
            "`policies.webhook_secret_file` must hold at least {MIN_WEBHOOK_SECRET} characters: `openssl rand -hex 32` makes good ones"
        );
        Ok(Some(secret))
    }

    /// The token for https, read anew each time so that it can be changed while the gate runs.
    pub(crate) fn token(&self) -> anyhow::Result<Option<String>> {
        secret("policies.token_file", &self.token_file)
    }
}

/// One line out of a file that not everybody may read; nothing where no file is named.
pub(super) fn secret(key: &str, path: &Path) -> anyhow::Result<Option<String>> {
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let place = || format!("`{key}`, {}, cannot be read", path.display());
    let file = std::fs::File::open(path).with_context(place)?;
    let metadata = file.metadata().with_context(place)?;
    ensure!(metadata.is_file(), "`{key}`, {}, is not a file", path.display());
    ensure!(metadata.mode() & EVERYBODY == 0, "everybody on this machine may read {}: chmod o= it", path.display());
    let mut text = String::new();
    file.take(MAX_SECRET).read_to_string(&mut text).with_context(place)?;
    let line = text.trim_end_matches(['\r', '\n']);
    let good = !line.is_empty() && line.chars().all(|c| c.is_ascii_graphic());
    ensure!(good, "`{key}`, {}, must hold one line of printable ASCII without spaces", path.display());
    Ok(Some(line.to_owned()))
}

/// What git takes for the name of a branch, less what could be read as a pattern or an option.
fn is_branch(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '+' | '#' | '@' | '=');
    let part =
        |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock") && !part.ends_with('.');
    !name.starts_with('-')
        && name.len() <= 200
        && name.chars().all(plain)
        && !name.contains("..")
        && !name.contains("@{")
        && name.split('/').all(part)
}

/// A path below the root of a repository; empty for the root itself.
fn is_folder(path: &str) -> bool {
    let part = |part: &str| !matches!(part, "" | "." | "..") && !part.chars().any(|c| c.is_control() || c == ':');
    path.is_empty() || path.split('/').all(part)
}

fn is_path(path: &Path) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./_+@=-".contains(c);
    path.as_os_str().is_empty() || path.is_absolute() && path.to_str().is_some_and(|path| path.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::Config;

    fn checked(toml: &str) -> Result<(), String> {
        let config = Config::parse(&format!("[policies]\n{toml}")).map_err(|error| error.to_string())?;
        config.policies.check(Path::new("")).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_have_a_transport_or_are_refused() {
        for (address, transport) in [
            ("/srv/policies.git", Transport::File),
            ("file:///srv/policies.git", Transport::File),
            ("https://git.example.org/a/b.git", Transport::Https),
            ("https://[2001:db8::1]:8443/a", Transport::Https),
            ("ssh://git@git.example.org:2222/a.git", Transport::Ssh),
            ("git@git.example.org:a/b.git", Transport::Ssh),
        ] {
            // What an IPv6 address needs is what a remote helper is called by: such hosts have a name.
            let expected = if address.contains("::") { None } else { Some(transport) };
            assert_eq!(Transport::of(address).ok(), expected, "{address}");
        }
        for address in [
            "",
            "policies",
            "../policies",
            "http://git.example.org/a",
            "git://git.example.org/a",
            "ext::sh -c id",
            "ext::sh",
            "https://",
            "https://user:word@git.example.org/a",
            "https://token@git.example.org/a",
            "-uall",
            "ssh://-oProxyCommand=id/a",
            "ssh://a:b@host/a",
            "-o@host:a",
            "a@-o:b",
            "file://host/a",
            "git@host/a:b",
            "/srv/a b",
        ] {
            assert!(Transport::of(address).is_err(), "{address}");
        }
    }

    #[test]
    fn what_could_not_work_is_refused_by_its_key() {
        let https = "repository = \"https://git.example.org/a\"\n";
        let ssh = "repository = \"git@git.example.org:a\"\nssh_key_file = \"/k\"\n";
        for (toml, key) in [
            (format!("{https}branch = \"a*\""), "policies.branch"),
            (format!("{https}branch = \"-a\""), "policies.branch"),
            (format!("{https}branch = \"a..b\""), "policies.branch"),
            (format!("{https}folder = \"../a\""), "policies.folder"),
            (format!("{https}folder = \"/a\""), "policies.folder"),
            (format!("{https}poll_seconds = 0"), "policies.poll_seconds"),
            (format!("{https}max_mib = 0"), "policies.max_mib"),
            (format!("{https}ssh_key_file = \"/k\""), "policies.ssh_key_file"),
            (format!("{https}ca_file = \"/a b\""), "policies.ca_file"),
            (format!("{https}signers = \"signers\""), "policies.signers"),
            (format!("{https}user = \"a:b\""), "policies.user"),
            (ssh.to_owned(), "policies.ssh_known_hosts_file"),
            (format!("{ssh}ssh_known_hosts_file = \"/a -oProxyCommand=id\""), "policies.ssh_known_hosts_file"),
            ("webhook_secret_file = \"/s\"".to_owned(), "policies.webhook_secret_file"),
            ("sign = \"/s\"".to_owned(), "policies.sign"),
        ] {
            let error = checked(&toml).unwrap_err();
            assert!(error.contains(key), "{toml}: {error}");
        }
        checked(&format!("{https}branch = \"release/1.0\"\nfolder = \"gate/policies\"")).unwrap();
        let error =
            Config::parse(&format!("[policies]\n{https}")).unwrap().policies.check(Path::new("/p")).unwrap_err();
        assert!(error.to_string().contains("keep one of them"), "{error}");
    }

    #[test]
    fn a_secret_is_one_line_that_not_everybody_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let with = |text: &str, mode: u32| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            secret("key", &path).map_err(|error| error.to_string())
        };
        assert_eq!(with("abc\n", 0o600), Ok(Some("abc".to_owned())));
        assert!(with("abc\n", 0o604).unwrap_err().contains("everybody"));
        for text in ["", "\n", "a b\n", "a\nb\n", "\u{e4}\n"] {
            assert!(with(text, 0o600).unwrap_err().contains("one line"), "{text:?}");
        }
        assert_eq!(secret("key", Path::new("")).unwrap(), None);
    }
}
