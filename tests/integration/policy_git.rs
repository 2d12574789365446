//! A gate that follows a git repository: what is committed is live within seconds, what is not good stays out, over restarts too.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use portcullis_tests::gate::Plan;
use portcullis_tests::{Api, Gate, Repository, Viewer, until};
use reqwest::Method;
use serde_json::{Value, json};

use super::{events, of_type, plan};

/// Who may work on `desk` and `bare`.
pub(crate) const TESTERS: &str =
    "policy: tests\napplies: {groups: [testers], desktops: [desk, bare]}\nallow:\n  open: {}\n  control: {}\n";
const FREEZE: &str = "policy: freeze\napplies: {desktops: [desk]}\ndeny:\n  - {actions: [open]}\n";

/// A gate that follows a repository, with these keys of `[policies]` besides.
pub(crate) fn follows(address: &str, more: &str) -> Plan {
    plan().following(&format!("repository = \"{address}\"\n{more}"))
}

/// The local subject, signed in: an auditor and administrator unless the gate is configured otherwise.
pub(crate) struct Person(Api, String);

impl Person {
    pub(crate) async fn of(gate: &Gate) -> Self {
        let api = Api::new(&gate.url, None);
        let body = Some(json!({"link": gate.link.split_once('#').unwrap().1}));
        let answer = api.send(Method::POST, "/api/sign-in", &[("origin", &gate.url)], body).await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Self(api, cookie)
    }

