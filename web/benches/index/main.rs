//! How long lists, filters and searches take over many recordings: `just bench-index`.
//!
//! Seeds a database of its own, SQLite or PostgreSQL, with 100,000 recordings of 100 events each, and asks the portal's
//! API as an administrator, as a user and as an auditor of some. Prints the median, the 95th percentile and the longest of each question.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions
)]

mod seed;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use portcullis_policy::{Glob, Subject};
use portcullis_vault::Folder;
use portcullis_web::{Act, Audit, AuditError, AuditorScope, Database, LOCAL_ISSUER, Portal, PortalConfig, Postgres};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tower::ServiceExt;

use seed::{Names, Plan};

const HERE: &str = "http://localhost:8080";
/// Times that each question is asked, each time of something else.
const ROUNDS: usize = 40;

/// What is not looked at here.
struct Nowhere;

#[async_trait]
impl Audit for Nowhere {
    async fn record(&self, _: Option<&Subject>, _: &Act) -> Result<(), AuditError> {
        Ok(())
    }
}

/// Somebody who is signed in.
struct Person {
    app: Router,
    cookie: String,
}

impl Person {
    async fn sign_in(database: &Database, folder: &Path, name: &str, groups: &[&str]) -> Person {
        let mut config = PortalConfig::new(folder.join("unused.db"), vec![HERE.to_owned()]);
        config.database = database.clone();
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        config.local = Subject { name: name.to_owned(), groups, issuer: LOCAL_ISSUER.to_owned() };
        let (groups, desktops) = (vec!["group-3".to_owned()], vec![Glob::new("desk-1*")]);
        config.roles.scoped.push(AuditorScope { group: "leads".to_owned(), groups, desktops });
        let vault = Arc::new(Folder::open(&folder.join("vault")).unwrap());
        let portal = Portal::open(config, vault, Arc::new(Nowhere)).await.unwrap();
        let link = portal.one_time_link().await.unwrap();
        let app = portal.router();
        let request = Request::post("/api/sign-in")
            .header(HOST, "localhost:8080")
            .header(ORIGIN, HERE)
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(format!("{{\"link\":\"{link}\"}}")))
            .unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        Person { app, cookie }
    }

    /// How long the answer took, and how many rows it has.
    async fn ask(&self, path: &str) -> (Duration, usize) {
        let request = Request::get(path).header(HOST, "localhost:8080").header(COOKIE, &self.cookie);
        let started = Instant::now();
        let answer = self.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let took = started.elapsed();
        assert_eq!(status, 200, "{path}: {body:?}");
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let rows = body["hits"].as_array().or(body["recordings"].as_array()).unwrap();
        (took, rows.len())
    }
}

