//! `portcullis recordings`: what is in the vault, and what is done with it over the years.

mod compact;
mod expire;
mod export;
mod facts;
mod hold;
mod list;
mod rebuild_index;
mod recover;
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
    /// Hold a recording: it does not expire until it is released
    Hold(hold::HoldArgs),
    /// Release a recording that is held
    Release(hold::HoldArgs),
    /// Let go what is due now, or say with --dry-run what would go, and why each of the others stays
    Expire(expire::ExpireArgs),
    /// Close what a killed gate left in the spool, and bring it to the vault, as the next start of the gate would
    Recover(recover::RecoverArgs),
    /// Read every recording of the vault into the index anew
    RebuildIndex(rebuild_index::RebuildArgs),
}

/// Runs the command. Exit code 1: a recording that cannot be read, or did not go; 2: what kept the command from doing anything.
pub(crate) fn run(command: &RecordingsCommand) -> anyhow::Result<ExitCode> {
    match command {
        RecordingsCommand::Compact(args) => compact::run(args),
        RecordingsCommand::Export(args) => export::run(args),
        RecordingsCommand::List(args) => list::run(args),
        RecordingsCommand::Show(args) => show::run(args),
        RecordingsCommand::Hold(args) => hold::run(args, true),
        RecordingsCommand::Release(args) => hold::run(args, false),
        RecordingsCommand::Expire(args) => expire::run(args),
        RecordingsCommand::Recover(args) => recover::run(args),
        RecordingsCommand::RebuildIndex(args) => rebuild_index::run(args),
    }
}

/// Who gives the command, as the system names them.
fn by() -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let uid = rustix::process::getuid().as_raw();
    name.filter(|name| !name.is_empty()).map_or_else(|| format!("uid {uid}"), |name| format!("{name} (uid {uid})"))
}
