//! Flags and capabilities of the extended clipboard: which formats, which actions.

use crate::wire::ClipboardBit;

/// The one format that is spoken here.
pub(super) const TEXT: u32 = ClipboardBit::TEXT.mask();
/// Bits 0–15: formats.
pub(super) const FORMATS: u32 = 0x0000_ffff;
/// Bits 16–23 have no meaning.
pub(super) const RESERVED: u32 = 0x00ff_0000;
/// Bits 24–31: actions.
pub(super) const ACTIONS: u32 = 0xff00_0000;
pub(super) const CAPS: u32 = ClipboardBit::CAPS.mask();
pub(super) const REQUEST: u32 = ClipboardBit::REQUEST.mask();
pub(super) const PEEK: u32 = ClipboardBit::PEEK.mask();
pub(super) const NOTIFY: u32 = ClipboardBit::NOTIFY.mask();
pub(super) const PROVIDE: u32 = ClipboardBit::PROVIDE.mask();

/// What a peer understands of the extended clipboard, as far as it is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caps {
    /// It answers a request.
    pub(super) request: bool,
    /// It answers a peek.
    pub(super) peek: bool,
    /// It hears a notification.
    pub(super) notify: bool,
    /// It takes what is provided.
    pub(super) provide: bool,
    /// It knows text, and says up to how many bytes it would take unasked: it never is sent any.
    pub(super) text: Option<u32>,
}

impl Caps {
    /// What Portcullis says of itself to both sides: everything, for text, and nothing unasked.
    pub(super) const OURS: Self = Self { request: true, peek: true, notify: true, provide: true, text: Some(0) };

    /// What holds for a viewer that says nothing of itself (community specification).
    pub(super) const UNSAID: Self =
        Self { request: true, peek: false, notify: true, provide: true, text: Some(20 * 1024 * 1024) };

    /// From the flags and the size words, one for each format. Formats and actions that are not spoken here are forgotten.
    pub(super) fn of(flags: u32, sizes: &[u8]) -> Self {
        let has = |bit| flags & bit != 0;
        // Sizes are in the order of the bits, and text has the lowest.
        let text = sizes.first_chunk().filter(|_| has(TEXT)).map(|size| u32::from_be_bytes(*size));
        Self { request: has(REQUEST), peek: has(PEEK), notify: has(NOTIFY), provide: has(PROVIDE), text }
    }

    /// The flags that say it.
    pub(super) fn flags(&self) -> u32 {
        let bits = [
            (true, CAPS),
            (self.request, REQUEST),
            (self.peek, PEEK),
            (self.notify, NOTIFY),
            (self.provide, PROVIDE),
            (self.text.is_some(), TEXT),
        ];
        bits.into_iter().filter(|(said, _)| *said).fold(0, |flags, (_, bit)| flags | bit)
    }

    /// Whether text can be offered to it and then provided.
    pub(super) fn takes_text(&self) -> bool {
        self.text.is_some() && self.notify && self.provide
    }

    /// Whether it can be asked for text.
    pub(super) fn gives_text(&self) -> bool {
        self.text.is_some() && self.request
    }
}
