//! What is hidden stays hidden and what is marked stays marked, whatever desktop and viewer do; the record has what policy says it has.

use std::time::{Duration, Instant};

use portcullis_proxy::Outcome;
use portcullis_rfb::{Rect, Size};
use portcullis_tests::puppet::{filled, of_kind, rectangle, update};
use portcullis_tests::stage::{Act, Record};
use portcullis_tests::{Stage, Viewer, until, video};

const SIZE: Size = Size::new(320, 240);
/// Blue, green, red of what is under a mask.
const SECRET: [u8; 3] = [0xc9, 0x35, 0xe7];
const HIDDEN: Rect = Rect::new(80, 60, 160, 120);
const MASK: &str = "screen: {mask: [{x: 25%, y: 25%, width: 50%, height: 50%}]}";
/// A message that orders all that can carry pixels beside Raw: CopyRect, both cursors, sizes.
const EVERYTHING: [i32; 6] = [0, 1, -239, -223, -308, 0x574d_5664];

fn secret(rect: Rect) -> Vec<u8> {
    let [blue, green, red] = SECRET;
    rectangle(rect, 0, &[blue, green, red, 0].repeat(rect.area() as usize))
}

fn copied(to: Rect, x: u16, y: u16) -> Vec<u8> {
    rectangle(to, 1, &[x.to_be_bytes(), y.to_be_bytes()].concat())
}

/// ExtendedDesktopSize with one screen: the desktop's own doing.
fn sized(size: Size) -> Vec<u8> {
    let [width, height] = [size.width, size.height].map(u16::to_be_bytes);
    let layout = [&[1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], &width[..], &height, &[0; 4]].concat();
    rectangle(size.bounds(), -308, &layout)
}

async fn opened(stage: &mut Stage) -> (Act, Viewer) {
    let act = stage.open().await.unwrap();
    let viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    (act, viewer)
}

fn rules(record: &Record) -> Vec<String> {
    let said = |event: &&serde_json::Value| {
        let text = |member: &str| event[member].as_str().unwrap().to_owned();
        format!("{} {}: {} ({})", event["holds"], text("key"), text("value"), text("rule"))
    };
    record.of_type("screen_rule").iter().map(said).collect()
}

/// The colour of a frame of the recording at a place, from the last frame on backwards.
fn recorded(record: &Record, x: usize, y: usize) -> [u8; 3] {
    let frames = video::decode(&record.bundle, 1).unwrap();
    let at = (y * frames.width + x) * 4;
    frames.frames.last().unwrap()[at..at + 3].try_into().unwrap()
}

fn near(one: [u8; 3], other: [u8; 3]) -> bool {
    one.iter().zip(other).all(|(one, other)| one.abs_diff(other) < 24)
}

/// X7: pixels, copies out of and into a mask, cursors, sizes that come and go, a viewer that joins later: none carries a hidden pixel.
#[tokio::test(flavor = "multi_thread")]
async fn no_hidden_pixel_reaches_a_viewer_or_the_record_by_any_message() {
    let mut stage = Stage::under(SIZE, MASK).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect_with(&stage.url, &act.opened, &EVERYTHING).await.unwrap();
    viewer.request(false).await.unwrap();
    let cursor = [SECRET.iter().copied().chain([0]).collect::<Vec<_>>().repeat(64), vec![0xff; 8]].concat();
    let (inner, large) = (Rect::new(100, 100, 40, 30), Rect::new(0, 0, 400, 300));
    for step in [
        vec![secret(HIDDEN)],
        vec![copied(Rect::new(90, 70, 100, 100), 120, 80)],
        vec![rectangle(Rect::new(0, 0, 8, 8), -239, &cursor)],
        vec![copied(Rect::new(0, 190, 20, 20), 0, 0), secret(inner)],
        vec![
            rectangle(large, -223, &[]),
            rectangle(large, 0, &[7; 400 * 300 * 4]),
            secret(Rect::new(100, 75, 200, 150)),
        ],
        vec![rectangle(SIZE.bounds(), -223, &[]), rectangle(SIZE.bounds(), 0, &[7; 320 * 240 * 4]), secret(HIDDEN)],
    ] {
        act.desktop.show(&update(&step)).await.unwrap();
        viewer.request(true).await.unwrap();
    }
    let mut late = Viewer::connect_with(&stage.url, &stage.ticket(&act.session).unwrap(), &EVERYTHING).await.unwrap();
    late.request(false).await.unwrap();
    for viewer in [&mut viewer, &mut late] {
        let mut bytes = Vec::new();
        until("a whole picture", async || {
            // The first answer may be a size, which goes alone.
            viewer.request(false).await?;
            bytes.extend(viewer.overhear(Duration::from_millis(300)).await);
            Ok((bytes.len() > SIZE.area() as usize * 4).then_some(()))
        })
        .await
        .unwrap();
        assert!(!bytes.windows(3).any(|found| found == SECRET), "a hidden pixel");
    }
    let record = stage.end(&act.session).await.unwrap();
    let frames = video::decode(&record.bundle, 1).unwrap();
    assert!(frames.showing(SECRET, 60, 0.001).is_empty(), "nor is it on the record");
    assert_eq!(
        rules(&record),
        ["true screen.mask: 50%x50% at 25%,25%, clicks deny, recorded masked (all.yaml:8 screen.mask[0])"]
    );
}

