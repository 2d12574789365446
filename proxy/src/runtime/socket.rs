//! Connecting to a socket in a folder that its desktop may control: what is checked is what is connected to.

use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FileType, Mode, OFlags};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout};

use super::{READY_WITHIN, RuntimeError};

/// The socket's file name in a session's `rfb` folder.
pub(super) const SOCKET: &str = "rfb.sock";

/// How long one connection may take; a listener whose queue is full answers nothing.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How often a starting desktop is looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Connects to the socket at `path` if it is one, is no symbolic link, and belongs to the user `owner`, as does its listener.
///
/// INVARIANT: the file is opened once and both judged and connected to through that descriptor, so nothing can be put in its place in
/// between. It also makes the path's length irrelevant (a socket's address holds 107 bytes).
pub(super) async fn connect(path: &Path, owner: u32) -> Result<UnixStream, RuntimeError> {
    let refused = |source: std::io::Error| RuntimeError::Connect { path: path.to_owned(), source };
    let untrusted = |reason| RuntimeError::Untrusted { path: path.to_owned(), reason };

    let place = rustix::fs::open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
        .map_err(|e| refused(e.into()))?;
    let found = rustix::fs::fstat(&place).map_err(|e| refused(e.into()))?;
    match FileType::from_raw_mode(found.st_mode) {
        FileType::Socket => {}
        FileType::Symlink => return Err(untrusted("it is a symbolic link")),
        _ => return Err(untrusted("it is not a socket")),
    }
    if found.st_uid != owner {
        return Err(untrusted("it belongs to another user"));
    }
    let by_descriptor = format!("/proc/self/fd/{}", place.as_raw_fd());
    let stream = timeout(CONNECT_WITHIN, UnixStream::connect(by_descriptor))
        .await
        .map_err(|late| refused(late.into()))?
        .map_err(refused)?;
    if stream.peer_cred().map_err(refused)?.uid() != owner {
        return Err(untrusted("another user listens there"));
    }
    Ok(stream)
}

/// Waits until the socket at `path` accepts, at most [`READY_WITHIN`]; what lies there and is not to be trusted ends the wait at once.
pub(super) async fn wait_until_ready(path: &Path, owner: u32) -> Result<(), RuntimeError> {
    let give_up = Instant::now() + READY_WITHIN;
    loop {
        match connect(path, owner).await {
            Ok(_) => return Ok(()),
            Err(RuntimeError::Connect { .. }) if Instant::now() < give_up => sleep(LOOK_EVERY).await,
            Err(RuntimeError::Connect { .. }) => return Err(RuntimeError::NotReady { waited: READY_WITHIN }),
            Err(other) => return Err(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;
    use tokio::net::UnixListener;

    use super::*;

    fn me() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    async fn refusal(path: &Path, owner: u32) -> String {
        connect(path, owner).await.expect_err("must be refused").to_string()
    }

    #[tokio::test]
    async fn connects_to_its_owner_s_socket_however_long_the_path() {
        let folder = TempDir::new().unwrap();
        let deep = folder.path().join("a".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        let short = folder.path().join("s");
        let listener = UnixListener::bind(&short).unwrap();
        let path = deep.join(SOCKET);
        std::fs::rename(&short, &path).unwrap();

        connect(&path, me()).await.unwrap();
        listener.accept().await.unwrap();
        wait_until_ready(&path, me()).await.unwrap();
    }

    #[tokio::test]
    async fn refuses_what_a_hostile_desktop_may_put_there() {
        let folder = TempDir::new().unwrap();
        let _listener = UnixListener::bind(folder.path().join("real")).unwrap();
        let path = folder.path().join(SOCKET);

        symlink(folder.path().join("real"), &path).unwrap();
        assert!(refusal(&path, me()).await.ends_with("it is a symbolic link"));
        std::fs::remove_file(&path).unwrap();

        std::fs::write(&path, b"").unwrap();
        assert!(refusal(&path, me()).await.ends_with("it is not a socket"));
        std::fs::remove_file(&path).unwrap();

        std::fs::create_dir(&path).unwrap();
        assert!(refusal(&path, me()).await.ends_with("it is not a socket"));
    }

    #[tokio::test]
    async fn refuses_another_user_s_socket() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(SOCKET);
        let _listener = UnixListener::bind(&path).unwrap();
        assert!(refusal(&path, me() + 1).await.ends_with("it belongs to another user"));
    }

    #[tokio::test]
    async fn a_socket_that_nobody_listens_on_is_an_error_and_no_wait() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(SOCKET);
        drop(UnixListener::bind(&path).unwrap());
        assert!(matches!(connect(&path, me()).await, Err(RuntimeError::Connect { .. })));
    }
}
