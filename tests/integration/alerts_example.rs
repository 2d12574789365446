//! The receiver that docs/alerts.md shows is a program that works: it takes what the gate signs and refuses everything else.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use portcullis_tests::Secrets;
use portcullis_tests::receiver::SECRET;
use reqwest::StatusCode;
use tempfile::NamedTempFile;

/// The example, running.
struct Example(Child);

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Example {
    /// Starts it, with lines added before it listens; the lines that it prints, and its port.
    fn start(secret: &NamedTempFile, more: &str) -> (Self, impl Iterator<Item = String>, String) {
        let page = include_str!("../../docs/alerts.md");
        let program = page.split_once("```python\n").unwrap().1.split_once("```").unwrap().0;
        let program = program.replace("print(\"listening", &format!("{more}\nprint(\"listening"));
        let mut child = Command::new("python3")
            .args(["-c", &program])
            .arg(secret.path())
            .arg("0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 is not there: scripts/setup.sh test");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let example = Self(child);
        let port = lines.next().unwrap().strip_prefix("listening at ").unwrap().to_owned();
        (example, lines, port)
    }
}

fn secret(words: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    writeln!(file, "{words}").unwrap();
    file
}

/// `portcullis alerts test` of a webhook: its exit code, and what it said.
fn test(url: &str, secret: &NamedTempFile, more: &str) -> (Option<i32>, String) {
    let mut config = NamedTempFile::new().unwrap();
    let secret = secret.path().display();
    writeln!(
        config,
        "[[alerts]]\nname = \"soc\"\nkinds = [\"*\"]\nwebhook = {{ url = \"{url}\", secret_file = \"{secret}\"{more} }}"
    )
    .unwrap();
    let program = portcullis_tests::gate::program().unwrap();
    let output = Command::new(program).args(["alerts", "test", "soc", "--config"]).arg(config.path()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn https_is_checked_against_the_authority_that_is_named() {
    let (secrets, secret) = (Secrets::new().unwrap(), secret(SECRET));
    let tls = format!(
        "import ssl\ncontext = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\ncontext.load_cert_chain({:?}, {:?})\nserver.socket = context.wrap_socket(server.socket, server_side=True)",
        secrets.text("desk.pem"),
        secrets.text("desk.key")
    );
    let (_example, mut lines, port) = Example::start(&secret, &tls);
    let url = |host: &str| format!("https://{host}:{port}/");
    let trusted = |authority: &str| format!(", ca = {:?}", secrets.text(authority));
    let (code, words) = test(&url("localhost"), &secret, &trusted("ca.pem"));
    assert_eq!(code, Some(0), "{words}");
    assert!(lines.next().unwrap().contains("alerts_test"));
    // Another authority, those of the system, another name: nothing is sent.
    for (host, ca, why) in [
        ("localhost", trusted("stranger.pem"), "invalid peer certificate"),
        ("localhost", String::new(), "invalid peer certificate"),
        ("127.0.0.1", trusted("ca.pem"), "invalid peer certificate"),
    ] {
        let (code, words) = test(&url(host), &secret, &ca);
        assert_eq!(code, Some(1), "{host} {ca}: {words}");
        assert!(words.contains(why), "{host} {ca}: {words}");
    }
}

#[tokio::test]
async fn the_receiver_of_the_documentation_works() {
    let right = secret(SECRET);
    let (_example, mut lines, port) = Example::start(&right, "");
    let url = format!("http://127.0.0.1:{port}/");
    let (code, words) = test(&url, &right, "");
    assert_eq!(code, Some(0), "{words}");
    let line = lines.next().unwrap();
    assert!(line.starts_with("test.") && line.contains(" portcullis alerts_test"), "{line}");

    let (code, words) = test(&url, &secret("another secret of webhooks"), "");
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("refused") && words.contains("HTTP 401"), "{words}");
    // An old signature is none.
    let old = reqwest::Client::new()
        .post(&url)
        .header("Portcullis-Signature", "t=1700000000,v1=00")
        .header("Portcullis-Delivery", "x")
        .body("{}")
        .send();
    assert_eq!(old.await.unwrap().status(), StatusCode::UNAUTHORIZED);
}
