//! Patch pictures: what libx264 takes some 10 ms for at 1920x1080 however little changes, written in microseconds.
//!
//! A patch is a picture (ITU-T H.264 P slice, CAVLC) that copies libx264's newest picture but for a few macroblocks, for which it
//! codes the difference. It is never referred to, so libx264 need not know of it and nothing has to be reconstructed; the next
//! patch again holds all that differs from libx264's picture, and when that becomes too much libx264 makes the next one.
//!
//! INVARIANT: `reference` is the canvas as it was when libx264 encoded it last, but for the macroblocks in `stale`.
use std::collections::BTreeMap;

use portcullis_rfb::{Region, Size};

use super::Canvas;
use super::bits::{BitReader, BitWriter, escape, unescape};
use super::cavlc::{self, Context};
use super::h264::{ORDER_BITS, PATCH_PPS, ParameterSets};
use super::macroblock::{Difference, Quantiser, Residual, SIDE};

/// The most macroblocks that may have been touched for a patch to be tried.
const MOST_STALE: usize = 96;
/// The longest patch in bytes. A longer one is left to libx264, which stores less where much has changed.
const LONGEST: usize = 2048;
/// The most patches in a row: far below what the order of pictures, counted in 16 bits from the newest reference, can tell.
const MOST_IN_A_ROW: u32 = 8192;

/// coded_block_pattern of inter macroblocks in the order of their codes (Table 9-4).
const PATTERNS: [u8; 48] = [
    0, 16, 1, 2, 4, 8, 32, 3, 5, 10, 12, 15, 47, 7, 11, 13, 14, 6, 9, 31, 35, 37, 42, 44, 33, 34, 36, 40, 39, 43, 45,
    46, 17, 18, 20, 24, 19, 21, 26, 28, 23, 27, 29, 30, 22, 25, 38, 41,
];

/// NAL unit types (Table 7-1).
const NON_IDR: u8 = 1;
const IDR: u8 = 5;

/// Writes patches, and puts libx264's pictures in order with them.
pub(super) struct Patcher {
    quantiser: Quantiser,
    frame_number_bits: u32,
    /// Macroblocks in a row and in a column.
    columns: usize,
    rows: usize,
    reference: Planes,
    /// Macroblocks whose canvas may differ from the reference, in raster order of their numbers.
    stale: Vec<usize>,
    is_stale: Vec<bool>,
    /// frame_num of the next picture.
    frame_number: u32,
    /// pic_order_cnt_lsb of the next picture, and how many patches there were since a reference picture.
    order: u32,
    patches: u32,
}

struct Planes {
    luma: Vec<u8>,
    chroma: Vec<u8>,
}

/// Coefficient counts of the blocks of a macroblock, for the contexts of its neighbours.
#[derive(Clone, Copy, Default)]
struct Counts {
    luma: [[u8; 4]; 4],
    chroma: [[[u8; 2]; 2]; 2],
}

impl Patcher {
    /// A patcher for pictures of `size`, which is even, whose canvas is as it is lent.
    pub(super) fn new(size: Size, quantiser: Quantiser, sets: &ParameterSets, canvas: &Canvas<'_>) -> Self {
        let columns = usize::from(size.width).div_ceil(SIDE);
        let rows = usize::from(size.height).div_ceil(SIDE);
        Self {
            quantiser,
            frame_number_bits: sets.frame_number_bits(),
            columns,
            rows,
            reference: Planes { luma: canvas.luma.to_vec(), chroma: canvas.chroma.to_vec() },
            stale: Vec::new(),
            is_stale: vec![false; columns * rows],
            frame_number: 0,
            order: 0,
            patches: 0,
        }
    }

    /// Notes that the canvas was drawn on.
    pub(super) fn touch(&mut self, region: &Region) {
        for rect in region.rects() {
            let (left, top) = (usize::from(rect.x) / SIDE, usize::from(rect.y) / SIDE);
            let end = |start: u16, length: u16| (usize::from(start) + usize::from(length)).div_ceil(SIDE);
            for row in top..end(rect.y, rect.height).min(self.rows) {
                for column in left..end(rect.x, rect.width).min(self.columns) {
                    let number = row * self.columns + column;
                    if let Some(is_stale @ false) = self.is_stale.get_mut(number) {
                        *is_stale = true;
                        self.stale.push(number);
                    }
                }
            }
        }
    }

    /// The canvas as a patch, an access unit; `None` when libx264 should make the picture.
    pub(super) fn write(&mut self, canvas: &Canvas<'_>) -> Option<Vec<u8>> {
        if self.stale.len() > MOST_STALE || self.patches >= MOST_IN_A_ROW {
            return None;
        }
        self.stale.sort_unstable();
        let mut out = self.header();
        let mut coded = BTreeMap::new();
        let mut next = 0;
        for number in std::mem::take(&mut self.stale) {
            let Some(difference) = self.difference(canvas, number) else {
                // It shows again what it showed before.
                self.is_stale.get_mut(number).map(|is_stale| *is_stale = false)?;
                continue;
            };
            self.stale.push(number);
            let residual = Residual::of(&difference, self.quantiser);
            if residual.pattern() != 0 {
                out.ue(u32::try_from(number - next).ok()?);
                let counts = write_macroblock(&mut out, &residual, &coded, number, self.columns)?;
                coded.insert(number, counts);
                next = number + 1;
            }
        }
        if next < self.columns * self.rows {
            out.ue(u32::try_from(self.columns * self.rows - next).ok()?);
        }
        // nal_ref_idc 0: never referred to.
        let mut unit = vec![NON_IDR];
        unit.extend(escape(&out.finish()));
        if unit.len() > LONGEST {
            return None;
        }
        self.order = self.order.wrapping_add(2);
        self.patches += 1;
        Some(with_length(&unit))
    }

