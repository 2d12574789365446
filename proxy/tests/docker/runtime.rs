//! What a container is: it speaks RFB, may do next to nothing, has the image that its tag meant, and leaves nothing behind.

use portcullis_proxy::SessionId;
use portcullis_proxy::runtime::docker::Containers;
use portcullis_proxy::runtime::{Runtime, RuntimeError, Template};
use serde_json::json;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::engine::{Gate, SOON, containers_of, docker, engine, image, said, speaks_rfb, template};

#[tokio::test]
async fn a_container_speaks_rfb_and_leaves_nothing() {
    let gate = Gate::new().await;
    let (desktop, session) = gate.start().await;
    speaks_rfb(desktop.as_ref()).await;
    assert_eq!(containers_of(session.as_str()), 1);

    desktop.destroy().await;
    assert_eq!((containers_of(session.as_str()), gate.left()), (0, 0));
    assert_eq!(desktop.ended().await, "the desktop was destroyed");
    desktop.destroy().await;
    assert!(matches!(desktop.connect().await, Err(RuntimeError::Connect { .. })));
}

#[tokio::test]
async fn a_container_may_do_next_to_nothing() {
    let gate = Gate::new().await;
    let (desktop, session) = gate.start().await;
    // Families of sockets: AF_ALG, AF_PACKET and AF_VSOCK are refused by the profile (EPERM is 1), not for want of a module.
    let families =
        "perl -e 'print join \" \", map { socket(my $s, $_, 2, 0) ? \"yes\" : $!+0 } 1, 2, 10, 16, 17, 38, 40'";
    let opened = docker(&["exec", &format!("portcullis-{session}"), "sh", "-c", families]);
    assert_eq!(String::from_utf8(opened.stdout).unwrap(), "yes yes yes yes 1 1 1");
    let look = "id -u; ls /sys/class/net | tr '\\n' ' '; \
        for place in /x /etc/x /usr/x /run/x; do touch $place 2>/dev/null && echo writes $place; done; \
        grep -E 'CapPrm|CapEff|CapBnd|NoNewPrivs|^Seccomp:' /proc/self/status | tr -d '\\t'; cat /proc/1/comm";
    let seen = docker(&["exec", &format!("portcullis-{session}"), "sh", "-c", look]);
    let seen = String::from_utf8(seen.stdout).unwrap();
    let expected = "lo CapPrm:0000000000000000\nCapEff:0000000000000000\nCapBnd:0000000000000000\nNoNewPrivs:1\nSeccomp:2\ns6-svscan\n";
    assert!(seen.ends_with(expected), "{seen}");
    assert!(!seen.starts_with("0\n"), "it runs as root");

    let limits = "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} \
        {{.HostConfig.Privileged}} {{len .Mounts}}";
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
    assert!(reason.starts_with("the desktop's container ended"), "{reason}");
    assert!(reason.contains("portcullis: the screen ended"), "{reason}");
    assert_eq!((containers_of(session.as_str()), gate.left()), (0, 0));
}

#[tokio::test]
async fn reaping_ends_what_a_killed_gate_left_and_no_other_gate_s() {
    let (gate, other) = (Gate::new().await, Gate::new().await);
    let (desktop, session) = gate.start().await;
    assert_eq!(other.runtime.reap().await.unwrap(), 0);
    assert_eq!(containers_of(session.as_str()), 1);

    let next = Containers::connect(&engine(), gate.run.path().to_owned()).await.unwrap();
    assert_eq!(next.reap().await.unwrap(), 1);
    assert_eq!((containers_of(session.as_str()), gate.left()), (0, 0));
    timeout(SOON, desktop.ended()).await.unwrap();
}

#[tokio::test]
async fn what_cannot_start_says_why_and_leaves_nothing() {
    let gate = Gate::new().await;
    let session = SessionId::generate();
    let start = async |template: Template| gate.runtime.start(&template, &session).await.err().expect("must fail");

    let missing = start(template("portcullis/no-such-image:latest", json!({}))).await;
    assert_eq!(missing.to_string(), "there is no image `portcullis/no-such-image:latest` in the Docker Engine");
    // An image with no such program.
    let refused = start(template("portcullis/debian:bookworm", json!({}))).await;
    assert!(matches!(refused, RuntimeError::Engine { action: "start a container", .. }), "{refused}");
    assert_eq!((containers_of(session.as_str()), gate.left()), (0, 0));
}

