//! The decision: permit if some applying policy allows it and none denies it, within the strictest limit; else deny.

use std::fmt::Write;
use std::time::SystemTime;

use crate::index::{Applying, Bits, KindIndex};
use crate::language::Policy;
use crate::shown::Shown;
use crate::values::show_bytes;
use crate::{ActionKind, Effect, Limits, PolicySet, Request, Rule, Situation, Sought, Then, Verdict};

impl PolicySet {
    /// Answers one request; a pure function of the set and the request.
    ///
    /// 1. A `deny` of an applying policy that names the action, or one that it needs ([`ActionKind::denied_with`]), denies; one with
    ///    `containing` does so only if one of its detectors is among what was found, and if its `then` says so.
    /// 2. An `allow` of an applying policy for the action, or one that implies it ([`ActionKind::allowed_by`]), permits.
    /// 3. Limits of all applying policies that allow it hold together: the smallest counts, and going over it denies.
    /// 4. What is permitted so and contains what an entry of `deny` redacts is redacted, and else, where one alerts, told of.
    /// 5. What no policy allows is denied by the rule `default deny`.
    ///
    /// Where the situation is not known in full, conditions on what is unknown hold for what is denied and limited, and do not hold for
    /// what is allowed ([`Situation`]).
    pub fn decide(&self, request: &Request<'_>) -> Verdict {
        let kind = request.action.kind();
        let applying = self.index().applying(&request.situation);
        let Some(says) = self.index().kind(kind) else {
            return self.verdict(Effect::Deny, Rule::default_deny(), unallowed(request, 0));
        };
        if let Some(rule) = self.denied(request, &applying.possible, says) {
            let reason = denied(request, &rule);
            return self.verdict(Effect::Deny, rule, reason);
        }
        let Some(first) = applying.sure.first_of(&says.allow) else {
            return self.verdict(Effect::Deny, Rule::default_deny(), unallowed(request, applying.possible.count()));
        };
        let tightest = says.tightest(&applying.possible);
        if let Some((rule, reason)) = self.over(request, &applying, says, tightest) {
            return self.verdict(Effect::Deny, rule, reason);
        }
        if let Some((effect, rule)) = self.conditioned(request, &applying.possible, says) {
            let reason = conditioned(request, effect, &rule);
            return self.verdict(effect, rule, reason);
        }
        // Of equal grants the first in the order of files is named; a limit names its own.
        let number =
            tightest.map(|(_, number)| number).filter(|number| applying.sure.contains(*number)).unwrap_or(first);
        let policy = self.policies().get(number);
        let rule = policy.and_then(|policy| Some(policy.allow_rule(policy.allows(kind)?)));
        match rule {
            Some(rule) => {
                let reason = format!("{} allows {kind}", place(&rule));
                self.verdict(Effect::Permit, rule, reason)
            }
            None => self.verdict(Effect::Deny, Rule::default_deny(), unallowed(request, 0)),
        }
    }

    /// The limits that hold for a kind of action in this situation: those of all applying policies that allow it, the strictest of each.
    pub fn limits(&self, situation: &Situation<'_>, kind: ActionKind) -> Limits {
        let mut all = Limits::default();
        let allowing = self.possible(situation).filter_map(|policy| policy.allows(kind));
        allowing.for_each(|allow| all.add(&allow.limits));
        all
    }

    /// What the contents of an action must be searched for before it is decided: [`crate::Contents::found`] is what of it is there. Each once, with the
    /// strictest that any policy does where it finds something.
    pub fn detectors(&self, situation: &Situation<'_>, kind: ActionKind) -> Vec<Sought> {
        let mut sought: Vec<Sought> = Vec::new();
        for policy in self.possible(situation) {
            for (index, containing) in policy.searches(kind) {
                let rule = policy.rule(containing.at, format!("deny[{index}].containing"));
                for detector in &containing.detectors {
                    let this = Sought { detector: detector.clone(), then: containing.then, rule: rule.clone() };
                    match sought.iter_mut().find(|known| known.detector == *detector) {
                        Some(known) if known.then < this.then => *known = this,
                        Some(_) => {}
                        None => sought.push(this),
                    }
                }
            }
        }
        sought
    }

    /// Whether the same policies apply in both situations: then whatever is judged for the one holds for the other.
    pub fn applies_alike(&self, one: &Situation<'_>, other: &Situation<'_>) -> bool {
        self.index().applying(one) == self.index().applying(other)
    }

    /// When the next policy begins or ceases to apply because of its hours, within two weeks; `None` where none does.
    ///
    /// A session that is judged again at this instant, and at each one that follows from it, ends with the hours of the policy that
    /// permits it.
    pub fn next_change(&self, situation: &Situation<'_>) -> Option<SystemTime> {
        let now = situation.at?;
        let timeless = Situation { at: None, ..*situation };
        let hours = self.possible(&timeless).filter_map(|policy| policy.applies.hours.as_ref()).flatten();
        let mut edges: Vec<SystemTime> = hours.flat_map(|hours| hours.edges(now)).collect();
        edges.sort_unstable();
        edges.dedup();
        let applying = |at| self.index().applying(&situation.at(at)).possible;
        let today = applying(now);
        edges.into_iter().find(|edge| applying(*edge) != today)
    }

