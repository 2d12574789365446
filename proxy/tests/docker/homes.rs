//! A home that policy keeps is there again for the same subject on the same desktop, and for nobody else.

use portcullis_policy::Subject;
use portcullis_proxy::SessionId;
use portcullis_proxy::runtime::{KeptHome, Runtime, Template};
use serde_json::json;

use crate::engine::{Gate, docker, image, said, template};

/// The volumes of a gate, which go when the test is over.
struct Volumes(String);

impl Volumes {
    fn names(&self) -> Vec<String> {
        let label = format!("label=portcullis.gate={}", self.0);
        let listed = said(&["volume", "ls", "--quiet", "--filter", &label, "--filter", "label=portcullis.home=t"]);
        listed.lines().map(str::to_owned).collect()
    }
}

impl Drop for Volumes {
    fn drop(&mut self) {
        for name in self.names() {
            docker(&["volume", "rm", &name]);
        }
    }
}

fn home(subject: &str) -> Template {
    let subject = Subject { name: subject.into(), groups: Vec::new(), issuer: "local".into() };
    let template = template(&image(), json!({"home_executable": true}));
    Template { home: Some(KeptHome::of(&subject, &template.name)), ..template }
}

/// Starts a desktop, runs `script` in it as its user, and ends it.
async fn visit(gate: &Gate, template: &Template, script: &str) -> String {
    let session = SessionId::generate();
    let desktop = gate.runtime.start(template, &session).await.unwrap();
    let seen = said(&["exec", &format!("portcullis-{session}"), "sh", "-c", script]);
    desktop.destroy().await;
    seen
}

#[tokio::test]
async fn a_kept_home_is_its_subject_s_alone() {
    let gate = Gate::new().await;
    let volumes = Volumes(gate.run.path().canonicalize().unwrap().display().to_string());
    let write = "stat -c '%u %a' \"$HOME\"; echo mine > \"$HOME/note\"; echo runs > /tmp/run; ls -A \"$HOME\"";
    let seen = visit(&gate, &home("alice"), write).await;
    assert!(seen.starts_with("1000 700\n"), "{seen}");
    assert_eq!(volumes.names().len(), 1);
    assert_eq!(gate.left(), 0);

    // The folder for files is the session's, not the home's.
    let read = "cat \"$HOME/note\"; ls /tmp/run 2>&1; readlink \"$HOME/Transfer\"; ls /home/transfer | wc -l; touch /etc/x 2>&1";
    let again = visit(&gate, &home("alice"), &format!("{read}; true")).await;
    assert!(
        again.starts_with("mine\n") && again.contains("No such file") && again.contains("\n/home/transfer\n0\n"),
        "{again}"
    );
    assert!(again.contains("Read-only"), "{again}");

    let look = "ls -A \"$HOME\" | grep -c note; true";
    assert_eq!(visit(&gate, &home("bob"), look).await, "0\n");
    assert_eq!(visit(&gate, &Template { home: None, ..home("alice") }, look).await, "0\n");
    assert_eq!(volumes.names().len(), 2);
}
