//! Rectangles that a hostile desktop sends: out of bounds, empty, not asked for, or too much of what was.

use super::*;
use crate::wire::Encoding;

/// The encodings that bring or move pixels.
const DATA: [Encoding; 6] =
    [Encoding::RAW, Encoding::COPY_RECT, Encoding::TIGHT, Encoding::ZRLE, Encoding::HEXTILE, Encoding::RRE];

fn refused(rects: &[Vec<u8>]) -> String {
    let error = refusal_by(|| ready_for(ALL, 64, 48), &update(rects));
    assert_eq!(error.message, "FramebufferUpdate");
    format!("{}: {}", error.field, error.reason)
}

/// The refusal of a rectangle's header alone: no byte of its body was waited for.
fn refused_header(x: u16, y: u16, width: u16, height: u16, encoding: Encoding) -> String {
    refused(&[rect(Rect::new(x, y, width, height), encoding, &[])])
}

#[test]
fn data_outside_of_the_framebuffer() {
    for encoding in DATA {
        for (x, y, width, height) in [
            (64, 0, 1, 1),
            (0, 48, 1, 1),
            (0, 0, 65, 1),
            (63, 0, 2, 1),
            (0, 47, 1, 2),
            (65535, 0, 1, 1),
            (1, 0, 65535, 1),
            (65535, 65535, 65535, 65535),
        ] {
            let error = refused_header(x, y, width, height, encoding);
            assert!(error.contains("is empty or not within the framebuffer of 64x48"), "{error}");
        }
    }
}

#[test]
fn data_without_area() {
    for encoding in DATA {
        for (width, height) in [(0, 0), (0, 1), (1, 0)] {
            assert!(refused_header(0, 0, width, height, encoding).contains("is empty"));
        }
    }
}

#[test]
fn a_copy_from_outside_of_the_framebuffer() {
    let to = Rect::new(0, 0, 4, 4);
    for (x, y) in [(61u16, 0u16), (0, 45), (65535, 65535), (65535, 0)] {
        let from = [x.to_be_bytes(), y.to_be_bytes()].concat();
        let error = refused(&[rect(to, Encoding::COPY_RECT, &from)]);
        assert_eq!(
            error,
            format!("rectangle 0 CopyRect (1): 4x4+{x}+{y} is empty or not within the framebuffer of 64x48")
        );
    }
}

#[test]
fn a_copy_bounded_by_the_size_before_a_shrink() {
    let shrunk = rect(Rect::new(0, 0, 4, 4), Encoding::DESKTOP_SIZE, &[]);
    let copy = rect(Rect::new(0, 0, 1, 1), Encoding::COPY_RECT, &[0, 4, 0, 0]);
    assert!(refused(&[shrunk, copy]).contains("not within the framebuffer of 4x4"));
}

#[test]
fn cursors_that_multiply_to_nothing_or_to_too_much() {
    for (width, height) in [(257, 1), (1, 257), (65535, 65535), (0x8000, 0x8000), (0, 1), (1, 0), (0, 65535)] {
        let error = refused_header(0, 0, width, height, Encoding::CURSOR);
        assert!(error.contains(&format!("a cursor of {width}x{height} is lopsided or larger than 256x256")), "{error}");
    }
}

#[test]
fn sizes_out_of_bounds() {
    for (width, height) in [(0, 0), (0, 48), (64, 0), (65535, 65535), (3841, 2160), (3840, 2161)] {
        let plain = refused_header(0, 0, width, height, Encoding::DESKTOP_SIZE);
        let body = layout(&[1]);
        let extended = refused(&[rect(Rect::new(0, 0, width, height), Encoding::EXTENDED_DESKTOP_SIZE, &body)]);
        for error in [plain, extended] {
            assert!(error.contains(&format!("{width}x{height} is empty or larger than 3840x2160")), "{error}");
        }
    }
}

#[test]
fn reasons_and_statuses_without_meaning() {
    let size = |reason, status| {
        refused(&[rect(Rect::new(reason, status, 64, 48), Encoding::EXTENDED_DESKTOP_SIZE, &layout(&[1]))])
    };
    assert!(size(3, 0).ends_with("reason 3 has no meaning"));
    assert!(size(65535, 0).ends_with("reason 65535 has no meaning"));
    assert!(size(1, 5).ends_with("status 5 has no meaning"));
}

