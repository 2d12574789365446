//! The `docker` runtime against a real Engine and the image of images/terminal: what starts, what it may do, that nothing is left.
//!
//! `./test` starts an Engine and builds the image before this runs; `./test --fast` leaves this out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use portcullis_files::FileName;
use portcullis_proxy::SessionId;
use portcullis_proxy::files::{Spool, SpoolError};
use portcullis_proxy::runtime::docker::Containers;
use portcullis_proxy::runtime::{Desktop, Runtime, RuntimeError, Template, TransferError};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine; every wait ends at its condition.
const SOON: Duration = Duration::from_secs(60);

/// The Engine to use: `DOCKER_HOST`, or the one that scripts/docker-engine.sh started.
fn engine() -> String {
    std::env::var("DOCKER_HOST").unwrap_or_else(|_| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/docker-engine.sh");
        let said = Command::new(script).arg("status").output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let host = said.lines().find_map(|line| line.strip_prefix("DOCKER_HOST=")).map(str::to_owned);
        host.expect(
            "no Docker Engine runs: scripts/docker-engine.sh start, then images/build.sh; or ./test, which does both",
        )
    })
}

fn docker(words: &[&str]) -> Output {
    Command::new("/usr/bin/docker").env("DOCKER_HOST", engine()).args(words).output().unwrap()
}

fn template(image: &str) -> Template {
    serde_json::from_value(serde_json::json!({
        "name": "t", "size": "640x480", "docker": {"image": image, "memory_mib": 256, "cpu_percent": 150, "pids": 64}
    }))
    .unwrap()
}

struct Gate {
    run: TempDir,
    runtime: Containers,
}

impl Gate {
    async fn new() -> Self {
        let run = TempDir::new().unwrap();
        let runtime = Containers::connect(&engine(), run.path().to_owned()).await.unwrap();
        Self { run, runtime }
    }

    async fn start(&self) -> (Box<dyn Desktop>, SessionId) {
        let session = SessionId::generate();
        (self.runtime.start(&template("portcullis/terminal:latest"), &session).await.unwrap(), session)
    }

    fn left(&self) -> usize {
        std::fs::read_dir(self.run.path()).unwrap().count()
    }
}

fn containers_of(session: &SessionId) -> usize {
    let listed = docker(&["ps", "--all", "--quiet", "--filter", &format!("label=portcullis.session={session}")]);
    assert!(listed.status.success());
    String::from_utf8(listed.stdout).unwrap().lines().count()
}

async fn speaks_rfb(desktop: &dyn Desktop) {
    let mut greeting = [0; 12];
    timeout(SOON, desktop.connect().await.unwrap().read_exact(&mut greeting)).await.unwrap().unwrap();
    assert_eq!(&greeting, b"RFB 003.008\n");
}

#[tokio::test]
async fn a_container_speaks_rfb_and_leaves_nothing() {
    let gate = Gate::new().await;
    let (desktop, session) = gate.start().await;
    speaks_rfb(desktop.as_ref()).await;
    assert_eq!(containers_of(&session), 1);

    desktop.destroy().await;
    assert_eq!((containers_of(&session), gate.left()), (0, 0));
    assert_eq!(desktop.ended().await, "the desktop was destroyed");
    desktop.destroy().await;
    assert!(matches!(desktop.connect().await, Err(RuntimeError::Connect { .. })));
}

#[tokio::test]
async fn a_container_may_do_next_to_nothing() {
    let gate = Gate::new().await;
    let (desktop, session) = gate.start().await;
    let look = "id -u; ls /sys/class/net | tr '\\n' ' '; \
        for place in /x /etc/x /usr/x /run/x; do touch $place 2>/dev/null && echo writes $place; done; \
        grep -E 'CapPrm|CapEff|CapBnd|NoNewPrivs' /proc/self/status | tr -d '\\t'; cat /proc/1/comm";
    let seen = docker(&["exec", &format!("portcullis-{session}"), "sh", "-c", look]);
    let seen = String::from_utf8(seen.stdout).unwrap();
    let expected = "lo CapPrm:0000000000000000\nCapEff:0000000000000000\nCapBnd:0000000000000000\nNoNewPrivs:1\ntini\n";
    assert!(seen.ends_with(expected), "{seen}");
    assert!(!seen.starts_with("0\n"), "it runs as root");

    let limits = "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} \
        {{.HostConfig.Privileged}} {{len .Mounts}}";
    // Two places are shared: the folder of its socket, and that of files on their way.
    let set = docker(&["inspect", "--format", limits, &format!("portcullis-{session}")]);
    assert_eq!(String::from_utf8(set.stdout).unwrap().trim(), "268435456 268435456 1500000000 64 false 2");
    desktop.destroy().await;
}

