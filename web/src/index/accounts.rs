//! Local accounts: state, which no rebuild touches. What changes who may come in ends sign-ins in the same transaction.

use super::statement::either;
use super::{Index, IndexError};
use crate::accounts::Account;
use crate::config::LOCAL_ISSUER;

/// What signing in needs of an account.
#[derive(Debug)]
pub(crate) struct AccountRow {
    pub(crate) groups: Vec<String>,
    /// Argon2id, as a PHC string.
    pub(crate) hash: String,
}

const END_SIGN_INS: &str = "DELETE FROM sign_ins WHERE issuer = $1 AND subject = $2";

impl Index {
    /// The account of this name.
    pub(crate) async fn account(&self, name: &str) -> Result<Option<AccountRow>, IndexError> {
        let statement = "SELECT groups, hash FROM accounts WHERE name = $1";
        let row: Option<(String, String)> =
            either!(self, pool => sqlx::query_as(statement).bind(name).fetch_optional(pool).await?);
        let Some((groups, hash)) = row else { return Ok(None) };
        Ok(Some(AccountRow { groups: serde_json::from_str(&groups)?, hash }))
    }

    /// Whether there is any account.
    pub(crate) async fn has_accounts(&self) -> Result<bool, IndexError> {
        let statement = "SELECT name FROM accounts LIMIT 1";
        let one: Option<(String,)> = either!(self, pool => sqlx::query_as(statement).fetch_optional(pool).await?);
        Ok(one.is_some())
    }

    /// All accounts, by their names.
    pub(crate) async fn accounts(&self) -> Result<Vec<Account>, IndexError> {
        let statement = "SELECT name, groups, password_set FROM accounts";
        let rows: Vec<(String, String, i64)> = either!(self, pool => sqlx::query_as(statement).fetch_all(pool).await?);
        let read = |(name, groups, password_set): (String, String, i64)| {
            Ok(Account { name, groups: serde_json::from_str(&groups)?, password_set })
        };
        let mut accounts = rows.into_iter().map(read).collect::<Result<Vec<_>, IndexError>>()?;
        accounts.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(accounts)
    }

    /// Makes an account; false where there is one of that name.
    pub(crate) async fn add_account(
        &self,
        name: &str,
        groups: &[String],
        hash: &str,
        now: i64,
    ) -> Result<bool, IndexError> {
        let statement =
            "INSERT INTO accounts (name, groups, hash, password_set) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let groups = serde_json::to_string(groups)?;
        let added = either!(self, pool => {
            sqlx::query(statement).bind(name).bind(groups).bind(hash).bind(now).execute(pool).await?.rows_affected()
        });
        Ok(added == 1)
    }

    /// Sets an account's password and ends its sign-ins; false where there is none.
    pub(crate) async fn set_account_password(&self, name: &str, hash: &str, now: i64) -> Result<bool, IndexError> {
        let statement = "UPDATE accounts SET hash = $2, password_set = $3 WHERE name = $1";
        let set = either!(self, pool => {
            let mut transaction = pool.begin().await?;
            let set = sqlx::query(statement).bind(name).bind(hash).bind(now).execute(&mut *transaction).await?;
            sqlx::query(END_SIGN_INS).bind(LOCAL_ISSUER).bind(name).execute(&mut *transaction).await?;
            transaction.commit().await?;
            set.rows_affected()
        });
        Ok(set == 1)
    }

    /// Sets an account's groups; false where there is none.
    pub(crate) async fn set_account_groups(&self, name: &str, groups: &[String]) -> Result<bool, IndexError> {
        let statement = "UPDATE accounts SET groups = $2 WHERE name = $1";
        let groups = serde_json::to_string(groups)?;
        let set = either!(self, pool => {
            sqlx::query(statement).bind(name).bind(groups).execute(pool).await?.rows_affected()
        });
        Ok(set == 1)
    }

    /// Removes an account and ends its sign-ins; false where there is none.
    pub(crate) async fn remove_account(&self, name: &str) -> Result<bool, IndexError> {
        let statement = "DELETE FROM accounts WHERE name = $1";
        let removed = either!(self, pool => {
            let mut transaction = pool.begin().await?;
            let removed = sqlx::query(statement).bind(name).execute(&mut *transaction).await?;
            sqlx::query(END_SIGN_INS).bind(LOCAL_ISSUER).bind(name).execute(&mut *transaction).await?;
            transaction.commit().await?;
            removed.rows_affected()
        });
        Ok(removed == 1)
    }
}