/// What is asked, and how its address is made.
type Question = (&'static str, Box<dyn Fn(&mut Names) -> String>);

/// The questions, with what is asked for drawn anew each time.
fn questions() -> Vec<Question> {
    vec![
        ("list, newest", Box::new(|_| "/api/recordings".to_owned())),
        ("list, a page further back", Box::new(|names| format!("/api/recordings?until={}", names.moment()))),
        ("filter: subject", Box::new(|names| format!("/api/recordings?subject={}", names.subject()))),
        ("filter: desktop", Box::new(|names| format!("/api/recordings?desktop={}", names.desktop()))),
        ("filter: group", Box::new(|names| format!("/api/recordings?group={}", names.group()))),
        ("filter: rule", Box::new(|names| format!("/api/recordings?policy={}", names.rule()))),
        ("filter: state", Box::new(|_| "/api/recordings?state=interrupted".to_owned())),
        (
            "filter: verdict and time",
            Box::new(|names| format!("/api/recordings?verdict=permitted&until={}", names.moment())),
        ),
        ("filter: longer than any", Box::new(|_| "/api/recordings?min_ms=99999999".to_owned())),
        (
            "filter: subject, desktop, denied",
            Box::new(|names| {
                format!("/api/recordings?subject={}&desktop={}&verdict=denied", names.subject(), names.desktop())
            }),
        ),
        ("list with a rare word", Box::new(|names| format!("/api/recordings?q={}", names.number()))),
        ("list with a frequent word", Box::new(|_| "/api/recordings?q=denied".to_owned())),
        ("search: a rare word", Box::new(|names| format!("/api/search?q={}", names.number()))),
        ("search: a frequent word", Box::new(|_| "/api/search?q=denied".to_owned())),
        ("search: two frequent words", Box::new(|names| format!("/api/search?q=upload%20{}", names.word()))),
        (
            "search: words in a row",
            Box::new(|names| format!("/api/search?q=%22{}%20{}%22", names.word(), names.number())),
        ),
        ("search: a beginning", Box::new(|names| format!("/api/search?q={}*", &names.word()[..4]))),
        (
            "search: a frequent word, one subject",
            Box::new(|names| format!("/api/search?q=denied&subject={}", names.subject())),
        ),
        (
            "search: a frequent word, one desktop, a time",
            Box::new(|names| format!("/api/search?q=upload&desktop={}&until={}", names.desktop(), names.moment())),
        ),
        (
            "search: words on the screen",
            Box::new(|names| format!("/api/search?q={}%20total&kind=screen", names.word())),
        ),
        ("search: a rare word on the screen", Box::new(|names| format!("/api/search?q=grep%20{}", names.number()))),
        ("search: one kind, denied", Box::new(|_| "/api/search?kind=upload&verdict=denied".to_owned())),
    ]
}

async fn measure(person: &Person, who: &str, names: &mut Names) -> f64 {
    let mut worst = 0.0_f64;
    for (what, question) in questions() {
        let mut times = Vec::new();
        let mut rows = 0;
        for _ in 0..ROUNDS {
            let (took, found) = person.ask(&question(names)).await;
            times.push(took.as_secs_f64() * 1000.0);
            rows += found;
        }
        times.sort_by(f64::total_cmp);
        let (median, p95, most) = (times[ROUNDS / 2], times[ROUNDS * 95 / 100], times[ROUNDS - 1]);
        println!("| {what} | {who} | {median:.1} | {p95:.1} | {most:.1} | {:.1} |", rows as f64 / ROUNDS as f64);
        worst = worst.max(p95);
    }
    worst
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let which = arguments.next().unwrap_or_else(|| "sqlite".to_owned());
    let recordings = arguments.next().map_or(100_000, |count| count.parse().expect("a number of recordings"));
    // On this machine's temporary folder, or where TMPDIR says: several GB.
    let folder = tempfile::tempdir().unwrap();
    let database = match which.as_str() {
        "sqlite" => Database::Sqlite(folder.path().join("index.db")),
        url => Database::Postgres(Postgres { url: url.to_owned(), password: None }),
    };
    // Makes the tables.
    let administrator = Person::sign_in(&database, folder.path(), "root", &["users", "administrators"]).await;
    let started = Instant::now();
    let plan = Plan { recordings };
    let bytes = seed::fill(&database, &plan).await;
    println!(
        "{recordings} recordings and {} events, {} of them with a text, seeded in {:.0} s: {:.2} GB",
        plan.events(),
        plan.texts(),
        started.elapsed().as_secs_f64(),
        bytes as f64 / 1e9
    );
    let user = Person::sign_in(&database, folder.path(), "subject-17", &["users"]).await;
    let lead = Person::sign_in(&database, folder.path(), "lena", &["leads"]).await;
    println!("| question | asked by | median ms | p95 ms | longest ms | rows |\n|---|---|---|---|---|---|");
    let mut names = Names(StdRng::seed_from_u64(7));
    let mut worst = 0.0_f64;
    for (person, who) in [(&administrator, "administrator"), (&user, "user"), (&lead, "auditor of some")] {
        worst = worst.max(measure(person, who, &mut names).await);
    }
    println!("The slowest p95 is {worst:.1} ms.");
}
