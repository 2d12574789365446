//! Recovery: closing what a killed gate left in the spool, so that everything that was shown is on the record.
//!
//! Every step leaves the spool in a state from which this begins again: it may itself be killed.
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use portcullis_evidence::{
    BundleWriter, CoverKey, Disk, Ending, Left, Manifest, PathInBundle, Reopened, Sealed, SigningKey, State, What,
    stamp,
};
use portcullis_vault::Vault;
use time::{Duration, OffsetDateTime};

use crate::bundle::{Bundle, GATE};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{RecordError, spool as spool_error};
use crate::film::Film;
use crate::handover::{Base, Bases, Kind, Mark, Replay};
use crate::keeping;
use crate::keys;
use crate::recording::blocking;
use crate::segment::{Finished, Init, Segment, covered};
use crate::spool::{Spool, sessions};
use crate::upload::Place;

/// How long the last picture is shown where nothing says that the session lived longer, in microseconds.
const LAST_PICTURE_US: u64 = 40_000;
/// How far the log's note of life is believed beyond everything else that is dated, in microseconds.
const LONGEST_REST_US: u64 = 600_000_000;

/// What became of one session in the spool.
#[derive(Debug)]
pub struct Recovered {
    /// The session's id, as its folder is named.
    pub session: String,
    /// Its seal; or why it is still in the spool, to be tried again at the next start.
    pub outcome: Result<Sealed, RecordError>,
}

/// Closes the sessions that a killed gate left in the spool as `interrupted` and brings them to the vault. Those of a live gate
/// are left alone.
pub async fn recover(config: Config, vault: Arc<dyn Vault>, key: Arc<SigningKey>) -> Vec<Recovered> {
    recover_those(config, vault, key, |_| true).await
}

/// As [`recover`], of the sessions whose names are `meant` alone: in a gate that runs, those that did not begin just now.
pub async fn recover_those(
    config: Config,
    vault: Arc<dyn Vault>,
    key: Arc<SigningKey>,
    mut meant: impl FnMut(&str) -> bool + Send,
) -> Vec<Recovered> {
    let mut recovered = Vec::new();
    let root = config.spool.clone();
    let folders = match blocking(move || sessions(&root)).await {
        Ok(folders) => folders,
        Err(error) => return vec![Recovered { session: String::new(), outcome: Err(error) }],
    };
    for folder in folders {
        let session = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !meant(&session) {
            continue;
        }
        let path = folder.clone();
        let outcome = match blocking(move || Spool::open(folder)).await {
            Ok(None) => continue,
            // Meanwhile whoever had it is done with it.
            Err(_) if !path.is_dir() => continue,
            Ok(Some(spool)) => finish(&config, &vault, Arc::clone(&key), spool, Interruption::Killed).await,
            Err(error) => Err(error),
        };
        if let Some(outcome) = outcome.transpose() {
            recovered.push(Recovered { session, outcome });
        }
    }
    recovered
}

/// Why a recording did not end by itself.
#[derive(Debug, Clone)]
pub(crate) enum Interruption {
    /// Its gate was killed, or its machine stopped.
    Killed,
    /// It failed, and is closed by the gate that it failed in.
    Failed {
        /// Why the session ended.
        reason: String,
        /// Why the recording failed.
        why: String,
        /// When it failed, microseconds since the start.
        from_us: u64,
        /// When the session ended.
        to_us: u64,
    },
}

/// Mends and seals the bundle of a spool, brings it to the vault and removes the spool. `None` when no session had begun.
pub(crate) async fn finish(
    config: &Config,
    vault: &Arc<dyn Vault>,
    key: Arc<SigningKey>,
    spool: Spool,
    why: Interruption,
) -> Result<Option<Sealed>, RecordError> {
    let settings = config.clone();
    let (spool, mended) = blocking(move || {
        let mended = mend(&settings, key, &spool, &why)?;
        Ok((spool, mended))
    })
    .await?;
    let Some((manifest, sealed)) = mended else {
        return blocking(move || spool.remove()).await.map(|()| None);
    };
    let vault = keeping::locking(Arc::clone(vault), manifest.keep).await?;
    let place = Place { vault, prefix: manifest.prefix(), patience: config.patience };
    let folder = spool.bundle();
    let paths = blocking(move || files(&spool).map(|paths| (spool, paths))).await;
    let (spool, paths) = paths?;
    for path in paths {
        place.store(&folder, path).await?;
    }
    keeping::settle(place.vault.as_ref(), &place.prefix, manifest.keep, &sealed.seal).await?;
    blocking(move || spool.remove()).await?;
    Ok(Some(sealed))
}

/// Every file of the bundle in the order in which a vault gets them: the seal last.
fn files(spool: &Spool) -> Result<Vec<PathInBundle>, RecordError> {
    let bundle = spool.bundle();
    let mut paths = Vec::new();
    for folder in ["", "chain", "events", "video"] {
        let at = bundle.join(folder);
        for entry in fs::read_dir(&at).map_err(spool_error("read", &at))? {
            let name = entry.map_err(spool_error("read", &at))?.file_name();
            let name = PathBuf::from(folder).join(name);
            paths.extend(name.to_str().and_then(|name| name.parse::<PathInBundle>().ok()));
        }
    }
    paths.sort();
    Ok(paths)
}

