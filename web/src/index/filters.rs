//! Filters that a person has given a name: state, by the person.

use portcullis_policy::Subject;

use super::statement::either;
use super::{Index, IndexError};

/// Filters that one person may have.
pub(crate) const MAX_FILTERS: i64 = 50;

/// A filter with its name.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct SavedFilter {
    pub(crate) name: String,
    /// As in the address of the list, without the question mark.
    pub(crate) query: String,
}

/// Whether a filter was kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Yes,
    /// The person has as many as there may be.
    TooMany,
}

impl Index {
    /// A person's filters, by their names.
    pub(crate) async fn filters(&self, of: &Subject) -> Result<Vec<SavedFilter>, IndexError> {
        let statement = "SELECT name, query FROM filters WHERE issuer = $1 AND subject = $2";
        let mut filters: Vec<SavedFilter> = either!(self, pool => {
            sqlx::query_as(statement).bind(&of.issuer).bind(&of.name).fetch_all(pool).await?
        });
        filters.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(filters)
    }

    /// Keeps a filter, in place of one of that name.
    pub(crate) async fn keep_filter(&self, of: &Subject, filter: &SavedFilter) -> Result<Kept, IndexError> {
        let statement = "
            INSERT INTO filters (issuer, subject, name, query)
            SELECT $1, $2, $3, $4
            WHERE (SELECT count(*) FROM filters WHERE issuer = $1 AND subject = $2 AND name <> $3) < $5
            ON CONFLICT (issuer, subject, name) DO UPDATE SET query = excluded.query";
        let kept = either!(self, pool => {
            sqlx::query(statement)
                .bind(&of.issuer)
                .bind(&of.name)
                .bind(&filter.name)
                .bind(&filter.query)
                .bind(MAX_FILTERS)
                .execute(pool)
                .await?
                .rows_affected()
        });
        Ok(if kept == 0 { Kept::TooMany } else { Kept::Yes })
    }

    /// Drops a filter; whether there was one.
    pub(crate) async fn drop_filter(&self, of: &Subject, name: &str) -> Result<bool, IndexError> {
        let statement = "DELETE FROM filters WHERE issuer = $1 AND subject = $2 AND name = $3";
        let dropped = either!(self, pool => {
            sqlx::query(statement).bind(&of.issuer).bind(&of.name).bind(name).execute(pool).await?.rows_affected()
        });
        Ok(dropped > 0)
    }
}
