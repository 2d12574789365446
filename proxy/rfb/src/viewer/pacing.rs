//! How far a viewer is behind, told by fences: a slow one gets fewer and newer updates instead of a queue of old ones.

use std::collections::VecDeque;

use crate::wire::DesktopMessage;

/// Updates that may be under way to a viewer at once.
pub const MAX_UPDATES_IN_FLIGHT: usize = 4;

/// Bytes under way at which no further update is begun.
pub const MAX_BYTES_IN_FLIGHT: usize = 256 * 1024;

/// The fence asks for a reply.
pub(super) const FENCE_REQUEST: u32 = 1 << 31;
/// What came before the fence has been dealt with before it is answered.
pub(super) const FENCE_BLOCK_BEFORE: u32 = 1;
/// Every flag that the community specification names.
pub(super) const FENCE_FLAGS: u32 = FENCE_REQUEST | 0b111;

/// Fences sent and not yet answered. INVARIANT: at most one more than [`MAX_UPDATES_IN_FLIGHT`], oldest first.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    sequence: u32,
    /// Sequence number, and bytes of the update before it.
    waiting: VecDeque<(u32, usize)>,
}

impl Pacing {
    /// Sends the fence that tells the viewer that there are fences.
    pub(super) fn announce(&mut self, out: &mut Vec<u8>) {
        self.fence(0, out);
    }

    /// Sends the fence that follows an update of `bytes` bytes.
    pub(super) fn sent(&mut self, bytes: usize, out: &mut Vec<u8>) {
        self.fence(bytes, out);
    }

    /// Whether another update may be sent.
    pub(super) fn is_open(&self) -> bool {
        let updates = self.waiting.iter().filter(|(_, bytes)| *bytes > 0).count();
        let bytes: usize = self.waiting.iter().map(|(_, bytes)| bytes).sum();
        updates < MAX_UPDATES_IN_FLIGHT && bytes < MAX_BYTES_IN_FLIGHT
    }

    /// Updates sent and not yet answered.
    pub(super) fn in_flight(&self) -> usize {
        self.waiting.iter().filter(|(_, bytes)| *bytes > 0).count()
    }

    /// Takes the reply to the oldest fence; an error says what is wrong with it.
    pub(super) fn reply(&mut self, flags: u32, payload: &[u8]) -> Result<(), &'static str> {
        let Some((sequence, _)) = self.waiting.front() else {
            return Err("a reply to no fence");
        };
        if payload != sequence.to_be_bytes() {
            return Err("not the payload of the oldest fence without a reply");
        }
        if flags & !FENCE_BLOCK_BEFORE != 0 {
            return Err("flags that the fence did not have");
        }
        self.waiting.pop_front();
        Ok(())
    }

    fn fence(&mut self, bytes: usize, out: &mut Vec<u8>) {
        let sequence = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        self.waiting.push_back((sequence, bytes));
        fence(FENCE_REQUEST | FENCE_BLOCK_BEFORE, &sequence.to_be_bytes(), out);
    }
}

/// Writes a ServerFence; `payload` is at most 64 bytes.
pub(super) fn fence(flags: u32, payload: &[u8], out: &mut Vec<u8>) {
    out.extend([DesktopMessage::FENCE.0, 0, 0, 0]);
    out.extend(flags.to_be_bytes());
    out.push(u8::try_from(payload.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_closes_by_count_and_by_bytes_and_opens_by_replies() {
        let (mut pacing, mut out) = (Pacing::default(), Vec::new());
        pacing.announce(&mut out);
        for _ in 0..MAX_UPDATES_IN_FLIGHT {
            assert!(pacing.is_open());
            pacing.sent(10, &mut out);
        }
        assert!(!pacing.is_open());
        assert_eq!(pacing.reply(1, &[0, 0, 0, 0]), Ok(()));
        assert!(!pacing.is_open(), "the announcement carried no update");
        assert_eq!(pacing.reply(0, &[0, 0, 0, 1]), Ok(()));
        assert!(pacing.is_open());
        pacing.sent(MAX_BYTES_IN_FLIGHT, &mut out);
        for sequence in 2..=4 {
            assert!(!pacing.is_open());
            assert_eq!(pacing.reply(1, &[0, 0, 0, sequence]), Ok(()));
        }
        assert!(!pacing.is_open(), "few updates, many bytes");
        assert_eq!(pacing.reply(1, &[0, 0, 0, 5]), Ok(()));
        assert!(pacing.is_open() && pacing.in_flight() == 0);
    }

    #[test]
    fn only_the_reply_to_the_oldest_fence_is_taken() {
        let (mut pacing, mut out) = (Pacing::default(), Vec::new());
        assert!(pacing.reply(0, &[]).is_err());
        pacing.sent(1, &mut out);
        pacing.sent(1, &mut out);
        assert_eq!(out[..13], [248, 0, 0, 0, 0x80, 0, 0, 1, 4, 0, 0, 0, 0]);
        assert!(pacing.reply(0, &[0, 0, 0, 1]).is_err());
        assert!(pacing.reply(0, &[0, 0, 0]).is_err());
        assert!(pacing.reply(2, &[0, 0, 0, 0]).is_err());
        assert_eq!(pacing.reply(1, &[0, 0, 0, 0]), Ok(()));
    }
}
