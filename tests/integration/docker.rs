//! Sessions in real containers, through a real gate: seen, typed into, files in and out, a page by the egress proxy, less by policy, proved; and
//! nothing is left, whichever way it ends. `./test` starts an Engine and builds the image before this runs.

use portcullis_tests::engine::{docker, host, image};
use portcullis_tests::gate::Plan;
use portcullis_tests::{Api, Gate, Opened, Viewer, until};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{events, of_type};

const ENTER: u32 = 0xff0d;
/// What the image's terminal has behind its text, as blue, green, red.
const TERMINAL: [u8; 3] = [0x23, 0x1f, 0x1d];
const ALL: &str = "policy: tests\napplies: {groups: [testers]}\nallow:\n  open: {}\n  control: {}\n  upload: {max_bytes: 1 MiB}\n  download: {max_bytes: 1 MiB}\n";
/// Asks for a page by the desktop's way out, and lays it where files go out.
const ASK: &str = "cd /home/transfer\nprintf 'GET http://site.example/page HTTP/1.1\\r\\nHost: site.example\\r\\n\\r\\n' | \
    socat -t 20 - TCP:127.0.0.1:3128 >part\nmv part \"$1\"\n";

/// An egress proxy with one page for whatever is asked.
async fn proxy() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while let Ok(byte) = stream.read_u8().await {
                head.push(byte);
                if head.ends_with(b"\r\n\r\n") {
                    break;
                }
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\na page from outside").await;
        }
    });
    port
}

/// A gate with one desktop of the image `terminal`, and more in its table.
async fn gate(more: &str, config: &str) -> Gate {
    let (host, image) = (host().unwrap(), image("terminal"));
    let limits = "memory_mib = 256, home_mib = 32, shm_mib = 32, transfer_mib = 16";
    let config = format!(
        "{config}\n[docker]\nhost = \"{host}\"\n[[desktops]]\nname = \"desk\"\nsize = \"640x480\"\n{more}\n\
         docker = {{ image = \"{image}\", {limits} }}\n"
    );
    Gate::start(&Plan::new(&config).policy("tests.yaml", ALL)).await.unwrap()
}

/// Somebody with a fresh token: one is good for a minute.
fn asking(gate: &Gate, subject: &str) -> Api {
    gate.api(subject, "testers", "desk").unwrap()
}

async fn stands_ready(gate: &Gate) {
    until("a desktop stands ready", async || {
        let list = asking(gate, "alice").get("/api/desktops").await?;
        Ok((list["desktops"][0]["state"] == "warm").then_some(()))
    })
    .await
    .unwrap();
}

/// The events so far of a live session.
fn so_far(gate: &Gate, session: &str) -> Vec<Value> {
    events(&gate.data().join("spool").join(session).join("bundle")).unwrap_or_default()
}

/// Containers, volumes and networks of a gate, and what is in its run folder.
fn left(gate: &Gate) -> [usize; 4] {
    let run = gate.data().join("run/docker").canonicalize().unwrap();
    let ours = format!("label=portcullis.gate={}", run.display());
    let count = |words: &[&str]| docker(&[words, &["--quiet", "--filter", &ours]].concat()).unwrap().lines().count();
    let sockets = std::fs::read_dir(&run).unwrap().count();
    [count(&["ps", "--all"]), count(&["volume", "ls"]), count(&["network", "ls"]), sockets]
}

/// A session whose terminal has the keyboard.
async fn at_a_terminal(gate: &Gate) -> (Opened, Viewer) {
    let opened = asking(gate, "alice").open("desk").await.unwrap();
    let started = of_type(&so_far(gate, &opened.id), "desktop_started")[0].clone();
    assert!(started["image"].as_str().unwrap().starts_with("sha256:"), "{started}");
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.watch("the terminal is seen", |viewer| viewer.count(TERMINAL) > 50_000).await.unwrap();
    let name = format!("portcullis-{}", started["name"].as_str().unwrap());
    let find = "xdotool search --sync --onlyvisible --class xterm windowactivate --sync";
    docker(&["exec", &name, "sh", "-c", find]).unwrap();
    (opened, viewer)
}

