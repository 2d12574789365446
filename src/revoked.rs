//! The list of what was revoked: a file of JSON lines in the data folder, written by `portcullis revoke`, followed by the gate.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use portcullis_proxy::Plane;
use portcullis_proxy::token::{MAX_REVOCATIONS, Revocations, Target};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::DataArgs;
use crate::data::Data;
use crate::token::seconds;

/// How often the gate looks at the list.
const LOOK: Duration = Duration::from_millis(300);
/// The longest list that is read, in bytes: more than [`MAX_REVOCATIONS`] lines of ordinary length.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// Arguments of `revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    what: What,
    /// Who issued the token or named the subject; this gate itself where it is not given
    #[arg(long)]
    issuer: Option<String>,
    /// For how long: at least as long as what it stops is good; 1s to 24h
    #[arg(long = "for", default_value = "24h", value_parser = seconds)]
    time: u64,
    #[command(flatten)]
    place: DataArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// One token, by its `jti`
    #[arg(long)]
    token: Option<String>,
    /// Every token and sign-in of a subject, and its live sessions
    #[arg(long)]
    subject: Option<String>,
    /// One session, by its id
    #[arg(long)]
    session: Option<String>,
}

/// One line of the list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    revoke: Named,
    /// Seconds since the Unix epoch.
    until: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Named {
    Token { issuer: String, jti: String },
    Subject { issuer: String, name: String },
    Session { id: String },
}

impl From<Named> for Target {
    fn from(named: Named) -> Self {
        match named {
            Named::Token { issuer, jti } => Self::Token { issuer, jti },
            Named::Subject { issuer, name } => Self::Subject { issuer, name },
            Named::Session { id } => Self::Session { id },
        }
    }
}

/// Adds one line to the list; a gate that runs acts on it within a second.
pub(crate) fn run(args: &RevokeArgs) -> anyhow::Result<()> {
    let config = args.place.load()?;
    let issuer = args.issuer.clone().unwrap_or_else(|| config.tokens.issuer.clone());
    let What { token, subject, session } = &args.what;
    let revoke = match (token, subject, session) {
        (Some(jti), ..) => Named::Token { issuer, jti: jti.clone() },
        (_, Some(name), _) => Named::Subject { issuer, name: name.clone() },
        (.., Some(id)) => Named::Session { id: id.clone() },
        _ => bail!("say what: --token, --subject or --session"),
    };
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let line = Line { revoke, until: now.saturating_add(i64::try_from(args.time)?) };
    let path = Data::open(&config.data)?.revoked();
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
    flock(&file, FlockOperation::LockExclusive)?;
    // In one write: who follows the list sees whole lines.
    file.write_all(format!("{}\n", serde_json::to_string(&line)?).as_bytes())?;
    file.sync_data()?;
    Ok(())
}

/// Reads the list into `revocations`; what is over is passed over.
///
/// # Errors
/// A list that cannot be read whole: a gate must not start without knowing what was revoked.
pub(crate) fn load(path: &Path, revocations: &Revocations) -> anyhow::Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    };
    if file.metadata()?.len() > MOST_BYTES {
        bail!("{} is over {MOST_BYTES} bytes: remove the lines whose time is over", path.display());
    }
    let text = std::io::read_to_string(&file).with_context(|| format!("{} cannot be read", path.display()))?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        match serde_json::from_str::<Line>(line) {
            Ok(line) if line.until <= now => {}
            Ok(line) => revocations.revoke(line.revoke.into(), line.until, now)?,
            Err(error) => faults.push(format!("line {}: {error}", number + 1)),
        }
    }
    // What could be read is in force; what could not is said, because it may be the line that matters.
    if let Some(first) = faults.first() {
        bail!("{}: {} of at most {MAX_REVOCATIONS} lines cannot be read; {first}", path.display(), faults.len());
    }
    Ok(())
}

/// Follows the list while the gate runs, and ends the sessions that it comes to cover.
pub(crate) async fn follow(path: PathBuf, plane: Arc<Plane>, revocations: Arc<Revocations>) {
    let mut last = stamp(&path);
    loop {
        tokio::time::sleep(LOOK).await;
        let now = stamp(&path);
        if now == last {
            continue;
        }
        last = now;
        let (place, list) = (path.clone(), Arc::clone(&revocations));
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || load(&place, &list)).await {
            tracing::error!(error = format!("{error:#}"), "the list of revocations does not check");
        }
        plane.end_revoked(OffsetDateTime::now_utc().unix_timestamp());
    }
}

/// What changes with every line that is added.
fn stamp(path: &Path) -> Option<(u64, std::time::SystemTime)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_a_broken_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("revoked.jsonl");
        let revocations = Revocations::default();
        load(&path, &revocations).unwrap();
        let far = OffsetDateTime::now_utc().unix_timestamp() + 1000;
        let good = format!(
            "{{\"revoke\":{{\"session\":{{\"id\":\"s-1\"}}}},\"until\":{far}}}\n{{\"revoke\":{{\"session\":{{\"id\":\"s-2\"}}}},\"until\":5}}\n"
        );
        std::fs::write(&path, &good).unwrap();
        load(&path, &revocations).unwrap();
        let revoked = |id: &str| revocations.is_revoked(&Target::Session { id: id.into() }, far - 1);
        assert!(revoked("s-1") && !revoked("s-2"));
        std::fs::write(&path, format!("{{\"sesion\":1}}\n{}", good.replace("s-1", "s-3"))).unwrap();
        let fault = load(&path, &revocations).unwrap_err().to_string();
        assert!(fault.contains("line 1"), "{fault}");
        assert!(revoked("s-3"), "the good lines are in force");
    }
}
