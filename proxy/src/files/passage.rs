//! One file on its way, judged at each step by the policy of that moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use portcullis_evidence::What;
use portcullis_files::{Class, FileName};
use portcullis_policy::{ActionKind, Contents, Effect, Limits, Quarantine, Rule, Verdict};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::examine::{self, Care, Seen, has_metadata};
use super::stopped::denied;
use super::told::Told;
use super::{Spool, Spooled, Stopped, quarantine};
use crate::session::{Refused, Session};

/// One file on its way.
#[derive(Clone)]
pub(super) struct Passage {
    pub(super) session: Arc<Session>,
    /// `upload` or `download`.
    pub(super) kind: ActionKind,
    pub(super) name: FileName,
    /// Whether its event is written.
    judged: Arc<AtomicBool>,
    /// While it lives, the session's record waits for what becomes of the file.
    _under_way: TaskTrackerToken,
}

/// A file that is on the record as permitted, and may be handed over now.
pub(crate) struct Passed {
    /// What is handed over: the file, or the file without its metadata.
    pub(super) file: Spooled,
    /// What is known of it.
    pub(crate) facts: Facts,
}

/// What is known of a file that crossed.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) media_type: String,
    /// What was found in it, in words for whoever sends or fetches it.
    pub(crate) found: Vec<String>,
    pub(crate) verdict: Verdict,
    pub(crate) metadata_stripped: bool,
}

/// What is known of a file when its event is written.
#[derive(Default)]
struct Known<'a> {
    bytes: u64,
    file: Option<&'a Spooled>,
    seen: Option<&'a Seen>,
    quarantined: Option<String>,
    stripped: Option<&'a Spooled>,
}

impl Passage {
    pub(super) fn new(session: Arc<Session>, kind: ActionKind, name: FileName) -> Self {
        let under_way = session.files.under_way.token();
        Self { session, kind, name, judged: Arc::default(), _under_way: under_way }
    }

    /// Whether such a file may be brought at all, or of so many bytes: asked before any of it is taken.
    ///
    /// # Errors
    /// [`Stopped`], which is on the record.
    pub(super) fn begin(&self, bytes: u64) -> Result<Verdict, Stopped> {
        if self.session.is_ending() {
            return Err(Stopped::Ended);
        }
        let verdict = self.counted(self.judge(bytes, None), bytes, false);
        if verdict.effect == Effect::Deny {
            return Err(self.stop(Stopped::by(verdict), bytes));
        }
        Ok(verdict)
    }

    /// A place for the file, of the size that it may have.
    ///
    /// # Errors
    /// [`Stopped`], which is on the record.
    pub(super) fn spool(&self, verdict: &Verdict) -> Result<Spool, Stopped> {
        let config = &self.session.files.depot.config;
        let most = self.limits().max_bytes.map_or(config.largest, |most| most.value.bytes().min(config.largest));
        let spool = Spool::create(&config.spool, most, config.keep_free);
        spool.map_err(|error| self.stop(Stopped::spool(&error, verdict), 0))
    }

    /// Looks at a whole file, judges it, and puts the verdict on the record. INVARIANT: who has a [`Passed`] has it on the record, and nothing
    /// was waited for since the verdict.
    ///
    /// # Errors
    /// [`Stopped`], which is on the record.
    pub(super) async fn pass(&self, file: Spooled) -> Result<Passed, Stopped> {
        let looking = self.examine(&file).await;
        let (seen, stripped) = looking.map_err(|stopped| self.stop(stopped, file.bytes))?;
        let early = self.counted(self.judge(file.bytes, Some(&seen)), file.bytes, false);
        let (mut quarantined, lost) = self.copied(&early, &file).await;
        // The last word: whatever changed while the file was looked at counts.
        let mut verdict = self.counted(self.judge(file.bytes, Some(&seen)), file.bytes, !lost);
        if verdict.effect != Effect::Deny && lost {
            verdict = denied(&verdict, "the copy that policy keeps of it could not be written".to_owned());
        }
        if self.session.is_ending() {
            return Err(self.stop(Stopped::Ended, file.bytes));
        }
        if verdict.effect == Effect::Deny && quarantined.is_none() {
            quarantined = self.copied(&verdict, &file).await.0;
        }
        let handed = stripped.as_ref().filter(|_| verdict.effect != Effect::Deny);
        let known = Known { bytes: file.bytes, file: Some(&file), seen: Some(&seen), quarantined, stripped: handed };
        self.record(&verdict, known)?;
        if verdict.effect == Effect::Deny {
            return Err(self.tell(Stopped::by(verdict)));
        }
        let facts = Facts {
            name: self.name.as_str().to_owned(),
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            media_type: seen.media_type.to_owned(),
            found: seen.told(),
            verdict,
            metadata_stripped: stripped.is_some(),
        };
        Ok(Passed { file: stripped.unwrap_or(file), facts })
    }

