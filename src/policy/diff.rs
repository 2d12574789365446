//! `portcullis policy diff`: who gains or loses what between two commits, or two folders.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use portcullis_policy::{Diff, Direction, PolicySet, Rule, diff};

use super::files::{self, Found};
use super::git::Repository;
use super::{code, understood};

/// Arguments of `policy diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// Two commits as `A..B` (`A..` is from A to the files as they are), or the folder before
    before: String,
    /// The folder of policies, or the folder after
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    /// Exit with 1 if somebody gains something: more is permitted, or less is owed
    #[arg(long)]
    no_gains: bool,
}

/// Compares and prints; exit code 0, or 1 where somebody gains and nobody should.
pub(super) fn run(args: &DiffArgs) -> anyhow::Result<ExitCode> {
    let (before, after) = both(args)?;
    let diff = diff(&before, &after);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&diff)?);
    } else {
        print(&diff);
    }
    let gains = diff.cut_short || diff.effects.iter().any(|effect| effect.direction == Direction::Gains);
    Ok(code(!(args.no_gains && gains)))
}

fn both(args: &DiffArgs) -> anyhow::Result<(PolicySet, PolicySet)> {
    if Path::new(&args.before).is_dir() {
        return Ok((
            set(files::read(Path::new(&args.before))?, &args.before)?,
            set(files::read(&args.folder)?, "the folder after")?,
        ));
    }
    let Some((before, after)) = args.before.split_once("..") else {
        bail!("{:?} is neither two commits as A..B nor a folder", args.before);
    };
    let repository = Repository::of(&args.folder)?;
    let at = |revision: &str| {
        let commit = repository.commit(revision)?;
        set(repository.read(&commit)?, revision)
    };
    let after = if after.is_empty() { set(files::read(&args.folder)?, "the files as they are")? } else { at(after)? };
    Ok((at(before)?, after))
}

fn set(found: Found, of: &str) -> anyhow::Result<PolicySet> {
    Ok(understood(&found).with_context(|| format!("{of} cannot be compared"))?.set)
}

fn print(diff: &Diff) {
    if diff.is_empty() {
        println!("nothing differs in what the policies say");
        return;
    }
    println!("Policies");
    for change in &diff.policies {
        let place = |rule: &Rule| format!("{}:{}", rule.file, rule.line);
        let (word, rule) = match (&change.before, &change.after) {
            (Some(_), Some(after)) => ("changed", place(after)),
            (None, Some(after)) => ("new", place(after)),
            (Some(before), None) => ("gone", place(before)),
            (None, None) => ("", String::new()),
        };
        println!("  {word} {} ({rule})", change.policy);
        change.removed.iter().for_each(|said| println!("    - {said}"));
        change.added.iter().for_each(|said| println!("    + {said}"));
    }
    println!("\nEffects");
    let mut last = String::new();
    for effect in &diff.effects {
        let mut who = format!("{} on {}", effect.who, effect.desktops.join(", "));
        if !effect.circumstances.is_empty() {
            who = format!("{who}, {}", effect.circumstances.join(" or "));
        }
        if who != last {
            println!("  {who}");
        }
        let (what, change) = (effect.what.join(", "), format!("{} → {}", effect.before, effect.after));
        println!("    {} {what}: {change}   {}", effect.direction, effect.rule);
        last = who;
    }
    if diff.effects.is_empty() {
        println!("  nobody gains or loses anything");
    }
    if diff.cut_short {
        println!("  and more: there are too many situations to compare all of them");
    }
}
