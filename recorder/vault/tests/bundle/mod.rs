//! A small sealed recording, and what is asked of a vault that has it.
#![allow(dead_code, reason = "each test file uses its own part")]
use std::fs;
use std::path::Path;
use std::sync::Arc;

use portcullis_evidence::{
    BundleFolder, BundleWriter, Derivation, Digest, Ending, Event, FileHash, KeepTerms, Manifest, Mode, PathInBundle,
    SigningKey, State, Trust, What, stamp, verify_at,
};
use portcullis_vault::keeping::Keeper;
use portcullis_vault::{Key, MAX_LIST, Place, Vault, find_bundle};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

pub(crate) const DAY: u64 = 86_400;

pub(crate) fn signing() -> Arc<SigningKey> {
    Arc::new(SigningKey::generate(&[1; 32]))
}

pub(crate) fn keeper(vault: Arc<dyn Vault>, keep_days: Option<u64>) -> Keeper {
    let keep = keep_days.map(|days| std::time::Duration::from_secs(days * DAY));
    Keeper {
        vault,
        trust: Trust::of(&[signing().verifying_key()]),
        key: signing(),
        keep,
        replace_after: Some(std::time::Duration::from_secs(90 * DAY)),
    }
}

/// So many days ago, in whole seconds.
pub(crate) fn ago(days: u64) -> OffsetDateTime {
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
    now - Duration::seconds(i64::try_from(days * DAY).unwrap())
}

/// Stores the recording of a session that ended then, signed with this key; without its seal if it is not `ended`.
pub(crate) async fn store(
    vault: &dyn Vault,
    id: &str,
    ended: Option<OffsetDateTime>,
    keep: Option<KeepTerms>,
    key: Arc<SigningKey>,
) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("b");
    let at = ended.unwrap_or_else(|| ago(0));
    let manifest = Manifest {
        v: 1,
        id: id.to_owned(),
        subject: "alice".to_owned(),
        issuer: String::new(),
        groups: Vec::new(),
        desktop: "browser".to_owned(),
        policy: "sha256:0123456789ab".to_owned(),
        rule: "staff.yaml:5 allow.open".to_owned(),
        started: stamp(at - Duration::seconds(60)),
        mode: Mode::Strict,
        gate: "0.1.0".to_owned(),
        key: key.kid().to_owned(),
        keep,
        text: None,
        recipients: Vec::new(),
    };
    let mut writer = BundleWriter::create(&dir, &manifest, key).unwrap();
    let bell = Event {
        v: 1,
        seq: 1,
        at_us: 0,
        time: manifest.started.clone(),
        session: id.to_owned(),
        subject: "alice".to_owned(),
        policy: manifest.policy.clone(),
        rule: String::new(),
        what: What::Bell {},
    };
    writer.event(&bell).unwrap();
    let video = [PathInBundle::Init(1), PathInBundle::Video(1)];
    video.iter().for_each(|path| fs::write(path.under(&dir), format!("{path} of {id}")).unwrap());
    writer.close_segment(0, 1_000_000, &video).unwrap();
    if let Some(ended) = ended {
        let ending = Ending {
            state: State::Closed,
            reason: "the person left".to_owned(),
            ended: stamp(ended),
            duration_us: 60_000_000,
            revisions: 7,
        };
        writer.seal(ending).unwrap();
    }
    for path in files(&dir) {
        vault.put(&Key::of(&manifest.prefix(), path).unwrap(), &path.under(&dir)).await.unwrap();
    }
    find_bundle(vault, id).await.unwrap().unwrap()
}

fn files(dir: &Path) -> Vec<PathInBundle> {
    let mut files = Vec::new();
    for folder in ["", "chain", "events", "video"] {
        for entry in fs::read_dir(dir.join(folder)).unwrap() {
            let name = Path::new(folder).join(entry.unwrap().file_name());
            files.extend(name.to_str().unwrap().parse::<PathInBundle>());
        }
    }
    files.sort();
    files
}

/// Stores what was derived of a recording, as `recordings compact` does.
pub(crate) async fn derive(vault: &dyn Vault, place: &Place) {
    let (to, folder) = (place.derived().unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("file");
    let mut made = Vec::new();
    for name in names(vault, place).await.into_iter().filter(|name| name != "expired.json") {
        let path: PathInBundle = name.parse().unwrap();
        let bytes = vault.read(&Key::of(place.key().as_str(), path).unwrap(), None).await.unwrap().to_vec();
        let bytes = if path.is_video() { format!("made of {name}").into_bytes() } else { bytes };
        if path.is_video() {
            made.push(FileHash { path, bytes: bytes.len() as u64, sha256: Digest::of(&bytes), plain: None });
        }
        fs::write(&file, bytes).unwrap();
        vault.put(&Key::of(to.as_str(), path).unwrap(), &file).await.unwrap();
    }
    made.sort_by_key(|file| file.path);
    let sealed = vault.read(&Key::of(place.key().as_str(), PathInBundle::Seal).unwrap(), None).await.unwrap();
    let derivation = Derivation {
        v: 1,
        session: place.id().to_owned(),
        of: Digest::of(&sealed),
        made: stamp(ago(0)),
        codec: "vp9".to_owned(),
        tool: "a test".to_owned(),
        settings: String::new(),
        pictures: 1,
        duration_us: 1,
        files: made,
    };
    fs::write(&file, derivation.sign(&signing()).unwrap()).unwrap();
    vault.put(&Key::of(to.as_str(), PathInBundle::Derivation).unwrap(), &file).await.unwrap();
}

/// What lies in what was derived of a recording.
pub(crate) async fn derived_names(vault: &dyn Vault, place: &Place) -> Vec<String> {
    names_at(vault, &place.derived().unwrap()).await
}

/// What lies in a bundle.
pub(crate) async fn names(vault: &dyn Vault, place: &Place) -> Vec<String> {
    names_at(vault, place.key()).await
}

async fn names_at(vault: &dyn Vault, place: &Key) -> Vec<String> {
    let folder = format!("{place}/");
    let listed = vault.list(&folder, None, MAX_LIST).await.unwrap();
    listed.iter().map(|entry| entry.key.as_str().strip_prefix(&folder).unwrap().to_owned()).collect()
}

/// What is left of one that expired.
pub(crate) const LEFT: [&str; 5] = ["SHA256SUMS", "chain/00001.jws", "expired.json", "seal.json", "session.json"];

/// The verdict on the bundle as it is now.
pub(crate) async fn verdict(vault: &dyn Vault, place: &Place) -> &'static str {
    verdict_at(vault, place.key()).await
}

/// The verdict on the bundle at this place.
pub(crate) async fn verdict_at(vault: &dyn Vault, place: &Key) -> &'static str {
    let folder: TempDir = tempfile::tempdir().unwrap();
    for name in names_at(vault, place).await {
        let to = folder.path().join(&name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        let bytes = vault.read(&Key::new(format!("{place}/{name}")).unwrap(), None).await.unwrap();
        fs::write(to, bytes).unwrap();
    }
    verify_at(&BundleFolder::at(folder.path()), &Trust::of(&[signing().verifying_key()])).verdict().name()
}
