//! The Docker Engine that tests use, and what it says.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// Where it listens (`unix:///…`): `DOCKER_HOST`, or the one that scripts/docker-engine.sh started.
///
/// # Errors
/// When none runs.
pub fn host() -> anyhow::Result<String> {
    if let Ok(host) = std::env::var("DOCKER_HOST") {
        return Ok(host);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/docker-engine.sh");
    let said = String::from_utf8(Command::new(script).arg("status").output()?.stdout)?;
    let host = said.lines().find_map(|line| line.strip_prefix("DOCKER_HOST=")).map(str::to_owned);
    host.context(
        "no Docker Engine runs: scripts/docker-engine.sh start, then images/build.sh; or ./test, which does both",
    )
}

/// An image with the tag that images/build.sh gave it.
#[must_use]
pub fn image(name: &str) -> String {
    format!("portcullis/{name}:{}", std::env::var("PORTCULLIS_IMAGE_TAG").as_deref().unwrap_or("latest"))
}

/// What a command of its client says, which must succeed.
///
/// # Errors
/// What it said when it failed.
pub fn docker(words: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("/usr/bin/docker").env("DOCKER_HOST", host()?).args(words).output()?;
    ensure!(output.status.success(), "docker {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
