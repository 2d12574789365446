//! `just bench-desktops`: click to first frame, warm and cold, beside `docker run` of the same image until its RFB answers; ten at once; the end of one;
//! memory and disk; and that many desktops that come and go leave nothing behind.
//!
//! `just bench-desktops ROUNDS CYCLES MINUTES`: with MINUTES one session lasts as long. The three are measured in turn, round by round, so that a machine that grows slower favours none. Needs an Engine (`DOCKER_HOST`) and images/build.sh.
#![allow(missing_docs)]

mod lasting;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use portcullis_tests::gate::Plan;
use portcullis_tests::{Api, Gate, Opened, Viewer, until};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

/// Desktops that are opened at once.
const TOGETHER: usize = 10;

fn docker(words: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("/usr/bin/docker").args(words).output()?;
    ensure!(output.status.success(), "docker {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Containers, volumes and networks of the Engine.
fn there() -> anyhow::Result<[usize; 3]> {
    let count = |words: &[&str]| Ok::<_, anyhow::Error>(docker(words)?.lines().count());
    Ok([
        count(&["ps", "--all", "--quiet"])?,
        count(&["volume", "ls", "--quiet"])?,
        count(&["network", "ls", "--quiet"])?,
    ])
}

fn image() -> String {
    format!("portcullis/terminal:{}", std::env::var("PORTCULLIS_IMAGE_TAG").as_deref().unwrap_or("latest"))
}

fn plan() -> anyhow::Result<Plan> {
    let (host, image) = (std::env::var("DOCKER_HOST").context("DOCKER_HOST")?, image());
    let desktop = |name: &str, warm: &str| {
        format!(
            "[[desktops]]\nname = \"{name}\"\nsize = \"1280x800\"\n{warm}\ndocker = {{ image = \"{image}\", memory_mib = 256, home_mib = 64, shm_mib = 64 }}\n"
        )
    };
    let desktops = desktop("cold", "")
        + &desktop("warm", "warm = { count = 1 }")
        + &desktop("paused", "warm = { count = 1, paused = true }");
    Ok(Plan::new(&format!("[docker]\nhost = \"{host}\"\n[sessions]\nmost = 64\nper_subject = 64\n{desktops}")))
}

/// Who asks: a token is for one desktop and for a minute.
fn asking(gate: &Gate, desktop: &str) -> anyhow::Result<Api> {
    gate.api("alice", "testers", desktop)
}

/// From the click to the first pixels of the desktop in a viewer.
async fn click(gate: &Gate, desktop: &str) -> anyhow::Result<(Duration, Opened)> {
    let api = asking(gate, desktop)?;
    let began = Instant::now();
    let opened = api.open(desktop).await?;
    let mut viewer = Viewer::connect(&gate.url, &opened).await?;
    viewer.request(false).await?;
    viewer.watch("a pixel", |viewer| viewer.pixels.iter().any(|byte| *byte != 0)).await?;
    Ok((began.elapsed(), opened))
}

async fn end(gate: &Gate, desktop: &str, opened: &Opened) -> anyhow::Result<Duration> {
    let api = asking(gate, desktop)?;
    let began = Instant::now();
    api.end(&opened.id).await?;
    api.wait_gone(&opened.id).await?;
    Ok(began.elapsed())
}

/// `docker run` of the same image, under the same limits, until its RFB server has said its first word.
async fn alone() -> anyhow::Result<Duration> {
    let folder = TempDir::new()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777))?;
    chown(folder.path(), Some(1000), Some(1000))?;
    let mount = format!("{}:/run/rfb", folder.path().display());
    let began = Instant::now();
    let tmpfs = "rw,nosuid,nodev,noexec,mode=1777,size=64m";
    let (tmp, home, image) = (format!("/tmp:{tmpfs}"), format!("/home:{tmpfs}"), image());
    let id = docker(&[
        "run",
        "--detach",
        "--network",
        "none",
        "--cap-drop",
        "ALL",
        "--security-opt",
        "no-new-privileges",
        "--read-only",
        "--tmpfs",
        &tmp,
        "--tmpfs",
        &home,
        "--memory",
        "256m",
        "--memory-swap",
        "256m",
        "--cpus",
        "1",
        "--pids-limit",
        "300",
        "--volume",
        &mount,
        &image,
        "1280x800",
    ])?;
    let socket = folder.path().join("rfb.sock");
    until("RFB", async || {
        let Ok(mut stream) = UnixStream::connect(&socket).await else { return Ok(None) };
        let mut word = [0; 12];
        Ok(stream.read_exact(&mut word).await.ok())
    })
    .await?;
    let took = began.elapsed();
    docker(&["rm", "--force", &id])?;
    Ok(took)
}

