//! A desktop that is a script: every byte that it says is a test's, every byte that it hears is kept.

use anyhow::{Context, bail, ensure};
use async_trait::async_trait;
use portcullis_proxy::SessionId;
use portcullis_proxy::runtime::{Desktop, Runtime, RuntimeError, Stream, Template};
use portcullis_rfb::{Rect, Size};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::PATIENCE;

/// What the gate says in the handshake, before its first message: version 3.8, security None, shared.
const ANSWERS: &[u8] = b"RFB 003.008\n\x01\x01";

/// One scripted desktop, as its script sees it.
#[derive(Debug)]
pub struct Puppet {
    mouth: OwnedWriteHalf,
    heard: watch::Receiver<Vec<u8>>,
    answered: usize,
}

impl Puppet {
    /// Says bytes, all of them.
    ///
    /// # Errors
    /// When the gate has closed the connection, or does not read.
    pub async fn say(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(timeout(PATIENCE, self.mouth.write_all(bytes)).await.context("the gate does not read")??)
    }

    /// Waits for an update request that was not waited for before, and then says bytes.
    ///
    /// # Errors
    /// When the gate asks for nothing, or as [`Puppet::say`].
    pub async fn answer(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let answered = self.answered;
        self.hears("an update request", |messages| requests(messages).count() > answered).await?;
        self.answered += 1;
        self.say(bytes).await
    }

    /// As [`Puppet::answer`], and waits until what it said is on the screen: then it is asked again.
    ///
    /// # Errors
    /// As [`Puppet::answer`].
    pub async fn show(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.answer(bytes).await?;
        let answered = self.answered;
        self.hears("another update request", |messages| requests(messages).count() > answered).await
    }

    /// Everything that it has heard, from the first byte of the handshake on.
    #[must_use]
    pub fn heard(&self) -> Vec<u8> {
        self.heard.borrow().clone()
    }

    /// The whole messages that it has heard after the handshake.
    ///
    /// # Errors
    /// When it heard something else than messages of RFC 6143 section 7.5 with their exact lengths, or SetDesktopSize.
    pub fn messages(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        messages(&self.heard.borrow())
    }

    /// Waits until what it has heard satisfies a condition.
    ///
    /// # Errors
    /// When it does not within [`PATIENCE`], or as [`Puppet::messages`].
    pub async fn hears(&mut self, what: &str, holds: impl Fn(&[Vec<u8>]) -> bool) -> anyhow::Result<()> {
        let heard = self.heard.wait_for(|heard| messages(heard).map_or(true, |messages| holds(&messages)));
        timeout(PATIENCE, heard).await.with_context(|| format!("it never heard {what}"))??;
        self.messages().map(drop)
    }
}

/// The update requests among messages.
pub fn requests(messages: &[Vec<u8>]) -> impl Iterator<Item = &Vec<u8>> {
    of_kind(messages, 3)
}

/// The messages of one type.
pub fn of_kind(messages: &[Vec<u8>], kind: u8) -> impl Iterator<Item = &Vec<u8>> {
    messages.iter().filter(move |message| message.first() == Some(&kind))
}

/// Cuts what the gate said into whole messages; a last one that is not whole yet is left out.
fn messages(heard: &[u8]) -> anyhow::Result<Vec<Vec<u8>>> {
    let Some(mut rest) = heard.strip_prefix(ANSWERS) else {
        ensure!(ANSWERS.starts_with(heard), "not the handshake: {}", heard.escape_ascii());
        return Ok(Vec::new());
    };
    let mut messages = Vec::new();
    while let Some(kind) = rest.first() {
        let number = |from: usize, to: usize| {
            rest.get(from..to).map(|field| field.iter().fold(0, |value, byte| value << 8 | usize::from(*byte)))
        };
        let length = match kind {
            0 => Some(20),
            2 => number(2, 4).map(|count| 4 + 4 * count),
            3 => Some(10),
            4 => Some(8),
            5 => Some(6),
            // Below 0: the extended clipboard.
            6 => number(4, 8).map(|length| 8 + length.min((1 << 32) - length)),
            251 => number(6, 7).map(|screens| 8 + 16 * screens),
            other => bail!("a message of type {other} reached the desktop: {}", rest.escape_ascii()),
        };
        let Some(message) = length.and_then(|length| rest.get(..length)) else { break };
        messages.push(message.to_vec());
        rest = &rest[message.len()..];
    }
    Ok(messages)
}

