//! Files in and out of real desktops: what crosses is on the record before it does, and what a hostile desktop lays out stays there.

use std::os::unix::fs::{MetadataExt, symlink};
use std::process::Command;

use portcullis_tests::{Api, DesktopProbe, Gate, Opened, until};
use serde_json::{Value, json};

use super::{events, of_type, plan};

/// A policy file that lets small files cross both ways.
pub(crate) const FILES: &str = "policy: files\napplies: {groups: [testers], desktops: [bare]}\nallow:\n  upload: {max_bytes: 1 MiB}\n  download: {max_bytes: 1 MiB}\n";

/// A gate under a policy for files, and a session on its desktop.
pub(crate) async fn opened(policy: &str, config: &str) -> (Gate, Api, Opened, DesktopProbe) {
    let mut plan = plan().policy("files.yaml", policy);
    plan.config = format!("{config}\n{}", plan.config);
    let gate = Gate::start(&plan).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    (gate, api, opened, desktop)
}

/// Ends the session; its events of one type.
pub(crate) async fn ended(gate: &Gate, api: &Api, session: &str, kind: &str) -> Vec<Value> {
    api.end(session).await.unwrap();
    api.wait_gone(session).await.unwrap();
    let bundle = gate.bundle(session).unwrap();
    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound, "{report}");
    of_type(&events(&bundle).unwrap(), kind).into_iter().cloned().collect()
}

/// What lies in a desktop's folder.
pub(crate) fn laid(desktop: &DesktopProbe) -> Vec<String> {
    let entries = std::fs::read_dir(desktop.transfer()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_crosses_both_ways_and_is_on_the_record() {
    let (gate, api, opened, desktop) = opened(FILES, "").await;
    let text = "a note of seventeen\n".repeat(100);
    let (status, answer) = api.upload(&opened.id, "note é.txt", text.clone()).await.unwrap();
    assert_eq!(
        (status, &answer["name"], &answer["media_type"]),
        (201, &json!("note é.txt"), &json!("text/plain")),
        "{answer}"
    );
    assert_eq!((&answer["bytes"], &answer["metadata_stripped"]), (&json!(text.len()), &json!(false)));
    assert!(answer["policy"]["rule"].as_str().unwrap().starts_with("files.yaml:4"), "{answer}");
    let (_, again) = api.upload(&opened.id, "note é.txt", "other").await.unwrap();
    assert_eq!(again["name"], "note é (2).txt", "a name that is taken is not taken away");
    assert_eq!(laid(&desktop), ["note é (2).txt", "note é.txt"]);
    let file = desktop.transfer().join("note é.txt");
    let found = std::fs::metadata(&file).unwrap();
    let server = std::fs::metadata(format!("/proc/{}", desktop.server)).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o777), (server.uid(), 0o600), "it is the desktop's user's");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    // A link, which from out here would lead to this machine's own /home.
    let link = std::fs::read_link(format!("/proc/{}/root/home/desktop/Transfer", desktop.server)).unwrap();
    assert_eq!(link.to_str(), Some("/home/transfer"), "people find it in their home");

    let list = api.get(&format!("/api/sessions/{}/files", opened.id)).await.unwrap();
    assert_eq!((&list["folder"], list["files"].as_array().unwrap().len()), (&json!("Transfer"), 2), "{list}");
    assert_eq!(list["files"][1]["bytes"], text.len());
    let answer = api
        .send(reqwest::Method::GET, &format!("/api/sessions/{}/files/note%20%C3%A9.txt", opened.id), &[], None)
        .await
        .unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"note _.txt\"; filename*=UTF-8''note%20%C3%A9.txt"
    );
    assert_eq!(
        (header("content-type"), header("x-content-type-options")),
        ("application/octet-stream".into(), "nosniff".into())
    );
    assert_eq!(answer.text().await.unwrap(), text);
    let session = api.get(&format!("/api/sessions/{}", opened.id)).await.unwrap();
    assert_eq!(
        (&session["allows"]["upload"], &session["allows"]["upload_bytes"]),
        (&json!(true), &json!(1 << 20)),
        "{session}"
    );

    let uploads = ended(&gate, &api, &opened.id, "upload").await;
    assert_eq!(uploads.len(), 2);
    let first = &uploads[0];
    assert_eq!(
        (&first["effect"], &first["name"], &first["bytes"]),
        (&json!("permit"), &json!("note é.txt"), &json!(text.len()))
    );
    assert_eq!(
        (first["sha256"].as_str().unwrap().len(), first["rule"].as_str().unwrap()),
        (64, "files.yaml:4 allow.upload")
    );
    assert!(first.get("found").is_none() && first.get("quarantined").is_none());
    let events = events(&gate.bundle(&opened.id).unwrap()).unwrap();
    let downloads = of_type(&events, "download");
    assert_eq!((downloads.len(), &downloads[0]["sha256"]), (1, &first["sha256"]));
    assert!(!gate.log_text().contains("a note of seventeen"));
    assert_eq!(std::fs::read_dir(gate.data().join("files")).unwrap().count(), 0, "nothing is left");
}

