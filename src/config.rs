//! The configuration: one documented TOML file over the defaults in `portcullis.toml`, and the environment over both.

mod alerts;
mod desktops;
mod files;
mod index;
mod limits;
mod policies;
mod recipients;
mod retention;
mod sign_in;
mod text;
mod vault;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use portcullis_policy::Network;
use portcullis_proxy::runtime::{Template, TemplateKind};
use serde::{Deserialize, Deserializer};

pub(crate) use alerts::{Alert, To};
pub(crate) use desktops::{Capacity, Docker, Egress};
pub(crate) use files::Files;
pub(crate) use index::{Auditors, IndexPlace};
pub(crate) use limits::Limits;
pub(crate) use policies::{Policies, Transport};
pub(crate) use retention::Retention;
pub(crate) use sign_in::SignIn;
pub(crate) use text::Text;
pub(crate) use vault::{Kind as VaultKind, Vault};

/// Every key with its default, and what it means.
pub(crate) const DEFAULTS: &str = include_str!("portcullis.toml");

/// The most seconds that a desktop may be away: a session without its desktop is none.
const LONGEST_ABSENCE: u64 = 300;

/// The configuration of a gate; the keys are described in `portcullis.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) data: PathBuf,
    pub(crate) origins: Vec<String>,
    #[serde(deserialize_with = "networks")]
    pub(crate) proxies: Vec<Network>,
    pub(crate) metrics: String,
    pub(crate) policy: PathBuf,
    pub(crate) policies: Policies,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) tokens: Tokens,
    pub(crate) sign_in: SignIn,
    pub(crate) auditors: Vec<Auditors>,
    pub(crate) index: IndexPlace,
    pub(crate) sessions: Sessions,
    pub(crate) limits: Limits,
    pub(crate) recording: Recording,
    pub(crate) vault: Vault,
    pub(crate) retention: Retention,
    pub(crate) text: Text,
    pub(crate) docker: Docker,
    pub(crate) capacity: Capacity,
    pub(crate) egress: Egress,
    pub(crate) files: Files,
    pub(crate) desktops: Vec<Template>,
}

/// `[tokens]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tokens {
    pub(crate) audience: String,
    pub(crate) issuer: String,
    pub(crate) issuers: Vec<Issuer>,
}

/// One further issuer of tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issuer {
    pub(crate) name: String,
    pub(crate) jwks: PathBuf,
}

/// `[sessions]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sessions {
    pub(crate) most: usize,
    pub(crate) per_subject: usize,
    pub(crate) reconnect_seconds: u64,
    pub(crate) absence_seconds: u64,
    pub(crate) max_fps: u32,
    pub(crate) drain_seconds: u64,
}

/// `[recording]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recording {
    pub(crate) handover_mib: u64,
    pub(crate) segment_seconds: u64,
    pub(crate) still_seconds: u64,
    pub(crate) crf: u8,
    pub(crate) threads: u32,
    pub(crate) time_stamp_url: String,
    pub(crate) time_stamp_authorities: PathBuf,
    pub(crate) recipients: Vec<String>,
    pub(crate) recipients_file: PathBuf,
    pub(crate) encrypt: bool,
    pub(crate) key_folder: PathBuf,
}

/// What the command line and the environment say above the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) origins: Vec<String>,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) repository: Option<String>,
    pub(crate) branch: Option<String>,
    pub(crate) metrics: Option<String>,
}

