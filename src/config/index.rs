//! `[index]` and `[[auditors]]`: where the portal's index lives, and who may look at which recordings.

use std::path::PathBuf;

use anyhow::bail;
use portcullis_policy::Glob;
use portcullis_web::{AuditorScope, Database, Postgres};
use serde::Deserialize;

use super::policies::secret;

/// The variable that may hold the password.
const PASSWORD: &str = "PORTCULLIS_INDEX_PASSWORD";

/// `[index]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IndexPlace {
    url: String,
    password_file: PathBuf,
}

/// One of `[[auditors]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Auditors {
    group: String,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    desktops: Vec<String>,
}

impl IndexPlace {
    /// Refuses what could not be meant, and a password where it would be read by whoever reads the configuration.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.url.is_empty() {
            if !self.password_file.as_os_str().is_empty() {
                bail!("`index.password_file` is for a database that `index.url` names");
            }
            return Ok(());
        }
        let Some(rest) = self.url.strip_prefix("postgres://").or_else(|| self.url.strip_prefix("postgresql://")) else {
            bail!("`index.url` begins with postgres://; left empty, the index is a SQLite file in the data folder");
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        if user.contains(':') || rest.contains("password=") {
            bail!("`index.url` has a password in it: it belongs in `index.password_file` or {PASSWORD}");
        }
        Ok(())
    }

    /// The database; `file` is where SQLite's lies.
    pub(crate) fn database(&self, file: PathBuf) -> anyhow::Result<Database> {
        if self.url.is_empty() {
            return Ok(Database::Sqlite(file));
        }
        let in_file = secret("index.password_file", &self.password_file)?;
        let password = in_file.or_else(|| std::env::var(PASSWORD).ok().filter(|password| !password.is_empty()));
        Ok(Database::Postgres(Postgres { url: self.url.clone(), password }))
    }
}

impl Auditors {
    /// As the portal wants it.
    pub(crate) fn scope(&self) -> AuditorScope {
        let desktops = self.desktops.iter().map(|glob| Glob::new(glob)).collect();
        AuditorScope { group: self.group.clone(), groups: self.groups.clone(), desktops }
    }
}

/// Refuses a table that names nobody, or everything.
pub(super) fn check(auditors: &[Auditors]) -> anyhow::Result<()> {
    for (n, one) in auditors.iter().enumerate() {
        let entry = n.saturating_add(1);
        let names = one.groups.iter().chain(&one.desktops);
        if one.group.is_empty() || names.clone().any(String::is_empty) {
            bail!("`auditors`, entry {entry}: `group`, and each of `groups` and `desktops`, is a name");
        }
        if names.count() == 0 {
            bail!(
                "`auditors`, entry {entry}: say whose recordings by `groups` or `desktops`; `sign_in.auditors` see all"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn checked(text: &str) -> Result<Config, String> {
        let mut config = Config::parse(text).map_err(|error| error.to_string())?;
        config.data = "/nowhere".into();
        config.settle().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn a_password_is_never_in_the_configuration() {
        for url in [
            "postgres://gate:hunter2@db.example/portal",
            "postgresql://gate:hunter2@/portal?host=/run/postgresql",
            "postgres://gate@db.example/portal?password=hunter2",
        ] {
            let error = checked(&format!("[index]\nurl = \"{url}\"\n")).unwrap_err();
            assert!(error.contains("index.password_file") && !error.contains("hunter2"), "{error}");
        }
        let error = checked("[index]\nurl = \"mysql://db.example/portal\"\n").unwrap_err();
        assert!(error.contains("postgres://"), "{error}");
        assert!(checked("[index]\npassword_file = \"/x\"\n").unwrap_err().contains("index.url"));
    }

    #[test]
    fn a_password_comes_from_its_file_and_shows_nowhere() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "hunter2\n").unwrap();
        // As a temporary file is: its owner's alone.
        let url = "postgres://gate@db.example:6432/portal?sslrootcert=/etc/db.pem";
        let text = format!("[index]\nurl = \"{url}\"\npassword_file = \"{}\"\n", file.path().display());
        let config = checked(&text).unwrap();
        let database = config.index.database("/nowhere".into()).unwrap();
        let portcullis_web::Database::Postgres(at) = &database else { panic!("{database:?}") };
        assert_eq!((at.url.as_str(), at.password.as_deref()), (url, Some("hunter2")));
        assert!(!format!("{database:?} {config:?}").contains("hunter2"));
    }

    #[test]
    fn an_auditor_of_some_says_of_which() {
        let one = |rest: &str| checked(&format!("[[auditors]]\ngroup = \"leads\"\n{rest}"));
        let config = one("groups = [\"contractors\"]\ndesktops = [\"dev-*\"]\n").unwrap();
        let scope = config.auditors[0].scope();
        assert!(scope.desktops[0].matches("dev-1") && !scope.desktops[0].matches("browser"));
        assert!(one("").unwrap_err().contains("entry 1: say whose"));
        assert!(one("groups = [\"\"]\n").unwrap_err().contains("is a name"));
        assert!(one("desktop = [\"x\"]\n").unwrap_err().contains("desktop"));
    }
}
