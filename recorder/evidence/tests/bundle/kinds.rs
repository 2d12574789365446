//! Bundles of each kind: closed, interrupted, finished under a new key, time-stamped, still growing.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use portcullis_evidence::{
    BundleWriter, Buried, CoverKey, Derivation, Digest, Encryption, FileHash, Hold, Identities, KeepLock, KeepTerms,
    KeyList, ListedKey, Manifest, PathInBundle, PlainHash, Recipients, Reopened, Replacement, Settings, SigningKey,
    State, Tombstone, Trust, VERSION, What, time_stamp_request,
};

use super::{Progress, ending, event, key, manifest, scene_of, story};

/// When the gate's second key came into use.
pub const RENEWED: &str = "2026-02-01T00:00:00.000000Z";

pub fn new_key() -> Arc<SigningKey> {
    Arc::new(SigningKey::generate(&[3; 32]))
}

fn settings() -> Settings {
    Settings {
        disk: portcullis_evidence::Disk::with(Arc::new(super::disk::Killed::never())),
        room_bytes: 0,
        encryption: None,
    }
}

/// A bundle of the story's first scenes, or all of them, still open.
fn begun(dir: &Path, manifest: &Manifest, scenes: usize, without_gap: bool) -> BundleWriter {
    let mut writer = BundleWriter::create_with(dir, manifest, key(), settings()).unwrap();
    for mut scene in story().into_iter().take(scenes) {
        scene.events.retain(|what| !without_gap || !matches!(what, What::Gap { .. }));
        scene_of(&mut writer, &scene, &mut Progress::default()).unwrap();
    }
    writer
}

/// Closed by the gate that recorded it; nothing is lacking.
pub fn closed(dir: &Path) {
    begun(dir, &manifest(), 3, true).seal(ending(State::Closed)).unwrap();
}

/// The gate was killed in segment 3; a run with the key `after` made it good.
pub fn interrupted(dir: &Path, after: Arc<SigningKey>) {
    let mut writer = begun(dir, &manifest(), 2, true);
    let bell = event(writer.next_seq(), writer.from_us(), What::Bell {});
    writer.event(&bell).unwrap();
    super::write_video(dir, portcullis_evidence::PathInBundle::Video(3));
    drop(writer);
    let Reopened::Open(mut writer, left) = BundleWriter::reopen(dir, after).unwrap() else { panic!("not open") };
    writer.close_segment(writer.from_us(), writer.from_us() + 1_000_000, &left.video).unwrap();
    writer.seal(ending(State::Interrupted)).unwrap();
}

/// Two segments and no end yet.
pub fn growing(dir: &Path) {
    drop(begun(dir, &manifest(), 2, true));
}

/// A manifest, and nothing yet that proves it.
pub fn begun_only(dir: &Path) {
    drop(begun(dir, &manifest(), 0, true));
}

/// A closed bundle whose video was made anew, under the gate's second key.
pub fn derived(dir: &Path) {
    closed(dir);
    derive(dir, |_, bytes| (bytes, None));
}

/// Puts other video in place of what is there, as `seal` makes it, and says so.
fn derive(dir: &Path, seal: impl Fn(&str, Vec<u8>) -> (Vec<u8>, Option<PlainHash>)) {
    let mut files = Vec::new();
    for name in super::files(dir).iter().filter(|name| name.starts_with("video/")) {
        let (bytes, plain) = seal(name, format!("made of {name}").into_bytes());
        fs::write(dir.join(name), &bytes).unwrap();
        let sha256 = Digest::of(&bytes);
        files.push(FileHash { path: name.parse().unwrap(), bytes: bytes.len() as u64, sha256, plain });
    }
    files.sort_by_key(|file| file.path);
    let derivation = Derivation {
        v: VERSION,
        session: manifest().id,
        of: Digest::of(&fs::read(dir.join("seal.json")).unwrap()),
        made: "2026-03-01T00:00:00.000000Z".to_owned(),
        codec: "vp9".to_owned(),
        tool: "a test".to_owned(),
        settings: "crf=35".to_owned(),
        pictures: 3,
        duration_us: 1,
        files,
    };
    fs::write(dir.join("derivation.json"), derivation.sign(&new_key()).unwrap()).unwrap();
}

/// Two auditors' identities; anybody may know these.
pub const IDENTITIES: [&str; 2] = [
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
    "AGE-SECRET-KEY-12FEKXAMUH6VX5MXT23WJP43LMK4QCRCL7VAX6JVU7F0R562W3RCST3KDCQ",
];
/// Their public halves.
pub const RECIPIENTS: [&str; 2] = [
    "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
    "age1wfw4ykf2phkw0l3tgsd9ghc3fzymex4hz0mz0nsum5m92tf4853sgvfsyp",
];

