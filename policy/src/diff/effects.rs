//! Who gains or loses what: verdicts, limits and obligations of both sets in each situation, and the differences put together.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::content::Changed;
use super::joint;
use super::regions::{Classes, Who, concerns};
use super::{Direction, EffectChange};
use crate::index::{Applying, State};
use crate::language::Policy;
use crate::{ActionKind, Detector, Obligation, Obligations, PolicySet, Rule, Situation, Sought, Then};

/// Situations that are compared at most.
const MAX_SITUATIONS: usize = 100_000;

/// The place of limits and obligations, behind all actions.
const BEHIND: usize = ActionKind::ALL.len();

/// A difference, wherever it shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Difference {
    direction: Direction,
    /// The place of `what` in the language: differences are told in that order.
    order: usize,
    what: String,
    before: String,
    after: String,
    rule: Rule,
}

/// Two sets, the policies that differ between them, and how much of them is compared already.
struct Comparison<'a> {
    before: &'a PolicySet,
    after: &'a PolicySet,
    changed: &'a [Changed<'a>],
    /// The kinds of action that policies which differ speak of.
    kinds: Vec<ActionKind>,
    classes: Classes,
    compared: usize,
}

/// A situation, and which policies of either set apply in it.
struct Here<'a> {
    situation: Situation<'a>,
    before: Applying,
    after: Applying,
}

/// The numbers of a desktop, an address and a time among their classes.
type Place = (usize, usize, usize);

/// What differs for somebody, with the places that it shows in.
struct Found {
    /// The places that the policies which differ concern.
    places: Vec<Place>,
    differences: BTreeMap<Difference, Vec<Place>>,
}