#[tokio::test]
async fn what_a_hostile_desktop_lays_out_stays_there() {
    let (gate, api, opened, desktop) = opened(FILES, "").await;
    let folder = desktop.transfer();
    std::fs::write(folder.join("plain.txt"), "plain").unwrap();
    symlink("/etc/passwd", folder.join("link.txt")).unwrap();
    symlink(gate.data().join("keys"), folder.join("keys.txt")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("pipe.txt")).status().unwrap().success());
    std::fs::create_dir(folder.join("folder.txt")).unwrap();
    std::fs::write(folder.join(".hidden.txt"), "hidden").unwrap();
    let sparse = std::fs::File::create(folder.join("sparse.txt")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    // It grows for as long as somebody reads it.
    let endless = format!("exec head -c 200M /dev/zero > {}", folder.join("endless.txt").display());
    let mut growing = Command::new("sh").args(["-c", &endless]).spawn().unwrap();
    let length = || std::fs::metadata(folder.join("endless.txt")).map_or(0, |found| found.len());
    until("it is long", async || Ok((length() > 4 << 20).then_some(()))).await.unwrap();
    let list = api.get(&format!("/api/sessions/{}/files", opened.id)).await.unwrap();
    let names: Vec<_> =
        list["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap().to_owned()).collect();
    assert!(
        names.contains(&"plain.txt".to_owned())
            && !names.iter().any(|name| name.contains("link") || name.contains("pipe")),
        "{names:?}"
    );
    for (name, expected) in [
        ("plain.txt", 200),
        ("link.txt", 409),
        ("keys.txt", 409),
        ("pipe.txt", 409),
        ("folder.txt", 409),
        ("sparse.txt", 413),
        ("endless.txt", 413),
        ("gone.txt", 404),
        (".hidden.txt", 400),
        ("../desktop/.Xdefaults", 400),
        ("..%2Fdesktop", 400),
    ] {
        let (status, answer) = api.download(&opened.id, name).await.unwrap();
        assert_eq!(status, expected, "{name}: {}", String::from_utf8_lossy(&answer));
    }
    let _ = growing.kill();
    let _ = growing.wait();
    let downloads = ended(&gate, &api, &opened.id, "download").await;
    assert_eq!(downloads.iter().filter(|event| event["effect"] == "permit").count(), 1, "{downloads:?}");
    assert_eq!(downloads.len(), 11, "each question is on the record");
}

#[tokio::test]
async fn files_are_for_the_session_s_own_subject_alone() {
    let (gate, _, opened, _) = opened(FILES, "").await;
    let bob = gate.api("bob", "testers", "bare").unwrap();
    assert_eq!(bob.upload(&opened.id, "a.txt", "a").await.unwrap().0, 404);
    let nobody = Api::new(&gate.url, None);
    assert_eq!(nobody.upload(&opened.id, "a.txt", "a").await.unwrap().0, 401);
    let form = [("content-type", "text/plain")];
    let alice = gate.api("alice", "testers", "bare").unwrap();
    let path = format!("/api/sessions/{}/files?name=a.txt", opened.id);
    assert_eq!(alice.bytes(reqwest::Method::POST, &path, &form, "a").await.unwrap().status(), 415);
}

#[tokio::test]
async fn kill_9_in_mid_upload_leaves_nothing() {
    let (mut gate, api, opened, desktop) = opened(FILES, "").await;
    let (send, body) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
    let body = reqwest::Body::wrap_stream(futures_util::stream::unfold(body, async |mut body| {
        Some((body.recv().await?, body))
    }));
    let session = opened.id.clone();
    let uploading = tokio::spawn(async move { api.upload(&session, "half.txt", body).await });
    send.send(Ok(b"half of it".to_vec())).await.unwrap();
    send.send(Ok(b", and more".to_vec())).await.unwrap();
    let pid = gate.pid().unwrap();
    let open = format!("/proc/{pid}/fd");
    // The file has no name: its descriptor says that it is deleted.
    let spooled = async || {
        let links = std::fs::read_dir(&open)?.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
        let length = |link: &std::path::PathBuf| link.to_string_lossy().contains("/data/files/");
        Ok(links.into_iter().any(|link| length(&link)).then_some(()))
    };
    portcullis_tests::until("the upload has begun", spooled).await.unwrap();
    assert_eq!(laid(&desktop), Vec::<String>::new());
    gate.kill().unwrap();
    drop(send);
    assert!(uploading.await.unwrap().is_err());
    gate.launch().await.unwrap();
    let bundle = portcullis_tests::until("the bundle is recovered", async || {
        Ok(gate.bundle(&opened.id).ok().filter(|bundle| bundle.join("seal.json").exists()))
    })
    .await
    .unwrap();
    assert_eq!(of_type(&events(&bundle).unwrap(), "upload").len(), 0);
    assert_eq!(std::fs::read_dir(gate.data().join("files")).unwrap().count(), 0);
}
