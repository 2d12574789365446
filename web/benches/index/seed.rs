//! Recordings and events as the portal would have put them in, in bulk.

use std::fmt::Write;

use portcullis_web::Database;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection};

/// Events of a recording, a fifth of them lines of text that was on the screen; three tenths, keys and clicks, have no text.
const EVENTS: usize = 100;
/// What a line on the screen has beside an event's.
const PLACE: &str = "until_ms, confidence, x, y, width, height";
/// 2025-11-22.
const START_MS: i64 = 1_763_769_600_000;
/// From the start of one recording to that of the next.
const STEP_MS: i64 = 315_000;
/// Recordings that are written together.
const BATCH: usize = 500;

const WORDS: [&str; 24] = [
    "invoice", "contract", "payroll", "diagram", "offer", "minutes", "customer", "budget", "roadmap", "incident",
    "tender", "draft", "summary", "photo", "export", "backup", "ledger", "forecast", "manual", "survey", "design",
    "review", "release", "quote",
];

pub(crate) struct Plan {
    pub(crate) recordings: usize,
}

impl Plan {
    pub(crate) fn events(&self) -> usize {
        self.recordings * EVENTS
    }

    pub(crate) fn texts(&self) -> usize {
        self.events() / 10 * 7
    }
}

/// Draws what is asked for.
pub(crate) struct Names(pub(crate) StdRng);

impl Names {
    pub(crate) fn subject(&mut self) -> String {
        format!("subject-{}", self.0.random_range(0..1000))
    }

    pub(crate) fn desktop(&mut self) -> String {
        format!("desk-{}", self.0.random_range(0..40))
    }

    pub(crate) fn group(&mut self) -> String {
        format!("group-{}", self.0.random_range(0..20))
    }

    pub(crate) fn rule(&mut self) -> String {
        format!("rules-{}.yaml:7%20allow.upload", self.0.random_range(0..30))
    }

    pub(crate) fn word(&mut self) -> &'static str {
        WORDS[self.0.random_range(0..WORDS.len())]
    }

    pub(crate) fn number(&mut self) -> String {
        format!("{:05}", self.0.random_range(0..100_000))
    }

    pub(crate) fn moment(&mut self) -> String {
        let day = self.0.random_range(1..300);
        let at = time::OffsetDateTime::from_unix_timestamp(START_MS / 1000 + day * 86_400).unwrap();
        at.format(&time::format_description::well_known::Rfc3339).unwrap()
    }
}

struct Event {
    kind: &'static str,
    verdict: &'static str,
    rule: String,
    text: String,
}

impl Event {
    fn place(&self) -> Option<[String; 6]> {
        (self.kind == "screen").then(|| [900_000, 91, 40, 300, 480, 14].map(|number: i64| number.to_string()))
    }
}

