//! What a text carries, judged: searched together with what crossed before it, and stopped or redacted where policy says so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use portcullis_content::{Found, Searcher, Window, beside_marks};
use portcullis_policy::{ActionKind, Contents, Detector, Effect, Request, Rule, Situation, Sought, Then, Verdict};
use portcullis_rfb::clipboard::Text;

use super::findings::Findings;
use super::hurry::Hurry;
use super::kept::Keys;
use super::quota::Quota;
use super::{copy, paste};
use crate::enforced::{Enforced, name};
use crate::outcome::Outcome;
use crate::session::{Refused, Session};
use crate::tally::Tally;

/// Bytes of a text that are searched where they are; a longer one is searched in a thread that nobody else waits for.
const INLINE: usize = 8 << 10;

/// Why a text does not cross of which not everything can be taken out.
const UNCLEAN: &str = "what was found in the text cannot be taken out of it";
/// Why a text does not cross that could not be searched.
const UNSEARCHED: &str = "the text could not be searched";
/// Why a text is taken back that crossed before a rule came.
const TOO_LATE: &str = "; it was let in before, and a text that is offered already is not redacted but taken back";

/// What crosses in either direction, for all viewers of a session together.
#[derive(Debug)]
pub(crate) struct Crossings {
    paste: Lane,
    copy: Lane,
    findings: Arc<Findings>,
    pub(super) texts: Arc<Tally>,
    hurries: [Hurry; 3],
    pub(super) keys: Keys,
}

/// One direction.
#[derive(Debug, Default)]
struct Lane {
    quota: Mutex<Quota>,
    /// INVARIANT: held from the look at a text until it is remembered, so that two halves of a secret do not pass each other.
    crossed: tokio::sync::Mutex<Crossed>,
}

/// What has crossed in one direction.
#[derive(Debug, Default)]
struct Crossed {
    window: Window,
    last: Option<Last>,
}

/// The text that crossed last, which may be asked for again.
#[derive(Debug)]
struct Last {
    text: Text,
    /// What had crossed before it.
    before: Window,
    searched: Option<Searched>,
}

/// What was found in a text, and by which rules.
#[derive(Debug)]
struct Searched {
    policies: Arc<Enforced>,
    sought: Vec<Sought>,
    found: Vec<Detector>,
}

/// A text that was judged.
struct Judged {
    verdict: Verdict,
    /// What of it crosses; none where it is denied.
    crosses: Option<Text>,
    /// In how many places it was redacted.
    redacted: Option<u32>,
    found: Vec<Detector>,
    /// What is known of the text that crosses.
    searched: Option<Searched>,
}

impl Crossings {
    pub(crate) fn new(findings: Arc<Findings>, texts: Arc<Tally>, keys: Keys) -> Self {
        Self { paste: Lane::default(), copy: Lane::default(), findings, texts, hurries: <[Hurry; 3]>::default(), keys }
    }

    /// Counts what was found in one text or file.
    pub(crate) fn count(&self, found: &[&Detector], effect: Effect) {
        self.findings.count(found, effect);
    }

    /// What came too fast, of one kind; of files it is one for both ways.
    pub(super) fn hurry(&self, kind: ActionKind) -> &Hurry {
        let [pastes, copies, files] = &self.hurries;
        match kind {
            ActionKind::Paste => pastes,
            ActionKind::Copy => copies,
            _ => files,
        }
    }

    fn lane(&self, kind: ActionKind) -> &Lane {
        if kind == ActionKind::Paste { &self.paste } else { &self.copy }
    }
}

impl Session {
    /// Decides whether a text of this kind that is announced is asked for.
    pub(crate) fn judge_announced(&self, kind: ActionKind) -> Verdict {
        let policies = self.policy();
        let situation = self.situation();
        let verdict = policies.decide(&situation.wants(kind.at_all()));
        if verdict.effect == Effect::Deny {
            return verdict;
        }
        match self.over(&policies, &situation, (kind, 0, false)) {
            Some((rule, reason)) => Verdict { effect: Effect::Deny, rule, reason, ..verdict },
            None => verdict,
        }
    }

