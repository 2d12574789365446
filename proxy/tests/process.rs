//! The `process` runtime against real Xvnc desktops: what starts, what is seen from inside, and that nothing is left of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_proxy::SessionId;
use portcullis_proxy::runtime::process::Processes;
use portcullis_proxy::runtime::{Desktop, Runtime, RuntimeError, Template};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, sleep, timeout};

/// Longer than anything here takes on a busy machine; every wait ends at its condition.
const SOON: Duration = Duration::from_secs(30);

fn template(programs: &[&[&str]]) -> Template {
    serde_json::from_value(serde_json::json!({"name": "t", "size": "640x480", "process": {"programs": programs}}))
        .unwrap()
}

struct Gate {
    _folder: TempDir,
    data: PathBuf,
    runtime: Processes,
}

impl Gate {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        std::fs::write(data.join("secret"), "the gate's own").unwrap();
        Self { runtime: Processes::new(data.join("run")), data, _folder: folder }
    }

    async fn start(&self, programs: &[&[&str]]) -> (Box<dyn Desktop>, SessionId) {
        let session = SessionId::generate();
        (self.runtime.start(&template(programs), &session).await.unwrap(), session)
    }

    /// What is in the run folder.
    fn left(&self) -> Vec<String> {
        names(&self.data.join("run"))
    }

    /// The ledger that the next gate would find.
    fn ledger(&self, session: &SessionId) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.data.join(format!("run/{session}/desktop.json"))).unwrap()).unwrap()
    }
}

fn names(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Every process whose environment names the session, by number.
fn processes_of(session: &SessionId) -> Vec<String> {
    let mark = format!("PORTCULLIS_DESKTOP={session}");
    let mut found = names(Path::new("/proc"));
    found.retain(|pid| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
    });
    found
}

/// The outside path of a file inside the desktop's jail.
fn inside(ledger: &serde_json::Value, path: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{}/root{path}", ledger["inner"]["pid"]))
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let give_up = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < give_up, "waited in vain for {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_desktop_speaks_rfb_and_leaves_nothing() {
    let gate = Gate::new();
    // A program that flees its process group and session is still in the jail.
    let (desktop, session) = gate.start(&[&["setsid", "--fork", "sleep", "1000"]]).await;
    until("the program that fled", || processes_of(&session).iter().any(|pid| runs(pid, "sleep"))).await;

    let mut greeting = [0; 12];
    timeout(SOON, desktop.connect().await.unwrap().read_exact(&mut greeting)).await.unwrap().unwrap();
    assert_eq!(&greeting, b"RFB 003.008\n");

    desktop.destroy().await;
    assert_eq!(processes_of(&session), Vec::<String>::new());
    assert_eq!(gate.left(), Vec::<String>::new());
    assert_eq!(desktop.ended().await, "the desktop was destroyed");
    desktop.destroy().await;
    assert!(matches!(desktop.connect().await, Err(RuntimeError::Connect { .. })));
}

/// A field of /proc/<pid>/stat, counted from 1 as proc(5) does.
fn stat(pid: &str, field: usize) -> i64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(field - 3).unwrap().parse().unwrap()
}

/// Who is in the gate's session has its terminal as /dev/tty: it may write there and, by TIOCSTI, type.
#[tokio::test]
async fn a_desktop_has_nothing_of_the_terminal_that_the_gate_was_started_from() {
    let gate = Gate::new();
    let (desktop, session) = gate.start(&[&["sleep", "1000"]]).await;
    until("a program", || processes_of(&session).iter().any(|pid| runs(pid, "sleep"))).await;
    let (of_session, terminal) = (6, 7);
    let own = stat("self", of_session);
    for pid in processes_of(&session) {
        assert_ne!(stat(&pid, of_session), own, "{pid} is in the gate's session");
        assert_eq!(stat(&pid, terminal), 0);
    }
    desktop.destroy().await;
}

#[tokio::test]
async fn a_fork_bomb_goes_no_further_than_its_limit_and_disturbs_nobody() {
    let gate = Gate::new();
    let (other, _) = gate.start(&[]).await;
    // A user that nothing else here runs as: the kernel counts by user.
    let bomb = "for i in $(seq 300); do sleep 1000 & done; echo all >/tmp/all";
    let template = serde_json::json!({
        "name": "t", "size": "640x480",
        "process": {"programs": [["sh", "-c", bomb]], "user": "games", "pids": 100}
    });
    let session = SessionId::generate();
    let desktop = gate.runtime.start(&serde_json::from_value(template).unwrap(), &session).await.unwrap();
    until("most of what it may have", || processes_of(&session).len() > 50).await;
    assert!(!inside(&gate.ledger(&session), "/tmp/all").exists());
    for pid in processes_of(&session) {
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
        let most = limits.lines().find(|line| line.starts_with("Max processes"));
        assert!(most.is_none_or(|line| line.split_whitespace().nth(2) == Some("100")), "{most:?}");
    }
    assert!(processes_of(&session).len() <= 100);
    let mut greeting = [0; 12];
    timeout(SOON, other.connect().await.unwrap().read_exact(&mut greeting)).await.unwrap().unwrap();
    other.destroy().await;
    desktop.destroy().await;
    assert_eq!(processes_of(&session), Vec::<String>::new());
}

fn runs(pid: &str, program: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == program)
}