impl Config {
    /// Reads the file, if there is one, over the defaults, then the overrides over both.
    pub(crate) fn load(file: Option<&Path>, overrides: &Overrides) -> anyhow::Result<Self> {
        let mut config = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("the configuration {} cannot be read", path.display()))?;
                Self::parse(&text).map_err(|error| anyhow!("{}: {error}", path.display()))?
            }
            None => Self::parse("")?,
        };
        config.override_with(overrides);
        config.settle()?;
        Ok(config)
    }

    /// Merges a file's text over the defaults. Errors say line and column of the file.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let defaults: toml::Table = DEFAULTS.parse().context("the built-in configuration is broken")?;
        let written: toml::Table = text.parse().map_err(|error: toml::de::Error| anyhow!("{error}"))?;
        let place = |key: &str| place(text, key);
        known(&defaults, &written, "").map_err(|path| {
            let key = path.rsplit('.').next().unwrap_or(&path);
            anyhow!("{}: unknown key `{path}`; the keys are in `portcullis serve --defaults`", place(key))
        })?;
        let merged = merge(defaults, written);
        toml::Value::Table(merged).try_into().map_err(|error: toml::de::Error| {
            // The merged table has no positions: the key that the error names is looked up in the file.
            let message = error.message().to_owned();
            let key = message.split('`').nth(1).unwrap_or_default().to_owned();
            anyhow!("{}: {message}", place(&key))
        })
    }

    fn override_with(&mut self, overrides: &Overrides) {
        if let Some(listen) = overrides.listen {
            self.listen = listen;
        }
        if let Some(data) = &overrides.data {
            self.data.clone_from(data);
        }
        if !overrides.origins.is_empty() {
            self.origins.clone_from(&overrides.origins);
        }
        if let Some(policy) = &overrides.policy {
            self.policy.clone_from(policy);
        }
        for (to, over) in [
            (&mut self.policies.repository, &overrides.repository),
            (&mut self.policies.branch, &overrides.branch),
            (&mut self.metrics, &overrides.metrics),
        ] {
            if let Some(over) = over {
                to.clone_from(over);
            }
        }
    }

    fn settle(&mut self) -> anyhow::Result<()> {
        if self.data.as_os_str().is_empty() {
            self.data = default_data()?;
        }
        self.data = std::path::absolute(&self.data).context("the data folder has no absolute path")?;
        if self.desktops.is_empty() {
            bail!("`desktops` is empty: there is nothing to open; see `portcullis serve --defaults`");
        }
        let mut names: Vec<_> = self.desktops.iter().map(|desktop| desktop.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) =
            names.windows(2).find_map(|pair| (pair.first() == pair.last()).then(|| pair.first())).flatten()
        {
            bail!("the desktop `{twice}` is there twice: give each its own name");
        }
        for (key, value) in [
            ("sessions.most", u64::try_from(self.sessions.most).unwrap_or(u64::MAX)),
            ("sessions.reconnect_seconds", self.sessions.reconnect_seconds),
            ("sessions.max_fps", u64::from(self.sessions.max_fps)),
            ("recording.segment_seconds", self.recording.segment_seconds),
        ] {
            if value == 0 {
                bail!("`{key}` must be more than 0");
            }
        }
        if self.sessions.absence_seconds > LONGEST_ABSENCE {
            bail!("`sessions.absence_seconds` must be at most {LONGEST_ABSENCE}");
        }
        self.apart()?;
        self.capacity.check(&self.desktops)?;
        self.egress.check(&self.desktops)?;
        self.limits.check()?;
        self.files.check()?;
        self.policies.check(&self.policy)?;
        self.metrics_address()?;
        alerts::check(&self.alerts)?;
        self.vault.check()?;
        self.retention.check()?;
        self.text.check()?;
        self.index.check()?;
        index::check(&self.auditors)?;
        self.sign_in.check()?;
        if !(8..=4096).contains(&self.recording.handover_mib) {
            bail!("`recording.handover_mib` must be from 8 to 4096");
        }
        if self.recording.recipients()?.is_some() && self.recording.encrypt && !self.alerts.is_empty() {
            bail!(
                "`alerts` and `recording.recipients` exclude each other: alerts are read from the record, which is encrypted so that this gate cannot read it; with `recording.encrypt = false` only what policy keeps is"
            );
        }
        // The answer is signed, and the question is a hash: TLS would add nothing.
        let (url, authorities) = (&self.recording.time_stamp_url, &self.recording.time_stamp_authorities);
        if !url.is_empty() && (!url.starts_with("http://") || authorities.as_os_str().is_empty()) {
            bail!("`recording.time_stamp_url` is an http:// address, and needs `recording.time_stamp_authorities`");
        }
        Ok(())
    }

    /// Two desktops at one address would let two sessions on what takes one at a time.
    fn apart(&self) -> anyhow::Result<()> {
        let mut taken = BTreeMap::new();
        for desktop in self.desktops.iter().filter(|desktop| desktop.kind.is_exclusive()) {
            let TemplateKind::Static(fixed) = &desktop.kind else { continue };
            if let Some(other) = taken.insert(&fixed.address, &desktop.name) {
                bail!(
                    "the desktops `{other}` and `{}` have one `address`, {}: say `shared = true` if two sessions may be on it at once",
                    desktop.name,
                    fixed.address
                );
            }
        }
        Ok(())
    }

    /// Where metrics are served; nothing where they are not.
    pub(crate) fn metrics_address(&self) -> anyhow::Result<Option<SocketAddr>> {
        let given = Some(self.metrics.as_str()).filter(|address| !address.is_empty());
        given.map(str::parse).transpose().context("`metrics` must be an address and a port, such as 127.0.0.1:9090")
    }

    /// The origins for a gate that listens at `address`, where none are configured.
    pub(crate) fn origins_at(&self, address: SocketAddr) -> Vec<String> {
        if !self.origins.is_empty() {
            return self.origins.clone();
        }
        let port = address.port();
        vec![format!("http://localhost:{port}"), format!("http://127.0.0.1:{port}")]
    }
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Network>, D::Error> {
    let written = Vec::<String>::deserialize(deserializer)?;
    let read = written.iter().map(|text| text.parse().map_err(|error| format!("`proxies`: {error}")));
    read.collect::<Result<_, String>>().map_err(serde::de::Error::custom)
}

