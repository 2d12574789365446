//! `portcullis recordings recover`: what a killed gate left in the spool is closed and brought to the vault.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use portcullis_proxy::outcome::chain;

use crate::DataArgs;
use crate::data::Data;

/// Arguments of `recordings recover`.
#[derive(Debug, Args)]
pub(crate) struct RecoverArgs {
    #[command(flatten)]
    place: DataArgs,
}

/// Closes them while no gate runs; exit code 1 when one stays in the spool.
pub(crate) fn run(args: &RecoverArgs) -> anyhow::Result<ExitCode> {
    let config = args.place.load()?;
    let data = Data::open(&config.data)?;
    let _held = data.lock()?;
    let keys = crate::keys::load_or_make(&data)?;
    let mut sound = true;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let vault = crate::vault::open(&config, &data).await?;
        let recorder = crate::recorder::of(&config, &data, crate::recorder::encrypting(&config)?);
        let recovered = portcullis_recorder::recover(recorder, vault, Arc::new(keys.evidence)).await;
        if recovered.is_empty() {
            println!("nothing is left in {}", data.spool().display());
        }
        for one in recovered {
            match one.outcome {
                Ok(sealed) => println!("{}  closed as interrupted: {}", one.session, sealed.seal.reason.escape_debug()),
                Err(error) => {
                    println!("{}  stays in the spool: {}", one.session, chain(&error));
                    sound = false;
                }
            }
        }
        anyhow::Ok(())
    })?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
