//! What a session owes because of policy: the strictest of all that the applying policies ask, each value with the rule that asks it.

mod files;
mod listed;

use crate::values::{
    Chord, Egress, Home, Kept, KeyLog, Lock, Mask, MediaPattern, Mode, Rate, Region, Scanner, ScreenText, Size, Span,
    TypedPaste, Watermark,
};
use crate::{PolicySet, Rule, Situation};

pub use files::FileLimits;
pub use listed::Obligation;

/// A value with the rule that asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub rule: Rule,
}

/// All that a session owes; what no policy asks is `None` or empty, and the gate's own configuration decides it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Obligations {
    /// How long it lasts.
    pub session: SessionRules,
    /// How keyboard and pointer are used.
    pub input: InputRules,
    /// What is seen of the desktop.
    pub screen: ScreenRules,
    /// What is kept of it.
    pub recording: RecordingRules,
    /// What the desktop itself may do.
    pub desktop: DesktopRules,
}

/// How long a session lasts, and how many there are. Less is stricter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionRules {
    /// From its start to its end.
    pub longest: Option<Stated<Span>>,
    /// Without input.
    pub idle: Option<Stated<Span>>,
    /// Without a viewer.
    pub reconnect: Option<Stated<Span>>,
    /// Before the end, when viewers are told of it. More is stricter.
    pub warning: Option<Stated<Span>>,
    /// Sessions of one subject at once.
    pub concurrent: Option<Stated<u32>>,
    /// Viewers of a session at once.
    pub viewers: Option<Stated<u32>>,
}

/// How keyboard and pointer are used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InputRules {
    /// Keys pressed, on average. Less is stricter.
    pub keys: Option<Stated<Rate>>,
    /// Pointer events, on average. Less is stricter.
    pub pointer: Option<Stated<Rate>>,
    /// What is done when keys come as only a program types them.
    pub typed_paste: Option<Stated<TypedPaste>>,
    /// Chords that do not reach the desktop: all that any policy names.
    pub blocked_chords: Vec<Stated<Chord>>,
}

/// What is seen of the desktop.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScreenRules {
    /// Pictures a second. Less is stricter.
    pub max_fps: Option<Stated<u32>>,
    /// The widest screen, in pixels: the narrowest `max_size`.
    pub max_width: Option<Stated<u16>>,
    /// The highest screen, in pixels: the lowest `max_size`.
    pub max_height: Option<Stated<u16>>,
    /// What is drawn over it: all that any policy asks.
    pub watermarks: Vec<Stated<Watermark>>,
    /// What is blacked out: all that any policy asks.
    pub masks: Vec<Stated<Mask>>,
    /// What alone is not blacked out: only what all of them show.
    pub visible: Vec<Stated<Region>>,
}

/// What is kept of a session. More is stricter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordingRules {
    /// What happens when it cannot be recorded; always there in what a set asks, [`Obligations::mode`].
    pub mode: Option<Stated<Mode>>,
    /// What of the keyboard is on the record; always there in what a set asks, [`Obligations::key_log`].
    pub keys: Option<Stated<KeyLog>>,
    /// How long it is kept at least.
    pub keep: Option<Stated<Span>>,
    /// How it is locked in the vault.
    pub lock: Option<Stated<Lock>>,
    /// What is read off its pictures.
    pub text: Option<Stated<ScreenText>>,
}

/// What the desktop itself may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DesktopRules {
    /// What it may reach.
    pub egress: Option<Stated<Egress>>,
    /// What becomes of its home.
    pub home: Option<Stated<Home>>,
}

/// Limits of an action that is allowed: those of all applying policies that allow it hold together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// The most that may cross at once.
    pub max_bytes: Option<Stated<Size>>,
    /// How often in a minute.
    pub per_minute: Option<Stated<u32>>,
    /// The most that may cross in a minute, on average.
    pub bytes_per_minute: Option<Stated<Size>>,
    /// The most that may cross in a session.
    pub bytes_per_session: Option<Stated<Size>>,
    /// What is kept of it.
    pub keep: Option<Stated<Kept>>,
    /// Media types of files: each list must hold the file's.
    pub types: Vec<Stated<Vec<MediaPattern>>>,
    /// What scans a file before it crosses.
    pub scan: Option<Stated<Scanner>>,
    /// What else is asked of files.
    pub files: FileLimits,
}