    /// An access unit of libx264 with its place in the order of pictures. The canvas is what it shows.
    pub(super) fn admit(&mut self, sample: &[u8], canvas: &Canvas<'_>) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(sample.len() + 8);
        let (mut rest, mut number) = (sample, None);
        while let Some((length, behind)) = rest.split_first_chunk() {
            let (unit, behind) = behind.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
            let kind = unit.first()? & 0x1f;
            if kind == IDR && number.is_none() {
                self.order = 0;
            }
            if kind == IDR || kind == NON_IDR {
                let (ordered, frame_number) = self.ordered(unit, kind == IDR)?;
                number = Some(frame_number);
                out.extend(with_length(&ordered));
            } else {
                out.extend(with_length(unit));
            }
            rest = behind;
        }
        self.frame_number = (number? + 1) & ((1 << self.frame_number_bits) - 1);
        self.order = self.order.wrapping_add(2);
        self.patches = 0;
        self.settle(canvas);
        Some(out)
    }

    /// A slice of libx264 with pic_order_cnt_lsb put in, and its frame_num. libx264 leaves the order to be that of decoding, which
    /// allows of no two pictures in a row that are not referred to. The field has 16 bits: what follows it keeps its place in bytes.
    fn ordered(&self, unit: &[u8], is_idr: bool) -> Option<(Vec<u8>, u32)> {
        let bytes = unescape(unit);
        let mut fields = BitReader::new(&bytes);
        fields.bits(8)?;
        // first_mb_in_slice, slice_type, pic_parameter_set_id
        (0..3).try_for_each(|_| fields.ue().map(drop))?;
        let number = fields.bits(self.frame_number_bits)?;
        if is_idr {
            // idr_pic_id
            fields.ue()?;
        }
        let place = fields.position();
        let (whole, open) = (place / 8, u32::try_from(place % 8).ok()?);
        let (front, back) = bytes.split_at_checked(whole)?;
        let [split, behind @ ..] = back else { return None };
        let [high, low] = u16::try_from(self.order & 0xffff).ok()?.to_be_bytes();
        let mut ordered = front.to_vec();
        // The bits before the field, the field, and the bits behind it, over three bytes.
        let keep = u32::from(*split);
        let before = keep >> (8 - open) << (8 - open);
        let field = (u32::from(high) << 8 | u32::from(low)) << (8 - open);
        let three = before << 16 | field | (keep & ((1 << (8 - open)) - 1));
        ordered.extend_from_slice(three.to_be_bytes().get(1..)?);
        ordered.extend_from_slice(behind);
        Some((escape(&ordered), number))
    }

    /// slice_header() of a patch, §7.3.3.
    fn header(&self) -> BitWriter {
        let mut out = BitWriter::default();
        // first_mb_in_slice; slice_type P, as all slices of the picture.
        out.ue(0);
        out.ue(5);
        out.ue(PATCH_PPS);
        out.bits(self.frame_number, self.frame_number_bits);
        out.bits(self.order, ORDER_BITS);
        // num_ref_idx_active_override_flag, ref_pic_list_modification_flag_l0
        out.bit(false);
        out.bit(false);
        // slice_qp_delta 0; disable_deblocking_filter_idc 1: what is copied stays exactly as it is.
        out.ue(0);
        out.ue(1);
        out
    }

    /// How a macroblock of the canvas differs from the reference; `None` when it does not. Beyond the picture nothing does.
    fn difference(&self, canvas: &Canvas<'_>, number: usize) -> Option<Difference> {
        let (x, y) = (number % self.columns * SIDE, number / self.columns * SIDE);
        let mut difference = Difference { luma: [[0; SIDE]; SIDE], chroma: [[[0; SIDE / 2]; SIDE / 2]; 2] };
        let mut differs = false;
        for (row, to) in difference.luma.iter_mut().enumerate() {
            let start = (y + row) * canvas.luma_stride + x;
            let pairs = part(canvas.luma, start).iter().zip(part(&self.reference.luma, start));
            for (to, (new, old)) in to.iter_mut().zip(pairs) {
                *to = i32::from(*new) - i32::from(*old);
                differs |= new != old;
            }
        }
        let [blue, red] = &mut difference.chroma;
        for (row, to) in blue.iter_mut().zip(red).enumerate() {
            let start = (y / 2 + row) * canvas.chroma_stride + x;
            let new = part(canvas.chroma, start).as_chunks::<2>().0;
            let old = part(&self.reference.chroma, start).as_chunks::<2>().0;
            for ((blue, red), (new, old)) in to.0.iter_mut().zip(to.1.iter_mut()).zip(new.iter().zip(old)) {
                let ([new_blue, new_red], [old_blue, old_red]) = (*new, *old);
                *blue = i32::from(new_blue) - i32::from(old_blue);
                *red = i32::from(new_red) - i32::from(old_red);
                differs |= new != old;
            }
        }
        differs.then_some(difference)
    }

