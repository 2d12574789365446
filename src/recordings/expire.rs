//! `portcullis recordings expire`: what is due goes, and why each of the others stays.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use portcullis_proxy::Journal;
use portcullis_proxy::outcome::chain;
use portcullis_proxy::token::load_key_file;
use portcullis_vault::keeping::Fate;
use serde::Serialize;

use crate::DataArgs;
use crate::bundle::Reading;
use crate::data::Data;
use crate::keys::EVIDENCE;
use crate::quarantine::{self, Spared};
use crate::retention;

/// Arguments of `recordings expire`.
#[derive(Debug, Args)]
pub(crate) struct ExpireArgs {
    /// Say what would go, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: DataArgs,
}

/// What became of one recording.
#[derive(Debug, Serialize)]
struct Line {
    id: String,
    place: String,
    /// `expired`, `due`, `gone`, `stays` or `failed`.
    fate: &'static str,
    /// Objects that went or would go.
    objects: usize,
    /// In words for a person.
    words: String,
}

/// Prints a line for each recording; exit code 1 when one could not be looked at, or did not go.
pub(crate) fn run(args: &ExpireArgs) -> anyhow::Result<ExitCode> {
    let config = args.place.load()?;
    let (data, reading) = (Data::at(&config.data), Reading::open(&config)?);
    let key =
        load_key_file(&data.keys().join(EVIDENCE)).context("tombstones are signed with the gate's evidence key")?;
    let keeper = retention::keeper(&config, &data, reading.vault.clone(), Arc::new(key))?;
    let trial = args.dry_run || config.retention.dry_run;
    let journal =
        if trial { None } else { Some(Journal::open(&data.journal()).context("the journal cannot be opened")?) };
    let (by, mut lines) = (super::by(), Vec::new());
    let (mut sweep, mut spared) = (retention::Sweep::begin(&keeper, &by, trial), Spared::default());
    while let Some((place, fate)) =
        reading.runtime.block_on(sweep.next()).context("the vault cannot be looked through")?
    {
        spared.hear(&place, &fate);
        if let (Some(journal), Ok(fate)) = (&journal, &fate) {
            retention::note(journal, &by, &place, fate);
        }
        let (name, objects) = match &fate {
            Ok(Fate::Expired { objects, .. }) => ("expired", *objects),
            Ok(Fate::Due { objects, .. }) => ("due", *objects),
            Ok(Fate::Gone { objects }) => ("gone", *objects),
            Ok(Fate::Stays(_)) => ("stays", 0),
            Err(_) => ("failed", 0),
        };
        let words = fate.map_or_else(|error| chain(&error), |fate| fate.to_string());
        let (id, at) = (place.id().to_owned(), place.key().to_string());
        lines.push(Line { id, place: at, fate: name, objects, words });
    }
    let quarantine = config.files.quarantine(&data)?;
    let gone = quarantine::expire(&quarantine, &spared, &by, journal.as_ref());
    for copy in gone.context("quarantined copies cannot be looked through")? {
        let words = format!("a quarantined copy of {} bytes", copy.bytes);
        let fate = if trial { "due" } else { "expired" };
        lines.push(Line { id: copy.session, place: copy.place, fate, objects: 1, words });
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
    } else {
        lines.iter().for_each(|line| println!("{}  {}", line.id, line.words));
    }
    let failed = lines.iter().any(|line| line.fate == "failed");
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