    /// Judges a text, puts it on the record, and answers with what of it may cross now.
    ///
    /// # Errors
    /// [`Outcome::RecordingFailed`]: what cannot be recorded does not cross.
    pub(crate) async fn cross(&self, kind: ActionKind, viewer: u32, text: Text) -> Result<Option<Text>, Outcome> {
        let lane = self.crossings.lane(kind);
        let mut crossed = lane.crossed.lock().await;
        let mut policies = self.policy();
        let situation = self.situation();
        let mut judged = self.look(&policies, &situation, kind, &text, &crossed.window).await;
        // INVARIANT: what was judged under an older policy permits nothing, nor does anything pass once the session is ending.
        while !Arc::ptr_eq(&policies, &self.policy()) {
            policies = self.policy();
            judged = self.look(&policies, &situation, kind, &text, &crossed.window).await;
        }
        if let Some(outcome) = self.known_outcome() {
            return Err(outcome);
        }
        let over =
            judged.crosses.as_ref().and_then(|text| self.over(&policies, &situation, (kind, text.bytes(), true)));
        match over {
            Some((rule, reason)) => {
                let verdict = Verdict { effect: Effect::Deny, rule, reason, ..judged.verdict };
                judged = Judged { verdict, crosses: None, redacted: None, ..judged };
            }
            None => self.tell(kind, &judged),
        }
        let found: Vec<&Detector> = judged.found.iter().collect();
        self.crossings.count(&found, judged.verdict.effect);
        self.crossings.texts.add(kind, judged.crosses.as_ref().map(Text::bytes));
        let what = if kind == ActionKind::Paste { paste } else { copy };
        let what = what(viewer, &text, &judged.verdict, names(&judged.found), judged.redacted);
        let seq = self.note_numbered(&judged.verdict, what)?;
        let keep = policies.limits(&situation, kind).keep;
        self.keep_contents(&judged.verdict, keep.as_ref(), seq, &text).await?;
        if let Some(text) = &judged.crosses {
            crossed.remember(text.clone(), judged.searched);
        }
        Ok(judged.crosses)
    }

    /// Judges a text that crossed once and is asked for again, by the policy of this moment; with the names of what was found in it.
    pub(crate) async fn judge_again(&self, kind: ActionKind, text: &Text) -> (Verdict, Vec<String>) {
        let mut crossed = self.crossings.lane(kind).crossed.lock().await;
        let policies = self.policy();
        let situation = self.situation();
        let wanted = situation.wants(kind.carrying(text.bytes()));
        let sought = policies.detectors(&situation, kind);
        let verdict = policies.decide(&wanted);
        if verdict.effect == Effect::Deny || sought.is_empty() {
            return (verdict, Vec::new());
        }
        let last = crossed.last.as_mut().filter(|last| last.text == *text);
        let known = last.as_ref().and_then(|last| last.searched.as_ref());
        let known = known.filter(|known| Arc::ptr_eq(&known.policies, &policies) && known.sought == sought);
        let found = match known {
            Some(known) => known.found.clone(),
            None => {
                let before = last.as_ref().map(|last| last.before.clone()).unwrap_or_default();
                let searcher = policies.searcher(sought.iter().map(|sought| &sought.detector));
                let Some(found) = search(before, searcher, text.clone()).await else {
                    return (Verdict { effect: Effect::Deny, reason: UNSEARCHED.to_owned(), ..verdict }, Vec::new());
                };
                let found = policies.found(&beside_marks(text.as_str(), found));
                if let Some(last) = last {
                    let (policies, found) = (Arc::clone(&policies), found.clone());
                    last.searched = Some(Searched { policies, sought, found });
                }
                found
            }
        };
        let verdict = decide(&policies, wanted, &found);
        if verdict.effect == Effect::Redact {
            let reason = format!("{}{TOO_LATE}", verdict.reason);
            return (Verdict { effect: Effect::Deny, reason, ..verdict }, names(&found));
        }
        (verdict, names(&found))
    }

    /// The whole judgement of a text but for how much has crossed already.
    async fn look(
        &self,
        policies: &Arc<Enforced>,
        situation: &Situation<'_>,
        kind: ActionKind,
        text: &Text,
        window: &Window,
    ) -> Judged {
        let wanted = situation.wants(kind.carrying(text.bytes()));
        let verdict = policies.decide(&wanted);
        let sought = policies.detectors(situation, kind);
        let crosses = (verdict.effect != Effect::Deny).then(|| text.clone());
        let judged = Judged { verdict, crosses, redacted: None, found: Vec::new(), searched: None };
        // What is denied whatever is in it is not searched.
        if judged.crosses.is_none() || sought.is_empty() {
            return judged;
        }
        let searcher = policies.searcher(sought.iter().map(|sought| &sought.detector));
        let Some(found) = search(window.clone(), searcher.clone(), text.clone()).await else {
            return judged.stopped(UNSEARCHED);
        };
        let found = policies.found(&found);
        let verdict = decide(policies, wanted, &found);
        let judged = Judged { verdict, found: found.clone(), ..judged };
        let searched = |found| Some(Searched { policies: Arc::clone(policies), sought: sought.clone(), found });
        match judged.verdict.effect {
            Effect::Deny => Judged { crosses: None, ..judged },
            Effect::Permit | Effect::Alert => Judged { searched: searched(found), ..judged },
            Effect::Redact => {
                let redacting = sought.iter().filter(|sought| sought.then == Then::Redact);
                let redacting = policies.searcher(redacting.map(|sought| &sought.detector));
                let Some(clean) = clean(window.clone(), redacting, searcher, text.clone()).await else {
                    return judged.stopped(UNCLEAN);
                };
                let left = policies.found(&clean.left);
                // INVARIANT: what crosses is judged as it crosses: a part that is gone may have hidden another.
                let verdict = decide(policies, situation.wants(kind.carrying(clean.text.bytes())), &left);
                match verdict.effect {
                    Effect::Deny => Judged { verdict, crosses: None, ..judged },
                    Effect::Redact => judged.stopped(UNCLEAN),
                    Effect::Permit | Effect::Alert => {
                        let searched = searched(left);
                        Judged { crosses: Some(clean.text), redacted: Some(clean.places), searched, ..judged }
                    }
                }
            }
        }
    }

