//! `cargo bench -p portcullis-rfb --bench hostile`: what a peer that attacks costs. Time must be linear in the bytes it sends, whatever they
//! are and however they are cut; memory must stay within [`Limits::desktop_bytes`] or [`Limits::viewer_bytes`].
#![allow(missing_docs, clippy::expect_used, clippy::as_conversions, reason = "a bench")]

mod attacks;

use std::sync::LazyLock;
use std::time::Instant;

use attacks::{Attack, NOISE, all};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// What one attack of one size cost.
struct Cost {
    bytes: usize,
    seconds: f64,
    /// Bytes of memory at the most, beyond what there was before the connection.
    memory: usize,
}

fn cost(attack: &Attack, scale: usize) -> Cost {
    let script = (attack.script)(scale);
    let bytes = script.iter().map(Vec::len).sum();
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let started = Instant::now();
    (attack.play)(&script, attack.piece);
    let seconds = started.elapsed().as_secs_f64();
    Cost { bytes, seconds, memory: ALLOCATED.peak_usage().saturating_sub(before) }
}

fn main() {
    println!("| attack | bytes | ns a byte | 4x the bytes: ns a byte | ratio | memory KB | bound KB |");
    println!("|---|---|---|---|---|---|---|");
    // It belongs to the session, and is there before any viewer is.
    LazyLock::force(&NOISE);
    let mut within = true;
    for attack in all() {
        // The best of three: what is measured is the algorithm, on a machine that has other things to do.
        let best = |scale| {
            let costs = (0..3).map(|_| cost(&attack, scale));
            costs.min_by(|a, b| a.seconds.total_cmp(&b.seconds)).expect("three runs")
        };
        let (small, large) = (best(1), best(4));
        let rate = |cost: &Cost| cost.seconds * 1e9 / cost.bytes as f64;
        println!(
            "| {} | {} | {:.2} | {:.2} | {:.2} | {} | {} |",
            attack.name,
            small.bytes,
            rate(&small),
            rate(&large),
            rate(&large) / rate(&small),
            large.memory.max(small.memory) / 1000,
            attack.bound / 1000,
        );
        within &= u64::try_from(large.memory).unwrap_or(u64::MAX) <= attack.bound;
    }
    assert!(within, "an attack took more memory than its bound");
}
