//! Whatever the screen does, an independent decoder of the output holds the same pixels.

use std::sync::Arc;

use super::*;
use crate::pixel::BGR0;
use crate::screen::Cursor;
use proptest::prelude::*;

const BIG: Size = Size::new(1920, 1080);

fn shown(size: Size, fill: Fill, encodings: &[i32]) -> Peer {
    let screen = screen(size, fill);
    let mut peer = Peer::ready(size, encodings);
    peer.settle(&screen);
    peer.assert_shows(&screen);
    peer
}

#[test]
fn a_cleared_screen_is_one_fill() {
    let peer = shown(BIG, Fill::Solid, LOSSLESS);
    assert_eq!(peer.decoder.ways, [(Way::Fill, BIG.bounds())]);
    let wide = Size::new(3840, 2160);
    let peer = shown(wide, Fill::Solid, LOSSLESS);
    assert_eq!(peer.decoder.ways.len(), 2);
}

#[test]
fn each_content_is_sent_in_its_way() {
    let ways = |fill, encodings: &[i32]| {
        let mut ways: Vec<Way> =
            shown(Size::new(640, 480), fill, encodings).decoder.ways.iter().map(|way| way.0).collect();
        ways.sort();
        ways.dedup();
        ways
    };
    assert_eq!(ways(Fill::Colours(2), LOSSLESS), [Way::Mono]);
    assert_eq!(ways(Fill::Text, LOSSLESS), [Way::Indexed]);
    assert_eq!(ways(Fill::Colours(200), LOSSLESS), [Way::Indexed]);
    assert_eq!(ways(Fill::Noise, LOSSLESS), [Way::Colour]);
    assert_eq!(ways(Fill::Photo, LOSSLESS), [Way::Colour]);
    assert_eq!(ways(Fill::Text, &[0]), [Way::Raw]);
    assert_eq!(ways(Fill::Text, &[0, 7]), [Way::Raw], "Raw was preferred");
    assert_eq!(ways(Fill::Text, &[]), [Way::Raw], "no SetEncodings at all");
    assert_eq!(ways(Fill::Text, &[7, -23]), [Way::Indexed], "text is never JPEG");
    assert_eq!(ways(Fill::Colours(200), &[7, -23]), [Way::Indexed]);
}

#[test]
fn the_smallest_areas_are_exact() {
    let mut screen = screen(Size::new(64, 64), Fill::Text);
    for encodings in [LOSSLESS, &[7, -23], &[0]] {
        let mut peer = Peer::ready(screen.size(), encodings);
        peer.settle(&screen);
        for (seed, fill) in [Fill::Solid, Fill::Colours(2), Fill::Colours(5), Fill::Noise].into_iter().enumerate() {
            for (width, height) in
                [(1, 1), (2, 1), (1, 2), (3, 1), (2, 2), (4, 1), (9, 1), (1, 11), (12, 1), (5, 3), (17, 9)]
            {
                screen.apply(&[paint(Rect::new(3, 2, width, height), fill, seed as u64)]).unwrap();
                peer.settle(&screen);
                peer.assert_shows(&screen);
            }
        }
    }
}

fn errors(peer: &Peer, screen: &Screen) -> (u32, f64) {
    let differences = peer
        .decoder
        .pixels
        .iter()
        .zip(rgb(screen))
        .flat_map(|(shown, wanted)| [0, 1, 2].map(|channel| u32::from(shown[channel].abs_diff(wanted[channel]))));
    let (mut worst, mut sum) = (0, 0u64);
    for difference in differences {
        worst = worst.max(difference);
        sum += u64::from(difference);
    }
    (worst, sum as f64 / (screen.size().area() * 3) as f64)
}

