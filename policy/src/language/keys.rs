//! The table of keys: each key of the language, what it takes, what it means, and whether this version of the gate enforces it.
//!
//! Readers take names and bounds from here, the published schema is made from here, and whoever makes the gate enforce a key says so here.

use crate::values::{
    Archives, Clicks, Egress, Home, Kept, KeyLog, Layout, Lock, MAX_TEMPLATE, MaskedRecord, Metadata, Mode, Quarantine,
    Scanner, ScreenText, Size, Span, Then, TypedPaste, Word,
};

/// One key of the language.
#[derive(Debug)]
pub struct Key {
    /// The keys that lead to it, such as `allow.paste.max_bytes`; `[]` stands for the entries of a list.
    pub path: &'static str,
    /// What it means, in one sentence.
    pub means: &'static str,
    /// Whether this version of the gate enforces it; if not, the gate refuses files that use it.
    pub enforced: bool,
    /// What stands there.
    pub(crate) shape: Shape,
}

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// A map with the keys below; the empty map where there are none.
    Map,
    /// A list of such maps.
    Maps,
    /// A text that is a watermark's template, or a map with the keys below.
    MapOrTemplate,
    /// A name.
    Name,
    /// A list of names that are compared exactly.
    Names,
    /// A list of globs.
    Globs,
    /// A list of networks.
    Networks,
    /// Hours of the week, or a list of them.
    Hours,
    /// A list of words.
    Words(&'static [&'static str]),
    /// A word.
    Word(&'static [&'static str]),
    /// A list of detectors.
    Detectors,
    /// A list of media types.
    Types,
    /// A list of extensions.
    Extensions,
    /// A list of chords.
    Chords,
    /// A size of 1 byte at least.
    Size { most: Size },
    /// A span of time.
    Span { least: Span, most: Span },
    /// A rate of at least 1 an hour.
    Rate,
    /// A whole number.
    Count { least: u32, most: u32 },
    /// Width and height in pixels.
    Screen,
    /// Pixels, or percent of the screen.
    Extent,
    /// A watermark's template.
    Template { most: usize },
    /// A percentage of at least 1.
    Percent,
    /// A colour.
    Colour,
    /// An IANA time zone.
    Zone,
}

/// The largest text that the clipboard carries.
const MOST_TEXT: Shape = Shape::Size { most: Size::of(1 << 30) };
/// The largest file.
const MOST_FILE: Shape = Shape::Size { most: Size::of(1 << 40) };
/// Times in a minute.
const OFTEN: Shape = Shape::Count { least: 1, most: 6000 };
/// A second to a year, as sessions go.
const LIVED: Shape = Shape::Span { least: Span::seconds(1), most: Span::seconds(366 * 86_400) };

const fn key(path: &'static str, shape: Shape, means: &'static str) -> Key {
    Key { path, means, enforced: true, shape }
}

/// A key that the language has and this version of the gate does not enforce.
#[allow(dead_code, reason = "this version enforces every key; the next key of the language may be ahead of it")]
const fn later(path: &'static str, shape: Shape, means: &'static str) -> Key {
    Key { path, means, enforced: false, shape }
}