fn mend(
    config: &Config,
    key: Arc<SigningKey>,
    spool: &Spool,
    why: &Interruption,
) -> Result<Option<(Manifest, Sealed)>, RecordError> {
    let cover = keys::find(spool.folder());
    match BundleWriter::reopen_on(Disk::default(), &spool.bundle(), key, cover).map_err(RecordError::Bundle)? {
        Reopened::Unstarted => Ok(None),
        Reopened::Sealed(manifest, seal) => Ok(Some((*manifest, Sealed { seal: *seal, written: Vec::new() }))),
        Reopened::Open(writer, left) => {
            let manifest = writer.manifest().clone();
            let sealed = Mending::begin(spool, *writer, &left, why)?.end(config)?;
            Ok(Some((manifest, sealed)))
        }
    }
}

/// A bundle between being reopened and being sealed.
struct Mending<'a> {
    spool: &'a Spool,
    why: &'a Interruption,
    bundle: Arc<Bundle>,
    /// The open segment, if there are pictures in it.
    segment: Option<Segment>,
    /// Until when there is film.
    newest_us: Option<u64>,
    log: Log,
    /// When the session ended.
    end_us: u64,
    /// What covers the log, where the recording is encrypted.
    cover: Option<CoverKey>,
    /// It is, and its key is gone: what the chain does not have is lost.
    lost: bool,
}

/// What the log of a killed gate holds.
#[derive(Default)]
struct Log {
    base: Option<Base>,
    /// The base shows something that is newer than the film: there was a power cut.
    lost: bool,
    /// When the first picture was due that is not on film.
    first_us: Option<u64>,
    /// Records up to the last that belongs to a whole revision.
    records: u64,
    last_us: u64,
    revision: u64,
    alive_us: u64,
}

impl<'a> Mending<'a> {
    fn begin(spool: &'a Spool, writer: BundleWriter, left: &Left, why: &'a Interruption) -> Result<Self, RecordError> {
        let (folder, number, from_us) = (spool.bundle(), writer.segment(), writer.from_us());
        let init = left.video.iter().find_map(|path| match path {
            PathInBundle::Init(number) => Some(*number),
            _ => None,
        });
        let video = PathInBundle::Video(number);
        let cover = writer.encryption().map(|encryption| encryption.key().clone());
        let mut segment = None;
        if let Some(key) = &cover {
            let uncovered = Segment::uncover(&folder, number, from_us, key);
            segment = uncovered.map_err(spool_error("read", &covered(&folder, number)))?;
        } else if left.video.contains(&video) {
            let init = init.map(|number| Init { number, header: Vec::new() });
            let reopened = Segment::reopen(&folder, number, from_us, init);
            segment = reopened.map_err(spool_error("read", &video.under(&folder)))?;
        }
        if segment.is_none() {
            for path in left.video.iter().map(|path| path.under(&folder)) {
                fs::remove_file(&path).map_err(spool_error("remove", &path))?;
            }
        }
        let newest_us = match &segment {
            Some(segment) => segment.newest_us(),
            // The chain says that everything before its end is in it.
            None => from_us.checked_sub(1),
        };
        let log = if left.lost { Log::lost(spool)? } else { Log::read(spool, newest_us, cover.clone())? };
        let end_us = match why {
            Interruption::Failed { to_us, .. } => *to_us,
            Interruption::Killed => 0,
        };
        let dated_us = [log.last_us, newest_us.unwrap_or(0), writer.at_us(), from_us, end_us].into_iter().max();
        let dated_us = dated_us.unwrap_or(0);
        let shown_us = log.last_us.max(newest_us.unwrap_or(0)).saturating_add(LAST_PICTURE_US);
        let alive_us = log.alive_us.min(dated_us.saturating_add(LONGEST_REST_US));
        let end_us = dated_us.max(shown_us).max(alive_us);
        let bundle = Arc::new(Bundle::new(writer, Arc::new(At(end_us)), None));
        Ok(Self { spool, why, bundle, segment, newest_us, log, end_us, cover, lost: left.lost })
    }

    /// Puts on film what is only in the log, closes the last segment and seals.
    fn end(mut self, config: &Config) -> Result<Sealed, RecordError> {
        let first_us = self.log.first_us;
        if let Some(segment) = self.segment.take() {
            let to_us = first_us.unwrap_or(self.end_us);
            if first_us.is_none() {
                self.say_why()?;
            }
            let path = PathInBundle::Video(segment.number()).under(self.bundle.folder());
            let files = segment.finish(to_us).map_err(spool_error("finish", &path))?;
            self.bundle.close_segment(to_us, files, first_us.is_none())?;
            if first_us.is_none() {
                return self.seal();
            }
        }
        match self.log.base.take() {
            Some(base) => self.replay(config, base)?,
            None => {
                self.say_why()?;
                self.bundle.close_segment(self.end_us, Finished::default(), true)?;
            }
        }
        self.seal()
    }

