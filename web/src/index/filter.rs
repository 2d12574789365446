//! Which recordings are sought, and which may be seen, as conditions on their rows.

use portcullis_policy::{Glob, Subject};

use super::events::{FACTOR, facet};
use super::recordings::{MAX_KEY, Row};
use super::search::Facet;
use super::statement::Statement;
use super::words::Question;

/// Names that a question to the full text may choose between; of more the rows alone are asked, for it would read the
/// events of all of them.
const MAX_NAMED: usize = 8;

/// Whose recordings may be listed.
#[derive(Clone, Debug)]
pub(crate) enum Scope {
    Everyone,
    /// Those of any of these shares; of none, nobody's.
    Only(Vec<Share>),
}

/// Some recordings that somebody may see.
#[derive(Clone, Debug)]
pub(crate) enum Share {
    /// Their own.
    Own(Subject),
    /// Those of subjects in one of these groups, on desktops of one of these names; an empty list is all of them.
    Of { groups: Vec<String>, desktops: Vec<Glob> },
}

impl Scope {
    pub(super) fn has_globs(&self) -> bool {
        let Scope::Only(shares) = self else { return false };
        shares.iter().any(|share| matches!(share, Share::Of { desktops, .. } if !desktops.is_empty()))
    }

    /// The group that all subjects of its recordings were in, where there is one.
    fn group(&self) -> Option<&String> {
        let Scope::Only(shares) = self else { return None };
        let [Share::Of { groups, .. }] = shares.as_slice() else { return None };
        groups.first().filter(|_| groups.len() == 1)
    }

    /// Whether a recording is in it.
    pub(crate) fn has(&self, recording: &Row) -> bool {
        let Scope::Only(shares) = self else { return true };
        let groups = recording.groups();
        shares.iter().any(|share| match share {
            // A name counts only together with who issued it.
            Share::Own(subject) => recording.subject == subject.name && recording.issuer == subject.issuer,
            Share::Of { groups: wanted, desktops } => {
                (wanted.is_empty() || wanted.iter().any(|group| groups.contains(group)))
                    && (desktops.is_empty() || desktops.iter().any(|glob| glob.matches(&recording.desktop)))
            }
        })
    }

    /// The same as a condition on a row; `desktops` are the names that there are.
    fn condition(&self, statement: &mut Statement, desktops: &[String]) {
        let Scope::Only(shares) = self else { return };
        statement.push(" AND (1 = 0");
        for share in shares {
            statement.push(" OR ");
            match share {
                Share::Own(subject) => {
                    statement.push("(r.issuer = ").bind(&subject.issuer).push(" AND r.subject = ");
                    statement.bind(&subject.name).push(")");
                }
                Share::Of { groups, desktops: globs } => {
                    statement.push("(1 = 1");
                    if !groups.is_empty() {
                        statement.push(
                            " AND EXISTS (SELECT 1 FROM recording_groups s WHERE s.recording = r.key AND s.name IN (",
                        );
                        statement.list(groups).push("))");
                    }
                    if !globs.is_empty() {
                        statement.push(" AND r.desktop IN (").list(named(globs, desktops)).push(")");
                    }
                    statement.push(")");
                }
            }
        }
        statement.push(")");
    }

