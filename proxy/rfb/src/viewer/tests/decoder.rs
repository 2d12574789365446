//! A viewer's decoder, written from the specifications alone: it replays everything that a connection sends.

use flate2::{Decompress, FlushDecompress, Status};

use crate::geometry::{Point, Rect, Size};

/// How a data rectangle was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::viewer) enum Way {
    Raw,
    Copy,
    Fill,
    Mono,
    Indexed,
    Colour,
    Jpeg,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::viewer) struct ShownCursor {
    pub(in crate::viewer) hotspot: Point,
    pub(in crate::viewer) size: Size,
    /// R, G, B, A.
    pub(in crate::viewer) pixels: Vec<[u8; 4]>,
}

pub(in crate::viewer) struct Decoder {
    pub(in crate::viewer) size: Size,
    /// R, G, B.
    pub(in crate::viewer) pixels: Vec<[u8; 3]>,
    /// Bytes of a pixel that are red, green and blue in Raw and Cursor.
    pub(in crate::viewer) rgb_first: bool,
    pub(in crate::viewer) cursor: Option<ShownCursor>,
    /// Flags and payload of fences not yet answered.
    pub(in crate::viewer) fences: Vec<(u32, Vec<u8>)>,
    pub(in crate::viewer) ends: usize,
    pub(in crate::viewer) bells: usize,
    pub(in crate::viewer) texts: Vec<Vec<u8>>,
    /// Extended clipboard messages: flags, and what follows them.
    pub(in crate::viewer) clipboard: Vec<(u32, Vec<u8>)>,
    /// Reason, status, size.
    pub(in crate::viewer) sizes: Vec<(u16, u16, Size)>,
    pub(in crate::viewer) extended_keys: bool,
    pub(in crate::viewer) updates: usize,
    pub(in crate::viewer) ways: Vec<(Way, Rect)>,
    inflate: [Decompress; 4],
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (now, rest) = self.0.split_at(count);
        self.0 = rest;
        now
    }

    fn u8(&mut self) -> u8 {
        self.bytes(1)[0]
    }

    fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.bytes(2).try_into().unwrap())
    }

    fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.bytes(4).try_into().unwrap())
    }

    fn compact(&mut self) -> usize {
        let mut length = 0;
        for shift in [0, 7, 14] {
            let byte = usize::from(self.u8());
            if shift == 14 {
                return length | byte << 14;
            }
            length |= (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        length
    }
}

impl Decoder {
    pub(in crate::viewer) fn new(size: Size) -> Self {
        Self {
            size,
            pixels: vec![[1, 2, 3]; size.area() as usize],
            rgb_first: false,
            cursor: None,
            fences: Vec::new(),
            ends: 0,
            bells: 0,
            texts: Vec::new(),
            clipboard: Vec::new(),
            sizes: Vec::new(),
            extended_keys: false,
            updates: 0,
            ways: Vec::new(),
            inflate: std::array::from_fn(|_| Decompress::new(true)),
        }
    }

    /// Takes whole messages; anything else is a failure.
    pub(in crate::viewer) fn feed(&mut self, bytes: &[u8]) {
        let mut reader = Reader(bytes);
        while !reader.0.is_empty() {
            match reader.u8() {
                0 => self.update(&mut reader),
                2 => self.bells += 1,
                3 => {
                    assert_eq!(reader.bytes(3), [0; 3]);
                    match reader.u32().cast_signed() {
                        length @ 0.. => self.texts.push(reader.bytes(length as usize).to_vec()),
                        length => {
                            let flags = reader.u32();
                            self.clipboard.push((flags, reader.bytes(length.unsigned_abs() as usize - 4).to_vec()));
                        }
                    }
                }
                150 => self.ends += 1,
                248 => {
                    assert_eq!(reader.bytes(3), [0; 3]);
                    let flags = reader.u32();
                    let length = usize::from(reader.u8());
                    assert!(length <= 64);
                    self.fences.push((flags, reader.bytes(length).to_vec()));
                }
                other => panic!("message {other}"),
            }
        }
    }

    pub(in crate::viewer) fn used(&self, way: Way) -> bool {
        self.ways.iter().any(|(used, _)| *used == way)
    }

    fn update(&mut self, reader: &mut Reader<'_>) {
        self.updates += 1;
        assert_eq!(reader.u8(), 0, "padding");
        let rects = reader.u16();
        assert!(rects > 0, "an update of nothing");
        let mut pixels = false;
        for _ in 0..rects {
            let rect = Rect::new(reader.u16(), reader.u16(), reader.u16(), reader.u16());
            let encoding = reader.u32().cast_signed();
            match encoding {
                0 | 1 | 7 => {
                    pixels = true;
                    assert!(!rect.is_empty() && rect.is_within(self.size), "{rect} on {}", self.size);
                    let way = self.data(encoding, rect, reader);
                    self.ways.push((way, rect));
                }
                -239 | 0x574d_5664 => self.cursor = Some(self.cursor(encoding, rect, reader)),
                -223 => self.resize(rect.size()),
                -308 => {
                    assert!(!pixels, "a size beside pixels");
                    self.sizes.push((rect.x, rect.y, rect.size()));
                    assert_eq!(reader.bytes(12), [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                    assert_eq!(Size::new(reader.u16(), reader.u16()), rect.size());
                    assert_eq!(reader.u32(), 0);
                    if rect.y == 0 {
                        self.resize(rect.size());
                    }
                }
                -258 => {
                    assert_eq!(rect, Rect::default());
                    self.extended_keys = true;
                }
                other => panic!("encoding {other}"),
            }
        }
    }

    /// A new size: what is shown until it is painted is anything but right.
    fn resize(&mut self, size: Size) {
        if size != self.size {
            self.size = size;
            self.pixels = vec![[1, 2, 3]; size.area() as usize];
        }
    }

    fn data(&mut self, encoding: i32, rect: Rect, reader: &mut Reader<'_>) -> Way {
        match encoding {
            0 => {
                let bytes = reader.bytes(rect.area() as usize * 4);
                let pixels = bytes.chunks(4).map(|pixel| self.pixel(pixel)).collect();
                self.put(rect, pixels);
                Way::Raw
            }
            1 => {
                let from = rect.at(Point::new(reader.u16(), reader.u16()));
                assert!(from.is_within(self.size));
                let pixels = self.get(from);
                self.put(rect, pixels);
                Way::Copy
            }
            _ => self.tight(rect, reader),
        }
    }

    fn pixel(&self, pixel: &[u8]) -> [u8; 3] {
        assert_eq!(pixel[3], 0, "the fourth byte carries nothing");
        if self.rgb_first { [pixel[0], pixel[1], pixel[2]] } else { [pixel[2], pixel[1], pixel[0]] }
    }

    fn tight(&mut self, rect: Rect, reader: &mut Reader<'_>) -> Way {
        assert!(rect.width <= 2048);
        let area = rect.area() as usize;
        let control = reader.u8();
        assert_eq!(control & 0x0f, 0, "noVNC's streams do not survive a reset");
        let (way, pixels) = match control >> 4 {
            8 => (Way::Fill, vec![reader.bytes(3).try_into().unwrap(); area]),
            9 => {
                let length = reader.compact();
                let image = turbojpeg::decompress(reader.bytes(length), turbojpeg::PixelFormat::RGB).unwrap();
                assert_eq!((image.width, image.height), (usize::from(rect.width), usize::from(rect.height)));
                let rows = image.pixels.chunks(image.pitch).flat_map(|row| row[..image.width * 3].chunks(3));
                (Way::Jpeg, rows.map(|pixel| pixel.try_into().unwrap()).collect())
            }
            basic @ 0..8 => {
                let stream = usize::from(basic & 3);
                let filter = if basic & 4 == 0 { 0 } else { reader.u8() };
                if filter == 0 {
                    let data = self.inflated(stream, area * 3, reader);
                    (Way::Colour, data.chunks(3).map(|pixel| pixel.try_into().unwrap()).collect())
                } else {
                    assert_eq!(filter, 1);
                    self.palette(stream, rect, reader)
                }
            }
            other => panic!("tight control {other}"),
        };
        self.put(rect, pixels);
        way
    }

    fn palette(&mut self, stream: usize, rect: Rect, reader: &mut Reader<'_>) -> (Way, Vec<[u8; 3]>) {
        let colours = usize::from(reader.u8()) + 1;
        assert!(colours >= 2, "libvncclient and vnc-rs refuse one colour");
        let palette: Vec<[u8; 3]> = reader.bytes(colours * 3).chunks(3).map(|c| c.try_into().unwrap()).collect();
        let (width, height) = (usize::from(rect.width), usize::from(rect.height));
        if colours > 2 {
            let data = self.inflated(stream, width * height, reader);
            return (Way::Indexed, data.iter().map(|&index| palette[usize::from(index)]).collect());
        }
        let data = self.inflated(stream, width.div_ceil(8) * height, reader);
        let bit = |row: &[u8], x: usize| palette[usize::from(row[x / 8] >> (7 - x % 8) & 1)];
        let rows = data.chunks(width.div_ceil(8));
        (Way::Mono, rows.flat_map(|row| (0..width).map(move |x| bit(row, x))).collect())
    }

    /// `length` bytes of data: as they are if short, else deflated, and then nothing may be left over.
    fn inflated(&mut self, stream: usize, length: usize, reader: &mut Reader<'_>) -> Vec<u8> {
        if length < 12 {
            return reader.bytes(length).to_vec();
        }
        let packed = reader.compact();
        assert!(packed <= 4_194_303);
        let packed = reader.bytes(packed);
        let inflate = &mut self.inflate[stream];
        let mut data = vec![0; length];
        let (in_before, out_before) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(packed, &mut data, FlushDecompress::None).unwrap();
        assert_ne!(status, Status::StreamEnd);
        assert_eq!(inflate.total_out() - out_before, length as u64);
        assert_eq!(inflate.total_in() - in_before, packed.len() as u64, "vnc-rs refuses bytes left over");
        data
    }

    fn cursor(&self, encoding: i32, rect: Rect, reader: &mut Reader<'_>) -> ShownCursor {
        let area = rect.area() as usize;
        let pixels = if encoding == -239 {
            let pixels = reader.bytes(area * 4);
            let stride = usize::from(rect.width).div_ceil(8);
            let mask = reader.bytes(stride * usize::from(rect.height));
            let visible = |n: usize| {
                let (x, y) = (n % usize::from(rect.width), n / usize::from(rect.width));
                mask[y * stride + x / 8] >> (7 - x % 8) & 1 == 1
            };
            let pixel = |(n, pixel)| {
                let [red, green, blue] = self.pixel(pixel);
                [red, green, blue, if visible(n) { 255 } else { 0 }]
            };
            pixels.chunks(4).enumerate().map(pixel).collect()
        } else {
            assert_eq!(reader.bytes(2), [1, 0]);
            reader.bytes(area * 4).chunks(4).map(|pixel| pixel.try_into().unwrap()).collect()
        };
        ShownCursor { hotspot: rect.origin(), size: rect.size(), pixels }
    }

    fn get(&self, rect: Rect) -> Vec<[u8; 3]> {
        let width = usize::from(self.size.width);
        let rows = usize::from(rect.y)..usize::from(rect.y) + usize::from(rect.height);
        rows.flat_map(|y| &self.pixels[y * width + usize::from(rect.x)..][..usize::from(rect.width)]).copied().collect()
    }

    fn put(&mut self, rect: Rect, pixels: Vec<[u8; 3]>) {
        assert_eq!(pixels.len() as u64, rect.area());
        let width = usize::from(self.size.width);
        for (row, y) in pixels.chunks(usize::from(rect.width)).zip(usize::from(rect.y)..) {
            self.pixels[y * width + usize::from(rect.x)..][..row.len()].copy_from_slice(row);
        }
    }
}