#[test]
fn every_encoding_that_was_not_asked_for() {
    for encodings in [Encodings::local(), ALL, Encodings::of(&[Encoding::ZRLE], Jpeg::Refused)] {
        let asked: Vec<Encoding> = encodings.asked().chain([Encoding::RAW]).collect();
        let known = Encoding::KNOWN.iter().map(|(encoding, _)| *encoding);
        let vendors = [-65536, -65527, -131_072, 10, 18, 22, 51, i32::MIN, i32::MAX].map(Encoding);
        let others = known.chain(vendors).filter(|encoding| !asked.contains(encoding));
        let mut count = 0;
        for encoding in others.chain([Encoding::JPEG_QUALITY_0, Encoding(-26)]) {
            let header = update(&[rect(Rect::new(0, 0, 1, 1), encoding, &[])]);
            let error = refusal_by(|| ready_for(encodings, 64, 48), &header);
            assert_eq!(error.field, format!("rectangle 0 {encoding}"));
            assert_eq!(error.reason, "was not asked for");
            count += 1;
        }
        assert!(count > 36, "{count}");
    }
}

#[test]
fn more_pixels_than_one_request_asked_for() {
    // Sixteen bytes for a copy of the whole screen, as often as an update has rectangles.
    let mut connection = ready(3840, 2160);
    let copy = rect(Rect::new(0, 0, 3840, 2160), Encoding::COPY_RECT, &[0; 4]);
    let error = connection.receive(&update(&vec![copy; 65535])).unwrap_err();
    assert_eq!(error.field, "rectangle 4 CopyRect (1)");
    assert_eq!(error.reason, "over 4 times the screen since the last request");
    // In one update or in many.
    let mut connection = ready(300, 300);
    let all = rect(Rect::new(0, 0, 300, 300), Encoding::RAW, &vec![0; 360_000]);
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(connection.receive(&update(std::slice::from_ref(&all))).map(|events| events.len()), Ok(1));
        }
        connection.request_update(true);
    }
    assert!(connection.receive(&update(&vec![all.clone(); 4])).is_ok());
    assert!(connection.receive(&update(std::slice::from_ref(&all))).is_err());
    // It grows with the screen.
    let mut connection = ready(1, 1);
    let large = Rect::new(0, 0, 600, 600);
    let grown = [rect(large, Encoding::DESKTOP_SIZE, &[]), rect(large, Encoding::RAW, &vec![0; 1_440_000])];
    assert!(connection.receive(&update(&grown)).is_ok());
}

#[test]
fn more_cursors_or_sizes_than_one_request_asked_for() {
    let mut connection = ready(1, 1);
    let body = vec![0; 256 * 256 * 4 + 32 * 256];
    let cursor = rect(Rect::new(0, 0, 256, 256), Encoding::CURSOR, &body);
    let error = connection.receive(&update(&vec![cursor; 5])).unwrap_err();
    assert_eq!(error.field, "rectangle 4 Cursor (-239)");
    let sizes: Vec<Vec<u8>> = (1..=9).map(|n| rect(Rect::new(0, 0, n, n), Encoding::DESKTOP_SIZE, &[])).collect();
    assert_eq!(refused(&sizes), "rectangle 8 DesktopSize (-223): over 8 sizes since the last request");
    let refusals = vec![rect(Rect::new(1, 1, 1, 1), Encoding::EXTENDED_DESKTOP_SIZE, &layout(&[])); 9];
    assert!(refused(&refusals).starts_with("rectangle 8 ExtendedDesktopSize (-308): over 8 sizes"));
}

#[test]
fn a_header_alone_allocates_no_more_than_its_rectangle() {
    let mut connection = ready(3840, 2160);
    let header = rect(Rect::new(0, 0, 3840, 2160), Encoding::RAW, &[]);
    assert_eq!(connection.receive(&update(&[header])), Ok(vec![]));
    let Phase::Messages(messages) = &connection.phase else { panic!("not in messages") };
    assert_eq!(messages.allocated(), 3840 * 2160 * 4);
}

#[test]
fn more_rectangles_than_one_request_asked_for() {
    let all = update(&vec![rect(Rect::default(), Encoding::QEMU_EXTENDED_KEY_EVENT, &[]); 65535]);
    let mut connection = ready(64, 48);
    for _ in 0..3 {
        connection.request_update(true);
        assert_eq!(connection.receive(&all.repeat(2)).map(|events| events.len()), Ok(2));
    }
    let error = connection.receive(&all).unwrap_err();
    assert_eq!(error.reason, "over 131070 rectangles since the last request");
}

#[test]
fn the_same_size_over_and_over_is_no_cost() {
    // What Xvnc says when a viewer asks for several sizes at once: each answer, and each change, at the size that it has by then.
    let answer = |reason| rect(Rect::new(reason, 0, 99, 77), Encoding::EXTENDED_DESKTOP_SIZE, &layout(&[1]));
    let events = ready(64, 48).receive(&update(&[vec![answer(0); 20], vec![answer(1); 20]].concat())).unwrap();
    assert_eq!(events, [Event::Update(vec![Change::Resize(Size::new(99, 77))])]);
}
