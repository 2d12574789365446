//! Repositories that are hosted elsewhere: by https with a token and an authority of its own, by ssh with known hosts.

use portcullis_tests::hosting::{Https, Sshd};
use portcullis_tests::{Gate, Repository, Secrets};

use super::policy_git::{Person, TESTERS, follows};

/// A bare copy of a work tree, to which it pushes.
fn hosted(repository: &Repository) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let bare = root.path().join("policies.git").display().to_string();
    repository.git(&["clone", "--quiet", "--bare", ".", &bare]).unwrap();
    repository.git(&["remote", "add", "origin", &bare]).unwrap();
    root
}

#[tokio::test]
async fn by_https_with_a_token_and_an_authority_of_its_own() {
    let repository = Repository::new(&[("tests.yaml", TESTERS)]).unwrap();
    let root = hosted(&repository);
    let secrets = Secrets::new().unwrap();
    let https = Https::start(root.path(), &secrets, "reader", "tok-0815-secret").await.unwrap();
    let token = root.path().join("token");
    let write = |text: &str| {
        std::fs::write(&token, text).unwrap();
        std::process::Command::new("chmod").arg("600").arg(&token).status().unwrap();
    };
    write("tok-0815-secret\n");
    let address = format!("{}/policies.git", https.url);
    let keys = |ca: &str, more: &str| {
        format!("poll_seconds = 1\nuser = \"reader\"\nca_file = \"{}\"\n{more}", secrets.text(ca))
    };
    let with_token = keys("ca.pem", &format!("token_file = \"{}\"", token.display()));
    for (address, keys) in [
        (address.clone(), keys("stranger.pem", "")),
        (address.clone(), keys("ca.pem", "")),
        // A redirection is not followed: it could lead the token astray.
        (format!("{}/moved/policies.git", https.url), with_token.clone()),
    ] {
        let error = format!("{:#}", Gate::start(&follows(&address, &keys)).await.unwrap_err());
        assert!(error.contains("cannot be fetched") && !error.contains("0815"), "{keys}: {error}");
    }
    let gate = Gate::start(&follows(&address, &with_token)).await.unwrap();
    let person = Person::of(&gate).await;
    let commit = repository.commit(&[("more.yaml", &TESTERS.replace("tests", "more"))]).unwrap();
    repository.git(&["push", "--quiet", "origin", "main"]).unwrap();
    person.live(&commit).await;
    write("another\n");
    let reason = portcullis_tests::until("the token is refused", async || {
        Ok(person.policy().await?["following"]["failure"]["reason"].as_str().map(str::to_owned))
    });
    let reason = reason.await.unwrap();
    assert!(!reason.contains("another") && !gate.log_text().contains("0815"), "{reason}");
    assert!(https.heard().iter().any(|heard| heard.starts_with("Basic ")), "no token came");
    assert_eq!(person.policy().await.unwrap()["revision"], commit.as_str());
}

#[tokio::test]
async fn a_host_that_never_answers_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://127.0.0.1:{}/policies.git", silent.local_addr().unwrap().port());
    let error = format!("{:#}", Gate::start(&follows(&address, "fetch_seconds = 1")).await.unwrap_err());
    assert!(error.contains("longer than `policies.fetch_seconds`, 1 s"), "{error}");
}

#[tokio::test]
async fn by_ssh_with_a_known_host_and_a_key() {
    let repository = Repository::new(&[("tests.yaml", TESTERS)]).unwrap();
    let root = hosted(&repository);
    let sshd = Sshd::start().await.unwrap();
    let address = format!("{}{}/policies.git", sshd.url, root.path().display());
    let keys = |key: &str, hosts: &str| {
        let (key, hosts) = (sshd.path(key), sshd.path(hosts));
        format!(
            "poll_seconds = 1\nssh_key_file = \"{}\"\nssh_known_hosts_file = \"{}\"",
            key.display(),
            hosts.display()
        )
    };
    for (key, hosts, words) in
        [("user", "other_hosts", "Host key verification failed"), ("other", "known_hosts", "Permission denied")]
    {
        let error = format!("{:#}", Gate::start(&follows(&address, &keys(key, hosts))).await.unwrap_err());
        assert!(error.contains(words), "{key} {hosts}: {error}");
    }
    let gate = Gate::start(&follows(&address, &keys("user", "known_hosts"))).await.unwrap();
    let person = Person::of(&gate).await;
    let commit = repository.commit(&[("more.yaml", &TESTERS.replace("tests", "more"))]).unwrap();
    repository.git(&["push", "--quiet", "origin", "main"]).unwrap();
    person.live(&commit).await;
}
