//! What is asked: a subject, a desktop and an action on it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The person or program that a verified token or sign-in names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// The name, unique for its issuer only (JWT claim `sub`).
    pub name: String,
    /// The groups that the issuer vouches for.
    pub groups: Vec<String>,
    /// Who vouches for the name and the groups (JWT claim `iss`).
    pub issuer: String,
}

/// One thing that a subject wants to do to a desktop, with the measures that limits are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Start or join a session on the desktop.
    Open,
    /// See the pixels.
    Watch,
    /// Use keyboard and pointer.
    Control,
    /// Text from the browser into the desktop's clipboard.
    Paste {
        /// Length of the text in bytes of UTF-8; 0 asks whether pasting is permitted at all.
        bytes: u64,
    },
    /// Text from the desktop's clipboard to the browser.
    Copy {
        /// Length of the text in bytes of UTF-8; 0 asks whether copying is permitted at all.
        bytes: u64,
    },
    /// Change the desktop's size.
    Resize {
        /// Pixels.
        width: u16,
        /// Pixels.
        height: u16,
    },
}

impl Action {
    /// Which kind of action this is.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Open => ActionKind::Open,
            Self::Watch => ActionKind::Watch,
            Self::Control => ActionKind::Control,
            Self::Paste { .. } => ActionKind::Paste,
            Self::Copy { .. } => ActionKind::Copy,
            Self::Resize { .. } => ActionKind::Resize,
        }
    }

    /// How many bytes would cross, for the actions that carry any.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::Paste { bytes } | Self::Copy { bytes } => Some(*bytes),
            Self::Open | Self::Watch | Self::Control | Self::Resize { .. } => None,
        }
    }
}

/// The kinds of action that a policy file can allow or deny, by the names it uses for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// `open`
    Open,
    /// `watch`
    Watch,
    /// `control`
    Control,
    /// `paste`
    Paste,
    /// `copy`
    Copy,
    /// `resize`
    Resize,
}

impl ActionKind {
    /// Every kind, in the order in which it is shown to people.
    pub const ALL: [Self; 6] = [Self::Open, Self::Watch, Self::Control, Self::Paste, Self::Copy, Self::Resize];

    /// The word in policy files, events and reasons.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Watch => "watch",
            Self::Control => "control",
            Self::Paste => "paste",
            Self::Copy => "copy",
            Self::Resize => "resize",
        }
    }

    /// The kind with this name in a policy file.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The keys of `allow` that permit this kind, the most direct first.
    ///
    /// Who may control a desktop may see it, and who may see or control it may open it: `open` is allowed by `open`,
    /// `watch` or `control`, and `watch` by `watch` or `control`. Nothing else implies anything.
    pub fn allowed_by(self) -> &'static [Self] {
        match self {
            Self::Open => &[Self::Open, Self::Watch, Self::Control],
            Self::Watch => &[Self::Watch, Self::Control],
            Self::Control => &[Self::Control],
            Self::Paste => &[Self::Paste],
            Self::Copy => &[Self::Copy],
            Self::Resize => &[Self::Resize],
        }
    }

    /// The kinds whose denial denies this kind, itself first.
    ///
    /// Every action needs an open session, and nobody controls what they may not see: a denied `open` denies all,
    /// a denied `watch` denies `control` too.
    pub fn denied_with(self) -> &'static [Self] {
        match self {
            Self::Open => &[Self::Open],
            Self::Watch => &[Self::Watch, Self::Open],
            Self::Control => &[Self::Control, Self::Watch, Self::Open],
            Self::Paste => &[Self::Paste, Self::Open],
            Self::Copy => &[Self::Copy, Self::Open],
            Self::Resize => &[Self::Resize, Self::Open],
        }
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One question to a [`crate::PolicySet`].
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub subject: &'a Subject,
    /// The desktop's name in the configuration.
    pub desktop: &'a str,
    /// What they want to do.
    pub action: Action,
}
