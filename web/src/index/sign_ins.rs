//! One-time links and sign-ins, both found by the hash of their secret. Times are Unix seconds.

use portcullis_policy::Subject;

use super::statement::either;
use super::{Index, IndexError};
use crate::secret::Hash;

/// One-time links that may be outstanding; a further one takes the place of the oldest.
const MAX_LINKS: i64 = 64;

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
        now: i64,
        expires_at: i64,
    ) -> Result<(), IndexError> {
        let groups = serde_json::to_string(&subject.groups)?;
        either!(self, pool => {
            let mut transaction = pool.begin().await?;
            sqlx::query("DELETE FROM sign_ins WHERE expires_at <= $1").bind(now).execute(&mut *transaction).await?;
            sqlx::query(
                "INSERT INTO sign_ins (hash, subject, issuer, groups, created_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(sign_in.as_slice())
            .bind(&subject.name)
            .bind(&subject.issuer)
            .bind(groups)
            .bind(now)
            .bind(expires_at)
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

    /// Who signed in with this cookie, while it is good.
    pub(crate) async fn signed_in(&self, sign_in: &Hash, now: i64) -> Result<Option<Subject>, IndexError> {
        let statement = "SELECT subject, issuer, groups FROM sign_ins WHERE hash = $1 AND expires_at > $2";
        let row: Option<(String, String, String)> = either!(self, pool => {
            sqlx::query_as(statement).bind(sign_in.as_slice()).bind(now).fetch_optional(pool).await?
        });
        let Some((name, issuer, groups)) = row else { return Ok(None) };
        Ok(Some(Subject { name, issuer, groups: serde_json::from_str(&groups)? }))
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
        index.add_sign_in(&one, &alice(), 1000, 2000).await.unwrap();
        index.add_sign_in(&other, &alice(), 1000, 2000).await.unwrap();
        assert_eq!(index.signed_in(&one, 1999).await.unwrap().unwrap().groups, alice().groups);
        assert!(index.signed_in(&one, 2000).await.unwrap().is_none());
        index.end_sign_in(&one).await.unwrap();
        assert!(index.signed_in(&one, 1999).await.unwrap().is_none());
        assert!(index.signed_in(&other, 1999).await.unwrap().is_some());
        assert!(index.signed_in(&hash(), 1999).await.unwrap().is_none());
    }

    async fn a_subject_has_so_many_sign_ins_and_the_newest_stay(on: On) {
        let (_dir, index) = index(on).await;
        let first = hash();
        index.add_sign_in(&first, &alice(), 1000, 9000).await.unwrap();
        let mut last = first;
        for _ in 0..MAX_SIGN_INS {
            last = hash();
            index.add_sign_in(&last, &alice(), 1000, 9000).await.unwrap();
            assert!(index.signed_in(&last, 1001).await.unwrap().is_some());
        }
        let count = "SELECT count(*) FROM sign_ins";
        let (kept,): (i64,) = either!(index, pool => sqlx::query_as(count).fetch_one(pool).await.unwrap());
        assert_eq!(kept, MAX_SIGN_INS);
        assert!(index.signed_in(&last, 1001).await.unwrap().is_some());
    }
}
