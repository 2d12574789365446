//! All couriers of a gate: opened before anything is recovered, told of each recording that begins, stopped last.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::courier::Courier;
use crate::destination::Destination;
use crate::follow::Places;
use crate::follow::Record;
use crate::letters::Letters;
use crate::marks::{Mark, Marks};
use crate::tally::Standing;

/// The file with the gate's name in the names of deliveries.
const GATE: &str = ".gate";

/// The couriers of a gate. Clones are the same ones.
#[derive(Clone)]
pub struct Exports {
    couriers: Arc<[Arc<Courier>]>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Exports {
    /// Opens the marks in `folder`, which is made, and takes note of the sessions that are in the spool. To be called before any of them
    /// leaves it. A destination that was not there before begins with what happens from now on.
    ///
    /// # Errors
    /// When folder, marks, spool or journal cannot be read or written.
    pub fn open(folder: &Path, places: Places, destinations: Vec<Destination>) -> io::Result<Self> {
        let mut couriers = Vec::new();
        if !destinations.is_empty() {
            private(folder)?;
            let record = Record::new(places, gate(folder)?);
            for destination in destinations {
                couriers.push(Arc::new(courier(folder, &record, destination)?));
            }
            for session in record.places().sessions()? {
                couriers.iter().for_each(|courier| courier.begin(&session, Mark::START));
            }
        }
        Ok(Self { couriers: couriers.into(), stop: CancellationToken::new(), tasks: TaskTracker::new() })
    }

    /// Sets the couriers to work.
    pub fn start(&self) {
        for courier in self.couriers.iter() {
            self.tasks.spawn(Arc::clone(courier).run(self.stop.clone()));
        }
    }

    /// A recording has begun whose bundle lies at `bundle` (`sessions/YYYY/MM/DD/ID`). To be called while it is in the spool: it writes a line
    /// for each destination and waits for nothing.
    pub fn begun(&self, bundle: &str) {
        self.couriers.iter().for_each(|courier| courier.begin(bundle, Mark::START));
    }

    /// How each destination stands.
    #[must_use]
    pub fn standing(&self) -> Vec<Standing> {
        self.couriers.iter().map(|courier| courier.tally.standing(&courier.destination.name)).collect()
    }

    /// Stops: what is recorded by now is delivered, as far as it is taken within `patience`; the rest by the next gate.
    pub async fn stop(&self, patience: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!("events are still under way: the next start delivers what was not taken");
        }
    }
}

fn courier(folder: &Path, record: &Arc<Record>, destination: Destination) -> io::Result<Courier> {
    let folder = folder.join(&destination.name);
    private(&folder)?;
    let marks = Marks::open(&folder, || record.places().ends())?;
    let sink = destination.sink();
    Ok(Courier::new(destination, sink, Arc::clone(record), marks, Letters::of(&folder)))
}

/// The gate's name, made once: it stays the same when keys are renewed.
fn gate(folder: &Path) -> io::Result<String> {
    let path = folder.join(GATE);
    match fs::read_to_string(&path) {
        Ok(name) if Uuid::try_parse(name.trim()).is_ok() => return Ok(name.trim().to_owned()),
        Ok(_) => return Err(io::Error::other(format!("{} does not hold the gate's name", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let (name, part) = (Uuid::new_v4().simple().to_string(), path.with_extension("part"));
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(name.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, &path)?;
    File::open(folder)?.sync_all()?;
    Ok(name)
}

fn private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(test)]
mod tests {
    use portcullis_evidence::{BundleWriter, Manifest, Mode, Settings, SigningKey, VERSION};
    use portcullis_vault::Folder;

    use super::*;
    use crate::choice::Choice;
    use crate::destination::To;

    fn record(spool: &Path, id: &str) -> String {
        let key = Arc::new(SigningKey::generate(&[7; 32]));
        let manifest = Manifest {
            v: VERSION,
            id: id.into(),
            subject: "alice".into(),
            issuer: String::new(),
            groups: Vec::new(),
            desktop: "desk".into(),
            policy: "p".into(),
            rule: "r".into(),
            started: "2026-01-31T23:59:59.000000Z".into(),
            mode: Mode::Strict,
            gate: "0".into(),
            key: key.kid().to_owned(),
            keep: None,
            text: None,
            recipients: Vec::new(),
        };
        fs::create_dir_all(spool.join(id)).unwrap();
        let settings = Settings { room_bytes: 0, ..Settings::default() };
        drop(BundleWriter::create_with(&spool.join(id).join("bundle"), &manifest, key, settings).unwrap());
        manifest.prefix()
    }

    #[test]
    fn every_session_in_the_spool_and_every_one_that_begins_is_noted_and_the_gates_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let open = || {
            let vault = Arc::new(Folder::open(&at("vault")).unwrap());
            let places = Places { spool: at("spool"), journal: at("journal"), vault };
            let choice = Choice::new(vec!["*".into()], Vec::new()).unwrap();
            let keep = Duration::from_secs(60);
            let out = Destination { name: "out".into(), choice, keep, to: To::Stdout };
            Exports::open(&at("alerts"), places, vec![out]).unwrap()
        };
        let known = |of: &str| fs::read_to_string(at("alerts/out/marks.jsonl")).unwrap().contains(of);
        drop(open());
        let name = fs::read_to_string(at("alerts/.gate")).unwrap();
        // Its gate was killed before it could take note of it.
        let left = record(&at("spool"), "s-1");
        assert!(!known(&left));
        let exports = open();
        assert!(known(&left));
        exports.begun("sessions/2026/01/31/s-2");
        assert!(known("sessions/2026/01/31/s-2"));
        assert_eq!(fs::read_to_string(at("alerts/.gate")).unwrap(), name);
        assert_eq!(exports.standing().len(), 1);
        fs::write(at("alerts/.gate"), "x").unwrap();
        let vault = Arc::new(Folder::open(&at("vault")).unwrap());
        let places = Places { spool: at("spool"), journal: at("journal"), vault };
        let other = Destination {
            name: "out".into(),
            choice: Choice::new(vec!["*".into()], Vec::new()).unwrap(),
            keep: Duration::ZERO,
            to: To::Stdout,
        };
        assert!(Exports::open(&at("alerts"), places, vec![other]).is_err(), "another name would double everything");
    }
}
