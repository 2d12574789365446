//! What a text carries that policy names: detectors with checksums, regular expressions and words, found behind other spellings and encodings.
//!
//! A [`Searcher`] is made of [`Detector`]s. It searches a text that is there as a whole, one that comes in pieces ([`Stream`]), or one together with what
//! crossed before it ([`Window`]), and answers with [`Found`]: which detector, and where in the text as it was written. `docs/content-rules.md` says what each
//! detector takes and what none of them can see.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod detector;
mod encoded;
mod known;
mod normal;
mod pattern;
mod redact;
mod searcher;
mod stream;
mod view;
mod window;
mod words;

pub use detector::{Detector, Known, Refused};
pub use pattern::{MAX_MATCHES, MAX_PATTERN, Pattern};
pub use redact::{Cleaned, MARK, beside_marks, redact};
pub use searcher::{Found, LAYERS, Searcher};
pub use stream::{AHEAD, BEFORE, STEP, Stream};
pub use window::{TAIL, Window};
pub use words::{MAX_WORD, MAX_WORDS_BYTES, Words};
