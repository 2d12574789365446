//! What a desktop is made from: its names for people, its size, and what to start.

mod container;
mod process;
mod ready;

use portcullis_rfb::Size;
use serde::Deserialize;

use self::process::{MAX_PROGRAMS, MAX_WORDS_OF_COMMAND};
use super::home::KeptHome;
use super::reach::Reach;
use super::room::Cost;
use super::standing::Static;

pub use container::Docker;
pub use process::Process;
pub use ready::{OnExit, Warm};

/// Most characters in a template's name.
const MAX_NAME: usize = 63;
/// Most characters in a title, a description, an icon's name.
const MAX_WORDS: usize = 400;
/// Why a desktop that stands already has none of what is for desktops that are started.
const STANDS: &str = "it stands already: the gate neither starts it nor is around it";
/// The smallest and the largest screen (RFB.md's bound on a framebuffer).
const SMALLEST: Size = Size { width: 64, height: 64 };
const LARGEST: Size = Size { width: 3840, height: 2160 };

/// One desktop that people may open, as configured; see `TryFrom` for what is refused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Template {
    /// Its name in policies, tokens and URLs: `[a-z0-9-]`, 1 to 63 characters.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// A sentence about it, possibly empty.
    pub description: String,
    /// The name of the picture beside it, possibly empty.
    pub icon: String,
    /// Pixels of the screen to begin with.
    pub size: Size,
    /// Which runtime starts it, and with what.
    pub kind: TemplateKind,
    /// How far it reaches, where no policy says less.
    pub egress: Reach,
    /// What stands ready before anybody asks.
    pub warm: Warm,
    /// What follows when it ends although its session goes on.
    pub on_exit: OnExit,
    /// The home that it has from an earlier session, where policy keeps it. No file says so.
    pub home: Option<KeptHome>,
}

impl Template {
    /// What one desktop of it takes of the machine, as far as that is bounded.
    #[must_use]
    pub fn cost(&self) -> Cost {
        match &self.kind {
            TemplateKind::Docker(docker) => {
                Cost { memory_mib: docker.memory_mib.into(), cpu_percent: docker.cpu_percent.into() }
            }
            TemplateKind::Process(_) | TemplateKind::Static(_) => Cost::default(),
        }
    }
}

impl Template {
    /// The template where policy permits no more than `reach`: without this machine's network if it has that.
    ///
    /// # Errors
    /// When the gate is not around the desktop and so cannot hold it to anything less than `allow`.
    pub(crate) fn held_to(mut self, reach: Option<Reach>) -> Result<Self, &'static str> {
        let Some(reach) = reach.filter(|reach| *reach < Reach::Allow) else { return Ok(self) };
        match &mut self.kind {
            TemplateKind::Static(_) => Err("what this desktop reaches is not in the gate's hands: it stands already"),
            TemplateKind::Process(process) if process.network => {
                process.network = false;
                self.egress = reach;
                Ok(self)
            }
            TemplateKind::Process(_) | TemplateKind::Docker(_) => Ok(self),
        }
    }

    /// The template where policy keeps homes. What stands already keeps whatever it keeps.
    ///
    /// # Errors
    /// When a home of this template cannot outlive its desktop.
    pub(crate) fn keeping(self, home: KeptHome) -> Result<Self, &'static str> {
        match &self.kind {
            TemplateKind::Docker(docker) if docker.home_executable => Ok(Self { home: Some(home), ..self }),
            TemplateKind::Docker(_) => Err(
                "homes are kept of desktops with `home_executable = true` alone: on a disk, programs in them can be run",
            ),
            TemplateKind::Process(_) => Err("homes are kept of desktops in containers alone"),
            TemplateKind::Static(_) => Ok(self),
        }
    }
}

/// Which runtime starts a desktop, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateKind {
    /// Programs of this machine.
    Process(Process),
    /// A container of a Docker Engine.
    Docker(Docker),
    /// A VNC server that runs already.
    Static(Static),
}

impl TemplateKind {
    /// The name of the runtime that starts it.
    #[must_use]
    pub fn runtime(&self) -> &'static str {
        match self {
            Self::Process(_) => "process",
            Self::Docker(_) => "docker",
            Self::Static(_) => "static",
        }
    }

    /// Whether it has a network that is not the gate's to take.
    #[must_use]
    pub fn has_network(&self) -> bool {
        match self {
            Self::Process(process) => process.network,
            Self::Docker(_) => false,
            Self::Static(_) => true,
        }
    }

    /// Whether its desktops have a folder for files: those that the gate did not start have none.
    #[must_use]
    pub fn has_folder(&self) -> bool {
        !matches!(self, Self::Static(_))
    }

    /// Whether one session at a time may have it: what is not started for a session is one and the same for all.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        matches!(self, Self::Static(fixed) if !fixed.shared)
    }
}

