//! Which calls of the kernel the programs of a container may make: the profile travels inline, so that it is the gate's and not the Engine's.

use serde_json::{Value, json};

/// What desktops may call: no mounts, no namespaces, no keys, no kernel modules, no tracing of the kernel.
const PROFILE: &str = include_str!("seccomp.json");
/// What Chromium's own sandbox needs: a user namespace, and others within it.
const NAMESPACES: [&str; 4] = ["clone", "unshare", "setns", "chroot"];

/// The profile as the Engine wants it, with or without user namespaces.
pub(super) fn profile(user_namespaces: bool) -> String {
    if !user_namespaces {
        return PROFILE.to_owned();
    }
    let Ok(mut profile) = serde_json::from_str::<Value>(PROFILE) else { return PROFILE.to_owned() };
    if let Some(rules) = profile.get_mut("syscalls").and_then(Value::as_array_mut) {
        rules.retain(|rule| rule.pointer("/names/0").and_then(Value::as_str) != Some("clone"));
        rules.push(json!({"action": "SCMP_ACT_ALLOW", "names": NAMESPACES}));
    }
    profile.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(profile: &str, name: &str) -> bool {
        let profile: Value = serde_json::from_str(profile).unwrap();
        assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
        profile["syscalls"].as_array().unwrap().iter().any(|rule| {
            rule["action"] == "SCMP_ACT_ALLOW"
                && rule.get("args").is_none()
                && rule["names"].as_array().unwrap().iter().any(|known| known == name)
        })
    }

    #[test]
    fn what_leads_out_of_a_container_is_not_permitted() {
        let (plain, namespaces) = (profile(false), profile(true));
        for name in ["mount", "bpf", "keyctl", "perf_event_open", "open_by_handle_at", "init_module", "userfaultfd"] {
            assert!(!permits(&plain, name) && !permits(&namespaces, name), "{name}");
        }
        for name in NAMESPACES {
            assert!(!permits(&plain, name) && permits(&namespaces, name), "{name}");
        }
        // AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK: no others have any business in a desktop.
        for profile in [&plain, &namespaces] {
            let profile: Value = serde_json::from_str(profile).unwrap();
            let rules = profile["syscalls"].as_array().unwrap().iter().filter(|rule| rule["names"][0] == "socket");
            let families: Vec<_> =
                rules.map(|rule| (rule["args"][0]["value"].clone(), rule["args"][0]["op"].clone())).collect();
            assert_eq!(families, [1, 2, 10, 16].map(|family| (json!(family), json!("SCMP_CMP_EQ"))));
        }
        assert!(permits(&plain, "execve") && permits(&namespaces, "execve"));
    }
}