fn facet(sort: char, name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    hash.iter().take(5).fold(sort.to_string(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn words(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// One recording, its rows and documents.
struct Made {
    key: i64,
    subject: String,
    desktop: String,
    group: String,
    state: &'static str,
    duration_ms: i64,
    rule: String,
    events: Vec<Event>,
}

impl Made {
    fn new(n: usize, rng: &mut StdRng) -> Made {
        let rules = rng.random_range(0..30);
        let rule = format!("rules-{rules}.yaml:7 allow.upload");
        let quiet = rng.random_range(0..20) == 0;
        let events = (0..EVENTS).map(|n| {
            let rare = format!("{} {:05}", WORDS[rng.random_range(0..WORDS.len())], rng.random_range(0..100_000));
            let denied = !quiet && rng.random_range(0..10) == 0;
            let verdict = if denied { "deny" } else { "permit" };
            let event = |kind, verdict, text: String| Event { kind, verdict, rule: rule.clone(), text };
            match n % 10 {
                1 => event(
                    "upload",
                    verdict,
                    format!("{rare}.pdf · application/pdf · ok · {:064x}", rng.random::<u128>()),
                ),
                3 => event("paste", verdict, "payment-card · within the rules of this desktop".to_owned()),
                5 => event("copy", verdict, "nothing found".to_owned()),
                7 => event("viewer_left", "", format!("the page was closed: {rare}")),
                9 => event("control", verdict, "the rule lets it".to_owned()),
                4 | 6 => event(
                    "screen",
                    "",
                    format!("user@host:~$ cat {rare}.txt | grep total {}", WORDS[rng.random_range(0..WORDS.len())]),
                ),
                2 => event("clicks", "", String::new()),
                _ => event("keys", "", String::new()),
            }
        });
        let events = events.collect();
        Made {
            key: START_MS + n as i64 * STEP_MS,
            subject: format!("subject-{}", rng.random_range(0..1000)),
            desktop: format!("desk-{}", rng.random_range(0..40)),
            group: format!("group-{}", rng.random_range(0..20)),
            state: if rng.random_range(0..50) == 0 { "interrupted" } else { "closed" },
            duration_ms: rng.random_range(10_000..14_400_000),
            rule,
            events,
        }
    }

    fn id(&self) -> String {
        format!("seed-{}", self.key)
    }

    fn row(&self) -> Vec<String> {
        let id = self.id();
        let denied = self.events.iter().filter(|event| event.verdict == "deny").count();
        let text = |value: &str| value.to_owned();
        let at = time::OffsetDateTime::from_unix_timestamp(self.key / 1000).unwrap();
        let started = at.format(&time::format_description::well_known::Rfc3339).unwrap();
        vec![
            self.key.to_string(),
            id.clone(),
            format!("sessions/2026/01/01/{id}"),
            self.subject.clone(),
            text("local"),
            format!("[\"users\",\"{}\"]", self.group),
            self.desktop.clone(),
            started.clone(),
            started,
            self.duration_ms.to_string(),
            text(self.state),
            text("the person closed it"),
            text("12345678"),
            EVENTS.to_string(),
            denied.to_string(),
            text("0"),
            text("9b2c4a7e9b2c4a7e9b2c4a7e9b2c4a7e9b2c4a7e"),
            self.rule.clone(),
            text(""),
            text("0"),
            text("3"),
            text("2"),
            text("0"),
            EVENTS.to_string(),
            text("0"),
        ]
    }

    fn groups(&self) -> [String; 2] {
        ["users".to_owned(), self.group.clone()]
    }

    fn policies(&self) -> [String; 3] {
        let file = self.rule.split(':').next().unwrap().to_owned();
        [self.rule.clone(), file, "9b2c4a7e9b2c4a7e9b2c4a7e9b2c4a7e9b2c4a7e".to_owned()]
    }

    fn keyed(&self) -> impl Iterator<Item = (i64, i64, &Event)> {
        let line = |event: &Event| if event.kind == "screen" { 1 << 20 } else { 0 };
        let keyed =
            move |(n, event): (usize, _)| ((self.key << 21) + line(event) + n as i64 + 1, n as i64 * 1000, event);
        self.events.iter().enumerate().map(keyed)
    }

    fn about(&self, event: &Event) -> Vec<String> {
        let verdict = match event.verdict {
            "deny" => "denied",
            "permit" => "permitted",
            _ => "",
        };
        [event.kind, verdict, &event.rule, &self.subject, &self.desktop].into_iter().flat_map(words).collect()
    }
}

struct Facets<'a> {
    of: Vec<String>,
    made: &'a Made,
}

impl Facets<'_> {
    fn on(&self, event: &Event) -> Vec<String> {
        let own = [facet('k', event.kind), facet('v', event.verdict)];
        own.into_iter().chain(self.of.iter().cloned()).collect()
    }
}

fn facets(made: &Made) -> Facets<'_> {
    let of = [facet('s', &made.subject), facet('d', &made.desktop), facet('g', "users"), facet('g', &made.group)];
    Facets { of: of.to_vec(), made }
}

const ROWS: &str = "key, id, prefix, subject, issuer, groups, desktop, started, ended, duration_ms, state, reason, bytes, \
    events, denied, gaps, policy_revision, policy_rule, recipients, read_at, segment, files, line, lines, last_us";

/// Fills the tables; the bytes that the database takes then.
pub(crate) async fn fill(database: &Database, plan: &Plan) -> u64 {
    let mut rng = StdRng::seed_from_u64(1);
    match database {
        Database::Sqlite(path) => {
            let mut to = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
            for pragma in ["PRAGMA synchronous = OFF", "PRAGMA cache_size = -262144"] {
                sqlx::query(pragma).execute(&mut to).await.unwrap();
            }
            for from in (0..plan.recordings).step_by(BATCH) {
                let all: Vec<_> = (from..plan.recordings.min(from + BATCH)).map(|n| Made::new(n, &mut rng)).collect();
                sqlite(&mut to, &all).await;
            }
            sqlx::query("INSERT INTO event_texts (event_texts) VALUES ('optimize')").execute(&mut to).await.unwrap();
            sqlx::query("ANALYZE").execute(&mut to).await.unwrap();
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut to).await.unwrap();
            to.close().await.unwrap();
            std::fs::metadata(path).unwrap().len()
        }
        Database::Postgres(at) => {
            let mut to = PgConnection::connect(&at.url).await.unwrap();
            sqlx::query("DROP INDEX event_texts").execute(&mut to).await.unwrap();
            for from in (0..plan.recordings).step_by(BATCH) {
                let all: Vec<_> = (from..plan.recordings.min(from + BATCH)).map(|n| Made::new(n, &mut rng)).collect();
                postgres(&mut to, &all).await;
            }
            for statement in [
                "SET maintenance_work_mem = '512MB'",
                "CREATE INDEX event_texts ON events USING gin (words)",
                "VACUUM ANALYZE",
            ] {
                sqlx::query(statement).execute(&mut to).await.unwrap();
            }
            let size: (i64,) =
                sqlx::query_as("SELECT pg_database_size(current_database())").fetch_one(&mut to).await.unwrap();
            size.0 as u64
        }
    }
}

