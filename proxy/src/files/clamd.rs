//! clamd, asked over its socket whether a file is known to be harmful: INSTREAM, bounded, with a deadline.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Bytes of a file that are sent at once.
const PIECE: usize = 1 << 17;
/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 1024;
/// How long connecting may take, and any one read or write.
const STALLED: Duration = Duration::from_secs(30);
/// Characters of a signature's name that are told.
const SHOWN: usize = 120;

/// Where clamd listens, and how long a file may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clamd {
    address: Address,
    within: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Address {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

/// What clamd says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// It knows nothing against it.
    Clean,
    /// It is known by this name.
    Known(String),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScanError {
    /// clamd is away.
    #[error("the scanner cannot be reached")]
    Away(#[source] io::Error),
    /// It took too long.
    #[error("the scanner took too long")]
    Late,
    /// It takes no file of this size.
    #[error("the file is larger than the scanner takes")]
    TooLarge,
    /// It could not look into it.
    #[error("the scanner could not look at it")]
    Refused,
}

/// A connection, with or without a path.
trait Peer: Read + Write {}
impl<T: Read + Write> Peer for T {}

impl Clamd {
    /// Reads `unix:/path` or `address:port`; clamd has no other way to know who asks, so an address is this machine's.
    ///
    /// # Errors
    /// How to write it.
    pub fn at(text: &str, within: Duration) -> Result<Self, String> {
        let address = match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Address::Unix(path.into()),
            Some(_) => return Err("the path behind `unix:` begins with a slash".to_owned()),
            None => {
                let address: SocketAddr = text.strip_prefix("tcp:").unwrap_or(text).parse().map_err(|_| {
                    format!("{text:?} is neither unix:/path nor an address and a port such as 127.0.0.1:3310")
                })?;
                Address::Tcp(address)
            }
        };
        Ok(Self { address, within })
    }

    /// Sends a file and waits for the answer; blocks.
    pub(crate) fn scan(&self, file: &mut dyn Read) -> Result<Scanned, ScanError> {
        let until = Instant::now() + self.within;
        let mut peer = self.connect().map_err(ScanError::Away)?;
        let sent = send(peer.as_mut(), file, until);
        if matches!(sent, Err(ScanError::Late)) {
            return Err(ScanError::Late);
        }
        // One that has enough answers and hangs up before all is sent: the answer says why.
        let answer = hear(peer.as_mut(), until);
        match (sent, answer) {
            (Ok(()), answer) => read(&answer?),
            (Err(_), Ok(answer)) if !answer.is_empty() => read(&answer),
            (Err(error), _) => Err(error),
        }
    }

    fn connect(&self) -> io::Result<Box<dyn Peer>> {
        let stalled = Some(STALLED.min(self.within));
        match &self.address {
            Address::Unix(path) => {
                let peer = UnixStream::connect(path)?;
                peer.set_read_timeout(Some(self.within)).and_then(|()| peer.set_write_timeout(stalled))?;
                Ok(Box::new(peer))
            }
            Address::Tcp(address) => {
                let peer = TcpStream::connect_timeout(address, STALLED.min(self.within))?;
                peer.set_read_timeout(Some(self.within)).and_then(|()| peer.set_write_timeout(stalled))?;
                Ok(Box::new(peer))
            }
        }
    }
}

fn send(peer: &mut dyn Peer, file: &mut dyn Read, until: Instant) -> Result<(), ScanError> {
    let away = |error: io::Error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => ScanError::Late,
        _ => ScanError::Away(error),
    };
    peer.write_all(b"zINSTREAM\0").map_err(away)?;
    let mut piece = vec![0; PIECE];
    loop {
        let count = file.read(&mut piece).map_err(ScanError::Away)?;
        let length = u32::try_from(count).unwrap_or(0).to_be_bytes();
        peer.write_all(&length).map_err(away)?;
        if count == 0 {
            return Ok(());
        }
        peer.write_all(piece.get(..count).unwrap_or_default()).map_err(away)?;
        if Instant::now() > until {
            return Err(ScanError::Late);
        }
    }
}

