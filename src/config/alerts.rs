//! `[[alerts]]`: which events go where, as an operator writes it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use portcullis_alerts::{Choice, ChoiceError, Facility};
use portcullis_evidence::{Effect, TYPES};
use portcullis_policy::nearest;
use serde::Deserialize;

/// Destinations of one gate.
const MOST: usize = 16;
/// Characters of a name, which is a folder's too.
const MAX_NAME: usize = 63;
/// Days that an event may be waited with.
const MOST_DAYS: u64 = 3650;
/// Seconds that one try may take.
const MOST_SECONDS: u64 = 120;

/// One destination.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) struct Alert {
    pub(crate) name: String,
    pub(crate) choice: Choice,
    pub(crate) keep: Duration,
    pub(crate) to: To,
}

/// Where a destination is.
#[derive(Debug, Clone)]
pub(crate) enum To {
    Webhook(Webhook),
    Syslog(Syslog),
    Stdout,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    kinds: Vec<String>,
    #[serde(default)]
    effects: Vec<Effect>,
    #[serde(default = "week")]
    keep_days: u64,
    webhook: Option<Webhook>,
    syslog: Option<Syslog>,
    #[serde(default)]
    stdout: bool,
}

/// An HTTP receiver.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) secret_file: PathBuf,
    pub(crate) ca: Option<PathBuf>,
    #[serde(default = "ten")]
    pub(crate) timeout_seconds: u64,
}

/// A syslog receiver.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Syslog {
    pub(crate) address: String,
    #[serde(default)]
    pub(crate) tls: bool,
    pub(crate) ca: Option<PathBuf>,
    #[serde(default = "local0")]
    pub(crate) facility: String,
    pub(crate) hostname: Option<String>,
}

fn week() -> u64 {
    7
}

fn ten() -> u64 {
    10
}

fn local0() -> String {
    "local0".to_owned()
}

impl TryFrom<Written> for Alert {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { name, kinds, effects, keep_days, webhook, syslog, stdout } = written;
        if name.is_empty()
            || name.len() > MAX_NAME
            || !name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        {
            return Err(format!("`{name}` is no name of an alert: 1 to {MAX_NAME} of a-z, 0-9 and -"));
        }
        let choice = Choice::new(kinds, effects).map_err(|error| mended(&error))?;
        if !(1..=MOST_DAYS).contains(&keep_days) {
            return Err(format!("`keep_days` must be from 1 to {MOST_DAYS}"));
        }
        let to = match (webhook, syslog, stdout) {
            (Some(webhook), None, false) => To::Webhook(webhook),
            (None, Some(syslog), false) => To::Syslog(syslog),
            (None, None, true) => To::Stdout,
            _ => return Err(format!("the alert `{name}` needs exactly one of webhook, syslog and stdout = true")),
        };
        match &to {
            To::Webhook(webhook) if !(1..=MOST_SECONDS).contains(&webhook.timeout_seconds) => {
                return Err(format!("`timeout_seconds` must be from 1 to {MOST_SECONDS}"));
            }
            To::Webhook(webhook) if webhook.ca.is_some() && !webhook.url.starts_with("https:") => {
                return Err("`ca` is for an https URL".to_owned());
            }
            To::Syslog(syslog) if syslog.ca.is_some() && !syslog.tls => return Err("`ca` needs tls = true".to_owned()),
            To::Syslog(syslog) if Facility::named(&syslog.facility).is_none() => {
                let facility = &syslog.facility;
                return Err(format!("`{facility}` is no facility{}", meant(facility, Facility::names())));
            }
            _ => {}
        }
        let keep = Duration::from_secs(keep_days.saturating_mul(86_400));
        Ok(Self { name, choice, keep, to })
    }
}

/// The words of an error, with the kind that was probably meant.
fn mended(error: &ChoiceError) -> String {
    match error {
        ChoiceError::Unknown(kind) => format!("{error}{}", meant(kind, &TYPES)),
        ChoiceError::Empty => error.to_string(),
    }
}

