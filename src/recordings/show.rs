//! `portcullis recordings show`: what is known of one recording.

use std::process::ExitCode;

use clap::Args;
use portcullis_evidence::{PathInBundle, verify_at};
use portcullis_vault::Key;
use serde_json::{Value, json};

use super::facts::Facts;
use crate::DataArgs;
use crate::bundle::{self, Reading};
use crate::data::Data;
use crate::trust;

/// Arguments of `recordings show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The session's id
    id: String,
    /// Verify it as well, with the keys in the data folder
    #[arg(long)]
    verify: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: DataArgs,
}

/// Prints it; with `--verify` the exit code is the verdict's.
pub(crate) fn run(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let config = args.place.load()?;
    let reading = Reading::open(&config)?;
    let place = reading.find(&args.id)?;
    let data = Data::at(&config.data);
    let trust = trust::own(&data).map(|own| own.trust).unwrap_or_default();
    let facts = reading.runtime.block_on(Facts::read(reading.vault.as_ref(), &place, &trust))?;
    let mut shown = serde_json::to_value(&facts)?;
    let manifest = Key::of(place.key().as_str(), PathInBundle::Session)?;
    let guarded = reading.runtime.block_on(reading.vault.guarded(&manifest))?;
    let mut code = ExitCode::SUCCESS;
    if let Some(members) = shown.as_object_mut() {
        let lock = guarded.lock.map(|(mode, until)| format!("{mode} until {}", portcullis_evidence::stamp(until)));
        members.insert("storage_lock".to_owned(), json!(lock));
        members.insert("storage_hold".to_owned(), json!(guarded.held));
        if args.verify {
            let bundle = bundle::open(args.id.as_ref(), || Ok(config.clone()))?;
            let verdict = verify_at(bundle.source(), &trust::own(&data)?.trust).verdict();
            members.insert("verdict".to_owned(), json!(verdict));
            code = ExitCode::from(verdict.exit_code());
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(code);
    }
    for (name, value) in shown.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::String(text) => println!("{name:<12} {}", text.escape_debug()),
            other => println!("{name:<12} {other}"),
        }
    }
    Ok(code)
}
