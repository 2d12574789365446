//! Deflating a piece of a zlib stream so that its receiver has all of it: with a sync flush behind it.

use flate2::{Compress, FlushCompress};

/// Room that a deflated block may need over its input: stored-block headers, the flush marker, the zlib header.
const SLACK: usize = 256;

/// Appends all of `plain`, deflated, and a sync flush; false if zlib reports an error or stops making progress.
pub(crate) fn deflate(stream: &mut Compress, mut plain: &[u8], packed: &mut Vec<u8>) -> bool {
    loop {
        packed.reserve(plain.len() + plain.len() / 512 + SLACK);
        let before = stream.total_in();
        if stream.compress_vec(plain, packed, FlushCompress::Sync).is_err() {
            return false;
        }
        let Some(rest) = usize::try_from(stream.total_in() - before).ok().and_then(|taken| plain.get(taken..)) else {
            return false;
        };
        // Spare room left means that the flush is complete (zlib.h, deflate()).
        if rest.is_empty() && packed.len() < packed.capacity() {
            return true;
        }
        plain = rest;
    }
}
