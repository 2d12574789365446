//! A gate as its users run it: the built program, a data folder of its own, a port of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use crate::api::Api;

/// The policy that tests run under unless they bring their own: alice may do everything on `open-*`, nothing but look and type on `sealed-*`.
pub const POLICY: &str = "\
policy: tests
applies: {groups: [testers]}
allow:
  open: {}
  control: {}
recording: {mode: strict}
";

/// What a gate is started with.
#[derive(Debug, Clone)]
pub struct Plan {
    /// TOML beside the harness's own keys: desktops, sessions, recording.
    pub config: String,
    /// Policy files: name and text.
    pub policies: Vec<(String, String)>,
    /// Whether the gate's clock can be set by [`Gate::set_clock`].
    pub clock: bool,
    /// Whether policies come from the repository that `config` names, in place of a folder.
    pub repository: bool,
}

impl Plan {
    /// A gate with desktops given as TOML, under [`POLICY`] and more files.
    #[must_use]
    pub fn new(config: &str) -> Self {
        let policies = vec![("tests.yaml".into(), POLICY.into())];
        Self { config: config.to_owned(), policies, clock: false, repository: false }
    }

    /// Lets policies come from a repository: the keys of `[policies]` in TOML.
    #[must_use]
    pub fn following(mut self, policies: &str) -> Self {
        self.repository = true;
        self.config = format!("{}\n[policies]\n{policies}\n", self.config);
        self
    }

    /// Lets the gate's clock be set.
    #[must_use]
    pub fn with_clock(mut self) -> Self {
        self.clock = true;
        self
    }

    /// Adds a policy file, or replaces one of the same name.
    #[must_use]
    pub fn policy(mut self, name: &str, text: &str) -> Self {
        self.policies.retain(|(known, _)| known != name);
        self.policies.push((name.into(), text.into()));
        self
    }
}

/// A running gate.
#[derive(Debug)]
pub struct Gate {
    folder: TempDir,
    child: Option<Child>,
    clock: bool,
    repository: bool,
    /// Where it listens: `http://localhost:PORT`.
    pub url: String,
    /// The one-time sign-in link that it printed.
    pub link: String,
    /// Where events go to standard output: its lines, over all its lives.
    output: Option<Arc<Mutex<Vec<String>>>>,
}

