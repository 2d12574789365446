//! `portcullis policy …` as those who write policies and their CI run it: the built program on folders and git repositories.

use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_tests::gate::program;
use serde_json::Value;
use tempfile::TempDir;

/// The example folders of the repository.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("policy/examples").join(name)
}

/// A command's exit code, and what it printed.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {}", self.out))
    }
}

/// Runs `portcullis policy …` in a folder.
fn policy(folder: &Path, arguments: &[&str]) -> Ran {
    run(Command::new(program().unwrap()).arg("policy").args(arguments).current_dir(folder))
}

fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// Runs git in a folder, as a person with a name of its own would.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"];
    let ran = run(Command::new("git").args(identity).args(arguments).current_dir(folder));
    assert_eq!(ran.code, 0, "git {arguments:?}: {}", ran.err);
    ran.out.trim().to_owned()
}

/// A repository with these files committed; its last commit.
fn commit(folder: &Path) -> String {
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "policies"]);
    git(folder, &["rev-parse", "HEAD"])
}

const USERS: &str = "policy: users\napplies:\n  groups: [users]\nallow:\n  control: {}\n  paste: {max_bytes: 4 KiB}\n";

#[test]
fn the_examples_check_clean_and_their_cases_pass() {
    for name in ["default", "company"] {
        let checked = policy(&example(name), &["check", "--strict"]);
        assert_eq!(checked.code, 0, "{name}: {}{}", checked.out, checked.err);
        let tested = policy(&example(name), &["test", "--coverage"]);
        assert_eq!(tested.code, 0, "{name}: {}{}", tested.out, tested.err);
        assert!(tested.out.contains(" 0 failed; 0 rules without a case"), "{}", tested.out);
    }
}

