//! `portcullis recordings list`: the recordings in the vault, newest first.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};
use portcullis_vault::next_bundle;

use super::facts::Facts;
use crate::DataArgs;
use crate::bundle::Reading;
use crate::data::Data;

/// Arguments of `recordings list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those of this subject
    #[arg(long)]
    subject: Option<String>,
    /// Only those of this desktop
    #[arg(long)]
    desktop: Option<String>,
    /// Only those that began on this day or later, by UTC: 2026-01-31
    #[arg(long)]
    from: Option<String>,
    /// Only those that began on this day or earlier
    #[arg(long)]
    to: Option<String>,
    /// Only those in this state
    #[arg(long)]
    state: Option<Wanted>,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: DataArgs,
}

/// A state that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    Recording,
    Closed,
    Interrupted,
    Expired,
    Held,
}

/// Prints them. One that cannot be read is said on standard error, holds up no other, and makes the exit code 1.
pub(crate) fn run(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let day = |text: &Option<String>| text.as_deref().map(day).transpose();
    let (from, to) = (day(&args.from)?, day(&args.to)?);
    let config = args.place.load()?;
    let reading = Reading::open(&config)?;
    let trust = crate::trust::own(&Data::at(&config.data)).map(|own| own.trust).unwrap_or_default();
    let vault = reading.vault.as_ref();
    let (mut found, mut sound) = (Vec::new(), true);
    reading.runtime.block_on(async {
        let mut last = None;
        while let Some(place) = next_bundle(vault, last.as_ref()).await? {
            let within = from.as_deref().is_none_or(|from| place.day() >= from)
                && to.as_deref().is_none_or(|to| place.day() <= to);
            if within {
                match Facts::read(vault, &place, &trust).await {
                    Ok(facts) if args.want(&facts) => found.push(facts),
                    Ok(_) => {}
                    Err(error) => {
                        eprintln!("portcullis: {}: {error:#}", place.key());
                        sound = false;
                    }
                }
            }
            last = Some(place);
        }
        anyhow::Ok(())
    })?;
    found.sort_by(|a, b| b.started.cmp(&a.started));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        found.iter().for_each(|facts| println!("{}", line(facts)));
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl ListArgs {
    fn want(&self, facts: &Facts) -> bool {
        self.subject.as_ref().is_none_or(|subject| *subject == facts.subject)
            && self.desktop.as_ref().is_none_or(|desktop| *desktop == facts.desktop)
            && self.state.is_none_or(|state| match state {
                Wanted::Held => facts.held.is_some(),
                Wanted::Recording => facts.state == "recording",
                Wanted::Closed => facts.state == "closed",
                Wanted::Interrupted => facts.state == "interrupted",
                Wanted::Expired => facts.state == "expired",
            })
    }
}

fn line(facts: &Facts) -> String {
    let keep = facts
        .keep
        .as_ref()
        .map_or_else(String::new, |keep| format!("  until {}", keep.until.get(..10).unwrap_or_default()));
    let held = if facts.held.is_some() { "  held" } else { "" };
    let (desktop, subject) = (facts.desktop.escape_debug(), facts.subject.escape_debug());
    format!("{}  {}  {:<11}  {desktop}  {subject}{keep}{held}", facts.id, facts.started, facts.state)
}

/// A day as places in the vault have it, `2026/01/31`.
fn day(text: &str) -> anyhow::Result<String> {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<_> = text.split('-').collect();
    match parts.as_slice() {
        [year, month, day]
            if (year.len(), month.len(), day.len()) == (4, 2, 2) && parts.iter().all(|part| digits(part)) =>
        {
            Ok(parts.join("/"))
        }
        _ => bail!("{text} is no day such as 2026-01-31"),
    }
}
