//! `portcullis recordings show`: what is known of one recording.

use std::process::ExitCode;

use clap::Args;

use super::facts::Facts;
use crate::DataArgs;
use crate::bundle::Reading;

/// Arguments of `recordings show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The session's id
    id: String,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: DataArgs,
}

/// Prints it.
pub(crate) fn run(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let reading = Reading::open(&args.place.load()?)?;
    let place = reading.find(&args.id)?;
    let facts = reading.runtime.block_on(Facts::read(reading.vault.as_ref(), &place))?;
    let json = serde_json::to_value(&facts)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&json)?);
    } else {
        for (name, value) in json.as_object().into_iter().flatten() {
            match value {
                serde_json::Value::Null => {}
                serde_json::Value::String(text) => println!("{name:<12} {}", text.escape_debug()),
                other => println!("{name:<12} {other}"),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
