//! What a desktop's container may do: this is the whole of it.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountBindOptions, MountBindOptionsPropagationEnum,
    MountType, MountVolumeOptions, MountVolumeOptionsDriverConfig, ResourcesUlimits,
};

use super::seccomp;
use crate::runtime::account::Account;
use crate::runtime::folder::SessionFolder;
use crate::runtime::reach::ENVIRONMENT;
use crate::runtime::template::{Docker, Template};
use crate::runtime::transfer::MOUNT;

/// The label with the desktop's name: that of its session, or one of its own where it was started before there was one.
pub(super) const DESKTOP: &str = "portcullis.desktop";
/// The label with the template's name.
const TEMPLATE: &str = "portcullis.template";
/// The label of a volume that is somebody's home, with the template's name.
const HOME: &str = "portcullis.home";
/// The label with the run folder of the gate that it belongs to: several gates may use one Engine.
pub(super) const GATE: &str = "portcullis.gate";

const MIB: i64 = 1024 * 1024;
/// The body of a container for one desktop, from the image with this id; what it shares with the gate are the two places of `folder`.
pub(super) fn body(
    template: &Template,
    docker: &Docker,
    image: &str,
    name: &str,
    gate: &Path,
    account: &Account,
    folder: &SessionFolder,
) -> ContainerCreateBody {
    let text = |text: &str| Some(text.to_owned());
    let labels = [(DESKTOP, name.to_owned()), (GATE, gate.display().to_string()), (TEMPLATE, template.name.clone())];
    let mut env = vec![format!("PORTCULLIS_DESKTOP={name}")];
    let mut mounts = vec![shared(&folder.rfb(), "/run/rfb", false), transfer(docker.transfer_mib, account, name, gate)];
    if template.egress.is_open() {
        env.extend(ENVIRONMENT.iter().map(|(name, value)| format!("{name}={value}")));
        mounts.push(shared(&folder.egress(), "/run/egress", true));
    }
    let mut in_memory = HashMap::from([("/tmp".to_owned(), tmpfs(docker, false))]);
    if let Some(home) = &template.home {
        mounts.push(kept(home.volume(gate), gate, &template.name));
        // What belongs to one run alone is not kept.
        env.push("XDG_RUNTIME_DIR=/tmp/runtime".to_owned());
    } else {
        in_memory.insert("/home".to_owned(), tmpfs(docker, docker.home_executable));
    }
    let size = template.size;
    ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec![format!("{}x{}", size.width, size.height)]),
        user: Some(format!("{}:{}", account.uid, account.gid)),
        hostname: text("desktop"),
        env: Some(env),
        labels: Some(labels.map(|(label, value)| (label.to_owned(), value)).into()),
        network_disabled: Some(true),
        host_config: Some(HostConfig {
            network_mode: text("none"),
            ipc_mode: text("private"),
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: Some(vec![
                "no-new-privileges".to_owned(),
                format!("seccomp={}", seccomp::profile(docker.user_namespaces)),
            ]),
            runtime: Some(docker.runtime.clone()).filter(|runtime| !runtime.is_empty()),
            readonly_rootfs: Some(true),
            tmpfs: Some(in_memory),
            mounts: Some(mounts),
            memory: Some(i64::from(docker.memory_mib) * MIB),
            memory_swap: Some(i64::from(docker.memory_mib) * MIB),
            nano_cpus: Some(i64::from(docker.cpu_percent) * 10_000_000),
            pids_limit: Some(i64::from(docker.pids)),
            shm_size: Some(i64::from(docker.shm_mib) * MIB),
            ulimits: Some(vec![limit("nofile", docker.files.into()), limit("core", 0)]),
            log_config: Some(HostConfigLogConfig {
                typ: text("json-file"),
                config: Some(
                    [("max-size", "64k"), ("max-file", "1")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
                ),
            }),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// A temporary file system, counted as the container's memory; nothing in it can be executed unless the template says so.
fn tmpfs(docker: &Docker, executable: bool) -> String {
    let exec = if executable { "exec" } else { "noexec" };
    format!("rw,nosuid,nodev,{exec},mode=1777,size={}m", docker.home_mib)
}

fn shared(place: &Path, target: &str, read_only: bool) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(place.display().to_string()),
        target: Some(target.to_owned()),
        read_only: Some(read_only),
        bind_options: Some(MountBindOptions {
            propagation: Some(MountBindOptionsPropagationEnum::PRIVATE),
            ..MountBindOptions::default()
        }),
        ..Mount::default()
    }
}

/// A home on the Engine's disk. Its name is not the container's, so that it stays when that goes.
fn kept(name: String, gate: &Path, template: &str) -> Mount {
    let labels = [(GATE, gate.display().to_string()), (HOME, template.to_owned())];
    Mount {
        typ: Some(MountType::VOLUME),
        source: Some(name),
        target: Some("/home".to_owned()),
        volume_options: Some(MountVolumeOptions {
            labels: Some(labels.map(|(label, value)| (label.to_owned(), value)).into()),
            ..MountVolumeOptions::default()
        }),
        ..Mount::default()
    }
}

/// The folder that files go through: a volume in memory, which goes with its container.
fn transfer(mib: u32, account: &Account, name: &str, gate: &Path) -> Mount {
    let labels = [(DESKTOP, name.to_owned()), (GATE, gate.display().to_string())];
    let options = format!("size={mib}m,uid={},gid={},mode=0700,nosuid,nodev,noexec", account.uid, account.gid);
    let options = [("type", "tmpfs"), ("device", "tmpfs"), ("o", &options)];
    let driver = MountVolumeOptionsDriverConfig {
        name: Some("local".to_owned()),
        options: Some(options.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
    };
    Mount {
        typ: Some(MountType::VOLUME),
        target: Some(MOUNT.to_owned()),
        volume_options: Some(MountVolumeOptions {
            no_copy: Some(true),
            // An Engine that is killed at the wrong moment forgets whose it was.
            labels: Some(labels.map(|(label, value)| (label.to_owned(), value)).into()),
            driver_config: Some(driver),
            ..MountVolumeOptions::default()
        }),
        ..Mount::default()
    }
}

fn limit(name: &str, most: i64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.to_owned()), soft: Some(most), hard: Some(most) }
}
