//! A viewer whose every byte a test chooses: RFB 3.8 over a WebSocket, Raw pixels only, its picture kept.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::PATIENCE;
use crate::api::Opened;
use crate::clipboard;

/// A viewer's WebSocket.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a viewer was sent beside pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Rectangles of a new picture were taken into [`Viewer::pixels`].
    Update,
    /// Text from the desktop's clipboard.
    CutText(String),
    /// A message of the extended clipboard: its flags, and what follows them.
    Clipboard(u32, Vec<u8>),
    /// The bell.
    Bell,
}

/// A connected viewer after its handshake.
#[derive(Debug)]
pub struct Viewer {
    socket: Socket,
    bytes: Vec<u8>,
    /// Width of the screen in pixels.
    pub width: usize,
    /// Height of the screen in pixels.
    pub height: usize,
    /// The label in ServerInit.
    pub name: String,
    /// The picture: B, G, R, 0 a pixel.
    pub pixels: Vec<u8>,
    /// Every ExtendedDesktopSize so far: reason, status, width, height.
    pub layouts: Vec<[usize; 4]>,
    /// The gate has agreed on QEMU's extended keys.
    pub extended_keys: bool,
}

/// Opens the WebSocket of a session and stops there.
///
/// # Errors
/// When the gate answers with something else than 101; [`refused`] reads it.
pub async fn dial(url: &str, opened: &Opened, origin: Option<&str>) -> Result<Socket, tungstenite::Error> {
    dial_as(url, &opened.rfb, &format!("binary, ticket.{}", opened.ticket), origin).await
}

/// Opens a WebSocket with any path and subprotocols.
///
/// # Errors
/// When the gate answers with something else than 101.
pub async fn dial_as(
    url: &str,
    path: &str,
    protocols: &str,
    origin: Option<&str>,
) -> Result<Socket, tungstenite::Error> {
    let mut request = format!("{}{path}", url.replacen("http", "ws", 1)).into_client_request()?;
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", HeaderValue::from_str(protocols)?);
    if let Some(origin) = origin {
        headers.insert("origin", HeaderValue::from_str(origin)?);
    }
    // Small messages go at once, as from a browser.
    connect_async_with_config(request, None, true).await.map(|(socket, _)| socket)
}

/// The status and problem with which a WebSocket was refused.
///
/// # Errors
/// When it was not refused by HTTP.
pub fn refused(result: Result<Socket, tungstenite::Error>) -> anyhow::Result<(StatusCode, String)> {
    match result {
        Err(tungstenite::Error::Http(answer)) => {
            let text = answer.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
            Ok((answer.status(), text))
        }
        Err(error) => bail!("refused in another way: {error}"),
        Ok(_) => bail!("the gate let it in"),
    }
}

impl Viewer {
    /// Connects with a ticket, shakes hands, and asks for Raw and DesktopSize alone.
    ///
    /// # Errors
    /// When any step fails.
    pub async fn connect(url: &str, opened: &Opened) -> anyhow::Result<Self> {
        Self::connect_with(url, opened, &[0, -223]).await
    }

    /// Connects and asks for these encodings (SetEncodings, RFC 6143 section 7.5.2); of them [`Viewer::hear`] understands Raw,
    /// DesktopSize, ExtendedDesktopSize and QEMU's extended keys.
    ///
    /// # Errors
    /// When any step fails.
    pub async fn connect_with(url: &str, opened: &Opened, encodings: &[i32]) -> anyhow::Result<Self> {
        let mut viewer = Self::handshake(dial(url, opened, None).await?).await?;
        let count = u16::try_from(encodings.len())?.to_be_bytes();
        let listed: Vec<u8> = encodings.iter().flat_map(|encoding| encoding.to_be_bytes()).collect();
        viewer.send(&[&[2, 0, count[0], count[1]], listed.as_slice()].concat()).await?;
        Ok(viewer)
    }

    /// Connects as [`Viewer::connect`] does, and speaks the extended clipboard: it has the gate's caps and has said its own.
    ///
    /// # Errors
    /// When any step fails.
    pub async fn connect_extended(url: &str, opened: &Opened) -> anyhow::Result<Self> {
        let mut viewer = Self::handshake(dial(url, opened, None).await?).await?;
        viewer.send(&clipboard::encodings()).await?;
        let flags = clipboard::CAPS | clipboard::REQUEST | clipboard::PEEK | clipboard::NOTIFY | clipboard::PROVIDE;
        let wanted = Heard::Clipboard(flags | clipboard::TEXT, vec![0; 4]);
        // What the desktop has just copied may come before, in the classic form: the gate did not know of this one yet.
        let mut first = viewer.hear().await?;
        while matches!(first, Heard::CutText(_) | Heard::Bell) {
            first = viewer.hear().await?;
        }
        ensure!(first == wanted, "not the gate's caps: text, nothing unasked");
        viewer.send(&clipboard::caps(0)).await?;
        Ok(viewer)
    }