/// Why a template is refused; the message says how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The name has other characters, is empty or too long.
    #[error("desktop name `{0}`: 1 to {MAX_NAME} of a-z, 0-9 and `-`, and a letter or digit first")]
    Name(String),
    /// A text for people is too long or holds control characters.
    #[error("desktop `{name}`: `{key}` holds control characters or more than {MAX_WORDS} characters")]
    Words {
        /// The template.
        name: String,
        /// The key.
        key: &'static str,
    },
    /// The size is not written as WIDTHxHEIGHT or out of bounds.
    #[error(
        "desktop `{name}`: size `{size}` is not WIDTHxHEIGHT between {}x{} and {}x{}",
        SMALLEST.width, SMALLEST.height, LARGEST.width, LARGEST.height
    )]
    Size {
        /// The template.
        name: String,
        /// What was written.
        size: String,
    },
    /// Not exactly one of `process`, `docker` and `static`.
    #[error("desktop `{0}`: give exactly one of `process`, `docker` and `static`")]
    Kind(String),
    /// A command line is empty or too long, holds NUL, or there are too many of them.
    #[error("desktop `{0}`: at most {MAX_PROGRAMS} programs, each with 1 to {MAX_WORDS_OF_COMMAND} words without NUL")]
    Programs(String),
    /// A key does not go with the rest.
    #[error("desktop `{name}`: `{key}`: {reason}")]
    Whole {
        /// The template.
        name: String,
        /// The key.
        key: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// A limit of a container is zero, or the image is empty.
    #[error("desktop `{name}`: `{key}` must not be {reason}")]
    Docker {
        /// The template.
        name: String,
        /// The key.
        key: &'static str,
        /// What it must not be.
        reason: &'static str,
    },
}

/// A template as it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    icon: String,
    #[serde(default = "Written::default_size")]
    size: String,
    process: Option<Process>,
    docker: Option<Docker>,
    #[serde(rename = "static")]
    fixed: Option<Static>,
    #[serde(default)]
    egress: Reach,
    #[serde(default)]
    warm: Warm,
    #[serde(default)]
    on_exit: OnExit,
}

impl Written {
    fn default_size() -> String {
        "1280x800".to_owned()
    }
}

impl TryFrom<Written> for Template {
    type Error = TemplateError;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { name, title, description, icon, size, process, docker, fixed, egress, warm, on_exit } = written;
        if !is_name(&name) {
            return Err(TemplateError::Name(name.chars().take(MAX_NAME).collect()));
        }
        for (key, words) in [("title", &title), ("description", &description), ("icon", &icon)] {
            if words.chars().count() > MAX_WORDS || words.chars().any(char::is_control) {
                return Err(TemplateError::Words { name, key });
            }
        }
        let Some(size) = parse_size(&size) else { return Err(TemplateError::Size { name, size }) };
        let kind = match (process, docker, fixed) {
            (Some(process), None, None) => TemplateKind::Process(process::checked(&name, process)?),
            (None, Some(docker), None) => TemplateKind::Docker(container::checked(&name, docker)?),
            (None, None, Some(fixed)) => TemplateKind::Static(fixed),
            _ => return Err(TemplateError::Kind(name)),
        };
        let whole = |key, reason| Err(TemplateError::Whole { name: name.clone(), key, reason });
        match &kind {
            TemplateKind::Static(_) if egress.is_open() => return whole("egress", STANDS),
            TemplateKind::Static(_) if warm != Warm::default() => return whole("warm", STANDS),
            TemplateKind::Static(_) if on_exit != OnExit::End => return whole("on_exit", STANDS),
            TemplateKind::Process(process) if process.network && egress.is_open() => {
                return whole("egress", "with `network = true` it has this machine's network already");
            }
            TemplateKind::Process(_) if warm.paused => return whole("warm.paused", "only containers can be paused"),
            _ => {}
        }
        if let Some(reason) = warm.fault() {
            return whole("warm", reason);
        }
        let title = if title.is_empty() { name.clone() } else { title };
        Ok(Self { name, title, description, icon, size, kind, egress, warm, on_exit, home: None })
    }
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= MAX_NAME && name.starts_with(plain) && name.chars().all(|c| plain(c) || c == '-')
}