#[test]
fn check_tells_faults_keys_that_are_not_enforced_and_doubts_apart() {
    let faulty = folder(&[("a.yaml", "policy: a\napplies: {}\nallow: {pase: {}, copy: {max_bytes: 4 KB}}\n")]);
    let ran = policy(faulty.path(), &["check"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("a.yaml:3:9: unknown key `pase` in `allow`; did you mean `paste`?"), "{}", ran.out);
    assert!(ran.out.contains("a.yaml:3:37: `KB` is not a unit of size"), "{}", ran.out);
    let ran = policy(faulty.path(), &["check", "--json"]);
    assert_eq!((ran.code, ran.json()["faults"][0]["column"].as_u64()), (1, Some(9)));

    let searching = "desktop: {egress: deny}\n";
    let ahead = folder(&[("users.yaml", &format!("{USERS}{searching}"))]);
    let ran = policy(ahead.path(), &["check"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("users.yaml:7:11: `desktop.egress` is understood, but"), "{}", ran.out);
    assert_eq!(policy(ahead.path(), &["check", "--ahead"]).code, 0);

    let doubtful = folder(&[("users.yaml", &USERS.replace("4 KiB", "4 KiB}\n  copy: {"))]);
    let ran = policy(doubtful.path(), &["check"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("users.yaml:7: too-wide: allow.copy: copy has no limit here"), "{}", ran.out);
    assert_eq!(policy(doubtful.path(), &["check", "--strict"]).code, 1);
    let ran = policy(doubtful.path(), &["check", "--json", "--desktop", "desk"]);
    assert_eq!(ran.json()["doubts"][0]["doubt"], "too-wide");

    let ran = policy(doubtful.path(), &["check", "nowhere"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("nowhere"), "{}", ran.err);
}

#[test]
fn test_says_which_case_fails_and_why() {
    let cases = "subjects: {alice: {groups: [users]}}\ncases:\n  - {subject: alice, desktop: x, action: control, expect: permit}\n  - {subject: alice, desktop: x, action: paste, bytes: 5 KiB, expect: permit}\n";
    let failing = folder(&[("users.yaml", USERS), ("tests/users.yaml", cases)]);
    let ran = policy(failing.path(), &["test"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("tests/users.yaml:4: alice on x: paste: expected permit, got deny by users.yaml:6 allow.paste.max_bytes: paste of 5 KiB is over the 4 KiB that users.yaml:6 allows"),
        "{}",
        ran.out
    );
    assert!(ran.out.ends_with("1 passed, 1 failed; 1 rules without a case\n"), "{}", ran.out);
    let ran = policy(failing.path(), &["test", "--json"]);
    assert_eq!(ran.json()["failed"], 1);
    // No case at all is no proof.
    let bare = folder(&[("users.yaml", USERS)]);
    assert_eq!(policy(bare.path(), &["test"]).code, 1);
    let broken = folder(&[("users.yaml", USERS), ("tests/users.yaml", "cases: [{subject: bob}]\n")]);
    let ran = policy(broken.path(), &["test"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("tests/users.yaml:1:19: `bob` is not one of `subjects`"), "{}", ran.err);
}

#[test]
fn explain_names_file_line_and_commit_of_each_value() {
    let repository = folder(&[("policies/users.yaml", USERS)]);
    git(repository.path(), &["init", "-q"]);
    let first = commit(repository.path());
    let path = repository.path().join("policies/users.yaml");
    std::fs::write(&path, format!("{USERS}recording:\n  mode: best_effort\n")).unwrap();
    let second = commit(repository.path());
    let who = ["explain", "policies", "--subject", "alice", "--group", "users", "--desktop", "desk"];
    let ran = policy(repository.path(), &who);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains(&format!("users.yaml:6 allow.paste.max_bytes ({})", &first[..12])), "{}", ran.out);
    assert!(ran.out.contains(&format!("users.yaml:8 recording.mode ({})", &second[..12])), "{}", ran.out);
    assert!(ran.out.contains("copy      deny    default deny"), "{}", ran.out);
    let ran = policy(repository.path(), &[&who[..], &["--json"]].concat());
    assert_eq!(ran.json()["commits"]["users.yaml:8"], second.as_str());
    assert_eq!(ran.json()["effective"]["obligations"][0]["value"], "best_effort");

    let asked = [&who[..], &["--action", "paste", "--bytes", "5 KiB"]].concat();
    let ran = policy(repository.path(), &asked);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("users                    applies; allows less: users.yaml:6 allow.paste.max_bytes"),
        "{}",
        ran.out
    );
    assert_eq!(policy(repository.path(), &[&who[..], &["--action", "paste", "--bytes", "4 KiB"]].concat()).code, 0);
    assert_eq!(policy(repository.path(), &[&who[..], &["--action", "fly"]].concat()).code, 2);

    std::fs::write(&path, USERS).unwrap();
    let ran = policy(repository.path(), &who);
    assert!(ran.out.contains("users.yaml:6 allow.paste (not committed)"), "{}", ran.out);
    // Outside of any repository there are no commits to name.
    let plain = folder(&[("users.yaml", USERS)]);
    let ran = policy(
        plain.path(),
        &["explain", "--subject", "alice", "--group", "users", "--desktop", "desk", "--time", "now"],
    );
    assert!(ran.out.contains("users.yaml:6 allow.paste\n"), "{}", ran.out);
}

#[test]
fn diff_says_who_gains_or_loses_what_between_commits_and_folders() {
    let repository = folder(&[("users.yaml", USERS)]);
    git(repository.path(), &["init", "-q"]);
    let first = commit(repository.path());
    std::fs::write(repository.path().join("users.yaml"), USERS.replace("4 KiB", "64 KiB")).unwrap();
    let second = commit(repository.path());
    let gain = "group users on *\n    gains paste.max_bytes: 4 KiB → 64 KiB   users.yaml:6 allow.paste.max_bytes";
    let ran = policy(repository.path(), &["diff", &format!("{first}..{second}")]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains(gain), "{}", ran.out);
    assert_eq!(policy(repository.path(), &["diff", "HEAD~1..HEAD", "--no-gains"]).code, 1);
    assert_eq!(policy(repository.path(), &["diff", "HEAD..HEAD~1", "--no-gains"]).code, 0);
    let ran = policy(repository.path(), &["diff", "HEAD~1..HEAD", "--json"]);
    assert_eq!(ran.json()["effects"][0]["direction"], "gains");
    assert_eq!(policy(repository.path(), &["diff", "HEAD.."]).out, "nothing differs in what the policies say\n");

    let before = folder(&[("users.yaml", USERS)]);
    let ran = policy(repository.path(), &["diff", before.path().to_str().unwrap(), "."]);
    assert!(ran.out.contains(gain), "{}", ran.out);
    for wrong in ["nowhere", "HEAD~9..HEAD", "--upload-pack=x..HEAD", "..HEAD"] {
        let ran = policy(repository.path(), &["diff", "--", wrong]);
        assert_eq!(ran.code, 2, "{wrong}: {}", ran.out);
    }
}

#[test]
fn what_a_repository_configures_runs_nothing() {
    let repository = folder(&[("users.yaml", USERS), (".gitattributes", "*.yaml diff=evil filter=evil\n")]);
    git(repository.path(), &["init", "-q"]);
    commit(repository.path());
    std::fs::write(repository.path().join("users.yaml"), USERS.replace("4 KiB", "1 KiB")).unwrap();
    git(repository.path(), &["commit", "-q", "-a", "-m", "less"]);
    let trap = repository.path().join("ran");
    let command = format!("touch {}; cat", trap.display());
    for key in [
        "core.fsmonitor",
        "core.pager",
        "diff.evil.textconv",
        "filter.evil.clean",
        "filter.evil.smudge",
        "diff.external",
    ] {
        git(repository.path(), &["config", key, &command]);
    }
    assert_eq!(policy(repository.path(), &["diff", "HEAD~1..HEAD"]).code, 0);
    let ran = policy(repository.path(), &["explain", "--subject", "alice", "--group", "users", "--desktop", "desk"]);
    assert!(ran.code == 0 && ran.out.contains("users.yaml:6 allow.paste ("), "{}", ran.out);
    assert!(!trap.exists(), "a program that the repository configures was run");
}

#[test]
fn links_and_submodules_in_a_commit_are_refused() {
    let repository = folder(&[("users.yaml", USERS)]);
    git(repository.path(), &["init", "-q"]);
    let clean = commit(repository.path());
    std::os::unix::fs::symlink("/etc/passwd", repository.path().join("more.yaml")).unwrap();
    commit(repository.path());
    let ran = policy(repository.path(), &["diff", &format!("{clean}..HEAD")]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("more.yaml is a link"), "{}", ran.err);
    git(repository.path(), &["rm", "-q", "more.yaml"]);
    git(repository.path(), &["update-index", "--add", "--cacheinfo", &format!("160000,{clean},teams")]);
    git(repository.path(), &["commit", "-q", "-m", "a submodule"]);
    let ran = policy(repository.path(), &["diff", &format!("{clean}..HEAD")]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("teams is a submodule"), "{}", ran.err);
}

#[test]
fn the_recipe_for_ci_runs_as_it_is_written() {
    let repository = tempfile::tempdir().unwrap();
    run(Command::new("cp").arg("-r").arg(example("company")).arg(repository.path().join("policies")));
    git(repository.path(), &["init", "-q"]);
    commit(repository.path());
    let ci = || {
        let mut command = Command::new(repository.path().join("policies/ci.sh"));
        run(command.env("BASE", "HEAD").env("PORTCULLIS", program().unwrap()))
    };
    let ran = ci();
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let office = repository.path().join("policies/office.yaml");
    let text = std::fs::read_to_string(&office).unwrap();
    std::fs::write(&office, text.replace("copy: {max_bytes: 64 KiB}", "copy: {max_bytes: 65 KiB}")).unwrap();
    // A case holds the limit.
    let ran = ci();
    assert!(ran.code != 0 && ran.out.contains("tests/people.yaml:18: alice on office: copy"), "{}", ran.out);
}

#[test]
fn the_schema_is_the_published_one() {
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/policy.schema.json");
    assert_eq!(policy(Path::new("."), &["schema"]).out, std::fs::read_to_string(published).unwrap());
}