async fn sqlite(to: &mut SqliteConnection, all: &[Made]) {
    let quoted = |value: &str| format!("'{}'", value.replace('\'', "''"));
    let run = async |to: &mut SqliteConnection, head: &str, rows: &[String]| {
        for some in rows.chunks(2000) {
            let statement = format!("{head} VALUES {}", some.join(","));
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *to).await.unwrap();
        }
    };
    let (mut rows, mut groups, mut policies, mut events, mut texts) = (vec![], vec![], vec![], vec![], vec![]);
    for made in all {
        rows.push(format!("({})", made.row().iter().map(|value| quoted(value)).collect::<Vec<_>>().join(",")));
        groups.extend(made.groups().iter().map(|name| format!("({},{})", quoted(name), made.key)));
        policies.extend(made.policies().iter().map(|name| format!("({},{})", quoted(name), made.key)));
        let facets = facets(made);
        for (key, at_ms, event) in made.keyed() {
            let (rule, text) = (quoted(&event.rule), quoted(&event.text));
            let place = event.place().map_or("NULL,NULL,NULL,NULL,NULL,NULL".to_owned(), |place| place.join(","));
            events.push(format!("({key},{at_ms},'{}','{}',{rule},'',{text},{place})", event.kind, event.verdict));
            if !event.text.is_empty() {
                let (text, about) = (words(&event.text).join(" "), facets.made.about(event).join(" "));
                texts.push(format!("({key},'{text}','{about}','{}')", facets.on(event).join(" ")));
            }
        }
    }
    sqlx::raw_sql("BEGIN").execute(&mut *to).await.unwrap();
    run(to, &format!("INSERT INTO recordings ({ROWS})"), &rows).await;
    run(to, "INSERT INTO recording_groups (name, recording)", &groups).await;
    run(to, "INSERT INTO recording_policies (name, recording)", &policies).await;
    run(to, &format!("INSERT INTO events (key, at_ms, kind, verdict, rule, revision, text, {PLACE})"), &events).await;
    run(to, "INSERT INTO event_texts (rowid, text, about, facets)", &texts).await;
    sqlx::raw_sql("COMMIT").execute(&mut *to).await.unwrap();
}

async fn postgres(to: &mut PgConnection, all: &[Made]) {
    let (mut rows, mut groups, mut policies, mut events) = (String::new(), String::new(), String::new(), String::new());
    for made in all {
        let _ = writeln!(rows, "{}", made.row().join("\t"));
        for name in made.groups() {
            let _ = writeln!(groups, "{name}\t{}", made.key);
        }
        for name in made.policies() {
            let _ = writeln!(policies, "{name}\t{}", made.key);
        }
        let facets = facets(made);
        for (key, at_ms, event) in made.keyed() {
            let text = words(&event.text).into_iter().zip(1..).map(|(word, place)| format!("'{word}':{place}"));
            let about = made.about(event).into_iter().zip(1000..).map(|(word, place)| format!("'{word}':{place}"));
            let marks = facets.on(event).into_iter().map(|facet| format!("'={facet}'"));
            let vector = match event.text.is_empty() {
                true => "\\N".to_owned(),
                false => text.chain(about).chain(marks).collect::<Vec<_>>().join(" "),
            };
            let place = event.place().map_or(["\\N"; 6].join("\t"), |place| place.join("\t"));
            let (kind, verdict, rule, text) = (event.kind, event.verdict, &event.rule, &event.text);
            let _ = writeln!(events, "{key}\t{at_ms}\t{kind}\t{verdict}\t{rule}\t\t{text}\t{vector}\t{place}");
        }
    }
    for (table, lines) in [
        (format!("recordings ({ROWS})"), rows),
        ("recording_groups (name, recording)".to_owned(), groups),
        ("recording_policies (name, recording)".to_owned(), policies),
        (format!("events (key, at_ms, kind, verdict, rule, revision, text, words, {PLACE})"), events),
    ] {
        let mut copy = to.copy_in_raw(&format!("COPY {table} FROM STDIN")).await.unwrap();
        copy.send(lines.as_bytes()).await.unwrap();
        copy.finish().await.unwrap();
    }
}
