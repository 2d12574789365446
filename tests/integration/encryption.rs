//! A gate that cannot read its own past: recordings are encrypted to an auditor, on a real desktop, over kill -9.

use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use portcullis_evidence::{BundleFolder, Decrypted, Identities, PathInBundle, Source};
use portcullis_tests::gate::Plan;
use portcullis_tests::{DesktopProbe, Gate, Viewer, events, of_type, until, video};

const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
const RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
const COLOURS: [[u8; 3]; 3] = [[255, 0, 0], [0, 255, 0], [0, 0, 255]];
/// In events, in video files, on the screen.
const CLEAR: [&[u8]; 4] = [b"\"type\":\"session", b"\"type\":\"viewer", b"\0\0\0\x10mfhd", b"isomcmfc"];

fn plan(keys: &Path) -> Plan {
    let keys = keys.display();
    Plan::new(&format!(
        "[recording]\nrecipients = [\"{RECIPIENT}\"]\nkey_folder = \"{keys}\"\n[[desktops]]\nname = \"bare\"\nsize = \"640x480\"\nprocess = {{ programs = [] }}\n"
    ))
    .policy(
        "tests.yaml",
        "policy: tests\napplies: {groups: [testers], desktops: [bare]}\nallow:\n  open: {}\n  control: {}\n",
    )
}

fn assert_nothing_clear(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Of the database only its own files, of the journal only what it says of sign-ins.
        if path.is_dir() {
            assert_nothing_clear(&path);
        } else if path.is_file() && !path.components().any(|part| part.as_os_str() == "journal") {
            let bytes = std::fs::read(&path).unwrap();
            let solid = COLOURS.map(|[blue, green, red]| [blue, green, red, 0].repeat(8));
            for secret in CLEAR.into_iter().chain(solid.iter().map(Vec::as_slice)) {
                let found = bytes.windows(secret.len()).any(|window| window == secret);
                assert!(!found, "{} has {:?} in clear", path.display(), String::from_utf8_lossy(secret));
            }
        }
    }
}

/// Writes the plain bundle to a folder, so that FFmpeg can look at it.
fn decrypt(bundle: &Path, to: &Path) {
    let (source, identities) = (BundleFolder::at(bundle), Identities::read(IDENTITY).unwrap());
    let plain = Decrypted::new(&source, &identities);
    let mut paths: Vec<PathInBundle> = Vec::new();
    plain
        .list(&mut |entry| {
            paths.push(entry.path.parse().unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
    for path in paths {
        let mut bytes = Vec::new();
        plain.open(path).unwrap().reader.read_to_end(&mut bytes).unwrap();
        if path == PathInBundle::Index {
            bytes = String::from_utf8(bytes).unwrap().replace(".age", "").into_bytes();
        }
        let at = path.under(to);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, bytes).unwrap();
    }
}

#[tokio::test]
async fn what_was_shown_survives_kill_9_and_only_the_auditor_sees_it() {
    let keys = tempfile::tempdir_in("/dev/shm").unwrap();
    let mut gate = Gate::start(&plan(keys.path())).await.unwrap();
    let opened = gate.api("alice", "testers", "bare").unwrap().open("bare").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    for [blue, green, red] in COLOURS {
        desktop.run("xsetroot", &["-solid", &format!("#{red:02x}{green:02x}{blue:02x}")]).unwrap();
        viewer.watch("the colour", |viewer| viewer.count([blue, green, red]) > 40_000).await.unwrap();
    }
    gate.kill().unwrap();
    assert_nothing_clear(&gate.data());
    gate.launch().await.unwrap();
    let bundle = until("the bundle is recovered", async || {
        Ok(gate.bundle(&opened.id).ok().filter(|bundle| bundle.join("seal.json").exists()))
    })
    .await
    .unwrap();
    assert_nothing_clear(&gate.data());

    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound && report.contains("interrupted") && report.contains("contents not looked at"), "{report}");
    let identity = keys.path().join("identity.txt");
    std::fs::write(&identity, IDENTITY).unwrap();
    let keyed = gate.run(&["verify", "--identity", identity.to_str().unwrap(), bundle.to_str().unwrap()]).unwrap();
    assert!(keyed.contains("sound, interrupted") && !keyed.contains("not looked at"), "{keyed}");

    let clear = tempfile::tempdir().unwrap();
    decrypt(&bundle, clear.path());
    let frames = video::decode(clear.path(), 4).unwrap();
    let shown = COLOURS.map(|colour| frames.showing(colour, 48, 0.12).first().copied());
    assert!(shown.iter().all(Option::is_some) && shown.is_sorted(), "{shown:?}");
    let events = events(clear.path()).unwrap();
    assert_eq!(of_type(&events, "session_opened").len(), 1);
    assert_eq!(of_type(&events, "session_closed").len(), 1);
}

#[tokio::test]
async fn keys_on_a_disk_are_refused() {
    let disk = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let error = format!("{:#}", Gate::start(&plan(&disk.path().join("keys"))).await.unwrap_err());
    assert!(error.contains("belong on a tmpfs"), "{error}");
}
