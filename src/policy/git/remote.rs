//! How git reaches a repository elsewhere: by one transport, with the credentials that are configured and no others.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::run::inherit;
use crate::config::{Policies, Transport};

/// What ssh is told: nobody's configuration, one key, known hosts alone, no questions, no forwarding.
const SSH: &str = "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null \
    -o UpdateHostKeys=no -o IdentitiesOnly=yes -o IdentityAgent=none -o PreferredAuthentications=publickey \
    -o ForwardAgent=no -o ClearAllForwardings=yes -o PermitLocalCommand=no -o ControlPath=none -o ConnectTimeout=10 \
    -o ServerAliveInterval=10 -o ServerAliveCountMax=3";
/// What a proxy on the way to https is known by.
const PROXIES: [&str; 5] = ["https_proxy", "HTTPS_PROXY", "ALL_PROXY", "no_proxy", "NO_PROXY"];

/// Gives a command of git what it needs to reach the repository; it then takes no other transport than that one.
///
/// INVARIANT: a secret travels in the environment, which only the gate's own user can read, and never on a command line.
///
/// # Errors
/// When the token's file cannot be read.
pub(super) fn equip(command: &mut Command, config: &Policies) -> anyhow::Result<()> {
    let transport = Transport::of(&config.repository)?;
    command.env("GIT_ALLOW_PROTOCOL", transport.name());
    match transport {
        Transport::File => {}
        Transport::Ssh => {
            // The configuration lets no path in that ssh, git or a shell would take apart.
            let (key, hosts) = (config.ssh_key_file.display(), config.ssh_known_hosts_file.display());
            command.env("GIT_SSH_COMMAND", format!("{SSH} -o UserKnownHostsFile={hosts} -i {key}"));
            command.env("GIT_SSH_VARIANT", "ssh");
        }
        Transport::Https => {
            inherit(command, &PROXIES);
            let mut settings = vec![
                // A redirection could lead to a host that nobody configured, credentials and all.
                ("http.followRedirects".to_owned(), "false".to_owned()),
                ("http.sslVerify".to_owned(), "true".to_owned()),
                ("http.lowSpeedLimit".to_owned(), "1".to_owned()),
                ("http.lowSpeedTime".to_owned(), "20".to_owned()),
                ("credential.helper".to_owned(), String::new()),
            ];
            if config.ca_file != Path::new("") {
                settings.push(("http.sslCAInfo".to_owned(), config.ca_file.display().to_string()));
            }
            if let Some(token) = config.token()? {
                let both = STANDARD.encode(format!("{}:{token}", config.user));
                // For this host alone, whatever else may be asked on the way.
                let host: String = config.repository.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
                settings.push((format!("http.{host}/.extraHeader"), format!("Authorization: Basic {both}")));
            }
            command.env("GIT_CONFIG_COUNT", settings.len().to_string());
            for (number, (key, value)) in settings.into_iter().enumerate() {
                command.env(format!("GIT_CONFIG_KEY_{number}"), key);
                command.env(format!("GIT_CONFIG_VALUE_{number}"), value);
            }
        }
    }
    Ok(())
}
