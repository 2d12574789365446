//! `portcullis verify`: proves a recording with nothing but its bytes and the public keys.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use portcullis_evidence::{KeyList, MAX_KEY_LIST_BYTES, Report, Trust, Verdict, VerifyingKey, verify_at};
use serde::Serialize;

use crate::DataArgs;
use crate::data::Data;
use crate::key_list::LIST;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The bundle's folder; its place in a bucket, s3://bucket/prefix/ID, by the way that `[vault.s3]` of the configuration names; or
    /// the id of a session in the vault
    path: PathBuf,
    /// A public key (PEM) that the bundle may be signed with, whatever the time; may be given more than once
    #[arg(long, conflicts_with = "keys")]
    key: Vec<PathBuf>,
    /// A list of keys with their validity and revocation, as `portcullis keys list` prints it
    #[arg(long)]
    keys: Option<PathBuf>,
    /// The public key (PEM) of the root that signed the list
    #[arg(long, requires = "keys")]
    root: Option<PathBuf>,
    /// Certificates (PEM) of the authorities whose time stamps count
    #[arg(long)]
    tsa: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: DataArgs,
}

/// A report as `--json` prints it: `docs/verify.schema.json`.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    verdict: Verdict,
    exit_code: u8,
    #[serde(flatten)]
    report: &'a Report,
}

/// Verifies and prints; the exit code is the verdict's. What keeps it from looking at all is exit code 2.
pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let bundle = crate::bundle::open(&args.path, || args.place.load())?;
    let mut trust = trust(args)?;
    if let Some(path) = &args.tsa {
        let pem = text(path).context("the authorities' certificates cannot be read")?;
        trust = trust.with_authorities(&pem).with_context(|| format!("{}", path.display()))?;
    }
    let report = verify_at(bundle.source(), &trust);
    let verdict = report.verdict();
    if args.json {
        let printed = Printed { verdict, exit_code: verdict.exit_code(), report: &report };
        println!("{}", serde_json::to_string_pretty(&printed)?);
    } else {
        println!("{report}");
    }
    Ok(ExitCode::from(verdict.exit_code()))
}

/// The keys that were given; else the ones that are pinned in the data folder.
fn trust(args: &VerifyArgs) -> anyhow::Result<Trust> {
    if let Some(path) = &args.keys {
        let roots = args.root.as_deref().map(public).transpose()?;
        return listed(path, roots.as_slice());
    }
    if !args.key.is_empty() {
        let keys: anyhow::Result<Vec<_>> = args.key.iter().map(|path| public(path)).collect();
        return Ok(Trust::of(&keys?));
    }
    let folder = Data::at(&args.place.load()?.data).keys();
    let pinned = folder.join(LIST);
    if pinned.is_file() {
        return listed(&pinned, &[]);
    }
    Ok(Trust::of(&[public(&folder.join(crate::keys::EVIDENCE_PUBLIC))?]))
}

fn listed(path: &Path, roots: &[VerifyingKey]) -> anyhow::Result<Trust> {
    let length = std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?.len();
    if usize::try_from(length).map_or(true, |length| length > MAX_KEY_LIST_BYTES) {
        bail!("{} is too long for a list of keys", path.display());
    }
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let list = KeyList::from_bytes(&bytes, roots).with_context(|| format!("{}", path.display()))?;
    Ok(Trust::listed(&list)?)
}

fn public(path: &Path) -> anyhow::Result<VerifyingKey> {
    let pem = text(path).context("the public key cannot be read; give one with --key, or a list with --keys")?;
    VerifyingKey::from_pem(&pem).with_context(|| format!("{} is not a public key", path.display()))
}

fn text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))
}
