//! The working minute: typing with the time from key to pixel taken, scrolling, rest; by vnc-rs, the same for both contenders.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::ensure;
use portcullis_tests::PATIENCE;
use portcullis_tests::viewer::Socket;
use portcullis_tests::vnc_rs::{self, Received};
use vnc::{ClientKeyEvent, ClientMouseEvent, VncClient, VncEncoding, VncEvent, X11Event};

/// Keys a second while typing: 60 words a minute.
const TYPING: Duration = Duration::from_millis(200);
/// The longest that a key's pixels are waited for.
const KEY_PATIENCE: Duration = Duration::from_secs(5);
/// What is typed, over and over.
pub const TEXT: &str = "the quick brown fox jumps over the lazy dog and writes a report of it ";

/// Times from key to pixel, in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Latency(Vec<f64>);

impl Latency {
    /// The nearest-rank percentile; nothing without samples.
    pub fn percentile(&self, percent: usize) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
        sorted.get(rank).copied()
    }

    pub fn push(&mut self, milliseconds: f64) {
        self.0.push(milliseconds);
    }

    /// How many are over so many milliseconds.
    pub fn over(&self, milliseconds: f64) -> usize {
        self.0.iter().filter(|time| **time > milliseconds).count()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'a> FromIterator<&'a Self> for Latency {
    fn from_iter<I: IntoIterator<Item = &'a Self>>(each: I) -> Self {
        Self(each.into_iter().flat_map(|latency| latency.0.iter().copied()).collect())
    }
}

/// A viewer in its seat.
pub struct Seat {
    client: VncClient,
    received: Received,
}

impl Seat {
    pub async fn take(socket: Socket) -> anyhow::Result<Self> {
        let received = Received::default();
        let client = vnc_rs::connect(socket, VncEncoding::Tight, Arc::clone(&received)).await?;
        Ok(Self { client, received })
    }

    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Waits for the first picture and a prompt, with the pointer in the terminal.
    pub async fn settle(&mut self) -> anyhow::Result<()> {
        self.point(400, 300).await?;
        let since = Instant::now();
        while self.received() < 1_000 {
            ensure!(since.elapsed() < PATIENCE, "no picture within {PATIENCE:?}: {} bytes", self.received());
            self.rest(Duration::from_millis(100)).await?;
        }
        self.rest(Duration::from_secs(4)).await?;
        self.line("PS1='$ '; clear").await?;
        self.rest(Duration::from_secs(1)).await
    }

    /// 60 seconds: 30 of typing, 10 of scrolling, 20 of rest.
    pub async fn office(&mut self) -> anyhow::Result<Latency> {
        let mut latency = Latency::default();
        let start = Instant::now();
        let mut text = TEXT.chars().cycle();
        let mut due = start;
        while start.elapsed() < Duration::from_secs(30) {
            due += TYPING;
            if let Some(character) = text.next() {
                latency.0.push(self.typed(character).await?);
            }
            self.rest(due.saturating_duration_since(Instant::now())).await?;
        }
        self.key(0xff0d).await?;
        let scrolling = Instant::now();
        while scrolling.elapsed() < Duration::from_secs(10) {
            self.line("seq 1 60").await?;
            self.rest(Duration::from_millis(500)).await?;
        }
        self.rest(Duration::from_secs(60).saturating_sub(start.elapsed())).await?;
        Ok(latency)
    }

    /// Serves the connection for a while, as a viewer that looks on.
    pub async fn rest(&mut self, time: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.take_events(&mut |_| ()).await?;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// Types one key and returns the milliseconds until the first pixels that follow it.
    pub async fn typed(&mut self, character: char) -> anyhow::Result<f64> {
        self.take_events(&mut |_| ()).await?;
        let start = Instant::now();
        self.key(u32::from(character)).await?;
        let mut seen = false;
        while !seen {
            self.take_events(&mut |event| seen |= matches!(event, VncEvent::RawImage(..) | VncEvent::Copy(..))).await?;
            ensure!(start.elapsed() < KEY_PATIENCE, "no pixels within {KEY_PATIENCE:?} of a key");
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        Ok(start.elapsed().as_secs_f64() * 1000.0)
    }

    async fn take_events(&mut self, each: &mut dyn FnMut(&VncEvent)) -> anyhow::Result<()> {
        // One request answered by one update: vnc-rs leaves asking again to its caller.
        let mut updated = false;
        while let Some(event) = self.client.poll_event().await? {
            updated |= matches!(event, VncEvent::RawImage(..) | VncEvent::Copy(..));
            each(&event);
        }
        if updated {
            self.client.input(X11Event::Refresh).await?;
        }
        Ok(())
    }

    pub async fn line(&mut self, text: &str) -> anyhow::Result<()> {
        for character in text.chars() {
            self.key(u32::from(character)).await?;
        }
        self.key(0xff0d).await
    }

    async fn key(&mut self, keysym: u32) -> anyhow::Result<()> {
        for down in [true, false] {
            self.client.input(X11Event::KeyEvent(ClientKeyEvent { keycode: keysym, down })).await?;
        }
        Ok(())
    }

    async fn point(&mut self, x: u16, y: u16) -> anyhow::Result<()> {
        Ok(self
            .client
            .input(X11Event::PointerEvent(ClientMouseEvent { position_x: x, position_y: y, bottons: 0 }))
            .await?)
    }
}
