//! The gate's decoder and vnc-rs's, each fed with a recording over the same kind of pipe, on one thread.

use std::hint::black_box;
use std::time::{Duration, Instant};

use portcullis_rfb::Change;
use portcullis_rfb::desktop::{Config, Connection, Encodings, Event, Jpeg};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use vnc::{PixelFormat, VncConnector, VncEncoding, VncEvent};

use crate::recorded::FRAMES;
use crate::{READ, SIZE};

/// Pixels of a recording.
const PIXELS: u64 = FRAMES as u64 * SIZE.width as u64 * SIZE.height as u64;

/// The time until the gate has all pixels.
pub(crate) fn gate(session: &[u8]) -> Duration {
    play(session, async |mut stream| {
        let mut connection =
            Connection::new(Config { encodings: Encodings::remote(Jpeg::Quality(9)), ..Config::default() });
        let (mut bytes, mut pixels) = (vec![0; READ], 0);
        while pixels < PIXELS {
            let count = stream.read(&mut bytes).await.unwrap();
            for event in connection.receive(&bytes[..count]).unwrap() {
                if let Event::Update(changes) = event {
                    for change in black_box(changes) {
                        let Change::Pixels { rect, .. } = change else { panic!("{change:?}") };
                        pixels += rect.area();
                    }
                    connection.request_update(false);
                }
            }
            let said = connection.take_output();
            stream.write_all(&said).await.unwrap();
        }
    })
}

/// The time until vnc-rs has them.
pub(crate) fn vnc_rs(session: &[u8], encoding: VncEncoding) -> Duration {
    play(session, async |stream| {
        let connector = VncConnector::new(stream)
            .set_auth_method(async { Ok(String::new()) })
            .add_encoding(encoding)
            .add_encoding(VncEncoding::Raw)
            .set_pixel_format(PixelFormat::bgra());
        let viewer = connector.build().unwrap().try_start().await.unwrap().finish().unwrap();
        let mut pixels = 0;
        while pixels < PIXELS {
            match black_box(viewer.recv_event().await.unwrap()) {
                VncEvent::RawImage(rect, _) => pixels += u64::from(rect.width) * u64::from(rect.height),
                VncEvent::Error(error) => panic!("{error}"),
                _ => {}
            }
        }
    })
}

/// Writes the recording into a pipe, whose other end `viewer` has.
fn play(session: &[u8], viewer: impl AsyncFnOnce(DuplexStream)) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (ours, theirs) = duplex(1 << 20);
    let (mut listening, mut writing) = tokio::io::split(ours);
    let session = session.to_vec();
    let started = Instant::now();
    runtime.block_on(async {
        let writer = tokio::spawn(async move { drop(writing.write_all(&session).await) });
        let listener = tokio::spawn(async move { drop(tokio::io::copy(&mut listening, &mut tokio::io::sink()).await) });
        viewer(theirs).await;
        writer.abort();
        listener.abort();
    });
    started.elapsed()
}
