//! `portcullis policy test`: runs the cases that are kept beside the policies.

use std::collections::HashSet;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use portcullis_policy::{CaseResult, Cases, Rule};
use serde::Serialize;

use super::{FolderArgs, code, draft, faults};

/// Arguments of `policy test`.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    place: FolderArgs,
    /// Name the rules that no case rests on, and exit with 1 if there are any
    #[arg(long)]
    coverage: bool,
}

/// How the cases went.
#[derive(Debug, Serialize)]
struct Report {
    passed: usize,
    failed: usize,
    cases: Vec<CaseResult>,
    /// Entries of `allow` and `deny` that no case rests on.
    uncovered: Vec<Rule>,
}

/// Runs and prints; exit code 0 when all cases pass and there are any, 1 when not.
pub(super) fn run(args: &TestArgs) -> anyhow::Result<ExitCode> {
    let (draft, found) = draft(&args.place.folder)?;
    let cases = match Cases::parse(&found.cases) {
        Ok(cases) => cases,
        Err(errors) => bail!(faults(&errors).replace("in the policies", "in the cases")),
    };
    let results = cases.run(&draft.set);
    let rested: HashSet<&Rule> = results.iter().map(|result| &result.verdict.rule).collect();
    let uncovered: Vec<Rule> = draft.set.rules().into_iter().filter(|rule| !rested.contains(rule)).collect();
    let passed = results.iter().filter(|result| result.passed()).count();
    let report = Report { passed, failed: results.len().saturating_sub(passed), cases: results, uncovered };
    if args.place.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report, args.coverage);
    }
    let covered = !args.coverage || report.uncovered.is_empty();
    Ok(code(report.failed == 0 && report.passed > 0 && covered))
}

fn print(report: &Report, coverage: bool) {
    for result in report.cases.iter().filter(|result| !result.passed()) {
        for fault in &result.faults {
            println!("{}:{}: {}: {fault}", result.file, result.line, result.name);
        }
    }
    if coverage {
        report.uncovered.iter().for_each(|rule| println!("{rule}: no case rests on this rule"));
    }
    if report.cases.is_empty() {
        println!("there are no cases: write them in files below a folder named `tests`");
    }
    println!("{} passed, {} failed; {} rules without a case", report.passed, report.failed, report.uncovered.len());
}
