//! `portcullis policy`: checks, tests, explains and compares policies for those who write them; and the policies that a gate follows.

pub(crate) mod api;
mod check;
mod diff;
mod explain;
mod files;
mod follow;
mod git;
mod test;
mod webhook;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use portcullis_policy::{Draft, PolicyError, PolicySet};

pub(crate) use follow::{Following, State};

/// The commands for those who write policies. Exit codes: 0 as it should be, 1 not, 2 could not be run.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Find faults, and rules that never count, contradict each other or reach too far
    Check(check::CheckArgs),
    /// Run the cases that are kept beside the policies, in folders named `tests`
    Test(test::TestArgs),
    /// Say what policy means for a subject on a desktop, with file, line and commit of each value; or why an action is permitted or denied
    Explain(Box<explain::ExplainArgs>),
    /// Say who gains or loses what between two commits, or two folders
    Diff(diff::DiffArgs),
    /// Print the JSON Schema of policy files, for editors
    Schema,
}

/// Where the policies are, and how to answer.
#[derive(Debug, Args)]
struct FolderArgs {
    /// The folder of policies
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// Runs one of the commands.
pub(crate) fn run(command: &PolicyCommand) -> anyhow::Result<ExitCode> {
    match command {
        PolicyCommand::Check(args) => check::run(args),
        PolicyCommand::Test(args) => test::run(args),
        PolicyCommand::Explain(args) => explain::run(args),
        PolicyCommand::Diff(args) => diff::run(args),
        PolicyCommand::Schema => {
            println!("{}", serde_json::to_string_pretty(&portcullis_policy::schema())?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Exit code 0, or 1.
fn code(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The policies of a folder, keys that are not enforced yet included: those are for `check` to name, and for the gate to refuse.
fn draft(folder: &Path) -> anyhow::Result<(Draft, files::Found)> {
    let found = files::read(folder)?;
    let draft = understood(&found)?;
    for later in &draft.later {
        eprintln!("{later}");
    }
    Ok((draft, found))
}

fn understood(found: &files::Found) -> anyhow::Result<Draft> {
    match PolicySet::draft_with(&found.policies, &found.lists) {
        Ok(draft) => Ok(draft),
        Err(errors) => bail!(faults(&errors)),
    }
}

/// All faults, a line each.
fn faults(errors: &[PolicyError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    format!("{} fault(s) in the policies:\n{}", lines.len(), lines.join("\n"))
}

/// The policies of a folder, if it is given and they check: to look at, not to run under.
pub(crate) fn in_folder(folder: &std::path::Path) -> Option<portcullis_policy::PolicySet> {
    let found = (!folder.as_os_str().is_empty()).then(|| files::read(folder).ok())??;
    portcullis_policy::PolicySet::parse(&found.policies).ok()
}
