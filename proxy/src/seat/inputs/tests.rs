//! Chords in any order and by any of their keys, rates that leave people alone, and what is held.

use portcullis_policy::{PolicyFile, PolicySet, Situation, Subject};
use proptest::prelude::*;

use super::*;

const CTRL_L: u32 = 0xffe3;
const CTRL_R: u32 = 0xffe4;
const ALT_L: u32 = 0xffe9;
const ALT_R: u32 = 0xffea;
const SHIFT: u32 = 0xffe1;
const SUPER: u32 = 0xffeb;
const DELETE: u32 = 0xffff;
const BOUND: Rate = Rate::new(60, 120);

/// Inputs under these lines of a policy's `input`.
fn under(input: &str) -> Inputs {
    let mut inputs = Inputs::default();
    inputs.follow(&rules(input), BOUND);
    inputs
}

fn rules(input: &str) -> InputRules {
    let text = format!("policy: p\napplies: {{}}\ninput: {{{input}}}\n");
    let set = PolicySet::parse(&[PolicyFile { name: "p.yaml".into(), text }]).unwrap();
    let subject = Subject { name: "alice".into(), groups: Vec::new(), issuer: "local".into() };
    set.obligations(&Situation::new(&subject, "desk")).input
}

fn key(keysym: u32) -> Key {
    Key { down: true, keysym, scancode: None }
}

/// Whether the last of these presses is stopped, in this order, by viewer 1.
fn stops(inputs: &mut Inputs, keysyms: &[u32]) -> bool {
    let now = Instant::now();
    let last = keysyms.iter().map(|keysym| inputs.press(1, key(*keysym), false, now).wait.is_none()).last();
    inputs.let_go(1);
    last.unwrap()
}

#[test]
fn a_blocked_chord_is_stopped_in_whatever_order() {
    let mut inputs = under("blocked_chords: [Ctrl+Alt+Delete, Super+l, F12, Ctrl+Shift+i]");
    for (keysyms, stopped) in [
        (&[CTRL_L, ALT_L, DELETE][..], true),
        (&[ALT_R, CTRL_R, DELETE], true),
        (&[ALT_L, CTRL_R, 0xff9f], true),
        // Its last key is a modifier.
        (&[DELETE, CTRL_L, ALT_L], true),
        (&[CTRL_L, DELETE, ALT_L], true),
        // More is held than the chord says.
        (&[SHIFT, CTRL_L, ALT_L, DELETE], true),
        (&[SUPER, 0x6c], true),
        (&[SUPER, 0x4c], true),
        (&[SUPER, 0x0100_006c], true),
        (&[0xffc9], true),
        (&[SHIFT, 0xffc9], true),
        (&[CTRL_L, SHIFT, 0x69], true),
        (&[CTRL_L, SHIFT, 0x49], true),
        // No chord, or not all of one.
        (&[CTRL_L, DELETE], false),
        (&[ALT_L, DELETE], false),
        (&[DELETE], false),
        (&[CTRL_L, 0x6c], false),
        (&[CTRL_L, 0x69], false),
        (&[DELETE, CTRL_L, SHIFT], false),
        (&[0x6c, SHIFT], false),
    ] {
        assert_eq!(stops(&mut inputs, keysyms), stopped, "{keysyms:x?}");
    }
}

#[test]
fn a_modifier_that_was_let_go_holds_nothing() {
    let mut inputs = under("blocked_chords: [Ctrl+Alt+Delete]");
    let now = Instant::now();
    for keysym in [CTRL_L, ALT_L] {
        inputs.press(1, key(keysym), false, now);
    }
    inputs.release(1, &Key { down: false, ..key(ALT_L) });
    assert!(inputs.press(1, key(DELETE), false, now).wait.is_some());
}

