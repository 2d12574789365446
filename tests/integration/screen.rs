//! A second implementation sees the same screen: vnc-rs through the gate, and a direct connection beside it.

use std::time::Duration;

use portcullis_tests::viewer::dial;
use portcullis_tests::{DesktopProbe, Gate, Viewer, until, vnc_rs};
use vnc::{VncEncoding, VncEvent, X11Event};

use super::plan;

/// A picture of B, G, R, 0 pixels that vnc-rs's events are painted into.
struct Picture {
    width: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn take(&mut self, event: VncEvent) {
        match event {
            VncEvent::SetResolution(screen) => {
                self.width = usize::from(screen.width);
                self.pixels = vec![0; self.width * usize::from(screen.height) * 4];
            }
            VncEvent::RawImage(rect, bytes) => {
                let row = usize::from(rect.width) * 4;
                for (index, line) in bytes.chunks_exact(row).enumerate() {
                    let at = ((usize::from(rect.y) + index) * self.width + usize::from(rect.x)) * 4;
                    self.pixels[at..at + row].copy_from_slice(line);
                }
            }
            VncEvent::Copy(to, from) => {
                let before = self.pixels.clone();
                for row in 0..usize::from(to.height) {
                    let source = ((usize::from(from.y) + row) * self.width + usize::from(from.x)) * 4;
                    let target = ((usize::from(to.y) + row) * self.width + usize::from(to.x)) * 4;
                    let length = usize::from(to.width) * 4;
                    self.pixels[target..target + length].copy_from_slice(&before[source..source + length]);
                }
            }
            _ => {}
        }
    }

    fn equals(&self, other: &[u8]) -> bool {
        let colours = |pixels: &[u8]| pixels.chunks_exact(4).flat_map(|pixel| pixel[..3].to_vec()).collect::<Vec<_>>();
        self.pixels.len() == other.len() && colours(&self.pixels) == colours(other)
    }
}

async fn vnc_rs_sees_what_the_desktop_shows(encoding: VncEncoding) {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.pointer(0, 120, 120).await.unwrap();
    viewer.watch("a terminal", |viewer| viewer.count([255, 255, 255]) > 20_000).await.unwrap();
    viewer.text("for i in 1 2 3 4 5 6 7; do ls --color=always /etc | head -40; done\n").await.unwrap();

    let written = |pixels: &[u8]| pixels.chunks_exact(4).filter(|pixel| pixel[..3] != [255; 3]).count();
    viewer.watch("a screen full of text", |viewer| written(&viewer.pixels) > 12_000).await.unwrap();

    let second = api.ticket(&opened.id).await.unwrap();
    let socket = dial(&gate.url, &second, None).await.unwrap();
    let client = vnc_rs::connect(socket, encoding, Default::default()).await.unwrap();
    let mut picture = Picture { width: 0, pixels: Vec::new() };
    // The terminal's cursor blinks in some set-ups: the two pictures are taken again until one pair is of the same moment.
    until("vnc-rs and the desktop agree", async || {
        client.input(X11Event::Refresh).await?;
        let deadline = tokio::time::Instant::now() + Duration::from_millis(200);
        while tokio::time::Instant::now() < deadline {
            match client.poll_event().await? {
                Some(event) => picture.take(event),
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
        let own = desktop.picture().await?;
        Ok(picture.equals(own.pixels()).then_some(()))
    })
    .await
    .unwrap();
    assert!(written(&picture.pixels) > 12_000, "there is something to compare");
    client.close().await.unwrap();
}

#[tokio::test]
async fn vnc_rs_with_tight_sees_what_the_desktop_shows() {
    vnc_rs_sees_what_the_desktop_shows(VncEncoding::Tight).await;
}

#[tokio::test]
async fn vnc_rs_with_raw_sees_what_the_desktop_shows() {
    vnc_rs_sees_what_the_desktop_shows(VncEncoding::Raw).await;
}
