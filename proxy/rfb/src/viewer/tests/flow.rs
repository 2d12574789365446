//! Who is sent what, when: requests, refreshes, continuous updates, fences, sizes.

use super::*;
use crate::viewer::MAX_UPDATES_IN_FLIGHT;

const SIZE: Size = Size::new(640, 480);

fn type_a_character(screen: &mut Screen, n: u16) {
    screen.apply(&[paint(Rect::new(8 * (n % 60), 16, 8, 16), Fill::Text, u64::from(n))]).unwrap();
}

#[test]
fn nothing_is_sent_unasked() {
    let mut screen = screen(SIZE, Fill::Text);
    let mut peer = Peer::ready(SIZE, LOSSLESS);
    assert!(!peer.connection.wants_update());
    assert!(!peer.update(&screen));

    peer.say(&request(true));
    assert!(peer.connection.wants_update());
    assert!(peer.update(&screen), "it holds nothing yet");
    assert!(!peer.connection.wants_update(), "answered");
    assert_eq!(peer.connection.revision(), 1);

    peer.say(&request(true));
    assert!(!peer.update(&screen), "nothing is new");
    assert!(peer.connection.wants_update(), "the request stays until something is");
    type_a_character(&mut screen, 1);
    assert!(peer.update(&screen));
    assert_eq!(peer.connection.revision(), 2);
    peer.assert_shows(&screen);
}

#[test]
fn an_update_waits_for_the_output_of_the_one_before() {
    let mut screen = screen(SIZE, Fill::Text);
    let mut peer = Peer::novnc(SIZE);
    peer.update(&screen);
    assert_eq!(peer.connection.update(&screen), Ok(true));
    type_a_character(&mut screen, 1);
    assert!(!peer.connection.wants_update());
    assert_eq!(peer.connection.update(&screen), Ok(false));
    peer.hear();
    assert_eq!(peer.connection.update(&screen), Ok(true));
    peer.hear();
    peer.assert_shows(&screen);
}

#[test]
fn a_request_for_everything_is_granted_by_the_caller() {
    let screen = screen(SIZE, Fill::Text);
    let mut peer = Peer::ready(SIZE, LOSSLESS);
    peer.say(&request(false));
    assert!(peer.update(&screen), "the first is needed anyway");
    for _ in 0..50 {
        peer.say(&request(false));
        assert!(!peer.update(&screen), "what the viewer holds is not sent again");
    }
    peer.connection.grant_refresh();
    peer.connection.grant_refresh();
    peer.decoder.pixels.fill([9; 3]);
    assert!(peer.update(&screen));
    peer.assert_shows(&screen);
    peer.say(&request(false));
    assert!(!peer.update(&screen), "grants do not add up");
    peer.connection.grant_refresh();
    assert!(peer.update(&screen));
    peer.connection.grant_refresh();
    peer.say(&request(true));
    assert!(!peer.update(&screen), "a grant alone asks for nothing");
}

#[test]
fn novnc_is_told_of_fences_continuous_updates_keys_and_sizes() {
    let screen = screen(SIZE, Fill::Text);
    let mut peer = Peer::novnc(SIZE);
    assert!(peer.update(&screen));
    assert_eq!(peer.decoder.sizes, [(0, 0, SIZE)]);
    assert!(peer.decoder.extended_keys);
    assert!(peer.update(&screen), "continuous updates need no request");
    peer.assert_shows(&screen);
    assert!(!peer.update(&screen));
    peer.say(&set_encodings(NOVNC));
    assert_eq!(peer.decoder.ends, 1, "a second one would turn noVNC's off");
}