#[test]
fn a_photograph_is_jpeg_and_then_exact() {
    let screen = screen(Size::new(1280, 720), Fill::Photo);
    let mut last = f64::MAX;
    for quality in -32..=-23 {
        let mut peer = Peer::ready(screen.size(), &[7, quality]);
        peer.settle(&screen);
        assert!(peer.decoder.ways.iter().all(|(way, _)| *way == Way::Jpeg), "{:?}", peer.decoder.ways);
        let (worst, mean) = errors(&peer, &screen);
        assert!(worst <= 64 && mean <= 6.0, "quality {quality}: {worst}, {mean}");
        assert!(mean <= last + 0.1, "quality {quality}: {mean} after {last}");
        last = mean;
        peer.decoder.ways.clear();
        peer.refine(&screen);
        peer.assert_shows(&screen);
        assert!(!peer.decoder.used(Way::Jpeg));
    }
    assert!(last < 2.0, "{last}");
}

#[test]
fn without_a_quality_or_with_jpeg_forbidden_there_is_none() {
    let screen = screen(Size::new(640, 480), Fill::Photo);
    let mut peer = Peer::ready(screen.size(), LOSSLESS);
    peer.settle(&screen);
    assert!(!peer.decoder.used(Way::Jpeg) && !peer.connection.is_lossy());

    let mut peer = Peer::ready(screen.size(), &[7, -26]);
    peer.connection.config.jpeg = false;
    peer.settle(&screen);
    peer.assert_shows(&screen);
}

#[test]
fn a_photograph_in_a_page_of_text_leaves_the_text_sharp() {
    let size = Size::new(1280, 1024);
    let picture = Rect::new(333, 222, 600, 400);
    let mut screen = screen(size, Fill::Text);
    screen.apply(&[paint(picture, Fill::Photo, 3)]).unwrap();
    let mut peer = Peer::ready(size, &[7, -26]);
    peer.settle(&screen);
    let jpeg: Vec<Rect> = peer.decoder.ways.iter().filter(|way| way.0 == Way::Jpeg).map(|way| way.1).collect();
    let covered: u64 = jpeg.iter().filter_map(|rect| rect.intersection(picture)).map(Rect::area).sum();
    assert!(covered * 10 >= picture.area() * 7, "{covered} of {}", picture.area());
    for (n, (shown, wanted)) in peer.decoder.pixels.iter().zip(rgb(&screen)).enumerate() {
        let at = Rect::new((n % 1280) as u16, (n / 1280) as u16, 1, 1);
        if !jpeg.iter().any(|rect| rect.contains(at)) {
            assert_eq!(*shown, wanted, "{at}");
        }
    }
    peer.refine(&screen);
    peer.assert_shows(&screen);
}

#[test]
fn a_copy_carries_what_is_not_exact() {
    let size = Size::new(800, 600);
    let mut screen = screen(size, Fill::Text);
    screen.apply(&[paint(Rect::new(0, 300, 400, 300), Fill::Photo, 1)]).unwrap();
    let mut peer = Peer::ready(size, &[1, 7, -30]);
    peer.settle(&screen);
    assert!(peer.connection.is_lossy());
    screen.apply(&[copy(Rect::new(200, 0, 400, 300), 0, 300)]).unwrap();
    peer.settle(&screen);
    assert!(peer.decoder.used(Way::Copy));
    peer.refine(&screen);
    peer.assert_shows(&screen);
}

#[test]
fn a_scroll_is_a_copy_only_for_who_knows_it() {
    let size = Size::new(640, 480);
    for (encodings, copied) in [(LOSSLESS, true), (&[7][..], false)] {
        let mut screen = screen(size, Fill::Text);
        let mut peer = Peer::ready(size, encodings);
        peer.settle(&screen);
        screen
            .apply(&[copy(Rect::new(0, 0, 640, 464), 0, 16), paint(Rect::new(0, 464, 640, 16), Fill::Text, 5)])
            .unwrap();
        peer.settle(&screen);
        peer.assert_shows(&screen);
        assert_eq!(peer.decoder.used(Way::Copy), copied);
    }
}

#[test]
fn an_update_is_bounded_and_the_rest_comes_with_the_next() {
    let screen = screen(Size::new(3840, 2160), Fill::Noise);
    for encodings in [&[0][..], LOSSLESS] {
        let mut peer = Peer::ready(screen.size(), encodings);
        let mut most = 0;
        for _ in 0..20 {
            peer.say(&request(true));
            let sent = peer.connection.update(&screen).unwrap();
            let output = peer.connection.take_output();
            most = most.max(output.len());
            peer.decoder.feed(&output);
            if !sent {
                break;
            }
        }
        assert!(most <= crate::limits::MAX_UPDATE_BYTES + 1024 * 1024, "{most}");
        assert!(peer.decoder.updates >= 3);
        peer.assert_shows(&screen);
    }
}

