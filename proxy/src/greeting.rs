//! The first words with a desktop: a connection, the RFB handshake, and TLS where it is configured.

use portcullis_rfb::desktop::{Config, Connection, Declined, Event};
use portcullis_rfb::{Limits, Size};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::bounds::Bounds;
use crate::link::{Link, Severed, lost, violation};
use crate::outcome::{Outcome, chain};
use crate::permit::SessionId;
use crate::runtime::standing::Standing;
use crate::runtime::{Desktop, Runtime, RuntimeError, Stream, Template};

/// What is read at once during the handshake, in bytes.
const READ_BYTES: usize = 4096;

/// Connects to a desktop that stands already, shakes hands and leaves again: its size.
///
/// # Errors
/// Why no session could be opened on it, in words for its operator.
pub async fn knock(template: &Template) -> Result<Size, String> {
    let desktop = Standing.start(template, &SessionId::generate()).await.map_err(|error| chain(&error))?;
    match greet(desktop.as_ref(), &Bounds::default()).await {
        Ok(link) => Ok(link.size),
        Err(severed) => Err(severed.to_string()),
    }
}

/// Connects and shakes hands.
///
/// # Errors
/// [`Severed::Lost`] when the desktop is away, busy or silent, so that another attempt may succeed; [`Severed::Over`] when it is not the
/// desktop that was configured, does not let the gate in, or breaks the protocol.
pub(crate) async fn greet(desktop: &dyn Desktop, bounds: &Bounds) -> Result<Link, Severed> {
    let stream = desktop.connect().await.map_err(refused)?;
    let silent = |_| Severed::Lost("it did not answer the RFB handshake in time".to_owned());
    timeout(bounds.handshake, shake_hands(desktop, bounds.rfb, stream)).await.map_err(silent)?
}

async fn shake_hands(desktop: &dyn Desktop, limits: Limits, mut stream: Stream) -> Result<Link, Severed> {
    let mut rfb = Connection::new(Config { limits, ..desktop.rfb() });
    let mut buffer = [0; READ_BYTES];
    loop {
        say(&mut stream, &mut rfb).await?;
        let count = stream.read(&mut buffer).await.map_err(lost)?;
        if count == 0 {
            return Err(Severed::Lost("it closed its connection during the handshake".to_owned()));
        }
        let events = rfb.receive(buffer.get(..count).unwrap_or_default()).map_err(|error| violation(&error))?;
        match events.as_slice() {
            [] => {}
            [Event::StartTls] => {
                say(&mut stream, &mut rfb).await?;
                stream = desktop.secure(stream).await.map_err(refused)?;
                rfb.secured();
            }
            [Event::Declined { what, reason }] => return Err(declined(*what, reason)),
            [Event::Ready { size, .. }] => return Ok(Link::new(stream, rfb, *size)),
            _ => {
                let reason = "it speaks before it is asked".to_owned();
                return Err(Outcome::Violation { side: "desktop", reason }.into());
            }
        }
    }
}

/// Writes what there is to say; there may be a password in it.
async fn say(stream: &mut Stream, rfb: &mut Connection) -> Result<(), Severed> {
    let output = Zeroizing::new(rfb.take_output());
    stream.write_all(&output).await.map_err(lost)?;
    stream.flush().await.map_err(lost)
}

fn declined(what: Declined, reason: &str) -> Severed {
    let colon = if reason.is_empty() { "" } else { ": " };
    match what {
        Declined::Connection => Severed::Lost(format!("it turns the gate away{colon}{reason}")),
        // INVARIANT: credentials that failed are not tried again: some desktops lock out who does.
        Declined::Login => {
            Outcome::DesktopRefused { reason: format!("it does not accept the gate's credentials{colon}{reason}") }
                .into()
        }
    }
}

fn refused(error: RuntimeError) -> Severed {
    let reason = chain(&error);
    if error.is_passing() { Severed::Lost(reason) } else { Outcome::DesktopRefused { reason }.into() }
}