pub fn identities() -> Identities {
    Identities::read(IDENTITIES[0]).unwrap()
}

/// To both auditors, covered by a key that does not change.
pub fn encryption() -> Encryption {
    Encryption::new(Recipients::parse(RECIPIENTS).unwrap(), CoverKey::from_bytes(&[5; 32]).unwrap())
}

pub fn encrypted_manifest() -> Manifest {
    Manifest { recipients: RECIPIENTS.map(str::to_owned).to_vec(), ..manifest() }
}

/// Closed as [`closed`], and encrypted.
pub fn encrypted(dir: &Path) {
    let settings = Settings { encryption: Some(encryption()), ..settings() };
    let mut writer = BundleWriter::create_with(dir, &encrypted_manifest(), key(), settings).unwrap();
    for mut scene in story() {
        scene.events.retain(|what| !matches!(what, What::Gap { .. }));
        scene_of(&mut writer, &scene, &mut Progress::default()).unwrap();
    }
    writer.seal(ending(State::Closed)).unwrap();
}

/// The record of another session, of the same gate.
pub fn other(dir: &Path) {
    let manifest = Manifest { id: "other".to_owned(), ..manifest() };
    let mut writer = BundleWriter::create_with(dir, &manifest, key(), settings()).unwrap();
    for n in 1..=3 {
        let video = [portcullis_evidence::PathInBundle::Init(n), portcullis_evidence::PathInBundle::Video(n)];
        video.iter().for_each(|path| fs::write(path.under(dir), format!("other {path}")).unwrap());
        let mut bell = event(writer.next_seq(), writer.from_us(), What::Bell {});
        bell.session = manifest.id.clone();
        writer.event(&bell).unwrap();
        writer.close_segment(writer.from_us(), u64::from(n) * 1000, &video).unwrap();
    }
    writer.seal(ending(State::Closed)).unwrap();
}

/// When the expired bundle's time was over, and when that was seen to.
pub const DUE: &str = "2026-03-02T10:01:00.000000Z";
pub const EXPIRED: &str = "2026-03-03T00:00:00.000000Z";

/// Closed, kept for thirty days, and expired under the gate's second key; or only half of it is gone.
pub fn expired(dir: &Path, whole: bool) {
    let keep = Some(KeepTerms { lock: KeepLock::Governance, seconds: 30 * 86_400 });
    begun(dir, &Manifest { keep, ..manifest() }, 3, true).seal(ending(State::Closed)).unwrap();
    bury(dir, &new_key(), |_| {});
    for file in super::files(dir) {
        let path: PathInBundle = file.parse().unwrap();
        if path.expires() && (whole || !matches!(path, PathInBundle::Video(2 | 3))) {
            fs::remove_file(dir.join(file)).unwrap();
        }
    }
}

/// Puts a tombstone on the bundle, after `change`.
pub fn bury(dir: &Path, key: &SigningKey, change: impl FnOnce(&mut Tombstone)) {
    let seal = fs::read(dir.join("seal.json")).unwrap();
    let mut tombstone = Tombstone {
        v: VERSION,
        session: super::ID.to_owned(),
        seal: Digest::of(&seal),
        due: DUE.to_owned(),
        at: EXPIRED.to_owned(),
        by: "portcullis".to_owned(),
        reason: "kept for 30 days".to_owned(),
    };
    change(&mut tombstone);
    fs::write(dir.join("expired.json"), tombstone.sign(key).unwrap()).unwrap();
}

/// Closed, and its video was replaced by what was made of it: all of it, or all but segments 2 and 3.
pub fn replaced(dir: &Path, whole: bool) {
    closed(dir);
    replace(dir, &new_key(), |_| {});
    for file in super::files(dir) {
        let path: PathInBundle = file.parse().unwrap();
        if path.is_video() && (whole || !matches!(path, PathInBundle::Video(2 | 3))) {
            fs::remove_file(dir.join(file)).unwrap();
        }
    }
}

/// Puts the tombstone of replaced video on the bundle, after `change`.
pub fn replace(dir: &Path, key: &SigningKey, change: impl FnOnce(&mut Replacement)) {
    let mut replacement = Replacement {
        v: VERSION,
        session: super::ID.to_owned(),
        seal: Digest::of(&fs::read(dir.join("seal.json")).unwrap()),
        derivation: Digest::of(b"a derivation"),
        at: EXPIRED.to_owned(),
        by: "portcullis".to_owned(),
        reason: "encoded anew".to_owned(),
    };
    change(&mut replacement);
    fs::write(dir.join("replaced.json"), replacement.sign(key).unwrap()).unwrap();
}

