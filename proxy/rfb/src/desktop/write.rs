//! What Portcullis says to a desktop (RFC 6143 §7.5): whole messages, exact lengths, padding 0, written from values alone.

use super::encodings::Encodings;
use crate::geometry::Size;
use crate::input::{Key, Pointer};
use crate::pixel::BGR0;
use crate::wire::{QEMU_EXTENDED_KEY, ViewerMessage};

/// SetPixelFormat (§7.5.1) to [`BGR0`].
pub(super) fn set_pixel_format(output: &mut Vec<u8>) {
    output.extend_from_slice(&[ViewerMessage::SET_PIXEL_FORMAT.0, 0, 0, 0]);
    output.extend_from_slice(&BGR0.to_wire());
}

/// SetEncodings (§7.5.2) to these.
pub(super) fn set_encodings(output: &mut Vec<u8>, encodings: Encodings) {
    let wanted: Vec<[u8; 4]> = encodings.asked().map(|encoding| encoding.0.to_be_bytes()).collect();
    // INVARIANT: they are few, each decoder and pseudo-encoding once.
    let count = u16::try_from(wanted.len()).unwrap_or(u16::MAX);
    output.extend_from_slice(&[ViewerMessage::SET_ENCODINGS.0, 0]);
    output.extend_from_slice(&count.to_be_bytes());
    output.extend_from_slice(wanted.as_flattened());
}

/// FramebufferUpdateRequest (§7.5.3) for the whole of a framebuffer of `size`.
pub(super) fn update_request(output: &mut Vec<u8>, incremental: bool, size: Size) {
    output.extend_from_slice(&[ViewerMessage::FRAMEBUFFER_UPDATE_REQUEST.0, u8::from(incremental), 0, 0, 0, 0]);
    put_size(output, size);
}

/// KeyEvent (§7.5.4), or QEMU's extended one where there is a scan code and `scancodes` are sent; nothing for a key without either.
pub(super) fn key(output: &mut Vec<u8>, key: Key, scancodes: bool) {
    match key.scancode.filter(|_| scancodes) {
        Some(scancode) => {
            output.extend_from_slice(&[ViewerMessage::QEMU.0, QEMU_EXTENDED_KEY, 0, u8::from(key.down)]);
            output.extend_from_slice(&key.keysym.to_be_bytes());
            output.extend_from_slice(&scancode.to_be_bytes());
        }
        None if key.keysym == 0 => {}
        None => {
            output.extend_from_slice(&[ViewerMessage::KEY_EVENT.0, u8::from(key.down), 0, 0]);
            output.extend_from_slice(&key.keysym.to_be_bytes());
        }
    }
}

/// PointerEvent (§7.5.5): six bytes, whatever the value says, and a place on the framebuffer of `size`.
pub(super) fn pointer(output: &mut Vec<u8>, pointer: Pointer, size: Size) {
    let Pointer { buttons, at } = Pointer::new(pointer.buttons, pointer.at.clamped_to(size));
    output.extend_from_slice(&[ViewerMessage::POINTER_EVENT.0, buttons]);
    output.extend_from_slice(&at.x.to_be_bytes());
    output.extend_from_slice(&at.y.to_be_bytes());
}

/// SetDesktopSize (community specification) to one screen that fills the framebuffer, with flags 0.
pub(super) fn set_desktop_size(output: &mut Vec<u8>, size: Size, screen_id: u32) {
    output.extend_from_slice(&[ViewerMessage::SET_DESKTOP_SIZE.0, 0]);
    put_size(output, size);
    output.extend_from_slice(&[1, 0]);
    output.extend_from_slice(&screen_id.to_be_bytes());
    output.extend_from_slice(&[0; 4]);
    put_size(output, size);
    output.extend_from_slice(&[0; 4]);
}

fn put_size(output: &mut Vec<u8>, size: Size) {
    output.extend_from_slice(&size.width.to_be_bytes());
    output.extend_from_slice(&size.height.to_be_bytes());
}
