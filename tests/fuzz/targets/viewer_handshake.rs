//! The handshake of a viewer, which is offered None alone: any bytes, in any pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::pieces;
use portcullis_rfb::viewer::{Config, Connection};
use portcullis_rfb::{Limits, Size};

fn outcome(bytes: &[u8], seed: u8) -> (bool, Option<String>, Vec<u8>) {
    let size = Size { width: 16, height: 16 };
    let mut rfb = Connection::new(Config { name: "desk".into(), size, limits: Limits::default(), jpeg: false });
    let mut output = Vec::new();
    for piece in pieces(bytes, seed) {
        let received = rfb.receive(piece);
        output.extend(rfb.take_output());
        if let Err(error) = received {
            return (rfb.is_ready(), Some(error.to_string()), output);
        }
    }
    (rfb.is_ready(), None, output)
}

fuzz_target!(|data: &[u8]| {
    let [seed, bytes @ ..] = data else { return };
    let whole = outcome(bytes, 0);
    let pieces = outcome(bytes, seed | 1);
    assert_eq!((whole.0, &whole.1), (pieces.0, &pieces.1));
    if whole.1.is_none() {
        assert_eq!(whole.2, pieces.2);
    }
    if bytes.len() <= 12 {
        assert!(!whole.0, "ready before it could have chosen");
    }
});
