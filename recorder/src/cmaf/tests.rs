//! Fragments and their scan; that players take them is shown in `tests/video.rs`.
use std::io::Cursor;

use super::*;

fn file(samples: &[&[u8]]) -> (Vec<u8>, Vec<u64>) {
    let mut bytes = segment_type();
    let mut ends = Vec::new();
    for (n, sample) in (1..).zip(samples) {
        let placed = fragment(n, u64::from(n) * 1000, n == 1, sample);
        assert_eq!(placed.bytes[placed.duration as usize..][..4], [0; 4]);
        bytes.extend(placed.bytes);
        ends.push(bytes.len() as u64);
    }
    (bytes, ends)
}

#[test]
fn the_sample_lies_where_the_fragment_says() {
    let placed = fragment(7, 9, false, b"sample");
    assert_eq!(&placed.bytes[SAMPLE_OFFSET as usize..], b"sample");
}

#[test]
fn whole_fragments_are_found_wherever_the_file_was_cut() {
    let (bytes, ends) = file(&[b"key picture", b"", b"and another"]);
    for cut in 0..=bytes.len() {
        let found = scan(&mut Cursor::new(&bytes[..cut])).unwrap();
        let whole: Vec<u64> = ends.iter().copied().filter(|end| *end <= cut as u64).collect();
        assert_eq!(found.iter().map(|fragment| fragment.end).collect::<Vec<_>>(), whole, "cut at {cut}");
    }
    let found = scan(&mut Cursor::new(&bytes)).unwrap();
    assert_eq!(found.iter().map(|fragment| fragment.at_us).collect::<Vec<_>>(), [1000, 2000, 3000]);
    assert_eq!(found.iter().map(|fragment| fragment.duration_us).collect::<Vec<_>>(), [0; 3]);
}

#[test]
fn a_duration_that_was_filled_in_is_read() {
    let (mut bytes, _) = file(&[b"one", b"two"]);
    let second = scan(&mut Cursor::new(&bytes)).unwrap()[1];
    bytes[second.duration as usize..][..4].copy_from_slice(&40_000u32.to_be_bytes());
    assert_eq!(scan(&mut Cursor::new(&bytes)).unwrap()[1].duration_us, 40_000);
}

#[test]
fn damage_ends_the_scan() {
    let (bytes, ends) = file(&[b"one", b"two"]);
    let second = ends[0] as usize;
    for place in (second..second + 12).chain(second + 24..second + 60) {
        let mut bytes = bytes.clone();
        bytes[place] ^= 0x40;
        assert_eq!(scan(&mut Cursor::new(&bytes)).unwrap().len(), 1, "byte {place}");
    }
}
