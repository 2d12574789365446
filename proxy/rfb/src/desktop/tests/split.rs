//! Any chunking of any conversation gives the same events, and every event fits the screen.

use super::encoders::{Encoder, Picture};
use super::*;
use crate::screen::Screen;
use proptest::prelude::*;

/// A rectangle as fractions of the framebuffer that it will meet.
#[derive(Debug, Clone)]
enum Draft {
    Raw([u16; 4], u8),
    Picture { place: [u16; 4], colours: u32, seed: u32, how: How },
    Copy([u16; 4], u16, u16),
    Cursor(u16, u16, u8),
    Size(u16, u16),
    Layout { reason: u16, status: u16, width: u16, height: u16, screens: u8 },
    Keys,
}

/// The encoding of a picture, and what it leaves open.
#[derive(Debug, Clone)]
enum How {
    Tight { way: u8, stream: u8 },
    Jpeg,
    Zrle(Vec<u8>),
    Hextile(Vec<u8>),
    Rre,
}

/// A message of the conversation.
#[derive(Debug, Clone)]
enum Line {
    Bell,
    CutText(Vec<u8>),
    Update { rects: Vec<Draft>, last_rect: bool },
}

fn fit([x, y, width, height]: [u16; 4], size: Size) -> Rect {
    let (x, y) = (x % size.width, y % size.height);
    Rect::new(x, y, 1 + width % (size.width - x), 1 + height % (size.height - y))
}

/// What the conversation has come to.
struct Scene {
    size: Size,
    sizes: u8,
    encoder: Encoder,
}

impl How {
    fn write(&self, picture: &Picture, encoder: &mut Encoder) -> (Encoding, Vec<u8>) {
        match self {
            How::Tight { way, stream } => (Encoding::TIGHT, encoder.tight(picture, *way, *stream)),
            How::Jpeg => (Encoding::TIGHT, jpeg::body(&jpeg::image(picture, turbojpeg::Subsamp::Sub2x2))),
            How::Zrle(ways) => (Encoding::ZRLE, encoder.zrle(picture, ways)),
            How::Hextile(ways) => (Encoding::HEXTILE, picture.hextile(ways)),
            How::Rre => (Encoding::RRE, picture.rre()),
        }
    }
}

impl Draft {
    fn write(&self, scene: &mut Scene) -> Vec<u8> {
        if matches!(self, Draft::Size(..) | Draft::Layout { .. }) {
            // More of them need another request, and when that is made depends on the chunking.
            if scene.sizes == crate::limits::MAX_UPDATE_RESIZES {
                return Draft::Keys.write(scene);
            }
            scene.sizes += 1;
        }
        let Scene { size, encoder, .. } = scene;
        match *self {
            Draft::Picture { place, colours, seed, ref how } => {
                let place = fit(place, *size);
                let picture = Picture::random(place.width.into(), place.height.into(), colours, seed);
                let (encoding, body) = how.write(&picture, encoder);
                rect(place, encoding, &body)
            }
            Draft::Raw(place, fill) => {
                let place = fit(place, *size);
                rect(place, Encoding::RAW, &vec![fill; place.area() as usize * 4])
            }
            Draft::Copy(place, x, y) => {
                let place = fit(place, *size);
                let (x, y) = (x % (size.width - place.width + 1), y % (size.height - place.height + 1));
                rect(place, Encoding::COPY_RECT, &[x.to_be_bytes(), y.to_be_bytes()].concat())
            }
            Draft::Cursor(width, height, fill) => {
                let length =
                    usize::from(width) * usize::from(height) * 4 + usize::from(width).div_ceil(8) * usize::from(height);
                rect(Rect::new(width / 2, 3, width, height), Encoding::CURSOR, &vec![fill; length])
            }
            Draft::Size(width, height) => {
                *size = Size::new(width, height);
                rect(size.bounds(), Encoding::DESKTOP_SIZE, &[])
            }
            Draft::Layout { reason, status, width, height, screens } => {
                if reason != 1 || status == 0 {
                    *size = Size::new(width, height);
                }
                let ids: Vec<u32> = (0..screens.into()).collect();
                rect(Rect::new(reason, status, width, height), Encoding::EXTENDED_DESKTOP_SIZE, &layout(&ids))
            }
            Draft::Keys => rect(Rect::default(), Encoding::QEMU_EXTENDED_KEY_EVENT, &[]),
        }
    }
}

impl Line {
    fn write(&self, scene: &mut Scene) -> Vec<u8> {
        match self {
            Line::Bell => vec![2],
            Line::CutText(text) => [&[3, 0, 0, 0], &(text.len() as u32).to_be_bytes()[..], text].concat(),
            Line::Update { rects, last_rect } => {
                let mut bytes: Vec<Vec<u8>> = rects.iter().map(|draft| draft.write(scene)).collect();
                if !*last_rect {
                    return update(&bytes);
                }
                bytes.push(rect(Rect::default(), Encoding::LAST_RECT, &[]));
                update_of(65535, &bytes)
            }
        }
    }
}

fn how() -> impl Strategy<Value = How> {
    let ways = || prop::collection::vec(0u8..4, 1..4);
    prop_oneof![
        4 => (0u8..5, 0u8..4).prop_map(|(way, stream)| How::Tight { way, stream }),
        1 => Just(How::Jpeg),
        3 => ways().prop_map(How::Zrle),
        2 => ways().prop_map(How::Hextile),
        1 => Just(How::Rre),
    ]
}