/// X7: the wire holds what is not hidden, so that the test above can fail; and a copy out of a mask is what lies there for viewers.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_copied_out_of_a_mask_is_the_clear_pixel_where_it_may_be_seen() {
    let mut stage = Stage::under(SIZE, MASK).await.unwrap();
    let (mut act, mut viewer) = opened(&mut stage).await;
    act.desktop.show(&update(&[secret(HIDDEN)])).await.unwrap();
    act.desktop.show(&update(&[copied(Rect::new(0, 0, 20, 20), 100, 100)])).await.unwrap();
    viewer.watch("what was moved out", |viewer| viewer.count(SECRET) == 400).await.unwrap();
    assert_eq!((viewer.pixel(80, 60), viewer.pixel(239, 179)), ([0; 3], [0; 3]));
    stage.end(&act.session).await.unwrap();
}

/// X7: policies that come and go while nothing happens on the desktop are drawn within a second, from the clear picture; each is an event.
#[tokio::test(flavor = "multi_thread")]
async fn rules_that_change_are_drawn_at_once_though_the_desktop_rests() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let (mut act, mut viewer) = opened(&mut stage).await;
    act.desktop.show(&update(&[secret(SIZE.bounds())])).await.unwrap();
    let all = SIZE.area() as usize;
    viewer.watch("all of it", |viewer| viewer.count(SECRET) == all).await.unwrap();
    let hidden = HIDDEN.area() as usize;
    for (lines, what, seen) in [
        (MASK, "the mask", all - hidden),
        ("screen: {max_fps: 20}", "no mask", all),
        ("screen: {visible: {x: 25%, y: 25%, width: 50%, height: 50%}}", "a hole", hidden),
    ] {
        let changed = Instant::now();
        stage.rule(lines).unwrap();
        viewer.watch(what, |viewer| viewer.count(SECRET) == seen).await.unwrap();
        assert!(changed.elapsed() < Duration::from_secs(1), "{what} after {:?}", changed.elapsed());
    }
    stage.rule("screen: {watermark: {text: '{subject}', opacity: 100%, colour: '#00ff00'}}").unwrap();
    viewer
        .watch("a watermark", |viewer| viewer.count([0, 255, 0]) > 50 && viewer.count(SECRET) > all / 2)
        .await
        .unwrap();
    let record = stage.end(&act.session).await.unwrap();
    assert_eq!(
        rules(&record),
        [
            "true screen.mask: 50%x50% at 25%,25%, clicks deny, recorded masked (all.yaml:8 screen.mask[0])",
            "false screen.mask: 50%x50% at 25%,25%, clicks deny, recorded masked (all.yaml:8 screen.mask[0])",
            "true screen.max_fps: 20 (all.yaml:8 screen.max_fps)",
            "false screen.max_fps: 20 (all.yaml:8 screen.max_fps)",
            "true screen.visible: 50%x50% at 25%,25% (all.yaml:8 screen.visible)",
            "false screen.visible: 50%x50% at 25%,25% (all.yaml:8 screen.visible)",
            "true screen.watermark: \"{subject}\" tiled, 30°, 100%, 24 px, #00ff00, UTC (all.yaml:8 screen.watermark)",
        ]
    );
}

