//! `portcullis verify`: proves a recording with nothing but its bytes and the public keys.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Args;
use portcullis_evidence::{COULD_NOT_LOOK, Contents, Identities, MAX_AGE_TEXT_BYTES, Report, Verdict, verify_at};
use serde::Serialize;

use crate::DataArgs;
use crate::trust::TrustArgs;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The bundle's folder; its place in a bucket, s3://bucket/prefix/ID, by the way that `[vault.s3]` of the configuration names; or
    /// the id of a session in the vault
    path: PathBuf,
    #[command(flatten)]
    trusted: TrustArgs,
    /// A file of age identities (AGE-SECRET-KEY-1…): what an encrypted recording holds is then checked too
    #[arg(long)]
    identity: Option<PathBuf>,
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
    let mut trust = args.trusted.read(&args.place)?.trust;
    if let Some(path) = &args.identity {
        trust = trust.with_identities(identities(path)?);
    }
    let report = verify_at(bundle.source(), &trust);
    let verdict = report.verdict();
    if args.json {
        let printed = Printed { verdict, exit_code: verdict.exit_code(), report: &report };
        println!("{}", serde_json::to_string_pretty(&printed)?);
    } else {
        println!("{report}");
    }
    if args.identity.is_some() && report.contents == Contents::Encrypted {
        eprintln!(
            "none of these identities opens this recording, which is encrypted to: {}",
            report.recipients.join(", ")
        );
        // A fault that was found all the same says more.
        if report.is_sound() {
            return Ok(ExitCode::from(COULD_NOT_LOOK));
        }
    }
    Ok(ExitCode::from(verdict.exit_code()))
}

/// The identities in a file, which is read only as far as one may be long.
pub(crate) fn identities(path: &Path) -> anyhow::Result<Identities> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_AGE_TEXT_BYTES).read_to_string(&mut text));
    read.with_context(|| format!("the identities in {} cannot be read", path.display()))?;
    Identities::read(&text).map_err(|error| anyhow!("{}, {error}", path.display()))
}
