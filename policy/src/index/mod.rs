//! The policies arranged so that a decision looks at each condition once, not at each policy: which apply to whom, and what they say.

mod bits;
mod conditions;

use crate::language::Policy;
use crate::{ActionKind, Limits, Situation};

pub(crate) use bits::Bits;
use conditions::Conditions;

/// What a decision needs to know of a set of policies, by their numbers.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    conditions: Conditions,
    /// One for each of [`ActionKind::ALL`], in its order.
    kinds: Vec<KindIndex>,
}

/// Which policies say what of one kind of action.
#[derive(Debug, Clone)]
pub(crate) struct KindIndex {
    kind: ActionKind,
    /// Those that allow it, by whichever key.
    pub(crate) allow: Bits,
    /// Those that deny it whatever the contents are.
    pub(crate) deny: Bits,
    /// Those that deny it with certain contents.
    pub(crate) search: Bits,
    /// Those that say what files must be.
    pub(crate) choosing: Bits,
    /// Those that limit it in other ways than by what may cross at once.
    limited: Bits,
    /// Limits of what may cross at once with the policies that state them, the smallest first.
    pub(crate) max_bytes: Vec<(u64, usize)>,
}

/// What a kind of action comes to at its smallest, whatever its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No policy allows or denies it.
    Silent,
    Denied,
    Permitted,
}

/// The policies that apply in a situation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applying {
    /// Those whose conditions all hold: they allow.
    pub(crate) sure: Bits,
    /// Those, and the ones with a condition on what is not known: they deny, limit and oblige.
    pub(crate) possible: Bits,
}

impl Index {
    pub(crate) fn of(policies: &[Policy]) -> Self {
        let kinds = ActionKind::ALL.into_iter().map(|kind| KindIndex::of(kind, policies)).collect();
        Self { conditions: Conditions::of(policies), kinds }
    }

    pub(crate) fn applying(&self, situation: &Situation<'_>) -> Applying {
        self.conditions.applying(situation)
    }

    /// What the policies say of this kind; `None` is impossible, and denies.
    pub(crate) fn kind(&self, kind: ActionKind) -> Option<&KindIndex> {
        self.kinds.iter().find(|index| index.kind == kind)
    }
}

impl KindIndex {
    fn of(kind: ActionKind, policies: &[Policy]) -> Self {
        let those = |says: &dyn Fn(&Policy) -> bool| {
            let mut bits = Bits::none(policies.len());
            policies.iter().enumerate().filter(|(_, policy)| says(policy)).for_each(|(number, _)| bits.insert(number));
            bits
        };
        let mut max_bytes: Vec<(u64, usize)> = policies
            .iter()
            .enumerate()
            .filter_map(|(number, policy)| {
                Some((policy.allows(kind)?.limits.max_bytes.as_ref()?.value.bytes(), number))
            })
            .collect();
        max_bytes.sort_unstable();
        Self {
            kind,
            allow: those(&|policy| policy.allows(kind).is_some()),
            deny: those(&|policy| policy.denies_plainly(kind)),
            search: those(&|policy| policy.searches(kind).next().is_some()),
            limited: those(&|policy| {
                let limits = policy.allows(kind).map(|allow| &allow.limits);
                limits.is_some_and(|limits| Limits { max_bytes: None, ..limits.clone() } != Limits::default())
            }),
            choosing: those(&|policy| policy.allows(kind).is_some_and(|allow| allow.limits.choose())),
            max_bytes,
        }
    }

    /// What this kind comes to under these policies.
    pub(crate) fn state(&self, applying: &Applying) -> State {
        match applying {
            applying if applying.possible.first_of(&self.deny).is_some() => State::Denied,
            applying if applying.sure.first_of(&self.allow).is_some() => State::Permitted,
            _ => State::Silent,
        }
    }

    /// What may cross at once under these policies, if that is all that limits it.
    pub(crate) fn only_limit(&self, applying: &Applying) -> Option<Option<u64>> {
        let more = applying.possible.first_of(&self.limited);
        more.is_none().then(|| self.tightest(&applying.possible).map(|(limit, _)| limit))
    }

    /// The smallest limit of these policies, with the first that states it.
    pub(crate) fn tightest(&self, of: &Bits) -> Option<(u64, usize)> {
        self.max_bytes.iter().find(|(_, number)| of.contains(*number)).copied()
    }
}