#[test]
fn what_is_owed_is_not_trusted_by_a_copy() {
    let mut screen = screen(Size::new(3840, 2160), Fill::Noise);
    let mut peer = Peer::ready(screen.size(), &[1, 0]);
    for seed in 0..6 {
        peer.say(&request(true));
        assert!(peer.update(&screen));
        let source = Rect::new(100, 1500, 2000, 600);
        screen
            .apply(&[copy(source.at(Point::new(50, 10)), 100, 1500), paint(Rect::new(9, 9, 30, 30), Fill::Text, seed)])
            .unwrap();
    }
    assert!(peer.decoder.used(Way::Copy));
    peer.settle(&screen);
    peer.assert_shows(&screen);
}

fn arrow(width: u16, height: u16) -> Change {
    let pixels = (0..u32::from(width) * u32::from(height))
        .flat_map(|n| if n % 3 == 1 { [0; 4] } else { [n as u8, 20, 200, 255] });
    Change::Cursor(Arc::new(Cursor {
        hotspot: Point::new(1, 2),
        size: Size::new(width, height),
        pixels: pixels.collect(),
    }))
}

#[test]
fn cursors_in_both_encodings_and_both_formats() {
    for (encodings, rgb_first) in [(&[7, -239][..], false), (&[7, -239], true), (&[7, 0x574d_5664, -239], true)] {
        let mut screen = Screen::new(Size::new(64, 64));
        let mut peer = Peer::ready(screen.size(), encodings);
        if rgb_first {
            peer.say(&set_pixel_format(RGB0));
            peer.decoder.rgb_first = true;
        }
        peer.settle(&screen);
        assert_eq!(peer.decoder.cursor, None);
        screen.apply(&[arrow(11, 5)]).unwrap();
        let updates = peer.decoder.updates;
        peer.settle(&screen);
        assert_eq!(peer.decoder.updates, updates + 1);
        let cursor = peer.decoder.cursor.take().unwrap();
        assert_eq!((cursor.hotspot, cursor.size), (Point::new(1, 2), Size::new(11, 5)));
        for (n, pixel) in cursor.pixels.iter().enumerate() {
            let wanted = if n % 3 == 1 { [0; 4] } else { [200, 20, n as u8, 255] };
            assert_eq!(*pixel, wanted, "{n}");
        }
        let hidden = Cursor { hotspot: Point::default(), size: Size::default(), pixels: Vec::new() };
        screen.apply(&[Change::Cursor(Arc::new(hidden))]).unwrap();
        peer.settle(&screen);
        assert_eq!(peer.decoder.cursor.as_ref().map(|cursor| cursor.size), Some(Size::default()));
    }
}

#[test]
fn a_level_that_changes_leaves_the_streams_as_they_are() {
    let mut screen = screen(Size::new(300, 300), Fill::Colours(40));
    let mut peer = Peer::ready(screen.size(), LOSSLESS);
    peer.settle(&screen);
    for (seed, level) in [-247, -256, -255, -254, -253, -247].into_iter().enumerate() {
        peer.say(&set_encodings(&[7, level]));
        for fill in [Fill::Colours(2), Fill::Colours(20), Fill::Colours(90), Fill::Noise] {
            screen.apply(&[paint(Rect::new(10, 10, 200, 100), fill, seed as u64)]).unwrap();
            peer.settle(&screen);
            peer.assert_shows(&screen);
        }
    }
}

/// A step of a session.
#[derive(Debug, Clone)]
enum Step {
    Paint([u16; 4], Fill, u64),
    Copy([u16; 4], u16, u16),
    Cursor(u16),
    Resize(u16, u16),
    Update,
    Refine,
    Refresh,
    Answer,
    Encodings(usize),
    Format(bool),
}

