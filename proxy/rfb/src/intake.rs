//! Fields out of a byte stream that comes in chunks of any length: a field is there whole, or not yet.

/// Longest fixed-size field that can be held while its rest is awaited.
pub const MAX_FIELD: usize = 32;

/// The start of a field whose rest has not come yet. Bodies go straight to their own vector by [`fill`].
#[derive(Debug, Default)]
pub struct Intake {
    held: [u8; MAX_FIELD],
    len: usize,
}

impl Intake {
    /// The next `N` bytes, taken from what is held and then from `input`, which is advanced; `None` when they are not all there,
    /// and then `input` is empty. `N` is at most [`MAX_FIELD`] and the same until it is answered.
    pub fn take<const N: usize>(&mut self, input: &mut &[u8]) -> Option<[u8; N]> {
        const { assert!(N <= MAX_FIELD) };
        if self.len == 0
            && let Some((field, rest)) = input.split_first_chunk::<N>()
        {
            *input = rest;
            return Some(*field);
        }
        let missing = N.saturating_sub(self.len);
        let (now, rest) = input.split_at(missing.min(input.len()));
        for (slot, byte) in self.held.iter_mut().skip(self.len).zip(now) {
            *slot = *byte;
        }
        self.len += now.len();
        *input = rest;
        if self.len < N {
            return None;
        }
        self.len = 0;
        self.held.first_chunk::<N>().copied()
    }
}

/// Moves bytes of `input` to the end of `body` until it is `total` long; whether it is. One copy, nothing else is touched.
pub fn fill(body: &mut Vec<u8>, total: usize, input: &mut &[u8]) -> bool {
    let missing = total.saturating_sub(body.len());
    let (now, rest) = input.split_at(missing.min(input.len()));
    body.extend_from_slice(now);
    *input = rest;
    body.len() >= total
}

/// A length of the wire as one of memory.
pub fn length(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_whole_or_not_yet() {
        let mut intake = Intake::default();
        let mut input: &[u8] = &[1, 2, 3];
        assert_eq!(intake.take::<2>(&mut input), Some([1, 2]));
        assert_eq!(intake.take::<4>(&mut input), None);
        assert!(input.is_empty());
        let mut input: &[u8] = &[4];
        assert_eq!(intake.take::<4>(&mut input), None);
        let mut input: &[u8] = &[5, 6, 7];
        assert_eq!(intake.take::<4>(&mut input), Some([3, 4, 5, 6]));
        assert_eq!(input, [7]);
        assert_eq!(intake.take::<0>(&mut input), Some([]));
    }

    #[test]
    fn a_body_takes_no_more_than_its_own() {
        let mut body = Vec::new();
        let mut input: &[u8] = &[1, 2];
        assert!(!fill(&mut body, 3, &mut input));
        let mut input: &[u8] = &[3, 4];
        assert!(fill(&mut body, 3, &mut input));
        assert_eq!((body, input), (vec![1, 2, 3], &[4][..]));
    }
}