impl Gate {
    /// Starts a gate and waits until it answers.
    ///
    /// # Errors
    /// When the program is not built or does not come up.
    pub async fn start(plan: &Plan) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("portcullis-test-").tempdir()?;
        std::fs::create_dir(folder.path().join("policies"))?;
        for (name, text) in &plan.policies {
            std::fs::write(folder.path().join("policies").join(name), text)?;
        }
        std::fs::write(folder.path().join("gate.toml"), &plan.config)?;
        let output = plan.config.contains("stdout = true").then(Arc::default);
        let Plan { clock, repository, .. } = *plan;
        let mut gate = Self { folder, child: None, clock, repository, url: String::new(), link: String::new(), output };
        gate.set_clock(0)?;
        gate.launch().await?;
        Ok(gate)
    }

    /// Starts the same gate again, over the data that is there.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn launch(&mut self) -> anyhow::Result<()> {
        ensure!(self.child.is_none(), "the gate is running");
        let log = std::fs::File::options().create(true).append(true).open(self.log())?;
        let logged = usize::try_from(log.metadata()?.len())?;
        let mut command = Command::new(program()?);
        if self.clock {
            command.env("LD_PRELOAD", faketime()?).env("FAKETIME_TIMESTAMP_FILE", self.folder.path().join("clock"));
            command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        if !self.repository {
            command.arg("--policy").arg(self.policies());
        }
        let mut child = command
            .arg("--config")
            .arg(self.folder.path().join("gate.toml"))
            .arg("--data")
            .arg(self.data())
            .env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_| "info".into()))
            .env_remove("PORTCULLIS_ORIGINS")
            .env_remove("PORTCULLIS_POLICY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("the gate did not start")?;
        let output = child.stdout.take().context("no standard output")?;
        self.child = Some(child);
        let link = match &self.output {
            None => {
                let link = tokio::task::spawn_blocking(move || sign_in_link(BufReader::new(output))).await?;
                link.with_context(|| self.log_text())?
            }
            Some(lines) => {
                let lines = Arc::clone(lines);
                std::thread::spawn(move || {
                    for line in BufReader::new(output).lines().map_while(Result::ok) {
                        lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                    }
                });
                // It is then said in the log, whose part of this life begins where the one before ended.
                crate::until("a sign-in link", async || {
                    let log = self.log_text();
                    Ok(log.get(logged..).and_then(link_in))
                })
                .await?
            }
        };
        let (url, _) = link.split_once("/sign-in#").context("the link is not a sign-in link")?;
        self.url = url.to_owned();
        self.link = link;
        Ok(())
    }

    /// Changes its configuration for the next start.
    ///
    /// # Errors
    /// When `from` is not in it.
    pub fn configure(&self, from: &str, to: &str) -> anyhow::Result<()> {
        let path = self.folder.path().join("gate.toml");
        let text = std::fs::read_to_string(&path)?;
        ensure!(text.contains(from), "{from:?} is not in {text}");
        Ok(std::fs::write(path, text.replace(from, to))?)
    }

    /// Sets the clock of a gate that was started [`Plan::with_clock`] ahead of this machine's by so many seconds.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_clock(&self, ahead: i64) -> anyhow::Result<()> {
        let clock = self.folder.path().join("clock");
        // Whole or not at all: the gate reads it whenever it asks for the time.
        std::fs::write(clock.with_extension("new"), format!("{ahead:+}\n"))?;
        Ok(std::fs::rename(clock.with_extension("new"), clock)?)
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its policy folder.
    #[must_use]
    pub fn policies(&self) -> PathBuf {
        self.folder.path().join("policies")
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> String {
        self.folder.path().join("gate.toml").display().to_string()
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("gate.log")
    }

    /// The log's text so far.
    #[must_use]
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// The lines of standard output, where events go there.
    #[must_use]
    pub fn output(&self) -> Vec<String> {
        let lines = self.output.as_ref().map(|lines| lines.lock().unwrap_or_else(PoisonError::into_inner).clone());
        lines.unwrap_or_default()
    }

    /// The process id.
    ///
    /// # Errors
    /// When it is not running.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.child.as_ref().map(Child::id).context("the gate is not running")
    }

    /// Its API as somebody with a token sees it.
    ///
    /// # Errors
    /// When no token can be minted.
    pub fn api(&self, subject: &str, group: &str, desktop: &str) -> anyhow::Result<Api> {
        Ok(Api::new(&self.url, Some(self.token(subject, group, desktop)?)))
    }

    /// A token by `portcullis token`.
    ///
    /// # Errors
    /// When the program fails.
    pub fn token(&self, subject: &str, group: &str, desktop: &str) -> anyhow::Result<String> {
        self.run(&["token", "--subject", subject, "--group", group, "--desktop", desktop, "--ttl", "60s"])
    }

    /// Runs the program with this gate's data and returns what it printed.
    ///
    /// # Errors
    /// When it exits with another code than 0.
    pub fn run(&self, args: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(program()?).args(args).env("PORTCULLIS_DATA", self.data()).output()?;
        ensure!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Runs `portcullis verify` on a bundle: whether it is sound, and what was printed.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub fn verify(&self, bundle: &Path) -> anyhow::Result<(bool, String)> {
        let output = Command::new(program()?).arg("verify").arg(bundle).env("PORTCULLIS_DATA", self.data()).output()?;
        let text = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
    }

    /// The bundle of a session in the vault.
    ///
    /// # Errors
    /// When it is not there.
    pub fn bundle(&self, session: &str) -> anyhow::Result<PathBuf> {
        find(&self.data().join("vault/sessions"), session)
            .with_context(|| format!("no bundle of {session} in the vault"))
    }

    /// The gate's journal, all days, parsed.
    ///
    /// # Errors
    /// When a line is not JSON.
    pub fn journal(&self) -> anyhow::Result<Vec<serde_json::Value>> {
        let mut entries = Vec::new();
        for file in std::fs::read_dir(self.data().join("journal"))? {
            for line in std::fs::read_to_string(file?.path())?.lines() {
                entries.push(serde_json::from_str(line)?);
            }
        }
        Ok(entries)
    }

    /// kill -9, as a power cut does it to a process.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("the gate is not running")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// SIGTERM, and waits for it to drain.
    ///
    /// # Errors
    /// When it does not stop in time or with another code than 0.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("the gate is not running")?;
        terminate(&child)?;
        let status = crate::until("the gate stops", async || Ok(child.try_wait()?)).await?;
        ensure!(status.success(), "the gate stopped with {status}: {}", self.log_text());
        Ok(())
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // A test that failed half-way: end the gate in good order, so that it takes its desktops with it.
        let _ = terminate(&child);
        for _ in 0..400 {
            if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn terminate(child: &Child) -> anyhow::Result<()> {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id())?).context("no process id")?;
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
    Ok(())
}

/// The program that was built beside this test, or the one that `PORTCULLIS_PROGRAM` names.
///
/// # Errors
/// When it was not built.
pub fn program() -> anyhow::Result<PathBuf> {
    if let Some(program) = std::env::var_os("PORTCULLIS_PROGRAM") {
        return Ok(program.into());
    }
    let test = std::env::current_exe()?;
    let program = test.ancestors().nth(2).context("no target folder")?.join("portcullis");
    if !program.is_file() {
        bail!("{} is not built: cargo build --workspace", program.display());
    }
    Ok(program)
}

/// The library that lets a program see another time (Debian's libfaketime).
///
/// # Errors
/// When it is not installed.
pub fn faketime() -> anyhow::Result<PathBuf> {
    let libraries =
        std::fs::read_dir("/usr/lib")?.flatten().map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    libraries.into_iter().find(|path| path.is_file()).context("libfaketime is not installed: scripts/setup.sh test")
}

fn sign_in_link(output: BufReader<std::process::ChildStdout>) -> anyhow::Result<String> {
    let mut lines = output.lines();
    for line in lines.by_ref() {
        let line = line?;
        if let Some(link) = link_in(&line) {
            // The rest is drained, or the gate would block on a full pipe.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(link);
        }
    }
    bail!("the gate ended without printing a sign-in link")
}

/// A link with its line end behind it, or on a line that is whole.
fn link_in(text: &str) -> Option<String> {
    text.split_whitespace().find(|word| word.contains("/sign-in#")).map(str::to_owned)
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).find_map(|path| {
        if path.file_name().is_some_and(|found| found == name) { Some(path) } else { find(&path, name) }
    })
}
