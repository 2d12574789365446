//! Pixel formats on the wire (RFC 6143 §7.4) and the one that the screen keeps: bytes B, G, R, 0.

/// Bytes of a pixel in the screen and in every format that Portcullis speaks.
pub const BYTES: usize = 4;

/// PIXEL_FORMAT, 16 bytes on the wire (RFC 6143 §7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelFormat {
    /// 8, 16 or 32.
    pub bits_per_pixel: u8,
    /// Bits of them that mean something.
    pub depth: u8,
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
    /// Whether pixels are colours rather than numbers in a map; any byte but 0 on the wire.
    pub true_colour: bool,
    /// Largest value of red, green, blue.
    pub max: [u16; 3],
    /// Bits that red, green, blue are shifted left by.
    pub shift: [u8; 3],
}

/// What the screen keeps and what the desktop is asked for: 32 bits, depth 24, little-endian, so B, G, R, 0 in memory.
pub const BGR0: PixelFormat = PixelFormat {
    bits_per_pixel: 32,
    depth: 24,
    big_endian: false,
    true_colour: true,
    max: [255; 3],
    shift: [16, 8, 0],
};

/// The same with red first, R, G, B, 0 in memory: what noVNC asks for.
pub const RGB0: PixelFormat = PixelFormat { shift: [0, 8, 16], ..BGR0 };

impl PixelFormat {
    /// Bytes on the wire.
    pub const WIRE: usize = 16;

    /// The 16 bytes of the wire, padding 0.
    pub fn to_wire(self) -> [u8; Self::WIRE] {
        let [red, green, blue] = self.max.map(u16::to_be_bytes);
        let [red_shift, green_shift, blue_shift] = self.shift;
        [
            self.bits_per_pixel,
            self.depth,
            u8::from(self.big_endian),
            u8::from(self.true_colour),
            red[0],
            red[1],
            green[0],
            green[1],
            blue[0],
            blue[1],
            red_shift,
            green_shift,
            blue_shift,
            0,
            0,
            0,
        ]
    }

    /// The format in 16 bytes of the wire. Flags are true when not 0, padding is not looked at.
    pub fn from_wire(bytes: [u8; Self::WIRE]) -> Self {
        let [
            bits_per_pixel,
            depth,
            big_endian,
            true_colour,
            r0,
            r1,
            g0,
            g1,
            b0,
            b1,
            r_shift,
            g_shift,
            b_shift,
            _,
            _,
            _,
        ] = bytes;
        Self {
            bits_per_pixel,
            depth,
            big_endian: big_endian != 0,
            true_colour: true_colour != 0,
            max: [[r0, r1], [g0, g1], [b0, b1]].map(u16::from_be_bytes),
            shift: [r_shift, g_shift, b_shift],
        }
    }
}

/// Sets the fourth byte of every whole pixel to 0, so that nothing travels in it unseen.
pub fn clear_fourth_bytes(pixels: &mut [u8]) {
    let (pixels, _) = pixels.as_chunks_mut::<BYTES>();
    for pixel in pixels {
        // As one number and not as a byte: this form becomes vector instructions.
        *pixel = (u32::from_le_bytes(*pixel) & 0x00ff_ffff).to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bgr0_on_the_wire() {
        #[rustfmt::skip]
        let bytes = [
            32, 24, 0, 1,                  // bits-per-pixel, depth, big-endian-flag, true-colour-flag
            0, 255, 0, 255, 0, 255,        // red-max, green-max, blue-max
            16, 8, 0,                      // red-shift, green-shift, blue-shift
            0, 0, 0,                       // padding
        ];
        assert_eq!(BGR0.to_wire(), bytes);
        assert_eq!(PixelFormat::from_wire(bytes), BGR0);
        assert_eq!(PixelFormat::from_wire(RGB0.to_wire()), RGB0);
    }

    #[test]
    fn any_flag_but_zero_is_true_and_padding_is_dropped() {
        let mut bytes = BGR0.to_wire();
        bytes[3] = 0xff;
        bytes[15] = 7;
        assert_eq!(PixelFormat::from_wire(bytes), BGR0);
    }

    #[test]
    fn the_fourth_byte_is_cleared_of_whole_pixels_only() {
        let mut pixels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9];
        clear_fourth_bytes(&mut pixels);
        assert_eq!(pixels, [1, 2, 3, 0, 5, 6, 7, 0, 9, 9, 9]);
    }
}