#[tokio::test]
async fn the_screen_s_death_is_the_desktop_s_end() {
    let gate = Gate::new().await;
    let (desktop, session) = gate.start().await;
    let kill = "kill -9 $(grep -lE '^X(tiger)?vnc' /proc/[0-9]*/comm | cut -d/ -f3)";
    assert!(docker(&["exec", &format!("portcullis-{session}"), "sh", "-c", kill]).status.success());
    let reason = timeout(SOON, desktop.ended()).await.unwrap();
    assert!(reason.starts_with("the desktop's container ended (exit status: 137)"), "{reason}");
    assert_eq!((containers_of(&session), gate.left()), (0, 0));
}

#[tokio::test]
async fn reaping_ends_what_a_killed_gate_left_and_no_other_gate_s() {
    let (gate, other) = (Gate::new().await, Gate::new().await);
    let (desktop, session) = gate.start().await;
    assert_eq!(other.runtime.reap().await.unwrap(), 0);
    assert_eq!(containers_of(&session), 1);

    let next = Containers::connect(&engine(), gate.run.path().to_owned()).await.unwrap();
    assert_eq!(next.reap().await.unwrap(), 1);
    assert_eq!((containers_of(&session), gate.left()), (0, 0));
    timeout(SOON, desktop.ended()).await.unwrap();
}

#[tokio::test]
async fn what_cannot_start_says_why_and_leaves_nothing() {
    let gate = Gate::new().await;
    let session = SessionId::generate();
    let start = async |template: Template| gate.runtime.start(&template, &session).await.err().expect("must fail");

    let missing = start(template("portcullis/no-such-image:latest")).await;
    assert_eq!(missing.to_string(), "there is no image `portcullis/no-such-image:latest` in the Docker Engine");
    // An image with no such program.
    let refused = start(template("portcullis/base:bookworm")).await;
    assert!(matches!(refused, RuntimeError::Engine { action: "start a container", .. }), "{refused}");
    assert_eq!((containers_of(&session), gate.left()), (0, 0));
}

#[tokio::test]
async fn files_go_in_and_out_by_the_archive_api_one_plain_file_at_a_time() {
    let gate = Gate::new().await;
    let (desktop, session) = gate.start().await;
    let folder = desktop.transfer().expect("a folder");
    let place = TempDir::new().unwrap();
    let spool = || Spool::create(place.path(), 1 << 20, 0).unwrap();
    let mut file = spool();
    file.write(&vec![b'x'; 70_000]).unwrap();
    let file = file.finish();
    let name = FileName::parse("nöte.txt").unwrap();
    assert_eq!(folder.put(&name, &file).await.unwrap().as_str(), "nöte.txt");
    assert_eq!(folder.put(&name, &file).await.unwrap().as_str(), "nöte (2).txt");
    let container = format!("portcullis-{session}");
    let inside = |command: &str| {
        let output = docker(&["exec", &container, "sh", "-c", command]);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(inside("stat -c '%u %a %s' ~/Transfer/nöte.txt"), "1000 600 70000");
    inside(
        "cd /home/transfer && ln -s /etc/passwd link.txt && mkfifo pipe.txt && mkdir folder.txt && truncate -s 2M large.txt && echo hi >small.txt",
    );
    let listed: Vec<_> =
        folder.list().await.unwrap().into_iter().map(|file| (file.name.to_string(), file.bytes)).collect();
    let expected = [("large.txt", 2 << 20), ("nöte (2).txt", 70_000), ("nöte.txt", 70_000), ("small.txt", 3)];
    assert_eq!(listed, expected.map(|(name, bytes)| (name.to_owned(), bytes)));
    let take = async |name: &str| folder.take(&FileName::parse(name).unwrap(), spool()).await;
    assert_eq!(take("nöte.txt").await.unwrap().finish().sha256, file.sha256);
    for odd in ["link.txt", "pipe.txt", "folder.txt"] {
        assert!(matches!(take(odd).await, Err(TransferError::NotAFile)), "{odd}");
    }
    assert!(matches!(take("large.txt").await, Err(TransferError::Spool(SpoolError::TooLarge { .. }))));
    assert!(matches!(take("gone.txt").await, Err(TransferError::Missing)));
    let mut big = Spool::create(place.path(), 1 << 30, 0).unwrap();
    for _ in 0..300 {
        big.write(&vec![b'y'; 1 << 20]).unwrap();
    }
    assert!(matches!(folder.put(&name, &big.finish()).await, Err(TransferError::Full)), "the volume has its limit");
    desktop.destroy().await;
}