#[test]
fn what_was_refused_is_let_go_of_in_vain() {
    let mut inputs = under("blocked_chords: [F12]");
    let (now, up) = (Instant::now(), |keysym| Key { down: false, ..key(keysym) });
    inputs.press(1, key(0xffc9), false, now);
    inputs.press(1, key(0x61), false, now);
    assert_eq!(inputs.release(2, &up(0x61)), LetGo::Stray, "of another viewer");
    assert_eq!(inputs.release(1, &up(0xffc9)), LetGo::Refused);
    assert_eq!(inputs.release(1, &up(0xffc9)), LetGo::Stray);
    assert_eq!(inputs.release(1, &up(0x61)), LetGo::Held);
    // Refused, repeated by the keyboard, and let through once the rule has gone: it is down.
    inputs.press(1, key(0xffc9), false, now);
    inputs.follow(&InputRules::default(), BOUND);
    inputs.press(1, key(0xffc9), false, now);
    assert_eq!(inputs.release(1, &up(0xffc9)), LetGo::Held);
}

#[test]
fn two_viewers_that_strike_a_chord_together_strike_it() {
    let mut inputs = under("blocked_chords: [Ctrl+Alt+Delete]");
    let now = Instant::now();
    inputs.press(1, key(CTRL_L), false, now);
    inputs.press(2, key(ALT_R), false, now);
    let ruling = inputs.press(3, key(DELETE), false, now);
    let remark = ruling.remark.unwrap();
    assert_eq!((ruling.wait, remark.kind, remark.value.as_str()), (None, Kind::Chord, "Ctrl+Alt+Delete"));
    assert_eq!(remark.rule.to_string(), "p.yaml:3 input.blocked_chords");
    assert_eq!(inputs.let_go(2), [Key { down: false, ..key(ALT_R) }]);
    assert!(inputs.press(3, key(DELETE), false, now).wait.is_some(), "viewer 2 has gone");
}

#[test]
fn scan_codes_are_keys_where_the_desktop_hears_them() {
    let mut inputs = under("blocked_chords: [Ctrl+Alt+Delete]");
    let now = Instant::now();
    let code = |scancode| Key { down: true, keysym: 0x61, scancode: Some(scancode) };
    for scancode in [0x9d, 0x38] {
        assert!(inputs.press(1, code(scancode), true, now).wait.is_some());
    }
    assert!(inputs.press(1, code(0xd3), true, now).wait.is_none());
}

/// How many of so many presses a second pass within the time, each let go at once.
fn passed(inputs: &mut Inputs, per_second: u64, seconds: u64) -> u64 {
    let start = Instant::now();
    let pressed = |n: u64| {
        let key = key(0x61 + u32::try_from(n % 26).unwrap());
        let ruling = inputs.press(1, key, false, start + Duration::from_micros(n * 1_000_000 / per_second));
        inputs.release(1, &key);
        u64::from(ruling.wait.is_some())
    };
    (0..per_second * seconds).map(pressed).sum()
}

#[test]
fn fast_typists_pass_whole_and_five_hundred_a_second_do_not() {
    for (rate, per_second) in [("40/s", 12), ("40/s", 25), ("20/s", 12), ("12/s", 12), ("2400/min", 12)] {
        let all = per_second * 60;
        assert_eq!(passed(&mut under(&format!("keys: {rate}")), per_second, 60), all, "{rate}, {per_second} a second");
    }
    // A second's worth at once, a moment's wait, and then the rate.
    let passed = passed(&mut under("keys: 40/s"), 500, 10);
    assert!((430..=470).contains(&passed), "{passed} of 5,000");
}

#[test]
fn what_comes_too_fast_waits_a_moment_and_is_then_refused_with_its_rule() {
    let mut inputs = under("keys: 40/s");
    let start = Instant::now();
    let mut press = |n: u32, now| {
        let key = key(0x61 + n % 26);
        let ruling = inputs.press(1, key, false, now);
        inputs.release(1, &key);
        ruling
    };
    let rulings: Vec<_> = (0..100).map(|n| press(n, start)).collect();
    assert!(rulings[..40].iter().all(|ruling| ruling.wait == Some(Duration::ZERO)));
    let waits: Duration = rulings.iter().filter_map(|ruling| ruling.wait).sum();
    assert!(waits > Duration::ZERO && waits <= Duration::from_millis(300), "{waits:?}");
    let refused = rulings.last().unwrap().remark.as_ref().unwrap();
    assert_eq!((refused.kind, refused.rule.to_string().as_str()), (Kind::Keys, "p.yaml:3 input.keys"));
    assert_eq!(press(0, start + Duration::from_secs(5)).wait, Some(Duration::ZERO), "after a rest");
}