fn meant(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None => format!("; there are {}", known.join(", ")),
    }
}

/// Refuses what cannot be together.
pub(super) fn check(alerts: &[Alert]) -> anyhow::Result<()> {
    if alerts.len() > MOST {
        bail!("`alerts` has more than {MOST} destinations");
    }
    let mut names: Vec<_> = alerts.iter().map(|alert| &alert.name).collect();
    names.sort_unstable();
    if let Some([twice, _]) = names.array_windows().find(|[one, other]| one == other) {
        bail!("the alert `{twice}` is there twice: give each its own name");
    }
    if alerts.iter().filter(|alert| matches!(alert.to, To::Stdout)).count() > 1 {
        bail!("two alerts have stdout = true: there is one standard output");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn read(text: &str) -> Result<Vec<Alert>, String> {
        let config = Config::parse(text).map_err(|error| error.to_string())?;
        check(&config.alerts).map_err(|error| error.to_string())?;
        Ok(config.alerts)
    }

    #[test]
    fn one_of_each() {
        let alerts = read(
            r#"
[[alerts]]
name = "soc"
kinds = ["paste", "session_*"]
effects = ["deny"]
keep_days = 2
webhook = { url = "https://soc.example.org/hook", secret_file = "/etc/secret", ca = "/etc/ca.pem" }
[[alerts]]
name = "log"
kinds = ["*"]
syslog = { address = "log.example.org", tls = true, facility = "audit" }
[[alerts]]
name = "out"
kinds = ["gap"]
stdout = true
"#,
        )
        .unwrap();
        assert_eq!(alerts.iter().map(|alert| alert.keep.as_secs() / 86_400).collect::<Vec<_>>(), [2, 7, 7]);
        assert!(matches!(&alerts[0].to, To::Webhook(webhook) if webhook.timeout_seconds == 10));
        assert!(read("").unwrap().is_empty(), "none unless they are written");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let stdout = "stdout = true";
        for (lines, words) in [
            (["kinds = [\"pate\"]", stdout], "line 3, column 11: `pate` is no kind of event; did you mean `paste`?"),
            (["kinds = []", stdout], "`kinds` is empty"),
            (["kinds = [\"x_*\"]", stdout], "`x_*` is no kind of event; there are session_opened"),
            (["kinds = [\"*\"]\neffects = [\"denied\"]", stdout], "line 4, column 13: unknown variant `denied`"),
            (["kinds = [\"*\"]", "colour = 1"], "line 4, column 1: unknown field `colour`"),
            (
                ["kinds = [\"*\"]", "webhook = {url = \"http://a\", secret = \"x\"}"],
                "line 4, column 30: unknown field `secret`",
            ),
            (["kinds = [\"*\"]", "syslog = {address = \"a\", facility = \"locl0\"}"], "did you mean `local0`?"),
            (["kinds = [\"*\"]", "syslog = {address = \"a\", ca = \"/x\"}"], "`ca` needs tls = true"),
            (["kinds = [\"*\"]", "stdout = false"], "exactly one of webhook, syslog and stdout"),
            (["kinds = [\"*\"]\nkeep_days = 0", stdout], "line 4, column 1: `keep_days` must be"),
            (["kinds = [\"*\"]", ""], "exactly one of"),
        ] {
            let error = read(&format!("[[alerts]]\nname = \"a\"\n{}\n", lines.join("\n"))).unwrap_err();
            assert!(error.contains(words), "{lines:?}: {error}");
        }
        let one = "[[alerts]]\nname = \"a\"\nkinds = [\"*\"]\nstdout = true\n";
        assert!(read(&one.repeat(2)).unwrap_err().contains("`a` is there twice"));
        assert!(read(&format!("{one}{}", one.replace("\"a\"", "\"b\""))).unwrap_err().contains("one standard output"));
        assert!(read(&one.replace("\"a\"", "\"../a\"")).unwrap_err().contains("no name of an alert"));
    }
}
