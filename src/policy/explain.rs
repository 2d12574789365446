//! `portcullis policy explain`: what policy means for a subject on a desktop, or why one action is permitted or denied.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, anyhow};
use clap::Args;
use portcullis_policy::{
    Action, ActionKind, Considered, Contents, Detector, Explanation, Holds, Request, Rule, Says, Situation, Size,
    Subject, Why, read_instant,
};
use serde_json::json;

use super::files::Found;
use super::git::{Repository, short};
use super::{FolderArgs, code, draft};

/// Arguments of `policy explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    place: FolderArgs,
    /// Who
    #[arg(long)]
    subject: String,
    /// A group of the subject; may be given more than once
    #[arg(long)]
    group: Vec<String>,
    /// Who vouches for the subject
    #[arg(long, default_value = "portcullis")]
    issuer: String,
    /// The desktop
    #[arg(long)]
    desktop: String,
    /// When: `now`, or such as `2026-03-02 09:00 Europe/Berlin`; what depends on it is told as such where it is not given
    #[arg(long)]
    time: Option<String>,
    /// The address that the subject comes from
    #[arg(long)]
    from: Option<IpAddr>,
    /// Explain this action alone, policy by policy
    #[arg(long)]
    action: Option<String>,
    /// How much would cross, such as `4 KiB`
    #[arg(long, requires = "action")]
    bytes: Option<String>,
    /// The media type of the file that would cross
    #[arg(long = "type", requires = "action")]
    media_type: Option<String>,
    /// A detector that finds something in it; may be given more than once
    #[arg(long, requires = "action")]
    containing: Vec<String>,
}

/// Which commits the lines of files come from.
#[derive(Default)]
struct Commits {
    /// The commit that is checked out.
    head: Option<String>,
    lines: HashMap<String, HashMap<u32, String>>,
}

/// Explains and prints; exit code 0, or 1 where one action is asked for and denied.
pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let subject = Subject { name: args.subject.clone(), groups: args.group.clone(), issuer: args.issuer.clone() };
    let at = args.time.as_deref().map(instant).transpose()?;
    let situation = Situation { subject: &subject, desktop: &args.desktop, at, from: args.from };
    let (draft, found) = draft(&args.place.folder)?;
    if let Some(action) = &args.action {
        let found_in: Vec<Detector> =
            args.containing.iter().map(|text| parsed(text.parse())).collect::<Result<_, _>>()?;
        let found_in: Vec<&Detector> = found_in.iter().collect();
        let contents = Contents { media_type: args.media_type.as_deref(), found: &found_in, ..Contents::default() };
        let action = asked(action, args.bytes.as_deref())?;
        let why = draft.set.why(&Request { situation, action, contents });
        let commits =
            Commits::of(args, &found, why.steps.iter().flat_map(|step| rules(&step.considered, step.says.as_ref())));
        if args.place.json {
            println!("{}", serde_json::to_string_pretty(&json!({"why": why, "commits": commits.json()}))?);
        } else {
            print_why(&why, &commits);
        }
        return Ok(code(why.verdict.is_permit()));
    }
    let explanation = draft.set.explain(&situation);
    let verdicts = explanation.actions.iter().map(|action| &action.verdict.rule);
    let limits = explanation.actions.iter().flat_map(|action| action.limits.iter().chain(&action.searched));
    let owed = limits.chain(&explanation.obligations).map(|owed| &owed.rule);
    let commits =
        Commits::of(args, &found, verdicts.chain(owed).chain(explanation.policies.iter().map(|policy| &policy.rule)));
    if args.place.json {
        let revision = draft.set.revision();
        println!(
            "{}",
            serde_json::to_string_pretty(
                &json!({"revision": revision, "effective": explanation, "commits": commits.json()})
            )?
        );
    } else {
        println!("{} on {} under {}{}", args.subject, args.desktop, draft.set.revision(), commits.head());
        print(&explanation, &commits);
    }
    Ok(ExitCode::SUCCESS)
}

fn instant(text: &str) -> anyhow::Result<SystemTime> {
    match text {
        "now" => Ok(SystemTime::now()),
        text => parsed(read_instant(text)),
    }
}

/// The action with what it carries.
fn asked(name: &str, bytes: Option<&str>) -> anyhow::Result<Action> {
    let known = || ActionKind::ALL.map(ActionKind::name).join(", ");
    let kind =
        ActionKind::from_name(name).with_context(|| format!("{name:?} is not an action; known here: {}", known()))?;
    let bytes = bytes.map(|text| parsed(text.parse::<Size>())).transpose()?.map_or(0, Size::bytes);
    Ok(kind.carrying(bytes))
}

