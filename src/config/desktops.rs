//! `[capacity]`, `[docker]` and `[egress]`: what desktops may take of the machine together, which engine some run in, and where those that have a way out come out.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use portcullis_policy::Network;
use portcullis_proxy::egress::Ways;
use portcullis_proxy::runtime::{Capacity as Room, Cost, Reach, Template};
use serde::Deserialize;

/// Openings that may wait in line, and seconds that one may wait.
const LONGEST_LINE: usize = 1000;
const MOST_SECONDS: u64 = 600;

/// `[docker]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Docker {
    pub(crate) host: String,
}

/// `[capacity]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Capacity {
    memory_mib: u64,
    cpu_percent: u64,
    queue: usize,
    queue_seconds: u64,
}

impl Capacity {
    /// Refuses a line that could not work, and desktops for which there could never be room.
    pub(super) fn check(&self, desktops: &[Template]) -> anyhow::Result<()> {
        if self.queue > LONGEST_LINE || self.queue_seconds > MOST_SECONDS {
            bail!(
                "`capacity.queue` must be at most {LONGEST_LINE}, and `capacity.queue_seconds` at most {MOST_SECONDS}"
            );
        }
        for desktop in desktops {
            let Cost { memory_mib, cpu_percent } = desktop.cost();
            for (key, one, all) in
                [("memory_mib", memory_mib, self.memory_mib), ("cpu_percent", cpu_percent, self.cpu_percent)]
            {
                if all != 0 && one > all {
                    bail!("one desktop `{}` takes {one} of the {all} in `capacity.{key}`", desktop.name);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn room(&self) -> Room {
        let most = Cost { memory_mib: self.memory_mib, cpu_percent: self.cpu_percent };
        Room { most, queue: self.queue, patience: Duration::from_secs(self.queue_seconds) }
    }
}

/// `[egress]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Egress {
    proxy: String,
    credentials_file: PathBuf,
    #[serde(deserialize_with = "super::networks")]
    reachable: Vec<Network>,
}

impl Egress {
    /// Refuses a proxy that is none, and desktops that want one where there is none.
    pub(super) fn check(&self, desktops: &[Template]) -> anyhow::Result<()> {
        let proxy = self.place()?;
        if proxy.is_none() && !self.credentials_file.as_os_str().is_empty() {
            bail!("`egress.credentials_file` needs `egress.proxy`");
        }
        let wants = desktops.iter().find(|desktop| desktop.egress == Reach::Proxy);
        match (wants, proxy) {
            (Some(desktop), None) => {
                bail!("the desktop `{}` says egress = \"proxy\", which needs `egress.proxy`", desktop.name)
            }
            _ => Ok(()),
        }
    }

    /// What desktops come out by; the file of credentials is read once, to say now what is wrong with it.
    pub(crate) fn ways(&self) -> anyhow::Result<Arc<Ways>> {
        let credentials = Some(self.credentials_file.clone()).filter(|file| !file.as_os_str().is_empty());
        let ways = Ways { proxy: self.place()?, credentials, reachable: self.reachable.clone(), ..Ways::default() };
        ways.check().map_err(|reason| anyhow!("`egress.credentials_file` {reason}"))?;
        Ok(Arc::new(ways))
    }

    /// Whether there is a proxy.
    pub(crate) fn has_proxy(&self) -> bool {
        !self.proxy.is_empty()
    }

    fn place(&self) -> anyhow::Result<Option<(String, u16)>> {
        if self.proxy.is_empty() {
            return Ok(None);
        }
        let wrong = || "`egress.proxy` must be http://HOST:PORT, without a user, a path or anything else";
        let rest = self.proxy.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let (host, port) = rest.and_then(|rest| rest.rsplit_once(':')).with_context(wrong)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() || host.contains(['/', '@', ' ', '?', '#']) {
            bail!(wrong());
        }
        Ok(Some((host.to_owned(), port.parse().with_context(wrong)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn settle(text: &str) -> Result<Config, String> {
        let mut config = Config::parse(text).map_err(|error| error.to_string())?;
        config.data = "/nowhere".into();
        config.settle().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn a_proxy_is_host_and_port() {
        let place = |proxy: &str| {
            settle(&format!("[egress]\nproxy = \"{proxy}\"\n")).map(|config| config.egress.place().unwrap())
        };
        assert_eq!(place("http://proxy.example.org:3128"), Ok(Some(("proxy.example.org".into(), 3128))));
        assert_eq!(place("http://[fd00::1]:3128/"), Ok(Some(("fd00::1".into(), 3128))));
        assert_eq!(place(""), Ok(None));
        for wrong in
            ["proxy:3128", "https://proxy:1", "http://proxy", "http://a:b@proxy:1", "http://proxy:1/x", "http://:1"]
        {
            assert!(place(wrong).unwrap_err().contains("must be http://HOST:PORT"), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_work_is_said_at_the_start() {
        let desktop = "[[desktops]]\nname = \"x\"\negress = \"proxy\"\ndocker = {image = \"i\", memory_mib = 2048}\n";
        assert!(settle(desktop).unwrap_err().contains("needs `egress.proxy`"));
        settle(&format!("[egress]\nproxy = \"http://p:1\"\n{desktop}")).unwrap();
        let small = format!("[egress]\nproxy = \"http://p:1\"\n[capacity]\nmemory_mib = 1024\n{desktop}");
        assert!(settle(&small).unwrap_err().contains("takes 2048 of the 1024 in `capacity.memory_mib`"));
        assert!(settle("[egress]\ncredentials_file = \"/x\"\n").unwrap_err().contains("needs `egress.proxy`"));
        assert!(settle("[capacity]\nqueue = 5000\n").unwrap_err().contains("at most 1000"));
    }
}