    /// What is in the file, and the file without its metadata where policy wants that.
    async fn examine(&self, file: &Spooled) -> Result<(Seen, Option<Spooled>), Stopped> {
        let care = Care::of(&self.limits());
        let mut seen = examine::look(self, file, care).await?;
        let verdict = self.judge(file.bytes, Some(&seen));
        if verdict.effect == Effect::Deny {
            return Ok((seen, None));
        }
        if care.scan {
            examine::scan(self, file, &mut seen).await;
        }
        if !care.strip || seen.against.is_some() || !has_metadata(seen.media_type) {
            return Ok((seen, None));
        }
        let stripped = examine::strip(self, file, seen.media_type, &verdict).await?;
        Ok((seen, stripped))
    }

    /// The verdict on a file of so many bytes with what is known of it.
    fn judge(&self, bytes: u64, seen: Option<&Seen>) -> Verdict {
        let (policy, situation) = (self.session.policy(), self.session.situation());
        let extension = self.name.extension().unwrap_or_default();
        let found: Vec<_> = seen.iter().flat_map(|seen| &seen.found).collect();
        let known = seen.map(|seen| seen.media_type).filter(|media_type| !media_type.is_empty());
        let contents = Contents {
            media_type: known,
            extension: Some(&extension),
            archive: seen.is_some_and(|seen| seen.archive),
            found: &found,
        };
        let verdict = policy.decide(&situation.wants(self.kind.carrying(bytes)).with(contents));
        let Some(seen) = seen.filter(|_| verdict.effect != Effect::Deny) else { return verdict };
        if let Some(reason) = &seen.against {
            let rule = seen.unsearched.clone().unwrap_or_else(|| verdict.rule.clone());
            return Verdict { rule, ..denied(&verdict, reason.clone()) };
        }
        // Another policy, or another hour, may look for what nobody has looked for in this file, or want it scanned or stripped.
        let care = Care::of(&policy.limits(&situation, self.kind));
        if policy.detectors(&situation, self.kind) != seen.sought || care != seen.care {
            let reason = "the policy changed while the file was looked at: bring it again".to_owned();
            return denied(&verdict, reason);
        }
        // What an archive holds crosses with it, and so do programs and archives within a document: its own pictures and tables are its affair.
        let class = |media_type: &str| portcullis_files::kind(media_type).map(|kind| kind.class);
        let within = seen
            .nested
            .iter()
            .filter(|media_type| seen.archive || matches!(class(media_type), Some(Class::Executable | Class::Archive)));
        let within = within.map(|media_type| {
            let archive = class(media_type) == Some(Class::Archive);
            let contents = Contents { media_type: Some(media_type), archive, ..Contents::default() };
            policy.decide(&situation.wants(self.kind.at_all()).with(contents))
        });
        within.into_iter().find(|within| within.effect == Effect::Deny).unwrap_or(verdict)
    }

    /// The same verdict, unless too many files have crossed; one more has if it `crosses`.
    fn counted(&self, verdict: Verdict, bytes: u64, crosses: bool) -> Verdict {
        if verdict.effect == Effect::Deny {
            return verdict;
        }
        let files = &self.session.files;
        let measure = (bytes, files.depot.config.session_bytes);
        let spent = files.quotas().allow(self.kind, &self.limits(), measure, crosses, Instant::now());
        match spent {
            Ok(()) => verdict,
            Err(spent) => {
                // The gate's own limit is told apart from what rules forbid.
                let own = || Rule { key: format!("allow.{}.per_session", self.kind), ..verdict.rule.clone() };
                let rule = spent.rule.unwrap_or_else(own);
                Verdict { rule, ..denied(&verdict, spent.why) }
            }
        }
    }

