//! Hits: the events whose text has what is sought, of recordings that may be seen, newest recording first.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::events::{FACTOR, facet};
use super::filter::{Scope, Sought};
use super::recordings::{Cursor, Row};
use super::statement::{Statement, bound, either};
use super::{Index, IndexError};

/// Hits that are looked at in one go for a list of recordings.
const AT_ONCE: i64 = 400;

/// One of these marks is on the event.
#[derive(Clone, Debug)]
pub(super) struct Facet {
    pub(super) any: Vec<String>,
}

impl Facet {
    pub(super) fn one(sort: char, name: &str) -> Self {
        Facet { any: vec![facet(sort, name)] }
    }
}

/// An event that was found, and whose it is.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct HitRow {
    pub(crate) key: i64,
    pub(crate) at_ms: i64,
    pub(crate) kind: String,
    pub(crate) verdict: String,
    pub(crate) rule: String,
    pub(crate) revision: String,
    pub(crate) text: String,
    pub(crate) until_ms: Option<i64>,
    pub(crate) confidence: Option<i64>,
    pub(crate) x: Option<i64>,
    pub(crate) y: Option<i64>,
    pub(crate) width: Option<i64>,
    pub(crate) height: Option<i64>,
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) desktop: String,
    pub(crate) started: String,
    pub(crate) policy_revision: String,
}

/// A place in the list of hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HitCursor(i64);

impl HitCursor {
    /// After this hit.
    pub(crate) fn after(hit: &HitRow) -> Self {
        HitCursor(hit.key)
    }

    /// As the API writes it: opaque.
    pub(crate) fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("hit {}", self.0))
    }

    /// Reads what `to_text` wrote.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        text.strip_prefix("hit ")?.parse().ok().filter(|key| *key >= 0).map(HitCursor)
    }
}

impl Index {
    /// At most `limit` hits, those of the newest recording first and in it the last first, after `before` when given.
    pub(crate) async fn hits(
        &self,
        scope: &Scope,
        sought: &Sought,
        before: Option<HitCursor>,
        limit: u32,
    ) -> Result<Vec<HitRow>, IndexError> {
        let desktops = self.desktops(scope).await?;
        // Denied is the event, not the recording.
        let of_recordings = Sought { denied: None, ..sought.clone() };
        let mut facets = [sought.facets(), scope.facets(&desktops)].concat();
        if let Some(denied) = sought.denied {
            facets.push(Facet::one('v', if denied { "deny" } else { "permit" }));
        }
        // Events of one recording are next to each other.
        let within = match &sought.recording {
            None => None,
            Some(id) => match self.recording(id).await? {
                Some(row) => Some(row.key),
                None => return Ok(Vec::new()),
            },
        };
        let columns = "e.key, e.at_ms, e.kind, e.verdict, e.rule, e.revision, e.text, \
             e.until_ms, e.confidence, e.x, e.y, e.width, e.height, \
             r.id, r.subject, r.desktop, r.started, r.policy_revision";
        let asked = either!(self, _pool, dialect => {
            let question = dialect::question(sought.question.as_ref(), &facets);
            let mut asked = Statement::new(&format!("SELECT {columns}{}", dialect::HITS));
            asked.bind(question).push(dialect::CAST);
            sought.between_events(&mut asked, dialect::HIT, before.map(|HitCursor(key)| key));
            if let Some(key) = within {
                asked.push(&format!(" AND {} >= ", dialect::HIT)).bind(key.saturating_mul(FACTOR));
                asked.push(&format!(" AND {} < ", dialect::HIT)).bind(key.saturating_add(1).saturating_mul(FACTOR));
            }
            of_recordings.conditions(&mut asked, scope, &desktops);
            if let Some(kind) = &sought.kind {
                asked.push(" AND e.kind = ").bind(kind);
            }
            asked.push(&format!(" ORDER BY {} DESC LIMIT ", dialect::HIT)).bind(i64::from(limit));
            asked
        });
        let Statement { text, values } = asked;
        Ok(either!(self, pool => {
            bound!(sqlx::query_as(sqlx::AssertSqlSafe(text)), values).fetch_all(pool).await?
        }))
    }

    /// Recordings that have a hit: from hit to hit, past all further ones of a recording that has one.
    pub(super) async fn answering(
        &self,
        scope: &Scope,
        sought: &Sought,
        before: Option<Cursor>,
        limit: u32,
    ) -> Result<Vec<Row>, IndexError> {
        let desktops = self.desktops(scope).await?;
        let facets = [sought.facets(), scope.facets(&desktops)].concat();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut before = before.map(|Cursor(key)| key.saturating_mul(FACTOR));
        let mut keys: Vec<i64> = Vec::new();
        loop {
            let asked = either!(self, _pool, dialect => {
                let question = dialect::question(sought.question.as_ref(), &facets);
                let mut asked = Statement::new(&format!("SELECT r.key{}", dialect::HITS));
                asked.bind(question).push(dialect::CAST);
                sought.between_events(&mut asked, dialect::HIT, before);
                sought.conditions(&mut asked, scope, &desktops);
                if let Some(kind) = &sought.kind {
                    asked.push(" AND e.kind = ").bind(kind);
                }
                asked.push(&format!(" ORDER BY {} DESC LIMIT ", dialect::HIT)).bind(AT_ONCE);
                asked
            });
            let Statement { text, values } = asked;
            let found: Vec<(i64,)> = either!(self, pool => {
                bound!(sqlx::query_as(sqlx::AssertSqlSafe(text)), values).fetch_all(pool).await?
            });
            let last = found.last().map(|(key,)| *key);
            let all = i64::try_from(found.len()).unwrap_or(i64::MAX) < AT_ONCE;
            keys.extend(found.into_iter().map(|(key,)| key));
            keys.dedup();
            let Some(last) = last.filter(|_| !all && keys.len() < limit) else { break };
            before = Some(last.saturating_mul(FACTOR));
        }
        keys.truncate(limit);
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = Statement::new("SELECT r.* FROM recordings r WHERE r.key IN (");
        statement.list(keys).push(") ORDER BY r.key DESC");
        self.rows(statement).await
    }
}
