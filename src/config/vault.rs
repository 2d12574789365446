//! `[vault]`: where recordings go, as an operator writes it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use portcullis_vault::{Addressing, Encryption, Lock, LockMode, Property, S3Settings};
use serde::{Deserialize, Deserializer};

/// The most seconds that the vault may be away before a session fails.
const LONGEST_OUTAGE: u64 = 86_400;
/// The most days that objects are locked: a hundred years.
const MOST_DAYS: u64 = 36_600;
/// The seconds of a request, least and most.
const TIMEOUT: std::ops::RangeInclusive<u64> = 2..=600;

/// `[vault]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vault {
    pub(crate) kind: Kind,
    s3: Bucket,
    lock: Locking,
}

/// `vault.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Folder,
    S3,
}

/// `[vault.s3]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bucket {
    bucket: String,
    prefix: String,
    endpoint: String,
    region: String,
    #[serde(deserialize_with = "addressing")]
    addressing: Addressing,
    ca: PathBuf,
    plain_http: bool,
    credentials_file: PathBuf,
    profile: String,
    encryption: Encrypting,
    kms_key: String,
    #[serde(deserialize_with = "properties")]
    require: Vec<Property>,
    timeout_seconds: u64,
    outage_seconds: u64,
}

/// `vault.s3.encryption`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Encrypting {
    #[serde(rename = "bucket")]
    Bucket,
    #[serde(rename = "sse-s3")]
    Own,
    #[serde(rename = "sse-kms")]
    Kms,
}

/// `[vault.lock]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Locking {
    mode: Mode,
    days: u64,
    legal_hold: bool,
}

/// `vault.lock.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    None,
    Governance,
    Compliance,
}

impl Vault {
    /// Refuses what could not work, or would not do what it seems to say.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let locks = self.lock.mode != Mode::None || self.lock.legal_hold;
        if self.kind == Kind::Folder && locks {
            bail!(
                "`vault.lock` asks for a lock that a folder cannot give: say `vault.kind = \"s3\"`, or mode = \"none\""
            );
        }
        if self.kind == Kind::S3 && self.s3.bucket.is_empty() {
            bail!("`vault.s3.bucket` is empty: say which bucket recordings go to");
        }
        if self.lock.mode != Mode::None && !(1..=MOST_DAYS).contains(&self.lock.days) {
            bail!("`vault.lock.days` must be from 1 to {MOST_DAYS}");
        }
        if self.lock.mode == Mode::None && self.lock.days != 0 {
            bail!("`vault.lock.days` needs a `vault.lock.mode`: governance or compliance");
        }
        if !self.s3.kms_key.is_empty() && self.s3.encryption != Encrypting::Kms {
            bail!("`vault.s3.kms_key` needs `vault.s3.encryption = \"sse-kms\"`");
        }
        if !TIMEOUT.contains(&self.s3.timeout_seconds) {
            bail!("`vault.s3.timeout_seconds` must be from {} to {}", TIMEOUT.start(), TIMEOUT.end());
        }
        if !(1..=LONGEST_OUTAGE).contains(&self.s3.outage_seconds) {
            bail!("`vault.s3.outage_seconds` must be from 1 to {LONGEST_OUTAGE}");
        }
        Ok(())
    }

    /// How long the vault may be away before a session fails; `None`: as the recorder has it.
    pub(crate) fn patience(&self) -> Option<Duration> {
        (self.kind == Kind::S3).then(|| Duration::from_secs(self.s3.outage_seconds))
    }

    /// The bucket and the way to it.
    pub(crate) fn settings(&self) -> S3Settings {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let path = |path: &PathBuf| Some(path.clone()).filter(|path| !path.as_os_str().is_empty());
        let mode = match self.lock.mode {
            Mode::None => None,
            Mode::Governance => Some(LockMode::Governance),
            Mode::Compliance => Some(LockMode::Compliance),
        };
        let keep = Duration::from_secs(self.lock.days.saturating_mul(86_400));
        S3Settings {
            prefix: self.s3.prefix.trim_matches('/').to_owned(),
            endpoint: given(&self.s3.endpoint),
            region: given(&self.s3.region).or_else(region).unwrap_or_else(|| "us-east-1".to_owned()),
            addressing: self.s3.addressing,
            authorities: path(&self.s3.ca),
            plain_http: self.s3.plain_http,
            credentials: path(&self.s3.credentials_file),
            profile: given(&self.s3.profile),
            encryption: match self.s3.encryption {
                Encrypting::Bucket => Encryption::None,
                Encrypting::Own => Encryption::Own,
                Encrypting::Kms => Encryption::Kms(given(&self.s3.kms_key)),
            },
            lock: mode.map(|mode| Lock { mode, keep }),
            legal_hold: self.lock.legal_hold,
            require: self.s3.require.clone(),
            timeout: Duration::from_secs(self.s3.timeout_seconds),
            ..S3Settings::new(&self.s3.bucket)
        }
    }
}

