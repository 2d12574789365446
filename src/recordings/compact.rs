//! `portcullis recordings compact`: old recordings encoded anew, beside the originals, with a signed statement of what was done.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use portcullis_evidence::{
    BundleFolder, Contents, PathInBundle, SigningKey, Source, Verdict, is_stamp, stamp, verify_at,
};
use portcullis_proxy::token::load_key_file;
use portcullis_recorder::{Codec, CompactSettings, compact};
use portcullis_vault::{Key, Place, next_bundle};
use time::{Duration, OffsetDateTime};

use super::facts::Facts;
use crate::DataArgs;
use crate::bundle::Reading;
use crate::data::Data;
use crate::trust::{TrustArgs, Trusted};

/// Arguments of `recordings compact`.
#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    /// The sessions' ids
    #[arg(required_unless_present = "older_than")]
    ids: Vec<String>,
    /// In place of ids: all that ended so long ago, in days: 30d
    #[arg(long, conflicts_with = "ids")]
    older_than: Option<String>,
    /// The codec
    #[arg(long, default_value = "vp9")]
    codec: Wanted,
    /// Constant rate factor, 0 to 63; else what text stays readable with
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=63))]
    crf: Option<u8>,
    /// Threads of the encoder
    #[arg(long, default_value_t = 1)]
    threads: u32,
    /// Say what would be encoded, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    trusted: TrustArgs,
    #[command(flatten)]
    place: DataArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wanted {
    /// Smallest and slowest
    Av1,
    /// In between
    Vp9,
}

/// What all of them are done with.
struct Work {
    reading: Reading,
    trusted: Trusted,
    settings: CompactSettings,
    key: SigningKey,
    dry_run: bool,
}

/// Encodes them one by one; one that fails holds up no other and makes the exit code 1.
pub(crate) fn run(args: &CompactArgs) -> anyhow::Result<ExitCode> {
    let config = args.place.load()?;
    let data = Data::at(&config.data);
    let codec = match args.codec {
        Wanted::Av1 => Codec::Av1,
        Wanted::Vp9 => Codec::Vp9,
    };
    let settings = CompactSettings::of(codec, args.threads);
    let work = Work {
        reading: Reading::open(&config)?,
        trusted: args.trusted.read(&args.place)?,
        settings: CompactSettings { crf: args.crf.unwrap_or(settings.crf), ..settings },
        key: load_key_file(&data.keys().join(crate::keys::EVIDENCE)).context("the evidence key cannot be read")?,
        dry_run: args.dry_run,
    };
    let mut all_done = true;
    for place in work.places(args)? {
        if let Err(error) = work.one(&place) {
            eprintln!("portcullis: {}: {error:#}", place.id());
            all_done = false;
        }
    }
    Ok(if all_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Work {
    /// The bundles that are meant.
    fn places(&self, args: &CompactArgs) -> anyhow::Result<Vec<Place>> {
        let Some(age) = &args.older_than else { return args.ids.iter().map(|id| self.reading.find(id)).collect() };
        let days = age.strip_suffix('d').and_then(|days| days.parse::<i64>().ok()).filter(|days| *days >= 0);
        let days = days.with_context(|| format!("{age} is no number of days such as 30d"))?;
        let since =
            OffsetDateTime::now_utc().checked_sub(Duration::days(days)).context("so long ago there was nothing")?;
        let (vault, mut found, mut last) = (self.reading.vault.as_ref(), Vec::new(), None);
        self.reading.runtime.block_on(async {
            while let Some(place) = next_bundle(vault, last.as_ref()).await? {
                let facts = Facts::read(vault, &place, &self.trusted.trust).await;
                // Both are RFC 3339 in UTC with six decimals, which sort as their times do.
                let old = |ended: &String| is_stamp(ended) && *ended < stamp(since);
                // Of what expired there is no video.
                if facts.is_ok_and(|facts| facts.state != "expired" && facts.ended.as_ref().is_some_and(old)) {
                    found.push(place.clone());
                }
                last = Some(place);
            }
            anyhow::Ok(())
        })?;
        Ok(found)
    }

    fn one(&self, place: &Place) -> anyhow::Result<()> {
        let to = format!("derived/{}/{}", place.day(), place.id());
        if self.wait(self.reading.vault.len(&Key::of(&to, PathInBundle::Derivation)?))?.is_some() {
            println!("{}  is there already: {to}", place.id());
            return Ok(());
        }
        let source = self.reading.source(place);
        let report = verify_at(source.as_ref(), &self.trusted.trust);
        if report.verdict() == Verdict::Expired {
            bail!("its time is over and its video went ({})", place.key());
        }
        if report.contents != Contents::Clear {
            bail!(
                "it is encrypted: only who has an identity can see its pictures, and encode them anew ({})",
                place.key()
            );
        }
        if !matches!(report.verdict(), Verdict::Sound | Verdict::GapDeclared) {
            bail!("{} ({}): only what verifies is encoded anew", report.verdict(), place.key());
        }
        if self.dry_run {
            println!("{}  {} bytes would be encoded anew to {}", place.id(), report.bytes, self.settings.codec.name());
            return Ok(());
        }
        let folder = tempfile::Builder::new().prefix("portcullis-compact-").tempdir()?;
        let made = stamp(OffsetDateTime::now_utc());
        let done = compact(source.as_ref(), folder.path(), &self.settings, &made, &self.key)?;
        let derived = BundleFolder::at(folder.path());
        let report = verify_at(&derived, &self.trusted.trust);
        if report.verdict() != Verdict::Derived {
            bail!("what was made does not verify: {report}");
        }
        self.store(&derived, folder.path(), &to)?;
        let share = done.after.saturating_mul(100).checked_div(done.before).unwrap_or(100);
        println!(
            "{}  {} pictures, video of {} bytes is {} now ({share} %): {to}",
            place.id(),
            done.pictures,
            done.before,
            done.after
        );
        Ok(())
    }

    /// Stores a bundle; what says that it is one comes last.
    fn store(&self, derived: &BundleFolder, folder: &Path, to: &str) -> anyhow::Result<()> {
        let mut paths: Vec<PathInBundle> = Vec::new();
        derived.list(&mut |entry| {
            paths.extend(entry.path.parse::<PathInBundle>());
            ControlFlow::Continue(())
        })?;
        paths.sort_by_key(|path| (*path == PathInBundle::Derivation, *path));
        for path in paths {
            let (key, from) = (Key::of(to, path)?, path.under(folder));
            let stored = self.wait(self.reading.vault.put(&key, &from));
            stored.with_context(|| format!("{key} cannot be stored"))?;
        }
        Ok(())
    }

    fn wait<T>(&self, answer: impl Future<Output = portcullis_vault::Result<T>>) -> anyhow::Result<T> {
        Ok(self.reading.runtime.block_on(answer)?)
    }
}
