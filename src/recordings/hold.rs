//! `portcullis recordings hold | release`: a recording is kept whatever its time, or no longer for that reason.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use portcullis_evidence::What;
use portcullis_proxy::Journal;
use portcullis_proxy::journal::About;
use portcullis_proxy::token::load_key_file;
use portcullis_vault::keeping::KeepError;
use time::OffsetDateTime;

use crate::DataArgs;
use crate::bundle::Reading;
use crate::data::Data;
use crate::keys::EVIDENCE;

/// The longest reason, in bytes.
const MOST_REASON: usize = 1024;

/// Arguments of `recordings hold` and `recordings release`.
#[derive(Debug, Args)]
pub(crate) struct HoldArgs {
    /// The session's id
    id: String,
    /// Why, for those who ask later
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    place: DataArgs,
}

/// Holds or releases it; exit code 1 when it is so already.
pub(crate) fn run(args: &HoldArgs, held: bool) -> anyhow::Result<ExitCode> {
    if args.reason.trim().is_empty() || args.reason.len() > MOST_REASON {
        bail!("--reason must say why, in 1 to {MOST_REASON} bytes");
    }
    let config = args.place.load()?;
    let (data, reading) = (Data::at(&config.data), Reading::open(&config)?);
    let place = reading.find(&args.id)?;
    let key = load_key_file(&data.keys().join(EVIDENCE)).context("a hold is signed with the gate's evidence key")?;
    let journal = Journal::open(&data.journal()).context("the journal cannot be opened")?;
    let keeper = crate::retention::keeper(&config, &data, reading.vault.clone(), Arc::new(key))?;
    let (by, now) = (super::by(), OffsetDateTime::now_utc());
    match reading.runtime.block_on(keeper.set_hold(&place, held, &args.reason, &by, now)) {
        Ok(by_storage) => {
            let (recording, reason) = (place.id().to_owned(), args.reason.clone());
            let what = match held {
                true => What::RecordingHeld { recording, reason },
                false => What::RecordingReleased { recording, reason },
            };
            let about = About { subject: &by, session: place.id(), ..About::default() };
            journal.append(about, what).context("it is done, and the journal does not say so")?;
            let word = if held { "held" } else { "released" };
            let too = if by_storage { ", and so is each of its objects" } else { "" };
            println!("{} is {word}{too}", place.id());
            Ok(ExitCode::SUCCESS)
        }
        Err(KeepError::Already(words)) => {
            println!("{}: {words}", place.id());
            Ok(ExitCode::FAILURE)
        }
        Err(error) => {
            Err(error).with_context(|| format!("{} cannot be {}", place.id(), if held { "held" } else { "released" }))
        }
    }
}
