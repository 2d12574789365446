//! What is in a file: its type, its members, what policy looks for in it, and what the scanner says.

use std::io::{BufReader, Read};

use portcullis_files::{Class, HEAD, Inspection, Limits, Refused, Stripped, inspect, sniff, strip_metadata};
use portcullis_policy::{self as policy, Archives, Detector, Metadata, Rule, Sought, Verdict};

use super::clamd::{ScanError, Scanned};
use super::passage::Passage;
use super::search::Search;
use super::{Reader, Spool, Spooled, Stopped};
use crate::enforced::name;
use crate::outcome::chain;

/// Names of detectors in one event, and characters of each.
const MOST_FOUND: (usize, usize) = (32, 128);
/// What a finding of the scanner is called among those of detectors.
const SCANNER: &str = "clamav";
/// What a list of words or an expression is called to those who must not know it.
const OWN: &str = "a rule of your organisation";
/// Bytes that inspection reads at once.
const PIECE: usize = 1 << 16;

/// What policy wants to be done with a file before it crosses, beside looking for what it names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Care {
    /// Archives are looked into.
    pub(super) archives: bool,
    /// The scanner is asked.
    pub(super) scan: bool,
    /// Metadata is taken out.
    pub(super) strip: bool,
}

impl Care {
    pub(super) fn of(limits: &policy::Limits) -> Self {
        let files = &limits.files;
        Self {
            archives: files.archives.as_ref().is_none_or(|archives| archives.value == Archives::Look),
            scan: limits.scan.is_some(),
            strip: files.metadata.as_ref().is_some_and(|metadata| metadata.value == Metadata::Strip),
        }
    }
}

/// What was seen in a file.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Its media type; empty where it could not be told.
    pub(super) media_type: &'static str,
    /// The types of what it holds.
    pub(super) nested: Vec<&'static str>,
    /// Whether it is an archive.
    pub(super) archive: bool,
    /// Members that were looked at.
    pub(super) entries: u32,
    /// The detectors that found something.
    pub(super) found: Vec<Detector>,
    /// What speaks against it whatever policy allows, in words for a person.
    pub(super) against: Option<String>,
    /// A rule that would have searched text that cannot be had.
    pub(super) unsearched: Option<Rule>,
    /// What it was searched for.
    pub(super) sought: Vec<Sought>,
    /// What policy wanted when it was looked at.
    pub(super) care: Care,
    scanner: bool,
}

impl Seen {
    /// The names of all that found something, sorted, for its event.
    pub(super) fn names(&self) -> Vec<String> {
        let (most, characters) = MOST_FOUND;
        let mut names: Vec<String> =
            self.found.iter().map(name).chain(self.scanner.then(|| SCANNER.to_owned())).collect();
        names.iter_mut().for_each(|name| *name = name.chars().take(characters).collect());
        names.sort();
        names.dedup();
        names.truncate(most);
        names
    }

