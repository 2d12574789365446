//! Policies as they are written, before they are text, and the definition of the language once more: what holds for every set is tested
//! against this.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use portcullis_policy::{Action, ActionKind, Effect, PolicyFile, PolicySet, Situation, Subject};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

pub(crate) const USERS: [&str; 2] = ["alice", "bob"];
pub(crate) const GROUPS: [&str; 3] = ["users", "staff", "guests"];
pub(crate) const DESKTOPS: [&str; 3] = ["terminal", "browser", "dev-1"];
const GLOBS: [&str; 5] = ["terminal", "browser", "dev-?", "*", "*r*"];
const NETWORKS: [&str; 3] = ["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"];
const HOURS: [&str; 2] = ["Mon-Fri 08:00-19:00 UTC", "daily 22:00-06:00 UTC"];
/// Addresses with the networks of [`NETWORKS`] that hold them.
const ADDRESSES: [(&str, &[usize]); 4] =
    [("10.1.2.3", &[0, 1]), ("10.2.0.1", &[0]), ("192.0.2.1", &[]), ("2001:db8::1", &[2])];
/// Seconds since Monday, 2026-03-02, 00:00 UTC, with the hours of [`HOURS`] that are open then.
const TIMES: [(u64, &[usize]); 4] =
    [(9 * 3600, &[0]), (23 * 3600, &[1]), (20 * 3600, &[]), ((5 * 24 + 12) * 3600, &[])];
const MONDAY: u64 = 1_772_409_600;

/// A policy as it is written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) users: Vec<&'static str>,
    pub(crate) groups: Vec<&'static str>,
    pub(crate) desktops: Vec<&'static str>,
    /// Numbers in [`NETWORKS`].
    pub(crate) networks: Vec<usize>,
    /// Numbers in [`HOURS`].
    pub(crate) hours: Vec<usize>,
    /// The action with its limit in bytes, which only those with contents have.
    pub(crate) allow: Vec<(ActionKind, Option<u64>)>,
    pub(crate) deny: Vec<ActionKind>,
    pub(crate) strict: Option<bool>,
    /// Minutes of `session.idle`.
    pub(crate) idle: Option<u64>,
    /// Days of `recording.keep`.
    pub(crate) keep: Option<u64>,
}

/// Where and when something is asked, with what of [`NETWORKS`] and [`HOURS`] holds for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) desktop: &'static str,
    address: Option<(&'static str, &'static [usize])>,
    time: Option<(u64, &'static [usize])>,
}

impl Place {
    pub(crate) fn of<'a>(&self, subject: &'a Subject) -> Situation<'a> {
        Situation {
            subject,
            desktop: self.desktop,
            at: self.time.map(|(seconds, _)| SystemTime::UNIX_EPOCH + Duration::from_secs(MONDAY + seconds)),
            from: self.address.map(|(address, _)| address.parse::<IpAddr>().unwrap()),
        }
    }
}

impl Written {
    pub(crate) fn file(&self, name: &str) -> PolicyFile {
        let list = |key: &str, values: Vec<String>| match values.is_empty() {
            true => String::new(),
            false => format!("  {key}: ['{}']\n", values.join("', '")),
        };
        let plain = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut text = format!("policy: {name}\n");
        let conditions = list("users", plain(&self.users))
            + &list("groups", plain(&self.groups))
            + &list("desktops", plain(&self.desktops))
            + &list("networks", self.networks.iter().map(|number| NETWORKS[*number].into()).collect())
            + &list("hours", self.hours.iter().map(|number| HOURS[*number].into()).collect());
        text += &if conditions.is_empty() { "applies: {}\n".to_owned() } else { format!("applies:\n{conditions}") };
        text += if self.allow.is_empty() { "allow: {}\n" } else { "allow:\n" };
        for (kind, limit) in &self.allow {
            match limit.filter(|_| kind.has_contents()) {
                Some(bytes) => text += &format!("  {kind}: {{max_bytes: {bytes} B}}\n"),
                None => text += &format!("  {kind}: {{}}\n"),
            }
        }
        if !self.deny.is_empty() {
            let names: Vec<_> = self.deny.iter().map(|kind| kind.name()).collect();
            text += &format!("deny:\n  - actions: [{}]\n", names.join(", "));
        }
        if let Some(minutes) = self.idle {
            text += &format!("session: {{idle: {minutes}m}}\n");
        }
        let mode = self.strict.map(|strict| if strict { "mode: strict" } else { "mode: best_effort" }.to_owned());
        let keep = self.keep.map(|days| format!("keep: {days}d"));
        let recording: Vec<String> = mode.into_iter().chain(keep).collect();
        if !recording.is_empty() {
            text += &format!("recording: {{{}}}\n", recording.join(", "));
        }
        PolicyFile { name: format!("{name}.yaml"), text }
    }

    /// Whether it applies; `sure` leaves out what depends on something unknown.
    pub(crate) fn applies(&self, subject: &Subject, place: &Place, sure: bool) -> bool {
        let fits = |glob: &&str| match *glob {
            "*" => true,
            "dev-?" => place.desktop == "dev-1",
            "*r*" => place.desktop != "dev-1",
            name => name == place.desktop,
        };
        let holds = |wanted: &[usize], known: Option<&[usize]>| {
            wanted.is_empty() || known.map_or(!sure, |known| wanted.iter().any(|number| known.contains(number)))
        };
        (self.users.is_empty() || self.users.contains(&subject.name.as_str()))
            && (self.groups.is_empty() || subject.groups.iter().any(|group| self.groups.contains(&group.as_str())))
            && (self.desktops.is_empty() || self.desktops.iter().any(fits))
            && holds(&self.networks, place.address.map(|(_, networks)| networks))
            && holds(&self.hours, place.time.map(|(_, hours)| hours))
    }
}