#[test]
fn a_slow_viewer_gets_fewer_and_newer_updates() {
    let mut screen = screen(SIZE, Fill::Text);
    let mut peer = Peer::novnc(SIZE);
    peer.settle(&screen);
    let before = peer.decoder.updates;
    for n in 0..100 {
        type_a_character(&mut screen, n);
        peer.update(&screen);
    }
    assert_eq!(peer.decoder.updates - before, MAX_UPDATES_IN_FLIGHT);
    assert_eq!(peer.connection.in_flight(), MAX_UPDATES_IN_FLIGHT);
    assert!(!peer.connection.wants_update());
    let (flags, payload) = peer.decoder.fences.remove(0);
    peer.say(&fence(flags & 1, &payload));
    assert!(peer.update(&screen), "one reply opens the window");
    peer.assert_shows(&screen);
}

#[test]
fn bytes_under_way_close_the_window_too() {
    let mut screen = screen(Size::new(800, 600), Fill::Noise);
    let mut peer = Peer::novnc(screen.size());
    peer.connection.config.jpeg = false;
    peer.update(&screen);
    assert!(peer.update(&screen));
    screen.apply(&[paint(screen.size().bounds(), Fill::Noise, 8)]).unwrap();
    assert!(!peer.connection.wants_update(), "1.4 MB are under way");
    peer.answer_fences();
    assert!(peer.update(&screen));
    peer.assert_shows(&screen);
}

#[test]
fn continuous_updates_end_when_the_viewer_says_so() {
    let mut screen = screen(SIZE, Fill::Text);
    let mut peer = Peer::novnc(SIZE);
    peer.settle(&screen);
    // TigerVNC does this to change its pixel format, all in one go.
    let change = [continuous_updates(false), set_pixel_format(RGB0), continuous_updates(true)].concat();
    peer.say(&change);
    assert_eq!(peer.decoder.ends, 2);
    type_a_character(&mut screen, 1);
    assert!(peer.update(&screen));

    peer.say(&continuous_updates(false));
    assert_eq!(peer.decoder.ends, 3);
    type_a_character(&mut screen, 2);
    assert!(!peer.update(&screen), "back to requests");
    peer.say(&request(true));
    assert!(peer.update(&screen));

    peer.say(&continuous_updates(true));
    peer.say(&set_encodings(LOSSLESS));
    assert_eq!(peer.decoder.ends, 4, "without fences there is no pace");
    type_a_character(&mut screen, 3);
    assert!(!peer.update(&screen));
}

#[test]
fn a_size_is_told_alone_and_before_its_pixels() {
    for (encodings, extended) in [(&[7, -223][..], false), (&[7, -223, -308], true), (&[7, -308], true)] {
        let mut screen = screen(SIZE, Fill::Text);
        let mut peer = Peer::ready(SIZE, encodings);
        peer.settle(&screen);
        screen.apply(&[Change::Resize(Size::new(800, 300)), paint(Rect::new(0, 0, 800, 300), Fill::Text, 2)]).unwrap();
        peer.say(&request(true));
        assert!(peer.update(&screen));
        assert_eq!(peer.decoder.size, Size::new(800, 300));
        assert_eq!(peer.decoder.sizes.last(), extended.then_some(&(0, 0, Size::new(800, 300))));
        peer.say(&[5, 0, 0x03, 0x1f, 0x01, 0xdf]);
        let at = Point::new(799, 299);
        assert_eq!(peer.events, [Event::Pointer(crate::input::Pointer { buttons: 0, at })], "within the new size");
        peer.settle(&screen);
        peer.assert_shows(&screen);
    }
}

#[test]
fn a_viewer_that_cannot_be_resized_is_closed() {
    let mut screen = screen(SIZE, Fill::Text);
    let mut peer = Peer::ready(SIZE, &[7]);
    peer.settle(&screen);
    screen.apply(&[Change::Resize(Size::new(800, 300))]).unwrap();
    peer.say(&request(true));
    let error = peer.connection.update(&screen).unwrap_err();
    assert!(error.reason.contains("800x300"), "{error}");
    assert!(!peer.connection.is_ready());
    assert_eq!(peer.connection.receive(&[]).unwrap_err(), error);
}

