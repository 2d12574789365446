//! The extended clipboard as a viewer speaks it, byte by byte, in an implementation that shares no code with the gate's.

use anyhow::{Context, ensure};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// Flags of an extended clipboard message (community specification): the format text, and the actions.
pub const TEXT: u32 = 1;
/// What the sender can do.
pub const CAPS: u32 = 1 << 24;
/// Asks for formats.
pub const REQUEST: u32 = 1 << 25;
/// Asks what there is.
pub const PEEK: u32 = 1 << 26;
/// Says what there is.
pub const NOTIFY: u32 = 1 << 27;
/// Gives formats.
pub const PROVIDE: u32 = 1 << 28;

/// SetEncodings (RFC 6143 section 7.5.2): Raw, DesktopSize and the extended clipboard.
#[must_use]
pub fn encodings() -> Vec<u8> {
    let listed = [0, -223, 0xC0A1_E5CE_u32.cast_signed()];
    let numbers = listed.iter().flat_map(|encoding: &i32| encoding.to_be_bytes());
    [2, 0, 0, 3].into_iter().chain(numbers).collect()
}

/// ClientCutText with any length and body, true to each other or not.
#[must_use]
pub fn cut_text(length: i32, body: &[u8]) -> Vec<u8> {
    [&[6, 0, 0, 0][..], &length.to_be_bytes(), body].concat()
}

/// An extended message of these flags.
#[must_use]
pub fn extended(flags: u32, body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(body.len() + 4).expect("a test's message is short");
    cut_text(-length, &[&flags.to_be_bytes()[..], body].concat())
}

/// Caps of a viewer that would take so many bytes of text unasked.
#[must_use]
pub fn caps(unasked: u32) -> Vec<u8> {
    extended(CAPS | REQUEST | PEEK | NOTIFY | PROVIDE | TEXT, &unasked.to_be_bytes())
}

/// Provides a text as it is, without CR and with a NUL behind it.
#[must_use]
pub fn provide(text: &str) -> Vec<u8> {
    let text = [text.as_bytes(), &[0]].concat();
    let size = u32::try_from(text.len()).expect("a test's text is short");
    extended(PROVIDE | TEXT, &zlib(&[&size.to_be_bytes()[..], &text].concat()))
}

/// Bytes as a zlib stream that ends in a sync flush, as TigerVNC's does.
#[must_use]
pub fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(plain.len() + plain.len() / 100 + 256);
    let packing = Compress::new(Compression::best(), true).compress_vec(plain, &mut packed, FlushCompress::Sync);
    packing.expect("room for everything");
    packed
}

/// The text that the gate provided, from what follows the flags: UTF-8 with CR LF and one NUL, which is taken off.
///
/// # Errors
/// When it is anything else.
pub fn provided(body: &[u8]) -> anyhow::Result<String> {
    let mut plain = Vec::with_capacity(4 << 20);
    Decompress::new(true).decompress_vec(body, &mut plain, FlushDecompress::Sync)?;
    let (size, text) = plain.split_first_chunk::<4>().context("no size")?;
    ensure!(usize::try_from(u32::from_be_bytes(*size))? == text.len(), "the size is not that of the text");
    let (nul, text) = text.split_last().context("no NUL")?;
    ensure!(*nul == 0 && !text.contains(&0), "NULs elsewhere than at the end");
    Ok(String::from_utf8(text.to_vec())?)
}
