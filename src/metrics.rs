//! `GET /metrics` on a port of its own: Prometheus' text format, written by hand.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State as From;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use portcullis_alerts::{Exports, Standing};
use portcullis_proxy::{Count, Findings, Plane, Tally};
use time::OffsetDateTime;

use crate::leftovers::Left;
use crate::policy::State;

/// The format's own media type.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The one route.
pub(crate) fn router(plane: Arc<Plane>, policies: State, exports: Exports, left: Left) -> Router {
    Router::new().route("/metrics", get(read)).with_state((plane, policies, exports, left))
}

async fn read(From((plane, policies, exports, left)): From<(Arc<Plane>, State, Exports, Left)>) -> impl IntoResponse {
    ([(CONTENT_TYPE, TEXT)], told(&plane, &policies, &exports.standing(), left.count()))
}

/// A family's name, kind and help, and its value for one destination.
type OfAlert = (&'static str, &'static str, &'static str, fn(&Standing) -> u64);

/// What is told of each destination of events.
const OF_ALERTS: [OfAlert; 8] = [
    ("delivered_total", "counter", "Events that a destination took.", |one| one.delivered),
    ("refused_total", "counter", "Events that a destination refused for good.", |one| one.refused),
    ("expired_total", "counter", "Events that were dropped for their age.", |one| one.expired),
    ("lost_total", "counter", "Files and lines of the record that could not be exported.", |one| one.lost),
    ("failures_total", "counter", "Deliveries that failed and are tried again.", |one| one.failures),
    ("backlog", "gauge", "Events that wait for a destination that fails.", |one| one.backlog),
    ("behind_seconds", "gauge", "The age of the event that was tried last; 0 when nothing waits.", |one| {
        one.behind_seconds
    }),
    ("failing", "gauge", "1 while the last delivery failed.", |one| u64::from(one.failing)),
];

fn told(plane: &Plane, policies: &State, alerts: &[Standing], left: usize) -> String {
    let known = policies.known();
    let (opened, refused) = plane.counts();
    let now = OffsetDateTime::now_utc();
    let mut page = Page(String::new());
    page.add(
        "portcullis_policy_info",
        "gauge",
        "The revision of the policies in force.",
        &[("revision", &known.revision)],
        1,
    );
    page.add(
        "portcullis_policy_since_seconds",
        "gauge",
        "When the policies in force came into force, in Unix seconds.",
        &[],
        known.since.unix_timestamp(),
    );
    if let Some(looked) = known.looked {
        let age = now.unix_timestamp().saturating_sub(looked.unix_timestamp()).max(0);
        page.add(
            "portcullis_policy_fetch_age_seconds",
            "gauge",
            "Seconds since the source of policies was last seen.",
            &[],
            age,
        );
    }
    page.add(
        "portcullis_recordings_in_spool",
        "gauge",
        "Recordings of sessions that are over and that could not be brought to the vault: they lie on this machine alone.",
        &[],
        left,
    );
    let waiting = i64::from(known.refused.is_some());
    page.add(
        "portcullis_policy_refused",
        "gauge",
        "1 while the source is at a revision that was refused.",
        &[],
        waiting,
    );
    page.add("portcullis_policy_refused_total", "counter", "Revisions that were refused.", &[], known.refusals);
    page.add(
        "portcullis_policy_fetch_failures_total",
        "counter",
        "Looks at the source of policies that failed.",
        &[],
        known.failures,
    );
    page.add("portcullis_sessions_live", "gauge", "Sessions that are live or starting.", &[], plane.count());
    page.add("portcullis_sessions_opened_total", "counter", "Sessions that were opened.", &[], opened);
    page.add("portcullis_sessions_refused_total", "counter", "Sessions that were asked for and refused.", &[], refused);
    desktops(&mut page, plane);
    page.findings(plane.findings());
    page.crossings("text", plane.texts());
    page.crossings("file", &plane.files().counts);
    let (bytes, copies, expired) = plane.files().quarantine.counts();
    page.add("portcullis_quarantine_bytes", "gauge", "Bytes of quarantined copies of files.", &[], bytes);
    page.add("portcullis_quarantine_copies", "gauge", "Quarantined copies of files.", &[], copies);
    page.add("portcullis_quarantine_expired_total", "counter", "Quarantined copies whose time was over.", &[], expired);
    page.alerts(alerts);
    page.0
}

fn desktops(page: &mut Page, plane: &Plane) {
    let (ready, waiting) = plane.pool.counts();
    page.add("portcullis_desktops_ready", "gauge", "Desktops that stand ready for a session.", &[], ready);
    page.add("portcullis_openings_waiting", "gauge", "Openings that wait in line for room.", &[], waiting);
    let out = plane.egress();
    for (name, help, count) in [
        ("carried", "Connections out of desktops that were carried.", &out.carried),
        ("refused", "Connections out of desktops that were refused.", &out.refused),
        ("sent_bytes", "Bytes out of desktops by connections that have ended.", &out.sent),
        ("received_bytes", "Bytes into desktops by connections that have ended.", &out.received),
    ] {
        page.add(&format!("portcullis_egress_{name}_total"), "counter", help, &[], count.load(Ordering::Relaxed));
    }
}

struct Page(String);

impl Page {
    /// A line for each kind of detector and what came of what it found.
    fn findings(&mut self, findings: &Findings) {
        let name = "portcullis_contents_found_total";
        self.head(name, "counter", "Texts and files in which a detector found something, by what came of them.");
        for (detector, effect, count) in findings.counts() {
            let _ = writeln!(self.0, "{name}{{detector=\"{detector}\",effect=\"{effect}\"}} {count}");
        }
    }

    /// What became of texts or files, each way.
    fn crossings(&mut self, of: &str, counts: &Tally) {
        let ways = counts.read();
        let name = format!("portcullis_{of}s_total");
        self.head(&name, "counter", &format!("What became of {of}s that were to cross."));
        for Count { way, permitted, denied, .. } in ways {
            for (effect, count) in [("permit", permitted), ("deny", denied)] {
                let _ = writeln!(self.0, "{name}{{way=\"{way}\",effect=\"{effect}\"}} {count}");
            }
        }
        let name = format!("portcullis_{of}_bytes_total");
        self.head(&name, "counter", &format!("Bytes of {of}s that crossed."));
        for Count { way, bytes, .. } in ways {
            let _ = writeln!(self.0, "{name}{{way=\"{way}\"}} {bytes}");
        }
    }

    /// One family for each of [`OF_ALERTS`], with a line for each destination.
    fn alerts(&mut self, alerts: &[Standing]) {
        for (name, kind, help, value) in OF_ALERTS.iter().filter(|_| !alerts.is_empty()) {
            let name = format!("portcullis_alerts_{name}");
            self.head(&name, kind, help);
            for one in alerts {
                let _ = writeln!(self.0, "{name}{{alert=\"{}\"}} {}", escaped(&one.name), value(one));
            }
        }
    }

    fn add(&mut self, name: &str, kind: &str, help: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.head(name, kind, help);
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// What stands before a family's lines. Writing to a String does not fail, here and above.
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }
}

/// A label's value as the format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_destination_has_a_line_in_each_family() {
        let one = |name: &str, backlog| Standing {
            name: name.into(),
            delivered: 5,
            refused: 0,
            expired: 0,
            lost: 0,
            failures: 1,
            backlog,
            behind_seconds: 60,
            failing: true,
        };
        let mut page = Page(String::new());
        page.alerts(&[one("a", 7), one("b", 8)]);
        let family = "# TYPE portcullis_alerts_backlog gauge\nportcullis_alerts_backlog{alert=\"a\"} 7\nportcullis_alerts_backlog{alert=\"b\"} 8\n";
        assert!(page.0.contains(family) && page.0.contains("portcullis_alerts_failing{alert=\"b\"} 1\n"), "{}", page.0);
        let mut none = Page(String::new());
        none.alerts(&[]);
        assert_eq!(none.0, "");
    }

    #[test]
    fn values_stay_in_their_quotes() {
        let mut page = Page(String::new());
        page.add("a_total", "counter", "What.", &[("b", "x\"\\\ny")], 3);
        assert_eq!(page.0, "# HELP a_total What.\n# TYPE a_total counter\na_total{b=\"x\\\"\\\\\\ny\"} 3\n");
    }
}
