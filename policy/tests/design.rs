//! The language in full: one policy with every part, and everything that it comes to.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

use portcullis_policy::{
    ActionKind, Clicks, Egress, Extent, Field, KeyLog, Layout, Lock, MaskedRecord, Mode, Obligations, Part, PolicyFile,
    PolicySet, Situation, Span, Subject, TypedPaste, read_instant,
};

const CONTRACTORS: &str = r##"policy: contractors
applies:
  groups: [contractors]
  desktops: [browser, dev-*]
  networks: [10.0.0.0/8]
  hours: Mon-Fri 08:00-19:00 Europe/Berlin
allow:
  control: {}                       # keyboard and mouse
  paste:    {max_bytes: 4 KiB, per_minute: 10}
  upload:   {max_bytes: 10 MiB, types: [application/pdf, image/*], scan: clamav}
deny:
  - {actions: [paste, copy, upload, download], containing: [payment-card, private-key, 'regex:(?i)project aurora']}
session:   {longest: 8h, idle: 15m, reconnect: 5m, concurrent: 2}
screen:    {max_fps: 30, max_size: 1920x1080, watermark: "{subject} {time}", mask: [{x: 0, y: 0, width: 400, height: 40}]}
recording: {mode: strict, keys: none, keep: 400d, lock: compliance}
desktop:   {egress: deny}
"##;

const EVERYBODY: &str = r##"policy: everybody
applies: {}
session: {longest: 10h, warning: 5m, viewers: 3}
input:
  keys: 40/s
  pointer: 125/s
  typed_paste: alert
  blocked_chords: [Ctrl+Alt+Delete, Super+l]
screen:
  max_size: 2560x1000
  watermark: {text: "{issuer} {{x}} {session} {desktop} {date}", layout: bottom-right, angle: 0, opacity: 10%, size: 16, colour: '#ff0000', zone: Europe/Berlin}
  mask:
    - {x: 75%, width: 25%, height: 48, clicks: allow, recorded: clear}
    - {x: 0, y: 0, width: 400, height: 40}
  visible: {x: 10, y: 5%}
recording: {mode: best_effort, keys: counts, keep: 30d, lock: governance}
desktop: {egress: proxy}
"##;

fn set(texts: &[(&str, &str)]) -> PolicySet {
    let file = |(name, text): &(&str, &str)| PolicyFile { name: (*name).into(), text: (*text).into() };
    PolicySet::draft(&texts.iter().map(file).collect::<Vec<_>>()).unwrap().set
}

fn carla() -> Subject {
    Subject { name: "carla".into(), groups: vec!["contractors".into()], issuer: "https://id.example".into() }
}

fn at_work(subject: &Subject) -> Situation<'_> {
    Situation::new(subject, "dev-7")
        .at(read_instant("2026-03-02 09:00 Europe/Berlin").unwrap())
        .from([10, 1, 2, 3].into())
}

fn listed(owed: &Obligations) -> Vec<String> {
    owed.listed()
        .iter()
        .map(|owed| format!("{}: {} ({}:{})", owed.key, owed.value, owed.rule.file, owed.rule.line))
        .collect()
}

#[test]
fn one_policy_is_read_in_full() {
    let carla = carla();
    let set = set(&[("contractors.yaml", CONTRACTORS)]);
    assert_eq!(
        listed(&set.obligations(&at_work(&carla))),
        [
            "session.longest: 8h (contractors.yaml:13)",
            "session.idle: 15m (contractors.yaml:13)",
            "session.reconnect: 5m (contractors.yaml:13)",
            "session.concurrent: 2 (contractors.yaml:13)",
            "screen.max_fps: 30 (contractors.yaml:14)",
            "screen.max_size: 1920x1080 (contractors.yaml:14)",
            "screen.watermark: \"{subject} {time}\" tiled, 30°, 20%, 24 px, #808080, UTC (contractors.yaml:14)",
            "screen.mask: 400x40 at 0,0, clicks deny, recorded masked (contractors.yaml:14)",
            "recording.mode: strict (contractors.yaml:15)",
            "recording.keys: none (contractors.yaml:15)",
            "recording.keep: 400d (contractors.yaml:15)",
            "recording.lock: compliance (contractors.yaml:15)",
            "desktop.egress: deny (contractors.yaml:16)",
        ]
    );
    let limits = set.limits(&at_work(&carla), ActionKind::Upload);
    let shown: Vec<_> = limits.listed().iter().map(|limit| format!("{}: {}", limit.key, limit.value)).collect();
    assert_eq!(shown, ["max_bytes: 10 MiB", "types: [application/pdf, image/*]", "scan: clamav"]);
    let limits = set.limits(&at_work(&carla), ActionKind::Paste);
    assert_eq!(limits.per_minute.map(|limit| limit.value), Some(10));
}

#[test]
fn several_policies_add_up_to_the_strictest_of_each() {
    let carla = carla();
    let owed = set(&[("contractors.yaml", CONTRACTORS), ("everybody.yaml", EVERYBODY)]).obligations(&at_work(&carla));
    assert_eq!(
        listed(&owed),
        [
            "session.longest: 8h (contractors.yaml:13)",
            "session.idle: 15m (contractors.yaml:13)",
            "session.reconnect: 5m (contractors.yaml:13)",
            "session.warning: 5m (everybody.yaml:3)",
            "session.concurrent: 2 (contractors.yaml:13)",
            "session.viewers: 3 (everybody.yaml:3)",
            "input.keys: 40/s (everybody.yaml:5)",
            "input.pointer: 125/s (everybody.yaml:6)",
            "input.typed_paste: alert (everybody.yaml:7)",
            "input.blocked_chords: Ctrl+Alt+Delete (everybody.yaml:8)",
            "input.blocked_chords: Super+l (everybody.yaml:8)",
            "screen.max_fps: 30 (contractors.yaml:14)",
            "screen.max_size: 1920x1000 (contractors.yaml:14)",
            "screen.max_size: 1920x1000 (everybody.yaml:10)",
            "screen.watermark: \"{subject} {time}\" tiled, 30°, 20%, 24 px, #808080, UTC (contractors.yaml:14)",
            "screen.watermark: \"{issuer} {{x}} {session} {desktop} {date}\" bottom-right, 0°, 10%, 16 px, #ff0000, Europe/Berlin (everybody.yaml:11)",
            "screen.mask: 400x40 at 0,0, clicks deny, recorded masked (contractors.yaml:14)",
            "screen.mask: 25%x48 at 75%,0, clicks allow, recorded clear (everybody.yaml:13)",
            "screen.visible: 100%x100% at 10,5% (everybody.yaml:15)",
            "recording.mode: strict (contractors.yaml:15)",
            "recording.keys: counts (everybody.yaml:16)",
            "recording.keep: 400d (contractors.yaml:15)",
            "recording.lock: compliance (contractors.yaml:15)",
            "desktop.egress: deny (contractors.yaml:16)",
        ]
    );
    // Enforcement reads values, not texts.
    assert_eq!((owed.mode(), owed.key_log()), (Mode::Strict, KeyLog::Counts));
    assert_eq!(owed.session.longest.unwrap().value, Span::seconds(8 * 3600));
    assert_eq!(owed.input.keys.unwrap().value.count(), 40);
    assert_eq!(owed.input.typed_paste.unwrap().value, TypedPaste::Alert);
    assert!(owed.input.blocked_chords[0].value.ctrl() && owed.input.blocked_chords[0].value.keysym() == 0xffff);
    assert_eq!((owed.screen.max_width.unwrap().value, owed.screen.max_height.unwrap().value), (1920, 1000));
    let mark = &owed.screen.watermarks[1].value;
    assert_eq!((mark.layout, mark.opacity, mark.colour.0), (Layout::BottomRight, 10, [255, 0, 0]));
    assert_eq!(mark.text[..2], [Part::Field(Field::Issuer), Part::Text(" {x} ".into())]);
    let mask = owed.screen.masks[1].value;
    assert_eq!((mask.clicks, mask.recorded, mask.region.x), (Clicks::Allow, MaskedRecord::Clear, Extent::Percent(75)));
    assert_eq!(owed.recording.lock.unwrap().value, Lock::Compliance);
    assert_eq!(owed.desktop.egress.unwrap().value, Egress::Deny);
}

#[test]
fn what_no_policy_asks_is_not_owed() {
    let carla = carla();
    let owed =
        set(&[("contractors.yaml", CONTRACTORS)]).obligations(&Situation { desktop: "office", ..at_work(&carla) });
    assert_eq!(owed.listed().len(), 2, "{:?}", listed(&owed));
    assert!(owed.listed().iter().all(|owed| owed.rule.is_default()));
    assert_eq!((owed.mode(), owed.key_log()), (Mode::Strict, KeyLog::Counts));
}