impl PolicySet {
    /// What a session in this situation owes.
    pub fn obligations(&self, situation: &Situation<'_>) -> Obligations {
        let mut all = Obligations::default();
        // In the order of files: of equally strict ones the first is named, so that the rule does not depend on chance.
        for policy in self.possible(situation) {
            all.add(&policy.asks);
        }
        let recording = &mut all.recording;
        recording.mode.get_or_insert_with(|| Stated { value: Mode::Strict, rule: Rule::default_for("recording.mode") });
        recording
            .keys
            .get_or_insert_with(|| Stated { value: KeyLog::Counts, rule: Rule::default_for("recording.keys") });
        all
    }
}

impl Obligations {
    /// What happens when the session cannot be recorded: strict where no policy says.
    pub fn mode(&self) -> Mode {
        self.recording.mode.as_ref().map_or(Mode::Strict, |mode| mode.value)
    }

    /// What of the keyboard is on the record: counts where no policy says.
    pub fn key_log(&self) -> KeyLog {
        self.recording.keys.as_ref().map_or(KeyLog::Counts, |keys| keys.value)
    }

    /// Whether the text on the screen is read once the recording is sealed: not where no policy says.
    pub fn reads_text(&self) -> bool {
        self.recording.text.as_ref().is_some_and(|text| text.value == ScreenText::Read)
    }

    /// Owes this too. Adding is associative, and what is there already stays unless the other is stricter.
    pub(crate) fn add(&mut self, other: &Self) {
        let (mine, theirs) = (&mut self.session, &other.session);
        least(&mut mine.longest, &theirs.longest);
        least(&mut mine.idle, &theirs.idle);
        least(&mut mine.reconnect, &theirs.reconnect);
        most(&mut mine.warning, &theirs.warning);
        least(&mut mine.concurrent, &theirs.concurrent);
        least(&mut mine.viewers, &theirs.viewers);
        let (mine, theirs) = (&mut self.input, &other.input);
        least(&mut mine.keys, &theirs.keys);
        least(&mut mine.pointer, &theirs.pointer);
        most(&mut mine.typed_paste, &theirs.typed_paste);
        every(&mut mine.blocked_chords, &theirs.blocked_chords);
        let (mine, theirs) = (&mut self.screen, &other.screen);
        least(&mut mine.max_fps, &theirs.max_fps);
        least(&mut mine.max_width, &theirs.max_width);
        least(&mut mine.max_height, &theirs.max_height);
        every(&mut mine.watermarks, &theirs.watermarks);
        every(&mut mine.masks, &theirs.masks);
        every(&mut mine.visible, &theirs.visible);
        let (mine, theirs) = (&mut self.recording, &other.recording);
        most(&mut mine.mode, &theirs.mode);
        most(&mut mine.keys, &theirs.keys);
        most(&mut mine.keep, &theirs.keep);
        most(&mut mine.lock, &theirs.lock);
        most(&mut mine.text, &theirs.text);
        most(&mut self.desktop.egress, &other.desktop.egress);
        most(&mut self.desktop.home, &other.desktop.home);
    }
}

impl Limits {
    /// Holds these limits too.
    pub(crate) fn add(&mut self, other: &Self) {
        least(&mut self.max_bytes, &other.max_bytes);
        least(&mut self.per_minute, &other.per_minute);
        least(&mut self.bytes_per_minute, &other.bytes_per_minute);
        least(&mut self.bytes_per_session, &other.bytes_per_session);
        most(&mut self.keep, &other.keep);
        every(&mut self.types, &other.types);
        most(&mut self.scan, &other.scan);
        self.files.add(&other.files);
    }
}

fn least<T: Ord + Clone>(mine: &mut Option<Stated<T>>, theirs: &Option<Stated<T>>) {
    stricter(mine, theirs, |theirs, mine| theirs < mine);
}

fn most<T: Ord + Clone>(mine: &mut Option<Stated<T>>, theirs: &Option<Stated<T>>) {
    stricter(mine, theirs, |theirs, mine| theirs > mine);
}

fn stricter<T: Clone>(mine: &mut Option<Stated<T>>, theirs: &Option<Stated<T>>, than: fn(&T, &T) -> bool) {
    if let Some(new) = theirs
        && mine.as_ref().is_none_or(|old| than(&new.value, &old.value))
    {
        *mine = Some(new.clone());
    }
}

fn every<T: Clone + PartialEq>(mine: &mut Vec<Stated<T>>, theirs: &[Stated<T>]) {
    for new in theirs {
        if !mine.iter().any(|old| old.value == new.value) {
            mine.push(new.clone());
        }
    }
}