    /// What whoever sends or fetches it is told of: detectors that everybody knows, and of the policy's own only that there are some.
    pub(super) fn told(&self) -> Vec<String> {
        let told = |detector: &Detector| match detector {
            Detector::Known(known) => known.name().to_owned(),
            Detector::Pattern(_) | Detector::Words(_) => OWN.to_owned(),
        };
        let mut names: Vec<String> = self.found.iter().map(told).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether policy lets none of it be searched that it wants searched.
    fn read(inspection: Inspection, search: &Search, care: Care) -> Self {
        let unread = inspection.unread.first().filter(|_| search.searcher.is_some());
        Self {
            media_type: inspection.media_type,
            archive: inspection.class == Class::Archive,
            entries: inspection.entries,
            found: search.found(&inspection.found),
            against: unread
                .map(|kind| format!("text in it ({kind}) cannot be read, and policy looks for what must not cross")),
            unsearched: unread.and(search.rule()).cloned(),
            sought: search.sought.clone(),
            nested: inspection.nested,
            care,
            scanner: false,
        }
    }
}

/// Looks into a file, off the path of everybody else.
pub(super) async fn look(passage: &Passage, file: &Spooled, care: Care) -> Result<Seen, Stopped> {
    let search = Search::of(&passage.session, passage.kind);
    let (name, reader) = (passage.name.clone(), BufReader::with_capacity(PIECE, file.reader()));
    let limits = Limits { look: care.archives, ..Limits::default() };
    let looked = tokio::task::spawn_blocking(move || {
        inspect(reader, &name, search.searcher.as_ref(), &limits)
            .map(|inspection| Seen::read(inspection, &search, care))
    });
    match looked.await.map_err(|_| Stopped::Ended)? {
        Ok(seen) => Ok(seen),
        Err(error @ Refused::Unreadable(_)) => Err(Stopped::Failed(chain(&error))),
        Err(refused) => {
            let media_type = head(file.reader()).map_or("", |head| sniff(&head, &passage.name).media_type);
            Ok(Seen { media_type, against: Some(refused.to_string()), care, ..Seen::default() })
        }
    }
}

/// The first bytes of a file.
fn head(reader: Reader) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(u64::try_from(HEAD).ok()?).read_to_end(&mut head).ok()?;
    Some(head)
}

/// Asks the scanner. INVARIANT: what it has not called clean does not cross where policy asks for it.
pub(super) async fn scan(passage: &Passage, file: &Spooled, seen: &mut Seen) {
    let Some(scanner) = passage.session.files.depot.config.scanner.clone() else {
        seen.against = Some("policy wants it scanned, and this gate has no scanner".to_owned());
        return;
    };
    let mut reader = file.reader();
    let scanned = tokio::task::spawn_blocking(move || scanner.scan(&mut reader)).await;
    match scanned {
        Ok(Ok(Scanned::Clean)) => {}
        Ok(Ok(Scanned::Known(signature))) => {
            seen.scanner = true;
            seen.against = Some(format!("the scanner knows it as {signature}"));
        }
        Ok(Err(error)) => {
            if let ScanError::Away(_) = &error {
                tracing::error!(
                    error = chain(&error),
                    "clamd cannot be reached: files that policy wants scanned do not cross"
                );
            }
            seen.against = Some(error.to_string());
        }
        Err(_) => seen.against = Some("the gate is stopping".to_owned()),
    }
}

/// The file without what cameras and programs add to pictures; none where it has nothing of the kind.
///
/// # Errors
/// When it cannot be taken out: the file then does not cross with it.
pub(super) async fn strip(
    passage: &Passage,
    file: &Spooled,
    media_type: &'static str,
    verdict: &Verdict,
) -> Result<Option<Spooled>, Stopped> {
    let config = &passage.session.files.depot.config;
    let spool = Spool::create(&config.spool, config.largest, config.keep_free);
    let mut spool = spool.map_err(|error| Stopped::spool(&error, verdict))?;
    let reader = BufReader::with_capacity(PIECE, file.reader());
    let stripped = tokio::task::spawn_blocking(move || {
        strip_metadata(reader, media_type, &mut spool).map(|stripped| (stripped, spool))
    });
    match stripped.await.map_err(|_| Stopped::Ended)? {
        // A picture of a kind whose metadata is not known may have any.
        Ok((Stripped::NotNeeded, _)) => {
            let reason = format!("metadata cannot be taken out of {media_type}");
            Err(Stopped::by(super::stopped::denied(verdict, reason)))
        }
        Ok((_, spool)) => Ok(Some(spool.finish())),
        Err(refused) => {
            let reason = format!("its metadata cannot be taken out: {refused}");
            Err(Stopped::by(super::stopped::denied(verdict, reason)))
        }
    }
}

/// Whether metadata may be in files of this kind on their way.
pub(super) fn has_metadata(media_type: &str) -> bool {
    media_type.starts_with("image/")
}