#[tokio::test]
async fn a_tag_is_what_it_meant_when_the_desktop_began() {
    let gate = Gate::new().await;
    let id = said(&["image", "inspect", "--format", "{{.Id}}", &image()]);
    let (desktop, session) = gate.start().await;
    let identity = desktop.identity();
    assert_eq!((identity.image.as_str(), identity.name.as_str()), (id.trim(), session.as_str()));
    let used = said(&["inspect", "--format", "{{.Config.Image}}", &format!("portcullis-{session}")]);
    assert_eq!(used.trim(), id.trim(), "the container names the tag");
    desktop.destroy().await;
}

#[tokio::test]
async fn user_namespaces_are_for_templates_that_say_so() {
    let gate = Gate::new().await;
    for (allowed, extra) in [(false, json!({})), (true, json!({"user_namespaces": true}))] {
        let session = SessionId::generate();
        let desktop = gate.runtime.start(&template(&image(), extra), &session).await.unwrap();
        let tried = docker(&["exec", &format!("portcullis-{session}"), "unshare", "--user", "--map-root-user", "true"]);
        assert_eq!(tried.status.success(), allowed, "{tried:?}");
        desktop.destroy().await;
    }
}

#[tokio::test]
async fn reaping_while_desktops_live_ends_what_is_nobody_s_alone() {
    let gate = Gate::new().await;
    let (desktop, session) = gate.start().await;
    // As after an end while the Engine was away: it runs, and nobody knows it.
    let label = format!("portcullis.gate={}", gate.run.path().canonicalize().unwrap().display());
    let name = format!("portcullis-orphan-{session}");
    let stray = ["run", "-d", "--name", &name, "--network", "none", "--label", &label, "--label"];
    let stray: Vec<&str> =
        stray.into_iter().chain(["portcullis.desktop=orphan", "portcullis/debian:bookworm", "sleep", "600"]).collect();
    said(&stray);
    assert_eq!(gate.runtime.reap().await.unwrap(), 1);
    speaks_rfb(desktop.as_ref()).await;
    assert_eq!((containers_of("orphan"), containers_of(session.as_str())), (0, 1));
    desktop.destroy().await;
}

#[tokio::test]
async fn a_volume_whose_container_never_was_is_reaped() {
    let gate = Gate::new().await;
    let (desktop, session) = gate.start().await;
    let label = format!("portcullis.gate={}", gate.run.path().canonicalize().unwrap().display());
    let volumes = || said(&["volume", "ls", "--quiet", "--filter", &format!("label={label}")]).lines().count();
    assert_eq!(volumes(), 1, "that of the desktop");
    said(&["volume", "create", "--label", &label, "--label", "portcullis.desktop=orphan", &format!("stray-{session}")]);
    said(&["volume", "create", "--label", &label, "--label", "portcullis.home=t", &format!("home-{session}")]);
    assert_eq!((gate.runtime.reap().await.unwrap(), volumes()), (1, 2));
    desktop.destroy().await;
    assert_eq!(volumes(), 1, "a home is nobody's orphan");
    said(&["volume", "rm", &format!("home-{session}")]);
}

/// Between a gate and the Engine: what the Engine's restart looks like, without one that others use.
struct Between {
    path: std::path::PathBuf,
    cut: CancellationToken,
}

impl Between {
    fn open(path: std::path::PathBuf) -> Self {
        let listener = UnixListener::bind(&path).unwrap();
        let cut = CancellationToken::new();
        let engine = engine().trim_start_matches("unix://").to_owned();
        let carrying = async move {
            let mut carried = JoinSet::new();
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut far = UnixStream::connect(&engine).await.unwrap();
                carried.spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
            }
        };
        tokio::spawn(cut.clone().run_until_cancelled_owned(carrying));
        Self { path, cut }
    }

    fn close(&self) {
        self.cut.cancel();
        std::fs::remove_file(&self.path).unwrap();
    }
}

#[tokio::test]
async fn an_engine_that_comes_back_finds_its_desktops_watched() {
    let run = tempfile::TempDir::new().unwrap();
    let place = run.path().join("engine.sock");
    let between = Between::open(place.clone());
    let runtime = Containers::connect(&format!("unix://{}", place.display()), run.path().join("run")).await.unwrap();
    let session = SessionId::generate();
    let desktop = runtime.start(&template(&image(), json!({})), &session).await.unwrap();

    between.close();
    speaks_rfb(desktop.as_ref()).await;
    let between = Between::open(place.clone());
    speaks_rfb(desktop.as_ref()).await;
    // Its end while the Engine is away is seen when that is back.
    between.close();
    said(&["kill", &format!("portcullis-{session}")]);
    let _between = Between::open(place);
    let reason = timeout(SOON, desktop.ended()).await.unwrap();
    assert!(reason.starts_with("the desktop's container ended (exit status: 137)"), "{reason}");
    assert_eq!(containers_of(session.as_str()), 0);
}
