//! Accounts as those who keep the gate meet them: `portcullis accounts`.

use super::hashing::{HashError, hashed};
use super::strength::{self, Weak};
use super::{MAX_NAME, is_name};
use crate::index::{Database, Index, IndexError};
use crate::oidc::Concealed;

/// The most groups of one account, and the longest name of one.
const MAX_GROUPS: usize = 64;

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name: what the person signs in by, and the subject's name.
    pub name: String,
    /// Its groups.
    pub groups: Vec<String>,
    /// When its password was set, Unix seconds.
    pub password_set: i64,
}

/// Why an account is not as somebody wants it.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// It cannot be called so.
    #[error("an account's name is letters, digits and any of . _ - @ +, at most {MAX_NAME} of them")]
    Name,
    /// The one-time link's subject has that name.
    #[error("`{0}` is whom the one-time link signs in (sign_in.subject): choose another name")]
    Local(String),
    /// There is one already.
    #[error("there is an account `{0}` already")]
    Exists(String),
    /// There is none.
    #[error("there is no account `{0}`")]
    None(String),
    /// Its groups cannot be.
    #[error("a group is a name without control characters; an account has at most {MAX_GROUPS}")]
    Groups,
    /// Its password would be guessed.
    #[error(transparent)]
    Weak(#[from] Weak),
    /// The hash could not be made.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The index.
    #[error("the index failed")]
    Index(#[from] IndexError),
}

/// The accounts in an index. A gate that runs on it heeds each change at once.
pub struct Accounts {
    index: Index,
    local: String,
}

impl Accounts {
    /// Opens the index. `local` is whom the one-time link signs in: no account may be called so.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open(database: &Database, local: &str) -> Result<Accounts, AccountError> {
        Ok(Accounts { index: Index::open(database).await?, local: local.to_owned() })
    }

    /// All of them, by their names.
    ///
    /// # Errors
    /// When the index fails.
    pub async fn list(&self) -> Result<Vec<Account>, AccountError> {
        Ok(self.index.accounts().await?)
    }

    /// Makes one.
    ///
    /// # Errors
    /// When there is one, or it cannot be as it is asked for.
    pub async fn add(&self, name: &str, groups: &[String], password: &Concealed) -> Result<(), AccountError> {
        if !is_name(name) {
            return Err(AccountError::Name);
        }
        if name == self.local {
            return Err(AccountError::Local(name.to_owned()));
        }
        check_groups(groups)?;
        strength::check(name, &password.0)?;
        let added = self.index.add_account(name, groups, &hashed(password)?, crate::portal::now()).await?;
        if added { Ok(()) } else { Err(AccountError::Exists(name.to_owned())) }
    }

    /// Sets another password, and ends the account's sign-ins.
    ///
    /// # Errors
    /// When there is no such account, or the password would be guessed.
    pub async fn set_password(&self, name: &str, password: &Concealed) -> Result<(), AccountError> {
        strength::check(name, &password.0)?;
        there(name, self.index.set_account_password(name, &hashed(password)?, crate::portal::now()).await?)
    }

    /// Sets its groups, which hold at once for who is signed in.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn set_groups(&self, name: &str, groups: &[String]) -> Result<(), AccountError> {
        check_groups(groups)?;
        there(name, self.index.set_account_groups(name, groups).await?)
    }

    /// Removes it, and ends its sign-ins.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn remove(&self, name: &str) -> Result<(), AccountError> {
        there(name, self.index.remove_account(name).await?)
    }

    /// Closes the index.
    pub async fn close(&self) {
        self.index.close().await;
    }
}

fn there(name: &str, was: bool) -> Result<(), AccountError> {
    if was { Ok(()) } else { Err(AccountError::None(name.to_owned())) }
}

fn check_groups(groups: &[String]) -> Result<(), AccountError> {
    let good = |group: &String| !group.trim().is_empty() && group.len() <= 256 && !group.chars().any(char::is_control);
    if groups.len() <= MAX_GROUPS && groups.iter().all(good) { Ok(()) } else { Err(AccountError::Groups) }
}