/// The region that AWS's programs would take.
fn region() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|region: &String| !region.is_empty());
    set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"))
}

fn addressing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Addressing, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "auto" => Ok(Addressing::Auto),
        "path" => Ok(Addressing::Path),
        "virtual" => Ok(Addressing::Virtual),
        other => Err(unknown("addressing", other, "auto, path or virtual")),
    }
}

fn properties<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Property>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let all = [Property::Checksums, Property::Preconditions, Property::Versioning];
    let find = |name: &String| {
        let found = all.into_iter().find(|property| property.name() == name.as_str());
        found.ok_or_else(|| unknown("require", name, "checksums, preconditions or versioning"))
    };
    names.iter().map(find).collect()
}

fn unknown<E: serde::de::Error>(key: &str, found: &str, known: &str) -> E {
    E::custom(format!("`{key}` has {found:?}, which is not {known}"))
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn checked(text: &str) -> Result<Vault, String> {
        let config = Config::parse(text).map_err(|error| error.to_string())?;
        config.vault.check().map_err(|error| error.to_string())?;
        Ok(config.vault)
    }

    #[test]
    fn a_folder_is_the_default() {
        let vault = checked("").unwrap();
        assert_eq!((vault.kind, vault.patience()), (Kind::Folder, None));
    }

    #[test]
    fn a_bucket_is_read_as_it_is_written() {
        let vault = checked(
            "[vault]\nkind = \"s3\"\n[vault.s3]\nbucket = \"records\"\nprefix = \"/gate-1/\"\nendpoint = \"https://s3.example.org\"\n\
             region = \"eu-1\"\naddressing = \"virtual\"\nencryption = \"sse-kms\"\nkms_key = \"k\"\nrequire = [\"checksums\"]\n\
             outage_seconds = 60\n[vault.lock]\nmode = \"compliance\"\ndays = 400\nlegal_hold = true\n",
        )
        .unwrap();
        let settings = vault.settings();
        assert_eq!((settings.bucket.as_str(), settings.prefix.as_str()), ("records", "gate-1"));
        assert_eq!(settings.endpoint.as_deref(), Some("https://s3.example.org"));
        assert_eq!((settings.region.as_str(), settings.addressing), ("eu-1", Addressing::Virtual));
        assert_eq!(settings.encryption, Encryption::Kms(Some("k".to_owned())));
        let keep = Duration::from_secs(400 * 86_400);
        assert_eq!(settings.lock, Some(Lock { mode: LockMode::Compliance, keep }));
        assert!(settings.legal_hold && settings.authorities.is_none() && settings.credentials.is_none());
        assert_eq!(settings.require, [Property::Checksums]);
        assert_eq!(vault.patience(), Some(Duration::from_secs(60)));
    }

    #[test]
    fn what_could_not_work_is_refused_by_name() {
        let s3 = "[vault]\nkind = \"s3\"\n[vault.s3]\nbucket = \"abc\"\n";
        for (text, word) in [
            ("[vault]\nkind = \"s3\"\n".to_owned(), "vault.s3.bucket"),
            ("[vault]\nkind = \"tape\"\n".to_owned(), "tape"),
            ("[vault.lock]\nmode = \"compliance\"\ndays = 3\n".to_owned(), "a folder cannot give"),
            ("[vault.lock]\nlegal_hold = true\n".to_owned(), "a folder cannot give"),
            (format!("{s3}[vault.lock]\nmode = \"governance\"\n"), "vault.lock.days"),
            (format!("{s3}[vault.lock]\ndays = 3\n"), "vault.lock.mode"),
            (format!("{s3}kms_key = \"k\"\n"), "sse-kms"),
            (format!("{s3}secret = \"k\"\n"), "unknown key `vault.s3.secret`"),
            (format!("{s3}addressing = \"host\"\n"), "line 5"),
            (format!("{s3}require = [\"speed\"]\n"), "speed"),
            (format!("{s3}outage_seconds = 0\n"), "vault.s3.outage_seconds"),
            (format!("{s3}timeout_seconds = 1\n"), "vault.s3.timeout_seconds"),
        ] {
            let error = checked(&text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
