//! Each rule that policy has for files: what it stops does not reach the desktop, the person hears why, and the record says which rule.

use portcullis_evidence::{Identities, Recipients};
use portcullis_tests::clamd::{EICAR, MARKER};
use portcullis_tests::{Clamd, Gate, until};
use serde_json::json;

use super::files::{ended, laid, opened};
use super::plan;

/// Bytes that a Python program writes.
pub(crate) fn python(program: &str) -> Vec<u8> {
    let output = std::process::Command::new("python3").args(["-c", program]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A zip of one member.
pub(crate) fn zip(member: &str, contents: &str) -> Vec<u8> {
    python(&format!(
        "import zipfile, io, sys\nb = io.BytesIO()\nz = zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED)\nz.writestr({member:?}, {contents})\nz.close()\nsys.stdout.buffer.write(b.getvalue())"
    ))
}

#[tokio::test]
async fn each_rule_stops_what_it_says() {
    let policy = "policy: files\napplies: {groups: [testers], desktops: [bare]}\nallow:\n  upload:\n    max_bytes: 64 KiB\n    per_session: 2\n    types: [text/plain, application/zip]\n    extensions: [txt, zip]\n    archives: look\n";
    let (gate, api, opened, desktop) = opened(policy, "").await;
    let exe = zip("a.txt", "b'text'");
    for (name, file, status, key) in [
        ("large.txt", vec![b'a'; 70_000], 413, "max_bytes"),
        ("a.csv", b"a,b\n".to_vec(), 403, "extensions"),
        ("none", b"text".to_vec(), 403, "extensions"),
        ("a.zip", zip("a.csv", "b'a,b\\n1,2\\n'"), 403, "types"),
        ("good.zip", exe, 201, ""),
        ("good.txt", b"good".to_vec(), 201, ""),
        ("third.txt", b"too many".to_vec(), 429, "per_session"),
    ] {
        let (found, answer) = api.upload(&opened.id, name, file).await.unwrap();
        assert_eq!(found, status, "{name}: {answer}");
        if status != 201 {
            let rule = answer["policy"]["rule"].as_str().unwrap_or_default();
            assert!(rule.starts_with("files.yaml:") && rule.ends_with(key), "{name}: {answer}");
            assert!(!answer["policy"]["revision"].as_str().unwrap().is_empty());
        }
    }
    assert_eq!(laid(&desktop), ["good.txt", "good.zip"]);
    let (status, answer) = api.download(&opened.id, "good.txt").await.unwrap();
    assert_eq!(status, 403, "{}", String::from_utf8_lossy(&answer));
    let uploads = ended(&gate, &api, &opened.id, "upload").await;
    let told: Vec<_> = uploads.iter().map(|event| event["effect"].as_str().unwrap()).collect();
    assert_eq!(told, ["deny", "deny", "deny", "deny", "permit", "permit", "deny"]);
    assert_eq!(uploads[4]["archive_entries"], 1);
}

#[tokio::test]
async fn a_real_clamd_stops_what_it_knows_and_nothing_crosses_without_it() {
    let mut clamd = Clamd::start().await.unwrap();
    let policy = "policy: files\napplies: {groups: [testers], desktops: [bare]}\nallow:\n  upload: {max_bytes: 1 MiB, scan: clamav}\n";
    let config = format!("[files]\nclamd = \"{}\"\nscan_seconds = 20\n", clamd.place());
    let (gate, api, opened, desktop) = opened(policy, &config).await;
    let (status, answer) = api.upload(&opened.id, "clean.txt", "harmless").await.unwrap();
    assert_eq!(status, 201, "{answer}");
    for (name, file) in [
        ("eicar.txt", EICAR.as_bytes().to_vec()),
        ("marked.txt", format!("before {MARKER} behind").into_bytes()),
        ("marked.zip", zip("inner.txt", &format!("b'x' * 5000 + b'{MARKER}'"))),
    ] {
        let (status, answer) = api.upload(&opened.id, name, file).await.unwrap();
        assert_eq!(status, 403, "{name}: {answer}");
        assert!(answer["detail"].as_str().unwrap().contains("the scanner knows it as"), "{answer}");
    }
    clamd.kill().unwrap();
    let (status, answer) = api.upload(&opened.id, "later.txt", "harmless").await.unwrap();
    assert_eq!((status, &answer["detail"]), (403, &json!("the scanner cannot be reached")));
    assert_eq!(laid(&desktop), ["clean.txt"]);
    let uploads = ended(&gate, &api, &opened.id, "upload").await;
    assert_eq!((uploads.len(), &uploads[1]["found"]), (5, &json!(["clamav"])));
}

#[tokio::test]
async fn what_this_gate_cannot_do_is_refused_at_its_start() {
    for (asks, key) in [("scan: clamav", "allow.upload.scan"), ("quarantine: all", "allow.upload.quarantine")] {
        let policy =
            format!("policy: files\napplies: {{groups: [testers]}}\nallow:\n  upload: {{max_bytes: 1 KiB, {asks}}}\n");
        let refused = Gate::start(&plan().policy("files.yaml", &policy)).await.unwrap_err();
        let told = format!("{refused:#}");
        assert!(told.contains("files.yaml:4") && told.contains(key), "{told}");
    }
}

#[tokio::test]
async fn quarantined_copies_are_for_who_has_the_key() {
    let secret = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    let public = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    Recipients::parse([public]).unwrap();
    let policy = "policy: files\napplies: {groups: [testers], desktops: [bare]}\nallow:\n  upload: {max_bytes: 1 KiB, extensions: [txt], quarantine: denied}\n";
    let (gate, api, opened, _) =
        opened(policy, &format!("[recording]\nrecipients = [\"{public}\"]\nencrypt = false\n")).await;
    let long = zip("a.bin", "bytes(range(200))");
    assert_eq!(api.upload(&opened.id, "fine.txt", "fine").await.unwrap().0, 201);
    let (status, answer) = api.upload(&opened.id, "zip.txt", long.clone()).await.unwrap();
    assert_eq!(status, 403, "{answer}");
    let uploads = ended(&gate, &api, &opened.id, "upload").await;
    assert!(uploads[0].get("quarantined").is_none(), "{uploads:?}");
    let place = uploads[1]["quarantined"].as_str().unwrap();
    assert_eq!(place, format!("{}/0001.age", opened.id));
    let sealed = std::fs::read(gate.data().join("quarantine").join(place)).unwrap();
    assert!(!sealed.windows(4).any(|window| window == b"PK\x03\x04"));
    let opened = Identities::read(secret).unwrap().open(&sealed, 1 << 20).unwrap();
    assert_eq!(opened, long);
}

#[tokio::test]
async fn policy_that_changes_during_an_upload_counts() {
    let (gate, api, opened, desktop) = opened(super::files::FILES, "").await;
    let (send, body) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
    let body = reqwest::Body::wrap_stream(futures_util::stream::unfold(body, async |mut body| {
        Some((body.recv().await?, body))
    }));
    let (session, uploader) = (opened.id.clone(), api.clone());
    let uploading = tokio::spawn(async move { uploader.upload(&session, "late.txt", body).await });
    send.send(Ok(b"begun".to_vec())).await.unwrap();
    let denied = "policy: stop\napplies: {}\ndeny: [{actions: [upload]}]\n";
    std::fs::write(gate.policies().join("stop.yaml"), denied).unwrap();
    let path = format!("/api/sessions/{}", opened.id);
    until("the policy is in force", async || Ok((api.get(&path).await?["allows"]["upload"] == false).then_some(())))
        .await
        .unwrap();
    send.send(Ok(b" and ended".to_vec())).await.unwrap();
    drop(send);
    let (status, answer) = uploading.await.unwrap().unwrap();
    assert_eq!((status, laid(&desktop).len()), (403, 0), "{answer}");
    assert!(answer["policy"]["rule"].as_str().unwrap().starts_with("stop.yaml:3"), "{answer}");
}

/// A scanner that says nothing until it may, and then that all is well.
fn slow_scanner() -> (String, std::sync::mpsc::Sender<()>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let (may, waits) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut heard = Vec::new();
        let mut piece = [0; 4096];
        while !heard.ends_with(&[0; 4]) {
            let count = peer.read(&mut piece).unwrap();
            heard.extend_from_slice(&piece[..count]);
        }
        waits.recv().unwrap();
        peer.write_all(b"stream: OK\0").unwrap();
    });
    (place, may)
}

#[tokio::test]
async fn what_policy_wants_done_while_a_file_is_looked_at_counts() {
    let (place, may) = slow_scanner();
    let policy = "policy: files\napplies: {groups: [testers], desktops: [bare]}\nallow:\n  upload: {max_bytes: 1 MiB, scan: clamav}\n";
    let (gate, api, opened, desktop) = opened(policy, &format!("[files]\nclamd = \"{place}\"\n")).await;
    let (session, uploader) = (opened.id.clone(), api.clone());
    let uploading = tokio::spawn(async move { uploader.upload(&session, "late.txt", "harmless").await });
    let stricter = policy.replace("1 MiB", "2 MiB, metadata: strip");
    std::fs::write(gate.policies().join("files.yaml"), stricter).unwrap();
    let path = format!("/api/sessions/{}", opened.id);
    let followed = async || Ok((api.get(&path).await?["allows"]["upload_bytes"] == 2 << 20).then_some(()));
    until("the policy is in force", followed).await.unwrap();
    may.send(()).unwrap();
    let (status, answer) = uploading.await.unwrap().unwrap();
    assert_eq!((status, laid(&desktop).len()), (403, 0), "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("the policy changed while the file was looked at"), "{answer}");
}
