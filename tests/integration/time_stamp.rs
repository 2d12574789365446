//! A gate that has its seals time-stamped by an authority: openssl's, behind a small server.

use std::path::{Path, PathBuf};
use std::process::Command;

use axum::body::Bytes;
use axum::routing::post;
use portcullis_tests::gate::{Gate, Plan, program};
use portcullis_tests::until;

/// Roots, signer and configuration of an authority, in a folder.
const CONFIG: &str = "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\n[stamps]\nbasicConstraints=CA:FALSE\n\
    extendedKeyUsage=critical,timeStamping\n[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4\n\
    digests=sha256\ness_cert_id_alg=sha256\n";

fn openssl(dir: &Path, words: &str) {
    let ran = Command::new("openssl").args(words.split(' ')).current_dir(dir).output().unwrap();
    assert!(ran.status.success(), "{words}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// Makes an authority and serves it; where it listens.
async fn authority(dir: PathBuf) -> String {
    std::fs::write(dir.join("cnf"), CONFIG).unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -config cnf -nodes";
    openssl(&dir, &format!("req -x509 {key} -extensions ca -days 3650 -subj /CN=a -keyout ca.key -out ca.pem"));
    openssl(&dir, &format!("req {key} -subj /CN=s -keyout s.key -out s.csr"));
    openssl(
        &dir,
        "x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile cnf -extensions stamps -out s.pem",
    );
    let answer = move |query: Bytes| {
        let dir = dir.clone();
        async move {
            std::fs::write(dir.join("q"), query).unwrap();
            openssl(&dir, "ts -reply -config cnf -queryfile q -signer s.pem -inkey s.key -out r");
            std::fs::read(dir.join("r")).unwrap()
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/", post(answer))).await });
    url
}

#[tokio::test]
async fn a_seal_is_time_stamped_and_proved_with_the_authoritys_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let url = authority(folder.path().to_owned()).await;
    let root = folder.path().join("ca.pem");
    let plan = Plan::new(&format!(
        "[recording]\ntime_stamp_url = \"{url}\"\ntime_stamp_authorities = \"{}\"\n\
         [[desktops]]\nname = \"bare\"\nsize = \"640x480\"\nprocess = {{ programs = [] }}\n",
        root.display()
    ))
    .policy(
        "tests.yaml",
        "policy: tests\napplies: {groups: [testers], desktops: [bare]}\nallow:\n  open: {}\n  control: {}\n",
    );
    let gate = Gate::start(&plan).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();

    let bundle = gate.bundle(&opened.id).unwrap();
    until("the time stamp is in the vault", async || Ok(bundle.join("seal.tsr").is_file().then_some(())))
        .await
        .unwrap();
    let mut verify = Command::new(program().unwrap());
    verify.args(["verify", "--json"]).arg(&bundle).arg("--tsa").arg(&root).env("PORTCULLIS_DATA", gate.data());
    let output = verify.output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["verdict"]), (Some(0), &"sound".into()), "{report}");
    assert_eq!(report["time_stamp"]["state"], "proved", "{report}");
    // What our verifier says, the second one says of a real recording too.
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("verifier/verify.py");
    let list = gate.data().join("keys/evidence.keys.json");
    let second =
        Command::new("python3").arg(script).arg("--keys").arg(list).arg("--tsa").arg(&root).arg(&bundle).output();
    let second = second.unwrap();
    let said: serde_json::Value = serde_json::from_slice(&second.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&second.stderr)));
    assert_eq!((&said["verdict"], &said["faults"]), (&"sound".into(), &serde_json::json!([])));
}
