//! `portcullis policy check`: faults, keys that are not enforced, and rules that are probably not what was meant.

use std::process::ExitCode;

use clap::Args;
use portcullis_policy::{Finding, PolicyError, PolicySet, Surroundings};
use portcullis_proxy::Enforced;
use serde::Serialize;

use super::{FolderArgs, code, files};

/// Arguments of `policy check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    place: FolderArgs,
    /// Exit with 1 for doubts too, not for faults alone
    #[arg(long)]
    strict: bool,
    /// Accept keys that this version of the gate does not enforce: for policies that a later one is to follow
    #[arg(long)]
    ahead: bool,
    /// A desktop that the gate has; may be given more than once, and then a name for which there is none is a doubt
    #[arg(long)]
    desktop: Vec<String>,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// How many policies there are.
    policies: usize,
    /// The revision of the files; nothing if they have faults.
    revision: Option<String>,
    /// Faults: the gate refuses these files.
    faults: Vec<PolicyError>,
    /// Keys that this version does not enforce: the gate refuses these files too.
    not_enforced: Vec<PolicyError>,
    /// Rules that are probably not what was meant.
    doubts: Vec<Finding>,
}

/// Checks and prints; exit code 0 when the gate would take these policies, 1 when not.
pub(super) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let found = files::read(&args.place.folder)?;
    let mut report = Report { policies: found.policies.len(), ..Report::default() };
    match PolicySet::draft_with(&found.policies, &found.lists) {
        Ok(draft) => {
            // Lists of words and all detectors together may be what no gate can search for.
            report.faults = Enforced::compile(draft.set.clone()).err().unwrap_or_default();
            report.doubts = draft.set.check(Surroundings { desktops: &args.desktop });
            report.revision = Some(draft.set.revision().to_string());
            report.not_enforced = draft.later;
        }
        Err(errors) => report.faults = errors,
    }
    if args.place.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    let refused = !report.faults.is_empty() || !(args.ahead || report.not_enforced.is_empty());
    let doubted = args.strict && !report.doubts.is_empty();
    Ok(code(!refused && !doubted))
}

fn print(report: &Report) {
    for fault in &report.faults {
        println!("{fault}");
    }
    for key in &report.not_enforced {
        println!("{key}");
    }
    for doubt in &report.doubts {
        println!("{doubt}");
    }
    let Report { policies, faults, not_enforced, doubts, .. } = report;
    let (faults, later, doubts) = (faults.len(), not_enforced.len(), doubts.len());
    println!("policies: {policies}; faults: {faults}; keys that are not enforced: {later}; doubts: {doubts}");
}
