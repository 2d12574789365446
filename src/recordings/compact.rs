//! `portcullis recordings compact`: old recordings encoded anew, beside the originals or in place of their video, with a signed statement of what was done.

use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use portcullis_evidence::{
    BundleFolder, Contents, Digest, Identities, Listing, PathInBundle, Source, Verdict, What, is_stamp, stamp,
    verify_at,
};
use portcullis_proxy::Journal;
use portcullis_proxy::journal::About;
use portcullis_proxy::token::load_key_file;
use portcullis_recorder::{Codec, CompactSettings, compact};
use portcullis_vault::keeping::{Keeper, Replaced};
use portcullis_vault::{Key, Place, next_bundle};
use time::{Duration, OffsetDateTime};

use super::facts::Facts;
use crate::DataArgs;
use crate::bundle::Reading;
use crate::config::Config;
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
    /// Let the recordings' own video go then, where `retention.replace_after_days` permits it: what was made of it stays alone
    #[arg(long)]
    replace: bool,
    /// A file of age identities (AGE-SECRET-KEY-1…), for what is encrypted; what is made of it is encrypted to the same recipients
    #[arg(long)]
    identity: Option<PathBuf>,
    /// Say what would be done, and do nothing
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
    config: Config,
    reading: Reading,
    trusted: Trusted,
    identities: Option<Identities>,
    settings: CompactSettings,
    keeper: Keeper,
    /// Where it is put on the record what went; `None` where nothing is to go.
    journal: Option<Journal>,
    replace: bool,
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
    let reading = Reading::open(&config)?;
    let key = load_key_file(&data.keys().join(crate::keys::EVIDENCE)).context("the evidence key cannot be read")?;
    let keeper = crate::retention::keeper(&config, &data, Arc::clone(&reading.vault), Arc::new(key))?;
    let identities = args.identity.as_deref().map(crate::verify::identities).transpose()?;
    let mut trusted = args.trusted.read(&args.place)?;
    if let Some(identities) = &identities {
        trusted.trust = trusted.trust.with_identities(identities.clone());
    }
    let goes = args.replace && !args.dry_run;
    let journal = goes.then(|| Journal::open(&data.journal()).context("the journal cannot be opened")).transpose()?;
    let settings = CompactSettings { crf: args.crf.unwrap_or(settings.crf), ..settings };
    let (replace, dry_run) = (args.replace, args.dry_run);
    let work = Work { config, reading, trusted, identities, settings, keeper, journal, replace, dry_run };
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
                // Of what expired there is no video; what was replaced may have been interrupted.
                if facts.is_ok_and(|facts| {
                    let there = facts.state != "expired" && (self.replace || !facts.replaced);
                    there && facts.ended.as_ref().is_some_and(old)
                }) {
                    found.push(place.clone());
                }
                last = Some(place);
            }
            anyhow::Ok(())
        })?;
        Ok(found)
    }

    fn one(&self, place: &Place) -> anyhow::Result<()> {
        let to = place.derived()?;
        let there = self.wait(self.reading.vault.len(&Key::of(to.as_str(), PathInBundle::Derivation)?))?.is_some();
        if there {
            if !self.dry_run {
                self.guard(place)?;
            }
            println!("{}  is there already: {to}", place.id());
        } else {
            self.encode(place, &to)?;
        }
        if self.replace {
            self.replace(place, &to)?;
        }
        Ok(())
    }

    /// Encodes it anew and stores what comes out, locked and held as the original is.
    fn encode(&self, place: &Place, to: &Key) -> anyhow::Result<()> {
        let source = self.reading.source(place.key());
        let report = verify_at(source.as_ref(), &self.trusted.trust);
        if report.verdict() == Verdict::Expired {
            bail!("its time is over and its video went ({})", place.key());
        }
        if report.contents == Contents::Encrypted {
            bail!(
                "it is encrypted: only who has an identity (--identity) can see its pictures, and encode them anew ({})",
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
        let (identities, key) = (self.identities.as_ref(), &self.keeper.key);
        let done = compact(source.as_ref(), identities, folder.path(), &self.settings, &made, key)?;
        let derived = BundleFolder::at(folder.path());
        let report = verify_at(&derived, &self.trusted.trust);
        if report.verdict() != Verdict::Derived {
            bail!("what was made does not verify: {report}");
        }
        // Of an attempt that was interrupted other bytes may be there.
        self.reading.runtime.block_on(self.keeper.clear_derived(place, OffsetDateTime::now_utc()))?;
        self.store(&derived, folder.path(), to)?;
        self.guard(place)?;
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

    /// Locks and holds what was made as the original is; again does no harm, and finishes what was interrupted.
    fn guard(&self, place: &Place) -> anyhow::Result<()> {
        let guarded = self.reading.runtime.block_on(self.keeper.guard_derived(place, OffsetDateTime::now_utc()));
        guarded.context("what was made is stored, and not locked or held as the original is")
    }

    /// Lets the original's video go, once what stands in its place has been proved as it lies in the vault.
    fn replace(&self, place: &Place, to: &Key) -> anyhow::Result<()> {
        let (original, derived) = (self.reading.source(place.key()), self.reading.source(to));
        let mut statement = Vec::new();
        if let Ok(opened) = derived.open(PathInBundle::Derivation) {
            let report = verify_at(derived.as_ref(), &self.trusted.trust);
            if report.verdict() != Verdict::Derived {
                bail!("its own video stays, for what was made of it does not verify ({to}): {}", report.verdict());
            }
            // Of another seal it would be another recording's.
            if Listing::read(derived.as_ref())?.sealed != Listing::read(original.as_ref())?.sealed {
                bail!("its own video stays, for what lies at {to} was not made of it");
            }
            { opened.reader }.read_to_end(&mut statement)?;
        } else if !self.dry_run {
            bail!("its own video stays, for nothing was made of it ({to})");
        }
        let (by, now, digest) = (super::by(), OffsetDateTime::now_utc(), Digest::of(&statement));
        let fate =
            self.reading.runtime.block_on(self.keeper.replace(place, digest, &by, now, self.journal.is_none()))?;
        println!("{}  {fate}", place.id());
        if self.journal.is_some() && matches!(&fate, Replaced::Now(_) | Replaced::Before(1..)) {
            self.index(place)?;
        }
        if let (Some(journal), Replaced::Now(_)) = (&self.journal, &fate) {
            let (recording, derivation) = (place.id().to_owned(), digest.to_string());
            let reason = "encoded anew (retention.replace_after_days)".to_owned();
            let about = About { subject: &by, session: place.id(), ..About::default() };
            let what = What::RecordingReplaced { recording, derivation, reason };
            journal.append(about, what).context("it is done, and the journal does not say so")?;
        }
        Ok(())
    }

    /// Has the index read how large the recording is now, if there is an index.
    fn index(&self, place: &Place) -> anyhow::Result<()> {
        let (config, data) = (&self.config, Data::open(&self.config.data)?);
        let journal = Arc::new(Journal::open(&data.journal()).context("the journal cannot be opened")?);
        let indexed = self.reading.runtime.block_on(async {
            let origins = config.origins_at(config.listen);
            let portal =
                crate::serve::portal(config, &data, &origins, Arc::clone(&self.reading.vault), journal).await?;
            let read = portal.ingest(place.key().as_str()).await;
            portal.close().await;
            anyhow::Ok(read?)
        });
        indexed.context("it is done, and the index says what it was before: recordings rebuild-index")
    }

    /// Stores a bundle; what says that it is one comes last.
    fn store(&self, derived: &BundleFolder, folder: &Path, to: &Key) -> anyhow::Result<()> {
        let mut paths: Vec<PathInBundle> = Vec::new();
        derived.list(&mut |entry| {
            paths.extend(entry.path.parse::<PathInBundle>());
            ControlFlow::Continue(())
        })?;
        paths.sort_by_key(|path| (*path == PathInBundle::Derivation, *path));
        for path in paths {
            let (key, from) = (Key::of(to.as_str(), path)?, path.under(folder));
            let stored = self.wait(self.reading.vault.put(&key, &from));
            stored.with_context(|| format!("{key} cannot be stored"))?;
        }
        Ok(())
    }

    fn wait<T>(&self, answer: impl Future<Output = portcullis_vault::Result<T>>) -> anyhow::Result<T> {
        Ok(self.reading.runtime.block_on(answer)?)
    }
}
