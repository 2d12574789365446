//! Keys in turn: both live at once, a key by one and then a key by the other, so that what the machine does to one it does to both.
//!
//! Percentiles of runs that follow each other compare what the machine had to do for others in one minute with what it had to do in the next.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;

use crate::contender::{Contender, Pair, Portcullis};
use crate::cpu;
use crate::script::{Latency, Seat, TEXT};

/// From one key to the next, of the other: each has 60 words a minute.
const TURN: Duration = Duration::from_millis(100);
/// Keys between two returns, so that the terminal never wraps.
const LINE: usize = 60;

/// Times from key to pixel of one contender.
#[derive(Debug, Serialize)]
struct Row {
    contender: &'static str,
    keys: usize,
    p50_ms: Option<f64>,
    p90_ms: Option<f64>,
    p99_ms: Option<f64>,
    /// Keys that took longer than 50 ms.
    late: usize,
}

/// Types so many keys at each, and returns the report as JSON; a table goes to standard output.
pub async fn run(keys: usize) -> anyhow::Result<String> {
    let mut ours = Portcullis::start().await?;
    // Without a recorder: ffmpeg beside it would take from both what only one of them needs.
    let mut theirs = Pair::start(false).await?;
    let mut seats = [Seat::take(ours.dial().await?).await?, Seat::take(theirs.dial().await?).await?];
    for seat in &mut seats {
        seat.settle().await?;
    }
    let stolen = cpu::Stolen::begin()?;
    let mut latency = [Latency::default(), Latency::default()];
    let mut text = TEXT.chars().cycle();
    let mut due = Instant::now();
    for number in 0..keys {
        let character = text.next().context("the text never ends")?;
        // Who is first changes: the second of a pair could profit from a machine that has just woken up.
        let order = if number % 2 == 0 { [0, 1] } else { [1, 0] };
        for index in order {
            due += TURN;
            latency[index].push(seats[index].typed(character).await?);
            rest(&mut seats, due).await?;
        }
        if number % LINE == LINE - 1 {
            for seat in &mut seats {
                seat.line("clear").await?;
            }
            due = Instant::now() + 3 * TURN;
            rest(&mut seats, due).await?;
        }
    }
    let stolen = stolen.percent()?;
    drop(seats);
    ours.finish().await?;
    theirs.finish().await?;
    let rows: Vec<Row> = ["portcullis, recording", "websockify alone, no recording"]
        .into_iter()
        .zip(&latency)
        .map(|(contender, latency)| Row {
            contender,
            keys: latency.len(),
            p50_ms: latency.percentile(50),
            p90_ms: latency.percentile(90),
            p99_ms: latency.percentile(99),
            late: latency.over(50.0),
        })
        .collect();
    println!("\n| contender | keys | p50 ms | p90 ms | p99 ms | over 50 ms |\n|---|---|---|---|---|---|");
    for row in &rows {
        let ms = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.1}"));
        println!(
            "| {} | {} | {} | {} | {} | {} |",
            row.contender,
            row.keys,
            ms(row.p50_ms),
            ms(row.p90_ms),
            ms(row.p99_ms),
            row.late
        );
    }
    println!("\nstolen: {stolen:.1} %");
    Ok(serde_json::to_string_pretty(&serde_json::json!({"rows": rows, "stolen_percent": stolen}))?)
}

/// Serves both connections until an instant.
async fn rest(seats: &mut [Seat; 2], until: Instant) -> anyhow::Result<()> {
    while Instant::now() < until {
        for seat in seats.iter_mut() {
            seat.rest(Duration::from_micros(500)).await?;
        }
    }
    Ok(())
}