/// What viewers list in the middle of a session; all can be resized.
const LISTS: [&[i32]; 5] = [LOSSLESS, &[7, 1, -26, -223], &[0, -223], &[1, 0, -308, -239, -223], NOVNC];

fn any_step() -> impl Strategy<Value = Step> {
    let fill = prop_oneof![
        Just(Fill::Solid),
        (1..400u32).prop_map(Fill::Colours),
        Just(Fill::Text),
        Just(Fill::Photo),
        Just(Fill::Noise)
    ];
    prop_oneof![
        6 => (any::<[u16; 4]>(), fill, any::<u64>()).prop_map(|(rect, fill, seed)| Step::Paint(rect, fill, seed)),
        3 => (any::<[u16; 4]>(), any::<u16>(), any::<u16>()).prop_map(|(rect, x, y)| Step::Copy(rect, x, y)),
        1 => (0..20u16).prop_map(Step::Cursor),
        1 => (1..500u16, 1..400u16).prop_map(|(width, height)| Step::Resize(width, height)),
        6 => Just(Step::Update),
        2 => Just(Step::Refine),
        1 => Just(Step::Refresh),
        2 => Just(Step::Answer),
        1 => (0..LISTS.len()).prop_map(Step::Encodings),
        1 => any::<bool>().prop_map(Step::Format),
    ]
}

fn fit([x, y, width, height]: [u16; 4], size: Size) -> Rect {
    let (x, y) = (x % size.width, y % size.height);
    Rect::new(x, y, 1 + width % (size.width - x), 1 + height % (size.height - y))
}

fn step(peer: &mut Peer, screen: &mut Screen, step: Step) {
    let size = screen.size();
    match step {
        Step::Paint(rect, fill, seed) => {
            screen.apply(&[paint(fit(rect, size), fill, seed)]).unwrap();
        }
        Step::Copy(rect, x, y) => {
            let to = fit(rect, size);
            screen.apply(&[copy(to, x % (size.width - to.width + 1), y % (size.height - to.height + 1))]).unwrap();
        }
        Step::Cursor(side) => {
            screen.apply(&[arrow(side + 2, side + 3)]).unwrap();
        }
        Step::Resize(width, height) => {
            screen.apply(&[Change::Resize(Size::new(width, height))]).unwrap();
        }
        Step::Update => {
            peer.say(&request(true));
            peer.update(screen);
        }
        Step::Refine => {
            peer.say(&request(true));
            peer.connection.refine(screen);
            peer.hear();
        }
        Step::Refresh => {
            peer.say(&request(false));
            peer.connection.grant_refresh();
            peer.update(screen);
        }
        Step::Answer => peer.answer_fences(),
        Step::Encodings(list) => {
            peer.say(&set_encodings(LISTS[list]));
            if peer.decoder.ends == 1 && LISTS[list] == NOVNC {
                peer.say(&continuous_updates(true));
            }
        }
        Step::Format(rgb_first) => {
            // A viewer changes its format between updates: here none is under way.
            peer.hear();
            peer.say(&set_pixel_format(if rgb_first { RGB0 } else { BGR0 }));
            peer.decoder.rgb_first = rgb_first;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_session_ends_with_the_screen(steps in prop::collection::vec(any_step(), 1..40), list in 0..LISTS.len()) {
        let mut screen = Screen::new(Size::new(320, 200));
        let mut peer = Peer::ready(screen.size(), LISTS[list]);
        for next in steps {
            step(&mut peer, &mut screen, next);
            prop_assert!(peer.connection.revision() <= screen.revision());
        }
        peer.answer_fences();
        peer.settle(&screen);
        let width = usize::from(screen.size().width);
        for (n, (shown, wanted)) in peer.decoder.pixels.iter().zip(rgb(&screen)).enumerate() {
            let at = Rect::new((n % width) as u16, (n / width) as u16, 1, 1);
            prop_assert!(*shown == wanted || peer.connection.held.lossy.covers(at), "{} is wrong and not known as lossy", at);
        }
        peer.refine(&screen);
        peer.assert_shows(&screen);
    }
}
