//! What a hostile desktop in a container tries: it reaches nobody, replaces nothing, and takes no more than its own.

use std::process::Output;

use portcullis_proxy::SessionId;
use portcullis_proxy::runtime::Runtime;
use tokio::time::timeout;

use crate::engine::{Gate, SOON, containers_of, docker, said, speaks_rfb};

/// Runs a script as the desktop's user, within the desktop.
fn inside(name: &SessionId, script: &str) -> Output {
    docker(&["exec", &format!("portcullis-{name}"), "sh", "-c", script])
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The address of the Engine's own bridge, which is this machine's.
fn bridge() -> String {
    let format = "{{range .IPAM.Config}}{{.Gateway}}{{end}}";
    let gateway = said(&["network", "inspect", "--format", format, "bridge"]);
    gateway.trim().to_owned()
}

#[tokio::test]
async fn a_desktop_reaches_neither_machine_nor_metadata_nor_others() {
    let gate = Gate::new().await;
    let (desktop, name) = gate.start().await;
    let (other, _) = gate.start().await;
    let listener = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let bridge = bridge();
    for address in ["127.0.0.1", "169.254.169.254", "192.0.2.1", "[fd00:ec2::254]", bridge.as_str()] {
        let tried = inside(&name, &format!("timeout 5 socat -u /dev/null TCP:{address}:{port},connect-timeout=3"));
        assert!(!tried.status.success(), "{address} answers");
        // Its own VNC server, towards a viewer outside.
        inside(&name, &format!("DISPLAY=:1 timeout 5 vncconfig -connect {}:{port}", address.trim_matches(['[', ']'])));
    }
    assert!(listener.accept().is_err(), "something reached this machine");
    // The same words reach whoever can be reached.
    inside(&name, "timeout 20 socat -u TCP-LISTEN:9999,bind=127.0.0.1 /dev/null >/dev/null 2>&1 &");
    let own = inside(&name, "timeout 10 socat -u /dev/null TCP:127.0.0.1:9999,connect-timeout=3,retry=40,interval=0.1");
    assert!(own.status.success(), "{own:?}");

    assert_eq!(words(&inside(&name, "ls /sys/class/net")), "lo\n");
    let seen = inside(&name, "ls -A /run/rfb /run/egress | grep -v : | xargs");
    assert!(words(&seen).contains("/run/rfb': Permission denied") && seen.stdout == b"\n", "{seen:?}");
    let sockets = inside(&name, "find / -xdev -name 'docker*.sock' -o -xdev -name containerd.sock 2>/dev/null");
    assert_eq!(words(&sockets), "");
    // Neither the gate's files nor another desktop's are in sight.
    let path = gate.run.path().display().to_string();
    assert!(words(&inside(&name, &format!("ls {path} 2>&1"))).contains("No such file"));
    for desktop in [desktop, other] {
        desktop.destroy().await;
    }
}

#[tokio::test]
async fn a_socket_that_was_agreed_is_not_replaced() {
    let gate = Gate::new().await;
    let (desktop, name) = gate.start().await;
    for script in [
        "rm -f /run/rfb/rfb.sock",
        "mv /run/rfb/rfb.sock /run/rfb/x",
        "ln -sf /etc/passwd /run/rfb/rfb.sock",
        "mkfifo /run/rfb/fifo",
        "touch /run/rfb/file",
        "mkdir /run/rfb/folder",
    ] {
        let tried = inside(&name, script);
        assert!(!tried.status.success(), "{script}");
    }
    speaks_rfb(desktop.as_ref()).await;
    desktop.destroy().await;
    assert_eq!(gate.left(), 0);
}

/// Before its socket is agreed a desktop may put anything in its place: each is refused by name, and nothing of it is left.
#[tokio::test]
async fn what_is_put_in_the_socket_s_place_is_refused() {
    let gate = Gate::new().await;
    for (script, refusal) in [
        ("ln -s /tmp/elsewhere /run/rfb/rfb.sock", "it is a symbolic link"),
        ("mkfifo /run/rfb/rfb.sock", "it is not a socket"),
    ] {
        let file = format!("FROM {}\nENTRYPOINT [\"sh\", \"-c\", \"{script}; sleep 60\"]\n", crate::engine::image());
        let tag = format!("portcullis-test/hostile:{}", SessionId::generate());
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join("Dockerfile"), file).unwrap();
        said(&["build", "--quiet", "--tag", &tag, &folder.path().display().to_string()]);
        let name = SessionId::generate();
        let template = crate::engine::template(&tag, serde_json::json!({}));
        let refused = gate.runtime.start(&template, &name).await.err().unwrap().to_string();
        said(&["image", "rm", "--force", &tag]);
        assert!(refused.ends_with(refusal), "{refused}");
        assert_eq!((containers_of(name.as_str()), gate.left()), (0, 0));
    }
}

#[tokio::test]
async fn what_it_uses_up_is_its_own() {
    let gate = Gate::new().await;
    let (desktop, name) = gate.start().await;
    let (other, other_name) = gate.start().await;
    let speaks = async || timeout(SOON, speaks_rfb(other.as_ref())).await.unwrap();

    // Processes: as many as there may be, counted by the kernel, and the bomb ends there.
    let container = format!("portcullis-{name}");
    let tried = inside(&name, "i=0; while [ $i -lt 200 ]; do sleep 60 & i=$((i+1)); done 2>/dev/null; echo all");
    assert!(!words(&tried).contains("all"), "{tried:?}");
    let count = said(&["stats", "--no-stream", "--format", "{{.PIDs}}", &container]);
    assert!((56..=64).contains(&count.trim().parse::<u32>().unwrap()), "{count}");
    speaks().await;
    desktop.destroy().await;
    assert_eq!(containers_of(name.as_str()), 0);

    // Disk: what is writable is in memory and has its bound; the root has none.
    let (desktop, name) = gate.start().await;
    let tried = inside(&name, "head -c 80m /dev/zero >/tmp/full; wc -c </tmp/full; rm /tmp/full; echo x >/usr/x");
    assert!(words(&tried).contains("No space left on device"), "{tried:?}");
    let kept = words(&tried).lines().next().and_then(|line| line.trim().parse::<u32>().ok());
    assert!(kept.is_some_and(|kept| kept <= 64 << 20), "{tried:?}");
    assert!(words(&tried).contains("Read-only file system"), "{tried:?}");
    speaks_rfb(desktop.as_ref()).await;

    // Memory: whoever takes too much is killed, or the whole desktop is; nobody else is.
    inside(&name, "head -c 400m /dev/zero | tail");
    speaks().await;
    assert_eq!(containers_of(other_name.as_str()), 1);
    desktop.destroy().await;
    other.destroy().await;
    assert_eq!(gate.left(), 0);
}
