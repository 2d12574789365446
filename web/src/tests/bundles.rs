//! Real bundles, written by the evidence package and stored in a vault as the recorder does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_evidence::{
    BundleWriter, Effect, Ending, Event, KeyList, ListedKey, Manifest, Mode, PathInBundle, SigningKey, State,
    TextTerms, VERSION, What, stamp,
};
use portcullis_vault::{Key, Vault};
use time::{Duration, OffsetDateTime};

/// What is to be recorded.
#[derive(Clone)]
pub(crate) struct Story {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) started: OffsetDateTime,
    /// `None`: it is still running.
    pub(crate) end: Option<State>,
    pub(crate) segments: u32,
    pub(crate) groups: Vec<String>,
    pub(crate) desktop: String,
    pub(crate) text: Option<TextTerms>,
}

impl Story {
    pub(crate) fn new(id: &str, subject: &str) -> Self {
        let started = OffsetDateTime::from_unix_timestamp(1_780_000_000).unwrap();
        Story {
            id: id.into(),
            subject: subject.into(),
            started,
            end: Some(State::Closed),
            segments: 2,
            groups: vec!["users".into()],
            desktop: "browser".into(),
            text: None,
        }
    }

    pub(crate) fn running(self) -> Self {
        Story { end: None, ..self }
    }

    pub(crate) fn interrupted(self) -> Self {
        Story { end: Some(State::Interrupted), ..self }
    }

    pub(crate) fn of(self, groups: &[&str]) -> Self {
        Story { groups: groups.iter().map(|group| (*group).to_owned()).collect(), ..self }
    }

    pub(crate) fn on(self, desktop: &str) -> Self {
        Story { desktop: desktop.to_owned(), ..self }
    }

    pub(crate) fn after(self, seconds: i64) -> Self {
        Story { started: self.started + Duration::seconds(seconds), ..self }
    }

    /// The bytes of `video/<n>.m4s`: about 300 KB, each segment's its own.
    pub(crate) fn video(n: u32) -> Vec<u8> {
        (0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(n) >> 13) as u8).collect()
    }

    /// Records it below `dir` and stores it; where in the vault. Six events a segment: two denied, one a gap.
    pub(crate) async fn store(&self, dir: &Path, vault: &dyn Vault) -> String {
        let (manifest, key) = self.manifest();
        let spool = dir.join("spool").join(&self.id);
        if !spool.exists() {
            std::fs::create_dir_all(spool.parent().unwrap()).unwrap();
        }
        let mut writer = BundleWriter::create(&spool, &manifest, Arc::new(key)).unwrap();
        let prefix = manifest.prefix();
        let mut written = vec![PathInBundle::Session];
        for n in 1..=self.segments {
            for what in happenings(u64::from(n) * 10_000_000) {
                let (seq, at_us) = (writer.next_seq(), u64::from(n) * 10_000_000 - 1);
                let rule = "users.yaml:4 allow".to_owned();
                let (subject, policy) = (self.subject.clone(), "sha256:0123456789ab".to_owned());
                let time = stamp(self.started + Duration::microseconds(at_us as i64));
                let event = Event { v: 1, seq, at_us, time, session: self.id.clone(), subject, policy, rule, what };
                writer.event(&event).unwrap();
            }
            let mut video = vec![PathInBundle::Video(n)];
            std::fs::write(PathInBundle::Video(n).under(&spool), Story::video(n)).unwrap();
            if n == 1 {
                std::fs::write(PathInBundle::Init(1).under(&spool), b"ftyp and moov").unwrap();
                video.insert(0, PathInBundle::Init(1));
            }
            written.extend(writer.close_segment(writer.from_us(), u64::from(n) * 10_000_000, &video).unwrap());
        }
        if let Some(state) = self.end {
            let duration_us = u64::from(self.segments) * 10_000_000;
            let ended = stamp(self.started + Duration::microseconds(duration_us as i64));
            let reason = "the person closed it <img onerror=alert(1)>".to_owned();
            written.extend(writer.seal(Ending { state, reason, ended, duration_us, revisions: 9 }).unwrap().written);
        }
        for path in written {
            store(vault, &prefix, path, &path.under(&spool)).await;
        }
        std::fs::remove_dir_all(&spool).unwrap();
        prefix
    }

    fn manifest(&self) -> (Manifest, SigningKey) {
        let key = SigningKey::generate(&[7; 32]);
        let manifest = Manifest {
            v: 1,
            id: self.id.clone(),
            subject: self.subject.clone(),
            issuer: "idp".into(),
            groups: self.groups.clone(),
            desktop: self.desktop.clone(),
            policy: "sha256:0123456789ab".into(),
            rule: "users.yaml:3 allow.open".into(),
            started: stamp(self.started),
            mode: Mode::Strict,
            gate: "0.1.0".into(),
            key: key.kid().to_owned(),
            keep: None,
            text: self.text,
            recipients: Vec::new(),
        };
        (manifest, key)
    }
}

/// Writes the list of the key that all stories are signed with.
pub(crate) fn key_list(dir: &Path) -> PathBuf {
    let key = SigningKey::generate(&[7; 32]).verifying_key();
    let issued = stamp(OffsetDateTime::UNIX_EPOCH);
    let list = KeyList { v: VERSION, keys: vec![ListedKey::of(&key, &issued)], issued };
    let path = dir.join("evidence.keys.json");
    std::fs::write(&path, list.to_bytes().unwrap()).unwrap();
    path
}

/// Puts one file of a bundle into the vault.
pub(crate) async fn store(vault: &dyn Vault, prefix: &str, path: PathInBundle, from: &Path) {
    let key = Key::of(prefix, path).unwrap();
    match path {
        PathInBundle::Index => vault.replace(&key, from).await.unwrap(),
        _ => vault.put(&key, from).await.unwrap(),
    }
}

fn happenings(until_us: u64) -> Vec<What> {
    let (viewer, reason) = (1, "for a test".to_owned());
    let (bytes, sha256) = (3, "00".repeat(32));
    vec![
        What::Keys { viewer, pressed: 4 },
        What::Paste {
            viewer,
            effect: Effect::Deny,
            bytes,
            sha256: sha256.clone(),
            reason: reason.clone(),
            found: vec!["payment-card".to_owned()],
            redacted: None,
        },
        What::Copy {
            viewer,
            effect: Effect::Permit,
            bytes,
            sha256,
            reason: reason.clone(),
            found: Vec::new(),
            redacted: None,
        },
        What::Refused { what: "Upload".into(), reason: reason.clone() },
        What::Gap { from_us: until_us - 5, to_us: until_us, reason },
        What::Bell {},
    ]
}