    fn replay(&mut self, config: &Config, base: Base) -> Result<(), RecordError> {
        let mark = base.mark;
        let mut film = Film::resume(config, Arc::clone(&self.bundle), base, self.newest_us);
        if self.log.lost {
            film.show(mark.at_us)?;
        }
        let mut replay = Replay::open(&self.spool.ring(), mark, self.cover.as_ref()).map_err(RecordError::Log)?;
        for _ in 0..self.log.records {
            let Some((record, _)) = replay.next().map_err(RecordError::Log)? else { break };
            film.record(record)?;
        }
        self.say_why()?;
        film.end(self.end_us).map(|_| ())
    }

    /// Events for those who read the record: where it is torn and why it ends. Not said twice when recovery was itself killed.
    fn say_why(&self) -> Result<(), RecordError> {
        let closed_by = self.bundle.closed_by();
        if closed_by.as_deref() == Some(GATE) {
            return Ok(());
        }
        if self.lost {
            let (_, from_us, _) = self.bundle.standing();
            let reason = "the key that covered the open segment went with the machine that was stopped".to_owned();
            self.bundle.own_event(What::Gap { from_us, to_us: self.end_us, reason })?;
        } else if self.log.lost || self.spool.is_from_another_boot() {
            let from_us = self.newest_us.unwrap_or(0).min(self.end_us);
            let reason = "the machine stopped: what was shown in its last second may be missing".to_owned();
            self.bundle.own_event(What::Gap { from_us, to_us: self.end_us, reason })?;
        }
        if let Interruption::Failed { why, from_us, .. } = self.why {
            let from_us = (*from_us).min(self.end_us);
            let reason = format!("the recording failed: {why}");
            self.bundle.own_event(What::Gap { from_us, to_us: self.end_us, reason })?;
        }
        match closed_by {
            Some(_) => Ok(()),
            None => self.bundle.own_event(What::SessionClosed { reason: self.reason() }),
        }
    }

    fn reason(&self) -> String {
        match self.why {
            Interruption::Killed if self.spool.is_from_another_boot() => "the gate's machine was stopped".to_owned(),
            Interruption::Killed => "the gate was killed".to_owned(),
            Interruption::Failed { reason, why, .. } => format!("{reason} (the recording failed: {why})"),
        }
    }

    fn seal(&self) -> Result<Sealed, RecordError> {
        let end = Duration::microseconds(i64::try_from(self.end_us).unwrap_or(i64::MAX));
        let ended = started(self.bundle.manifest()).and_then(|started| started.checked_add(end));
        self.bundle.seal(Ending {
            state: State::Interrupted,
            reason: self.reason(),
            ended: stamp(ended.unwrap_or_else(OffsetDateTime::now_utc)),
            duration_us: self.end_us,
            revisions: self.log.revision.max(self.bundle.revisions()),
        })
    }
}

fn started(manifest: &Manifest) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(&manifest.started, &time::format_description::well_known::Rfc3339).ok()
}

impl Log {
    /// What a log tells whose key is gone: when the session was last known to live.
    fn lost(spool: &Spool) -> Result<Self, RecordError> {
        let replay = Replay::open(&spool.ring(), Mark::START, None).map_err(RecordError::Log)?;
        Ok(Self { alive_us: replay.alive_us().map_err(RecordError::Log)?, ..Self::default() })
    }

    /// Goes through the log once, to know when the first picture is due that is not on film, and where to stop.
    fn read(spool: &Spool, newest_us: Option<u64>, cover: Option<CoverKey>) -> Result<Self, RecordError> {
        let Some(base) = Bases::new(spool.folder(), cover.clone()).newest() else { return Ok(Self::default()) };
        let is_due = |at_us: u64| newest_us.is_none_or(|newest_us| at_us > newest_us);
        let mark = base.mark;
        let lost = is_due(mark.at_us) && mark != Mark::START;
        let mut log = Self {
            base: Some(base),
            lost,
            first_us: lost.then_some(mark.at_us),
            last_us: mark.at_us,
            revision: mark.revision,
            ..Self::default()
        };
        let mut replay = Replay::open(&spool.ring(), mark, cover.as_ref()).map_err(RecordError::Log)?;
        log.alive_us = replay.alive_us().map_err(RecordError::Log)?;
        let mut records = 0;
        while let Some((record, mark)) = replay.next().map_err(RecordError::Log)? {
            records += 1;
            if record.header.kind == Kind::Part {
                continue;
            }
            log.records = records;
            log.last_us = log.last_us.max(mark.at_us);
            log.revision = log.revision.max(mark.revision);
            if is_due(mark.at_us) {
                log.first_us.get_or_insert(mark.at_us);
            }
        }
        Ok(log)
    }
}

/// A clock that stands still.
struct At(u64);

impl Clock for At {
    fn now_us(&self) -> u64 {
        self.0
    }
}
