//! The values that policy files are written in: each is read from text, says what is wrong with it, and shows itself as it is written.

mod chord;
mod detector;
mod extension;
mod glob;
mod hours;
mod media;
mod network;
mod rate;
mod region;
mod size;
mod span;
mod watermark;
mod words;
mod zone;

pub use chord::Chord;
pub use detector::{Detector, Pattern, WordFile};
pub use extension::Extension;
pub use glob::Glob;
pub(crate) use glob::MAX_GLOB;
pub(crate) use hours::{Hours, minute};
pub use media::MediaPattern;
pub use network::Network;
pub use rate::Rate;
pub use region::{Extent, Mask, Region};
pub use size::Size;
pub(crate) use size::show as show_bytes;
pub use span::Span;
pub use watermark::{Colour, Filling, Part, Watermark};
pub(crate) use watermark::{MAX_TEMPLATE, template};
pub use words::{
    Archives, Clicks, Egress, Field, Home, Kept, KeyLog, Known, Layout, Lock, MaskedRecord, Metadata, Mode, Quarantine,
    Scanner, ScreenText, Then, TypedPaste,
};
pub(crate) use words::{Word, words};
pub use zone::{Zone, read_instant};

/// The end of an error that names the nearest known word, or all of them.
pub(crate) fn meant(word: &str, known: &[&str]) -> String {
    match crate::nearest::nearest(word, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known here: {}", known.join(", ")),
    }
}