/// Every key, a map before what stands in it.
static KEYS: &[Key] = &[
    key("policy", Shape::Name, "The policy's name, unique among all files."),
    key("applies", Shape::Map, "Whom it is for: all conditions must hold, and an empty map is for everybody."),
    key(
        "applies.users",
        Shape::Names,
        "Names of subjects, compared exactly; add issuers where several vouch for names.",
    ),
    key("applies.groups", Shape::Names, "Groups, compared exactly; the subject must be in one of them."),
    key("applies.issuers", Shape::Names, "Who vouches for the subject: the `iss` of its token, compared exactly."),
    key("applies.desktops", Shape::Globs, "Desktops by name; * stands for any characters, ? for one."),
    key("applies.networks", Shape::Networks, "Networks that the subject's connection comes from, in CIDR notation."),
    key(
        "applies.hours",
        Shape::Hours,
        "Hours of the week in a time zone; times that end before they begin end on the next day.",
    ),
    key("allow", Shape::Map, "What is allowed, with its limits; the limits of all applying policies hold together."),
    key("allow.open", Shape::Map, "Start or join a session; `watch` and `control` allow it too."),
    key("allow.watch", Shape::Map, "See the pixels; `control` allows it too."),
    key("allow.control", Shape::Map, "Keyboard and pointer, and seeing what they do."),
    key("allow.key", Shape::Map, "The keyboard alone."),
    key("allow.pointer", Shape::Map, "The pointer alone."),
    key("allow.paste", Shape::Map, "Text from the browser into the desktop's clipboard."),
    key("allow.paste.max_bytes", MOST_TEXT, "The longest text, in bytes of UTF-8."),
    key("allow.paste.per_minute", OFTEN, "Texts in a minute."),
    key("allow.paste.bytes_per_minute", MOST_FILE, "What may cross in a minute, all texts together."),
    key("allow.paste.bytes_per_session", MOST_FILE, "What may cross in a session, all texts together."),
    key("allow.paste.keep", Shape::Word(Kept::WORDS), "What is kept of a text, encrypted for auditors."),
    key("allow.copy", Shape::Map, "Text from the desktop's clipboard to the browser."),
    key("allow.copy.max_bytes", MOST_TEXT, "The longest text, in bytes of UTF-8."),
    key("allow.copy.per_minute", OFTEN, "Texts in a minute."),
    key("allow.copy.bytes_per_minute", MOST_FILE, "What may cross in a minute, all texts together."),
    key("allow.copy.bytes_per_session", MOST_FILE, "What may cross in a session, all texts together."),
    key("allow.copy.keep", Shape::Word(Kept::WORDS), "What is kept of a text, encrypted for auditors."),
    key("allow.upload", Shape::Map, "Files into the desktop."),
    key("allow.upload.max_bytes", MOST_FILE, "The largest file."),
    key("allow.upload.per_minute", OFTEN, "Files in a minute."),
    key("allow.upload.per_session", Shape::Count { least: 1, most: 100_000 }, "Files in a session."),
    key(
        "allow.upload.types",
        Shape::Types,
        "Media types that files, and what archives hold, may have: by their bytes and not by their names.",
    ),
    key("allow.upload.extensions", Shape::Extensions, "Extensions that names of files may have, without the dot."),
    key("allow.upload.archives", Shape::Word(Archives::WORDS), "What becomes of archives; `look` where not given."),
    key("allow.upload.scan", Shape::Word(Scanner::WORDS), "What scans a file before it crosses."),
    key(
        "allow.upload.metadata",
        Shape::Word(Metadata::WORDS),
        "What becomes of metadata in pictures; `keep` where not given.",
    ),
    key(
        "allow.upload.quarantine",
        Shape::Word(Quarantine::WORDS),
        "Of which files an encrypted copy is kept for auditors; `none` where not given.",
    ),
    key("allow.download", Shape::Map, "Files out of the desktop."),
    key("allow.download.max_bytes", MOST_FILE, "The largest file."),
    key("allow.download.per_minute", OFTEN, "Files in a minute."),
    key("allow.download.per_session", Shape::Count { least: 1, most: 100_000 }, "Files in a session."),
    key(
        "allow.download.types",
        Shape::Types,
        "Media types that files, and what archives hold, may have: by their bytes and not by their names.",
    ),
    key("allow.download.extensions", Shape::Extensions, "Extensions that names of files may have, without the dot."),
    key("allow.download.archives", Shape::Word(Archives::WORDS), "What becomes of archives; `look` where not given."),
    key("allow.download.scan", Shape::Word(Scanner::WORDS), "What scans a file before it crosses."),
    key(
        "allow.download.metadata",
        Shape::Word(Metadata::WORDS),
        "What becomes of metadata in pictures; `keep` where not given.",
    ),
    key(
        "allow.download.quarantine",
        Shape::Word(Quarantine::WORDS),
        "Of which files an encrypted copy is kept for auditors; `none` where not given.",
    ),
    key("allow.resize", Shape::Map, "Change the size of the desktop's screen."),
    key("deny", Shape::Maps, "What is denied, whatever any policy allows."),
    key("deny[].actions", Shape::Words(crate::ActionKind::WORDS), "The actions that are denied."),
    key("deny[].containing", Shape::Detectors, "Denied only if one of these is found in the contents."),
    key(
        "deny[].then",
        Shape::Word(Then::WORDS),
        "What is done with contents in which something is found; `deny` where not given.",
    ),
    key(
        "session",
        Shape::Map,
        "How long a session lasts, and how many there are; the strictest of all applying policies counts.",
    ),
    key("session.longest", LIVED, "From a session's start to its end."),
    key("session.idle", LIVED, "Without input; then the session ends."),
    key(
        "session.reconnect",
        Shape::Span { least: Span::seconds(1), most: Span::seconds(30 * 86_400) },
        "Without a viewer; then the session ends.",
    ),
    key(
        "session.warning",
        Shape::Span { least: Span::seconds(1), most: Span::seconds(86_400) },
        "Before a session's end, when its viewers are told; the longest counts.",
    ),
    key("session.concurrent", Shape::Count { least: 1, most: 10_000 }, "Sessions of one subject at once."),
    key("session.viewers", Shape::Count { least: 1, most: 1000 }, "Viewers of one session at once."),
    key("input", Shape::Map, "How keyboard and pointer are used."),
    key("input.keys", Shape::Rate, "Keys pressed, on average; bursts of fast typists pass."),
    key("input.pointer", Shape::Rate, "Pointer events, on average; faster ones are merged."),
    key(
        "input.typed_paste",
        Shape::Word(TypedPaste::WORDS),
        "What is done when keys come as only a program types them.",
    ),
    key("input.blocked_chords", Shape::Chords, "Keys pressed together that do not reach the desktop."),
    key("screen", Shape::Map, "What is seen of the desktop."),
    key("screen.max_fps", Shape::Count { least: 1, most: 240 }, "Pictures a second; the lowest counts."),
    key(
        "screen.max_size",
        Shape::Screen,
        "The largest screen, as WIDTHxHEIGHT in pixels; the smallest of each counts.",
    ),
    key(
        "screen.watermark",
        Shape::MapOrTemplate,
        "Drawn into the screen, over everything; those of all policies are drawn.",
    ),
    key(
        "screen.watermark.text",
        Shape::Template { most: MAX_TEMPLATE },
        "What it says; {subject}, {issuer}, {desktop}, {session}, {date} and {time} are filled in.",
    ),
    key("screen.watermark.layout", Shape::Word(Layout::WORDS), "Where it stands; `tiled` where not given."),
    key(
        "screen.watermark.angle",
        Shape::Count { least: 0, most: 359 },
        "Degrees that it is turned against the clock; 30 where not given.",
    ),
    key("screen.watermark.opacity", Shape::Percent, "How much of what lies below it hides; 20% where not given."),
    key(
        "screen.watermark.size",
        Shape::Count { least: 8, most: 256 },
        "Height of its letters in pixels; 24 where not given.",
    ),
    key(
        "screen.watermark.colour",
        Shape::Colour,
        "Colour of its letters, as '#rrggbb' in quotes; grey where not given.",
    ),
    key("screen.watermark.zone", Shape::Zone, "Time zone of its date and time; UTC where not given."),
    key("screen.mask", Shape::Maps, "Regions that are blacked out; those of all policies are."),
    key("screen.mask[].x", Shape::Extent, "From the left edge, in pixels or percent; 0 where not given."),
    key("screen.mask[].y", Shape::Extent, "From the top edge, in pixels or percent; 0 where not given."),
    key("screen.mask[].width", Shape::Extent, "In pixels or percent; 100% where not given."),
    key("screen.mask[].height", Shape::Extent, "In pixels or percent; 100% where not given."),
    key("screen.mask[].clicks", Shape::Word(Clicks::WORDS), "What becomes of clicks into it; `deny` where not given."),
    key(
        "screen.mask[].recorded",
        Shape::Word(MaskedRecord::WORDS),
        "Whether the recording shows what it hides; `masked` where not given.",
    ),
    key("screen.visible", Shape::Map, "The only region that is not blacked out; of several, what all of them show."),
    key("screen.visible.x", Shape::Extent, "From the left edge, in pixels or percent; 0 where not given."),
    key("screen.visible.y", Shape::Extent, "From the top edge, in pixels or percent; 0 where not given."),
    key("screen.visible.width", Shape::Extent, "In pixels or percent; 100% where not given."),
    key("screen.visible.height", Shape::Extent, "In pixels or percent; 100% where not given."),
    key("recording", Shape::Map, "What is kept of a session; the most of all applying policies counts."),
    key(
        "recording.mode",
        Shape::Word(Mode::WORDS),
        "What happens when a session cannot be recorded; `strict` where no policy says.",
    ),
    key(
        "recording.keys",
        Shape::Word(KeyLog::WORDS),
        "What of the keyboard is on the record; `counts` where no policy says.",
    ),
    key(
        "recording.keep",
        Shape::Span { least: Span::seconds(86_400), most: Span::seconds(36_600 * 86_400) },
        "How long a recording is kept at least.",
    ),
    key("recording.lock", Shape::Word(Lock::WORDS), "How a recording is locked in the vault until `keep` is over."),
    key(
        "recording.text",
        Shape::Word(ScreenText::WORDS),
        "What is read off the pictures once a recording is sealed; `none` where no policy says.",
    ),
    key("desktop", Shape::Map, "What the desktop itself may do."),
    key(
        "desktop.egress",
        Shape::Word(Egress::WORDS),
        "What the desktop may reach; the least of all applying policies counts.",
    ),
    key(
        "desktop.home",
        Shape::Word(Home::WORDS),
        "Whether a subject finds its home again in its next session on the desktop; `destroy` of any applying policy counts, and where none says a word.",
    ),
];