fn parsed<T>(read: Result<T, String>) -> anyhow::Result<T> {
    read.map_err(|reason| anyhow!(reason))
}

fn rules<'a>(considered: &'a Considered, says: Option<&'a Says>) -> Vec<&'a Rule> {
    let says = says.map(|says| match says {
        Says::Allows(rule) | Says::Limits(rule) => rule,
        Says::Redacts(rule) | Says::Alerts(rule) | Says::Denies(rule) => rule,
    });
    says.into_iter().chain([&considered.rule]).collect()
}

impl Commits {
    /// The commits of these rules' lines, as far as the folder is in a repository and their files are as they were committed.
    fn of<'a>(args: &ExplainArgs, found: &Found, rules: impl Iterator<Item = &'a Rule>) -> Self {
        let Ok(repository) = Repository::of(&args.place.folder) else { return Self::default() };
        let Ok(head) = repository.commit("HEAD") else { return Self::default() };
        let Ok(committed) = repository.read(&head) else { return Self::default() };
        let files: HashSet<&str> = rules.map(|rule| rule.file.as_str()).collect();
        let same = found.policies.iter().filter(|file| committed.policies.contains(file));
        let named = same.filter(|file| files.contains(file.name.as_str()));
        let lines = named.filter_map(|file| Some((file.name.clone(), repository.lines(&head, &file.name).ok()?)));
        Self { lines: lines.collect(), head: Some(head) }
    }

    fn head(&self) -> String {
        self.head.as_ref().map(|head| format!(", commit {}", short(head))).unwrap_or_default()
    }

    /// `contractors.yaml:7 allow.paste`, with the commit that the line comes from.
    fn shown(&self, rule: &Rule) -> String {
        let commit = self.lines.get(&rule.file).and_then(|lines| lines.get(&rule.line));
        match commit {
            Some(commit) => format!("{rule} ({})", short(commit)),
            None if self.head.is_some() && !rule.is_default() => format!("{rule} (not committed)"),
            None => rule.to_string(),
        }
    }

    /// `FILE:LINE` to commit, for every line of the files that are as they were committed.
    fn json(&self) -> BTreeMap<String, &String> {
        let mut all = BTreeMap::new();
        for (file, lines) in &self.lines {
            all.extend(lines.iter().map(|(line, commit)| (format!("{file}:{line}"), commit)));
        }
        all
    }
}

fn applies(considered: &Considered) -> String {
    match considered.applies {
        Holds::Yes => "applies".to_owned(),
        Holds::Unknown => format!("may apply, by its {}", considered.but.join(" and ")),
        Holds::No => format!("does not, by its {}", considered.but.join(" and ")),
    }
}

fn print(explanation: &Explanation, commits: &Commits) {
    println!("\nPolicies");
    for policy in &explanation.policies {
        println!("  {:<24} {}   {}", policy.policy, applies(policy), commits.shown(&policy.rule));
    }
    println!("\nActions");
    for action in &explanation.actions {
        let verdict = &action.verdict;
        println!("  {:<9} {:<7} {}", action.action.name(), verdict.effect.name(), commits.shown(&verdict.rule));
        for limit in action.limits.iter().filter(|_| verdict.is_permit()).chain(&action.searched) {
            println!("  {:<17} {} {}   {}", "", limit.key, limit.value, commits.shown(&limit.rule));
        }
    }
    println!("\nObligations");
    for owed in &explanation.obligations {
        println!("  {:<22} {:<16} {}", owed.key, owed.value, commits.shown(&owed.rule));
    }
}

fn print_why(why: &Why, commits: &Commits) {
    println!("{}: {}", why.verdict.effect, why.verdict.reason);
    println!("by {}{}\n", commits.shown(&why.verdict.rule), commits.head());
    for step in &why.steps {
        let says = match &step.says {
            Some(Says::Allows(rule)) => format!("; allows it: {}", commits.shown(rule)),
            Some(Says::Limits(rule)) => format!("; allows less: {}", commits.shown(rule)),
            Some(Says::Redacts(rule)) => format!("; redacts it: {}", commits.shown(rule)),
            Some(Says::Alerts(rule)) => format!("; tells of it: {}", commits.shown(rule)),
            Some(Says::Denies(rule)) => format!("; denies it: {}", commits.shown(rule)),
            None if step.considered.applies == Holds::No => String::new(),
            None => "; says nothing of it".to_owned(),
        };
        println!("  {:<24} {}{says}", step.considered.policy, applies(&step.considered));
    }
}
