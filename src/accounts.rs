//! `portcullis accounts`: local accounts, made and changed in the index of the gate, which heeds each change at once.

use std::io::{BufRead, IsTerminal, Read, Write};

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use portcullis_web::{Accounts, Concealed};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use time::OffsetDateTime;

use crate::DataArgs;
use crate::data::Data;

/// The most bytes that are read for a password.
const MOST: u64 = 1024;

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountsCommand {
    /// Make an account; its password is asked for, or one line of standard input
    Add(Named),
    /// List the accounts with their groups, and when their passwords were set
    List(DataArgs),
    /// Set another password, and end the account's sign-ins
    Password(Name),
    /// Set the account's groups, which hold at once
    Groups(Named),
    /// Remove an account, and end its sign-ins
    Remove(Name),
}

/// An account.
#[derive(Debug, Args)]
pub(crate) struct Name {
    /// Its name
    name: String,
    #[command(flatten)]
    place: DataArgs,
}

/// An account with its groups.
#[derive(Debug, Args)]
pub(crate) struct Named {
    #[command(flatten)]
    name: Name,
    /// The groups it is in from now on, separated by commas
    #[arg(long, value_delimiter = ',', required = true)]
    groups: Vec<String>,
}

/// Does it.
pub(crate) fn run(command: &AccountsCommand) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(told(command))
}

async fn told(command: &AccountsCommand) -> anyhow::Result<()> {
    let place = match command {
        AccountsCommand::List(place) => place,
        AccountsCommand::Add(Named { name, .. }) | AccountsCommand::Groups(Named { name, .. }) => &name.place,
        AccountsCommand::Password(name) | AccountsCommand::Remove(name) => &name.place,
    };
    let config = place.load()?;
    let database = config.index.database(Data::open(&config.data)?.database())?;
    let accounts = Accounts::open(&database, &config.sign_in.subject).await.context("the index cannot be opened")?;
    match command {
        AccountsCommand::List(_) => list(&accounts).await?,
        AccountsCommand::Add(asked) => {
            accounts.add(&asked.name.name, &asked.groups, &password(&asked.name.name)?).await?;
        }
        AccountsCommand::Password(name) => accounts.set_password(&name.name, &password(&name.name)?).await?,
        AccountsCommand::Groups(asked) => accounts.set_groups(&asked.name.name, &asked.groups).await?,
        AccountsCommand::Remove(name) => accounts.remove(&name.name).await?,
    }
    accounts.close().await;
    Ok(())
}

async fn list(accounts: &Accounts) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for account in accounts.list().await? {
        let set = OffsetDateTime::from_unix_timestamp(account.password_set)?.date();
        writeln!(out, "{}\t{}\tpassword of {set}", account.name, account.groups.join(","))?;
    }
    Ok(())
}

/// The new password: typed twice without being shown, or the one line of standard input. It is never an argument, which everybody
/// on the machine could read.
fn password(name: &str) -> anyhow::Result<Concealed> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let mut text = String::new();
        stdin.lock().take(MOST).read_to_string(&mut text).context("the password is no text")?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        ensure!(!line.contains('\n'), "standard input must be one line: the password");
        return Ok(Concealed(line.to_owned()));
    }
    let first = typed(&format!("New password of {name}: "))?;
    if typed("The same again: ")? != first {
        bail!("the two are not the same");
    }
    Ok(Concealed(first))
}

fn typed(ask: &str) -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    eprint!("{ask}");
    let _quiet = Quiet::begin()?;
    let mut line = String::new();
    stdin.lock().take(MOST).read_line(&mut line)?;
    eprintln!();
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that does not show what is typed; as it was before once this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> anyhow::Result<Self> {
        let before = tcgetattr(std::io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}
