//! `portcullis`: the command line, and the composition of the gate from its packages.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod accounts;
mod alerts;
mod bundle;
mod config;
mod data;
mod doctor;
mod key_list;
mod keys;
mod leftovers;
mod listen;
mod metrics;
mod peer;
mod policy;
mod portal;
mod quarantine;
mod readings;
mod recorder;
mod recordings;
mod retention;
mod revoked;
mod serve;
mod time_stamps;
mod token;
mod trust;
mod vault;
mod verify;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// The gate between a person's browser and a Docker desktop: policy on the wire, evidence on the record.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gate
    Serve(ServeArgs),
    /// Sign a token that opens a session (for trying out, and for control planes without a signer of their own)
    Token(token::TokenArgs),
    /// Revoke a token, a subject or a session: a gate that runs ends what it covers within a second
    Revoke(revoked::RevokeArgs),
    /// Make and change local accounts, which sign in at the portal by a password
    Accounts {
        #[command(subcommand)]
        command: accounts::AccountsCommand,
    },
    /// Make the gate's keys
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Check, test, explain and compare policies
    Policy {
        #[command(subcommand)]
        command: policy::PolicyCommand,
    },
    /// Try a destination of events
    Alerts {
        #[command(subcommand)]
        command: alerts::AlertsCommand,
    },
    /// Prove a recording: exit 0 when sound, 3 when sound with declared gaps, else a code for each kind of fault
    Verify(verify::VerifyArgs),
    /// List recordings, and do with them what the years ask for
    Recordings {
        #[command(subcommand)]
        command: recordings::RecordingsCommand,
    },
    /// Say what is missing on this machine and how to mend it, knock at every desktop that stands already and every destination of events, and try
    /// the vault
    Doctor(DataArgs),
    /// Print the OpenAPI description of the HTTP API
    Openapi,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make the token key and the evidence key in DATA/keys; keys that exist are kept
    Generate(DataArgs),
    /// Print the list of evidence keys, for those who verify
    List(key_list::ListArgs),
    /// Make a new evidence key and take the old one out of use; the gate has to stand still
    Rotate(DataArgs),
    /// Mark an evidence key as one that others may have
    Revoke(key_list::RevokeKeyArgs),
}

/// Where the gate's data is.
#[derive(Debug, Clone, Args)]
struct DataArgs {
    /// The configuration file
    #[arg(long, env = "PORTCULLIS_CONFIG")]
    config: Option<PathBuf>,
    /// The data folder
    #[arg(long, env = "PORTCULLIS_DATA")]
    data: Option<PathBuf>,
}

/// Arguments of `serve`.
#[derive(Debug, Clone, Args)]
struct ServeArgs {
    #[command(flatten)]
    place: DataArgs,
    /// Where to listen
    #[arg(long, env = "PORTCULLIS_LISTEN")]
    listen: Option<SocketAddr>,
    /// The folder of policy files
    #[arg(long, env = "PORTCULLIS_POLICY")]
    policy: Option<PathBuf>,
    /// The git repository of policy files to follow, in place of a folder
    #[arg(long, env = "PORTCULLIS_POLICIES_REPOSITORY")]
    policies_repository: Option<String>,
    /// The branch of that repository
    #[arg(long, env = "PORTCULLIS_POLICIES_BRANCH")]
    policies_branch: Option<String>,
    /// Where to serve metrics
    #[arg(long, env = "PORTCULLIS_METRICS")]
    metrics: Option<String>,
    /// The exact origins that browsers may come from
    #[arg(long, env = "PORTCULLIS_ORIGINS", value_delimiter = ',')]
    origins: Vec<String>,
    /// Print the documented defaults of the configuration and stop
    #[arg(long)]
    defaults: bool,
}

impl DataArgs {
    fn load(&self) -> anyhow::Result<config::Config> {
        let overrides = config::Overrides { data: self.data.clone(), ..config::Overrides::default() };
        config::Config::load(self.config.as_deref(), &overrides)
    }
}

impl ServeArgs {
    fn load(&self) -> anyhow::Result<config::Config> {
        let overrides = config::Overrides {
            listen: self.listen,
            data: self.place.data.clone(),
            origins: self.origins.clone(),
            policy: self.policy.clone(),
            repository: self.policies_repository.clone(),
            branch: self.policies_branch.clone(),
            metrics: self.metrics.clone(),
        };
        config::Config::load(self.place.config.as_deref(), &overrides)
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("portcullis: {error:#}");
            // 1 is the word of `policy` for what is not as it should be, 3 and above are those of `verify`.
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) if args.defaults => print!("{}", config::DEFAULTS),
        Command::Serve(args) => serve::run(&args.load()?)?,
        Command::Token(args) => token::run(&args)?,
        Command::Revoke(args) => revoked::run(&args)?,
        Command::Accounts { command } => accounts::run(&command)?,
        Command::Keys { command: KeysCommand::Generate(place) } => keys::run(&place.load()?)?,
        Command::Keys { command: KeysCommand::List(args) } => key_list::list(&args)?,
        Command::Keys { command: KeysCommand::Rotate(place) } => key_list::rotate(&place)?,
        Command::Keys { command: KeysCommand::Revoke(args) } => key_list::revoke(&args)?,
        Command::Policy { command } => return policy::run(&command),
        Command::Alerts { command } => return alerts::run(&command),
        Command::Recordings { command } => return recordings::run(&command),
        Command::Verify(args) => return verify::run(&args),
        Command::Doctor(place) => return doctor::run(&place.load()?),
        Command::Openapi => println!("{}", serve::openapi().to_pretty_json()?),
    }
    Ok(ExitCode::SUCCESS)
}
