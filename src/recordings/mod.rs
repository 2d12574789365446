//! `portcullis recordings`: what is in the vault, and what is done with it over the years.

mod facts;
mod list;
mod show;

use std::process::ExitCode;

use clap::Subcommand;

/// What is done with recordings.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordingsCommand {
    /// List the recordings in the vault, newest first
    List(list::ListArgs),
    /// Say what is known of one recording
    Show(show::ShowArgs),
}

/// Runs the command; exit code 2 is for what kept it from doing anything.
pub(crate) fn run(command: &RecordingsCommand) -> anyhow::Result<ExitCode> {
    match command {
        RecordingsCommand::List(args) => list::run(args),
        RecordingsCommand::Show(args) => show::run(args),
    }
}
