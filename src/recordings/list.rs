//! `portcullis recordings list`: the recordings in the vault, newest first.

use std::process::ExitCode;

use clap::Args;
use portcullis_vault::next_bundle;

use super::facts::Facts;
use crate::DataArgs;
use crate::bundle::Reading;

/// Arguments of `recordings list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Print them as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: DataArgs,
}

/// Prints them. One that cannot be read is said on standard error, holds up no other, and makes the exit code 1.
pub(crate) fn run(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let reading = Reading::open(&args.place.load()?)?;
    let vault = reading.vault.as_ref();
    let (mut found, mut sound) = (Vec::new(), true);
    reading.runtime.block_on(async {
        let mut last = None;
        while let Some(place) = next_bundle(vault, last.as_ref()).await? {
            match Facts::read(vault, &place).await {
                Ok(facts) => found.push(facts),
                Err(error) => {
                    eprintln!("portcullis: {}: {error:#}", place.key());
                    sound = false;
                }
            }
            last = Some(place);
        }
        anyhow::Ok(())
    })?;
    found.sort_by(|a, b| b.started.cmp(&a.started));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        for facts in &found {
            println!(
                "{}  {}  {:<11}  {}  {}",
                facts.id,
                facts.started,
                facts.state,
                facts.desktop.escape_debug(),
                facts.subject.escape_debug()
            );
        }
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