/// All differences, and whether there were more situations than are compared.
pub(super) fn compare(before: &PolicySet, after: &PolicySet, changed: &[Changed<'_>]) -> (Vec<EffectChange>, bool) {
    let classes = Classes::of(before, after, changed);
    let mut comparison = Comparison { before, after, changed, kinds: kinds(changed), classes, compared: 0 };
    let mut effects = Vec::new();
    let named = Who::named(changed);
    let mut alone: Vec<(&Who, BTreeSet<Difference>)> = Vec::new();
    for who in &named {
        let Some(found) = comparison.find(who, Comparison::differences) else { return (effects, true) };
        effects.extend(told(who, &comparison.classes, &found));
        alone.push((who, found.differences.into_keys().collect()));
    }
    let joint = joint::kinds(changed);
    for who in joint::whom(&joint, &named, before, after) {
        let Some(mut found) = comparison.find(&who, |comparison, here| comparison.joint(&joint, here)) else {
            return (effects, true);
        };
        let known = |difference: &Difference| {
            alone.iter().any(|(part, differences)| part.is_part_of(&who) && differences.contains(difference))
        };
        found.differences.retain(|difference, _| !known(difference));
        effects.extend(told(&who, &comparison.classes, &found));
    }
    effects.sort();
    effects.dedup();
    (effects, false)
}

impl Comparison<'_> {
    /// What differs for somebody; nothing if there is too much to compare.
    fn find(&mut self, who: &Who, differences: impl Fn(&Self, &Here<'_>) -> Vec<Difference>) -> Option<Found> {
        let subject = who.subject();
        let mut found = Found { places: Vec::new(), differences: BTreeMap::new() };
        for (d, desktop) in self.classes.desktops.iter().enumerate() {
            if !concerns(self.changed, &Situation::new(&subject, &desktop.value)) {
                continue;
            }
            for (a, address) in self.classes.addresses.iter().enumerate() {
                for (t, time) in self.classes.times.iter().enumerate() {
                    let situation = Situation::new(&subject, &desktop.value).from(address.value).at(time.value);
                    if !concerns(self.changed, &situation) {
                        continue;
                    }
                    self.compared = self.compared.saturating_add(1);
                    if self.compared > MAX_SITUATIONS {
                        return None;
                    }
                    found.places.push((d, a, t));
                    let here = Here {
                        situation,
                        before: self.before.index().applying(&situation),
                        after: self.after.index().applying(&situation),
                    };
                    for difference in differences(self, &here) {
                        found.differences.entry(difference).or_default().push((d, a, t));
                    }
                }
            }
        }
        Some(found)
    }

    fn differences(&self, here: &Here<'_>) -> Vec<Difference> {
        let (before, after, situation) = (self.before, self.after, &here.situation);
        let mut differences = Vec::new();
        for kind in &self.kinds {
            match self.states(here, *kind) {
                (State::Permitted, State::Permitted) => self.limits(here, *kind, &mut differences),
                (was, is) => differences.extend(self.verdict(here, *kind, was, is)),
            }
            searches(before, after, situation, *kind, &mut differences);
        }
        obligations(&before.obligations(situation), &after.obligations(situation), &mut differences);
        differences
    }

    /// What differs only because of another policy that applies as well.
    fn joint(&self, kinds: &[ActionKind], here: &Here<'_>) -> Vec<Difference> {
        let mut differences = Vec::new();
        for kind in kinds {
            match self.states(here, *kind) {
                (State::Permitted, State::Permitted) => self.limits(here, *kind, &mut differences),
                (was, is) if was == State::Permitted || is == State::Permitted => {
                    differences.extend(self.verdict(here, *kind, was, is));
                }
                _ => {}
            }
        }
        differences
    }

    /// What one kind of action came to, and what it comes to.
    fn states(&self, here: &Here<'_>, kind: ActionKind) -> (State, State) {
        let state =
            |set: &PolicySet, applying| set.index().kind(kind).map_or(State::Denied, |says| says.state(applying));
        (state(self.before, &here.before), state(self.after, &here.after))
    }

    /// The difference between two states, with the rule that makes it.
    fn verdict(&self, here: &Here<'_>, kind: ActionKind, was: State, is: State) -> Option<Difference> {
        if was == is {
            return None;
        }
        let request = here.situation.wants(kind.at_all());
        let (old, new) = (self.before.decide(&request), self.after.decide(&request));
        let gains = is == State::Permitted || (was == State::Denied && is == State::Silent);
        Some(Difference {
            direction: if gains { Direction::Gains } else { Direction::Loses },
            order: order(kind),
            what: kind.name().to_owned(),
            before: word(was).to_owned(),
            after: word(is).to_owned(),
            rule: if new.rule.is_default() { old.rule } else { new.rule },
        })
    }

    fn limits(&self, here: &Here<'_>, kind: ActionKind, to: &mut Vec<Difference>) {
        let only = |set: &PolicySet, applying| set.index().kind(kind).and_then(|says| says.only_limit(applying));
        // Most situations are alike in the one limit that there is: they need no words.
        if let (Some(was), Some(is)) = (only(self.before, &here.before), only(self.after, &here.after))
            && was == is
        {
            return;
        }
        let (old, new) = (self.before.limits(&here.situation, kind), self.after.limits(&here.situation, kind));
        let mut both = new.clone();
        both.add(&old);
        pairs(order(kind), [&format!("{kind}."), "no limit"], &old.listed(), &new.listed(), &both.listed(), to);
    }
}

/// The kinds of action that one of these policies allows or denies.
fn kinds(changed: &[Changed<'_>]) -> Vec<ActionKind> {
    let speaks = |policy: &Policy, kind| {
        policy.allows(kind).is_some() || policy.denies_plainly(kind) || policy.searches(kind).next().is_some()
    };
    let versions = || changed.iter().flat_map(|pair| [pair.before, pair.after]).flatten();
    ActionKind::ALL.into_iter().filter(|kind| versions().any(|policy| speaks(policy, *kind))).collect()
}

/// The place of a kind in the language.
fn order(kind: ActionKind) -> usize {
    ActionKind::ALL.iter().position(|known| *known == kind).unwrap_or(BEHIND)
}

/// Puts differences into words: those that show in the same places and have the same cause together.
fn told(who: &Who, classes: &Classes, found: &Found) -> Vec<EffectChange> {
    let mut told: Vec<EffectChange> = Vec::new();
    for (difference, places) in &found.differences {
        let mut desktops: Vec<usize> = places.iter().map(|(desktop, _, _)| *desktop).collect();
        desktops.dedup();
        let all = found.places.iter().filter(|(desktop, _, _)| desktops.contains(desktop)).count();
        let called = desktops.iter().filter_map(|desktop| Some(classes.desktops.get(*desktop)?.called.clone()));
        let effect = EffectChange {
            who: who.called(),
            desktops: called.collect(),
            circumstances: if places.len() < all { circumstances(classes, places) } else { Vec::new() },
            direction: difference.direction,
            what: Vec::new(),
            before: difference.before.clone(),
            after: difference.after.clone(),
            rule: difference.rule.clone(),
        };
        let known = told.iter_mut().find(|known| EffectChange { what: Vec::new(), ..(**known).clone() } == effect);
        match known {
            Some(known) => known.what.push(difference.what.clone()),
            None => told.push(EffectChange { what: vec![difference.what.clone()], ..effect }),
        }
    }
    told
}

/// From where and when, as far as policies tell it apart.
fn circumstances(classes: &Classes, places: &[Place]) -> Vec<String> {
    let called = |(_, address, time): &Place| {
        let address = classes.addresses.get(*address).filter(|_| classes.told_apart.0);
        let time = classes.times.get(*time).filter(|_| classes.told_apart.1);
        let parts = [address.map(|class| class.called.as_str()), time.map(|class| class.called.as_str())];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    let distinct: BTreeSet<String> = places.iter().map(called).collect();
    distinct.into_iter().collect()
}

fn word(state: State) -> &'static str {
    match state {
        State::Silent => "not allowed",
        State::Denied => "denied",
        State::Permitted => "permitted",
    }
}

fn obligations(old: &Obligations, new: &Obligations, to: &mut Vec<Difference>) {
    let mut both = new.clone();
    both.add(old);
    pairs(BEHIND, ["", "nothing asked"], &old.listed(), &new.listed(), &both.listed(), to);
}

/// The keys whose values differ. What both ask together is what the stricter one asks: if that is the new one, something is lost.
fn pairs(
    order: usize,
    [prefix, none]: [&str; 2],
    old: &[Obligation],
    new: &[Obligation],
    both: &[Obligation],
    to: &mut Vec<Difference>,
) {
    let mut keys: Vec<&'static str> = both.iter().map(|owed| owed.key).collect();
    keys.dedup();
    for key in keys {
        let (was, is, all) = (values(old, key), values(new, key), values(both, key));
        if was == is {
            continue;
        }
        let of = |owed: &[Obligation]| owed.iter().find(|owed| owed.key == key).map(|owed| owed.rule.clone());
        let Some(rule) = of(new).or_else(|| of(old)) else { continue };
        let shown = |values: &[String]| if values.is_empty() { none.to_owned() } else { values.join(", ") };
        to.push(Difference {
            direction: if is == all { Direction::Loses } else { Direction::Gains },
            order,
            what: format!("{prefix}{key}"),
            before: shown(&was),
            after: shown(&is),
            rule,
        });
    }
}

fn values(owed: &[Obligation], key: &str) -> Vec<String> {
    let mut values: Vec<String> = owed.iter().filter(|owed| owed.key == key).map(|owed| owed.value.clone()).collect();
    values.sort();
    values.dedup();
    values
}

/// What contents must not hold.
fn searches(
    before: &PolicySet,
    after: &PolicySet,
    situation: &Situation<'_>,
    kind: ActionKind,
    to: &mut Vec<Difference>,
) {
    let (old, new) = (before.detectors(situation, kind), after.detectors(situation, kind));
    let all: BTreeSet<String> = old.iter().chain(&new).map(|sought| sought.detector.to_string()).collect();
    for what in all {
        let of = |sought: &'_ [Sought]| sought.iter().find(|one| one.detector.to_string() == what).cloned();
        let (was, is) = (of(&old), of(&new));
        let Some(rule) = is.as_ref().or(was.as_ref()).map(|sought| sought.rule.clone()) else { continue };
        let then = |sought: &Option<Sought>| sought.as_ref().map(|sought| sought.then);
        let said = |set: &PolicySet, sought: &Option<Sought>| match then(sought) {
            None => "not searched for".to_owned(),
            Some(then) => format!("{}{}", answer(then), lines(set, sought)),
        };
        let mut add = |direction| {
            to.push(Difference {
                direction,
                order: BEHIND,
                what: format!("{kind} containing {what}"),
                before: said(before, &was),
                after: said(after, &is),
                rule: rule.clone(),
            });
        };
        match then(&is).cmp(&then(&was)) {
            Ordering::Less => add(Direction::Gains),
            Ordering::Greater => add(Direction::Loses),
            Ordering::Equal => {
                let (old, new) = (words(before, &was), words(after, &is));
                [(&old, &new, Direction::Gains), (&new, &old, Direction::Loses)]
                    .into_iter()
                    .filter(|(one, other, _)| !one.is_subset(other))
                    .for_each(|(_, _, direction)| add(direction));
            }
        }
    }
}

/// What becomes of contents.
fn answer(then: Then) -> &'static str {
    match then {
        Then::Deny => "denied",
        Then::Redact => "redacted",
        Then::Alert => "told of",
    }
}

/// The words of a list; none of another detector.
fn words<'a>(set: &'a PolicySet, sought: &Option<Sought>) -> BTreeSet<&'a str> {
    let text = sought.as_ref().and_then(|sought| match &sought.detector {
        Detector::Words(list) => set.words(list),
        _ => None,
    });
    text.unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// How long a list of words is.
fn lines(set: &PolicySet, sought: &Option<Sought>) -> String {
    match words(set, sought).len() {
        0 => String::new(),
        1 => " (1 word)".to_owned(),
        count => format!(" ({count} words)"),
    }
}
