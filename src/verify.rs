//! `portcullis verify`: proves a recording with nothing but its bytes and the public keys.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use portcullis_evidence::{Report, Verdict, verify_at};
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
    let trust = args.trusted.read(&args.place)?.trust;
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