    /// Shakes hands over an open WebSocket.
    ///
    /// # Errors
    /// When the gate does not offer RFB 3.8 without further authentication.
    pub async fn handshake(socket: Socket) -> anyhow::Result<Self> {
        let mut viewer = Self {
            socket,
            bytes: Vec::new(),
            width: 0,
            height: 0,
            name: String::new(),
            pixels: Vec::new(),
            layouts: Vec::new(),
            extended_keys: false,
        };
        ensure!(viewer.take(12).await? == b"RFB 003.008\n", "not RFB 3.8");
        viewer.send(b"RFB 003.008\n").await?;
        ensure!(viewer.take(2).await? == [1, 1], "not exactly the security type None");
        viewer.send(&[1]).await?;
        ensure!(viewer.take(4).await? == [0; 4], "the security result is not OK");
        viewer.send(&[1]).await?;
        let start = viewer.take(24).await?;
        viewer.resize(number(&start[0..2]), number(&start[2..4]));
        let name = viewer.take(number(&start[20..24])).await?;
        viewer.name = String::from_utf8(name)?;
        Ok(viewer)
    }

    /// Sends bytes in one binary frame.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::Binary(bytes.to_vec().into())).await?)
    }

    /// Sends any WebSocket message.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send_message(&mut self, message: Message) -> anyhow::Result<()> {
        Ok(self.socket.send(message).await?)
    }

    /// FramebufferUpdateRequest of the whole screen.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn request(&mut self, incremental: bool) -> anyhow::Result<()> {
        let (width, height) = (u16::try_from(self.width)?.to_be_bytes(), u16::try_from(self.height)?.to_be_bytes());
        self.send(&[3, u8::from(incremental), 0, 0, 0, 0, width[0], width[1], height[0], height[1]]).await
    }

    /// Presses and releases a key.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn key(&mut self, keysym: u32) -> anyhow::Result<()> {
        for down in [1, 0] {
            let mut message = vec![4, down, 0, 0];
            message.extend(keysym.to_be_bytes());
            self.send(&message).await?;
        }
        Ok(())
    }

    /// Types Latin-1 text; a line feed is Return.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn text(&mut self, text: &str) -> anyhow::Result<()> {
        for character in text.chars() {
            self.key(if character == '\n' { 0xff0d } else { u32::from(character) }).await?;
        }
        Ok(())
    }

    /// Moves the pointer, with buttons held.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn pointer(&mut self, buttons: u8, x: u16, y: u16) -> anyhow::Result<()> {
        let (x, y) = (x.to_be_bytes(), y.to_be_bytes());
        self.send(&[5, buttons, x[0], x[1], y[0], y[1]]).await
    }

    /// Offers Latin-1 text from the viewer's clipboard.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn cut_text(&mut self, text: &[u8]) -> anyhow::Result<()> {
        let mut message = vec![6, 0, 0, 0];
        message.extend(u32::try_from(text.len())?.to_be_bytes());
        message.extend(text);
        self.send(&message).await
    }

    /// Pastes by the extended clipboard: announces a text, and gives it when it is asked for.
    ///
    /// # Errors
    /// When the gate does not ask.
    pub async fn paste(&mut self, text: &str) -> anyhow::Result<()> {
        self.send(&clipboard::extended(clipboard::NOTIFY | clipboard::TEXT, &[])).await?;
        self.until_asked().await?;
        self.send(&clipboard::provide(text)).await
    }

    /// Waits until the gate asks for the text that was announced.
    ///
    /// # Errors
    /// When it does not.
    pub async fn until_asked(&mut self) -> anyhow::Result<()> {
        let asked = Heard::Clipboard(clipboard::REQUEST | clipboard::TEXT, Vec::new());
        self.until("the gate asks for the text", |heard| (heard == asked).then_some(())).await
    }

    /// Waits until the gate announces a text, asks for it, and has it.
    ///
    /// # Errors
    /// When nothing is announced or provided.
    pub async fn copied(&mut self) -> anyhow::Result<String> {
        let offer = Heard::Clipboard(clipboard::NOTIFY | clipboard::TEXT, Vec::new());
        self.until("a copied text is announced", |heard| (heard == offer).then_some(())).await?;
        self.send(&clipboard::extended(clipboard::REQUEST | clipboard::TEXT, &[])).await?;
        let provided = |heard| match heard {
            Heard::Clipboard(flags, body) if flags == clipboard::PROVIDE | clipboard::TEXT => Some(body),
            _ => None,
        };
        clipboard::provided(&self.until("the copied text is provided", provided).await?)
    }

    /// Hears messages until one is wanted.
    ///
    /// # Errors
    /// When none is within [`PATIENCE`].
    pub async fn until<T>(&mut self, what: &str, wanted: impl Fn(Heard) -> Option<T>) -> anyhow::Result<T> {
        timeout(PATIENCE, async {
            loop {
                let heard = self.hear().await?;
                if heard == Heard::Update {
                    self.request(true).await?;
                } else if let Some(found) = wanted(heard) {
                    return Ok(found);
                }
            }
        })
        .await
        .with_context(|| format!("waited in vain: {what}"))?
    }

    /// The next message of the gate; fails after [`PATIENCE`].
    ///
    /// # Errors
    /// When the connection is gone, silent, or says what was not asked for.
    pub async fn hear(&mut self) -> anyhow::Result<Heard> {
        match self.take(1).await?[0] {
            0 => self.update().await,
            2 => Ok(Heard::Bell),
            3 => {
                let head = self.take(7).await?;
                let length = i32::from_be_bytes([head[3], head[4], head[5], head[6]]);
                let text = self.take(usize::try_from(length.unsigned_abs())?).await?;
                if length >= 0 {
                    return Ok(Heard::CutText(text.into_iter().map(char::from).collect()));
                }
                let (flags, body) = text.split_first_chunk().context("no flags")?;
                Ok(Heard::Clipboard(u32::from_be_bytes(*flags), body.to_vec()))
            }
            other => bail!("message type {other} that was not asked for"),
        }
    }

    /// Hears messages for as long as the gate sends any within `quiet`; returns them all.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn listen(&mut self, quiet: Duration) -> anyhow::Result<Vec<Heard>> {
        let mut heard = Vec::new();
        while let Ok(message) = timeout(quiet, self.hear()).await {
            let message = message?;
            if message == Heard::Update {
                self.request(true).await?;
            }
            heard.push(message);
        }
        Ok(heard)
    }

    /// Every byte that the gate sends until it is silent for `quiet`, or closes.
    pub async fn overhear(&mut self, quiet: Duration) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.bytes);
        while let Ok(Some(Ok(message))) = timeout(quiet, self.socket.next()).await {
            if let Message::Binary(more) = message {
                bytes.extend(more);
            }
        }
        bytes
    }

    /// Takes updates until the picture satisfies a condition.
    ///
    /// # Errors
    /// When it does not within [`PATIENCE`].
    pub async fn watch(&mut self, what: &str, seen: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        timeout(PATIENCE, async {
            self.request(false).await?;
            while !seen(self) {
                if self.hear().await? == Heard::Update {
                    self.request(true).await?;
                }
            }
            Ok(())
        })
        .await
        .with_context(|| format!("never saw: {what}"))?
    }

    /// The pixel's blue, green, red.
    #[must_use]
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 4;
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }

    /// How many pixels have exactly this blue, green, red.
    #[must_use]
    pub fn count(&self, bgr: [u8; 3]) -> usize {
        self.pixels.chunks_exact(4).filter(|pixel| pixel[..3] == bgr).count()
    }

    /// Waits for the close frame, ignoring what comes before it.
    ///
    /// # Errors
    /// When the connection ends without one, or does not end.
    pub async fn closed(&mut self) -> anyhow::Result<CloseFrame> {
        timeout(PATIENCE, async {
            loop {
                match self.socket.next().await.context("the connection ended without a close frame")?? {
                    Message::Close(Some(frame)) => return Ok(frame),
                    Message::Close(None) => bail!("a close frame without a code"),
                    _ => {}
                }
            }
        })
        .await
        .context("the gate does not close")?
    }

    /// Closes as a person does who leaves.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn close(&mut self) -> anyhow::Result<()> {
        Ok(self.socket.close(None).await?)
    }

    async fn update(&mut self) -> anyhow::Result<Heard> {
        let head = self.take(3).await?;
        for _ in 0..number(&head[1..3]) {
            let rect = self.take(12).await?;
            let (x, y, width, height) =
                (number(&rect[0..2]), number(&rect[2..4]), number(&rect[4..6]), number(&rect[6..8]));
            match i32::from_be_bytes([rect[8], rect[9], rect[10], rect[11]]) {
                0 => {
                    let rows = self.take(width * height * 4).await?;
                    for (row, line) in rows.chunks_exact(width * 4).enumerate() {
                        let at = ((y + row) * self.width + x) * 4;
                        self.pixels[at..at + width * 4].copy_from_slice(line);
                    }
                }
                -223 => self.resize(width, height),
                -258 => self.extended_keys = true,
                -308 => {
                    let screens = self.take(4).await?[0];
                    self.take(usize::from(screens) * 16).await?;
                    self.layouts.push([x, y, width, height]);
                    // Pixels of a new size alone go with it.
                    if y == 0 && (width, height) != (self.width, self.height) {
                        self.resize(width, height);
                    }
                }
                other => bail!("encoding {other} that was not asked for"),
            }
        }
        Ok(Heard::Update)
    }

    fn resize(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.pixels = vec![0; width * height * 4];
    }

    async fn take(&mut self, count: usize) -> anyhow::Result<Vec<u8>> {
        while self.bytes.len() < count {
            let message = timeout(PATIENCE, self.socket.next()).await.context("the gate says nothing")?;
            match message.context("the gate closed the connection")?? {
                Message::Binary(bytes) => self.bytes.extend(bytes),
                Message::Ping(_) | Message::Pong(_) => {}
                other => bail!("not RFB: {other:?}"),
            }
        }
        Ok(self.bytes.drain(..count).collect())
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |value, byte| value << 8 | usize::from(*byte))
}
