//! The extended clipboard, the same from both sides: which formats and actions, and what becomes of them.

use super::Line;
use super::Outcome::{Answered, Forgotten, Judged};
use crate::wire::ClipboardBit as B;

const NOT_READ: &str = "never asked for; what comes of it is not read";

/// Bits of the flags. A message has exactly one action, unless it has caps; what has no line ends the connection.
pub const CLIPBOARD: &[Line<B>] = &[
    (
        B::TEXT,
        Judged,
        "brought to one form: UTF-8, LF, nothing behind a NUL; what is no text is an event and the connection goes on",
    ),
    (B::RTF, Forgotten, NOT_READ),
    (B::HTML, Forgotten, NOT_READ),
    (B::DIB, Forgotten, NOT_READ),
    (B::FILES, Forgotten, NOT_READ),
    (B::FORMAT_5, Forgotten, "not given out; never asked for, not read"),
    (B::CAPS, Answered, "with the gate's own: text, and nothing unasked whatever size is declared"),
    (B::REQUEST, Judged, "the text that was offered, if it may still cross at this moment"),
    (B::PEEK, Answered, "with whether there is a text that was offered"),
    (B::NOTIFY, Judged, "the text is asked for only where policy permits any"),
    (B::PROVIDE, Judged, "inflated up to the limit if it was asked for; else read past, and taken as a notification"),
];
