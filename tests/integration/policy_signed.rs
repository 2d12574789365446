//! A gate that counts only commits which an allowed signer has signed by SSH.

use portcullis_tests::repository::ssh_key;
use portcullis_tests::{Gate, Repository};

use super::policy_git::{Person, TESTERS, follows};

#[tokio::test]
async fn only_commits_of_allowed_signers_count() {
    let keys = tempfile::tempdir().unwrap();
    let key = |name: &str| keys.path().join(name);
    let public = |name: &str| ssh_key(&key(name)).unwrap();
    let signers = [
        format!("ann@example.com namespaces=\"git\" {}", public("ann")),
        format!("bob@example.com namespaces=\"git\",valid-before=\"20200101\" {}", public("bob")),
        format!("cid@example.com namespaces=\"git\",valid-after=\"29990101\" {}", public("cid")),
        format!("dan@example.com namespaces=\"file\" {}", public("dan")),
        format!("eve@example.com,ema@example.com {}", public("eve")),
    ];
    public("mal");
    std::fs::write(key("signers"), signers.join("\n")).unwrap();
    let repository = Repository::new(&[("tests.yaml", TESTERS)]).unwrap();
    let more = format!("poll_seconds = 1\nsigners = \"{}\"", key("signers").display());
    let plan = follows(&repository.path().display().to_string(), &more);
    let error = format!("{:#}", Gate::start(&plan).await.unwrap_err());
    assert!(error.contains("no policies yet") && error.contains("it is not signed"), "{error}");

    let first = repository.commit_signed(&key("ann")).unwrap();
    let mut gate = Gate::start(&plan).await.unwrap();
    let person = Person::of(&gate).await;
    let policy = person.policy().await.unwrap();
    assert_eq!(
        (&policy["revision"], &policy["following"]["signer"]),
        (&first.as_str().into(), &"ann@example.com".into())
    );

    for (who, words) in [
        ("bob", "no allowed signer has the key"),
        ("cid", "no allowed signer has the key"),
        ("mal", "no allowed signer has the key"),
        ("dan", "its signature is not good"),
    ] {
        repository.write(&[("note.md", who)]).unwrap();
        let faults = person.refused(&repository.commit_signed(&key(who)).unwrap()).await;
        assert!(faults.contains(words), "{who}: {faults}");
        repository.git(&["reset", "--quiet", "--hard", &first]).unwrap();
    }
    let faults = person.refused(&repository.commit(&[("note.md", "unsigned")]).unwrap()).await;
    assert!(faults.contains("it is not signed"), "{faults}");
    repository.git(&["reset", "--quiet", "--hard", &first]).unwrap();

    // A key that is over does not count for a commit that says it is old, either.
    repository.write(&[("note.md", "backdated")]).unwrap();
    let signed = format!("user.signingKey={}", key("bob").display());
    repository.git(&["add", "--all"]).unwrap();
    let date = "GIT_COMMITTER_DATE=2019-01-01T00:00:00Z";
    let output = std::process::Command::new("env")
        .args([
            date,
            "GIT_CONFIG_GLOBAL=/dev/null",
            "git",
            "-c",
            &signed,
            "-c",
            "gpg.format=ssh",
            "-c",
            "user.name=Bob",
        ])
        .args(["-c", "user.email=bob@example.com", "commit", "--quiet", "--gpg-sign", "--message=old"])
        .current_dir(repository.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let faults = person.refused(&repository.head().unwrap()).await;
    assert!(faults.contains("no allowed signer has the key"), "{faults}");
    repository.git(&["reset", "--quiet", "--hard", &first]).unwrap();

    // A signature of another commit is none of this one.
    let raw = repository.git(&["cat-file", "commit", &first]).unwrap();
    std::fs::write(key("forged"), raw.replace("\n\npolicies", "\n\nforged")).unwrap();
    let forged = key("forged").display().to_string();
    let forged = repository.git(&["hash-object", "-t", "commit", "-w", &forged]).unwrap();
    repository.git(&["commit", "--quiet", "--allow-empty", "--message=x"]).unwrap();
    repository.git(&["update-ref", "refs/heads/main", &forged]).unwrap();
    let faults = person.refused(&forged).await;
    assert!(faults.contains("history was rewritten") || faults.contains("its signature is not good"), "{faults}");
    repository.git(&["reset", "--quiet", "--hard", &first]).unwrap();

    // What stands unsigned between two signed commits is vouched for by the second: the signature is of the whole tree.
    repository.commit(&[("note.md", "unsigned")]).unwrap();
    let second = repository.commit_signed(&key("eve")).unwrap();
    person.live(&second).await;
    assert_eq!(person.policy().await.unwrap()["following"]["signer"], "eve@example.com");
    gate.stop().await.unwrap();
    gate.launch().await.unwrap();
    let policy = Person::of(&gate).await.policy().await.unwrap();
    assert_eq!(
        (&policy["revision"], &policy["following"]["signer"]),
        (&second.as_str().into(), &"eve@example.com".into())
    );
}

#[tokio::test]
async fn what_was_taken_while_every_commit_counted_must_be_signed_once_signers_are_named() {
    let keys = tempfile::tempdir().unwrap();
    let public = ssh_key(&keys.path().join("ann")).unwrap();
    std::fs::write(keys.path().join("signers"), format!("ann@example.com {public}\n")).unwrap();
    let repository = Repository::new(&[("tests.yaml", TESTERS)]).unwrap();
    let mut gate = Gate::start(&follows(&repository.path().display().to_string(), "poll_seconds = 1")).await.unwrap();
    gate.stop().await.unwrap();
    let signers = format!("poll_seconds = 1\nsigners = \"{}\"", keys.path().join("signers").display());
    gate.configure("poll_seconds = 1", &signers).unwrap();
    let error = format!("{:#}", gate.launch().await.unwrap_err());
    assert!(error.contains("it is not signed"), "{error}");
}
