//! Encoders of a scripted desktop, written from the specifications and not for speed: each takes a picture and says nothing twice.

use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;

use super::*;

/// B, G, R, 0.
pub(super) type Pixel = [u8; 4];

/// The pixels of a rectangle, row by row.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<Pixel>,
}

/// A zlib stream that is flushed after each piece.
pub(super) struct Deflater(Compress);

impl Deflater {
    pub(super) fn new() -> Self {
        Self(Compress::new(Compression::new(6), true))
    }

    pub(super) fn pack(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.packed(bytes, FlushCompress::Sync)
    }

    /// The last piece.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.packed(bytes, FlushCompress::Finish)
    }

    fn packed(&mut self, bytes: &[u8], flush: FlushCompress) -> Vec<u8> {
        let mut packed = Vec::with_capacity(bytes.len() * 2 + 1024);
        let before = self.0.total_in();
        self.0.compress_vec(bytes, &mut packed, flush).unwrap();
        assert_eq!(self.0.total_in() - before, bytes.len() as u64);
        packed
    }
}

/// Tight's length: seven bits, seven bits and eight, the lowest first.
pub(super) fn compact(length: usize) -> Vec<u8> {
    match length {
        0..128 => vec![length as u8],
        128..16384 => vec![length as u8 | 0x80, (length >> 7) as u8],
        _ => vec![length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8],
    }
}

/// What a desktop keeps for a viewer.
pub(super) struct Encoder {
    tight: [Deflater; 4],
    zrle: Deflater,
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self { tight: std::array::from_fn(|_| Deflater::new()), zrle: Deflater::new() }
    }

    /// Tight of `way` 0 copy, 1 the same by its name, 2 palette, 3 gradient, 4 fill, by the stream of this number.
    pub(super) fn tight(&mut self, picture: &Picture, way: u8, stream: u8) -> Vec<u8> {
        let palette = picture.palette();
        let (head, data) = match way {
            4 if palette.len() == 1 => return [&[0x80], &rgb(palette[0])[..]].concat(),
            2 if (2..=256).contains(&palette.len()) => {
                let head = [
                    &[0x40 | stream << 4, 1, (palette.len() - 1) as u8],
                    &palette.iter().flat_map(|p| rgb(*p)).collect::<Vec<u8>>()[..],
                ];
                let bits = if palette.len() == 2 { 1 } else { 8 };
                (head.concat(), picture.indices(&palette, bits))
            }
            3 => (vec![0x40 | stream << 4, 2], picture.gradient()),
            1 => (vec![0x40 | stream << 4, 0], picture.pixels.iter().flat_map(|p| rgb(*p)).collect()),
            _ => (vec![stream << 4], picture.pixels.iter().flat_map(|p| rgb(*p)).collect()),
        };
        if data.len() < 12 {
            return [head, data].concat();
        }
        let packed = self.tight[usize::from(stream)].pack(&data);
        [head, compact(packed.len()), packed].concat()
    }

    /// ZRLE, each tile in the next of `ways`: 0 raw, 1 palette, 2 runs, 3 palette runs.
    pub(super) fn zrle(&mut self, picture: &Picture, ways: &[u8]) -> Vec<u8> {
        let tiles: Vec<u8> =
            picture.tiles(64).iter().zip(ways.iter().cycle()).flat_map(|((_, tile), way)| tile.zrle(*way)).collect();
        let packed = self.zrle.pack(&tiles);
        [&(packed.len() as u32).to_be_bytes()[..], &packed].concat()
    }
}

/// R, G, B.
fn rgb([blue, green, red, _]: Pixel) -> [u8; 3] {
    [red, green, blue]
}

impl Picture {
    pub(super) fn new(width: usize, height: usize, pixel: impl Fn(usize, usize) -> Pixel) -> Self {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self { width, height, pixels: places.map(|(x, y)| pixel(x, y)).collect() }
    }

    /// Pixels of at most `colours` colours, in runs.
    pub(super) fn random(width: usize, height: usize, colours: u32, seed: u32) -> Self {
        let noise = |n: u32| (n ^ seed).wrapping_mul(0x9E37_79B1).rotate_left(13).wrapping_mul(0x85EB_CA77) >> 7;
        Self::new(width, height, |x, y| {
            let [blue, green, red, _] =
                noise(noise((x / (1 + seed as usize % 7) + y * 8191) as u32) % colours).to_le_bytes();
            [blue, green, red, 0]
        })
    }

