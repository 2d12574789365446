//! Scripted desktops on a port of this machine: one that says its lines and closes, one that does as it is told, one that is cut off.

use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);

/// A scripted desktop; gone with the value.
pub(crate) struct Peer {
    /// Where it stands.
    pub(crate) address: String,
    task: JoinHandle<()>,
}

impl Peer {
    /// Answers each connection with `script`, and closes when the other side has closed.
    pub(crate) async fn script(script: Vec<u8>) -> Self {
        Self::serve(move |mut stream| {
            let script = script.clone();
            async move {
                let _ = stream.write_all(&script).await;
                let _ = stream.shutdown().await;
                drain(&mut stream).await;
            }
        })
        .await
    }

    /// Answers each connection by `answer`, one after the other.
    pub(crate) async fn serve<F>(answer: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                answer(stream).await;
            }
        });
        Self { address, task }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The next `count` bytes, or what came of them.
pub(crate) async fn hear(stream: &mut (impl AsyncRead + Unpin), count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    let mut heard = 0;
    while heard < count {
        match timeout(SOON, stream.read(&mut bytes[heard..])).await {
            Ok(Ok(more @ 1..)) => heard += more,
            _ => break,
        }
    }
    bytes.truncate(heard);
    bytes
}

/// All that comes until the other side closes.
pub(crate) async fn drain(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut bytes)).await;
    bytes
}

/// An address of this machine that is not loopback.
pub(crate) fn own_address() -> Option<IpAddr> {
    // No packet is sent: the kernel only says by which address it would go.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

/// A stream that passes on so many bytes of what is written to it, and then no more.
pub(crate) struct Cut {
    inner: TcpStream,
    left: usize,
    written: usize,
    cut: bool,
}

impl Cut {
    pub(crate) fn new(inner: TcpStream, limit: usize) -> Self {
        Self { inner, left: limit, written: 0, cut: false }
    }

    /// Closes as a process does that ends, once the other side has said what it has to say; how much was passed on, and whether more was
    /// to be.
    pub(crate) async fn close(mut self) -> (usize, bool) {
        let _ = self.inner.shutdown().await;
        drain(&mut self.inner).await;
        (self.written, self.cut)
    }
}

impl AsyncRead for Cut {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            self.cut = true;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for Cut {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let passed = bytes.len().min(self.left);
        self.cut |= passed < bytes.len();
        if passed == 0 {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let poll = Pin::new(&mut self.inner).poll_write(context, &bytes[..passed]);
        if let Poll::Ready(Ok(count)) = &poll {
            self.left -= count;
            self.written += count;
        }
        poll
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
