//! What the targets have in common: bytes fed whole and in pieces must mean the same.

/// The bytes in pieces whose lengths follow from `seed`: 1 to 8 bytes, or all at once for 0.
pub fn pieces(bytes: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    let mut state = u32::from(seed);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = if seed == 0 { rest.len() } else { (1 + (state >> 29) as usize).min(rest.len()) };
        let (piece, behind) = rest.split_at(length);
        rest = behind;
        Some(piece)
    })
}
