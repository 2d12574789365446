//! What is asked of every character, answered beforehand for those of the basic plane.

use std::sync::LazyLock;

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, is_nfkc_quick};

use super::lookalikes::{ascii_like, digit};

/// What is asked of a character.
#[derive(Clone, Copy)]
pub(super) struct Traits {
    /// It is composed with none before it and is its own form in NFKC.
    pub(super) stays: bool,
    /// The ASCII character that it looks like.
    pub(super) looks: Option<u8>,
    /// The ASCII digit that it is in its script.
    pub(super) digit: Option<u8>,
}

/// The basic plane: some 330 kilobytes in place of four searches for each character of each reading.
static BASIC: LazyLock<Vec<Traits>> = LazyLock::new(|| {
    (0..=u16::MAX).map(|code| Traits::find(char::from_u32(u32::from(code)).unwrap_or_default())).collect()
});

impl Traits {
    /// Those of a character.
    pub(super) fn of(character: char) -> Self {
        let code = usize::try_from(u32::from(character)).unwrap_or(usize::MAX);
        BASIC.get(code).copied().unwrap_or_else(|| Self::find(character))
    }

    fn find(character: char) -> Self {
        let ascii = |character: Option<char>| character.and_then(|character| u8::try_from(character).ok());
        let normal = is_nfkc_quick(std::iter::once(character)) == IsNormalized::Yes;
        Self {
            stays: normal && canonical_combining_class(character) == 0,
            looks: ascii(ascii_like(character)),
            digit: ascii(digit(character)),
        }
    }
}

/// Answers for the basic plane, so that no text waits for it.
pub(crate) fn prepare() {
    LazyLock::force(&BASIC);
}
