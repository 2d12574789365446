//! `just images-test`: each image in a session through a gate: its programs are there, its windows are seen and typed into, and a page comes by the
//! egress proxy. The images are those that `PORTCULLIS_IMAGES` names, built before by images/build.sh.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use std::process::{Command, Output};

use portcullis_tests::gate::Plan;
use portcullis_tests::{Api, Gate, Opened, Viewer, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const ENTER: u32 = 0xff0d;
/// Finds the terminal's window by its number.
const FIND: &str = "xdotool search --onlyvisible --class xterm";
const PAGE: &str = "<title>a page from outside</title><h1>hello</h1>";

fn tag() -> String {
    std::env::var("PORTCULLIS_IMAGE_TAG").unwrap_or_else(|_| "latest".to_owned())
}

/// Whether an image is to be tested.
fn wanted(image: &str) -> bool {
    let images = std::env::var("PORTCULLIS_IMAGES").unwrap_or_default();
    images.split_whitespace().any(|name| name == image) || images.is_empty()
}

/// An egress proxy with one page for whatever is asked.
async fn proxy() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{PAGE}",
                    PAGE.len()
                );
                stream.write_all(answer.as_bytes()).await
            });
        }
    });
    port
}

struct Desk {
    _gate: Gate,
    api: Api,
    opened: Opened,
    viewer: Viewer,
}

impl Desk {
    async fn open(image: &str) -> Self {
        let host = std::env::var("DOCKER_HOST").expect("DOCKER_HOST: scripts/images-test.sh says it");
        let config = format!(
            "[docker]\nhost = \"{host}\"\n[egress]\nproxy = \"http://127.0.0.1:{}\"\n[[desktops]]\nname = \"desk\"\nsize = \"1024x768\"\negress = \"proxy\"\n\
             docker = {{ image = \"portcullis/{image}:{}\", memory_mib = 2048, pids = 600, cpu_percent = 200, user_namespaces = true, home_executable = true }}\n",
            proxy().await,
            tag()
        );
        let gate = Gate::start(&Plan::new(&config)).await.unwrap();
        let api = gate.api("alice", "testers", "desk").unwrap();
        let opened = api.open("desk").await.unwrap();
        let viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
        Self { _gate: gate, api, opened, viewer }
    }

    fn run(&self, script: &str) -> Output {
        let name = format!("portcullis-{}", self.opened.id);
        Command::new("/usr/bin/docker").args(["exec", &name, "sh", "-c", script]).output().unwrap()
    }

    fn says(&self, script: &str) -> String {
        let output = self.run(script);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    async fn window(&self, name: &str) {
        until(&format!("a window `{name}`"), async || {
            Ok(self.run(&format!("xdotool search --onlyvisible --name '{name}'")).status.success().then_some(()))
        })
        .await
        .unwrap();
    }

    /// Types into the window that has the keyboard, through the gate.
    async fn types(&mut self, text: &str) {
        self.viewer.text(text).await.unwrap();
        self.viewer.key(ENTER).await.unwrap();
    }

    async fn terminal(&mut self) {
        self.run("xdotool search --sync --onlyvisible --class xterm windowactivate --sync");
        self.viewer.watch("the terminal is seen", |viewer| viewer.count([0x23, 0x1f, 0x1d]) > 100_000).await.unwrap();
        self.types("touch /tmp/typed").await;
        until("what was typed happened", async || Ok(self.run("test -e /tmp/typed").status.success().then_some(())))
            .await
            .unwrap();
    }

    async fn browser(&mut self) {
        self.window("Chromium").await;
        self.run("xdotool search --onlyvisible --class chromium windowactivate --sync key ctrl+l");
        self.types("http://site.example/").await;
        self.window("a page from outside").await;
        let sandboxed = self.says("grep -lzx -- '[-]-no-sandbox' /proc/[0-9]*/cmdline | wc -l");
        assert_eq!(sandboxed, "0", "Chromium runs without its own sandbox");
    }

    async fn end(self) {
        self.api.end(&self.opened.id).await.unwrap();
        self.api.wait_gone(&self.opened.id).await.unwrap();
    }
}

#[tokio::test]
async fn terminal() {
    if wanted("terminal") {
        let mut desk = Desk::open("terminal").await;
        desk.terminal().await;
        let fonts = desk.says("fc-list :lang=ja family | head -n 1; fc-list :lang=und-zsye family | head -n 1");
        assert_eq!(fonts.lines().count(), 2, "{fonts}");
        // What is closed comes back: another program, whose window may well have the number of the old one.
        let first = desk.says("grep -lx xterm /proc/[0-9]*/comm");
        desk.types("exit").await;
        let runs = |found: &String| !found.is_empty() && *found != first && !desk.says(FIND).is_empty();
        let another = async || Ok(Some(desk.says("grep -lx xterm /proc/[0-9]*/comm")).filter(runs).map(drop));
        until("another window", another).await.unwrap();
        desk.end().await;
    }
}

#[tokio::test]
async fn browser() {
    if wanted("browser") {
        let mut desk = Desk::open("browser").await;
        desk.browser().await;
        desk.end().await;
    }
}

#[tokio::test]
async fn office() {
    if wanted("office") {
        let desk = Desk::open("office").await;
        desk.window("LibreOffice").await;
        assert!(desk.says("command -v evince; command -v soffice").lines().count() == 2);
        desk.end().await;
    }
}

#[tokio::test]
async fn dev() {
    if wanted("dev") {
        let mut desk = Desk::open("dev").await;
        assert!(desk.says("node --version").starts_with("v20."));
        for tool in ["codex", "claude", "gemini", "git", "npm", "geany"] {
            let output = desk.run(&format!("{tool} --version"));
            assert!(output.status.success(), "{tool}: {output:?}");
        }
        desk.terminal().await;
        desk.browser().await;
        desk.end().await;
    }
}