    fn at(&self, x: usize, y: usize) -> Pixel {
        self.pixels[y * self.width + x]
    }

    fn palette(&self) -> Vec<Pixel> {
        let mut palette = self.pixels.clone();
        palette.sort();
        palette.dedup();
        palette
    }

    /// Places in `palette`, of `bits` bits each, rows padded to bytes.
    fn indices(&self, palette: &[Pixel], bits: usize) -> Vec<u8> {
        let index = |pixel: &Pixel| palette.binary_search(pixel).unwrap();
        let rows = self.pixels.chunks(self.width);
        let bytes = rows.flat_map(|row| row.chunks(8 / bits));
        bytes
            .map(|part| part.iter().enumerate().map(|(n, p)| index(p) << (8 - bits * (n + 1))).sum::<usize>() as u8)
            .collect()
    }

    /// Differences from what is foretold, colour by colour, as the specification's formula has it.
    fn gradient(&self) -> Vec<u8> {
        let value = |x: usize, y: usize, colour: usize| -> i32 {
            // Places are one higher than the pixel's, so that 0 is outside.
            if x == 0 || y == 0 { 0 } else { rgb(self.at(x - 1, y - 1))[colour].into() }
        };
        let mut bytes = Vec::new();
        for (y, x) in (0..self.height).flat_map(|y| (0..self.width).map(move |x| (y, x))) {
            for colour in 0..3 {
                let foretold = value(x, y + 1, colour) + value(x + 1, y, colour) - value(x, y, colour);
                bytes.push((value(x + 1, y + 1, colour) - foretold.clamp(0, 255)) as u8);
            }
        }
        bytes
    }

    /// Pieces of at most `side` x `side`, and where they begin.
    fn tiles(&self, side: usize) -> Vec<((usize, usize), Picture)> {
        let mut tiles = Vec::new();
        for y in (0..self.height).step_by(side) {
            for x in (0..self.width).step_by(side) {
                let (width, height) = (side.min(self.width - x), side.min(self.height - y));
                tiles.push(((x, y), Picture::new(width, height, |dx, dy| self.at(x + dx, y + dy))));
            }
        }
        tiles
    }

    /// Runs in reading order.
    fn runs(&self) -> Vec<(Pixel, usize)> {
        self.pixels.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect()
    }

    fn zrle(&self, way: u8) -> Vec<u8> {
        let palette = self.palette();
        let colours: Vec<u8> = palette.iter().flat_map(|p| p[..3].to_vec()).collect();
        let length = |run: usize| [vec![255; (run - 1) / 255], vec![((run - 1) % 255) as u8]].concat();
        match (way, palette.len()) {
            (1, 1) => [vec![1], colours].concat(),
            (1, count @ 2..=16) => {
                let bits = if count == 2 {
                    1
                } else if count <= 4 {
                    2
                } else {
                    4
                };
                [vec![count as u8], colours, self.indices(&palette, bits)].concat()
            }
            (2, _) => {
                let runs = self.runs();
                [vec![128], runs.iter().flat_map(|(p, run)| [&p[..3], &length(*run)].concat()).collect()].concat()
            }
            (3, count @ 2..=127) => {
                let index = |p: &Pixel| palette.binary_search(p).unwrap() as u8;
                let run = |(p, run): &(Pixel, usize)| match *run {
                    1 => vec![index(p)],
                    run => [vec![index(p) | 0x80], length(run)].concat(),
                };
                [vec![128 + count as u8], colours, self.runs().iter().flat_map(run).collect()].concat()
            }
            _ => [vec![0], self.pixels.iter().flat_map(|p| p[..3].to_vec()).collect()].concat(),
        }
    }

