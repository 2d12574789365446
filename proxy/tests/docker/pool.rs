//! The pool: what stands ready is claimed, heard of, replaced and given up; sessions get another desktop; nothing is left.

use std::sync::Arc;
use std::time::Duration;

use portcullis_policy::Subject;
use portcullis_proxy::SessionId;
use portcullis_proxy::runtime::{Capacity, Cost, Desktop, Full, Pool, Runtime, State, Template};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::engine::{Gate, SOON, containers_of, image, said, speaks_rfb};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

struct Desks {
    pool: Arc<Pool>,
    template: Template,
    run: TempDir,
}

fn alice() -> Subject {
    Subject { name: "alice".into(), groups: Vec::new(), issuer: "local".into() }
}

fn template(more: Value) -> Template {
    let docker = json!({"image": image(), "memory_mib": 128, "pids": 64, "home_mib": 32, "shm_mib": 32});
    let mut whole = json!({"name": "t", "size": "640x480", "docker": docker});
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(whole).unwrap()
}

impl Desks {
    async fn with(template: Template, capacity: Capacity) -> Self {
        let Gate { run, runtime } = Gate::new().await;
        let runtime: Arc<dyn Runtime> = Arc::new(runtime);
        let pool = Pool::new(vec![template.clone()], vec![runtime], capacity);
        pool.tend();
        Self { pool, template, run }
    }

    async fn open(&self) -> Box<dyn Desktop> {
        let admission = self.pool.admit(&self.template, &alice()).await.unwrap();
        self.pool.start(&self.template, &SessionId::generate(), admission).await.unwrap()
    }

    async fn comes_to(&self, state: State) {
        let look = async {
            while self.pool.state("t") != state {
                sleep(LOOK_EVERY).await;
            }
        };
        timeout(SOON, look).await.unwrap_or_else(|_| panic!("it stays {:?}", self.pool.state("t")));
    }

    async fn end(self) {
        self.pool.close().await;
        assert_eq!(std::fs::read_dir(self.run.path()).unwrap().count(), 0);
        let gate = format!("label=portcullis.gate={}", self.run.path().canonicalize().unwrap().display());
        assert_eq!(said(&["ps", "--all", "--quiet", "--filter", &gate]), "");
        assert_eq!(said(&["volume", "ls", "--quiet", "--filter", &gate]), "");
    }
}

#[tokio::test]
async fn what_stands_ready_is_claimed_and_another_takes_its_place() {
    for paused in [false, true] {
        let desks = Desks::with(template(json!({"warm": {"count": 1, "paused": paused}})), Capacity::default()).await;
        desks.comes_to(State::Warm(1)).await;
        let desktop = desks.open().await;
        let identity = desktop.identity();
        assert!(identity.warm && identity.image.starts_with("sha256:"), "{identity:?}");
        assert_eq!(containers_of(&identity.name), 1);
        speaks_rfb(desktop.as_ref()).await;
        let state = said(&["inspect", "--format", "{{.State.Status}}", &format!("portcullis-{}", identity.name)]);
        assert_eq!(state.trim(), "running");

        desks.comes_to(State::Warm(1)).await;
        desktop.destroy().await;
        assert_eq!(containers_of(&identity.name), 0, "a desktop that was used goes back to nobody");
        desks.end().await;
    }
}

#[tokio::test]
async fn what_does_not_answer_any_more_is_replaced() {
    let desks = Desks::with(template(json!({"warm": {"count": 1}})), Capacity::default()).await;
    desks.comes_to(State::Warm(1)).await;
    let filter = format!("label=portcullis.gate={}", desks.run.path().canonicalize().unwrap().display());
    let first = said(&["ps", "--quiet", "--filter", &filter]);
    said(&["kill", first.trim()]);
    // Whether or not the pool has seen it yet, nobody is given what is dead.
    let desktop = desks.open().await;
    speaks_rfb(desktop.as_ref()).await;
    let now = said(&["ps", "--quiet", "--filter", &filter]);
    assert!(!now.contains(first.trim()));
    desktop.destroy().await;
    desks.end().await;
}

#[tokio::test]
async fn a_template_that_nobody_asked_to_be_ready_costs_nothing() {
    let desks = Desks::with(template(json!({})), Capacity::default()).await;
    let desktop = desks.open().await;
    assert!(!desktop.identity().warm);
    desktop.destroy().await;
    assert_eq!(desks.pool.state("t"), State::Cold);
    desks.end().await;
}

#[tokio::test]
async fn an_image_that_is_not_there_is_said() {
    let mut template = template(json!({"warm": {"count": 1}}));
    if let portcullis_proxy::runtime::TemplateKind::Docker(docker) = &mut template.kind {
        docker.image = "portcullis/none:at-all".to_owned();
    }
    let desks = Desks::with(template, Capacity::default()).await;
    let why = "there is no image `portcullis/none:at-all` in the Docker Engine".to_owned();
    desks.comes_to(State::Unavailable(why)).await;
    desks.end().await;
}

#[tokio::test]
async fn a_desktop_that_dies_is_followed_by_another_for_a_while() {
    let desks = Desks::with(template(json!({"on_exit": "restart"})), Capacity::default()).await;
    let desktop = desks.open().await;
    for again in 0..4 {
        let name = desktop.identity().name;
        speaks_rfb(desktop.as_ref()).await;
        said(&["kill", &format!("portcullis-{name}")]);
        if again == 3 {
            break;
        }
        let replaced = async {
            while desktop.identity().name == name {
                sleep(LOOK_EVERY).await;
            }
        };
        timeout(SOON, replaced).await.unwrap();
        assert_eq!(containers_of(&name), 0);
    }
    let reason = timeout(SOON, desktop.ended()).await.unwrap();
    assert!(reason.ends_with("it ended 4 times without lasting for a minute"), "{reason}");
    desks.end().await;
}

#[tokio::test]
async fn what_stands_ready_makes_room_for_who_waits() {
    let most = Cost { memory_mib: 256, cpu_percent: 0 };
    let capacity = Capacity { most, queue: 1, patience: SOON };
    let desks = Desks::with(template(json!({"warm": {"count": 1}})), capacity).await;
    desks.comes_to(State::Warm(1)).await;
    let first = desks.open().await;
    desks.comes_to(State::Warm(1)).await;
    let mut large = desks.template.clone();
    large.name = "large".to_owned();
    // One session and one that stands ready fill it; a session comes before the latter.
    let admission = desks.pool.admit(&large, &alice()).await.unwrap();
    drop(admission);
    first.destroy().await;
    drop(first);
    let Full::Never { .. } = ({
        if let portcullis_proxy::runtime::TemplateKind::Docker(docker) = &mut large.kind {
            docker.memory_mib = 512;
        }
        desks.pool.admit(&large, &alice()).await.err().unwrap()
    }) else {
        panic!("there is room for more than there is")
    };
    desks.end().await;
}

#[tokio::test]
async fn twenty_desktops_come_and_go_without_a_trace() {
    let desks = Desks::with(template(json!({"warm": {"count": 1, "most": 2}})), Capacity::default()).await;
    for _ in 0..20 {
        let desktop = desks.open().await;
        speaks_rfb(desktop.as_ref()).await;
        desktop.destroy().await;
    }
    desks.end().await;
}
