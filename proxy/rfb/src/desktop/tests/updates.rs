//! FramebufferUpdates that a desktop may send, annotated.

use super::*;
use crate::screen::{Cursor, Screen};

#[test]
fn raw_and_copy_rect() {
    #[rustfmt::skip]
    let bytes = [
        0, 0xcc, 0, 2,                          // FramebufferUpdate, padding, number-of-rectangles
        0, 1, 0, 2, 0, 2, 0, 1, 0, 0, 0, 0,     // 2x1+1+2 Raw
        1, 2, 3, 0xff, 4, 5, 6, 0x80,           // pixels, with something in the byte that is no colour
        0, 8, 0, 9, 0, 3, 0, 4, 0, 0, 0, 1,     // 3x4+8+9 CopyRect
        0, 6, 0, 7,                             // from 6,7
    ];
    let wanted = [
        Change::Pixels { rect: Rect::new(1, 2, 2, 1), pixels: vec![1, 2, 3, 0, 4, 5, 6, 0] },
        Change::Copy { to: Rect::new(8, 9, 3, 4), from: Point::new(6, 7) },
    ];
    assert_eq!(changes(&mut ready(64, 48), &bytes), wanted);
}

#[test]
fn cursor_with_its_mask() {
    #[rustfmt::skip]
    let bytes = [
        0, 0, 0, 1,                             // FramebufferUpdate, padding, number-of-rectangles
        0, 8, 0, 0, 0, 9, 0, 2,                 // hotspot 8,0; 9x2
        0xff, 0xff, 0xff, 0x11,                 // Cursor
    ];
    let colours: Vec<u8> = (0..18).flat_map(|n| [n + 1, 100, 200, 77]).collect();
    #[rustfmt::skip]
    let mask = [
        0b1000_0000, 0b1111_1111,               // first and last column; bits beyond the width mean nothing
        0b0000_0000, 0b0111_1111,               // none
    ];
    let found = changes(&mut ready(64, 48), &[&bytes[..], &colours, &mask].concat());
    let mut pixels = vec![0; 18 * 4];
    pixels[..4].copy_from_slice(&[1, 100, 200, 255]);
    pixels[32..36].copy_from_slice(&[9, 100, 200, 255]);
    let wanted = Cursor { hotspot: Point::new(8, 0), size: Size::new(9, 2), pixels };
    assert_eq!(found, [Change::Cursor(wanted.into())]);
}

#[test]
fn a_hidden_cursor_and_a_hotspot_outside() {
    let hidden = rect(Rect::new(7, 7, 0, 0), Encoding::CURSOR, &[]);
    let outside = rect(Rect::new(300, 1, 1, 1), Encoding::CURSOR, &[1, 2, 3, 4, 0x80]);
    let wanted = [
        Cursor { hotspot: Point::new(0, 0), size: Size::new(0, 0), pixels: vec![] },
        Cursor { hotspot: Point::new(0, 0), size: Size::new(1, 1), pixels: vec![1, 2, 3, 255] },
    ];
    assert_eq!(
        changes(&mut ready(64, 48), &update(&[hidden, outside])),
        wanted.map(|cursor| Change::Cursor(cursor.into()))
    );
}

#[test]
fn sizes_bound_what_follows_them() {
    let mut connection = ready(64, 48);
    let corner = Rect::new(99, 79, 1, 1);
    let bytes = update(&[
        rect(Rect::new(5, 5, 100, 80), Encoding::DESKTOP_SIZE, &[]),
        rect(corner, Encoding::RAW, &[1, 2, 3, 4]),
        rect(Rect::new(0, 0, 100, 80), Encoding::EXTENDED_DESKTOP_SIZE, &layout(&[42, 43])),
        rect(Rect::new(2, 0, 10, 8), Encoding::EXTENDED_DESKTOP_SIZE, &layout(&[42])),
    ]);
    let wanted = [
        Change::Resize(Size::new(100, 80)),
        Change::Pixels { rect: corner, pixels: vec![1, 2, 3, 0] },
        Change::Resize(Size::new(10, 8)),
    ];
    assert_eq!(changes(&mut connection, &bytes), wanted);
    connection.request_update(true);
    assert_eq!(connection.take_output(), [3, 1, 0, 0, 0, 0, 0, 10, 0, 8]);
    assert!(connection.receive(&update(&[rect(corner, Encoding::RAW, &[0; 4])])).is_err());
}