/// A mask that is recorded clear is black for viewers and clear on the record; where another one is recorded masked, that counts.
#[tokio::test(flavor = "multi_thread")]
async fn the_record_has_what_policy_says_of_a_mask() {
    let masks = "screen: {mask: [{width: 50%, recorded: clear}, {y: 50%, height: 50%}]}";
    let mut stage = Stage::under(SIZE, masks).await.unwrap();
    let (mut act, mut viewer) = opened(&mut stage).await;
    act.desktop.show(&update(&[secret(SIZE.bounds())])).await.unwrap();
    viewer.watch("what is not hidden", |viewer| viewer.count(SECRET) == 160 * 120).await.unwrap();
    assert_eq!((viewer.pixel(40, 40), viewer.pixel(200, 200)), ([0; 3], [0; 3]));
    let record = stage.end(&act.session).await.unwrap();
    assert!(near(recorded(&record, 40, 40), SECRET), "recorded clear: {:?}", recorded(&record, 40, 40));
    assert!(near(recorded(&record, 240, 40), SECRET));
    assert!(near(recorded(&record, 40, 200), [0; 3]) && near(recorded(&record, 240, 200), [0; 3]));
}

/// A button that is pressed in a mask does not reach the desktop, by the rule; one that is down is let go, at the last place outside.
#[tokio::test(flavor = "multi_thread")]
async fn clicks_into_a_mask_do_not_arrive() {
    let mut stage = Stage::under(SIZE, MASK).await.unwrap();
    let (mut act, mut viewer) = opened(&mut stage).await;
    act.desktop.show(&filled(SIZE.bounds(), [9; 4])).await.unwrap();
    for (buttons, x, y) in [(1, 100, 100), (0, 100, 100), (1, 10, 10), (1, 90, 90), (0, 90, 90), (0, 11, 11)] {
        viewer.pointer(buttons, x, y).await.unwrap();
    }
    act.desktop.hears("the last place", |messages| of_kind(messages, 5).any(|at| at[3] == 11)).await.unwrap();
    let heard: Vec<_> = of_kind(&act.desktop.messages().unwrap(), 5).map(|at| (at[1], at[3], at[5])).collect();
    assert!(heard.iter().all(|(buttons, x, _)| *buttons == 0 || *x == 10), "{heard:?}");
    let pressed = heard.iter().position(|at| *at == (1, 10, 10)).expect("the press outside arrives");
    assert!(heard[pressed..].contains(&(0, 10, 10)), "let go where it was: {heard:?}");
    let record = stage.end(&act.session).await.unwrap();
    let [refused] = record.of_type("refused")[..] else { panic!("{:?}", record.of_type("refused")) };
    assert_eq!(
        (&refused["what"], &refused["rule"]),
        (&"a click at 100,100".into(), &"all.yaml:8 screen.mask[0]".into())
    );
    assert_eq!(record.of_type("clicks").len(), 1);
}

/// X7: policy bounds pictures a second below the configuration, and is followed while the session lives.
#[tokio::test(flavor = "multi_thread")]
async fn pictures_come_at_the_rate_of_the_policy() {
    let mut stage = Stage::under(SIZE, "screen: {max_fps: 4}").await.unwrap();
    let mut act = stage.open().await.unwrap();
    let mut painted = async |time: Duration| {
        let (started, mut painted) = (Instant::now(), 0u32);
        while started.elapsed() < time {
            act.desktop.answer(&filled(Rect::new(0, 0, 1, 1), [painted as u8; 4])).await.unwrap();
            painted += 1;
        }
        (f64::from(painted), started.elapsed().as_secs_f64())
    };
    let (slow, seconds) = painted(Duration::from_secs(3)).await;
    assert!(slow <= 4.0 * seconds + 2.0 && slow > 2.0, "{slow} pictures in {seconds} s");
    stage.rule("screen: {max_fps: 240}").unwrap();
    let (fast, seconds) = painted(Duration::from_secs(3)).await;
    assert!(fast > slow && fast <= 30.0 * seconds + 6.0, "{fast} pictures in {seconds} s after {slow}");
}

