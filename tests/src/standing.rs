//! Desktops that no gate starts: Xvnc, Xvfb with x11vnc, and QEMU, each on a loopback address of its own, looked at from their own side.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use crate::secrets::Secrets;

/// A program that ends with the value.
#[derive(Debug)]
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        // A desktop's home is its test's: no file of whoever runs the tests is read or left behind.
        command.env("HOME", std::env::temp_dir()).env_remove("XAUTHORITY");
        Ok(Self(
            command
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .with_context(|| format!("{name} is not there"))?,
        ))
    }

    /// The first line of its output that `wanted` makes something of.
    fn line<T>(&mut self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> anyhow::Result<T> {
        let mut lines = BufReader::new(self.0.stdout.take().context("no output")?).lines();
        let found = lines.by_ref().map_while(Result::ok).find_map(|line| wanted(&line));
        // The rest is drained, or it would block on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        found.with_context(|| format!("it ended without: {what}"))
    }

    /// kill -9.
    fn kill(&mut self) -> anyhow::Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An X server that is asked to end takes its lock and its socket with it.
        let pid = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw);
        if matches!(self.0.try_wait(), Ok(None))
            && let Some(pid) = pid
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            for _ in 0..200 {
                if !matches!(self.0.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
        let _ = self.kill();
    }
}

/// A loopback address and a port that nobody has: other tests may take the port, but on another address.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The address.
    pub ip: Ipv4Addr,
    /// The port.
    pub port: u16,
}

impl Place {
    /// One that is free.
    ///
    /// # Errors
    /// When this machine has none.
    pub fn free() -> anyhow::Result<Self> {
        let [a, b, c]: [u8; 3] = rand::random();
        let ip = Ipv4Addr::new(127, a.clamp(1, 254), b, c.clamp(1, 254));
        Ok(Self { ip, port: TcpListener::bind((ip, 0))?.local_addr()?.port() })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.ip, self.port)
    }
}

/// An X server: Xvnc, which is a desktop itself, or Xvfb, which x11vnc makes one of.
#[derive(Debug)]
pub struct XServer {
    server: Running,
    programs: Vec<Running>,
    display: String,
}

impl XServer {
    /// Xvnc at `place`, with more arguments: its security.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn xvnc(place: Place, geometry: &str, args: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new("Xvnc");
        command.args(["-rfbport", &place.port.to_string(), "-interface", &place.ip.to_string(), "-geometry", geometry]);
        command.args(["-AlwaysShared", "-noreset", "-depth", "24", "-BlacklistThreshold", "1000"]).args(args);
        Self::start(command)
    }

    /// Xvfb.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn xvfb(geometry: &str) -> anyhow::Result<Self> {
        let mut command = Command::new("Xvfb");
        command.args(["-screen", "0", &format!("{geometry}x24"), "-noreset"]);
        Self::start(command)
    }

    fn start(mut command: Command) -> anyhow::Result<Self> {
        // The display's number is written when the server accepts connections.
        command.args(["-displayfd", "1", "-nolisten", "tcp"]).stdout(Stdio::piped());
        let mut server = Running::start(&mut command)?;
        let display = server.line("a display", |line| line.trim().parse::<u16>().ok())?;
        Ok(Self { server, programs: Vec::new(), display: format!(":{display}") })
    }

    /// Starts a program that stays on this display.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&mut self, program: &str, args: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(program);
        command.args(args).env("DISPLAY", &self.display).stdout(Stdio::null());
        self.programs.push(Running::start(&mut command)?);
        Ok(())
    }

    /// Runs a program on this display and returns what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, program: &str, args: &[&str]) -> anyhow::Result<Vec<u8>> {
        let output = Command::new(program).args(args).env("DISPLAY", &self.display).output()?;
        ensure!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    }

    /// What X itself says is on the screen: red, green, blue a pixel.
    ///
    /// # Errors
    /// When ImageMagick's `import` fails.
    pub fn picture(&self) -> anyhow::Result<Vec<u8>> {
        self.run("import", &["-silent", "-window", "root", "-depth", "8", "rgb:-"])
    }

    /// kill -9.
    ///
    /// # Errors
    /// When it does not end.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.programs.clear();
        self.server.kill()
    }
}

/// x11vnc in front of an X server.
#[derive(Debug)]
pub struct X11vnc(Running);

