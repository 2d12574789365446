//! What an Xvnc sends of its whole screen, several times over, in the encodings that it is asked for and nothing else.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use portcullis_rfb::desktop::{Config, Connection, Encodings, Event, Jpeg};
use portcullis_rfb::wire::Encoding;

/// Frames in a recording: its zlib streams go on from one to the next.
pub(crate) const FRAMES: u32 = 8;

/// Bytes of a SetPixelFormat, the first that is said after the handshake.
const SET_PIXEL_FORMAT: usize = 20;

/// All that the desktop writes, from its ProtocolVersion on.
pub(crate) fn session(mut stream: UnixStream, wishes: &[Encoding]) -> Vec<u8> {
    // The connection tells the end of each update; of what it says only the handshake and the requests reach the desktop.
    let mut connection =
        Connection::new(Config { encodings: Encodings::remote(Jpeg::Quality(9)), ..Config::default() });
    let (mut session, mut bytes, mut updates) = (Vec::new(), vec![0; 1 << 16], 0);
    while updates < FRAMES {
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "the desktop hung up");
        session.extend(&bytes[..count]);
        for event in connection.receive(&bytes[..count]).unwrap() {
            match event {
                Event::Ready { .. } => {
                    let said = connection.take_output();
                    let begin = said.windows(4).position(|bytes| bytes == [0; 4]).unwrap();
                    stream.write_all(&said[..begin + SET_PIXEL_FORMAT]).unwrap();
                    let list: Vec<[u8; 4]> = wishes.iter().map(|encoding| encoding.0.to_be_bytes()).collect();
                    stream.write_all(&[&[2, 0, 0, wishes.len() as u8], list.as_flattened()].concat()).unwrap();
                    connection.request_update(false);
                }
                Event::Update(_) => {
                    updates += 1;
                    connection.request_update(false);
                }
                other => panic!("{other:?}"),
            }
        }
        stream.write_all(&connection.take_output()).unwrap();
    }
    session
}