    /// RRE; the byte that is no colour is not 0.
    pub(super) fn rre(&self) -> Vec<u8> {
        let background = self.at(0, 0);
        let runs: Vec<(usize, usize, usize, Pixel)> = self.row_runs(background);
        let mut bytes = [&(runs.len() as u32).to_be_bytes()[..], &noisy(background)].concat();
        for (x, y, width, pixel) in runs {
            bytes.extend(noisy(pixel));
            bytes.extend([x, y, width, 1].iter().flat_map(|n| (*n as u16).to_be_bytes()));
        }
        bytes
    }

    /// Hextile, each tile in the next of `ways`: 0 raw, 1 one foreground, 2 coloured; colours only where they change.
    pub(super) fn hextile(&self, ways: &[u8]) -> Vec<u8> {
        let (mut bytes, mut background, mut foreground) = (Vec::new(), None, None);
        for ((_, tile), way) in self.tiles(16).iter().zip(ways.iter().cycle()) {
            let palette = tile.palette();
            let first = tile.at(0, 0);
            let runs = tile.row_runs(first);
            let one = palette.len() <= 2;
            if *way == 0 || runs.len() > 255 {
                bytes.push(1);
                bytes.extend(tile.pixels.iter().flat_map(|p| noisy(*p)));
                continue;
            }
            let other = palette.iter().copied().find(|p| *p != first);
            let (mut mask, mut head) = (0, Vec::new());
            if background.replace(first) != Some(first) {
                mask |= 2;
                head.extend(noisy(first));
            }
            if let (true, 1, Some(other)) = (one, *way, other) {
                if foreground.replace(other) != Some(other) {
                    mask |= 4;
                    head.extend(noisy(other));
                }
            } else if other.is_some() {
                mask |= 16;
            }
            if other.is_some() {
                mask |= 8;
                head.push(runs.len() as u8);
            }
            bytes.push(mask);
            bytes.extend(head);
            for (x, y, width, pixel) in runs {
                if mask & 16 != 0 {
                    bytes.extend(noisy(pixel));
                }
                bytes.extend([(x << 4 | y) as u8, ((width - 1) << 4) as u8]);
            }
        }
        bytes
    }

    /// Runs within a row that are not of the background: x, y, width, colour.
    fn row_runs(&self, background: Pixel) -> Vec<(usize, usize, usize, Pixel)> {
        let mut runs = Vec::new();
        for (y, row) in self.pixels.chunks(self.width).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|a, b| a == b) {
                if run[0] != background {
                    runs.push((x, y, run.len(), run[0]));
                }
                x += run.len();
            }
        }
        runs
    }
}

/// A pixel of the wire with something in the byte that is no colour.
fn noisy([blue, green, red, _]: Pixel) -> Pixel {
    [blue, green, red, 0xa5]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn every_encoding_shows_the_picture(
        (width, height) in prop_oneof![(1usize..40, 1usize..40), (1usize..200, 1usize..8), (60usize..140, 60usize..140)],
        colours in prop_oneof![1u32..4, 1u32..20, 100u32..400, Just(u32::MAX)], seed in any::<u32>(),
        ways in prop::collection::vec(0u8..5, 1..6), stream in 0u8..4, split in 1usize..3000,
    ) {
        let picture = Picture::random(width, height, colours, seed);
        let mut encoder = Encoder::new();
        let place = Rect::new(0, 0, width as u16, height as u16);
        let bodies = [
            (Encoding::TIGHT, encoder.tight(&picture, ways[0], stream)),
            (Encoding::ZRLE, encoder.zrle(&picture, &ways)),
            (Encoding::HEXTILE, picture.hextile(&ways)),
            (Encoding::RRE, picture.rre()),
            (Encoding::TIGHT, encoder.tight(&picture, 3, stream)),
            (Encoding::ZRLE, encoder.zrle(&picture, &ways)),
        ];
        let mut connection = ready_for(ALL, width as u16, height as u16);
        for (encoding, body) in bodies {
            connection.request_update(true);
            let bytes = update(&[rect(place, encoding, &body)]);
            let events: Vec<Event> = bytes.chunks(split).flat_map(|chunk| connection.receive(chunk).unwrap()).collect();
            let pixels = picture.pixels.as_flattened().to_vec();
            prop_assert_eq!(events, vec![Event::Update(vec![Change::Pixels { rect: place, pixels }])], "{}", encoding);
        }
    }
}
