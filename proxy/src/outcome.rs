//! How a session or a viewer ends: one table from outcome to WebSocket close code, label and words.

use std::fmt;

/// Why a session, or one viewer of it, ended. Every end has exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The viewer closed its connection.
    ViewerLeft,
    /// A person ended the session.
    Ended {
        /// Who ended it.
        by: String,
    },
    /// The gate is stopping.
    Stopping,
    /// No viewer was connected for the whole reconnect window.
    Abandoned,
    /// The token's `until` has come.
    TimeUp,
    /// A policy that once permitted the session no longer does.
    NotPermitted {
        /// The rule that decided, as printed in events.
        rule: String,
        /// Its words for a person.
        reason: String,
    },
    /// A limit that policy sets on sessions was reached.
    Limited {
        /// Which one.
        limit: Limit,
        /// The rule, as printed in events.
        rule: String,
        /// Words for a person.
        reason: String,
    },
    /// The viewer comes from where other rules hold than for the session.
    Elsewhere,
    /// What the session was opened with was revoked.
    Revoked,
    /// As many viewers as a session may have are connected already.
    Crowded,
    /// The viewer did not take its pixels or answer pings in time.
    TooSlow,
    /// What happens can no longer be recorded.
    RecordingFailed {
        /// What failed.
        reason: String,
    },
    /// The desktop is gone.
    DesktopEnded {
        /// What is known about it.
        reason: String,
    },
    /// The desktop does not let the gate in, or is not the one that was configured.
    DesktopRefused {
        /// What did not fit.
        reason: String,
    },
    /// A peer broke the protocol.
    Violation {
        /// `viewer` or `desktop`.
        side: &'static str,
        /// Message, field and fault.
        reason: String,
    },
}

/// A limit of policy's `session`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `longest`: it has lasted as long as it may.
    Longest,
    /// `idle`: nobody did anything.
    Idle,
    /// `reconnect`: nobody was connected.
    Reconnect,
    /// `concurrent`: its subject has too many others.
    Concurrent,
    /// `viewers`: the session has too many others.
    Viewers,
}

impl Limit {
    /// The key in policy files, which is also the label of events and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Longest => "longest",
            Self::Idle => "idle",
            Self::Reconnect => "reconnect",
            Self::Concurrent => "concurrent",
            Self::Viewers => "viewers",
        }
    }
}

impl Outcome {
    /// The rule that brought it about, where one did, as printed in events.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        match self {
            Self::NotPermitted { rule, .. } | Self::Limited { rule, .. } => Some(rule),
            _ => None,
        }
    }

    /// The WebSocket close code (RFC 6455 section 7.4; 4000-4999 are the gate's own and part of the API).
    #[must_use]
    pub fn close_code(&self) -> u16 {
        self.row().0
    }

    /// A short stable name for events and metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        self.row().1
    }

    /// Whether a viewer that caused this takes the whole session with it.
    #[must_use]
    pub fn ends_session(&self) -> bool {
        let viewers = matches!(self, Self::Limited { limit: Limit::Viewers, .. });
        !(viewers || matches!(self, Self::ViewerLeft | Self::TooSlow | Self::Crowded | Self::Elsewhere))
    }

    /// The close reason: at most 123 bytes, as RFC 6455 section 5.5 demands, cut at a character.
    #[must_use]
    pub fn close_reason(&self) -> String {
        let mut reason = match self {
            // INVARIANT: a desktop's last words are its own text and do not cross; they are on the record.
            Self::DesktopEnded { .. } => "the desktop ended; the reason is on the record".to_owned(),
            Self::DesktopRefused { .. } => "the desktop was refused; the reason is on the record".to_owned(),
            _ => self.to_string(),
        };
        let mut end = reason.len().min(CLOSE_REASON_BYTES);
        while !reason.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        reason.truncate(end);
        reason
    }

    /// INVARIANT: the one table of outcomes; whatever names an end reads it here.
    fn row(&self) -> (u16, &'static str) {
        match self {
            Self::ViewerLeft => (1000, "viewer-left"),
            Self::Stopping => (1001, "stopping"),
            Self::Violation { .. } => (1002, "protocol-violation"),
            Self::Abandoned => (4001, "abandoned"),
            Self::TimeUp => (4001, "time-up"),
            Self::NotPermitted { .. } => (4003, "not-permitted"),
            Self::Elsewhere => (4003, "elsewhere"),
            Self::Revoked => (4003, "revoked"),
            Self::TooSlow => (4008, "too-slow"),
            Self::Crowded => (4009, "crowded"),
            Self::Limited { limit: limit @ Limit::Viewers, .. } => (4009, limit.label()),
            Self::Limited { limit, .. } => (4001, limit.label()),
            Self::RecordingFailed { .. } => (4010, "recording-failed"),
            Self::DesktopEnded { .. } => (4011, "desktop-ended"),
            Self::DesktopRefused { .. } => (4011, "desktop-refused"),
            Self::Ended { .. } => (4013, "ended"),
        }
    }
}

/// Room for a reason in a close frame: 125 bytes of control payload less the code.
const CLOSE_REASON_BYTES: usize = 123;

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ViewerLeft => f.write_str("the viewer left"),
            Self::Ended { by } => write!(f, "ended by {by}"),
            Self::Stopping => f.write_str("the gate is stopping"),
            Self::Abandoned => f.write_str("no viewer was connected any more"),
            Self::TimeUp => f.write_str("the session's time is up"),
            Self::NotPermitted { rule, reason } => write!(f, "no longer permitted by {rule}: {reason}"),
            Self::Limited { rule, reason, .. } => write!(f, "{reason} ({rule})"),
            Self::Elsewhere => {
                f.write_str("other rules hold where you come from than where the session was opened from")
            }
            Self::Revoked => f.write_str("what the session was opened with was revoked"),
            Self::Crowded => f.write_str("the session has as many viewers as it may have"),
            Self::TooSlow => f.write_str("the viewer did not keep up"),
            Self::RecordingFailed { reason } => write!(f, "recording failed: {reason}"),
            Self::DesktopEnded { reason } => write!(f, "the desktop ended: {reason}"),
            Self::DesktopRefused { reason } => write!(f, "the desktop cannot be used: {reason}"),
            Self::Violation { side, reason } => write!(f, "the {side} broke the protocol: {reason}"),
        }
    }
}

/// An error with its causes in one line: what is wrong, and why.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_reason_fits_its_frame_and_stays_text() {
        let outcome = Outcome::RecordingFailed { reason: "é".repeat(200) };
        let reason = outcome.close_reason();
        assert!(reason.len() <= 123 && reason.len() > 120, "{}", reason.len());
        assert!(reason.starts_with("recording failed: é"));
    }

    #[test]
    fn only_a_viewers_own_end_leaves_the_session_alive() {
        assert!(!Outcome::ViewerLeft.ends_session());
        assert!(!Outcome::TooSlow.ends_session());
        let limited = |limit| Outcome::Limited { limit, rule: String::new(), reason: String::new() };
        assert!(!limited(Limit::Viewers).ends_session() && limited(Limit::Idle).ends_session());
        assert!(Outcome::Violation { side: "viewer", reason: String::new() }.ends_session());
    }
}
