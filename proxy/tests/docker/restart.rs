//! An Engine of the test's own is really started anew: its sessions get another desktop, or keep theirs where it lets containers live on.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use portcullis_policy::Subject;
use portcullis_proxy::SessionId;
use portcullis_proxy::runtime::docker::Containers;
use portcullis_proxy::runtime::{Capacity, Desktop, Pool, Runtime, Template};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::engine::{SOON, engine, speaks_rfb};

const IMAGE: &str = "portcullis-test/speaks";
/// A VNC server as far as its first word; as the first process it hears SIGTERM only because it says so.
const SPEAKS: &str = "FROM portcullis/debian:bookworm\nENTRYPOINT [\"perl\", \"-MSocket\", \"-e\", \
    \"$SIG{TERM} = sub { exit }; socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un('/run/rfb/rfb.sock')); listen(S, 9); \
    while (1) { if (accept(C, S)) { syswrite(C, qq(RFB 003.008\\\\n)); close(C) } }\"]\n";

/// An Engine of its own, with its own everything.
struct Own {
    folder: TempDir,
    dockerd: Child,
}

impl Own {
    async fn start() -> Self {
        // Not in /tmp, which may be a file system that layers cannot lie on.
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let dockerd = spawn(folder.path().into(), false);
        let own = Self { folder, dockerd };
        own.answers().await;
        let pipe = format!(
            "/usr/bin/docker --host {} save portcullis/debian:bookworm | /usr/bin/docker --host {host} load && /usr/bin/docker --host {host} build --tag {IMAGE} -",
            engine(),
            host = own.host()
        );
        let mut build =
            Command::new("sh").args(["-c", &pipe]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut build.stdin.take().unwrap(), SPEAKS.as_bytes()).unwrap();
        assert!(build.wait().unwrap().success());
        own
    }

    fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.folder.path().display())
    }

    async fn answers(&self) {
        let look = async {
            while !self.docker(&["version"]).0 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(SOON, look).await.expect("the Engine answers");
    }

    /// Whether a command succeeded, and what it said.
    fn docker(&self, words: &[&str]) -> (bool, String) {
        let output = Command::new("/usr/bin/docker").args(["--host", &self.host()]).args(words).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }

    fn stop(&mut self) {
        kill_process(Pid::from_child(&self.dockerd), Signal::TERM).unwrap();
        self.dockerd.wait().unwrap();
    }

    async fn again(&mut self, live_restore: bool) {
        self.dockerd = spawn(self.folder.path().into(), live_restore);
        self.answers().await;
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let left = self.docker(&["ps", "--all", "--quiet"]).1;
        if !left.is_empty() {
            self.docker(&[&["rm", "--force"], left.lines().collect::<Vec<_>>().as_slice()].concat());
        }
        let _ = kill_process(Pid::from_child(&self.dockerd), Signal::TERM);
        let _ = self.dockerd.wait();
        // One that lets containers live on leaves its data folder mounted.
        let _ = Command::new("umount").arg(self.folder.path().join("data")).stderr(Stdio::null()).status();
    }
}

fn spawn(folder: PathBuf, live_restore: bool) -> Child {
    let at = |name: &str| format!("{}/{name}", folder.display());
    let log = std::fs::File::options().create(true).append(true).open(at("log")).unwrap();
    let mut dockerd = Command::new("dockerd");
    dockerd.args([
        "--host",
        &format!("unix://{}", at("docker.sock")),
        "--data-root",
        &at("data"),
        "--exec-root",
        &at("exec"),
    ]);
    dockerd.args(["--pidfile", &at("pid"), "--bridge", "none", "--iptables=false"]);
    dockerd.arg(format!("--live-restore={live_restore}"));
    dockerd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("dockerd: scripts/setup.sh test")
}

async fn other_than(desktop: &dyn Desktop, name: &str) {
    let replaced = async {
        while desktop.identity().name == name {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, replaced).await.expect("another takes its place");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_over_a_real_restart_of_its_engine() {
    if !rustix::process::geteuid().is_root() {
        // Nobody else can start an Engine.
        return;
    }
    let mut own = Own::start().await;
    let run = TempDir::new().unwrap();
    let template = json!({"name": "t", "size": "640x480", "on_exit": "restart",
        "docker": {"image": IMAGE, "memory_mib": 128, "home_mib": 16, "shm_mib": 16}});
    let template: Template = serde_json::from_value(template).unwrap();
    let runtime = Arc::new(Containers::connect(&own.host(), run.path().join("run")).await.unwrap());
    let shared: Arc<dyn Runtime> = Arc::<Containers>::clone(&runtime);
    let pool = Pool::new(vec![template.clone()], vec![shared], Capacity::default());
    let alice = Subject { name: "alice".into(), groups: Vec::new(), issuer: "local".into() };
    let admission = pool.admit(&template, &alice).await.unwrap();
    let desktop = pool.start(&template, &SessionId::generate(), admission).await.unwrap();
    speaks_rfb(desktop.as_ref()).await;

    // By default an Engine takes its containers with it: another desktop is started once it is back.
    let first = desktop.identity().name;
    own.stop();
    own.again(true).await;
    other_than(desktop.as_ref(), &first).await;
    speaks_rfb(desktop.as_ref()).await;

    // With live-restore they run on, and their end is seen all the same.
    let second = desktop.identity().name;
    own.stop();
    speaks_rfb(desktop.as_ref()).await;
    own.again(true).await;
    speaks_rfb(desktop.as_ref()).await;
    assert_eq!(desktop.identity().name, second);
    assert!(own.docker(&["kill", &format!("portcullis-{second}")]).0);
    other_than(desktop.as_ref(), &second).await;
    speaks_rfb(desktop.as_ref()).await;

    desktop.destroy().await;
    runtime.reap().await.unwrap();
    // An Engine counts the mounts of volumes from before a live restore for as long as it runs.
    own.stop();
    own.again(false).await;
    runtime.reap().await.unwrap();
    for words in [["ps", "--all", "--quiet"], ["volume", "ls", "--quiet"]] {
        assert_eq!(own.docker(&words), (true, String::new()));
    }
    assert_eq!(std::fs::read_dir(run.path().join("run")).unwrap().count(), 0);
}