fn draft() -> impl Strategy<Value = Draft> {
    prop_oneof![
        12 => (any::<[u16; 4]>(), prop_oneof![1u32..20, Just(u32::MAX)], any::<u32>(), how())
            .prop_map(|(place, colours, seed, how)| Draft::Picture { place, colours, seed, how }),
        4 => (any::<[u16; 4]>(), any::<u8>()).prop_map(|(place, fill)| Draft::Raw(place, fill)),
        4 => (any::<[u16; 4]>(), any::<u16>(), any::<u16>()).prop_map(|(place, x, y)| Draft::Copy(place, x, y)),
        1 => (1u16..20, 1u16..20, any::<u8>()).prop_map(|(width, height, fill)| Draft::Cursor(width, height, fill)),
        1 => Just(Draft::Cursor(0, 0, 0)),
        1 => (1u16..40, 1u16..40).prop_map(|(width, height)| Draft::Size(width, height)),
        1 => (0u16..3, 0u16..5, 1u16..40, 1u16..40, 0u8..4).prop_map(|(reason, status, width, height, screens)| {
            Draft::Layout { reason, status, width, height, screens }
        }),
        1 => Just(Draft::Keys),
    ]
}

fn conversation() -> impl Strategy<Value = Vec<Line>> {
    let line = prop_oneof![
        1 => Just(Line::Bell),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Line::CutText),
        4 => (prop::collection::vec(draft(), 0..6), any::<bool>())
            .prop_map(|(rects, last_rect)| Line::Update { rects, last_rect }),
    ];
    prop::collection::vec(line, 0..10)
}

fn write(lines: &[Line]) -> Vec<u8> {
    let mut scene = Scene { size: Size::new(33, 17), sizes: 0, encoder: Encoder::new() };
    lines.iter().fold(greeting(33, 17), |bytes, line| [bytes, line.write(&mut scene)].concat())
}

/// Everything that comes of these chunks: events until the first error, the error, and what was said.
fn outcome<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<Event>, Option<ProtocolError>, Vec<u8>) {
    let mut connection = Connection::new(Config { encodings: ALL, ..Config::default() });
    let (mut events, mut said) = (Vec::new(), Vec::new());
    for chunk in chunks {
        match connection.receive(chunk) {
            Ok(more) => events.extend(more),
            Err(error) => return (events, Some(error), said),
        }
        said.extend(connection.take_output());
    }
    (events, None, said)
}

/// `bytes` in chunks of these lengths, over and over.
fn chunked<'a>(mut bytes: &'a [u8], lengths: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut lengths = lengths.iter().copied().cycle();
    std::iter::from_fn(move || {
        let (now, rest) = bytes.split_at(lengths.next()?.min(bytes.len()));
        bytes = rest;
        (!now.is_empty()).then_some(now)
    })
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_events(lines in conversation(), lengths in prop::collection::vec(1usize..50, 1..8)) {
        let bytes = write(&lines);
        let whole = outcome(std::iter::once(&bytes[..]));
        prop_assert_eq!(&whole.1, &None);
        prop_assert!(whole == outcome(chunked(&bytes, &[1])));
        prop_assert!(whole == outcome(chunked(&bytes, &lengths)));
        let updates = whole.0.iter().filter(|event| matches!(event, Event::Update(_))).count();
        let wanted = lines.iter().filter(|line| matches!(line, Line::Update { .. })).count();
        prop_assert_eq!(updates, wanted);
    }

    #[test]
    fn every_update_fits_the_screen_and_hides_nothing(lines in conversation()) {
        let (events, _, _) = outcome(std::iter::once(&write(&lines)[..]));
        let mut screen = Screen::new(Size::new(33, 17));
        for event in events {
            if let Event::Update(changes) = event {
                prop_assert!(screen.apply(&changes).is_ok());
            }
        }
        prop_assert!(screen.pixels().chunks(4).all(|pixel| pixel[3] == 0));
    }

    #[test]
    fn damaged_bytes_end_the_same_way_in_any_chunking(
        lines in conversation(), place in any::<prop::sample::Index>(), byte in any::<u8>(),
        lengths in prop::collection::vec(1usize..50, 1..8)
    ) {
        let mut bytes = write(&lines);
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let (events, error, _) = outcome(chunked(&bytes, &[1]));
        let (fewer, same, _) = outcome(chunked(&bytes, &lengths));
        prop_assert_eq!(&error, &same);
        prop_assert!(events.starts_with(&fewer), "what comes before an error in its chunk is lost, no more");
        prop_assert!(error.is_some() || events == fewer);
        if let Some(error) = error {
            prop_assert!(error.to_string().len() < 1000 && error.to_string().chars().all(|c| !c.is_control()));
        }
    }

    #[test]
    fn garbage_after_the_handshake_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut connection = ready_for(ALL, 16, 16);
        let mut screen = Screen::new(Size::new(16, 16));
        for event in connection.receive(&bytes).unwrap_or_default() {
            if let Event::Update(changes) = event {
                prop_assert!(screen.apply(&changes).is_ok());
            }
        }
    }
}
