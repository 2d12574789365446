//! The one error of both parsers: which side broke the protocol, in which message and field, and how.

use std::fmt;

/// The peer that a protocol error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The VNC server (RFC 6143's "server").
    Desktop,
    /// The browser (RFC 6143's "client").
    Viewer,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Desktop => "desktop",
            Side::Viewer => "viewer",
        })
    }
}

/// A peer sent what RFB, or what was agreed with it, does not allow. The connection is over: nothing after it is parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{side} broke the protocol: {message}, {field}: {reason}")]
pub struct ProtocolError {
    /// Who sent it.
    pub side: Side,
    /// The message, by its RFC 6143 name ("FramebufferUpdate").
    pub message: &'static str,
    /// The field of that message ("rectangle 3 (Raw)"); bounded, printable.
    pub field: String,
    /// What is wrong with it, with the numbers; bounded, printable, without contents of clipboards.
    pub reason: String,
}

impl ProtocolError {
    /// An error of `side`. Text of the peer that goes into `reason` is first made harmless by [`printable`].
    pub fn new(side: Side, message: &'static str, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { side, message, field: field.into(), reason: reason.into() }
    }
}

/// Characters of a peer's text that are kept in an error.
pub const MAX_QUOTED: usize = 128;

/// A peer's bytes for use in an error or a log: printable ASCII, everything else escaped, at most [`MAX_QUOTED`] bytes of it.
pub fn printable(bytes: &[u8]) -> String {
    let kept = bytes.get(..MAX_QUOTED).unwrap_or(bytes);
    let mut text = kept.escape_ascii().to_string();
    if kept.len() < bytes.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_side_message_field_and_reason() {
        let error = ProtocolError::new(Side::Desktop, "ServerInit", "framebuffer-width", "0 is not in 1..=3840");
        assert_eq!(
            error.to_string(),
            "desktop broke the protocol: ServerInit, framebuffer-width: 0 is not in 1..=3840"
        );
    }

    #[test]
    fn quoted_text_is_bounded_and_harmless() {
        assert_eq!(printable(b"a\r\n\x1b[31m\xff"), r"a\r\n\x1b[31m\xff");
        assert_eq!(printable(&[b'x'; 4096]).chars().count(), MAX_QUOTED + 1);
    }
}
