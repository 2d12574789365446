//! A template's container: its image and what it may take.

use serde::Deserialize;

use super::TemplateError;

/// Most characters of an Engine's runtime.
const MAX_RUNTIME: usize = 63;

/// A desktop in a container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Docker {
    /// The image, by name or digest; never pulled.
    pub image: String,
    /// Memory in MiB, swap not added.
    #[serde(default = "Docker::default_memory")]
    pub memory_mib: u32,
    /// Share of a processor in percent: 100 is one whole.
    #[serde(default = "Docker::default_cpu")]
    pub cpu_percent: u32,
    /// Most processes and threads.
    #[serde(default = "Docker::default_pids")]
    pub pids: u32,
    /// Most files that one process may have open.
    #[serde(default = "Docker::default_files")]
    pub files: u32,
    /// MiB that `/home` and `/tmp` may hold each; they are counted as memory.
    #[serde(default = "Docker::default_home")]
    pub home_mib: u32,
    /// MiB of shared memory, counted as memory.
    #[serde(default = "Docker::default_shm")]
    pub shm_mib: u32,
    /// Whether programs may be run from `/home`.
    #[serde(default)]
    pub home_executable: bool,
    /// Whether user namespaces may be made, as Chromium's own sandbox wants them.
    #[serde(default)]
    pub user_namespaces: bool,
    /// What its folder for files may hold, in MiB of the machine's memory.
    #[serde(default = "super::process::transfer_mib")]
    pub transfer_mib: u32,
    /// The Engine's runtime, such as `runsc` or `kata`; its default where left out.
    #[serde(default)]
    pub runtime: String,
}

impl Docker {
    fn default_memory() -> u32 {
        1024
    }
    fn default_cpu() -> u32 {
        100
    }
    fn default_pids() -> u32 {
        300
    }
    fn default_files() -> u32 {
        4096
    }
    fn default_home() -> u32 {
        256
    }
    fn default_shm() -> u32 {
        256
    }
}

/// Refuses what could not run.
pub(super) fn checked(name: &str, docker: Docker) -> Result<Docker, TemplateError> {
    let refused = |key, reason| Err(TemplateError::Docker { name: name.to_owned(), key, reason });
    if docker.image.is_empty() || docker.image.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refused("image", "empty or hold spaces");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if docker.runtime.len() > MAX_RUNTIME || !docker.runtime.chars().all(plain) {
        return refused("runtime", "anything but a runtime's name");
    }
    for (key, value) in [
        ("memory_mib", docker.memory_mib),
        ("cpu_percent", docker.cpu_percent),
        ("pids", docker.pids),
        ("files", docker.files),
        ("home_mib", docker.home_mib),
        ("shm_mib", docker.shm_mib),
        ("transfer_mib", docker.transfer_mib),
    ] {
        if value == 0 {
            return refused(key, "zero");
        }
    }
    Ok(docker)
}