    /// The policies that may apply in this situation, in the order of their files.
    pub(crate) fn possible(&self, situation: &Situation<'_>) -> impl Iterator<Item = &Policy> {
        let possible = self.index().applying(situation).possible;
        let numbers: Vec<usize> = possible.iter().collect();
        numbers.into_iter().filter_map(|number| self.policies().get(number))
    }

    fn denied(&self, request: &Request<'_>, applying: &Bits, says: &KindIndex) -> Option<Rule> {
        let kind = request.action.kind();
        let plain = applying.first_of(&says.deny);
        let found = request.contents.found;
        let searching = applying.both(&says.search).take_while(|number| plain.is_none_or(|plain| *number <= plain));
        let numbers = searching.filter(|_| !found.is_empty()).chain(plain);
        numbers
            .filter_map(|number| self.policies().get(number))
            .find_map(|policy| policy.denies(kind, request.contents))
    }

    /// What is done with contents in which something is found, beside denying them: the strictest that a policy says.
    fn conditioned(&self, request: &Request<'_>, applying: &Bits, says: &KindIndex) -> Option<(Effect, Rule)> {
        if request.contents.found.is_empty() {
            return None;
        }
        let kind = request.action.kind();
        let searching: Vec<&Policy> =
            applying.both(&says.search).filter_map(|number| self.policies().get(number)).collect();
        let does = |then, effect| {
            let rule = searching.iter().find_map(|policy| policy.does(then, kind, request.contents))?;
            Some((effect, rule))
        };
        does(Then::Redact, Effect::Redact).or_else(|| does(Then::Alert, Effect::Alert))
    }

    /// The limit that is exceeded, and how.
    fn over(
        &self,
        request: &Request<'_>,
        applying: &Applying,
        says: &KindIndex,
        tightest: Option<(u64, usize)>,
    ) -> Option<(Rule, String)> {
        let kind = request.action.kind();
        let limits = |number: usize| Some(&self.policies().get(number)?.allows(kind)?.limits);
        let bytes = request.action.bytes().unwrap_or(0);
        if let Some((limit, number)) = tightest.filter(|(limit, _)| bytes > *limit) {
            let rule = limits(number)?.max_bytes.as_ref()?.rule.clone();
            let reason = over(kind, bytes, limit, &rule);
            return Some((rule, reason));
        }
        let choosing = applying.possible.both(&says.choosing).filter_map(limits);
        let unlike = choosing.into_iter().find_map(|limits| limits.unlike(request.contents))?;
        Some((unlike.rule.clone(), format!("{kind} {} of {}", unlike.words, place(unlike.rule))))
    }

    fn verdict(&self, effect: Effect, rule: Rule, reason: String) -> Verdict {
        Verdict { effect, rule, revision: self.revision().clone(), reason }
    }
}

fn place(rule: &Rule) -> String {
    format!("{}:{}", rule.file, rule.line)
}

fn denied(request: &Request<'_>, rule: &Rule) -> String {
    let kind = request.action.kind();
    let why = if rule.key.ends_with("containing") { " because of what was found in it" } else { "" };
    format!("{} denies {kind}{why} on {}", place(rule), Shown(request.situation.desktop))
}

fn conditioned(request: &Request<'_>, effect: Effect, rule: &Rule) -> String {
    let (place, kind) = (place(rule), request.action.kind());
    match effect {
        Effect::Redact => format!("{place} takes out what was found in this {kind}"),
        _ => format!("{place} lets this {kind} cross and tells of what was found in it"),
    }
}

fn unallowed(request: &Request<'_>, applied: u32) -> String {
    let situation = &request.situation;
    let (who, desktop) = (Shown(&situation.subject.name), Shown(situation.desktop));
    let kind = request.action.kind();
    match applied {
        0 => format!("no policy applies to {who} on {desktop}"),
        1 => format!("the policy that applies to {who} on {desktop} does not allow {kind}"),
        _ => {
            format!("none of the {applied} policies that apply to {who} on {desktop} allows {kind}")
        }
    }
}

fn over(kind: ActionKind, bytes: u64, limit: u64, rule: &Rule) -> String {
    let mut reason =
        format!("{kind} of {} is over the {} that {} allows", show_bytes(bytes), show_bytes(limit), place(rule));
    if show_bytes(bytes) == show_bytes(limit) {
        // Rounding would make the sentence read as if nothing were over.
        let _infallible = write!(reason, " ({bytes} of at most {limit} bytes)");
    }
    reason
}