    /// The quarantined copy, where policy wants one of a file with this verdict; and whether it wanted one and there is none.
    async fn copied(&self, verdict: &Verdict, file: &Spooled) -> (Option<String>, bool) {
        let wants = self.limits().files.quarantine.map(|quarantine| quarantine.value);
        let wanted = match wants {
            Some(Quarantine::All) => true,
            Some(Quarantine::Denied) => verdict.effect == Effect::Deny,
            Some(Quarantine::None) | None => false,
        };
        if !wanted {
            return (None, false);
        }
        match quarantine::keep(&self.session.files, self.session.id.as_str(), file).await {
            Ok(place) => (Some(place), false),
            Err(error) => {
                tracing::error!(session = %self.session.id, error, "a file that policy keeps a copy of could not be copied");
                (None, true)
            }
        }
    }

    fn limits(&self) -> Limits {
        self.session.policy().limits(&self.session.situation(), self.kind)
    }

    /// Puts on the record, and tells the person, that a file was stopped before its verdict; gives the reason back.
    pub(super) fn stop(&self, stopped: Stopped, bytes: u64) -> Stopped {
        let verdict = stopped.verdict().cloned();
        let verdict = verdict.unwrap_or_else(|| denied(&self.judge(0, None), stopped.words()));
        if let Stopped::Failed(reason) = &stopped {
            tracing::error!(session = %self.session.id, reason, "a file could not be carried");
        }
        match self.record(&verdict, Known { bytes, ..Known::default() }) {
            Ok(()) => self.tell(stopped),
            Err(ended) => ended,
        }
    }

    /// The session ended while the file was under way: that is on its record, or, where that is closed, on the gate's journal.
    pub(super) fn ended(&self, bytes: u64) -> Stopped {
        if !self.judged.load(Ordering::Relaxed) {
            return self.stop(Stopped::Ended, bytes);
        }
        self.undelivered("the session ended before it was there");
        Stopped::Ended
    }

    /// Puts on the record that a file that was permitted did not arrive.
    pub(super) fn undelivered(&self, why: &str) {
        let what = What::Refused { what: format!("the {} of {}", self.kind, self.name), reason: why.to_owned() };
        let _ = self.session.files.note(&self.session, &self.judge(0, None), what);
    }

    /// Puts on the record that a file was given up by its sender after so many bytes.
    pub(super) fn abandon(&self, why: &str, bytes: u64) {
        let verdict = denied(&self.judge(0, None), why.to_owned());
        let _ = self.record(&verdict, Known { bytes, ..Known::default() });
    }

    /// Tells the person at the session's page.
    fn tell(&self, stopped: Stopped) -> Stopped {
        let rule = stopped.verdict().map(|verdict| verdict.rule.to_string()).unwrap_or_default();
        self.session.life.refuse(Refused { what: self.kind.name(), why: stopped.words(), rule });
        stopped
    }

    /// Writes the file's event. In strict mode what cannot be recorded does not cross, and its session ends.
    fn record(&self, verdict: &Verdict, known: Known<'_>) -> Result<(), Stopped> {
        let detectors: Vec<_> = known.seen.iter().flat_map(|seen| &seen.found).collect();
        self.session.crossings.count(&detectors, verdict.effect);
        let bytes = known.bytes;
        self.judged.store(true, Ordering::Relaxed);
        let noted = self.session.files.note(&self.session, verdict, self.event(verdict, known));
        let crosses = noted.is_ok() && verdict.effect != Effect::Deny;
        self.session.files.depot.counts.add(self.kind, crosses.then_some(bytes));
        noted
    }

    fn event(&self, verdict: &Verdict, known: Known<'_>) -> What {
        let told = Told {
            bytes: known.bytes,
            media_type: known.seen.map(|seen| seen.media_type).unwrap_or_default().to_owned(),
            sha256: known.file.map(|file| file.sha256.clone()).unwrap_or_default(),
            found: known.seen.map(Seen::names).unwrap_or_default(),
            archive_entries: known.seen.map(|seen| seen.entries).filter(|entries| *entries > 0),
            quarantined: known.quarantined,
            stripped_sha256: known.stripped.map(|file| file.sha256.clone()),
        };
        told.event(self.kind, self.name.as_str().to_owned(), verdict)
    }
}
