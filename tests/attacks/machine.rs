//! The machine around a desktop: what it reaches, who reaches it, and what is left of it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use portcullis_tests::gate::Plan;
use portcullis_tests::{Api, DesktopProbe, Gate, Opened, until};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A gate with one desktop that runs.
async fn running() -> (Gate, Api, Opened, DesktopProbe) {
    let desk = "[[desktops]]\nname = \"desk\"\nsize = \"320x240\"\nprocess = { programs = [] }\n";
    let gate = Gate::start(&Plan::new(desk)).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    (gate, api, opened, desktop)
}

/// R9: a connection that the desktop's own VNC server opens to a viewer outside, past the gate, has no way out.
#[tokio::test]
async fn a_desktop_reaches_no_viewer_of_its_own() {
    let (_gate, _, _, desktop) = running().await;
    let outside = TcpListener::bind("0.0.0.0:0").unwrap();
    outside.set_nonblocking(true).unwrap();
    let port = outside.local_addr().unwrap().port();
    for address in ["127.0.0.1".parse().unwrap()].into_iter().chain(own_address()) {
        // It waits for the attempt, and says nothing of how that went in its exit code.
        desktop.run("vncconfig", &["-connect", &format!("{address}:{port}")]).unwrap();
    }
    // The same within the desktop works: those were attempts.
    let inside = listen_inside(desktop.server);
    desktop.run("vncconfig", &["-connect", &inside.local_addr().unwrap().to_string()]).unwrap();
    let (mut stream, _) = until("a reverse connection", async || match inside.accept() {
        Ok(accepted) => Ok(Some(accepted)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error.into()),
    })
    .await
    .unwrap();
    let mut hello = [0; 12];
    stream.set_nonblocking(false).unwrap();
    stream.read_exact(&mut hello).unwrap();
    assert_eq!(&hello, b"RFB 003.008\n");
    let reached = outside.accept();
    assert!(reached.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "{reached:?}");
}

/// This machine's address towards others, where it has one. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// A listener on the loopback of a process's own network.
fn listen_inside(pid: u32) -> TcpListener {
    let bound = std::thread::spawn(move || {
        let network = File::open(format!("/proc/{pid}/ns/net"))?;
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
        TcpListener::bind("127.0.0.1:0")
    });
    let listener = bound.join().unwrap().unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

/// V6, V18: files, sockets and memory of a session are for the gate's user alone, and the desktop is another user without a way to them.
#[tokio::test]
async fn other_users_of_the_machine_are_kept_out() {
    let (gate, _, opened, desktop) = running().await;
    let session = gate.data().join("run/process").join(&opened.id);
    let places = ["", "keys", "spool", "vault", "journal", "run"].map(|place| gate.data().join(place));
    for place in places.iter().chain([&session]) {
        let mode = std::fs::metadata(place).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{}", place.display());
    }
    let socket = std::fs::metadata(session.join("rfb/rfb.sock")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    let process = format!("/proc/{}", desktop.server);
    for namespace in ["ipc", "net", "pid", "mnt", "uts"] {
        let of = |process: &str| std::fs::read_link(Path::new(process).join("ns").join(namespace)).unwrap();
        assert_ne!(of(&process), of("/proc/self"), "{namespace} is shared with the machine");
    }
    if rustix::process::geteuid().is_root() {
        assert_ne!(std::fs::metadata(&process).unwrap().uid(), 0, "the desktop runs as root");
    }
}

/// V16: a desktop has no server of pages and no port: its one way in is a socket that is a file.
#[tokio::test]
async fn a_desktop_listens_on_no_port() {
    let (_gate, _, _, desktop) = running().await;
    let table = |name: &str| std::fs::read_to_string(format!("/proc/{}/net/{name}", desktop.server));
    for name in ["tcp", "tcp6", "udp", "udp6"] {
        let open = table(name).unwrap_or_default().lines().skip(1).count();
        assert_eq!(open, 0, "{name}");
    }
    let unix = table("unix").unwrap();
    let names: Vec<&str> = unix.lines().filter_map(|line| line.split_whitespace().nth(7)).collect();
    assert!(names.contains(&"/run/rfb/rfb.sock"), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with('@')), "no socket without a file: {names:?}");
}

/// W5: a desktop of the same name is another desktop: nothing of the one before is on it.
#[tokio::test]
async fn a_desktop_is_used_once() {
    let (_gate, api, first, desktop) = running().await;
    desktop.run("sh", &["-c", "echo 'left: behind' | xrdb -nocpp -merge && echo behind >/tmp/left"]).unwrap();
    let look = ["-c", "xrdb -query; ls /tmp"];
    assert!(desktop.run("sh", &look).unwrap().contains("behind"));
    api.end(&first.id).await.unwrap();
    api.wait_gone(&first.id).await.unwrap();
    let second = DesktopProbe::find(&api.open("desk").await.unwrap().id).await.unwrap();
    let seen = second.run("sh", &look).unwrap();
    assert!(!seen.contains("left"), "{seen}");
}
