//! Where credentials come from: a file that is named; else the environment, AWS's file, and the role of the container or machine.
//!
//! The first that has any counts. What a file says is read again every few minutes, so that it can be rotated.

mod file;
mod role;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use super::S3Settings;

/// After how long a file of credentials is read again.
const REREAD: Duration = Duration::from_secs(300);
/// The variables that count.
const VARIABLES: [&str; 12] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_PROFILE",
    "HOME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
];

/// The chain. Its `Debug` has no value of any variable.
pub(super) struct Chain {
    file: Option<PathBuf>,
    profile: Option<String>,
    environment: BTreeMap<&'static str, String>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("file", &self.file).finish_non_exhaustive()
    }
}

/// What one place of the chain has; the error says why what is there is of no use.
type Found = Result<Option<Credentials>, String>;

impl Chain {
    /// The chain of this process.
    pub(super) fn of(settings: &S3Settings) -> Self {
        let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty()).map(|value| (name, value));
        Self {
            file: settings.credentials.clone(),
            profile: settings.profile.clone(),
            environment: VARIABLES.into_iter().filter_map(set).collect(),
        }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    async fn load(&self) -> Result<Credentials, String> {
        if let Some(path) = &self.file {
            let found = self.of_file(path.clone()).await?;
            return found.ok_or_else(|| format!("{} has no section [{}]", path.display(), self.section()));
        }
        if let Some(found) = self.of_environment()? {
            return Ok(found);
        }
        if let Some(path) = self.usual_file()
            && let Some(found) = self.of_file(path).await?
        {
            return Ok(found);
        }
        if let Some(found) = role::of_container(|name| self.variable(name)).await? {
            return Ok(found);
        }
        if let Some(found) = role::of_machine(|name| self.variable(name)).await? {
            return Ok(found);
        }
        Err("no credentials: neither a file is configured nor AWS_ACCESS_KEY_ID set, and there is no role".to_owned())
    }

    fn of_environment(&self) -> Found {
        let (id, secret) = (self.variable("AWS_ACCESS_KEY_ID"), self.variable("AWS_SECRET_ACCESS_KEY"));
        match (id, secret) {
            (None, None) => Ok(None),
            (Some(id), Some(secret)) => {
                let token = self.variable("AWS_SESSION_TOKEN").map(str::to_owned);
                Ok(Some(Credentials::new(id, secret, token, None, "environment")))
            }
            _ => Err("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together, one of them is not set".to_owned()),
        }
    }

    fn usual_file(&self) -> Option<PathBuf> {
        if let Some(path) = self.variable("AWS_SHARED_CREDENTIALS_FILE") {
            return Some(path.into());
        }
        let usual = PathBuf::from(self.variable("HOME")?).join(".aws/credentials");
        usual.exists().then_some(usual)
    }

    fn section(&self) -> &str {
        self.profile.as_deref().or(self.variable("AWS_PROFILE")).unwrap_or("default")
    }

    async fn of_file(&self, path: PathBuf) -> Found {
        let section = self.section().to_owned();
        let read = tokio::task::spawn_blocking(move || file::read(&path, &section)).await;
        let found = read.map_err(|error| error.to_string())??;
        let until = SystemTime::now().checked_add(REREAD);
        Ok(found.map(|keys| Credentials::new(keys.id, keys.secret, keys.token, until, "file")))
    }
}

impl ProvideCredentials for Chain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { self.load().await.map_err(CredentialsError::not_loaded) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    fn chain(variables: &[(&'static str, &str)]) -> Chain {
        // No role is asked for unless a test says so: this machine may have one.
        let off = [("AWS_EC2_METADATA_DISABLED", "true")];
        let environment = off.iter().chain(variables).map(|(name, value)| (*name, (*value).to_owned())).collect();
        Chain { file: None, profile: None, environment }
    }

    fn credentials(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[tokio::test]
    async fn the_first_place_that_has_any_counts() {
        let file = credentials(
            "[default]\naws_access_key_id = FILE\naws_secret_access_key=s\n[other]\naws_access_key_id=O\naws_secret_access_key=o=o\naws_session_token = t\n",
        );
        let path = file.path().to_str().unwrap();
        let environment = [("AWS_ACCESS_KEY_ID", "ENV"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let shared = ("AWS_SHARED_CREDENTIALS_FILE", path);
        let id = async |chain: &Chain| chain.load().await.unwrap().access_key_id().to_owned();
        assert_eq!(id(&chain(&[&environment[..], &[shared]].concat())).await, "ENV");
        assert_eq!(id(&chain(&[shared])).await, "FILE");
        let other = chain(&[shared, ("AWS_PROFILE", "other")]).load().await.unwrap();
        assert_eq!((other.secret_access_key(), other.session_token()), ("o=o", Some("t")));
        assert!(other.expiry().is_some(), "it is read again");
        let mut named = chain(&environment);
        named.file = Some(path.into());
        assert_eq!(id(&named).await, "FILE");
        named.profile = Some("nobody".to_owned());
        assert!(named.load().await.unwrap_err().contains("has no section [nobody]"));
    }

    #[tokio::test]
    async fn what_is_of_no_use_says_why_and_shows_nothing() {
        let half = chain(&[("AWS_ACCESS_KEY_ID", "SECRETID")]);
        assert!(half.load().await.unwrap_err().contains("belong together"));
        assert!(!format!("{half:?}").contains("SECRETID"));
        assert!(chain(&[]).load().await.unwrap_err().starts_with("no credentials"));
        let file = credentials("[default]\naws_access_key_id = FILE\n");
        let words = chain(&[("AWS_SHARED_CREDENTIALS_FILE", file.path().to_str().unwrap())]).load().await.unwrap_err();
        assert!(words.contains("aws_secret_access_key"), "{words}");
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).unwrap();
        let words = chain(&[("AWS_SHARED_CREDENTIALS_FILE", file.path().to_str().unwrap())]).load().await.unwrap_err();
        assert!(words.contains("everybody"), "{words}");
    }
}
