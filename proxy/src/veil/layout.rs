//! Where a watermark stands on a screen.

use portcullis_policy::Layout;
use portcullis_rfb::Size;

/// The least from one repetition to the next, in pixels: there are at most 42 by 24 of them on the largest screen.
const LEAST_PITCH: i32 = 96;

/// The top left corners of a watermark of `stamp` pixels, letters so many pixels high, on a screen; parts of it may lie beyond the edges.
pub(super) fn places(layout: Layout, stamp: Size, letters: u16, screen: Size) -> Vec<(i32, i32)> {
    let (width, height) = (i32::from(stamp.width), i32::from(stamp.height));
    let (right, bottom) = (i32::from(screen.width) - width, i32::from(screen.height) - height);
    let margin = i32::from(letters / 2);
    let (near_x, near_y) = (margin.min(right.max(0)), margin.min(bottom.max(0)));
    let (far_x, far_y) = ((right - margin).max(right.min(0)), (bottom - margin).max(bottom.min(0)));
    match layout {
        Layout::Tiled => tiled((width, height), i32::from(letters), screen),
        Layout::Centre => vec![(right / 2, bottom / 2)],
        Layout::TopLeft => vec![(near_x, near_y)],
        Layout::TopRight => vec![(far_x, near_y)],
        Layout::BottomLeft => vec![(near_x, far_y)],
        Layout::BottomRight => vec![(far_x, far_y)],
    }
}

/// Like bricks, with room between them for the eye.
fn tiled((width, height): (i32, i32), letters: i32, screen: Size) -> Vec<(i32, i32)> {
    let pitch = |side: i32| (side + 3 * letters).max(LEAST_PITCH);
    let (across, down) = (pitch(width), pitch(height));
    let mut places = Vec::new();
    let start = |side: i32, length: u16| ((i32::from(length) - side).max(0) / 2).min(letters);
    let (first, mut y) = (start(width, screen.width), start(height, screen.height));
    let mut shifted = false;
    while y < i32::from(screen.height) {
        let mut x = if shifted { first - across / 2 } else { first };
        while x < i32::from(screen.width) {
            places.push((x, y));
            x += across;
        }
        y += down;
        shifted = !shifted;
    }
    places
}