    /// The limit that a text would be over, and how; a page is told. It is counted where it is over none.
    fn over(
        &self,
        policies: &Enforced,
        situation: &Situation<'_>,
        (kind, bytes, crosses): (ActionKind, u64, bool),
    ) -> Option<(Rule, String)> {
        let limits = policies.limits(situation, kind);
        let mut quota = self.crossings.lane(kind).quota.lock().unwrap_or_else(PoisonError::into_inner);
        let (rule, why) = quota.over(&limits, (kind, bytes, crosses), Instant::now())?;
        self.life.refuse(Refused { what: kind.name(), why: why.clone(), rule: rule.to_string() });
        Some((rule, why))
    }

    /// Tells the person what was stopped or redacted and by which policy; not what was found, nor what is looked for.
    fn tell(&self, kind: ActionKind, judged: &Judged) {
        let (verdict, policy) = (&judged.verdict, &judged.verdict.rule.policy);
        let (what, why) = match (verdict.effect, kind) {
            (Effect::Deny, _) if !judged.found.is_empty() => {
                (kind.name(), format!("the policy {policy} does not let this text cross because of what is in it"))
            }
            (Effect::Redact, ActionKind::Paste) => ("paste_redacted", redacted(policy, judged.redacted)),
            (Effect::Redact, _) => ("copy_redacted", redacted(policy, judged.redacted)),
            _ => return,
        };
        self.life.refuse(Refused { what, why, rule: verdict.rule.to_string() });
    }
}

fn redacted(policy: &str, places: Option<u32>) -> String {
    match places {
        Some(1) | None => {
            format!("the policy {policy} lets this text cross without one part of it, which is marked [redacted]")
        }
        Some(places) => {
            format!(
                "the policy {policy} lets this text cross without {places} parts of it, which are marked [redacted]"
            )
        }
    }
}

impl Judged {
    /// The same, denied by the rule that was to decide.
    fn stopped(self, why: &str) -> Self {
        let place = &self.verdict.rule;
        let reason = format!("{}:{}: {why}", place.file, place.line);
        let verdict = Verdict { effect: Effect::Deny, reason, ..self.verdict };
        Self { verdict, crosses: None, redacted: None, ..self }
    }
}

impl Crossed {
    /// Remembers a text that crosses, as it crosses.
    fn remember(&mut self, text: Text, searched: Option<Searched>) {
        let before = self.window.clone();
        self.window.remember(text.as_str());
        self.last = Some(Last { text, before, searched });
    }
}

fn decide(policies: &Enforced, request: Request<'_>, found: &[Detector]) -> Verdict {
    let found: Vec<&Detector> = found.iter().collect();
    policies.decide(&request.with(Contents { found: &found, ..Contents::default() }))
}

/// The names of detectors as events have them: sorted, each once.
fn names(found: &[Detector]) -> Vec<String> {
    let mut names: Vec<String> = found.iter().map(name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A redacted text.
struct Clean {
    text: Text,
    places: u32,
    /// What is found in it beside marks.
    left: Vec<Found>,
}

async fn search(window: Window, searcher: Searcher, text: Text) -> Option<Vec<Found>> {
    let bytes = text.as_str().len();
    aside(bytes, move || window.search(&searcher, text.as_str())).await
}

async fn clean(window: Window, redacting: Searcher, searcher: Searcher, text: Text) -> Option<Clean> {
    let bytes = text.as_str().len();
    let cleaning = move || {
        let cleaned = window.clean(&redacting, text.as_str())?;
        let left = beside_marks(&cleaned.text, window.search(&searcher, &cleaned.text));
        let places = u32::try_from(cleaned.places(text.as_str())).unwrap_or(u32::MAX).max(1);
        Some(Clean { text: Text::new(&cleaned.text), places, left })
    };
    aside(bytes, cleaning).await.flatten()
}

/// Does what takes time with so many bytes where it keeps nobody waiting; none if it came to no end.
pub(super) async fn aside<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    if bytes <= INLINE {
        return Some(work());
    }
    tokio::task::spawn_blocking(work).await.ok()
}