/// An encrypted bundle whose video was made anew, and encrypted to the same auditors.
pub fn derived_encrypted(dir: &Path) {
    encrypted(dir);
    let recipients = Recipients::parse(RECIPIENTS).unwrap();
    derive(dir, |name, bytes| {
        let plain = PlainHash { bytes: bytes.len() as u64, sha256: Digest::of(&bytes) };
        assert!(name.ends_with(".age"));
        (recipients.seal(&bytes).unwrap(), Some(plain))
    });
}

/// A legal hold on the story's session.
pub fn hold() -> Hold {
    Hold {
        v: VERSION,
        session: super::ID.to_owned(),
        n: 1,
        held: true,
        reason: "case 7".to_owned(),
        by: "carol".to_owned(),
        at: EXPIRED.to_owned(),
        prev: Hold::link(None),
    }
}

/// The gate's keys: the first went out of use when the second came.
pub fn key_list() -> KeyList {
    let mut first = ListedKey::of(&key().verifying_key(), "2026-01-01T00:00:00.000000Z");
    first.until = RENEWED.to_owned();
    let second = ListedKey::of(&new_key().verifying_key(), "2026-01-31T00:00:00.000000Z");
    KeyList { v: VERSION, issued: RENEWED.to_owned(), keys: vec![first, second] }
}

/// An authority that stamps time, run by the openssl program.
pub struct Tsa {
    folder: tempfile::TempDir,
}

impl Tsa {
    /// `kind` is what openssl calls a new key: `rsa:2048`, or `ec` on P-256. `hash` is that of the certificate's name in a stamp.
    pub fn new(kind: &str, hash: &str) -> Self {
        let tsa = Self { folder: tempfile::tempdir().unwrap() };
        let config = format!(
            "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n\
             [stamps]\nbasicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n\
             [other]\nbasicConstraints=CA:FALSE\nextendedKeyUsage=critical,codeSigning\n\
             [tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256,sha512\nclock_precision_digits=6\n\
             accuracy=secs:1\nordering=no\ntsa_name=no\ness_cert_id_chain=no\ness_cert_id_alg={hash}\n"
        );
        fs::write(tsa.path("tsa.cnf"), config).unwrap();
        let curve: &[&str] = if kind == "ec" { &["-pkeyopt", "ec_paramgen_curve:P-256"] } else { &[] };
        let ca = "req -x509 -config tsa.cnf -extensions ca -nodes -days 36500 -subj /CN=authority -keyout ca.key -out ca.pem -newkey";
        tsa.openssl(ca, &[&[kind], curve].concat());
        for name in ["stamps", "other"] {
            let request =
                format!("req -config tsa.cnf -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr -newkey");
            tsa.openssl(&request, &[&[kind], curve].concat());
            let sign = format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 36500 -extfile tsa.cnf -extensions {name} -out {name}.pem"
            );
            tsa.openssl(&sign, &[]);
        }
        tsa
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its root, in PEM.
    pub fn authority(&self) -> String {
        fs::read_to_string(self.path("ca.pem")).unwrap()
    }

    /// The authority's answer to a request.
    pub fn answer(&self, request: &[u8]) -> Vec<u8> {
        fs::write(self.path("q"), request).unwrap();
        self.openssl("ts -reply -config tsa.cnf -queryfile q -signer stamps.pem -inkey stamps.key -out r", &[]);
        fs::read(self.path("r")).unwrap()
    }

    /// Stamps the seal of the bundle at `dir`.
    pub fn stamp(&self, dir: &Path) {
        let request = time_stamp_request(&fs::read(dir.join("seal.json")).unwrap(), 0x8000_0000_0000_0001);
        fs::write(dir.join("seal.tsr"), self.answer(&request)).unwrap();
    }

    /// Changes what it does: a text of its configuration.
    pub fn change(&self, from: &str, to: &str) {
        let config = fs::read_to_string(self.path("tsa.cnf")).unwrap();
        assert!(config.contains(from), "{from}");
        fs::write(self.path("tsa.cnf"), config.replace(from, to)).unwrap();
    }

    /// As [`Tsa::stamp`], with another hash than SHA-256 as the imprint.
    pub fn stamp_by(&self, hash: &str, dir: &Path) {
        let seal = dir.join("seal.json");
        self.openssl(&format!("ts -query -cert -{hash} -out q -data"), &[seal.to_str().unwrap()]);
        fs::write(dir.join("seal.tsr"), self.answer(&fs::read(self.path("q")).unwrap())).unwrap();
    }

    pub fn openssl(&self, words: &str, more: &[&str]) {
        let ran =
            Command::new("openssl").args(words.split(' ')).args(more).current_dir(self.folder.path()).output().unwrap();
        assert!(ran.status.success(), "{words}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

/// Trust in the gate's list of keys, and in `authority` (PEM).
pub fn trust(list: &KeyList, authority: &str) -> Trust {
    Trust::listed(list).unwrap().with_authorities(authority).unwrap()
}
