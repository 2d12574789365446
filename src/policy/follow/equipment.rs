//! What a gate has that policies can ask for: rules that nothing could follow are refused before anybody relies on them.

use portcullis_policy::{Egress, PolicySet, Quarantine, Rule};

use super::judge::Fault;
use crate::config::Config;

/// What there is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Equipment {
    /// Something that scans files.
    pub(crate) scanner: bool,
    /// Somebody to encrypt copies to.
    pub(crate) recipients: bool,
    /// A proxy that desktops come out by.
    pub(crate) proxy: bool,
}

impl Equipment {
    /// By the configuration.
    ///
    /// # Errors
    /// When what it says of them cannot be read.
    pub(crate) fn of(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            scanner: config.files.scanner()?.is_some(),
            recipients: config.recording.recipients()?.is_some(),
            proxy: config.egress.has_proxy(),
        })
    }

    /// Each rule that asks for what there is not.
    pub(super) fn lacks(self, policies: &PolicySet) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |rule: &Rule, reason: &str| {
            faults.push(Fault {
                file: rule.file.clone(),
                line: rule.line,
                column: 0,
                reason: format!("`{}` {reason}", rule.key),
            });
        };
        for way in policies.ways_out().filter(|way| way.value == Egress::Proxy && !self.proxy) {
            fault(&way.rule, "wants an egress proxy, and this gate has none: say where it is with `egress.proxy`");
        }
        for limits in policies.allowed() {
            if let Some(scan) = limits.scan.as_ref().filter(|_| !self.scanner) {
                fault(
                    &scan.rule,
                    "asks for a scanner, and this gate has none: say where clamd listens with `files.clamd`",
                );
            }
            if let Some(keep) = limits.keep.as_ref().filter(|_| !self.recipients) {
                let reason = "keeps contents, and this gate has nobody to encrypt them to: name `recording.recipients`";
                fault(&keep.rule, reason);
            }
            let quarantine = limits.files.quarantine.as_ref().filter(|quarantine| quarantine.value != Quarantine::None);
            if let Some(quarantine) = quarantine.filter(|_| !self.recipients) {
                let reason = "keeps copies, and this gate has nobody to encrypt them to: name `recording.recipients`";
                fault(&quarantine.rule, reason);
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use portcullis_policy::PolicyFile;

    use super::*;

    #[test]
    fn what_a_gate_lacks_is_told_by_file_line_and_key() {
        let text = "policy: p\napplies: {}\nallow:\n  upload:\n    scan: clamav\n    quarantine: denied\n  download: {quarantine: none}\n  paste: {keep: contents}\ndesktop: {egress: proxy}\n";
        let set = PolicySet::parse(&[PolicyFile { name: "p.yaml".into(), text: text.into() }]).unwrap();
        let lacks = |scanner, recipients, proxy| {
            let faults = Equipment { scanner, recipients, proxy }.lacks(&set);
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(lacks(true, true, true), "");
        let both = lacks(false, false, false);
        assert!(both.contains("p.yaml:5: `allow.upload.scan` asks for a scanner"), "{both}");
        assert!(both.contains("p.yaml:6: `allow.upload.quarantine` keeps copies"), "{both}");
        assert!(both.contains("p.yaml:8: `allow.paste.keep` keeps contents"), "{both}");
        assert!(both.contains("p.yaml:9: `desktop.egress` wants an egress proxy"), "{both}");
        assert_eq!(both.lines().count(), 4);
    }
}
