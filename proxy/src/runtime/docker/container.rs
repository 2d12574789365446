//! What a desktop's container may do: this is the whole of it.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountBindOptions, MountBindOptionsPropagationEnum,
    MountType, MountVolumeOptions, MountVolumeOptionsDriverConfig, ResourcesUlimits,
};
use portcullis_rfb::Size;

use crate::SessionId;
use crate::runtime::account::Account;
use crate::runtime::template::Docker;
use crate::runtime::transfer::MOUNT;

/// The label with the session's name.
pub(super) const SESSION: &str = "portcullis.session";
/// The label with the run folder of the gate that it belongs to: several gates may use one Engine.
pub(super) const GATE: &str = "portcullis.gate";

const MIB: i64 = 1024 * 1024;
/// Each temporary file system, counted as the container's memory; nothing in it can be executed.
const TMPFS: &str = "rw,nosuid,nodev,noexec,mode=1777,size=256m";
const SHM_BYTES: i64 = 256 * MIB;
const MAX_FILES: i64 = 4096;

/// The body of a container for one session, with `rfb` as the one place that it shares with the gate.
pub(super) fn body(
    size: Size,
    docker: &Docker,
    session: &SessionId,
    gate: &Path,
    account: &Account,
    rfb: &Path,
) -> ContainerCreateBody {
    let text = |text: &str| Some(text.to_owned());
    let labels = [(SESSION.to_owned(), session.to_string()), (GATE.to_owned(), gate.display().to_string())];
    ContainerCreateBody {
        image: Some(docker.image.clone()),
        cmd: Some(vec![format!("{}x{}", size.width, size.height)]),
        user: Some(format!("{}:{}", account.uid, account.gid)),
        hostname: text("desktop"),
        env: Some(vec![format!("PORTCULLIS_SESSION={session}")]),
        labels: Some(HashMap::from(labels)),
        network_disabled: Some(true),
        host_config: Some(HostConfig {
            network_mode: text("none"),
            ipc_mode: text("private"),
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            readonly_rootfs: Some(true),
            tmpfs: Some(["/tmp", "/home"].map(|place| (place.to_owned(), TMPFS.to_owned())).into()),
            mounts: Some(vec![shared(rfb), transfer(docker.transfer_mib, account)]),
            memory: Some(i64::from(docker.memory_mib) * MIB),
            memory_swap: Some(i64::from(docker.memory_mib) * MIB),
            nano_cpus: Some(i64::from(docker.cpu_percent) * 10_000_000),
            pids_limit: Some(i64::from(docker.pids)),
            shm_size: Some(SHM_BYTES),
            ulimits: Some(vec![limit("nofile", MAX_FILES), limit("core", 0)]),
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

fn shared(rfb: &Path) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(rfb.display().to_string()),
        target: Some("/run/rfb".to_owned()),
        bind_options: Some(MountBindOptions {
            propagation: Some(MountBindOptionsPropagationEnum::PRIVATE),
            ..MountBindOptions::default()
        }),
        ..Mount::default()
    }
}

/// The folder that files go through: a volume in memory, which goes with its container.
fn transfer(mib: u32, account: &Account) -> Mount {
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
            driver_config: Some(driver),
            ..MountVolumeOptions::default()
        }),
        ..Mount::default()
    }
}

fn limit(name: &str, most: i64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.to_owned()), soft: Some(most), hard: Some(most) }
}
