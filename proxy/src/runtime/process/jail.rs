//! The jail that a desktop lives in: what it sees of the machine, and that nothing in it outlives it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Resource, getrlimit};
use tokio::process::Command;

use crate::SessionId;
use crate::runtime::RuntimeError;
use crate::runtime::account::Account;
use crate::runtime::folder::SessionFolder;
use crate::runtime::reach::{ENVIRONMENT, Reach};
use crate::runtime::template::{Process, Template};
use crate::runtime::transfer::MOUNT;

/// The home of the desktop's user, inside its jail.
pub(super) const HOME: &str = "/home/desktop";

/// Where programs are looked for, in and out of the jail.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// Bytes that each of the jail's temporary file systems may hold, in memory.
const TMPFS_BYTES: &str = "536870912";
/// What of the machine's configuration a desktop sees, read-only; all that is not named is not there.
const ETC: [&str; 28] = [
    "X11",
    "alternatives",
    "bash.bashrc",
    "bash_completion",
    "ca-certificates",
    "chromium",
    "chromium.d",
    "dconf",
    "fonts",
    "gai.conf",
    "gtk-3.0",
    "host.conf",
    "hosts",
    "inputrc",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mailcap",
    "mime.types",
    "nsswitch.conf",
    "profile",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
    "terminfo",
    "xdg",
];

/// Full paths of the programs that make a jail.
pub(super) struct Programs {
    bwrap: PathBuf,
    setpriv: PathBuf,
    prlimit: PathBuf,
}

/// Looks for everything that a desktop of this template needs; the first that is missing is the error.
pub(super) fn programs_needed(process: &Process, egress: Reach) -> Result<Programs, RuntimeError> {
    let wanted = process.programs.iter().filter_map(|command| command.first()).map(String::as_str);
    for program in ["Xvnc", "openbox", "xsetroot", "mkfifo"].into_iter().chain(wanted) {
        find(program)?;
    }
    if egress.is_open() {
        find("socat")?;
    }
    Ok(Programs { bwrap: find("bwrap")?, setpriv: find("setpriv")?, prlimit: find("prlimit")? })
}

fn find(program: &str) -> Result<PathBuf, RuntimeError> {
    let found = if program.contains('/') {
        Some(PathBuf::from(program))
    } else {
        PATH.split(':').map(|folder| Path::new(folder).join(program)).find(|path| path.is_file())
    };
    found.filter(|path| path.is_file()).ok_or_else(|| RuntimeError::MissingProgram { program: program.to_owned() })
}

/// The command that runs one desktop in its jail; its first output is bubblewrap's account of the namespaces, as JSON.
///
/// INVARIANT: the gate's data folder is not visible inside, and no process inside can see, signal or outlive what is outside.
pub(super) fn command(
    programs: &Programs,
    folder: &SessionFolder,
    etc: &Path,
    account: &Account,
    template: &Template,
    process: &Process,
    name: &SessionId,
) -> Command {
    let mut jail = Command::new(&programs.bwrap);
    jail.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own: Ctrl-C in the gate's terminal is for the gate, which then ends its desktops in order. And what is inside has a session
    // of its own (`--new-session`): else it had the gate's terminal as /dev/tty, to write to and, by TIOCSTI, to type into (CVE-2017-5226).
    jail.process_group(0).kill_on_drop(true);

    jail.args([
        "--info-fd",
        "1",
        "--die-with-parent",
        "--new-session",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]);
    jail.args(["--hostname", "desktop"]);
    if !process.network {
        jail.arg("--unshare-net");
    }
    show_machine(&mut jail);
    add_transfer(&mut jail, process);
    jail.arg("--ro-bind").arg(etc.join("passwd")).arg("/etc/passwd");
    jail.arg("--ro-bind").arg(etc.join("group")).arg("/etc/group");
    jail.arg("--ro-bind").arg(etc).arg("/run/desktop");
    jail.arg("--bind").arg(folder.rfb()).arg("/run/rfb");
    if template.egress.is_open() {
        jail.arg("--ro-bind").arg(folder.egress()).arg("/run/egress");
        for (name, value) in ENVIRONMENT {
            jail.args(["--setenv", name, value]);
        }
    }
    for place in ["/dev", "/run", "/"] {
        jail.args(["--remount-ro", place]);
    }

    for (name, value) in [
        ("PATH", PATH),
        ("HOME", HOME),
        ("USER", "desktop"),
        ("LOGNAME", "desktop"),
        ("SHELL", "/bin/bash"),
        ("LANG", "C.UTF-8"),
        ("XDG_RUNTIME_DIR", "/home/runtime"),
        ("PORTCULLIS_DESKTOP", name.as_str()),
    ] {
        jail.args(["--setenv", name, value]);
    }

    jail.args(["--chdir", "/", "--cap-drop", "ALL"]);
    if account.other {
        jail.args(["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--"]);
        jail.arg(&programs.setpriv).args(["--clear-groups", "--no-new-privs"]);
        jail.arg(format!("--reuid={}", account.uid)).arg(format!("--regid={}", account.gid));
    }
    // The kernel counts by user, and in a user namespace by that: where the gate is root, all desktops of one user share the number.
    jail.arg("--").arg(&programs.prlimit).arg(format!("--nproc={}", most_processes(process)));
    jail.args(["--", "sh", "/run/desktop/desktop.sh"]).arg(format!("{}x{}", template.size.width, template.size.height));
    jail
}

/// Processes and threads that the template lets there be, as far as the gate itself may say so.
fn most_processes(process: &Process) -> u64 {
    let bound = getrlimit(Resource::Nproc).maximum;
    bound.map_or(process.pids.into(), |bound| bound.min(process.pids.into()))
}

/// The folder that files go through: a file system of its own, which nobody inside can move or fill the rest of the home from.
fn add_transfer(jail: &mut Command, process: &Process) {
    let bytes = u64::from(process.transfer_mib).saturating_mul(1024 * 1024).to_string();
    jail.args(["--perms", "1777", "--size", &bytes, "--tmpfs", MOUNT]);
}

/// Programs and libraries read-only, a few files of `/etc`, and temporary file systems for the rest.
fn show_machine(jail: &mut Command) {
    jail.args(["--ro-bind", "/usr", "/usr"]);
    for folder in ["bin", "sbin", "lib", "lib32", "lib64"] {
        let outside = Path::new("/").join(folder);
        if let Ok(target) = std::fs::read_link(&outside) {
            jail.arg("--symlink").arg(target).arg(outside);
        } else {
            jail.arg("--ro-bind-try").arg(&outside).arg(&outside);
        }
    }
    // Folders that bubblewrap makes on its way are for root alone, so they are made by name.
    for folder in ["/etc", "/var", "/var/cache"] {
        jail.args(["--perms", "0755", "--dir", folder]);
    }
    for name in ETC {
        let outside = Path::new("/etc").join(name);
        jail.arg("--ro-bind-try").arg(&outside).arg(&outside);
    }
    jail.args(["--ro-bind-try", "/var/cache/fontconfig", "/var/cache/fontconfig"]);
    jail.args(["--proc", "/proc", "--dev", "/dev"]);
    for folder in ["/dev/shm", "/tmp", "/home"] {
        jail.args(["--perms", "1777", "--size", TMPFS_BYTES, "--tmpfs", folder]);
    }
    jail.args(["--perms", "0755", "--tmpfs", "/run"]);
}
