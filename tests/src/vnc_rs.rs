//! vnc-rs as an independent viewer over the gate's WebSocket: another implementation of RFB, which shares no code with ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use vnc::{PixelFormat, VncClient, VncConnector, VncEncoding};

use crate::viewer::Socket;

/// Bytes that a viewer received, as RFB counts them.
pub type Received = Arc<AtomicU64>;

/// A WebSocket of binary frames as the byte stream that vnc-rs wants.
pub fn stream(socket: Socket, received: Received) -> impl AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static {
    let (near, far) = tokio::io::duplex(1 << 20);
    let (mut reader, mut writer) = tokio::io::split(far);
    let (mut sink, mut source) = socket.split();
    tokio::spawn(async move {
        while let Some(Ok(message)) = source.next().await {
            if let Message::Binary(bytes) = message {
                received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                if writer.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        }
    });
    tokio::spawn(async move {
        let mut buffer = vec![0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut buffer).await {
            if sink.send(Message::Binary(buffer[..count].to_vec().into())).await.is_err() {
                return;
            }
        }
    });
    near
}

/// Connects vnc-rs with one encoding for pixels beside CopyRect and Raw, and the pixel layout B, G, R, 0.
///
/// # Errors
/// When the handshake fails.
pub async fn connect(socket: Socket, encoding: VncEncoding, received: Received) -> anyhow::Result<VncClient> {
    let connector = VncConnector::new(stream(socket, received))
        .set_auth_method(async { Ok(String::new()) })
        .add_encoding(encoding)
        .add_encoding(VncEncoding::CopyRect)
        .add_encoding(VncEncoding::Raw)
        .allow_shared(true)
        .set_pixel_format(PixelFormat::bgra());
    Ok(connector.build()?.try_start().await?.finish()?)
}
