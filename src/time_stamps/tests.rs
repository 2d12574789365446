//! An authority of the openssl program behind a small server, and a folder for a vault.
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use portcullis_evidence::{BundleWriter, Ending, Manifest, Mode, SigningKey, State, Trust};
use portcullis_vault::Folder;

use super::*;

fn openssl(dir: &Path, words: &str) {
    let ran = Command::new("openssl").args(words.split(' ')).current_dir(dir).output().unwrap();
    assert!(ran.status.success(), "{words}: {}", String::from_utf8_lossy(&ran.stderr));
}

fn authority(dir: &Path) -> String {
    let config = "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\n[stamps]\nbasicConstraints=CA:FALSE\n\
        extendedKeyUsage=critical,timeStamping\n[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4\n\
        digests=sha256\ness_cert_id_alg=sha256\n";
    std::fs::write(dir.join("cnf"), config).unwrap();
    openssl(
        dir,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -config cnf -extensions ca -nodes -days 3650 -subj /CN=a -keyout ca.key -out ca.pem",
    );
    openssl(
        dir,
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -config cnf -nodes -subj /CN=s -keyout s.key -out s.csr",
    );
    openssl(
        dir,
        "x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile cnf -extensions stamps -out s.pem",
    );
    std::fs::read_to_string(dir.join("ca.pem")).unwrap()
}

/// An authority that refuses its first answer, then answers `with` if that is given, or as it should.
async fn serve(dir: PathBuf, with: Option<&'static [u8]>) -> String {
    let asked = Arc::new(Mutex::new(0));
    let answer = move |query: Bytes| {
        let (dir, asked) = (dir.clone(), Arc::clone(&asked));
        async move {
            *asked.lock().unwrap() += 1;
            if *asked.lock().unwrap() == 1 {
                return (StatusCode::SERVICE_UNAVAILABLE, Vec::new());
            }
            if let Some(with) = with {
                return (StatusCode::OK, with.to_vec());
            }
            std::fs::write(dir.join("q"), query).unwrap();
            openssl(&dir, "ts -reply -config cnf -queryfile q -signer s.pem -inkey s.key -out r");
            (StatusCode::OK, std::fs::read(dir.join("r")).unwrap())
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/tsa", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/tsa", post(answer))).await });
    url
}

const DAY: &str = "sessions/2026/01/31";
const ID: &str = "019c1352-0000-7000-8000-000000000001";

/// A keeper of a vault in which a sealed recording lies.
fn keeper(dir: &Path) -> Arc<Keeper> {
    let key = Arc::new(SigningKey::generate(&[1; 32]));
    let manifest = Manifest {
        v: 1,
        id: ID.to_owned(),
        subject: "alice".to_owned(),
        issuer: String::new(),
        groups: Vec::new(),
        desktop: "bare".to_owned(),
        policy: "sha256:0123456789ab".to_owned(),
        rule: String::new(),
        started: "2026-01-31T10:00:00.000000Z".to_owned(),
        mode: Mode::Strict,
        gate: "0.1.0".to_owned(),
        key: key.kid().to_owned(),
        keep: None,
        recipients: Vec::new(),
        text: None,
    };
    let bundle = dir.join("vault").join(manifest.prefix());
    std::fs::create_dir_all(bundle.parent().unwrap()).unwrap();
    let ending = Ending {
        state: State::Closed,
        reason: String::new(),
        ended: "2026-01-31T10:01:00.000000Z".to_owned(),
        duration_us: 0,
        revisions: 0,
    };
    BundleWriter::create(&bundle, &manifest, Arc::clone(&key)).unwrap().seal(ending).unwrap();
    let vault: Arc<dyn Vault> = Arc::new(Folder::open(&dir.join("vault")).unwrap());
    let trust = Trust::of(&[key.verifying_key()]);
    Arc::new(Keeper { vault, trust, key, keep: None, replace_after: None })
}

#[tokio::test]
async fn a_seal_is_stamped_once_and_found_again_when_it_was_not() {
    let dir = tempfile::tempdir().unwrap();
    let authorities = Authorities::from_pem(&authority(dir.path())).unwrap();
    let keeper = keeper(dir.path());
    let vault = Arc::clone(&keeper.vault);
    let url = serve(dir.path().to_owned(), None).await;
    let stamper = Stamper::new(&url, authorities.clone(), Arc::clone(&keeper), dir.path().join("scratch")).unwrap();
    let now = time::macros::datetime!(2026-02-02 00:00 UTC);
    let bundle = format!("{DAY}/{ID}");
    assert_eq!(stamper.left_over(now).await.unwrap(), BTreeSet::from([bundle.clone()]));
    assert!(stamper.stamp(&bundle).await.unwrap_err().to_string().contains("503"));
    let time = stamper.stamp(&bundle).await.unwrap().unwrap();
    assert_eq!(stamper.stamp(&bundle).await.unwrap(), None);
    assert!(stamper.left_over(now).await.unwrap().is_empty());
    let seal = vault.read(&Key::of(&bundle, PathInBundle::Seal).unwrap(), None).await.unwrap();
    let kept = vault.read(&Key::of(&bundle, PathInBundle::TimeStamp).unwrap(), None).await.unwrap();
    assert_eq!(authorities.verify(&kept, &seal, None).unwrap().time, time);
    assert!(stamper.left_over(now + time::Duration::days(30)).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_that_does_not_hold_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let authorities = Authorities::from_pem(&authority(dir.path())).unwrap();
    let keeper = keeper(dir.path());
    let vault = Arc::clone(&keeper.vault);
    let long: &'static [u8] = vec![0x30; MAX_TIME_STAMP_BYTES + 1].leak();
    for with in [b"nonsense".as_slice(), long] {
        let url = serve(dir.path().to_owned(), Some(with)).await;
        let stamper = Stamper::new(&url, authorities.clone(), Arc::clone(&keeper), dir.path().join("scratch")).unwrap();
        let bundle = format!("{DAY}/{ID}");
        assert!(stamper.stamp(&bundle).await.is_err());
        let second = format!("{:#}", stamper.stamp(&bundle).await.unwrap_err());
        assert!(second.contains("does not hold") || second.contains("longer"), "{second}");
        let key = Key::of(&bundle, PathInBundle::TimeStamp).unwrap();
        assert_eq!(vault.len(&key).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_session_tells_where_its_bundle_lies() {
    let dir = tempfile::tempdir().unwrap();
    let keeper = keeper(dir.path());
    let vault = Arc::clone(&keeper.vault);
    let authorities = Authorities::from_pem(&authority(dir.path())).unwrap();
    let stamper = Stamper::new("http://127.0.0.1:1/", authorities, keeper, dir.path().join("s")).unwrap();
    let id = Uuid::now_v7().to_string();
    assert_eq!(stamper.place(&id).await, None);
    let bundle = format!("{}{id}", day_of(OffsetDateTime::now_utc()));
    std::fs::write(dir.path().join("seal"), "a seal").unwrap();
    vault.put(&Key::of(&bundle, PathInBundle::Seal).unwrap(), &dir.path().join("seal")).await.unwrap();
    assert_eq!(stamper.place(&id).await, Some(bundle));
    assert_eq!(stamper.place("no id").await, None);
}
