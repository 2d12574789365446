//! The desktop behind a session, looked at and acted on from its own side.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use portcullis_rfb::desktop::{Config, Connection, Event};
use portcullis_rfb::{Screen, Size};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// The X display and the RFB socket of one session's desktop.
#[derive(Debug, Clone)]
pub struct DesktopProbe {
    display: String,
    /// The process id of its VNC server, as this machine sees it.
    pub server: u32,
    /// The desktop's RFB socket.
    pub socket: PathBuf,
}

impl DesktopProbe {
    /// Finds the desktop of a session among the processes of this machine, once it is whole: its window manager, which comes last and paints
    /// over the root window, answers.
    ///
    /// # Errors
    /// When there is none.
    pub async fn find(session: &str) -> anyhow::Result<Self> {
        let answers = |desktop: &Self| desktop.run("xdotool", &["get_num_desktops"]).is_ok();
        crate::until("the session's desktop runs", async || Ok(look(session).filter(answers))).await
    }

    /// Runs an X program on the desktop and returns what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, program: &str, args: &[&str]) -> anyhow::Result<String> {
        let output = self.command(program, args).output().with_context(|| program.to_owned())?;
        ensure!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The desktop's folder for files, as this machine sees it.
    #[must_use]
    pub fn transfer(&self) -> PathBuf {
        format!("/proc/{}/root/home/transfer", self.server).into()
    }

    /// Starts an X program on the desktop.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self, program: &str, args: &[&str]) -> anyhow::Result<Child> {
        let mut command = self.command(program, args);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        Ok(command.spawn()?)
    }

    /// A program inside the desktop's own namespaces.
    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("--target").arg(self.server.to_string()).args(["--mount", "--ipc", "--net", "--", program]);
        command.args(args).env("DISPLAY", &self.display);
        command
    }

    /// What the desktop calls itself, over a direct RFB connection.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn name(&self) -> anyhow::Result<String> {
        let mut stream = UnixStream::connect(&self.socket).await?;
        let mut rfb = Connection::new(Config::default());
        let mut buffer = vec![0; 1 << 12];
        loop {
            stream.write_all(&rfb.take_output()).await?;
            let count = stream.read(&mut buffer).await?;
            ensure!(count > 0, "the desktop closed its connection");
            if let Some(Event::Ready { name, .. }) = rfb.receive(&buffer[..count])?.into_iter().next() {
                return Ok(name);
            }
        }
    }

    /// The desktop's own picture, over a direct RFB connection.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn picture(&self) -> anyhow::Result<Screen> {
        let mut stream = UnixStream::connect(&self.socket).await?;
        let mut rfb = Connection::new(Config::default());
        let mut screen = Screen::new(Size { width: 1, height: 1 });
        let mut buffer = vec![0; 1 << 16];
        loop {
            stream.write_all(&rfb.take_output()).await?;
            let count = stream.read(&mut buffer).await?;
            ensure!(count > 0, "the desktop closed its connection");
            for event in rfb.receive(&buffer[..count])? {
                match event {
                    Event::Ready { size, .. } => {
                        screen = Screen::new(size);
                        rfb.request_update(false);
                    }
                    Event::Update(changes) => {
                        screen.apply(&changes)?;
                        let pixels =
                            changes.iter().any(|change| matches!(change, portcullis_rfb::Change::Pixels { .. }));
                        if pixels {
                            return Ok(screen);
                        }
                        // The whole picture is still owed: asking for it once more would bring its size once more.
                        rfb.request_update(true);
                    }
                    _ => {}
                }
            }
        }
    }
}

fn look(session: &str) -> Option<DesktopProbe> {
    let mine = format!("PORTCULLIS_SESSION={session}");
    let (mut server, mut display) = (None, None);
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let environment = read_words(&process.path().join("environ"));
        if !environment.contains(&mine) {
            continue;
        }
        if read_words(&process.path().join("cmdline")).first().is_some_and(|program| program.ends_with("Xvnc")) {
            server = Some(pid);
        }
        display =
            display.or_else(|| environment.iter().find_map(|word| word.strip_prefix("DISPLAY=").map(str::to_owned)));
    }
    let server = server?;
    Some(DesktopProbe { display: display?, server, socket: format!("/proc/{server}/root/run/rfb/rfb.sock").into() })
}

fn read_words(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}
