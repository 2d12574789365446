//! What a desktop of processes is made from.

use serde::Deserialize;

use super::TemplateError;

/// Most programs that a template may start, and words in one command line.
pub(super) const MAX_PROGRAMS: usize = 16;
pub(super) const MAX_WORDS_OF_COMMAND: usize = 128;
/// Processes that a desktop has before its first program.
const FEWEST_PROCESSES: u32 = 16;

/// A desktop made of processes of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Command lines started in order once the screen and the window manager are there, with no shell between; home is `/home/desktop`.
    pub programs: Vec<Vec<String>>,
    /// Whether the desktop may use this machine's network; if not, it has none at all.
    #[serde(default)]
    pub network: bool,
    /// The user to run as when the gate is root; `nobody` if not given. Without root it is the gate's own user.
    #[serde(default)]
    pub user: Option<String>,
    /// What its folder for files may hold, in MiB of this machine's memory.
    #[serde(default = "transfer_mib")]
    pub transfer_mib: u32,
    /// Processes and threads, at least 16; where the gate is root, all desktops of the same user have so many together, for so the kernel counts.
    #[serde(default = "pids")]
    pub pids: u32,
}

pub(super) fn transfer_mib() -> u32 {
    256
}

fn pids() -> u32 {
    4096
}

/// Refuses what could not run.
pub(super) fn checked(name: &str, process: Process) -> Result<Process, TemplateError> {
    let sound = |command: &Vec<String>| {
        (1..=MAX_WORDS_OF_COMMAND).contains(&command.len())
            && command.first().is_some_and(|program| !program.is_empty())
            && command.iter().all(|word| !word.contains('\0'))
    };
    if process.programs.len() > MAX_PROGRAMS || !process.programs.iter().all(sound) {
        return Err(TemplateError::Programs(name.to_owned()));
    }
    if process.pids < FEWEST_PROCESSES {
        let (name, reason) = (name.to_owned(), "fewer than 16 are not enough for a screen");
        return Err(TemplateError::Whole { name, key: "process.pids", reason });
    }
    Ok(process)
}
