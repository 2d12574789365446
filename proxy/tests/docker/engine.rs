//! The Engine that the tests use, a gate's runtime on it, and what the Engine says of its containers.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use portcullis_proxy::SessionId;
use portcullis_proxy::runtime::docker::Containers;
use portcullis_proxy::runtime::{Desktop, Runtime, Template};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine; every wait ends at its condition.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// The Engine to use: `DOCKER_HOST`, or the one that scripts/docker-engine.sh started.
pub(crate) fn engine() -> String {
    std::env::var("DOCKER_HOST").unwrap_or_else(|_| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/docker-engine.sh");
        let said = Command::new(script).arg("status").output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let host = said.lines().find_map(|line| line.strip_prefix("DOCKER_HOST=")).map(str::to_owned);
        host.expect(
            "no Docker Engine runs: scripts/docker-engine.sh start, then images/build.sh; or ./test, which does both",
        )
    })
}

/// The image of a terminal, with the tag that images/build.sh gave it.
pub(crate) fn image() -> String {
    format!("portcullis/terminal:{}", std::env::var("PORTCULLIS_IMAGE_TAG").as_deref().unwrap_or("latest"))
}

pub(crate) fn docker(words: &[&str]) -> Output {
    Command::new("/usr/bin/docker").env("DOCKER_HOST", engine()).args(words).output().unwrap()
}

/// What a command said that must succeed.
pub(crate) fn said(words: &[&str]) -> String {
    let output = docker(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A small desktop of an image, with more in its `docker` table.
pub(crate) fn template(image: &str, more: Value) -> Template {
    let mut docker =
        json!({"image": image, "memory_mib": 256, "cpu_percent": 150, "pids": 64, "home_mib": 64, "shm_mib": 64});
    docker.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(json!({"name": "t", "size": "640x480", "docker": docker})).unwrap()
}

pub(crate) struct Gate {
    pub(crate) run: TempDir,
    pub(crate) runtime: Containers,
}

impl Gate {
    pub(crate) async fn new() -> Self {
        let run = TempDir::new().unwrap();
        let runtime = Containers::connect(&engine(), run.path().to_owned()).await.unwrap();
        Self { run, runtime }
    }

    pub(crate) async fn start(&self) -> (Box<dyn Desktop>, SessionId) {
        let session = SessionId::generate();
        (self.runtime.start(&template(&image(), json!({})), &session).await.unwrap(), session)
    }

    pub(crate) fn left(&self) -> usize {
        std::fs::read_dir(self.run.path()).unwrap().count()
    }
}

/// How many containers there are under a desktop's name.
pub(crate) fn containers_of(name: &str) -> usize {
    said(&["ps", "--all", "--quiet", "--filter", &format!("label=portcullis.desktop={name}")]).lines().count()
}

pub(crate) async fn speaks_rfb(desktop: &dyn Desktop) {
    let mut greeting = [0; 12];
    timeout(SOON, desktop.connect().await.unwrap().read_exact(&mut greeting)).await.unwrap().unwrap();
    assert_eq!(&greeting, b"RFB 003.008\n");
}