#[tokio::test]
async fn a_session_in_a_container_from_the_first_pixel_to_the_proof() {
    let egress = format!("[egress]\nproxy = \"http://127.0.0.1:{}\"\n", proxy().await);
    let gate = gate("egress = \"proxy\"\nwarm = { count = 1 }", &egress).await;
    stands_ready(&gate).await;
    let (opened, mut viewer) = at_a_terminal(&gate).await;

    let (status, answer) = asking(&gate, "alice").upload(&opened.id, "ask.sh", ASK).await.unwrap();
    assert_eq!(status, 201, "{answer}");
    viewer.text("sh /home/transfer/ask.sh page").await.unwrap();
    viewer.key(ENTER).await.unwrap();
    let page = until("the page came out as a file", async || {
        let (status, file) = asking(&gate, "alice").download(&opened.id, "page").await?;
        Ok((status == 200).then_some(file))
    })
    .await
    .unwrap();
    assert!(page.ends_with(b"a page from outside"), "{}", String::from_utf8_lossy(&page));

    // Less, from now on.
    std::fs::write(gate.policies().join("tests.yaml"), format!("{ALL}desktop: {{egress: deny}}\n")).unwrap();
    until("policy denies it", async || {
        viewer.text("sh /home/transfer/ask.sh other").await?;
        viewer.key(ENTER).await?;
        let denied = |event: &Value| event["effect"] == "deny" && event["rule"] == "tests.yaml:8 desktop.egress";
        Ok(of_type(&so_far(&gate, &opened.id), "egress").into_iter().any(denied).then_some(()))
    })
    .await
    .unwrap();
    let api = asking(&gate, "alice");
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();

    let bundle = gate.bundle(&opened.id).unwrap();
    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound, "{report}");
    let events = events(&bundle).unwrap();
    let count = |kind: &str| of_type(&events, kind).len();
    assert_eq!(of_type(&events, "desktop_started")[0]["warm"], true);
    // What was asked for before it was there was denied.
    let crossed = |kind: &str| of_type(&events, kind).iter().filter(|event| event["effect"] == "permit").count();
    assert_eq!((crossed("upload"), crossed("download"), count("session_closed")), (1, 1, 1));
    let out = of_type(&events, "egress");
    assert!(out.iter().any(|event| event["effect"] == "permit" && event["host"] == "site.example"), "{out:?}");
    assert!(of_type(&events, "egress_ended").iter().any(|event| event["received"].as_u64() > Some(19)));
}

#[tokio::test]
async fn a_gate_that_is_killed_leaves_nothing_behind_once_it_is_back() {
    let mut gate = gate("warm = { count = 1 }", "").await;
    stands_ready(&gate).await;
    let (opened, _viewer) = at_a_terminal(&gate).await;
    stands_ready(&gate).await;
    let live = left(&gate);
    assert!(live[0] >= 2 && live[1] >= 2 && live[3] >= 2, "a session's, and one that stands ready: {live:?}");

    gate.kill().unwrap();
    gate.configure("warm = { count = 1 }", "").unwrap();
    gate.launch().await.unwrap();
    until("nothing is left", async || Ok((left(&gate) == [0; 4]).then_some(()))).await.unwrap();
    let bundle = until("the bundle is recovered", async || {
        Ok(gate.bundle(&opened.id).ok().filter(|bundle| bundle.join("seal.json").exists()))
    })
    .await
    .unwrap();
    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound && report.contains("interrupted"), "{report}");

    // It works on, and leaves nothing when it is ended in order either.
    let _second = at_a_terminal(&gate).await;
    gate.stop().await.unwrap();
    assert_eq!(left(&gate), [0; 4]);
}

#[tokio::test]
async fn who_is_revoked_while_in_line_gets_no_desktop() {
    let gate = gate("", "[capacity]\nmemory_mib = 256\n").await;
    let his = asking(&gate, "bob").open("desk").await.unwrap();
    let hers = asking(&gate, "alice");
    let waiting = tokio::spawn({
        let hers = hers.clone();
        async move { hers.open("desk").await }
    });
    until("she is in line", async || Ok((hers.get("/api/desktops").await?["place"] == 1).then_some(()))).await.unwrap();
    gate.run(&["revoke", "--subject", "alice"]).unwrap();
    until("that is known", async || Ok(hers.get("/api/desktops").await.err())).await.unwrap();
    asking(&gate, "bob").end(&his.id).await.unwrap();
    let refused = waiting.await.unwrap().unwrap_err().to_string();
    assert!(refused.contains("403") && refused.contains("revoked"), "{refused}");
    until("nothing is left", async || Ok((left(&gate) == [0; 4]).then_some(()))).await.unwrap();
}
