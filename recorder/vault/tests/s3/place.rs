//! A bucket of its own for each test, on a real server.
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use portcullis_vault::{Key, S3, S3Settings, Vault, VaultError};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;

pub(crate) const ID: &str = "portcullis";
pub(crate) const SECRET: &str = "portcullis-secret";

/// A bucket, how the vault is to use it, and a client with which a test does what a vault does not.
pub(crate) struct Place {
    pub(crate) settings: S3Settings,
    pub(crate) client: Client,
    folder: TempDir,
}

pub(crate) fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

/// What scripts/radosgw.sh says of the server, which it starts where it does not run.
fn radosgw(word: &str) -> String {
    said_by("radosgw.sh", word)
}

fn said_by(script: &str, word: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(script);
    // Daemons keep their standard error: a pipe would not end.
    let started = Command::new(path).arg("start").stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap();
    assert!(started.status.success(), "the server does not start: scripts/{script} start");
    let said = String::from_utf8(started.stdout).unwrap();
    said.lines().find_map(|line| line.strip_prefix(&format!("{word}="))).unwrap().to_owned()
}

impl Place {
    /// On radosgw, in a bucket with Object Lock or without.
    pub(crate) async fn radosgw(lock: bool) -> Self {
        let endpoint = tokio::task::spawn_blocking(|| radosgw("S3_ENDPOINT")).await.unwrap();
        let place = Self::at(&endpoint);
        let made = place.client.create_bucket().bucket(&place.settings.bucket).object_lock_enabled_for_bucket(lock);
        made.send().await.unwrap();
        place
    }

    /// The same bucket over TLS, with the authority that its certificate is of.
    pub(crate) async fn over_tls(&self) -> S3Settings {
        let said = tokio::task::spawn_blocking(|| (radosgw("S3_TLS_ENDPOINT"), radosgw("S3_CA"))).await.unwrap();
        S3Settings { endpoint: Some(said.0), authorities: Some(said.1.into()), ..self.settings.clone() }
    }

    /// On garage, which scripts/garage.sh has built.
    #[cfg(feature = "long")]
    pub(crate) async fn garage() -> Self {
        let word = |word: &'static str| tokio::task::spawn_blocking(move || said_by("garage.sh", word));
        let endpoint = word("S3_ENDPOINT").await.unwrap();
        let place = Self::known(&endpoint, &word("S3_KEY").await.unwrap(), &word("S3_SECRET").await.unwrap());
        place.client.create_bucket().bucket(&place.settings.bucket).send().await.unwrap();
        place
    }

    /// On s3s-fs, in this process.
    pub(crate) async fn s3s() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = Self::at(&format!("http://{}", listener.local_addr().unwrap()));
        let root = place.folder.path().join("s3s");
        fs::create_dir(&root).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
        service.set_auth(SimpleAuth::from_single(ID, SECRET));
        let service = service.build();
        tokio::spawn(async move {
            while let Ok((link, _)) = listener.accept().await {
                let io = hyper_util::rt::TokioIo::new(link);
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service.clone()));
            }
        });
        place.client.create_bucket().bucket(&place.settings.bucket).send().await.unwrap();
        place
    }

    /// At any endpoint; nothing is sent.
    pub(crate) fn at(endpoint: &str) -> Self {
        Self::known(endpoint, ID, SECRET)
    }

    fn known(endpoint: &str, id: &str, secret: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = S3Settings::new(&format!("test-{:016x}", rand::random::<u64>()));
        settings.endpoint = Some(endpoint.to_owned());
        settings.prefix = "here/and-there".to_owned();
        settings.credentials = Some(credentials(folder.path(), id, secret));
        let config = Builder::new()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new(id, secret, None, None, "test"))
            .endpoint_url(endpoint)
            .force_path_style(true)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Self { settings, client: Client::from_conf(config), folder }
    }

    pub(crate) async fn open(&self) -> Arc<S3> {
        Arc::new(S3::open(self.settings.clone()).await.unwrap())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn source(&self, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(format!("source-{:016x}", rand::random::<u64>()));
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) async fn put(&self, vault: &S3, at: &str, bytes: &[u8]) -> Result<(), VaultError> {
        vault.put(&key(at), &self.source(bytes)).await
    }

    /// An object's whole name.
    pub(crate) fn name(&self, at: &str) -> String {
        format!("{}/{at}", self.settings.prefix)
    }

    /// Writes past the vault.
    pub(crate) async fn write_directly(&self, name: &str, bytes: &'static [u8]) {
        let put = self.client.put_object().bucket(&self.settings.bucket).key(name);
        put.body(ByteStream::from_static(bytes)).send().await.unwrap();
    }

    pub(crate) async fn version(&self) {
        let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let put = self.client.put_bucket_versioning().bucket(&self.settings.bucket);
        put.versioning_configuration(on).send().await.unwrap();
    }
}

/// A file of credentials as AWS's programs have it.
pub(crate) fn credentials(folder: &Path, id: &str, secret: &str) -> PathBuf {
    let path = folder.join(format!("credentials-{secret}"));
    let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path).unwrap();
    write!(file, "[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n").unwrap();
    path
}

/// The words of an error and of all its causes.
pub(crate) fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