#[test]
fn a_size_asked_for_is_answered() {
    let mut screen = screen(SIZE, Fill::Text);
    let mut peer = Peer::novnc(SIZE);
    peer.settle(&screen);
    let (wanted, other) = (Size::new(1000, 700), Size::new(900, 650));
    let answers = |peer: &mut Peer, screen: &Screen| {
        peer.decoder.sizes.clear();
        peer.settle(screen);
        peer.decoder.sizes.clone()
    };

    peer.say(&set_desktop_size(wanted, &[wanted.bounds()]));
    assert_eq!(peer.events, [Event::SetSize(wanted)]);
    assert_eq!(answers(&mut peer, &screen), []);
    screen.apply(&[Change::Resize(wanted)]).unwrap();
    assert_eq!(answers(&mut peer, &screen), [(1, 0, wanted)]);
    screen.apply(&[Change::Resize(other)]).unwrap();
    assert_eq!(answers(&mut peer, &screen), [(0, 0, other)]);

    peer.say(&set_desktop_size(other, &[other.bounds()]));
    assert_eq!(peer.events, [], "it has it already");
    assert_eq!(answers(&mut peer, &screen), [(1, 0, other)]);

    peer.say(&set_desktop_size(wanted, &[wanted.bounds()]));
    peer.connection.size_refused(1);
    assert_eq!(answers(&mut peer, &screen), [(1, 1, other)]);
    peer.connection.size_refused(1);
    assert_eq!(answers(&mut peer, &screen), [], "nothing was asked");
    peer.assert_shows(&screen);
}

#[test]
fn sizes_out_of_bounds_are_answered_as_invalid() {
    let screen = screen(SIZE, Fill::Text);
    let mut peer = Peer::novnc(SIZE);
    peer.settle(&screen);
    let size = Size::new(1000, 700);
    let half = Rect::new(0, 0, 500, 700);
    let refused = [
        set_desktop_size(size, &[]),
        set_desktop_size(size, &[half, half.at(Point::new(500, 0))]),
        set_desktop_size(size, &[half]),
        set_desktop_size(size, &[size.bounds().at(Point::new(1, 0))]),
        set_desktop_size(size, &vec![half; 255]),
        set_desktop_size(Size::new(0, 700), &[Rect::new(0, 0, 0, 700)]),
        set_desktop_size(Size::new(3841, 700), &[Rect::new(0, 0, 3841, 700)]),
    ];
    for message in refused {
        peer.decoder.sizes.clear();
        peer.say(&message);
        assert_eq!(peer.events, []);
        peer.settle(&screen);
        assert_eq!(peer.decoder.sizes, [(1, 3, SIZE)]);
    }
}

#[test]
fn bells_are_coalesced() {
    let mut peer = Peer::ready(SIZE, &[]);
    for _ in 0..3 {
        peer.connection.bell();
    }
    peer.hear();
    assert_eq!(peer.decoder.bells, 1);
    assert_eq!(peer.connection.take_output(), []);

    let mut early = Connection::new(config(SIZE));
    early.take_output();
    early.bell();
    assert_eq!(early.take_output(), []);
}

#[test]
fn refinement_waits_until_nothing_else_is_to_be_sent() {
    let mut screen = screen(SIZE, Fill::Photo);
    let mut peer = Peer::novnc(SIZE);
    peer.settle(&screen);
    assert!(peer.connection.is_lossy());
    type_a_character(&mut screen, 1);
    assert!(!peer.connection.refine(&screen), "a newer revision comes first");
    peer.settle(&screen);
    let mut pieces = 0;
    while peer.connection.refine(&screen) {
        assert!(!peer.connection.refine(&screen), "one at a time");
        peer.hear();
        peer.answer_fences();
        pieces += 1;
    }
    assert!(pieces > 1);
    assert!(!peer.connection.is_lossy());
    peer.assert_shows(&screen);
}

#[test]
fn a_connection_may_move_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<Connection>();
}