    /// The same for the full text, where it can be said there: it leads to fewer rows, and they are asked all the same.
    pub(super) fn facets(&self, desktops: &[String]) -> Vec<Facet> {
        let Scope::Only(shares) = self else { return Vec::new() };
        match shares.as_slice() {
            [Share::Own(subject)] => vec![Facet::one('s', &subject.name)],
            [Share::Of { groups, desktops: globs }] => {
                let named = named(globs, desktops);
                let groups: Vec<_> = groups.iter().map(|group| facet('g', group)).collect();
                let desktops = named.iter().take(MAX_NAMED.saturating_add(1)).map(|name| facet('d', name));
                let desktops: Vec<_> = desktops.collect();
                [groups, desktops]
                    .into_iter()
                    .filter(|any| (1..=MAX_NAMED).contains(&any.len()))
                    .map(|any| Facet { any })
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The names that one of the globs matches; never none, so that a list of them is one of SQL.
fn named(globs: &[Glob], desktops: &[String]) -> Vec<String> {
    let named: Vec<_> = desktops.iter().filter(|name| globs.iter().any(|glob| glob.matches(name))).cloned().collect();
    if named.is_empty() { vec![String::new()] } else { named }
}

/// What is sought; everything that is given must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sought {
    /// Its id.
    pub(crate) recording: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) desktop: Option<String>,
    /// A revision, a rule, or the file of one, that decided anything in it.
    pub(crate) policy: Option<String>,
    /// When it began, milliseconds since 1970: not before, and before.
    pub(crate) from_ms: Option<i64>,
    pub(crate) until_ms: Option<i64>,
    /// Whether anything was denied in it; of events, whether they were.
    pub(crate) denied: Option<bool>,
    pub(crate) state: Option<String>,
    pub(crate) min_ms: Option<i64>,
    pub(crate) max_ms: Option<i64>,
    pub(crate) question: Option<Question>,
    /// Of events alone: their type.
    pub(crate) kind: Option<String>,
}

impl Sought {
    /// What a list is read from and ordered by: the narrowest table whose order is the list's. Ends behind WHERE.
    pub(super) fn lead(&self, statement: &mut Statement, scope: &Scope) -> &'static str {
        let (table, name) = match (self.group.as_ref().or(scope.group()), &self.policy) {
            (Some(group), _) => ("recording_groups", group),
            (None, Some(policy)) => ("recording_policies", policy),
            (None, None) => {
                statement.push("recordings r WHERE 1 = 1");
                return "r.key";
            }
        };
        statement.push(table).push(" l JOIN recordings r ON r.key = l.recording WHERE l.name = ").bind(name);
        "l.recording"
    }

    /// The keys that come into question.
    pub(super) fn between(&self, statement: &mut Statement, key: &str, before: Option<i64>) {
        if let Some(from) = self.from_ms {
            statement.push(&format!(" AND {key} >= ")).bind(from.clamp(0, MAX_KEY));
        }
        let until = self.until_ms.map(|until| until.clamp(0, MAX_KEY));
        if let Some(until) = [until, before].into_iter().flatten().min() {
            statement.push(&format!(" AND {key} < ")).bind(until);
        }
    }

    /// The same for keys of events.
    pub(super) fn between_events(&self, statement: &mut Statement, key: &str, before: Option<i64>) {
        if let Some(from) = self.from_ms {
            statement.push(&format!(" AND {key} >= ")).bind(from.clamp(0, MAX_KEY).saturating_mul(FACTOR));
        }
        let until = self.until_ms.map(|until| until.clamp(0, MAX_KEY).saturating_mul(FACTOR));
        if let Some(until) = [until, before].into_iter().flatten().min() {
            statement.push(&format!(" AND {key} < ")).bind(until);
        }
    }

    /// Conditions on the row `r`, and of an event's on `e` where `kind` says that there is one.
    pub(super) fn conditions(&self, statement: &mut Statement, scope: &Scope, desktops: &[String]) {
        scope.condition(statement, desktops);
        for (column, wanted) in [
            ("id", &self.recording),
            ("subject", &self.subject),
            ("issuer", &self.issuer),
            ("desktop", &self.desktop),
            ("state", &self.state),
        ] {
            if let Some(wanted) = wanted {
                statement.push(&format!(" AND r.{column} = ")).bind(wanted);
            }
        }
        for (table, wanted) in [("recording_groups", &self.group), ("recording_policies", &self.policy)] {
            if let Some(wanted) = wanted {
                statement
                    .push(&format!(" AND EXISTS (SELECT 1 FROM {table} x WHERE x.recording = r.key AND x.name = "));
                statement.bind(wanted).push(")");
            }
        }
        if let Some(least) = self.min_ms {
            statement.push(" AND r.duration_ms >= ").bind(least);
        }
        if let Some(most) = self.max_ms {
            statement.push(" AND r.duration_ms <= ").bind(most);
        }
        if let Some(denied) = self.denied {
            statement.push(if denied { " AND r.denied > 0" } else { " AND r.denied = 0" });
        }
    }

    /// What of it the full text can be asked for.
    pub(super) fn facets(&self) -> Vec<Facet> {
        let named = [('s', &self.subject), ('g', &self.group), ('d', &self.desktop), ('k', &self.kind)];
        named.into_iter().filter_map(|(sort, name)| Some(Facet::one(sort, name.as_ref()?))).collect()
    }
}
