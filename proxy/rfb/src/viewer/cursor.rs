//! The cursor as a pseudo-rectangle, in the encoding that a viewer shows best.

use super::encodings::Encodings;
use super::format::Order;
use super::update::Update;
use crate::geometry::Rect;
use crate::screen::Cursor;
use crate::wire::Encoding;

/// VMware Cursor's type of pixels with alpha, R, G, B, A, and a byte of padding.
const ALPHA_CURSOR: [u8; 2] = [1, 0];

/// Writes the cursor if the viewer can take one. VMware Cursor is preferred: noVNC reads the pixels of Cursor (RFC 6143 §7.8.1)
/// as B, G, R whatever format it has set, so red and blue would change places there.
pub(super) fn cursor(update: &mut Update, cursor: &Cursor, known: &Encodings, order: Order) {
    let rect = Rect::new(cursor.hotspot.x, cursor.hotspot.y, cursor.size.width, cursor.size.height);
    let (pixels, _) = cursor.pixels.as_chunks::<4>();
    if known.vmware_cursor {
        let bytes = update.rect(rect, Encoding::VMWARE_CURSOR);
        bytes.extend(ALPHA_CURSOR);
        bytes.extend(pixels.iter().flat_map(|&[blue, green, red, alpha]| [red, green, blue, alpha]));
    } else if known.cursor {
        let bytes = update.rect(rect, Encoding::CURSOR);
        bytes.extend(pixels.iter().flat_map(|&pixel| order.wire(pixel)));
        for row in pixels.chunks(usize::from(rect.width).max(1)) {
            bytes.extend(row.chunks(8).map(mask_byte));
        }
    }
}

/// Up to eight pixels' visibility, the leftmost in the highest bit.
fn mask_byte(pixels: &[[u8; 4]]) -> u8 {
    let bits = pixels.iter().fold(0, |byte, &[_, _, _, alpha]| (byte << 1) | u8::from(alpha != 0));
    bits << (8 - pixels.len())
}