/// What an honest desktop says until it is asked for pixels: version, None, OK, ServerInit.
#[must_use]
pub fn greeting(size: Size, name: &[u8]) -> Vec<u8> {
    let mut bytes = b"RFB 003.008\n\x01\x01\0\0\0\0".to_vec();
    bytes.extend(size.width.to_be_bytes());
    bytes.extend(size.height.to_be_bytes());
    bytes.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
    bytes.extend(u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(name);
    bytes
}

/// A rectangle of an update.
#[must_use]
pub fn rectangle(rect: Rect, encoding: i32, body: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = [rect.x, rect.y, rect.width, rect.height].map(u16::to_be_bytes).concat();
    bytes.extend(encoding.to_be_bytes());
    bytes.extend(body);
    bytes
}

/// A FramebufferUpdate of these rectangles.
#[must_use]
pub fn update(rectangles: &[Vec<u8>]) -> Vec<u8> {
    let count = u16::try_from(rectangles.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[0, 0, count[0], count[1]], rectangles.concat().as_slice()].concat()
}

/// A FramebufferUpdate that fills a rectangle with one colour: blue, green, red and the byte that is none.
#[must_use]
pub fn filled(rect: Rect, pixel: [u8; 4]) -> Vec<u8> {
    update(&[rectangle(rect, 0, &pixel.repeat(usize::from(rect.width) * usize::from(rect.height)))])
}

/// A runtime whose desktops say a greeting and then what their [`Puppet`], which comes out of the channel, is told to.
pub(crate) struct Puppets {
    greeting: Vec<u8>,
    born: mpsc::UnboundedSender<Puppet>,
}

impl Puppets {
    pub(crate) fn new(greeting: Vec<u8>) -> (Self, mpsc::UnboundedReceiver<Puppet>) {
        let (born, puppets) = mpsc::unbounded_channel();
        (Self { greeting, born }, puppets)
    }
}

struct Strings {
    greeting: Vec<u8>,
    born: mpsc::UnboundedSender<Puppet>,
}

#[async_trait]
impl Runtime for Puppets {
    fn name(&self) -> &'static str {
        "process"
    }

    async fn start(&self, _: &Template, _: &SessionId) -> Result<Box<dyn Desktop>, RuntimeError> {
        Ok(Box::new(Strings { greeting: self.greeting.clone(), born: self.born.clone() }))
    }

    async fn reap(&self) -> Result<usize, RuntimeError> {
        Ok(0)
    }

    async fn origin(&self, _: &Template) -> Result<String, RuntimeError> {
        Ok(String::new())
    }
}

#[async_trait]
impl Desktop for Strings {
    async fn connect(&self) -> Result<Stream, RuntimeError> {
        let failed = |source| RuntimeError::Connect { path: "/nowhere".into(), source };
        let (near, far) = UnixStream::pair().map_err(failed)?;
        let (mut ear, mut mouth) = far.into_split();
        mouth.write_all(&self.greeting).await.map_err(failed)?;
        let (sender, heard) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(count @ 1..) = ear.read(&mut buffer).await {
                sender.send_modify(|heard| heard.extend_from_slice(&buffer[..count]));
            }
        });
        // A test that has gone wants no puppet.
        let _ = self.born.send(Puppet { mouth, heard, answered: 0 });
        Ok(Box::new(near))
    }

    async fn ended(&self) -> String {
        std::future::pending().await
    }

    async fn destroy(&self) {}
}