fn default_data() -> anyhow::Result<PathBuf> {
    if let Some(base) = std::env::var_os("XDG_DATA_HOME").filter(|base| !base.is_empty()) {
        return Ok(PathBuf::from(base).join("portcullis"));
    }
    let home = std::env::var_os("HOME")
        .context("neither data, nor XDG_DATA_HOME, nor HOME is set: say where data goes with --data")?;
    Ok(PathBuf::from(home).join(".local/share/portcullis"))
}

/// Tables merge key by key; everything else, lists too, is replaced.
fn merge(mut under: toml::Table, over: toml::Table) -> toml::Table {
    for (key, value) in over {
        match (under.remove(&key), value) {
            (Some(toml::Value::Table(under_table)), toml::Value::Table(over_table)) => {
                under.insert(key, toml::Value::Table(merge(under_table, over_table)));
            }
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
    under
}

/// The first key of `written` that the defaults do not know; lists of tables are checked when they are deserialised.
fn known(defaults: &toml::Table, written: &toml::Table, prefix: &str) -> Result<(), String> {
    for (key, value) in written {
        let path = format!("{prefix}{key}");
        match (defaults.get(key), value) {
            (None, _) => return Err(path),
            (Some(toml::Value::Table(below)), toml::Value::Table(table)) => known(below, table, &format!("{path}."))?,
            _ => {}
        }
    }
    Ok(())
}

/// Line and column of a key's first appearance in a text.
fn place(text: &str, key: &str) -> String {
    let found = text.lines().enumerate().find_map(|(line, content)| {
        let column = (!key.is_empty()).then(|| content.find(key)).flatten()?;
        Some(format!("line {}, column {}", line + 1, column + 1))
    });
    found.unwrap_or_else(|| "the configuration".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_a_whole_configuration() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.sessions.max_fps, 30);
        assert_eq!(
            config.desktops.iter().map(|desktop| desktop.name.as_str()).collect::<Vec<_>>(),
            ["terminal", "browser", "vault"]
        );
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let error =
            Config::parse("listen = \"127.0.0.1:1\"\n[sessions]\nmost = 3\n  mst = 4\n").unwrap_err().to_string();
        assert!(error.contains("line 4, column 3") && error.contains("sessions.mst"), "{error}");
        let error = Config::parse("[[desktops]]\nname = \"x\"\nprocess = {programs = [], colour = 1}\n")
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 3") && error.contains("colour"), "{error}");
    }

    #[test]
    fn a_wrong_type_names_the_key() {
        let error = Config::parse("[sessions]\nmost = \"many\"\n").unwrap_err().to_string();
        assert!(error.contains("many") || error.contains("most"), "{error}");
    }

    #[test]
    fn a_static_desktop_has_an_address_of_its_own_or_is_shared() {
        let two = |more: &str| {
            let desktop = |name: &str| {
                format!(
                    "[[desktops]]\nname = \"{name}\"\nstatic = {{address = \"unix:/run/a\", security = \"none\"{more}}}\n"
                )
            };
            let mut config = Config::parse(&(desktop("x") + &desktop("y"))).unwrap();
            config.data = "/nowhere".into();
            config.settle()
        };
        let error = two("").unwrap_err().to_string();
        assert!(error.contains("`x` and `y` have one `address`, unix:/run/a"), "{error}");
        two(", shared = true").unwrap();
        let error = Config::parse(
            "[[desktops]]\nname = \"x\"\n[desktops.static]\naddress = \"desk:5900\"\nsecurity = \"none\"\n",
        );
        let error = error.unwrap_err().to_string();
        assert!(error.contains("line 5") && error.contains("sends pictures and keys in clear"), "{error}");
    }

    #[test]
    fn the_same_desktop_twice_is_refused() {
        let desktop = "[[desktops]]\nname = \"x\"\nprocess = {programs = [[\"xterm\"]]}\n";
        let mut config = Config::parse(&desktop.repeat(2)).unwrap();
        config.data = "/nowhere".into();
        assert!(config.settle().unwrap_err().to_string().contains("twice"));
    }
}