#[tokio::test]
async fn a_desktop_sees_neither_the_gate_nor_other_desktops_nor_the_network() {
    let gate = Gate::new();
    let data = gate.data.display();
    let look = format!(
        "id -u; id -un; cat {data}/secret 2>&1; ls {data} /root 2>&1; ls /proc | grep -c '^[0-9]'; tail -n +3 /proc/net/dev | wc -l; \
         for place in /usr/x /etc/x /run/x /run/desktop/x /dev/x /x; do touch $place 2>/dev/null && echo writes $place; done; \
         grep -E 'CapEff|CapPrm|NoNewPrivs' /proc/self/status | tr -d '\\t'; echo done"
    );
    // Looks when its socket's folder is taken from it, which only root can do.
    let settled = if rustix::process::geteuid().is_root() {
        "while touch /run/rfb/x 2>/dev/null; do sleep 0.05; done"
    } else {
        ":"
    };
    let script = format!("{settled}; ( {look} ) >/tmp/seen.part; mv /tmp/seen.part /tmp/seen");
    let (other, _) = gate.start(&[]).await;
    let (desktop, session) = gate.start(&[&["sh", "-c", &script]]).await;
    let seen = inside(&gate.ledger(&session), "/tmp/seen");
    until("the look around", || seen.is_file()).await;
    let seen = std::fs::read_to_string(seen).unwrap();

    let mut lines = seen.lines();
    assert_ne!(lines.next(), Some("0"), "it runs as root");
    assert_eq!(lines.next(), Some("desktop"));
    assert!(seen.contains("No such file or directory") && !seen.contains("the gate's own"), "{seen}");
    assert!(!seen.contains("keys"), "{seen}");
    let processes: u32 = lines.clone().find_map(|line| line.parse().ok()).unwrap();
    assert!(processes < 20, "sees {processes} processes");
    assert!(seen.contains("\n1\nCapPrm"), "one network interface, nothing writable: {seen}");
    assert!(seen.contains("CapPrm:0000000000000000\nCapEff:0000000000000000\nNoNewPrivs:1\n"), "{seen}");
    desktop.destroy().await;
    other.destroy().await;
}

#[tokio::test]
async fn a_program_that_dies_is_no_end_but_the_screen_s_death_is() {
    let gate = Gate::new();
    let (desktop, session) = gate.start(&[&["false"], &["sh", "-c", "echo > /tmp/second; exec sleep 1000"]]).await;
    let second = inside(&gate.ledger(&session), "/tmp/second");
    until("the second program", || second.is_file()).await;
    assert!(timeout(Duration::from_millis(50), desktop.ended()).await.is_err(), "it ended with a program");

    let screen =
        processes_of(&session).into_iter().find(|pid| runs(pid, "Xvnc") || runs(pid, "Xtigervnc")).expect("a screen");
    let killed = std::process::Command::new("kill").args(["-9", &screen]).status().unwrap();
    assert!(killed.success());
    let reason = timeout(SOON, desktop.ended()).await.unwrap();
    assert!(reason.starts_with("the desktop's screen ended (exit status: 137)"), "{reason}");
    until("nothing of it is left", || processes_of(&session).is_empty() && gate.left().is_empty()).await;
}

#[tokio::test]
async fn a_dropped_desktop_and_a_dropped_runtime_end_too() {
    let gate = Gate::new();
    let (desktop, session) = gate.start(&[]).await;
    drop(desktop);
    until("the dropped desktop's end", || processes_of(&session).is_empty() && gate.left().is_empty()).await;

    let (_desktop, session) = gate.start(&[]).await;
    drop(gate.runtime);
    until("the end of all desktops of the runtime", || processes_of(&session).is_empty()).await;
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let gate = Gate::new();
    let start = async |template: Template| {
        gate.runtime.start(&template, &SessionId::generate()).await.err().expect("must fail")
    };

    let missing = start(template(&[&["no-such-program"]])).await;
    assert_eq!(missing.to_string(), "`no-such-program` is not on this machine: install it, or see `portcullis doctor`");
    let docker = serde_json::from_value(serde_json::json!({"name": "d", "docker": {"image": "x"}})).unwrap();
    assert_eq!(start(docker).await.to_string(), "the desktop `d` is not one that the `process` runtime can start");
    assert_eq!(gate.left(), Vec::<String>::new());
}

#[tokio::test]
async fn reaping_ends_what_a_killed_gate_left() {
    let gate = Gate::new();
    assert_eq!(gate.runtime.reap().await.unwrap(), 0);

    // A desktop as a gate would leave it whose jail, for whatever reason, did not die with it.
    let session = SessionId::generate();
    let folder = gate.data.join(format!("run/{session}"));
    std::fs::create_dir_all(folder.join("rfb")).unwrap();
    std::fs::write(folder.join("process"), "").unwrap();
    std::fs::write(folder.join("rfb/left"), "").unwrap();
    let mut orphan = std::process::Command::new("bwrap")
        .args([
            "--unshare-pid",
            "--ro-bind",
            "/",
            "/",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--info-fd",
            "1",
            "--setenv",
            "FOLDER",
        ])
        .arg(&folder)
        .args(["sh", "-c", "setsid sleep 1000 & wait"])
        .env("PORTCULLIS_DESKTOP", session.to_string())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let account: serde_json::Value = serde_json::from_reader(orphan.stdout.take().unwrap()).unwrap();
    until("the orphan's program", || processes_of(&session).iter().any(|pid| runs(pid, "sleep"))).await;
    let started = |pid: u64| -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap()
    };
    let (outer, inner) = (u64::from(orphan.id()), account["child-pid"].as_u64().unwrap());
    let ledger = serde_json::json!({
        "outer": {"pid": outer, "started": started(outer)}, "inner": {"pid": inner, "started": started(inner)}
    });
    std::fs::write(folder.join("desktop.json"), ledger.to_string()).unwrap();

    assert_eq!(gate.runtime.reap().await.unwrap(), 1);
    orphan.wait().unwrap();
    assert_eq!(processes_of(&session), Vec::<String>::new());
    assert_eq!(gate.left(), Vec::<String>::new());
}
