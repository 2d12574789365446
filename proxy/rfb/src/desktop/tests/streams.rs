//! zlib data that is too long, too short, damaged or at its end, in Tight with each filter and in ZRLE.

use flate2::{Compress, Compression, FlushCompress};

use super::encoders::{Deflater, compact};
use super::*;

/// A rectangle of 16x2 whose inflated bytes are known: its encoding, what comes before the length, and the bytes.
fn bodies() -> Vec<(&'static str, Encoding, Vec<u8>, Vec<u8>)> {
    let palette = |colours: u8| [vec![0x40, 1, colours - 1], vec![5; usize::from(colours) * 3]].concat();
    vec![
        ("copy", Encoding::TIGHT, vec![0], vec![7; 96]),
        ("indexed", Encoding::TIGHT, palette(3), vec![2; 32]),
        ("gradient", Encoding::TIGHT, vec![0x40, 2], vec![1; 96]),
        ("zrle raw", Encoding::ZRLE, vec![], [vec![0], vec![9; 96]].concat()),
        ("zrle runs", Encoding::ZRLE, vec![], vec![128, 1, 2, 3, 15, 4, 5, 6, 15]),
        ("zrle solid", Encoding::ZRLE, vec![], vec![1, 1, 2, 3]),
    ]
}

fn framed(encoding: Encoding, head: &[u8], packed: &[u8]) -> Vec<u8> {
    let length =
        if encoding == Encoding::TIGHT { compact(packed.len()) } else { (packed.len() as u32).to_be_bytes().to_vec() };
    [head, &length, packed].concat()
}

fn refused(encoding: Encoding, head: &[u8], packed: &[u8]) -> String {
    refused_body(encoding, 16, 2, &framed(encoding, head, packed))
}

#[test]
fn more_than_the_rectangle_has() {
    for (name, encoding, head, data) in bodies() {
        // A byte more; a match that begins within the data and ends after it; more than is inflated ahead.
        for more in [1, 50, 1000, 300_000] {
            let long = [&data[..], &vec![*data.last().unwrap(); more]].concat();
            let reason = refused(encoding, &head, &Deflater::new().pack(&long));
            assert_eq!(reason, "its zlib data goes on after its last pixel", "{name} and {more}");
        }
    }
}

#[test]
fn less_than_the_rectangle_has() {
    for (name, encoding, head, data) in bodies() {
        for fewer in [0, 1, data.len() - 1] {
            let reason = refused(encoding, &head, &Deflater::new().pack(&data[..fewer]));
            assert!(reason.contains("its zlib data ends"), "{name} of {fewer}: {reason}");
        }
        // The compressed bytes cut short at each place, the flush marker's own included: what is missing then is never guessed.
        let packed = Deflater::new().pack(&data);
        for end in 0..packed.len() - 6 {
            let reason = refused(encoding, &head, &packed[..end]);
            assert!(reason.contains("its zlib data ends"), "{name} up to {end}: {reason}");
        }
    }
}

#[test]
fn a_stream_that_ends() {
    for (name, encoding, head, data) in bodies() {
        let ended = Deflater::new().end(&data);
        // It may end with the rectangle.
        let body = framed(encoding, &head, &ended);
        let mut connection = ready_for(ALL, 16, 2);
        let whole = rect(Rect::new(0, 0, 16, 2), encoding, &body);
        assert_eq!(changes(&mut connection, &update(std::slice::from_ref(&whole))).len(), 1, "{name}");
        // Then there is no more of it, unless it is begun anew.
        let error = connection.receive(&update(&[whole])).unwrap_err();
        assert!(error.reason.contains("its zlib data ends"), "{name}: {error}");
        if encoding == Encoding::TIGHT {
            let mut connection = ready_for(ALL, 16, 2);
            let anew = [vec![head[0] | 1], head[1..].to_vec()].concat();
            let whole = rect(Rect::new(0, 0, 16, 2), encoding, &framed(encoding, &anew, &ended));
            assert_eq!(changes(&mut connection, &update(&[whole.clone(), whole])).len(), 2, "{name}");
        }
        // What follows its end is nothing.
        let slack = [&ended[..], b"hidden"].concat();
        assert_eq!(refused(encoding, &head, &slack), "6 bytes follow the end of its zlib stream", "{name}");
    }
}

#[test]
fn bytes_that_are_no_zlib_data() {
    for (name, encoding, head, data) in bodies() {
        let packed = Deflater::new().pack(&data);
        // No header; a method that is none; a preset dictionary; a block of the reserved type; a checksum that is wrong.
        let checksum = {
            let mut ended = Deflater::new().end(&data);
            *ended.last_mut().unwrap() ^= 1;
            ended
        };
        let dictionary = [&[0x78, 0xbb, 0, 0, 0, 1], &packed[2..]].concat();
        let reserved = [&packed[..2], &[0b111], &packed[3..]].concat();
        for damaged in [vec![0; 40], [&[0x79, 0x9c], &packed[2..]].concat(), dictionary, reserved, checksum] {
            let reason = refused(encoding, &head, &damaged);
            assert!(reason.starts_with("its zlib data is damaged"), "{name}: {reason}");
            assert!(reason.chars().all(|c| !c.is_control()) && reason.len() < 200);
        }
    }
}

#[test]
fn empty_blocks_are_read_past() {
    for (name, encoding, head, data) in bodies() {
        let mut deflater = Deflater::new();
        let packed = [deflater.pack(&data), [0, 0, 0, 0xff, 0xff].repeat(100)].concat();
        let mut connection = ready_for(ALL, 16, 2);
        let first = rect(Rect::new(0, 0, 16, 2), encoding, &framed(encoding, &head, &packed));
        let next = rect(Rect::new(0, 0, 16, 2), encoding, &framed(encoding, &head, &deflater.pack(&data)));
        assert_eq!(changes(&mut connection, &update(&[first, next])).len(), 2, "{name}");
    }
}

#[test]
fn a_piece_that_is_flushed_in_the_middle() {
    // Data without a flush at its end is whole only if its last code is: here it is not, and the rest is not taken from the next.
    for (name, encoding, head, data) in bodies() {
        let mut compress = Compress::new(Compression::new(6), true);
        let mut packed = Vec::with_capacity(4096);
        compress.compress_vec(&data, &mut packed, FlushCompress::None).unwrap();
        let reason = refused(encoding, &head, &packed);
        assert!(reason.contains("its zlib data ends"), "{name}: {reason}");
    }
}

#[test]
fn a_bomb_is_not_inflated() {
    // 64 MiB of zeros in 64 KiB: more than this rectangle may have, and if it were less, more than it needs.
    let bomb = Deflater::new().pack(&vec![0; 64 << 20]);
    assert!(bomb.len() > 60_000);
    assert!(refused(Encoding::ZRLE, &[], &bomb).ends_with("are enough for 16x2"));
    let mut connection = ready_for(ALL, 512, 512);
    let bytes = update(&[rect(Rect::new(0, 0, 512, 512), Encoding::ZRLE, &framed(Encoding::ZRLE, &[], &bomb))]);
    let started = std::time::Instant::now();
    let error = connection.receive(&bytes).unwrap_err();
    assert_eq!(error.reason, "its zlib data goes on after its last pixel");
    assert!(started.elapsed().as_secs() < 5);
    let Phase::Broken(_) = connection.phase else { panic!("goes on") };
}