    /// Takes the stale macroblocks of the canvas over into the reference.
    fn settle(&mut self, canvas: &Canvas<'_>) {
        for number in self.stale.drain(..) {
            let (x, y) = (number % self.columns * SIDE, number / self.columns * SIDE);
            if let Some(is_stale) = self.is_stale.get_mut(number) {
                *is_stale = false;
            }
            for row in 0..SIDE {
                let start = (y + row) * canvas.luma_stride + x;
                take_over(&mut self.reference.luma, canvas.luma, start);
            }
            for row in 0..SIDE / 2 {
                let start = (y / 2 + row) * canvas.chroma_stride + x;
                take_over(&mut self.reference.chroma, canvas.chroma, start);
            }
        }
    }
}

/// A row of a macroblock in a plane, as far as the plane goes.
fn part(plane: &[u8], start: usize) -> &[u8] {
    let rest = plane.get(start..).unwrap_or_default();
    rest.get(..SIDE).unwrap_or(rest)
}

fn take_over(to: &mut [u8], from: &[u8], start: usize) {
    let row = part(from, start);
    if let Some(to) = to.get_mut(start..).and_then(|rest| rest.get_mut(..row.len())) {
        to.copy_from_slice(row);
    }
}

/// A NAL unit as MP4 has it.
fn with_length(unit: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(unit.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    bytes.extend_from_slice(unit);
    bytes
}

/// macroblock_layer() of a P_L0_16x16 without motion, §7.3.5. Nothing around it moves either, so its vector is as predicted.
fn write_macroblock(
    out: &mut BitWriter,
    residual: &Residual,
    coded: &BTreeMap<usize, Counts>,
    number: usize,
    columns: usize,
) -> Option<Counts> {
    let pattern = residual.pattern();
    // mb_type P_L0_16x16, both parts of mvd_l0, coded_block_pattern, mb_qp_delta.
    out.ue(0);
    out.ue(0);
    out.ue(0);
    out.ue(u32::try_from(PATTERNS.iter().position(|listed| *listed == pattern)?).ok()?);
    out.ue(0);
    let left = (!number.is_multiple_of(columns)).then(|| coded.get(&(number - 1)).copied().unwrap_or_default());
    let above = number.checked_sub(columns).map(|above| coded.get(&above).copied().unwrap_or_default());
    let mut counts = Counts::default();
    for (n, block) in residual.luma.iter().enumerate() {
        if pattern >> (n / 4) & 1 == 0 {
            continue;
        }
        let (x, y) = ((n & 1) + (n >> 1 & 2), (n >> 1 & 1) + (n >> 2 & 2));
        let context = neighbours(&counts.luma, left.map(|held| held.luma), above.map(|held| held.luma), x, y);
        cavlc::write(out, block, context);
        *counts.luma.get_mut(y)?.get_mut(x)? = cavlc::count(block);
    }
    if pattern >= 16 {
        residual.chroma_dc.iter().for_each(|dc| cavlc::write(out, dc, Context::ChromaDc));
    }
    if pattern >= 32 {
        for (plane, blocks) in residual.chroma_ac.iter().enumerate() {
            for (n, block) in blocks.iter().enumerate() {
                let (x, y) = (n & 1, n >> 1);
                let of = |held: Counts| held.chroma.get(plane).copied().unwrap_or_default();
                let context = neighbours(&of(counts), left.map(of), above.map(of), x, y);
                cavlc::write(out, block, context);
                *counts.chroma.get_mut(plane)?.get_mut(y)?.get_mut(x)? = cavlc::count(block);
            }
        }
    }
    Some(counts)
}

/// nC of the block at `x`, `y` of a macroblock (§9.2.1): from the blocks to its left and above, where there are any.
fn neighbours<const N: usize>(
    own: &[[u8; N]; N],
    left: Option<[[u8; N]; N]>,
    above: Option<[[u8; N]; N]>,
    x: usize,
    y: usize,
) -> Context {
    let at = |counts: &[[u8; N]; N], x: usize, y: usize| counts.get(y).and_then(|row| row.get(x)).copied();
    let left = x.checked_sub(1).map_or_else(|| left.and_then(|held| at(&held, N - 1, y)), |x| at(own, x, y));
    let above = y.checked_sub(1).map_or_else(|| above.and_then(|held| at(&held, x, N - 1)), |y| at(own, x, y));
    Context::Neighbours(match (left, above) {
        (Some(left), Some(above)) => (left + above).div_ceil(2),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => 0,
    })
}

#[cfg(test)]
mod tests;
