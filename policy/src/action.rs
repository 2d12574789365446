//! What can be done to a desktop, by the names that policy files use.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::values::Word;

/// One thing that a subject wants to do to a desktop, with the measures that limits are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Start or join a session on the desktop.
    Open,
    /// See the pixels.
    Watch,
    /// Use keyboard and pointer.
    Control,
    /// Use the keyboard.
    Key,
    /// Use the pointer.
    Pointer,
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
    /// A file into the desktop.
    Upload {
        /// Length of the file in bytes; 0 asks whether files are permitted at all.
        bytes: u64,
    },
    /// A file out of the desktop.
    Download {
        /// Length of the file in bytes; 0 asks whether files are permitted at all.
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
            Self::Key => ActionKind::Key,
            Self::Pointer => ActionKind::Pointer,
            Self::Paste { .. } => ActionKind::Paste,
            Self::Copy { .. } => ActionKind::Copy,
            Self::Upload { .. } => ActionKind::Upload,
            Self::Download { .. } => ActionKind::Download,
            Self::Resize { .. } => ActionKind::Resize,
        }
    }

    /// How many bytes would cross, for the actions that carry any.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::Paste { bytes } | Self::Copy { bytes } | Self::Upload { bytes } | Self::Download { bytes } => {
                Some(*bytes)
            }
            Self::Open | Self::Watch | Self::Control | Self::Key | Self::Pointer | Self::Resize { .. } => None,
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
    /// `key`
    Key,
    /// `pointer`
    Pointer,
    /// `paste`
    Paste,
    /// `copy`
    Copy,
    /// `upload`
    Upload,
    /// `download`
    Download,
    /// `resize`
    Resize,
}

impl ActionKind {
    /// Every kind, in the order in which it is shown to people.
    pub const ALL: [Self; 10] = [
        Self::Open,
        Self::Watch,
        Self::Control,
        Self::Key,
        Self::Pointer,
        Self::Paste,
        Self::Copy,
        Self::Upload,
        Self::Download,
        Self::Resize,
    ];

    /// The word in policy files, events and reasons.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Watch => "watch",
            Self::Control => "control",
            Self::Key => "key",
            Self::Pointer => "pointer",
            Self::Paste => "paste",
            Self::Copy => "copy",
            Self::Upload => "upload",
            Self::Download => "download",
            Self::Resize => "resize",
        }
    }

    /// The kind with this name in a policy file.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether actions of this kind carry contents across.
    pub fn has_contents(self) -> bool {
        self.at_all().bytes().is_some()
    }

    /// The action of this kind that is judged at its smallest: whether it is permitted at all.
    pub fn at_all(self) -> Action {
        match self {
            Self::Open => Action::Open,
            Self::Watch => Action::Watch,
            Self::Control => Action::Control,
            Self::Key => Action::Key,
            Self::Pointer => Action::Pointer,
            Self::Paste => Action::Paste { bytes: 0 },
            Self::Copy => Action::Copy { bytes: 0 },
            Self::Upload => Action::Upload { bytes: 0 },
            Self::Download => Action::Download { bytes: 0 },
            Self::Resize => Action::Resize { width: 1, height: 1 },
        }
    }

    /// The action of this kind that carries so many bytes, if it carries any.
    pub fn carrying(self, bytes: u64) -> Action {
        match self.at_all() {
            Action::Paste { .. } => Action::Paste { bytes },
            Action::Copy { .. } => Action::Copy { bytes },
            Action::Upload { .. } => Action::Upload { bytes },
            Action::Download { .. } => Action::Download { bytes },
            other => other,
        }
    }

    /// The keys of `allow` that permit this kind, the most direct first.
    ///
    /// Who may control a desktop may see it and has both keyboard and pointer, and who may see or control it may open it: `open` is
    /// allowed by `open`, `watch` or `control`, `watch` by `watch` or `control`, `key` and `pointer` by themselves or `control`. Nothing
    /// else implies anything.
    pub fn allowed_by(self) -> &'static [Self] {
        match self {
            Self::Open => &[Self::Open, Self::Watch, Self::Control],
            Self::Watch => &[Self::Watch, Self::Control],
            Self::Control => &[Self::Control],
            Self::Key => &[Self::Key, Self::Control],
            Self::Pointer => &[Self::Pointer, Self::Control],
            Self::Paste => &[Self::Paste],
            Self::Copy => &[Self::Copy],
            Self::Upload => &[Self::Upload],
            Self::Download => &[Self::Download],
            Self::Resize => &[Self::Resize],
        }
    }

    /// The kinds whose denial denies this kind, itself first.
    ///
    /// Every action needs an open session, and nobody controls what they may not see: a denied `open` denies all, a denied `watch` denies
    /// `control`, and with it keyboard and pointer. Control is both: denying either denies what needs both, and leaves the other.
    pub fn denied_with(self) -> &'static [Self] {
        match self {
            Self::Open => &[Self::Open],
            Self::Watch => &[Self::Watch, Self::Open],
            Self::Control => &[Self::Control, Self::Key, Self::Pointer, Self::Watch, Self::Open],
            Self::Key => &[Self::Key, Self::Control, Self::Watch, Self::Open],
            Self::Pointer => &[Self::Pointer, Self::Control, Self::Watch, Self::Open],
            Self::Paste => &[Self::Paste, Self::Open],
            Self::Copy => &[Self::Copy, Self::Open],
            Self::Upload => &[Self::Upload, Self::Open],
            Self::Download => &[Self::Download, Self::Open],
            Self::Resize => &[Self::Resize, Self::Open],
        }
    }
}

impl Word for ActionKind {
    const WHAT: &'static str = "an action";
    const WORDS: &'static [&'static str] =
        &["open", "watch", "control", "key", "pointer", "paste", "copy", "upload", "download", "resize"];

    fn from_word(word: &str) -> Option<Self> {
        Self::from_name(word)
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