/// Every key of the language, a map before what stands in it.
pub fn keys() -> &'static [Key] {
    KEYS
}

/// The key with this path.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// The keys that stand in the map at this path, by their last names; the empty path is the policy itself.
pub(crate) fn below(path: &str) -> impl Iterator<Item = (&'static str, &'static Key)> {
    KEYS.iter().filter_map(move |key| {
        let name = match path {
            "" => key.path,
            _ => key.path.strip_prefix(path)?.strip_prefix('.')?,
        };
        (!name.contains(['.', '['])).then_some((name, key))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_stands_once_and_in_a_map_that_is_there() {
        for (index, key) in KEYS.iter().enumerate() {
            assert!(KEYS[..index].iter().all(|before| before.path != key.path), "{} stands twice", key.path);
            if let Some((parent, _)) = key.path.rsplit_once('.') {
                let parent = parent.trim_end_matches("[]");
                let before = KEYS[..index].iter().find(|before| before.path == parent);
                let shape = before.unwrap_or_else(|| panic!("{} stands before its map", key.path)).shape;
                assert!(matches!(shape, Shape::Map | Shape::Maps | Shape::MapOrTemplate), "{parent} holds no keys");
            }
            assert!(key.means.ends_with('.'), "{} is not explained in a sentence", key.path);
        }
    }

    #[test]
    fn every_action_has_its_key() {
        let names: Vec<_> = below("allow").map(|(name, _)| name).collect();
        assert_eq!(names, crate::ActionKind::WORDS);
    }
}