async fn stands_ready(api: &Api, desktop: &str) -> anyhow::Result<()> {
    until("a desktop stands ready", async || {
        let list = api.get("/api/desktops").await?;
        let found = list["desktops"].as_array().into_iter().flatten().find(|one| one["name"] == desktop);
        Ok(found.filter(|one| one["state"] == "warm").map(|_| ()))
    })
    .await
}

fn row(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| {
        times.get((times.len().saturating_sub(1)) * share / 100).copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    println!("{name:<28} {:>4} {:>9.1} {:>9.1} {:>9.1}", times.len(), at(0), at(50), at(99));
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let rounds: usize = arguments.next().map_or(Ok(20), |text| text.parse()).context("rounds")?;
    let cycles: usize = arguments.next().map_or(Ok(200), |text| text.parse()).context("cycles")?;
    let minutes: u64 = arguments.next().map_or(Ok(0), |text| text.parse()).context("minutes")?;
    let before = there()?;
    let gate = Gate::start(&plan()?).await?;

    let (mut warm, mut paused, mut cold, mut bare, mut ends) = (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..rounds {
        for (desktop, times) in [("warm", &mut warm), ("paused", &mut paused), ("cold", &mut cold)] {
            if desktop != "cold" {
                stands_ready(&asking(&gate, desktop)?, desktop).await?;
            }
            let (took, opened) = click(&gate, desktop).await?;
            times.push(took);
            ends.push(end(&gate, desktop, &opened).await?);
        }
        bare.push(alone().await?);
    }
    println!("{:<28} {:>4} {:>9} {:>9} {:>9}", "ms", "n", "least", "p50", "p99");
    row("click to frame, warm", warm);
    row("click to frame, paused", paused);
    row("click to frame, cold", cold);
    row("docker run until RFB", bare);
    row("end of a session", ends);

    let began = Instant::now();
    let clicks = (0..TOGETHER).map(|_| click(&gate, "cold"));
    let opened: Vec<_> = futures_util::future::try_join_all(clicks).await?;
    println!("{TOGETHER} at once, the last: {:.1} s", began.elapsed().as_secs_f64());
    if let Some((_, one)) = opened.first() {
        let name = format!("portcullis-{}", one.id);
        println!("memory of one: {}", docker(&["stats", "--no-stream", "--format", "{{.MemUsage}}", &name])?);
        println!(
            "disk of one: {}",
            docker(&["ps", "--size", "--filter", &format!("name={name}"), "--format", "{{.Size}}"])?
        );
    }
    for (_, one) in &opened {
        end(&gate, "cold", one).await?;
    }

    if minutes > 0 {
        lasting::lasts(&gate, minutes).await?;
    }
    let began = Instant::now();
    for _ in 0..cycles {
        let (_, opened) = click(&gate, "cold").await?;
        end(&gate, "cold", &opened).await?;
    }
    let took = began.elapsed().as_secs_f64();
    drop(gate);
    // What stood ready before the first click goes with the gate.
    let after = there()?;
    println!(
        "{cycles} came and went in {took:.0} s; containers, volumes and networks before {before:?}, after {after:?}"
    );
    ensure!(after == before, "something is left behind");
    Ok(())
}
