//! Encodings and pseudo-encodings: what a desktop may send, and what of ours a viewer may list.

use super::Line;
use super::Outcome::{Answered, Forgotten, Judged, Refused, Understood};
use crate::wire::Encoding as E;

const NOT_ASKED: &str = "never asked for";
const NO_LENGTH: &str = "never asked for: its length cannot be bounded without decoding it";
const COVERT: &str = "never asked for: it says nothing of the screen";

/// In a desktop's FramebufferUpdate. What was not asked of this desktop is refused as well: of one on a local socket, all pixels but
/// Raw and CopyRect.
pub const FROM_DESKTOP: &[Line<E>] = &[
    (E::RAW, Understood, "decoded onto the screen; always asked for"),
    (E::COPY_RECT, Understood, "decoded onto the screen; both rectangles lie on it"),
    (E::RRE, Understood, "decoded onto the screen; no more subrectangles than pixels, each within its rectangle"),
    (E::CORRE, Refused, NOT_ASKED),
    (E::HEXTILE, Understood, "decoded onto the screen; subrectangles lie in their tiles"),
    (E::ZLIB, Refused, NOT_ASKED),
    (
        E::TIGHT,
        Understood,
        "decoded onto the screen: fill, copy, palette, gradient; JPEG where a quality was asked for, one baseline scan of the \
         rectangle's size",
    ),
    (E::ZLIB_HEX, Refused, "never asked for: KasmVNC uses its number for another path of pixels"),
    (E::ULTRA, Refused, NO_LENGTH),
    (E::TRLE, Refused, NO_LENGTH),
    (E::ZRLE, Understood, "decoded onto the screen; runs lie in their tiles, indices in their palettes"),
    (E::ZYWRLE, Refused, NOT_ASKED),
    (E::H264, Refused, NOT_ASKED),
    (E::JPEG, Refused, NO_LENGTH),
    (E::OPEN_H264, Refused, NOT_ASKED),
    (E::JPEG_QUALITY_0, Refused, "a wish, never a rectangle"),
    (E::JPEG_QUALITY_9, Refused, "a wish, never a rectangle"),
    (E::DESKTOP_SIZE, Understood, "within the largest size; eight an update"),
    (E::LAST_RECT, Understood, "ends the update"),
    (E::POINTER_POS, Refused, COVERT),
    (E::CURSOR, Understood, "at most 256x256; drawn into the record"),
    (E::X_CURSOR, Refused, NOT_ASKED),
    (E::COMPRESS_LEVEL_0, Refused, "a wish, never a rectangle"),
    (E::COMPRESS_LEVEL_9, Refused, "a wish, never a rectangle"),
    (E::QEMU_POINTER_MOTION_CHANGE, Refused, NOT_ASKED),
    (E::QEMU_EXTENDED_KEY_EVENT, Understood, "the desktop takes scan codes"),
    (E::QEMU_AUDIO, Refused, "sound is not carried"),
    (E::TIGHT_PNG, Refused, NOT_ASKED),
    (E::QEMU_LED_STATE, Refused, COVERT),
    (E::GII, Refused, NOT_ASKED),
    (E::DESKTOP_NAME, Refused, "never asked for: a viewer sees the gate's own label"),
    (
        E::EXTENDED_DESKTOP_SIZE,
        Understood,
        "within the largest size; of its screens the first one's id alone is kept, to name it when a size is asked for",
    ),
    (E::XVP, Refused, NOT_ASKED),
    (E::FENCE, Refused, "a wish, never a rectangle"),
    (E::CONTINUOUS_UPDATES, Refused, "a wish, never a rectangle"),
    (E::CURSOR_WITH_ALPHA, Refused, "never asked for: it nests encodings"),
    (E::EXTENDED_MOUSE_BUTTONS, Refused, NOT_ASKED),
    (E::TIGHT_NO_ZLIB, Refused, NOT_ASKED),
    (E::EXTENDED_CLIPBOARD, Refused, "a wish, never a rectangle: its messages are cut texts"),
    (E::VMWARE_CURSOR, Refused, NOT_ASKED),
    (E::VMWARE_CURSOR_STATE, Refused, COVERT),
    (E::VMWARE_CURSOR_POSITION, Refused, COVERT),
    (E::VMWARE_KEY_REPEAT, Refused, COVERT),
    (E::VMWARE_LED_STATE, Refused, COVERT),
    (E::VMWARE_DISPLAY_MODE, Refused, "never asked for: it would change the pixel format"),
    (E::VMWARE_MACHINE_STATE, Refused, COVERT),
    (E::VA_H264, Refused, NOT_ASKED),
    (E::REPLIT_AUDIO, Refused, "sound is not carried"),
    (E::LIBVNC_KEYBOARD_LED_STATE, Refused, COVERT),
    (E::LIBVNC_SUPPORTED_MESSAGES, Refused, COVERT),
    (E::LIBVNC_SUPPORTED_ENCODINGS, Refused, COVERT),
    (E::LIBVNC_IDENTITY, Refused, COVERT),
    (E::ULTRA_CACHE, Refused, NO_LENGTH),
    (E::ULTRA_CACHE_ENABLE, Refused, NO_LENGTH),
    (E::ULTRA_XOR_ZLIB, Refused, NO_LENGTH),
    (E::ULTRA_XOR_MONO_ZLIB, Refused, NO_LENGTH),
    (E::ULTRA_XOR_MULTI_ZLIB, Refused, NO_LENGTH),
    (E::ULTRA_SOLID_COLOUR, Refused, NO_LENGTH),
    (E::ULTRA_XOR_ENABLE, Refused, NO_LENGTH),
    (E::ULTRA_CACHE_ZIP, Refused, NO_LENGTH),
    (E::ULTRA_SOLID_MONO_ZIP, Refused, NO_LENGTH),
    (E::ULTRA_ZIP, Refused, NO_LENGTH),
];

/// In a viewer's SetEncodings. What has no line is forgotten: a list is a wish.
pub const TO_VIEWER: &[Line<E>] = &[
    (E::RAW, Understood, "always possible; preferred to Tight where it is listed before it"),
    (E::COPY_RECT, Understood, "for what moved on the screen"),
    (E::TIGHT, Understood, "fill, palette, Zlib; JPEG where a quality is listed"),
    (E::JPEG_QUALITY_0, Understood, "with the nine above it: the quality of JPEG"),
    (E::JPEG_QUALITY_9, Understood, "the highest quality"),
    (E::COMPRESS_LEVEL_0, Understood, "with the nine above it: the effort of Zlib"),
    (E::COMPRESS_LEVEL_9, Understood, "the highest effort"),
    (E::DESKTOP_SIZE, Understood, "how a new size is told"),
    (
        E::EXTENDED_DESKTOP_SIZE,
        Answered,
        "how a new size is told, and agrees SetDesktopSize; one screen, id 0, flags 0",
    ),
    (E::LAST_RECT, Forgotten, "updates are counted"),
    (E::CURSOR, Understood, "the cursor's shape, where VMware Cursor is not listed"),
    (E::VMWARE_CURSOR, Understood, "the cursor's shape"),
    (E::QEMU_EXTENDED_KEY_EVENT, Answered, "agreed"),
    (E::FENCE, Answered, "agreed"),
    (E::CONTINUOUS_UPDATES, Answered, "agreed where fences are"),
    (E::EXTENDED_CLIPBOARD, Judged, "agreed with the gate's own caps: text"),
];