impl X11vnc {
    /// x11vnc at `place` for the screen of `server`, with more arguments: its security.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(server: &XServer, place: Place, args: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new("x11vnc");
        command.args([
            "-display",
            &server.display,
            "-rfbport",
            &place.port.to_string(),
            "-listen",
            &place.ip.to_string(),
        ]);
        // One that is killed leaves its shared memory behind, of which a machine has so many segments.
        command
            .args(["-norc", "-noipv6", "-forever", "-shared", "-nosel", "-quiet", "-noshm"])
            .args(args)
            .stdout(Stdio::piped());
        let mut running = Running::start(&mut command)?;
        running.line("PORT=", |line| line.starts_with("PORT=").then_some(()))?;
        Ok(Self(running))
    }

    /// kill -9: it lets go of nothing.
    ///
    /// # Errors
    /// When it does not end.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.0.kill()
    }
}

/// A machine by QEMU without a disk: the boot menu of its BIOS.
#[derive(Debug)]
pub struct Qemu {
    _machine: Running,
    folder: TempDir,
}

impl Qemu {
    /// A machine whose screen is at the unix socket [`Qemu::socket`].
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let vnc = format!("unix:{}", folder.path().join("vnc.sock").display());
        Self::launch(folder, &["-vnc", &vnc]).await
    }

    /// A machine whose screen is behind X509Vnc at `place`, which needs a port from 5900 on.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_with_tls(place: Place, secrets: &Secrets) -> anyhow::Result<Self> {
        let display = place.port.checked_sub(5900).context("the port is below 5900")?;
        let tls = format!("tls-creds-x509,id=tls,endpoint=server,verify-peer=no,dir={}", secrets.qemu().display());
        let secret = format!("secret,id=password,file={}", secrets.path("vnc").display());
        let vnc = format!("{}:{display},tls-creds=tls,password-secret=password", place.ip);
        Self::launch(tempfile::tempdir()?, &["-object", &secret, "-object", &tls, "-vnc", &vnc]).await
    }

    async fn launch(folder: TempDir, args: &[&str]) -> anyhow::Result<Self> {
        let monitor = folder.path().join("qmp.sock");
        let mut command = Command::new("qemu-system-x86_64");
        command.args(["-nodefaults", "-machine", "pc,accel=tcg", "-m", "32", "-vga", "std", "-display", "none"]);
        command.args(["-boot", "menu=on,splash-time=60000"]).args(args);
        command.arg("-qmp").arg(format!("unix:{},server,nowait", monitor.display())).stdout(Stdio::null());
        let machine = Running::start(&mut command)?;
        crate::until("QEMU's monitor", async || Ok(UnixStream::connect(&monitor).ok().map(drop))).await?;
        Ok(Self { _machine: machine, folder })
    }

    /// The RFB socket of a machine that was started without TLS.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("vnc.sock")
    }

    /// What the machine itself says is on its screen: red, green, blue a pixel.
    ///
    /// # Errors
    /// When its monitor does not answer.
    pub fn picture(&self) -> anyhow::Result<Vec<u8>> {
        let file = self.folder.path().join("screen.ppm");
        let mut monitor = UnixStream::connect(self.folder.path().join("qmp.sock"))?;
        monitor.set_read_timeout(Some(crate::PATIENCE))?;
        let mut answers = BufReader::new(monitor.try_clone()?).lines();
        let dump = serde_json::json!({"execute": "screendump", "arguments": {"filename": file}});
        for command in [serde_json::json!({"execute": "qmp_capabilities"}), dump] {
            monitor.write_all(format!("{command}\n").as_bytes())?;
            let answer = answers
                .by_ref()
                .map_while(Result::ok)
                .find(|line| line.contains("\"return\"") || line.contains("\"error\""));
            ensure!(answer.is_some_and(|line| line.contains("\"return\"")), "QEMU does not do {command}");
        }
        ppm(&file)
    }
}

/// The pixels of a binary PPM: its header has three numbers behind "P6".
fn ppm(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut reader = BufReader::new(std::fs::File::open(file)?);
    let mut words = 0;
    while words < 4 {
        let mut line = String::new();
        ensure!(reader.read_line(&mut line)? > 0, "a PPM that ends in its header");
        words += line.split_whitespace().count();
    }
    let mut pixels = Vec::new();
    reader.read_to_end(&mut pixels)?;
    Ok(pixels)
}
