//! `portcullis verify`: proves a recording with nothing but its bytes and the public key.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use portcullis_evidence::{Fault, Kind, VerifyingKey};

use crate::DataArgs;
use crate::data::Data;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The bundle's folder, or its place in a bucket: s3://bucket/prefix/ID, by the way that `[vault.s3]` of the configuration names
    path: PathBuf,
    /// A public key (PEM) that the bundle may be signed with; may be given more than once
    #[arg(long)]
    key: Vec<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: DataArgs,
}

/// Verifies and prints; exit code 0 when sound, 1 when not. What keeps it from looking at all is exit code 2.
pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let url = args.path.to_str().filter(|path| path.starts_with("s3://"));
    let brought = url.map(|url| crate::vault::bring(&args.place.load()?, url)).transpose()?;
    let path = brought.as_ref().map_or(args.path.as_path(), |brought| brought.path());
    let keys = keys(args, path)?;
    let mut report = portcullis_evidence::verify(path, &keys);
    let strange = brought.iter().flat_map(|brought| &brought.strange);
    report.faults.extend(strange.map(|name| Fault {
        path: name.clone(),
        kind: Kind::Extra,
        reason: "no file of a bundle has this name".to_owned(),
    }));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{report}");
    }
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn keys(args: &VerifyArgs, path: &Path) -> anyhow::Result<Vec<VerifyingKey>> {
    let mut paths = args.key.clone();
    if paths.is_empty() {
        let config = args.place.load()?;
        paths.push(Data::at(&config.data).keys().join(crate::keys::EVIDENCE_PUBLIC));
    }
    if !path.is_dir() {
        bail!("{} is not a folder: give the bundle's folder, the one that holds session.json", path.display());
    }
    paths
        .iter()
        .map(|path| {
            let pem = std::fs::read_to_string(path)
                .with_context(|| format!("the public key {} cannot be read; give one with --key", path.display()))?;
            VerifyingKey::from_pem(&pem).with_context(|| format!("{} is not a public key", path.display()))
        })
        .collect()
}
