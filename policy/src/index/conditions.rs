//! Who meets the conditions of which policies: every name, glob, network and zone of the whole set is looked at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::SystemTime;

use super::{Applying, Bits};
use crate::Situation;
use crate::language::{Applies, Policy};
use crate::values::{Glob, Hours, Network, Zone, minute};

/// All conditions of a set of policies.
#[derive(Debug, Clone)]
pub(super) struct Conditions {
    users: Names,
    groups: Names,
    issuers: Names,
    desktops: Desktops,
    networks: Tests<Network>,
    hours: Clocks,
}

/// Values of a condition, each with the policies that name it.
type Tested<T> = Vec<(T, Vec<usize>)>;

/// The policies without a certain condition, which hold for everything.
#[derive(Debug, Clone)]
struct Open(Bits);

/// Conditions on names that are compared exactly.
#[derive(Debug, Clone)]
struct Names {
    open: Open,
    by_name: HashMap<String, Vec<usize>>,
}

/// Conditions on the desktop's name.
#[derive(Debug, Clone)]
struct Desktops {
    open: Open,
    by_name: HashMap<String, Vec<usize>>,
    globs: Tested<Glob>,
}

/// Conditions that are each tried.
#[derive(Debug, Clone)]
struct Tests<T> {
    open: Open,
    tests: Tested<T>,
}

/// Conditions on the hour, zone by zone: the local time of each is worked out once.
#[derive(Debug, Clone)]
struct Clocks {
    open: Open,
    zones: Vec<(Zone, Tested<Hours>)>,
}

impl Conditions {
    pub(super) fn of(policies: &[Policy]) -> Self {
        let globs = gathered(policies, |applies| applies.desktops.as_deref());
        let (exact, globs): (Vec<_>, Vec<_>) = globs.into_iter().partition(|(glob, _)| matches!(glob, Glob::Exact(_)));
        let hours = gathered(policies, |applies| applies.hours.as_deref());
        let mut zones: Vec<(Zone, Tested<Hours>)> = Vec::new();
        for (hours, numbers) in hours {
            match zones.iter_mut().find(|(zone, _)| zone == hours.zone()) {
                Some((_, of_zone)) => of_zone.push((hours, numbers)),
                None => zones.push((hours.zone().clone(), vec![(hours, numbers)])),
            }
        }
        Self {
            users: Names::of(policies, |applies| applies.users.as_deref()),
            groups: Names::of(policies, |applies| applies.groups.as_deref()),
            issuers: Names::of(policies, |applies| applies.issuers.as_deref()),
            desktops: Desktops {
                open: Open::of(policies, |applies| applies.desktops.is_none()),
                by_name: exact.into_iter().map(|(glob, numbers)| (glob.to_string(), numbers)).collect(),
                globs,
            },
            networks: Tests {
                open: Open::of(policies, |applies| applies.networks.is_none()),
                tests: gathered(policies, |applies| applies.networks.as_deref()),
            },
            hours: Clocks { open: Open::of(policies, |applies| applies.hours.is_none()), zones },
        }
    }

    pub(super) fn applying(&self, situation: &Situation<'_>) -> Applying {
        let subject = situation.subject;
        let mut sure = self.groups.holding(subject.groups.iter().map(String::as_str));
        sure.retain(&self.users.holding([subject.name.as_str()]));
        sure.retain(&self.issuers.holding([subject.issuer.as_str()]));
        sure.retain(&self.desktops.holding(situation.desktop));
        let mut possible = sure.clone();
        match situation.from {
            Some(from) => {
                let holding = self.networks.holding(from);
                sure.retain(&holding);
                possible.retain(&holding);
            }
            None => sure.retain(&self.networks.open.0),
        }
        match situation.at {
            Some(at) => {
                let holding = self.hours.holding(at);
                sure.retain(&holding);
                possible.retain(&holding);
            }
            None => sure.retain(&self.hours.open.0),
        }
        Applying { sure, possible }
    }
}

impl Open {
    fn of(policies: &[Policy], is_open: impl Fn(&Applies) -> bool) -> Self {
        let mut bits = Bits::none(policies.len());
        for (number, policy) in policies.iter().enumerate() {
            if is_open(&policy.applies) {
                bits.insert(number);
            }
        }
        Self(bits)
    }
}

/// Each distinct value of a condition with the policies that name it, in order of its first mention.
fn gathered<T: Clone + Eq + Hash>(policies: &[Policy], values: impl Fn(&Applies) -> Option<&[T]>) -> Tested<T> {
    let mut places: HashMap<T, usize> = HashMap::new();
    let mut gathered: Tested<T> = Vec::new();
    for (number, policy) in policies.iter().enumerate() {
        for value in values(&policy.applies).unwrap_or_default() {
            let place = *places.entry(value.clone()).or_insert(gathered.len());
            match gathered.get_mut(place) {
                Some((_, numbers)) => numbers.push(number),
                None => gathered.push((value.clone(), vec![number])),
            }
        }
    }
    gathered
}

impl Names {
    fn of(policies: &[Policy], names: impl Fn(&Applies) -> Option<&[String]>) -> Self {
        let open = Open::of(policies, |applies| names(applies).is_none());
        Self { open, by_name: gathered(policies, names).into_iter().collect() }
    }

    fn holding<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Bits {
        let mut bits = self.open.0.clone();
        names.into_iter().filter_map(|name| self.by_name.get(name)).for_each(|numbers| bits.insert_all(numbers));
        bits
    }
}

impl Desktops {
    fn holding(&self, name: &str) -> Bits {
        let mut bits = self.open.0.clone();
        self.by_name.get(name).into_iter().for_each(|numbers| bits.insert_all(numbers));
        self.globs.iter().filter(|(glob, _)| glob.matches(name)).for_each(|(_, numbers)| bits.insert_all(numbers));
        bits
    }
}

impl Tests<Network> {
    fn holding(&self, from: IpAddr) -> Bits {
        let mut bits = self.open.0.clone();
        self.tests
            .iter()
            .filter(|(network, _)| network.contains(from))
            .for_each(|(_, numbers)| bits.insert_all(numbers));
        bits
    }
}

impl Clocks {
    fn holding(&self, at: SystemTime) -> Bits {
        let mut bits = self.open.0.clone();
        for (zone, hours) in &self.zones {
            let Some(minute) = minute(zone, at) else { continue };
            hours.iter().filter(|(hours, _)| hours.contain(minute)).for_each(|(_, numbers)| bits.insert_all(numbers));
        }
        bits
    }
}
