//! A clipboard text in its one form: UTF-8, lines ended by LF, no NUL.

use std::fmt;
use std::sync::Arc;

/// A text in the form in which it is judged, hashed and passed on: UTF-8, CR LF and CR as LF, cut at the first NUL.
///
/// Cheap to clone. Its `Debug` says how long it is and no more.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(Arc<str>);

impl Text {
    /// The one form of any string.
    pub fn new(text: &str) -> Self {
        let mut form = Form::new(text.len());
        form.push(text.as_bytes());
        // Whole ASCII characters taken out of UTF-8 leave UTF-8.
        form.finish().unwrap_or_else(|| Self("".into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its length in bytes of UTF-8.
    pub fn bytes(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    /// Its size and bytes as the extended clipboard has them: lines ended by CR LF, and a NUL. None beyond 4 GiB.
    pub(super) fn to_wire(&self) -> Option<Vec<u8>> {
        let lines = self.0.bytes().filter(|byte| *byte == b'\n').count();
        let size = u32::try_from(self.0.len() + lines + 1).ok()?;
        let mut bytes = Vec::with_capacity(self.0.len() + lines + 5);
        bytes.extend_from_slice(&size.to_be_bytes());
        for byte in self.0.bytes() {
            if byte == b'\n' {
                bytes.push(b'\r');
            }
            bytes.push(byte);
        }
        bytes.push(0);
        Some(bytes)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

/// Brings bytes to the one form as they come, up to a limit.
pub(super) struct Form {
    kept: Vec<u8>,
    most: usize,
    after_cr: bool,
    state: State,
}

/// How far a [`Form`] is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// More may come.
    Open,
    /// A NUL has ended it: what follows is not the text's.
    Ended,
    /// More than the limit came: nothing is kept.
    Over,
}

impl Form {
    /// Room for `most` bytes; nothing is allocated yet.
    pub(super) fn new(most: usize) -> Self {
        Self { kept: Vec::new(), most, after_cr: false, state: State::Open }
    }

    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> State {
        for &byte in bytes {
            if self.state != State::Open {
                break;
            }
            let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                0 => self.state = State::Ended,
                b'\n' if after_cr => {}
                b'\r' => self.keep(b'\n'),
                other => self.keep(other),
            }
        }
        self.state
    }

    /// The text; none if it is not UTF-8 or was over the limit.
    pub(super) fn finish(self) -> Option<Text> {
        if self.state == State::Over {
            return None;
        }
        String::from_utf8(self.kept).ok().map(|text| Text(text.into()))
    }

    fn keep(&mut self, byte: u8) {
        if self.kept.len() < self.most {
            self.kept.push(byte);
        } else {
            self.kept = Vec::new();
            self.state = State::Over;
        }
    }

    /// Bytes reserved.
    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.kept.capacity()
    }
}
