//! The evidence reader: a bundle of which one file was replaced is never sound, unless by its own bytes.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portcullis_evidence::{Authorities, Event, KeyList, Manifest, PathInBundle, VerifyingKey, verify};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../recorder/evidence/tests/golden/v1");

struct Bundle {
    key: VerifyingKey,
    authorities: Authorities,
    /// A time stamp and what it stamps.
    stamp: Vec<u8>,
    stamped: Vec<u8>,
    folder: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
}

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| {
    let golden = Path::new(GOLDEN);
    let key = fs::read_to_string(golden.join("evidence.pub")).expect("the public key");
    let folder = Path::new("/dev/shm").join(format!("portcullis-fuzz-{}", std::process::id()));
    let mut files = Vec::new();
    copy(&golden.join("bundle"), &folder, &mut files);
    files.sort();
    let pem = fs::read_to_string(golden.join("authority.pem")).expect("an authority");
    Bundle {
        key: VerifyingKey::from_pem(&key).expect("a key"),
        authorities: Authorities::from_pem(&pem).expect("an authority"),
        stamp: fs::read(golden.join("stamped/seal.tsr")).expect("a time stamp"),
        stamped: fs::read(golden.join("stamped/seal.json")).expect("a seal"),
        folder,
        files,
    }
});

fn copy(from: &Path, to: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target, files);
        } else {
            let bytes = fs::read(entry.path()).expect("a file");
            fs::write(&target, &bytes).expect("a file");
            files.push((target, bytes));
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let [which, place_high, place_low, cut, patch @ ..] = data else { return };
    // The parsers of single records, which take most of what is tried.
    let _ = Event::from_line(patch);
    let _ = Manifest::from_bytes(patch);
    let bundle = &*BUNDLE;
    if let Ok(list) = KeyList::from_bytes(patch, &[]) {
        assert_eq!(list.to_bytes().expect("what was read"), patch);
    }
    assert!(KeyList::from_bytes(patch, std::slice::from_ref(&bundle.key)).is_err(), "nobody signed it");
    if let Some(path) = std::str::from_utf8(patch).ok().and_then(|text| text.parse::<PathInBundle>().ok()) {
        assert_eq!(path.to_string().as_bytes(), patch);
    }
    let _ = bundle.authorities.verify(patch, &bundle.stamped, None);
    // A time stamp that was patched says what it said, or nothing.
    let place = usize::from(u16::from_be_bytes([*place_high, *place_low])) % (bundle.stamp.len() + 1);
    let until = (place + usize::from(*cut)).min(bundle.stamp.len());
    let patched = [&bundle.stamp[..place], patch, &bundle.stamp[until..]].concat();
    if let Ok(said) = bundle.authorities.verify(&patched, &bundle.stamped, None) {
        assert_eq!(Ok(said), bundle.authorities.verify(&bundle.stamp, &bundle.stamped, None));
    }
    let (path, original) = &bundle.files[usize::from(*which) % bundle.files.len()];
    let start = usize::from(u16::from_be_bytes([*place_high, *place_low])) % (original.len() + 1);
    let end = (start + usize::from(*cut)).min(original.len());
    let replaced = [&original[..start], patch, &original[end..]].concat();
    fs::write(path, &replaced).expect("a file");
    let report = verify(&bundle.folder, std::slice::from_ref(&bundle.key));
    assert_eq!(report.is_sound(), replaced == *original, "{}", path.display());
    fs::write(path, original).expect("a file");
});
