//! One-time links and sign-ins, both found by the hash of their secret. Times are Unix seconds.

use portcullis_policy::Subject;

use super::statement::{Statement, bound, either};
use super::{Index, IndexError};
use crate::secret::Hash;

/// One-time links that may be outstanding; a further one takes the place of the oldest.
const MAX_LINKS: i64 = 64;

/// How a sign-in came about, where a provider had a part in it; else each field is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct From {
    /// The provider's id.
    pub(crate) provider: String,
    /// The provider's `sub`.
    pub(crate) sub: String,
    /// The provider's name for the sign-in.
    pub(crate) sid: String,
}

/// Sign-ins that one subject may have at a time; a further one ends the oldest.
const MAX_SIGN_INS: i64 = 32;

impl Index {
    /// Keeps a one-time link; forgets those that are over, and the oldest over the limit.
    pub(crate) async fn add_link(&self, link: &Hash, now: i64, expires_at: i64) -> Result<(), IndexError> {
        either!(self, pool => {
            let mut transaction = pool.begin().await?;
            sqlx::query("DELETE FROM links WHERE expires_at <= $1").bind(now).execute(&mut *transaction).await?;
            sqlx::query("INSERT INTO links (hash, expires_at) VALUES ($1, $2)")
                .bind(link.as_slice())
                .bind(expires_at)
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "DELETE FROM links WHERE hash NOT IN (SELECT hash FROM links ORDER BY expires_at DESC, hash LIMIT $1)",
            )
            .bind(MAX_LINKS)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
        });
        Ok(())
    }

    /// Takes a one-time link: true for the one caller that finds it there and in time.
    ///
    /// INVARIANT: a link signs in once. One statement both finds and removes it.
    pub(crate) async fn take_link(&self, link: &Hash, now: i64) -> Result<bool, IndexError> {
        let statement = "DELETE FROM links WHERE hash = $1 AND expires_at > $2";
        let taken = either!(self, pool => {
            sqlx::query(statement).bind(link.as_slice()).bind(now).execute(pool).await?.rows_affected()
        });
        Ok(taken == 1)
    }

    /// Keeps a sign-in of `subject`; forgets those that are over, and the subject's oldest over the limit.
    pub(crate) async fn add_sign_in(
        &self,
        sign_in: &Hash,
        subject: &Subject,
        from: &From,
        now: i64,
        expires_at: i64,
    ) -> Result<(), IndexError> {
        let groups = serde_json::to_string(&subject.groups)?;
        either!(self, pool => {
            let mut transaction = pool.begin().await?;
            sqlx::query("DELETE FROM sign_ins WHERE expires_at <= $1").bind(now).execute(&mut *transaction).await?;
            sqlx::query(
                "INSERT INTO sign_ins (hash, subject, issuer, groups, created_at, expires_at, provider, sub, sid)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(sign_in.as_slice())
            .bind(&subject.name)
            .bind(&subject.issuer)
            .bind(groups)
            .bind(now)
            .bind(expires_at)
            .bind(&from.provider)
            .bind(&from.sub)
            .bind(&from.sid)
            .execute(&mut *transaction)
            .await?;
            sqlx::query(
                "DELETE FROM sign_ins WHERE issuer = $1 AND subject = $2 AND hash NOT IN (
                     SELECT hash FROM sign_ins WHERE issuer = $1 AND subject = $2
                     ORDER BY created_at DESC, hash = $4 DESC LIMIT $3)",
            )
            .bind(&subject.issuer)
            .bind(&subject.name)
            .bind(MAX_SIGN_INS)
            .bind(sign_in.as_slice())
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
        });
        Ok(())
    }

    /// Who signed in with this cookie, while it is good, and by which provider; nothing where none had a part in it.
    pub(crate) async fn signed_in(&self, sign_in: &Hash, now: i64) -> Result<Option<(Subject, String)>, IndexError> {
        let statement = "SELECT subject, issuer, groups, provider FROM sign_ins WHERE hash = $1 AND expires_at > $2";
        let row: Option<(String, String, String, String)> = either!(self, pool => {
            sqlx::query_as(statement).bind(sign_in.as_slice()).bind(now).fetch_optional(pool).await?
        });
        let Some((name, issuer, groups, provider)) = row else { return Ok(None) };
        Ok(Some((Subject { name, issuer, groups: serde_json::from_str(&groups)? }, provider)))
    }

    /// Ends what a provider says it has ended: all sign-ins of `sub`, the one called `sid`, or with both those of `sub` that are
    /// called so or have no name. Whose they were.
    pub(crate) async fn end_sign_ins_by(
        &self,
        provider: &str,
        sub: Option<&str>,
        sid: Option<&str>,
    ) -> Result<Vec<Subject>, IndexError> {
        if sub.is_none() && sid.is_none() {
            return Ok(Vec::new());
        }
        let mut statement = Statement::new("DELETE FROM sign_ins WHERE provider = ");
        statement.bind(provider);
        if let Some(sub) = sub {
            statement.push(" AND sub = ").bind(sub);
        }
        match (sid, sub) {
            (Some(sid), Some(_)) => statement.push(" AND sid IN ('', ").bind(sid).push(")"),
            (Some(sid), None) => statement.push(" AND sid = ").bind(sid),
            (None, _) => &mut statement,
        };
        statement.push(" RETURNING subject, issuer, groups");
        let Statement { text, values } = statement;
        let rows: Vec<(String, String, String)> = either!(self, pool => {
            bound!(sqlx::query_as(sqlx::AssertSqlSafe(text)), values).fetch_all(pool).await?
        });
        let read = |(name, issuer, groups): (String, String, String)| {
            Ok(Subject { name, issuer, groups: serde_json::from_str(&groups)? })
        };
        rows.into_iter().map(read).collect()
    }

    /// Ends a sign-in; one that is none is ended already.
    pub(crate) async fn end_sign_in(&self, sign_in: &Hash) -> Result<(), IndexError> {
        let statement = "DELETE FROM sign_ins WHERE hash = $1";
        either!(self, pool => sqlx::query(statement).bind(sign_in.as_slice()).execute(pool).await?.rows_affected());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Database;
    use crate::secret::{fresh, hash_of};
    use crate::tests::{On, on_both};

    on_both!(
        a_link_is_taken_by_exactly_one_of_many_at_once,
        a_link_is_over_at_its_time_and_the_oldest_give_way,
        a_sign_in_lasts_until_its_time_or_its_end,
        a_subject_has_so_many_sign_ins_and_the_newest_stay,
        a_provider_ends_what_it_names_and_no_more,
    );

    async fn index(on: On) -> (tempfile::TempDir, Index) {
        let dir = tempfile::tempdir().unwrap();
        let file = Database::Sqlite(dir.path().join("index.db"));
        let index = Index::open(&on.database().await.unwrap_or(file)).await.unwrap();
        (dir, index)
    }

    fn hash() -> Hash {
        hash_of(&fresh().unwrap()).unwrap()
    }

    fn alice() -> Subject {
        Subject { name: "alice".into(), groups: vec!["users".into(), "o'brien\"".into()], issuer: "local".into() }
    }

    async fn a_link_is_taken_by_exactly_one_of_many_at_once(on: On) {
        let (_dir, index) = index(on).await;
        let link = hash();
        index.add_link(&link, 1000, 1600).await.unwrap();
        let index = std::sync::Arc::new(index);
        let tries: Vec<_> = (0..16)
            .map(|_| {
                let index = index.clone();
                tokio::spawn(async move { index.take_link(&link, 1001).await.unwrap() })
            })
            .collect();
        let mut won = 0;
        for one in tries {
            won += u32::from(one.await.unwrap());
        }
        assert_eq!(won, 1);
    }

    async fn a_link_is_over_at_its_time_and_the_oldest_give_way(on: On) {
        let (_dir, index) = index(on).await;
        let (late, first) = (hash(), hash());
        index.add_link(&late, 1000, 1600).await.unwrap();
        assert!(!index.take_link(&late, 1600).await.unwrap());
        index.add_link(&first, 2000, 2600).await.unwrap();
        for n in 1..=MAX_LINKS {
            index.add_link(&hash(), 2000 + n, 2600 + n).await.unwrap();
        }
        assert!(!index.take_link(&first, 2100).await.unwrap());
    }

    async fn a_sign_in_lasts_until_its_time_or_its_end(on: On) {
        let (_dir, index) = index(on).await;
        let (one, other) = (hash(), hash());
        index.add_sign_in(&one, &alice(), &From::default(), 1000, 2000).await.unwrap();
        index.add_sign_in(&other, &alice(), &From::default(), 1000, 2000).await.unwrap();
        assert_eq!(index.signed_in(&one, 1999).await.unwrap().unwrap().0.groups, alice().groups);
        assert!(index.signed_in(&one, 2000).await.unwrap().is_none());
        index.end_sign_in(&one).await.unwrap();
        assert!(index.signed_in(&one, 1999).await.unwrap().is_none());
        assert!(index.signed_in(&other, 1999).await.unwrap().is_some());
        assert!(index.signed_in(&hash(), 1999).await.unwrap().is_none());
    }

    async fn a_subject_has_so_many_sign_ins_and_the_newest_stay(on: On) {
        let (_dir, index) = index(on).await;
        let first = hash();
        index.add_sign_in(&first, &alice(), &From::default(), 1000, 9000).await.unwrap();
        let mut last = first;
        for _ in 0..MAX_SIGN_INS {
            last = hash();
            index.add_sign_in(&last, &alice(), &From::default(), 1000, 9000).await.unwrap();
            assert!(index.signed_in(&last, 1001).await.unwrap().is_some());
        }
        let count = "SELECT count(*) FROM sign_ins";
        let (kept,): (i64,) = either!(index, pool => sqlx::query_as(count).fetch_one(pool).await.unwrap());
        assert_eq!(kept, MAX_SIGN_INS);
        assert!(index.signed_in(&last, 1001).await.unwrap().is_some());
    }

    async fn a_provider_ends_what_it_names_and_no_more(on: On) {
        let (_dir, index) = index(on).await;
        let from =
            |provider: &str, sub: &str, sid: &str| From { provider: provider.into(), sub: sub.into(), sid: sid.into() };
        let ways = [
            ("corp", "a", "1"),
            ("corp", "a", "2"),
            ("corp", "a", ""),
            ("corp", "b", "3"),
            ("other", "a", "1"),
            ("", "", ""),
        ];
        for (sub, sid, ended) in [
            (Some("a"), None, vec![0, 1, 2]),
            (Some("a"), Some("1"), vec![0, 2]),
            (None, Some("1"), vec![0]),
            (Some("b"), Some("1"), vec![]),
            (Some("c"), None, vec![]),
            (None, None, vec![]),
        ] {
            let mut hashes = Vec::new();
            for (provider, by, called) in ways {
                let sign_in = hash();
                index.add_sign_in(&sign_in, &alice(), &from(provider, by, called), 1000, 9000).await.unwrap();
                hashes.push(sign_in);
            }
            let subjects = index.end_sign_ins_by("corp", sub, sid).await.unwrap();
            assert_eq!(subjects.len(), ended.len(), "{sub:?} {sid:?}");
            assert!(subjects.iter().all(|subject| subject.groups == alice().groups));
            for (n, sign_in) in hashes.iter().enumerate() {
                let there = index.signed_in(sign_in, 1001).await.unwrap();
                assert_eq!(there.is_none(), ended.contains(&n), "{sub:?} {sid:?} {n}");
                index.end_sign_in(sign_in).await.unwrap();
            }
        }
    }
}
