//! `portcullis doctor`: what is missing on this machine and around it, and the words that mend it.

use std::path::Path;
use std::process::ExitCode;

use portcullis_proxy::runtime::docker::Containers;
use portcullis_proxy::runtime::{Template, TemplateKind};

use crate::config::Config;

/// A program that some part of the gate needs.
struct Need {
    program: &'static str,
    package: &'static str,
    for_what: &'static str,
    required: bool,
}

const NEEDS: [Need; 14] = [
    Need { program: "bwrap", package: "bubblewrap", for_what: "the jail of `process` desktops", required: true },
    Need { program: "setpriv", package: "util-linux", for_what: "desktops of another user than root", required: true },
    Need { program: "prlimit", package: "util-linux", for_what: "limits of `process` desktops", required: true },
    Need { program: "Xvnc", package: "tigervnc-standalone-server", for_what: "`process` desktops", required: true },
    Need { program: "openbox", package: "openbox", for_what: "windows of `process` desktops", required: true },
    Need { program: "xterm", package: "xterm", for_what: "the desktop `terminal`", required: true },
    Need { program: "chromium", package: "chromium", for_what: "the desktop `browser`", required: false },
    Need {
        program: "xsetroot",
        package: "x11-xserver-utils",
        for_what: "the background of `process` desktops",
        required: false,
    },
    Need {
        program: "ffprobe",
        package: "ffmpeg",
        for_what: "looking at recordings by hand, and the tests",
        required: false,
    },
    Need { program: "git", package: "git", for_what: "policies from a repository", required: false },
    Need { program: "ssh-keygen", package: "openssh-client", for_what: "signed policies", required: false },
    Need { program: "socat", package: "socat", for_what: "`process` desktops with a way out", required: false },
    Need { program: "tesseract", package: "tesseract-ocr", for_what: "text on recorded screens", required: false },
    Need { program: "dockerd", package: "docker.io", for_what: "`docker` desktops", required: false },
];

/// Prints one line per need, per desktop that stands already, for the Docker Engine, per destination of events and for the vault; exit code 1 when something required
/// is missing, a desktop does not let the gate in, a destination is not reached, or the vault does not do what is asked of it.
pub(crate) fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let complete = programs();
    let knocking = async {
        desktops(config).await
            & engine(config).await
            & crate::alerts::knock(config).await
            & crate::vault::look(config).await
    };
    let reachable = tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(knocking);
    Ok(if complete && reachable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn programs() -> bool {
    let mut missing = Vec::new();
    let mut sound = true;
    for need in &NEEDS {
        let found = find(need.program);
        let state = match (&found, need.required) {
            (Some(path), _) => path.clone(),
            (None, true) => "MISSING".to_owned(),
            (None, false) => "missing (optional)".to_owned(),
        };
        println!("{:<10} {:<28} {}", need.program, state, need.for_what);
        if found.is_none() {
            missing.push(need.package);
            sound &= !need.required;
        }
    }
    if !missing.is_empty() {
        println!("\nTo mend it: apt-get install {}", missing.join(" "));
    }
    sound
}

async fn desktops(config: &Config) -> bool {
    let mut sound = true;
    for desktop in &config.desktops {
        let Template { name, kind: TemplateKind::Static(fixed), .. } = desktop else { continue };
        match portcullis_proxy::knock(desktop).await {
            Ok(size) => println!("{name:<10} {:<28} lets the gate in, {size}", fixed.address.to_string()),
            Err(reason) => {
                println!("{name:<10} {:<28} {reason}", fixed.address.to_string());
                sound = false;
            }
        }
    }
    sound
}

/// The Engine of `docker` desktops, and what becomes of their sessions when it is started anew.
async fn engine(config: &Config) -> bool {
    if !config.desktops.iter().any(|desktop| matches!(desktop.kind, TemplateKind::Docker(_))) {
        return true;
    }
    let host = &config.docker.host;
    match Containers::outlive_their_engine(host).await {
        Ok(true) => println!("{:<10} {host:<28} answers; sessions outlive its restart (live-restore)", "docker"),
        Ok(false) => println!(
            "{:<10} {host:<28} answers; its restart ends its desktops: `\"live-restore\": true` in its daemon.json lets them run on",
            "docker"
        ),
        Err(error) => {
            println!("{:<10} {host:<28} {:#}", "docker", anyhow::Error::new(error));
            return false;
        }
    }
    true
}

fn find(program: &str) -> Option<String> {
    let path = std::env::var_os("PATH")?;
    // Packages put daemons where a plain user's PATH does not look.
    let folders =
        std::env::split_paths(&path).chain([Path::new("/usr/sbin").to_owned(), Path::new("/sbin").to_owned()]);
    folders.map(|folder| folder.join(program)).find(|path| path.is_file()).map(|path| path.display().to_string())
}