/// The definition of a decision, written once more from the language's description.
pub(crate) fn defined(policies: &[Written], subject: &Subject, place: &Place, action: Action) -> Effect {
    let applying = |sure| policies.iter().filter(move |policy| policy.applies(subject, place, sure));
    let denied = |kind: ActionKind| applying(false).any(|policy| policy.deny.contains(&kind));
    let allows = |sure, kind: ActionKind| {
        applying(sure).flat_map(|policy| &policy.allow).filter(move |(allowed, _)| *allowed == kind)
    };
    let allowed = |kind: ActionKind| allows(true, kind).next().is_some();
    let within = |kind: ActionKind, bytes: u64| {
        !denied(kind) && allowed(kind) && allows(false, kind).all(|(_, limit)| limit.is_none_or(|limit| bytes <= limit))
    };
    use ActionKind::{Control, Copy, Download, Key, Open, Paste, Pointer, Resize, Upload, Watch};
    let permitted = !denied(Open)
        && match action {
            Action::Open => allowed(Open) || allowed(Watch) || allowed(Control),
            Action::Watch => !denied(Watch) && (allowed(Watch) || allowed(Control)),
            Action::Control => ![Watch, Control, Key, Pointer].into_iter().any(denied) && allowed(Control),
            Action::Key => ![Watch, Control, Key].into_iter().any(denied) && (allowed(Key) || allowed(Control)),
            Action::Pointer => {
                ![Watch, Control, Pointer].into_iter().any(denied) && (allowed(Pointer) || allowed(Control))
            }
            Action::Paste { bytes } => within(Paste, bytes),
            Action::Copy { bytes } => within(Copy, bytes),
            Action::Upload { bytes } => within(Upload, bytes),
            Action::Download { bytes } => within(Download, bytes),
            Action::Resize { .. } => !denied(Resize) && allowed(Resize),
        };
    if permitted { Effect::Permit } else { Effect::Deny }
}

fn kinds() -> impl Strategy<Value = Vec<ActionKind>> {
    subsequence(ActionKind::ALL.to_vec(), 0..=ActionKind::ALL.len())
}

pub(crate) fn written() -> impl Strategy<Value = Written> {
    let names = |all: &[&'static str]| subsequence(all.to_vec(), 0..=2);
    let numbers = |count: usize| prop::option::weighted(0.3, subsequence((0..count).collect::<Vec<_>>(), 1..=count));
    let limits = prop::collection::vec(prop::option::of(1..100_u64), ActionKind::ALL.len());
    let who = (names(&USERS), names(&GROUPS), names(&GLOBS), numbers(NETWORKS.len()), numbers(HOURS.len()));
    let rules = (kinds(), limits, prop::option::weighted(0.3, kinds()));
    let asks = (prop::option::of(any::<bool>()), prop::option::of(1..60_u64), prop::option::of(1..900_u64));
    (who, rules, asks).prop_map(
        |((users, groups, desktops, networks, hours), (allow, limits, deny), (strict, idle, keep))| Written {
            users,
            groups,
            desktops,
            networks: networks.unwrap_or_default(),
            hours: hours.unwrap_or_default(),
            allow: allow
                .into_iter()
                .zip(limits)
                .map(|(kind, limit)| (kind, limit.filter(|_| kind.has_contents())))
                .collect(),
            deny: deny.unwrap_or_default(),
            strict,
            idle,
            keep,
        },
    )
}

pub(crate) fn several() -> impl Strategy<Value = Vec<Written>> {
    prop::collection::vec(written(), 0..6)
}

pub(crate) fn files(policies: &[Written]) -> Vec<PolicyFile> {
    policies.iter().enumerate().map(|(index, policy)| policy.file(&format!("p{index}"))).collect()
}

/// The set of these files, keys that are not enforced yet included.
pub(crate) fn parse(files: &[PolicyFile]) -> PolicySet {
    PolicySet::draft(files).unwrap_or_else(|errors| panic!("{errors:?} in {files:?}")).set
}

pub(crate) fn subject() -> impl Strategy<Value = Subject> {
    (select(&USERS[..]), subsequence(GROUPS.to_vec(), 0..=2)).prop_map(|(name, groups)| Subject {
        name: name.into(),
        groups: groups.into_iter().map(Into::into).collect(),
        issuer: "https://id.example".into(),
    })
}

pub(crate) fn place() -> impl Strategy<Value = Place> {
    let (address, time) = (prop::option::of(select(&ADDRESSES[..])), prop::option::of(select(&TIMES[..])));
    (select(&DESKTOPS[..]), address, time).prop_map(|(desktop, address, time)| Place { desktop, address, time })
}

/// A place whose address and time are known, as they are to a gate.
pub(crate) fn known_place() -> impl Strategy<Value = Place> {
    (select(&DESKTOPS[..]), select(&ADDRESSES[..]), select(&TIMES[..])).prop_map(|(desktop, address, time)| Place {
        desktop,
        address: Some(address),
        time: Some(time),
    })
}

pub(crate) fn action() -> impl Strategy<Value = Action> {
    let bytes = prop_oneof![0..120_u64, any::<u64>()];
    (select(&ActionKind::ALL[..]), bytes).prop_map(|(kind, bytes)| match kind.at_all() {
        Action::Paste { .. } => Action::Paste { bytes },
        Action::Copy { .. } => Action::Copy { bytes },
        Action::Upload { .. } => Action::Upload { bytes },
        Action::Download { .. } => Action::Download { bytes },
        other => other,
    })
}
