//! The record as a courier sees it: growing, torn, closed, moved to the vault.

use std::fs;
use std::io::Write;

use portcullis_evidence::{
    BundleWriter, Effect, Ending, Event, Manifest, Mode, Settings, SigningKey, State, VERSION, What,
};
use portcullis_vault::{Folder, Vault};

use super::*;

const TIME: &str = "2026-01-31T23:59:59.000000Z";

struct World {
    folder: tempfile::TempDir,
    record: Arc<Record>,
    writer: BundleWriter,
    of: String,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["spool/s-1", "journal"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        let vault: Arc<dyn Vault> = Arc::new(Folder::open(&at("vault")).unwrap());
        let key = Arc::new(SigningKey::generate(&[7; 32]));
        let manifest = Manifest {
            v: VERSION,
            id: "s-1".into(),
            subject: "alice".into(),
            issuer: String::new(),
            groups: Vec::new(),
            desktop: "desk".into(),
            policy: "p".into(),
            rule: "r".into(),
            started: TIME.into(),
            mode: Mode::Strict,
            gate: "0".into(),
            key: key.kid().to_owned(),
            keep: None,
            text: None,
            recipients: Vec::new(),
        };
        let settings = Settings { room_bytes: 0, ..Settings::default() };
        let writer = BundleWriter::create_with(&at("spool/s-1/bundle"), &manifest, key, settings).unwrap();
        let places = Places { spool: at("spool"), journal: at("journal"), vault };
        Self { record: Record::new(places, "g".into()), writer, of: manifest.prefix(), folder }
    }

    fn note(&mut self, what: What) {
        let event = Event {
            v: VERSION,
            seq: self.writer.next_seq(),
            at_us: self.writer.at_us() + 1,
            time: TIME.into(),
            session: "s-1".into(),
            subject: "alice".into(),
            policy: "p".into(),
            rule: "r".into(),
            what,
        };
        self.writer.event(&event).unwrap();
    }

    fn refuse(&mut self, what: &str) {
        self.note(What::Refused { what: what.into(), reason: "no".into() });
    }

    fn close(&mut self) {
        let from = self.writer.from_us();
        self.writer.close_segment(from, from + 1000, &[]).unwrap();
    }

    /// Everything that is wanted behind a mark until nothing more comes; where it ends and how.
    async fn follow(&self, of: &str, mut from: Mark) -> (Vec<String>, Mark, Read) {
        let choice = Arc::new(Choice::new(vec!["*".into()], vec![Effect::Deny]).unwrap());
        let mut ids = Vec::new();
        loop {
            match self.record.read(of, from, &choice).await.unwrap() {
                Read::Lines(found, behind) => {
                    ids.extend(
                        found.iter().map(|found| found.entry.as_ref().map_or("?".into(), |entry| entry.id.clone())),
                    );
                    from = behind;
                }
                end => return (ids, from, end),
            }
        }
    }

    async fn to_vault(&self) {
        let bundle = self.folder.path().join("spool/s-1/bundle");
        for folder in ["", "chain", "events"] {
            for name in fs::read_dir(bundle.join(folder)).unwrap().flatten().filter(|entry| entry.path().is_file()) {
                let path = if folder.is_empty() { String::new() } else { format!("{folder}/") }
                    + name.file_name().to_str().unwrap();
                let Ok(path) = path.parse::<PathInBundle>() else { continue };
                self.record.places.vault.put(&Key::of(&self.of, path).unwrap(), &path.under(&bundle)).await.unwrap();
            }
        }
        fs::remove_dir_all(self.folder.path().join("spool/s-1")).unwrap();
    }
}

#[tokio::test]
async fn a_session_is_followed_from_spool_to_vault_without_a_gap() {
    let mut world = World::new();
    let of = world.of.clone();
    assert_eq!(world.record.places.sessions().unwrap(), std::slice::from_ref(&of));
    let (ids, mark, end) = world.follow(&of, Mark::START).await;
    assert!(ids.is_empty() && matches!(end, Read::Rest));
    world.refuse("a");
    world.note(What::Bell {});
    world.refuse("b");
    let (ids, first, _) = world.follow(&of, mark).await;
    assert_eq!(ids, ["g.s-1.1", "g.s-1.3"]);
    world.close();
    world.close();
    world.refuse("c");
    let (ids, second, end) = world.follow(&of, first).await;
    assert_eq!(ids, ["g.s-1.4"]);
    assert!(matches!(end, Read::Rest) && second.segment == 3);
    world.refuse("d");
    world.close();
    world
        .writer
        .seal(Ending {
            state: State::Closed,
            reason: String::new(),
            ended: TIME.into(),
            duration_us: 9_000_000,
            revisions: 0,
        })
        .unwrap();
    world.to_vault().await;
    let (ids, _, end) = world.follow(&of, second).await;
    assert_eq!(ids, ["g.s-1.5"]);
    assert!(matches!(end, Read::End), "{end:?}");
    // A destination that is far behind reads it all from the vault.
    let (ids, ..) = world.follow(&of, Mark::START).await;
    assert_eq!(ids, ["g.s-1.1", "g.s-1.3", "g.s-1.4", "g.s-1.5"]);
    fs::remove_dir_all(world.folder.path().join("vault").join(&of)).unwrap();
    assert!(matches!(world.follow(&of, second).await.2, Read::Lost));
}

#[tokio::test]
async fn half_a_line_waits_and_what_is_no_event_is_said() {
    let world = World::new();
    let of = "journal/2026-01-31";
    let path = world.folder.path().join("journal/2026-01-31.jsonl");
    let mut file = fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
    let line = |what: &str| {
        format!(
            r#"{{"v":1,"seq":1,"at_us":0,"time":"t","session":"","subject":"a","policy":"","rule":"","type":"refused","what":"{what}","reason":""}}"#
        )
    };
    let start = Mark::default();
    let (first, rest) = (line("a"), format!("{}\n", line(&"x".repeat(300_000))));
    let (half, other) = first.split_at(40);
    file.write_all(half.as_bytes()).unwrap();
    assert!(matches!(world.follow(of, start).await, (ids, _, Read::Rest) if ids.is_empty()));
    file.write_all(format!("{other}\n").as_bytes()).unwrap();
    let (ids, mark, _) = world.follow(of, start).await;
    assert_eq!((ids, mark.line), (vec!["g.journal-2026-01-31.1".to_owned()], 1));
    // Longer than any line may be, torn in the midst, mended by a line end: nothing behind it is lost.
    file.write_all(rest.as_bytes()).unwrap();
    file.write_all(half.as_bytes()).unwrap();
    file.write_all(format!("\n\n{}\n", line("z")).as_bytes()).unwrap();
    let (ids, mark, _) = world.follow(of, mark).await;
    assert_eq!(ids, ["?", "?", "g.journal-2026-01-31.5"]);
    assert_eq!(world.record.places.ends().unwrap()[of], mark);
}
