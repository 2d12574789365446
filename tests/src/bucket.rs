//! A bucket of its own for a test on a real S3 server, Ceph's radosgw, and a link to it that can be cut.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// A bucket, and who may do everything with it.
#[derive(Debug)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Where it is, in clear.
    pub endpoint: String,
    /// What all keys begin with.
    pub prefix: &'static str,
    /// Does what a gate does not: looks, removes.
    pub client: Client,
    folder: TempDir,
}

impl Bucket {
    /// Makes one, with Object Lock or without; starts the server where it does not run.
    ///
    /// # Errors
    /// When the server does not start or refuses.
    pub async fn make(lock: bool) -> anyhow::Result<Self> {
        let said = tokio::task::spawn_blocking(radosgw).await??;
        let word = |name: &str| {
            let found = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            found.map(str::to_owned).with_context(|| format!("radosgw.sh does not say {name}"))
        };
        let (endpoint, key, secret) = (word("S3_ENDPOINT")?, word("S3_KEY")?, word("S3_SECRET")?);
        let folder = tempfile::tempdir()?;
        let mut file = std::fs::File::options()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(folder.path().join("credentials"))?;
        write!(file, "[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")?;
        let config = Builder::new()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new(key, secret, None, None, "tests"))
            .endpoint_url(&endpoint)
            .force_path_style(true)
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        let client = Client::from_conf(config.build());
        let name = format!("gate-{:016x}", rand::random::<u64>());
        client.create_bucket().bucket(&name).object_lock_enabled_for_bucket(lock).send().await?;
        Ok(Self { name, endpoint, prefix: "gates/one", client, folder })
    }

    /// `[vault]` of a configuration that records to it by way of `endpoint`; further lines for `[vault.s3]`, and what follows that.
    #[must_use]
    pub fn table(&self, endpoint: &str, more: &str) -> String {
        format!(
            "[vault]\nkind = \"s3\"\n[vault.s3]\nbucket = \"{}\"\nprefix = \"{}\"\nendpoint = \"{endpoint}\"\ncredentials_file = \"{}\"\n{more}\n",
            self.name,
            self.prefix,
            self.folder.path().join("credentials").display(),
        )
    }

    /// The names of all objects whose name contains a text, in order.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn names(&self, containing: &str) -> anyhow::Result<Vec<String>> {
        let mut pages = self.client.list_objects_v2().bucket(&self.name).into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            names.extend(page?.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
        }
        names.retain(|name| name.contains(containing));
        Ok(names)
    }

    /// Lets everybody read, as a player without credentials does.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn publish(&self) -> anyhow::Result<()> {
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": [format!("arn:aws:s3:::{}/*", self.name)],
        }]});
        self.client.put_bucket_policy().bucket(&self.name).policy(policy.to_string()).send().await?;
        Ok(())
    }
}

/// What scripts/radosgw.sh says when it started the server, or found it running.
fn radosgw() -> anyhow::Result<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/radosgw.sh");
    // Its daemons keep their standard error: a pipe would not end.
    let output = Command::new(script).arg("start").stdin(Stdio::null()).stderr(Stdio::null()).output()?;
    ensure!(output.status.success(), "radosgw does not start: scripts/radosgw.sh start");
    Ok(String::from_utf8(output.stdout)?)
}

/// A link to a server that can be cut: what is on its way then is lost, and nobody is let through until it is mended.
#[derive(Debug)]
pub struct Wire {
    /// Where it begins: `http://127.0.0.1:PORT`.
    pub endpoint: String,
    cut: Arc<AtomicBool>,
}

impl Wire {
    /// A link to `http://HOST:PORT`.
    ///
    /// # Errors
    /// When nothing can be listened on.
    pub async fn to(endpoint: &str) -> anyhow::Result<Self> {
        let to = endpoint.strip_prefix("http://").context("not http")?.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let wire = Self { endpoint: format!("http://{}", listener.local_addr()?), cut: Arc::default() };
        let cut = Arc::clone(&wire.cut);
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let (to, cut) = (to.clone(), Arc::clone(&cut));
                tokio::spawn(async move {
                    let broken = async {
                        while !cut.load(Ordering::Relaxed) {
                            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                        }
                    };
                    let through = async {
                        if let Ok(mut link) = TcpStream::connect(&to).await {
                            let _ = copy_bidirectional(&mut from, &mut link).await;
                        }
                    };
                    tokio::select! {
                        biased;
                        () = broken => {}
                        () = through => {}
                    }
                });
            }
        });
        Ok(wire)
    }

    /// Cuts it.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
    }

    /// Mends it.
    pub fn mend(&self) {
        self.cut.store(false, Ordering::Relaxed);
    }
}