    /// `GET /api/policy`.
    pub(crate) async fn policy(&self) -> anyhow::Result<Value> {
        let answer = self.0.send(Method::GET, "/api/policy", &[("cookie", &self.1)], None).await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Waits until a commit is in force.
    pub(crate) async fn live(&self, commit: &str) {
        until("the commit is live", async || Ok((self.policy().await?["revision"] == commit).then_some(())))
            .await
            .unwrap();
    }

    /// Waits until a commit is refused; its faults in words.
    pub(crate) async fn refused(&self, commit: &str) -> String {
        let faults = until("the commit is refused", async || {
            let refused = self.policy().await?["following"]["refused"].clone();
            Ok((refused["commit"] == commit).then(|| refused["faults"].clone()))
        });
        faults.await.unwrap().to_string()
    }
}

/// The metrics of a gate that serves them on a port of its choice.
pub(crate) async fn metrics(gate: &Gate) -> String {
    let log = gate.log_text();
    let line = log.lines().rfind(|line| line.contains("metrics are served")).unwrap();
    let address = line.rsplit("address=").next().unwrap().trim();
    reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_commit_is_live_in_seconds_and_ends_what_it_no_longer_permits() {
    let repository = Repository::new(&[("tests.yaml", TESTERS)]).unwrap();
    let first = repository.head().unwrap();
    let mut plan = follows(&repository.path().display().to_string(), "");
    plan.config = format!("metrics = \"127.0.0.1:0\"\n{}", plan.config);
    let gate = Gate::start(&plan).await.unwrap();
    let person = Person::of(&gate).await;
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    let start = Instant::now();
    let frozen = repository.commit(&[("freeze.yaml", FREEZE)]).unwrap();
    let frame = viewer.closed().await.unwrap();
    let closed = start.elapsed();
    assert_eq!(u16::from(frame.code), 4003);
    assert!(frame.reason.contains("freeze.yaml:4"), "{}", frame.reason);
    api.wait_gone(&opened.id).await.unwrap();
    let events = events(&gate.bundle(&opened.id).unwrap()).unwrap();
    assert_eq!(of_type(&events, "session_opened")[0]["policy"], first.as_str());
    let changed = of_type(&events, "policy_changed")[0];
    assert_eq!(changed["policy"], frozen.as_str());
    let refused = gate.api("alice", "testers", "desk").unwrap().open("desk").await.unwrap_err().to_string();
    assert!(refused.contains("403") && refused.contains("freeze.yaml:4"), "{refused}");

    let policy = person.policy().await.unwrap();
    assert_eq!(policy["revision"], frozen.as_str());
    println!("closed {closed:?} after the commit; live at {}, judged at {}", policy["since"], changed["time"]);
    assert_eq!(policy["source"], format!("{} main", repository.path().display()));
    assert!(policy["following"]["looked"].is_string() && policy["following"]["refused"].is_null(), "{policy}");
    let told = metrics(&gate).await;
    for line in [
        &format!("portcullis_policy_info{{revision=\"{frozen}\"}} 1"),
        "portcullis_policy_refused_total 0",
        "portcullis_sessions_opened_total 1",
        "portcullis_sessions_refused_total 1",
        "portcullis_sessions_live 0",
        "# TYPE portcullis_policy_fetch_age_seconds gauge",
    ] {
        assert!(told.lines().any(|told| told == line), "{line}: {told}");
    }

    person.live(&repository.revert().unwrap()).await;
    gate.api("alice", "testers", "desk").unwrap().open("desk").await.unwrap();
    let nobody = Api::new(&gate.url, None).send(Method::GET, "/api/policy", &[], None).await.unwrap();
    assert_eq!(nobody.status(), 401);
}

#[tokio::test]
async fn a_bad_commit_stays_out_and_the_last_good_one_in_over_kill_9_and_without_the_repository() {
    let repository = Repository::new(&[("gate/policies/tests.yaml", TESTERS)]).unwrap();
    let good = repository.head().unwrap();
    let users = "folder = \"gate/policies\"\npoll_seconds = 1";
    let mut plan = follows(&format!("file://{}", repository.path().display()), users);
    plan.config = format!("metrics = \"127.0.0.1:0\"\n{}", plan.config);
    let mut gate = Gate::start(&plan).await.unwrap();
    let bad = repository.commit(&[("gate/policies/broken.yaml", "policy: broken\nallwo: {}\n")]).unwrap();
    let faults = Person::of(&gate).await.refused(&bad).await;
    assert!(faults.contains("\"file\":\"broken.yaml\"") && faults.contains("\"line\":2"), "{faults}");
    assert!(gate.log_text().contains("broken.yaml:2:1"), "{}", gate.log_text());
    let told = metrics(&gate).await;
    assert!(
        told.contains("\nportcullis_policy_refused 1\n") && told.contains("\nportcullis_policy_refused_total 1\n"),
        "{told}"
    );
    assert!(reqwest::get(format!("{}/readyz", gate.url)).await.unwrap().status().is_success());

    gate.kill().unwrap();
    // What a git that was killed in the middle leaves behind.
    let mirror = gate.data().join("policy/mirror.git");
    for name in ["refs/portcullis/tip.lock", "objects/pack/tmp_pack_x1"] {
        std::fs::write(mirror.join(name), "").unwrap();
    }
    gate.launch().await.unwrap();
    let person = Person::of(&gate).await;
    assert_eq!(person.policy().await.unwrap()["revision"], good.as_str());
    person.refused(&bad).await;
    gate.api("alice", "testers", "desk").unwrap().open("desk").await.unwrap();

    let away = repository.path().with_extension("away");
    gate.kill().unwrap();
    std::fs::rename(repository.path(), &away).unwrap();
    gate.launch().await.unwrap();
    let person = Person::of(&gate).await;
    let policy = until("the failure is told", async || {
        let policy = person.policy().await?;
        Ok((!policy["following"]["failure"].is_null()).then_some(policy))
    });
    let policy = policy.await.unwrap();
    assert_eq!(policy["revision"], good.as_str(), "{policy}");
    std::fs::rename(&away, repository.path()).unwrap();
    person.live(&repository.revert().unwrap()).await;
    let policy = person.policy().await.unwrap();
    assert!(policy["following"]["failure"].is_null() && policy["following"]["refused"].is_null(), "{policy}");

    // A mirror that a disk has eaten is made anew, and the last good commit still says what comes after it.
    gate.kill().unwrap();
    std::fs::remove_dir_all(mirror.join("objects")).unwrap();
    gate.launch().await.unwrap();
    Person::of(&gate).await.live(&repository.head().unwrap()).await;
    gate.stop().await.unwrap();
}

#[tokio::test]
async fn users_are_told_what_is_in_force_and_auditors_what_is_wrong() {
    for (groups, told) in [("users", false), ("auditors", true)] {
        let mut plan = plan();
        plan.config = format!("[sign_in]\ngroups = [\"{groups}\"]\n{}", plan.config);
        let gate = Gate::start(&plan).await.unwrap();
        std::fs::write(gate.policies().join("broken.yaml"), "policy: broken\nallwo: {}\n").unwrap();
        until("the log says so", async || Ok(gate.log_text().contains("broken.yaml:2:1").then_some(()))).await.unwrap();
        let person = Person::of(&gate).await;
        let policy = person.policy().await.unwrap();
        assert!(policy["revision"].as_str().unwrap().starts_with("sha256:"), "{policy}");
        assert_eq!(policy["source"], gate.policies().display().to_string());
        assert_eq!(policy.get("following").is_some(), told, "{groups}: {policy}");
        if told {
            assert!(person.refused("").await.contains("\"line\":2"));
            std::fs::remove_file(gate.policies().join("broken.yaml")).unwrap();
            until("it is forgotten", async || {
                Ok(person.policy().await?["following"]["refused"].is_null().then_some(()))
            })
            .await
            .unwrap();
        }
    }
}

#[tokio::test]
async fn what_no_repository_of_policies_has_is_refused_by_name() {
    let repository = Repository::new(&[("tests.yaml", TESTERS)]).unwrap();
    let gate = Gate::start(&follows(&repository.path().display().to_string(), "poll_seconds = 1")).await.unwrap();
    let person = Person::of(&gate).await;
    let good = repository.head().unwrap();
    let at = |name: &str| repository.path().join(name);
    let many: Vec<String> = (0..5000).map(|number| format!("p/{number}.yaml")).collect();
    let case = "subjects: {alice: {groups: [testers]}}\ncases:\n  - {subject: alice, desktop: desk, action: paste, expect: permit}\n";
    let searching = "policy: later\napplies: {}\ndesktop: {egress: deny}\n";
    let filters = "* filter=evil\n*.yaml ident\n";
    let makes: [(&str, &dyn Fn(), &str); 10] = [
        (
            "a case that fails",
            &|| repository.write(&[("tests/a.yaml", case)]).unwrap(),
            "tests/a.yaml\",\"line\":3,\"reason\":\"the case",
        ),
        (
            "cases with a fault",
            &|| repository.write(&[("tests/a.yaml", "cases: [{subject: bob}]\n")]).unwrap(),
            "not one of `subjects`",
        ),
        (
            "a key that is not enforced",
            &|| repository.write(&[("later.yaml", searching)]).unwrap(),
            "is understood, but",
        ),
        ("a link", &|| std::os::unix::fs::symlink("/etc/passwd", at("a.yaml")).unwrap(), "a.yaml is a link"),
        (
            "a large file",
            &|| repository.write(&[("a.yaml", &" ".repeat((1 << 20) + 1))]).unwrap(),
            "a.yaml is over the 1048576 bytes",
        ),
        (
            "many files",
            &|| many.iter().for_each(|name| repository.write(&[(name, "")]).unwrap()),
            "more than 4096 such files",
        ),
        (
            "a path in no encoding",
            &|| std::fs::write(at("").join(OsStr::from_bytes(b"a\xff.yaml")), "").unwrap(),
            "is not UTF-8",
        ),
        ("a path over lines", &|| std::fs::write(at("a\nb.yaml"), "").unwrap(), "has control characters"),
        ("a text in no encoding", &|| std::fs::write(at("a.yaml"), b"\xff").unwrap(), "a.yaml cannot be read"),
        ("nothing", &|| std::fs::remove_file(at("tests.yaml")).unwrap(), "there are no policies in it"),
    ];
    for (what, make, words) in makes {
        make();
        repository.write(&[(".gitattributes", filters)]).unwrap();
        let commit = repository.commit_with(&[]).unwrap();
        let faults = person.refused(&commit).await;
        assert!(faults.contains(words), "{what}: {faults}");
        assert_eq!(person.policy().await.unwrap()["revision"], good.as_str(), "{what}");
        repository.git(&["reset", "--quiet", "--hard", &good]).unwrap();
        repository.git(&["clean", "-fdqx"]).unwrap();
    }
    let submodule = format!("160000,{good},sub");
    repository.git(&["update-index", "--add", "--cacheinfo", &submodule]).unwrap();
    repository.git(&["commit", "--quiet", "--message=submodule"]).unwrap();
    let faults = person.refused(&repository.head().unwrap()).await;
    assert!(faults.contains("sub is a submodule"), "{faults}");
    repository.git(&["reset", "--quiet", "--hard", &good]).unwrap();
    let bomb = repository.bomb().unwrap();
    let faults = person.refused(&bomb).await;
    assert!(faults.contains("its answer is over"), "{faults}");
    repository.git(&["reset", "--quiet", "--hard", &good]).unwrap();
    // The branch is back at what is in force: nothing is refused any more.
    until("it is forgotten", async || Ok(person.policy().await?["following"]["refused"].is_null().then_some(())))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_fetch_over_its_bound_leaves_the_last_good_commit_and_a_mirror_that_works() {
    let repository = Repository::new(&[("tests.yaml", TESTERS)]).unwrap();
    let more = "poll_seconds = 1\nmax_mib = 1";
    let gate = Gate::start(&follows(&repository.path().display().to_string(), more)).await.unwrap();
    let person = Person::of(&gate).await;
    let good = repository.head().unwrap();
    let mut noise = vec![0; 3 << 20];
    rand::fill(&mut noise[..]);
    std::fs::write(repository.path().join("noise.bin"), noise).unwrap();
    repository.commit_with(&[]).unwrap();
    let failure = until("the failure is told", async || {
        Ok(person.policy().await?["following"]["failure"]["reason"].as_str().map(str::to_owned))
    });
    let failure = failure.await.unwrap();
    assert!(failure.contains("policies.max_mib"), "{failure}");
    assert_eq!(person.policy().await.unwrap()["revision"], good.as_str());
    repository.git(&["reset", "--quiet", "--hard", &good]).unwrap();
    person.live(&repository.commit(&[("freeze.yaml", FREEZE)]).unwrap()).await;
}

#[tokio::test]
async fn rewritten_history_is_taken_only_where_that_is_configured() {
    let repository = Repository::new(&[("tests.yaml", TESTERS)]).unwrap();
    let address = repository.path().display().to_string();
    let mut gate = Gate::start(&follows(&address, "poll_seconds = 1\nrewritten = false")).await.unwrap();
    let first = repository.head().unwrap();
    let second = repository.commit(&[("freeze.yaml", FREEZE)]).unwrap();
    let person = Person::of(&gate).await;
    person.live(&second).await;
    // Neither what stands beside the last good commit nor what comes before it.
    repository.git(&["reset", "--quiet", "--hard", &first]).unwrap();
    assert!(person.refused(&first).await.contains("history was rewritten"));
    let beside = repository.commit(&[("users.yaml", &TESTERS.replace("tests", "users"))]).unwrap();
    let faults = person.refused(&beside).await;
    assert!(faults.contains("history was rewritten") && faults.contains(&second[..12]), "{faults}");
    assert_eq!(person.policy().await.unwrap()["revision"], second.as_str());
    gate.stop().await.unwrap();
    gate.configure("rewritten = false", "rewritten = true").unwrap();
    gate.launch().await.unwrap();
    Person::of(&gate).await.live(&beside).await;
}

#[tokio::test]
async fn a_gate_without_a_good_commit_does_not_start_and_says_why() {
    let repository = Repository::new(&[("broken.yaml", "policy: broken\nallwo: {}\n")]).unwrap();
    let address = repository.path().display().to_string();
    let error = format!("{:#}", Gate::start(&follows(&address, "")).await.unwrap_err());
    assert!(error.contains("no policies yet") && error.contains("broken.yaml:2:1"), "{error}");
    for (address, more, words) in [
        (address.as_str(), "branch = \"release\"", "release"),
        ("/nowhere/policies.git", "", "/nowhere/policies.git"),
        ("http://localhost/policies.git", "", "policies.repository"),
        ("ext::sh -c id", "", "policies.repository"),
    ] {
        let error = format!("{:#}", Gate::start(&follows(address, more)).await.unwrap_err());
        assert!(error.contains(words), "{address}: {error}");
    }
}

#[tokio::test]
async fn a_webhook_is_a_look_at_once_and_nothing_else() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "0123456789abcdef0123456789abcdef\n").unwrap();
    let repository = Repository::new(&[("tests.yaml", TESTERS)]).unwrap();
    let more = format!("poll_seconds = 3600\nwebhook_secret_file = \"{}\"", secret.path().display());
    let gate = Gate::start(&follows(&repository.path().display().to_string(), &more)).await.unwrap();
    let person = Person::of(&gate).await;
    until("the first look is over", async || Ok(person.policy().await?["following"]["looked"].as_str().map(|_| ())))
        .await
        .unwrap();
    let looked = person.policy().await.unwrap()["following"]["looked"].clone();
    let commit = repository.commit(&[("freeze.yaml", FREEZE)]).unwrap();
    let send = async |header: &str, value: &str, body: String| {
        let request = reqwest::Client::new().post(format!("{}/api/policy/webhook", gate.url));
        let answer = request.header(header, value).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let push = || "{\"ref\":\"refs/heads/elsewhere\",\"after\":\"../../etc\"}".to_owned();
    // By `openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef` of the body.
    let code = hmac("0123456789abcdef0123456789abcdef", &push());
    let good = format!("sha256={code}");
    let told: Vec<_> = [
        send("x-hub-signature-256", &format!("sha256={}", "0".repeat(64)), push()).await,
        send("x-hub-signature-256", &good, format!("{} ", push())).await,
        send("x-hub-signature-256", &good[..good.len() - 2], push()).await,
        send("x-gitlab-token", "0123456789abcdef", push()).await,
        send("x-hub-signature-256", &good, "x".repeat((1 << 20) + 1)).await,
        send("content-type", "application/json", push()).await,
    ]
    .into();
    assert!(told.iter().all(|answer| *answer == told[0] && answer.0 == 403), "each failure looks the same: {told:?}");
    assert_eq!(person.policy().await.unwrap()["following"]["looked"], looked, "nobody looked");
    let start = Instant::now();
    assert_eq!(send("x-hub-signature-256", &good, push()).await.0, 202);
    person.live(&commit).await;
    println!("from the webhook until the commit was live: {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(25), "it is not what came by itself");
    for _ in 0..5 {
        assert_eq!(send("x-hub-signature-256", &good, push()).await.0, 202, "a replay");
    }
    assert_eq!(person.policy().await.unwrap()["revision"], commit.as_str());
    let reverted = repository.revert().unwrap();
    assert_eq!(send("x-gitlab-token", "0123456789abcdef0123456789abcdef", push()).await.0, 202);
    person.live(&reverted).await;
    let mut flood = Vec::new();
    for _ in 0..40 {
        flood.push(send("x-gitlab-token", "wrong", push()).await.0);
    }
    assert!(flood.contains(&429), "{flood:?}");
}

/// HMAC-SHA256 in hexadecimal, by openssl.
fn hmac(key: &str, text: &str) -> String {
    use std::io::Write;
    let mut openssl = std::process::Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", key, "-r"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    openssl.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = openssl.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}