#[test]
fn no_rate_of_policy_is_above_the_gates_own() {
    let passed = passed(&mut under("keys: 1000/s"), 500, 10);
    assert!(passed <= 60 * 10 + 120 + 10, "{passed}");
}

#[test]
fn a_rule_that_stays_keeps_what_it_counted() {
    let mut inputs = under("keys: 1/min");
    let now = Instant::now();
    assert!((0..40).any(|_| inputs.press(1, key(0x61), false, now).wait.is_none()));
    inputs.follow(&rules("keys: 1/min, pointer: 10/s"), BOUND);
    assert!(inputs.press(1, key(0x61), false, now).wait.is_none());
    inputs.follow(&rules("pointer: 10/s"), BOUND);
    assert!(inputs.press(1, key(0x61), false, now).wait.is_some());
}

#[test]
fn typed_paste_is_told_of_or_stopped() {
    let programmed = |inputs: &mut Inputs| {
        let start = Instant::now();
        let press = |n: u32| {
            let key = key(0x61 + n % 26);
            let ruling = inputs.press(1, key, false, start + Duration::from_millis(u64::from(n) * 20));
            inputs.release(1, &key);
            (ruling.wait.is_some(), ruling.remark.map(|remark| remark.kind))
        };
        (0..200).map(press).last().unwrap()
    };
    assert_eq!(programmed(&mut under("typed_paste: allow")), (true, None));
    assert_eq!(programmed(&mut under("typed_paste: alert")), (true, Some(Kind::TypedPaste)));
    assert_eq!(programmed(&mut under("typed_paste: stop")), (false, Some(Kind::TypedPaste)));
    assert_eq!(programmed(&mut Inputs::default()), (true, None));
}

#[test]
fn what_a_keyboard_repeats_by_itself_is_not_fresh() {
    let mut inputs = Inputs::default();
    let now = Instant::now();
    assert!(inputs.press(1, key(0x61), false, now).fresh);
    assert!(!inputs.press(1, key(0x61), false, now).fresh);
    assert!(inputs.press(2, key(0x61), false, now).fresh, "another keyboard");
}

proptest! {
    /// What is held stays bounded, and whoever leaves takes all of its own and nothing else.
    #[test]
    fn what_is_held_is_bounded(presses in prop::collection::vec((1_u32..4, 0_u32..200), 0..400)) {
        let mut inputs = Inputs::default();
        for (viewer, keysym) in &presses {
            inputs.press(*viewer, key(*keysym), false, Instant::now());
        }
        prop_assert!(inputs.held.len() <= MOST_HELD);
        let others = inputs.held.iter().filter(|(viewer, _)| *viewer != 1).count();
        prop_assert!(inputs.let_go(1).iter().all(|key| !key.down));
        prop_assert_eq!(inputs.held.len(), others);
    }

    /// No second of any run holds more presses than a second's worth beyond the burst.
    #[test]
    fn a_rate_holds_in_every_second(gaps in prop::collection::vec(0_u64..60, 1..400)) {
        let mut inputs = under("keys: 30/s");
        let (start, mut at, mut passed) = (Instant::now(), 0, Vec::new());
        for (n, gap) in gaps.iter().enumerate() {
            at += gap;
            let key = key(0x61 + u32::try_from(n % 26).unwrap());
            if let Some(wait) = inputs.press(1, key, false, start + Duration::from_millis(at)).wait {
                passed.push(Duration::from_millis(at) + wait);
            }
            inputs.release(1, &key);
        }
        for from in &passed {
            let within = passed.iter().filter(|at| *at >= from && **at < *from + Duration::from_secs(1)).count();
            prop_assert!(within <= 61, "{within} in a second");
        }
    }
}