#[test]
fn an_update_without_rectangles_is_one() {
    assert_eq!(changes(&mut ready(64, 48), &update(&[])), []);
}

#[test]
fn last_rect_ends_an_update_at_any_count() {
    let speck = |x| rect(Rect::new(x, 0, 1, 1), Encoding::RAW, &[0; 4]);
    let last = rect(Rect::default(), Encoding::LAST_RECT, &[]);
    for count in [2, 3, 65535] {
        let mut connection = ready(64, 48);
        let bytes = [update_of(count, &[speck(0), last.clone()]), vec![2]].concat();
        let events = connection.receive(&bytes).unwrap();
        assert!(
            matches!(&events[..], [Event::Update(changes), Event::Bell] if changes.len() == 1),
            "{count}: {events:?}"
        );
    }
    let events = ready(64, 48).receive(&update_of(65535, &[last])).unwrap();
    assert_eq!(events, [Event::Update(vec![])]);
}

#[test]
fn without_last_rect_the_count_is_the_count() {
    let mut connection = ready(64, 48);
    let specks: Vec<Vec<u8>> = (0..65535u32)
        .map(|n| rect(Rect::new((n % 64) as u16, (n / 64 % 48) as u16, 1, 1), Encoding::RAW, &n.to_be_bytes()))
        .collect();
    let bytes = update(&specks);
    assert_eq!(connection.receive(&bytes[..bytes.len() - 1]), Ok(vec![]));
    let events = connection.receive(&bytes[bytes.len() - 1..]).unwrap();
    assert!(matches!(&events[..], [Event::Update(changes)] if changes.len() == 65535));
}

#[test]
fn as_many_specks_byte_by_byte_take_linear_time() {
    let (mut connection, mut screen) = (ready(3840, 2160), Screen::new(Size::new(3840, 2160)));
    let specks: Vec<Vec<u8>> = (0..65535u32)
        .map(|n| rect(Rect::new((n * 7919 % 3840) as u16, (n * 4_729 % 2160) as u16, 1, 1), Encoding::RAW, &[1; 4]))
        .collect();
    let started = std::time::Instant::now();
    let mut changes = Vec::new();
    for byte in update(&specks) {
        for event in connection.receive(&[byte]).unwrap() {
            let Event::Update(update) = event else { panic!("{event:?}") };
            changes = update;
        }
    }
    assert_eq!(changes.len(), 65535);
    assert_eq!(screen.apply(&changes), Ok(1));
    assert!(screen.changes_since(0).region.rects().len() <= crate::region::MAX_REGION_RECTS);
    // A parser that began anew with each byte would look at 5 * 10^11 of them.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn a_refused_size_is_told_after_its_update() {
    let mut connection = ready(64, 48);
    let refused = |status| rect(Rect::new(1, status, 9999, 0), Encoding::EXTENDED_DESKTOP_SIZE, &layout(&[7]));
    let events = connection.receive(&update(&[refused(1), refused(3)])).unwrap();
    assert_eq!(events, [Event::Update(vec![]), Event::SizeRefused(1), Event::SizeRefused(3)]);
    let granted = rect(Rect::new(1, 0, 80, 60), Encoding::EXTENDED_DESKTOP_SIZE, &layout(&[7]));
    assert_eq!(changes(&mut connection, &update(&[granted])), [Change::Resize(Size::new(80, 60))]);
}

#[test]
fn a_layout_may_have_no_screen_or_many() {
    for ids in [vec![], (0..255).collect::<Vec<u32>>()] {
        let mut connection = ready(64, 48);
        let same = rect(Rect::new(0, 0, 64, 48), Encoding::EXTENDED_DESKTOP_SIZE, &layout(&ids));
        assert_eq!(changes(&mut connection, &update(&[same])), []);
        assert!(connection.set_size(Size::new(10, 10)));
    }
}
