//! `[sign_in]` and `[[sign_in.providers]]`: who can sign in at the portal, and how.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use portcullis_web::{Concealed, GroupRule, ProviderConfig};
use serde::Deserialize;

use super::policies::secret;

/// The longest `max_age_seconds`: a year.
const OLDEST: u64 = 365 * 24 * 60 * 60;

/// `[sign_in]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    pub(crate) subject: String,
    pub(crate) groups: Vec<String>,
    pub(crate) auditors: String,
    pub(crate) administrators: String,
    pub(crate) passwords: bool,
    pub(crate) providers: Vec<Provider>,
}

/// One of `[[sign_in.providers]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    id: String,
    label: String,
    issuer: String,
    client_id: String,
    #[serde(default)]
    client_secret_file: PathBuf,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default = "sub")]
    subject_claim: String,
    #[serde(default = "groups")]
    groups_claim: String,
    #[serde(default)]
    groups: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    groups_as_given: bool,
    #[serde(default)]
    everybody: Vec<String>,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    ca_file: PathBuf,
    #[serde(default)]
    max_age_seconds: Option<u64>,
}

fn sub() -> String {
    "sub".to_owned()
}

fn groups() -> String {
    "groups".to_owned()
}

impl SignIn {
    /// Refuses what could not be meant. What is wrong with a provider's addresses is said when the portal is opened.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        for provider in &self.providers {
            provider.check().with_context(|| format!("`sign_in.providers`, `{}`", provider.id))?;
        }
        Ok(())
    }

    /// The providers, with their secrets read.
    pub(crate) fn providers(&self) -> anyhow::Result<Vec<ProviderConfig>> {
        let read =
            |provider: &Provider| provider.read().with_context(|| format!("`sign_in.providers`, `{}`", provider.id));
        self.providers.iter().map(read).collect()
    }
}

impl Provider {
    fn check(&self) -> anyhow::Result<()> {
        for (key, value) in [
            ("label", &self.label),
            ("client_id", &self.client_id),
            ("subject_claim", &self.subject_claim),
            ("groups_claim", &self.groups_claim),
        ] {
            ensure!(!value.trim().is_empty() && value.len() <= 256, "`{key}` is a text of 1 to 256 bytes");
        }
        if self.groups_as_given && !self.groups.is_empty() {
            bail!("`groups` and `groups_as_given` exclude each other: each group gives what the table says, or itself");
        }
        if !self.groups_as_given && self.groups.is_empty() && self.everybody.is_empty() {
            bail!(
                "nobody could sign in: say what its groups give by `groups`, or `groups_as_given = true`, or `everybody`"
            );
        }
        let names =
            self.groups.values().flatten().chain(self.groups.keys()).chain(&self.everybody).chain(&self.domains);
        ensure!(!names.into_iter().any(String::is_empty), "each of `groups`, `everybody` and `domains` is a name");
        ensure!(
            self.scopes.iter().all(|scope| !scope.is_empty() && scope.chars().all(|c| c.is_ascii_graphic())),
            "each of `scopes` is a word"
        );
        ensure!(
            self.max_age_seconds.is_none_or(|age| (1..=OLDEST).contains(&age)),
            "`max_age_seconds` is 1 to {OLDEST}"
        );
        Ok(())
    }

    fn read(&self) -> anyhow::Result<ProviderConfig> {
        let ca = (!self.ca_file.as_os_str().is_empty()).then(|| std::fs::read(&self.ca_file));
        let ca = ca.transpose().with_context(|| format!("`ca_file`, {}, cannot be read", self.ca_file.display()))?;
        let groups = match self.groups_as_given {
            true => GroupRule::AsGiven,
            false => GroupRule::Mapped(self.groups.clone()),
        };
        Ok(ProviderConfig {
            id: self.id.clone(),
            label: self.label.clone(),
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: secret("client_secret_file", &self.client_secret_file)?.map(Concealed),
            scopes: self.scopes.clone(),
            subject_claim: self.subject_claim.clone(),
            groups_claim: self.groups_claim.clone(),
            groups,
            everybody: self.everybody.clone(),
            domains: self.domains.clone(),
            ca,
            max_age: self.max_age_seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn checked(text: &str) -> Result<Config, String> {
        let table = "[[sign_in.providers]]\nid = \"corp\"\nlabel = \"Corp\"\nissuer = \"https://id.example\"\nclient_id = \"gate\"\n";
        let mut config = Config::parse(&format!("{table}{text}")).map_err(|error| error.to_string())?;
        config.data = "/nowhere".into();
        config.settle().map_err(|error| format!("{error:#}"))?;
        Ok(config)
    }

    #[test]
    fn a_provider_says_what_its_groups_give() {
        let error = checked("").unwrap_err();
        assert!(error.contains("`corp`") && error.contains("nobody could sign in"), "{error}");
        assert!(checked("everybody = [\"users\"]\n").is_ok());
        assert!(checked("groups_as_given = true\n").is_ok());
        let config = checked("groups = { staff = [\"users\"] }\nclient_secret_file = \"/nowhere/secret\"\n").unwrap();
        let error = format!("{:#}", config.sign_in.providers().unwrap_err());
        assert!(error.contains("client_secret_file"), "{error}");
        assert!(checked("groups_as_given = true\ngroups = { staff = [\"users\"] }\n").unwrap_err().contains("exclude"));
        assert!(checked("everybody = [\"\"]\n").unwrap_err().contains("is a name"));
        assert!(checked("everybody = [\"users\"]\nscopes = [\"a b\"]\n").unwrap_err().contains("scopes"));
        assert!(checked("everybody = [\"users\"]\nmax_age_seconds = 0\n").unwrap_err().contains("max_age_seconds"));
        assert!(checked("everybody = [\"users\"]\ngroup = 1\n").unwrap_err().contains("group"));
    }

    #[test]
    fn its_secret_shows_nowhere() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hunter2\n").unwrap();
        let text = format!("everybody = [\"users\"]\nclient_secret_file = \"{}\"\n", file.path().display());
        let config = checked(&text).unwrap();
        let providers = config.sign_in.providers().unwrap();
        assert_eq!(providers[0].client_secret.as_ref().unwrap().0, "hunter2");
        assert!(!format!("{config:?} {providers:?}").contains("hunter2"));
    }
}