fn parse_size(text: &str) -> Option<Size> {
    let (width, height) = text.split_once('x')?;
    let size = Size { width: width.parse().ok()?, height: height.parse().ok()? };
    let fits = (SMALLEST.width..=LARGEST.width).contains(&size.width)
        && (SMALLEST.height..=LARGEST.height).contains(&size.height);
    fits.then_some(size)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<Template, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    fn check(value: Value, refusal: &str) {
        let error = read(value.clone()).expect_err(&value.to_string());
        assert!(error.contains(refusal), "{value}: {error}");
    }

    #[test]
    fn what_is_not_written_has_a_default() {
        let template = read(json!({"name": "term-1", "process": {"programs": [["xterm"]]}})).unwrap();
        assert_eq!((template.title.as_str(), template.size), ("term-1", Size { width: 1280, height: 800 }));
        let TemplateKind::Process(process) = template.kind else { panic!("not a process") };
        assert!(!process.network && process.user.is_none());

        let template = read(json!({"name": "d", "size": "3840x2160", "docker": {"image": "a/b@sha256:00"}})).unwrap();
        let TemplateKind::Docker(docker) = template.kind else { panic!("not docker") };
        assert_eq!((docker.memory_mib, docker.cpu_percent, docker.pids), (1024, 100, 300));
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        check(json!({"name": "a", "sise": "1x1", "process": {"programs": []}}), "unknown field `sise`");
        check(json!({"name": "a", "process": {"programs": [], "shell": true}}), "unknown field `shell`");
        check(json!({"name": "a", "docker": {"image": "i", "privileged": true}}), "unknown field `privileged`");
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_way_to_mend_it() {
        let process = json!({"programs": []});
        for name in ["", "-a", "A", "a/b", "..", "a b", &"a".repeat(64)] {
            check(json!({"name": name, "process": process}), "1 to 63 of a-z, 0-9");
        }
        for size in ["", "1280", "1280x", "x800", "63x64", "3841x100", "100x2161", "1280x800x2", "99999x1", "-1x800"] {
            check(
                json!({"name": "a", "size": size, "process": process}),
                "not WIDTHxHEIGHT between 64x64 and 3840x2160",
            );
        }
        check(json!({"name": "a", "title": "a\u{1b}[0m", "process": process}), "`title` holds control characters");
        check(json!({"name": "a"}), "exactly one of `process`, `docker` and `static`");
        check(json!({"name": "a", "process": process, "docker": {"image": "i"}}), "exactly one of");
        let fixed = json!({"address": "unix:/a", "security": "none"});
        check(json!({"name": "a", "process": process, "static": fixed}), "exactly one of");
        for programs in [json!([[]]), json!([[""]]), json!([["a\0b"]]), json!(vec![["a"]; 17])] {
            check(json!({"name": "a", "process": {"programs": programs}}), "at most 16 programs");
        }
        check(json!({"name": "a", "docker": {"image": ""}}), "`image` must not be empty");
        check(json!({"name": "a", "docker": {"image": "i", "pids": 0}}), "`pids` must not be zero");
        check(json!({"name": "a", "process": {"programs": [], "pids": 15}}), "`process.pids`: fewer than 16");
        check(json!({"name": "a", "docker": {"image": "i", "runtime": "a b"}}), "`runtime` must not be anything but");
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let docker = json!({"image": "i"});
        let fixed = json!({"address": "unix:/a", "security": "none"});
        for (key, value) in [("egress", json!("proxy")), ("warm", json!({"count": 1})), ("on_exit", json!("restart"))] {
            check(json!({"name": "a", "static": fixed, key: value}), "it stands already");
        }
        let networked = json!({"programs": [], "network": true});
        check(json!({"name": "a", "process": networked, "egress": "allow"}), "this machine's network already");
        let paused = json!({"count": 1, "paused": true});
        check(json!({"name": "a", "process": {"programs": []}, "warm": paused}), "only containers can be paused");
        check(json!({"name": "a", "docker": docker, "warm": {"count": 3, "most": 2}}), "`count` is at most `most`");
        check(json!({"name": "a", "docker": docker, "warm": {"most": 2}}), "say `count` too");
        check(json!({"name": "a", "docker": docker, "egress": "all"}), "unknown variant `all`");
        let template = read(json!({"name": "a", "docker": docker, "egress": "proxy", "warm": {"count": 2}})).unwrap();
        assert_eq!((template.egress, template.warm.count, template.on_exit), (Reach::Proxy, 2, OnExit::End));
    }
}
