//! People in all the ways that they and their networks type, who are never taken for programs; and programs, which are.

use super::*;

/// A generator of its own, so that a run that failed can be had again (xorshift, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, most: u64) -> u64 {
        (self.unit() * most as f64) as u64
    }

    /// By Box and Muller.
    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    fn log_normal(&mut self, median_ms: f64, deviation: f64) -> f64 {
        median_ms * (deviation * self.normal()).exp()
    }

    /// A letter as often as English has it, roughly: doubled ones too.
    fn letter(&mut self) -> u32 {
        const TEXT: &[u8] = b"etaoinshrdlu etaoin etaoinshrdlucmfwypvbgk etaonshri eatn ";
        u32::from(TEXT[self.below(TEXT.len() as u64) as usize])
    }
}

/// Presses with their milliseconds from the start.
type Presses = Vec<(f64, u32)>;

/// How many of the presses were taken for a program's.
fn caught(presses: &Presses) -> usize {
    let (mut typing, start) = (Typing::default(), Instant::now());
    let at = |ms: f64| start + Duration::from_secs_f64(ms / 1000.0);
    presses.iter().filter(|(ms, key)| typing.pressed(*key, at(*ms))).count()
}

/// Somebody writes: log-normal gaps, a pause between words now and then, rolled keys that come nearly together.
fn person(dice: &mut Dice, median_ms: f64, deviation: f64, presses: usize) -> Presses {
    let mut ms = 0.0;
    (0..presses)
        .map(|_| {
            ms += match dice.below(100) {
                0..3 => dice.log_normal(700.0, 0.5),
                3..15 => dice.log_normal(median_ms / 4.0, 0.4),
                _ => dice.log_normal(median_ms, deviation),
            };
            (ms, dice.letter())
        })
        .collect()
}

/// The network holds everything back for up to so long, now and then, and then brings it at once.
fn held_back(dice: &mut Dice, mut presses: Presses, longest_ms: f64) -> Presses {
    let mut open = 0.0_f64;
    for (ms, _) in &mut presses {
        if *ms > open && dice.below(40) == 0 {
            open = *ms + dice.unit() * longest_ms;
        }
        *ms = ms.max(open) + dice.unit() * 4.0;
        open = open.max(*ms);
    }
    presses
}

/// A clock of so many milliseconds: what a network that sends in beats does to gaps.
fn in_beats(mut presses: Presses, beat_ms: f64) -> Presses {
    presses.iter_mut().for_each(|(ms, _)| *ms = (*ms / beat_ms).ceil() * beat_ms);
    presses
}

#[test]
fn people_are_never_taken_for_programs() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..6 {
        // From one that looks for each key to 220 words a minute, evenly and not.
        for (median, deviation) in [(600.0, 0.5), (200.0, 0.45), (110.0, 0.35), (85.0, 0.3), (60.0, 0.4)] {
            let presses = person(&mut dice, median, deviation, 3000);
            assert_eq!(caught(&presses), 0, "round {round}, {median} ms");
            assert_eq!(
                caught(&held_back(&mut dice, presses.clone(), 2000.0)),
                0,
                "round {round}, {median} ms, held back"
            );
            for beat in [10.0, 16.7, 50.0] {
                assert_eq!(caught(&in_beats(presses.clone(), beat)), 0, "round {round}, {median} ms, beats of {beat}");
            }
        }
    }
}

#[test]
fn a_hundred_and_twenty_words_a_minute_are_never_a_program() {
    // Ten characters a second, and twelve.
    let mut dice = Dice(7);
    for median in [95.0, 80.0] {
        let presses = person(&mut dice, median, 0.3, 20_000);
        assert_eq!(caught(&presses), 0);
        assert_eq!(caught(&held_back(&mut dice, presses, 2500.0)), 0);
    }
}

#[test]
fn a_held_key_and_fingers_that_drum_are_no_programs() {
    // Autorepeat of viewers that let go of a key between two repeats: 33 a second, as evenly as it gets.
    let repeat: Presses = (0..2000).map(|n| (f64::from(n) * 30.0, 0xff51)).collect();
    assert_eq!(caught(&repeat), 0);
    // Two keys in turn, and the four arrows, in time.
    let drum: Presses = (0..2000_u32).map(|n| (f64::from(n) * 120.0, 0x61 + n % 2)).collect();
    assert_eq!(caught(&drum), 0);
    let walk: Presses = (0..2000_u32).map(|n| (f64::from(n) * 100.0, 0xff51 + n % 4)).collect();
    assert_eq!(caught(&walk), 0);
}

#[test]
fn a_word_that_comes_at_once_is_no_program() {
    // What keyboards of telephones put in for a person: a word of 12 letters, every 800 ms.
    let mut dice = Dice(11);
    let words: Presses = (0..200)
        .flat_map(|word| (0..12).map(move |letter| f64::from(word * 800 + letter)))
        .map(|ms| (ms, dice.letter()))
        .collect();
    assert_eq!(caught(&words), 0);
}

/// A program: a gap, give or take so much of it, evenly spread.
fn program(dice: &mut Dice, gap_ms: f64, jitter: f64, presses: usize) -> Presses {
    let mut ms = 0.0;
    (0..presses)
        .map(|_| {
            ms += gap_ms * (1.0 + jitter * (2.0 * dice.unit() - 1.0));
            (ms, dice.letter())
        })
        .collect()
}

#[test]
fn programs_are_caught() {
    let mut dice = Dice(3);
    for _ in 0..20 {
        for (what, gap, jitter, most) in [
            ("500 a second", 2.0, 0.0, 75),
            ("500 a second, jittered", 2.0, 0.9, 80),
            ("xdotool's 12 ms", 12.0, 0.05, 90),
            ("20 ms", 20.0, 0.0, 70),
            ("20 ms, jittered", 20.0, 0.1, 120),
            ("30 ms, jittered", 30.0, 0.5, 400),
            ("50 ms, 20 a second", 50.0, 0.0, 70),
            ("50 ms, jittered", 50.0, 0.1, 70),
            ("150 ms, as people are fast", 150.0, 0.05, 70),
            ("half a second", 500.0, 0.02, 70),
        ] {
            let presses = program(&mut dice, gap, jitter, 600);
            let first = 600 - caught(&presses);
            assert!(first <= most, "{what}: {first} came through");
        }
    }
}

#[test]
fn a_program_through_a_network_is_caught() {
    let mut dice = Dice(5);
    for (gap, hold) in [(2.0, 500.0), (20.0, 200.0), (100.0, 20.0)] {
        let presses = program(&mut dice, gap, 0.02, 1000);
        let presses = held_back(&mut dice, presses, hold);
        assert!(caught(&presses) > 800, "{gap} ms: {} caught", caught(&presses));
    }
}

#[test]
fn who_types_after_a_program_is_let_through_again() {
    let (mut typing, start) = (Typing::default(), Instant::now());
    let mut dice = Dice(1);
    for (ms, key) in program(&mut dice, 2.0, 0.0, 500) {
        typing.pressed(key, start + Duration::from_secs_f64(ms / 1000.0));
    }
    let rested = start + Duration::from_secs(4);
    for (ms, key) in person(&mut dice, 110.0, 0.4, 500) {
        assert!(!typing.pressed(key, rested + Duration::from_secs_f64(ms / 1000.0)));
    }
}
