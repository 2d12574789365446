//! `just bench-session`: one desktop's working minute by Portcullis, and by websockify with x11grab beside it, in turn in one run.
//!
//! A third row is websockify alone, without a recorder: how late keys are on this machine at this hour when it has nothing to do.
//! `just bench-session keys` compares the times of keys alone, more sharply. All have the same Xvnc, window manager and terminal, the same viewer (vnc-rs, Tight) and the same script. CPU is
//! that of everything but the viewer: desktop, gate and recorder. Figures go to standard output as a table, and to a JSON file.
#![allow(missing_docs)]

mod contender;
mod cpu;
mod keys;
mod script;

use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use contender::{Contender, Pair, Portcullis};
use script::{Latency, Seat};

const CONTENDERS: [&str; 3] = ["portcullis", "websockify+x11grab", "websockify alone"];
const SCENARIOS: [&str; 2] = ["idle", "office"];

/// What one contender cost in one scenario.
#[derive(Debug, Clone, Serialize)]
struct Row {
    contender: &'static str,
    scenario: &'static str,
    seconds: f64,
    cpu_s_per_minute: f64,
    recorded_mb_per_hour: f64,
    viewer_mb_per_minute: f64,
    latency_p50_ms: Option<f64>,
    latency_p99_ms: Option<f64>,
    keys: usize,
    /// The share of the machine's time that its host gave to others meanwhile: waits that neither contender made.
    stolen_percent: f64,
    #[serde(skip)]
    latency: Latency,
}

#[derive(Debug, Serialize)]
struct Report {
    screen: &'static str,
    rounds: usize,
    rows: Vec<Row>,
    ratios: Vec<(String, f64)>,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let first = arguments.next();
    if first.as_deref() == Some("keys") {
        let keys = arguments.next().map_or(Ok(1000), |text| text.parse()).context("keys")?;
        let output = arguments.next().unwrap_or_else(|| "bench-keys.json".into());
        std::fs::write(&output, keys::run(keys).await?)?;
        println!("\nwritten to {output}");
        return Ok(());
    }
    let rounds: usize = first.map_or(Ok(4), |text| text.parse()).context("rounds")?;
    let output = arguments.next().unwrap_or_else(|| "bench-session.json".into());
    let mut rows = Vec::new();
    for round in 0..rounds {
        // In turn, and each round in the other order: a machine that grows slower favours nobody.
        let mut order = CONTENDERS;
        if round % 2 == 1 {
            order.reverse();
        }
        for name in order {
            for scenario in SCENARIOS {
                rows.push(run(name, scenario).await?);
            }
        }
    }
    let report = summarise(rounds, rows);
    print_table(&report);
    std::fs::write(&output, serde_json::to_string_pretty(&report)?)?;
    println!("\nwritten to {output}");
    Ok(())
}

async fn run(name: &'static str, scenario: &'static str) -> anyhow::Result<Row> {
    eprintln!("{name}: {scenario}…");
    let mut contender: Box<dyn Contender> = match name {
        "portcullis" => Box::new(Portcullis::start().await?),
        other => Box::new(Pair::start(other != "websockify alone").await?),
    };
    let mut seat = Seat::take(contender.dial().await?).await?;
    seat.settle().await?;
    let before = (contender.cpu()?, contender.recorded()?, seat.received());
    let stolen = cpu::Stolen::begin()?;
    let start = std::time::Instant::now();
    let latency = match scenario {
        "idle" => seat.rest(Duration::from_secs(30)).await.map(|()| Latency::default())?,
        _ => seat.office().await?,
    };
    let seconds = start.elapsed().as_secs_f64();
    let stolen_percent = stolen.percent()?;
    let cpu = contender.cpu()? - before.0;
    let viewer = seat.received() - before.2;
    drop(seat);
    let recorded = contender.finish().await?.saturating_sub(before.1);
    let minutes = seconds / 60.0;
    Ok(Row {
        contender: name,
        scenario,
        seconds,
        cpu_s_per_minute: cpu / minutes,
        recorded_mb_per_hour: recorded as f64 / 1e6 * 60.0 / minutes,
        viewer_mb_per_minute: viewer as f64 / 1e6 / minutes,
        latency_p50_ms: latency.percentile(50),
        latency_p99_ms: latency.percentile(99),
        keys: latency.len(),
        stolen_percent,
        latency,
    })
}

/// Medians over the rounds, and ours beside the pair's. Percentiles are those of the keys of all rounds together: of 150 keys the
/// second worst, which is one hiccup of the machine, would be the 99th.
fn summarise(rounds: usize, all: Vec<Row>) -> Report {
    let mut rows = Vec::new();
    for scenario in SCENARIOS {
        for contender in CONTENDERS {
            let same: Vec<&Row> =
                all.iter().filter(|row| row.scenario == scenario && row.contender == contender).collect();
            let middle = |value: &dyn Fn(&Row) -> f64| median(same.iter().map(|row| value(row)).collect());
            let latency: Latency = same.iter().map(|row| &row.latency).collect();
            rows.push(Row {
                contender,
                scenario,
                seconds: middle(&|row| row.seconds),
                cpu_s_per_minute: middle(&|row| row.cpu_s_per_minute),
                recorded_mb_per_hour: middle(&|row| row.recorded_mb_per_hour),
                viewer_mb_per_minute: middle(&|row| row.viewer_mb_per_minute),
                latency_p50_ms: latency.percentile(50),
                latency_p99_ms: latency.percentile(99),
                keys: latency.len(),
                stolen_percent: middle(&|row| row.stolen_percent),
                latency,
            });
        }
    }
    let ratios = rows
        .chunks(CONTENDERS.len())
        .filter_map(|same| match same {
            [ours, theirs, ..] => {
                Some((format!("cpu {}", ours.scenario), ours.cpu_s_per_minute / theirs.cpu_s_per_minute))
            }
            _ => None,
        })
        .collect();
    Report { screen: "1920x1080", rounds, rows, ratios }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.is_empty() {
        f64::NAN
    } else if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    }
}

fn print_table(report: &Report) {
    println!(
        "\n| scenario | contender | CPU-s/min | MB/h recorded | MB/min to the viewer | key to pixel p50 ms | p99 ms | keys | stolen % |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for row in &report.rows {
        let ms = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.1}"));
        println!(
            "| {} | {} | {:.2} | {:.1} | {:.2} | {} | {} | {} | {:.1} |",
            row.scenario,
            row.contender,
            row.cpu_s_per_minute,
            row.recorded_mb_per_hour,
            row.viewer_mb_per_minute,
            ms(row.latency_p50_ms),
            ms(row.latency_p99_ms),
            row.keys,
            row.stolen_percent
        );
    }
    for (name, ratio) in &report.ratios {
        println!("\n{name}: {ratio:.2}x of the pair");
    }
}
