//! `portcullis recordings rebuild-index`: the index is a cache, and the bundles rebuild it.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use portcullis_proxy::Journal;
use portcullis_proxy::outcome::chain;

use crate::DataArgs;
use crate::bundle::Reading;
use crate::data::Data;

/// Arguments of `recordings rebuild-index`.
#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    #[command(flatten)]
    place: DataArgs,
}

/// Rebuilds it, whether or not a gate runs; exit code 1 when a bundle cannot be read.
pub(crate) fn run(args: &RebuildArgs) -> anyhow::Result<ExitCode> {
    let config = args.place.load()?;
    let (reading, data) = (Reading::open(&config)?, Data::open(&config.data)?);
    let journal = Arc::new(Journal::open(&data.journal())?);
    let rebuilt = reading.runtime.block_on(async {
        let portal =
            crate::serve::portal(&config, &data, &config.origins_at(config.listen), reading.vault.clone(), journal)
                .await?;
        let rebuilt = portal.rebuild_index().await?;
        portal.close().await;
        anyhow::Ok(rebuilt)
    })?;
    println!("{} recordings in the index, {} forgotten", rebuilt.recordings, rebuilt.missing.len());
    for id in &rebuilt.missing {
        println!("{id}  forgotten: it is not in the vault");
    }
    for (place, error) in &rebuilt.failed {
        println!("{place}  cannot be indexed: {}", chain(error));
    }
    Ok(if rebuilt.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