/// X7: pictures that nobody asked for are waited for as if they had been.
#[tokio::test(flavor = "multi_thread")]
async fn pictures_that_nobody_asked_for_come_no_faster() {
    let mut stage = Stage::under(SIZE, "screen: {max_fps: 4}").await.unwrap();
    let mut act = stage.open().await.unwrap();
    let started = Instant::now();
    for number in 0..12u8 {
        // Each is more than what the gate reads at once, and than what waits between the two.
        act.desktop.say(&filled(SIZE.bounds(), [number; 4])).await.unwrap();
    }
    assert!(started.elapsed() > Duration::from_millis(1500), "12 pictures in {:?}", started.elapsed());
    stage.end(&act.session).await.unwrap();
}

/// A size beyond `max_size` is refused to a viewer by the rule; a desktop that takes it is hidden, asked to shrink, and goes on when it does.
#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_beyond_the_largest_size_is_hidden_until_it_shrinks() {
    let mut stage = Stage::under(SIZE, "screen: {max_size: 320x240}").await.unwrap();
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect_with(&stage.url, &act.opened, &[0, -223, -308]).await.unwrap();
    act.desktop.show(&update(&[sized(SIZE), secret(SIZE.bounds())])).await.unwrap();
    viewer.watch("all of it", |viewer| viewer.count(SECRET) == SIZE.area() as usize).await.unwrap();
    let wished: Vec<u8> =
        [&[251, 0, 1, 144, 0, 240, 1, 0], &[0, 0, 0, 1, 0, 0, 0, 0, 1, 144, 0, 240, 0, 0, 0, 0][..]].concat();
    viewer.send(&wished).await.unwrap();
    viewer.watch("the refusal", |viewer| viewer.layouts.contains(&[1, 1, 320, 240])).await.unwrap();
    let large = Size::new(321, 240);
    act.desktop.show(&update(&[sized(large), secret(large.bounds())])).await.unwrap();
    viewer.watch("the large size", |viewer| viewer.width == 321).await.unwrap();
    assert_eq!(viewer.count(SECRET), 0, "nothing of it is seen");
    let asks = |message: &&Vec<u8>| message[2..6] == [1, 64, 0, 240];
    act.desktop.hears("to shrink", |messages| of_kind(messages, 251).any(|message| asks(&message))).await.unwrap();
    act.desktop.show(&update(&[sized(SIZE), secret(SIZE.bounds())])).await.unwrap();
    viewer.watch("all of it again", |viewer| viewer.count(SECRET) == SIZE.area() as usize).await.unwrap();
    assert_eq!(act.session.known_outcome(), None);
    let record = stage.end(&act.session).await.unwrap();
    let refused: Vec<_> = record.of_type("refused").iter().map(|event| event["what"].as_str().unwrap()).collect();
    assert_eq!(refused, ["resize to 400x240", "the desktop's screen of 321x240"]);
    assert!(record.of_type("refused").iter().all(|event| event["rule"] == "all.yaml:8 screen.max_size"));
}

/// One that does not shrink, or cannot, ends its session with the rule named.
#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_that_stays_beyond_the_largest_size_ends_its_session() {
    let mut stage = Stage::under(SIZE, "screen: {max_size: 300x4000}").await.unwrap();
    let act = stage.open().await.unwrap();
    let Outcome::NotPermitted { rule, reason } = stage.outcome(&act.session).await.unwrap() else { panic!() };
    assert_eq!(rule, "all.yaml:8 screen.max_size");
    assert_eq!(reason, "a screen of 320x240 is larger than all.yaml:8 permits");
    stage.end(&act.session).await.unwrap();
}
