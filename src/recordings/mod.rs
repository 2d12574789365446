//! `portcullis recordings`: what is in the vault, and what is done with it over the years.

mod compact;
mod export;
mod facts;
mod list;
mod show;

use std::process::ExitCode;

use clap::Subcommand;

/// What is done with recordings.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordingsCommand {
    /// Encode old recordings anew, beside the originals, with a signed statement of what was done
    Compact(compact::CompactArgs),
    /// Write a recording as one film, or as a zip that a stranger can verify
    Export(export::ExportArgs),
    /// List the recordings in the vault, newest first
    List(list::ListArgs),
    /// Say what is known of one recording
    Show(show::ShowArgs),
}

/// Runs the command; exit code 2 is for what kept it from doing anything.
pub(crate) fn run(command: &RecordingsCommand) -> anyhow::Result<ExitCode> {
    match command {
        RecordingsCommand::Compact(args) => compact::run(args),
        RecordingsCommand::Export(args) => export::run(args),
        RecordingsCommand::List(args) => list::run(args),
        RecordingsCommand::Show(args) => show::run(args),
    }
}
