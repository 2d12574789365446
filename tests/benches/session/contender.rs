//! The two that are compared: the gate, and the pair of websockify and ffmpeg that people put together themselves.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use async_trait::async_trait;
use portcullis_tests::gate::Plan;
use portcullis_tests::viewer::{Socket, dial};
use portcullis_tests::{Api, Gate, Opened, until};
use tempfile::TempDir;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::cpu;

/// The terminal that both have: it fills the screen.
const TERMINAL: [&str; 8] = ["xterm", "-fa", "DejaVu Sans Mono", "-fs", "11", "-geometry", "200x56+10+10", "-uc"];

/// Something that puts a desktop before a viewer and records it.
#[async_trait(?Send)]
pub trait Contender {
    /// Connects a viewer's WebSocket.
    async fn dial(&mut self) -> anyhow::Result<Socket>;
    /// Seconds of CPU that desktop, gate and recorder have used.
    fn cpu(&self) -> anyhow::Result<f64>;
    /// Bytes recorded so far.
    fn recorded(&self) -> anyhow::Result<u64>;
    /// Ends everything and returns the bytes recorded in all.
    async fn finish(&mut self) -> anyhow::Result<u64>;
}

/// The gate, with its own desktop and recording.
pub struct Portcullis {
    gate: Gate,
    api: Api,
    opened: Opened,
}

impl Portcullis {
    pub async fn start() -> anyhow::Result<Self> {
        let words: Vec<String> = TERMINAL.iter().map(|word| format!("{word:?}")).collect();
        let desktop = format!(
            "[[desktops]]\nname = \"desk\"\nsize = \"1920x1080\"\nprocess = {{ programs = [[{}]] }}\n",
            words.join(", ")
        );
        let gate = Gate::start(&Plan::new(&desktop)).await?;
        let api = gate.api("bench", "testers", "desk")?;
        let opened = api.open("desk").await?;
        Ok(Self { gate, api, opened })
    }
}

#[async_trait(?Send)]
impl Contender for Portcullis {
    async fn dial(&mut self) -> anyhow::Result<Socket> {
        Ok(dial(&self.gate.url, &self.opened, None).await?)
    }

    fn cpu(&self) -> anyhow::Result<f64> {
        cpu::of_trees(&[self.gate.pid()?])
    }

    fn recorded(&self) -> anyhow::Result<u64> {
        let segments = |folder: PathBuf| size(&folder.join(&self.opened.id).join("video"));
        let vault = self.gate.bundle(&self.opened.id).map(|bundle| size(&bundle)).unwrap_or(0);
        Ok(vault.max(segments(self.gate.data().join("spool"))))
    }

    async fn finish(&mut self) -> anyhow::Result<u64> {
        self.api = self.gate.api("bench", "testers", "desk")?;
        self.api.end(&self.opened.id).await?;
        self.api.wait_gone(&self.opened.id).await?;
        let bytes = size(&self.gate.bundle(&self.opened.id)?);
        self.gate.stop().await?;
        Ok(bytes)
    }
}

/// Xvnc behind websockify, and ffmpeg's x11grab beside it unless nothing is to be recorded.
pub struct Pair {
    folder: TempDir,
    children: Vec<Child>,
    port: u16,
}

impl Pair {
    pub async fn start(recorded: bool) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let display = free_display();
        let rfb = free_port()?;
        let port = free_port()?;
        let mut pair = Self { folder, children: Vec::new(), port };
        let name = format!(":{display}");
        let server = [
            "-geometry",
            "1920x1080",
            "-depth",
            "24",
            "-SecurityTypes",
            "None",
            "-AlwaysShared",
            "-localhost",
            "-FrameRate",
            "60",
            "-nolisten",
            "tcp",
            "-rfbport",
            &rfb.to_string(),
        ]
        .map(str::to_owned);
        pair.spawn(Command::new("Xvnc").arg(&name).args(server))?;
        until("Xvnc listens", async || Ok(std::net::TcpStream::connect(("127.0.0.1", rfb)).ok())).await?;
        pair.spawn(Command::new("openbox").env("DISPLAY", &name))?;
        pair.spawn(Command::new(TERMINAL[0]).args(&TERMINAL[1..]).env("DISPLAY", &name).env("PS1", "$ "))?;
        pair.spawn(Command::new("websockify").arg(format!("127.0.0.1:{port}")).arg(format!("127.0.0.1:{rfb}")))?;
        if recorded {
            let file = pair.file();
            pair.spawn(
                Command::new("ffmpeg")
                    .args(["-v", "error", "-f", "x11grab", "-r", "15", "-video_size", "1920x1080", "-i", &name])
                    .args(["-c:v", "libx264", "-preset", "veryfast"])
                    .arg(&file),
            )?;
        }
        until("websockify listens", async || Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok())).await?;
        Ok(pair)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("screen.mp4")
    }

    fn spawn(&mut self, command: &mut Command) -> anyhow::Result<()> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        self.children.push(child);
        Ok(())
    }
}

#[async_trait(?Send)]
impl Contender for Pair {
    async fn dial(&mut self) -> anyhow::Result<Socket> {
        let mut request = format!("ws://127.0.0.1:{}/", self.port).into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", "binary".parse()?);
        Ok(connect_async(request).await?.0)
    }

    fn cpu(&self) -> anyhow::Result<f64> {
        cpu::of_trees(&self.children.iter().map(Child::id).collect::<Vec<_>>())
    }

    fn recorded(&self) -> anyhow::Result<u64> {
        Ok(std::fs::metadata(self.file()).map(|file| file.len()).unwrap_or(0))
    }

    async fn finish(&mut self) -> anyhow::Result<u64> {
        // ffmpeg first, in good order: it writes the index of its file when it is interrupted.
        for child in self.children.iter_mut().rev() {
            if let Some(pid) = rustix::process::Pid::from_raw(i32::try_from(child.id())?) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
            }
            for _ in 0..100 {
                if child.try_wait()?.is_some() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        self.recorded()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn free_display() -> u32 {
    (200..1000).find(|number| !Path::new(&format!("/tmp/.X11-unix/X{number}")).exists()).unwrap_or(1000)
}

fn size(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(
            |entry| {
                if entry.path().is_dir() { size(&entry.path()) } else { entry.metadata().map_or(0, |file| file.len()) }
            },
        )
        .sum()
}
