//! A home that outlives its desktop: whose it is, and the name of the volume that it lies in.

use std::path::Path;

use portcullis_policy::Subject;
use sha2::{Digest, Sha256};

/// The home of one subject on one desktop, kept from session to session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptHome {
    /// SHA-256 over subject and desktop: names of people are none of an Engine's.
    whose: [u8; 32],
}

impl KeptHome {
    /// The home of `subject` on the desktop of this name.
    #[must_use]
    pub fn of(subject: &Subject, desktop: &str) -> Self {
        let parts = [subject.issuer.as_str(), subject.name.as_str(), desktop];
        Self { whose: digest(parts.map(str::as_bytes)) }
    }

    /// The volume's name in an Engine that the gate with this run folder may share with other gates.
    pub(super) fn volume(&self, gate: &Path) -> String {
        let whole = digest([gate.as_os_str().as_encoded_bytes(), self.whose.as_slice()]);
        let name: String = whole.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        format!("portcullis-home-{name}")
    }
}

/// Each part with its length before it, so that no two lists of parts are one text.
fn digest<const N: usize>(parts: [&[u8]; N]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subject_desktop_and_gate_has_a_home_of_its_own() {
        let subject =
            |issuer: &str, name: &str| Subject { name: name.into(), groups: Vec::new(), issuer: issuer.into() };
        let (gate, other) = (Path::new("/a"), Path::new("/b"));
        let alice = KeptHome::of(&subject("local", "alice"), "dev").volume(gate);
        assert_eq!(alice, KeptHome::of(&subject("local", "alice"), "dev").volume(gate));
        assert!(alice.starts_with("portcullis-home-") && alice.len() == 56, "{alice}");
        for another in [
            KeptHome::of(&subject("local", "alice"), "dev2").volume(gate),
            KeptHome::of(&subject("local", "alic"), "edev").volume(gate),
            KeptHome::of(&subject("sso", "alice"), "dev").volume(gate),
            KeptHome::of(&subject("local", "alice"), "dev").volume(other),
        ] {
            assert_ne!(alice, another);
        }
    }
}