fn hear(peer: &mut dyn Peer, until: Instant) -> Result<String, ScanError> {
    let mut answer = Vec::new();
    let heard = peer.take(MAX_ANSWER).read_to_end(&mut answer);
    match heard {
        Ok(_) => Ok(String::from_utf8_lossy(&answer).into_owned()),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) || Instant::now() > until => {
            Err(ScanError::Late)
        }
        Err(error) => Err(ScanError::Away(error)),
    }
}

/// `stream: OK`, `stream: NAME FOUND`, or what went wrong and `ERROR`.
fn read(answer: &str) -> Result<Scanned, ScanError> {
    let answer = answer.trim_end_matches(['\0', '\n']).trim();
    match answer.strip_prefix("stream: ") {
        Some("OK") => Ok(Scanned::Clean),
        Some(said) if said.ends_with(" FOUND") => {
            let name = said.trim_end_matches(" FOUND").chars().filter(|c| !c.is_control()).take(SHOWN).collect();
            Ok(Scanned::Known(name))
        }
        _ if answer.contains("size limit exceeded") => Err(ScanError::TooLarge),
        _ => Err(ScanError::Refused),
    }
}

impl fmt::Display for Clamd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
            Address::Tcp(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    #[test]
    fn answers_are_read_as_they_are_written() {
        assert_eq!(read("stream: OK\0").unwrap(), Scanned::Clean);
        assert_eq!(read("stream: Eicar.UNOFFICIAL FOUND\0").unwrap(), Scanned::Known("Eicar.UNOFFICIAL".into()));
        assert!(matches!(read("INSTREAM size limit exceeded. ERROR\0"), Err(ScanError::TooLarge)));
        for odd in ["", "stream: ", "OK", "stream: OK FOUND ERROR", "UNKNOWN COMMAND"] {
            assert!(matches!(read(odd), Err(ScanError::Refused)), "{odd}");
        }
    }

    #[test]
    fn places_are_a_path_or_an_address() {
        assert_eq!(Clamd::at("unix:/run/c", SOON).unwrap().to_string(), "unix:/run/c");
        assert_eq!(Clamd::at("tcp:127.0.0.1:3310", SOON).unwrap(), Clamd::at("127.0.0.1:3310", SOON).unwrap());
        for wrong in ["", "unix:run/c", "clamd", "127.0.0.1", "host:3310"] {
            assert!(Clamd::at(wrong, SOON).is_err(), "{wrong}");
        }
    }

    /// One connection of a scanner that does as it is told.
    fn scanned(within: Duration, plays: impl FnOnce(UnixStream) + Send + 'static) -> Result<Scanned, ScanError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clamd");
        let listener = UnixListener::bind(&path).unwrap();
        let playing = std::thread::spawn(move || plays(listener.accept().unwrap().0));
        let clamd = Clamd::at(&format!("unix:{}", path.display()), within).unwrap();
        let result = clamd.scan(&mut &vec![7; 3 * PIECE][..]);
        playing.join().unwrap();
        result
    }

    #[test]
    fn a_scanner_that_hangs_up_early_is_heard_and_one_that_says_nothing_is_late() {
        let early = scanned(SOON, |mut peer| {
            peer.read_exact(&mut [0; 10]).unwrap();
            peer.write_all(b"INSTREAM size limit exceeded. ERROR\0").unwrap();
            peer.shutdown(std::net::Shutdown::Write).unwrap();
            let _ = io::copy(&mut peer, &mut io::sink());
        });
        assert!(matches!(early, Err(ScanError::TooLarge)), "{early:?}");
        let silent = scanned(Duration::from_millis(300), |mut peer| drop(io::copy(&mut peer, &mut io::sink())));
        assert!(matches!(silent, Err(ScanError::Late)), "{silent:?}");
        let gone = Clamd::at("unix:/nowhere/clamd", SOON).unwrap().scan(&mut &b"a"[..]);
        assert!(matches!(gone, Err(ScanError::Away(_))));
    }
}
