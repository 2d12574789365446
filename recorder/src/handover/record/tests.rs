//! Records there and back, whole and damaged.
use super::*;
use proptest::prelude::*;

fn bytes(payload: &Payload<'_>) -> Vec<u8> {
    payload.slices().flat_map(|slice| slice.to_vec()).collect()
}

fn any_change() -> impl Strategy<Value = Change> {
    let rect =
        (0u16..50, 0u16..50, 1u16..20, 1u16..20).prop_map(|(x, y, width, height)| Rect::new(x, y, width, height));
    prop_oneof![
        (rect.clone(), any::<u8>()).prop_map(|(rect, seed)| Change::Pixels {
            rect,
            pixels: (0..rect.area() * 4).map(|n| seed.wrapping_add(n as u8)).collect(),
        }),
        (rect, 0u16..50, 0u16..50).prop_map(|(to, x, y)| Change::Copy { to, from: Point::new(x, y) }),
        (0u16..5).prop_map(|side| Change::Cursor(Arc::new(Cursor {
            hotspot: Point::default(),
            size: Size::new(side, side),
            pixels: vec![7; usize::from(side) * usize::from(side) * 4],
        }))),
        (1u16..80, 1u16..80).prop_map(|(width, height)| Change::Resize(Size::new(width, height))),
    ]
}

/// Bands of one rectangle as one change again.
fn joined(changes: Vec<Change>) -> Vec<Change> {
    let mut whole: Vec<Change> = Vec::new();
    for change in changes {
        if let Change::Pixels { rect, pixels } = &change
            && let Some(Change::Pixels { rect: above, pixels: held }) = whole.last_mut()
            && above.x == rect.x
            && above.width == rect.width
            && above.bottom() == u32::from(rect.y)
        {
            above.height += rect.height;
            held.extend_from_slice(pixels);
            continue;
        }
        whole.push(change);
    }
    whole
}

proptest! {
    #[test]
    fn what_is_split_comes_back(changes in prop::collection::vec(any_change(), 0..6), limit in 1usize..4000) {
        let payloads = Payload::split(&changes, limit);
        let mut back = Vec::new();
        for payload in &payloads {
            let bytes = bytes(payload);
            prop_assert_eq!(bytes.len(), payload.len());
            prop_assert_eq!(crc32fast::hash(&bytes), payload.crc());
            let Some(Body::Changes(part)) = Body::from_bytes(Kind::Part, &bytes) else {
                return Err(TestCaseError::fail("unreadable"));
            };
            let alone = part.len() == 1;
            prop_assert!(payload.len() <= limit || alone, "{} bytes in {} changes", payload.len(), part.len());
            back.extend(part);
        }
        prop_assert_eq!(joined(back), joined(changes));
    }

    #[test]
    fn a_header_with_any_bit_flipped_is_none(sequence: u64, at_us: u64, bit in 0usize..HEADER_BYTES * 8) {
        let header = Header { kind: Kind::Update, sequence, revision: 3, at_us, length: 17, crc: 9 };
        let mut bytes = header.to_bytes();
        prop_assert_eq!(Header::from_bytes(&bytes), Some(header));
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(Header::from_bytes(&bytes), None);
    }

    #[test]
    fn garbage_is_read_or_refused_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for kind in [Kind::Part, Kind::Update, Kind::Pointer] {
            let _ = Body::from_bytes(kind, &bytes);
        }
    }
}

#[test]
fn a_header_with_a_payload_over_the_cap_is_none() {
    let header = |length| Header { kind: Kind::Pointer, sequence: 0, revision: 0, at_us: 0, length, crc: 0 };
    let cap = u32::try_from(MAX_PAYLOAD).unwrap();
    assert!(Header::from_bytes(&header(cap).to_bytes()).is_some());
    assert!(Header::from_bytes(&header(cap + 1).to_bytes()).is_none());
}
