//! The evidence reader: a bundle of which one file was replaced is never sound, unless by its own bytes.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portcullis_evidence::{Event, Manifest, VerifyingKey, verify};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../recorder/evidence/tests/golden/v1");

struct Bundle {
    key: VerifyingKey,
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
    Bundle { key: VerifyingKey::from_pem(&key).expect("a key"), folder, files }
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
    let (path, original) = &bundle.files[usize::from(*which) % bundle.files.len()];
    let start = usize::from(u16::from_be_bytes([*place_high, *place_low])) % (original.len() + 1);
    let end = (start + usize::from(*cut)).min(original.len());
    let replaced = [&original[..start], patch, &original[end..]].concat();
    fs::write(path, &replaced).expect("a file");
    let report = verify(&bundle.folder, std::slice::from_ref(&bundle.key));
    assert_eq!(report.is_sound(), replaced == *original, "{}", path.display());
    fs::write(path, original).expect("a file");
});
