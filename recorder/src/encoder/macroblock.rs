//! The difference of a macroblock from the picture before, transformed and quantised (ITU-T H.264 §8.5, as an encoder inverts it).

/// Rows and columns of a macroblock.
pub(super) const SIDE: usize = 16;
/// Zigzag scan of a 4x4 block (Table 8-2, frame): where in rows each coefficient lies.
const ZIGZAG: [usize; 16] = [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];
/// Multipliers of quantisation for QP modulo 6: of the corners of a 4x4 block, of its odd places, of the others.
const SCALE: [[i32; 3]; 6] = [
    [13107, 5243, 8066],
    [11916, 4660, 7490],
    [10082, 4194, 6554],
    [9362, 3647, 5825],
    [8192, 3355, 5243],
    [7282, 2893, 4559],
];

/// Differences of the samples of one macroblock, 4:2:0.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    pub(super) luma: [[i32; SIDE]; SIDE],
    /// Cb and Cr.
    pub(super) chroma: [[[i32; SIDE / 2]; SIDE / 2]; 2],
}

/// Coefficients of one macroblock, in the order of their coding.
#[derive(Debug, Clone, Default)]
pub(super) struct Residual {
    /// 4x4 blocks, zigzag: four of each quarter.
    pub(super) luma: [[i32; 16]; 16],
    /// The DC coefficients of Cb and Cr.
    pub(super) chroma_dc: [[i32; 4]; 2],
    /// The other coefficients of the four blocks of Cb and Cr, zigzag.
    pub(super) chroma_ac: [[[i32; 15]; 4]; 2],
}

/// A quantiser parameter. INVARIANT: at most 29, where that of chroma is the same (Table 8-15), and at least 12, where no level
/// is so large that CAVLC needs its longest escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quantiser(u8);

impl Quantiser {
    pub(super) fn new(qp: u8) -> Self {
        Self(qp.clamp(12, 29))
    }

    /// pic_init_qp_minus26.
    pub(super) fn initial(self) -> i32 {
        i32::from(self.0) - 26
    }

    fn scales(self) -> [i32; 3] {
        SCALE.get(usize::from(self.0 % 6)).copied().unwrap_or_default()
    }

    /// A coefficient's level; `halvings` more are for the DC of chroma. Rounds down below three quarters.
    fn level(self, coefficient: i32, scale: i32, halvings: u32) -> i32 {
        let shift = 15 + u32::from(self.0 / 6) + halvings;
        let size = (coefficient.abs() * scale + (1 << (shift - 2))) >> shift;
        if coefficient < 0 { -size } else { size }
    }

    fn quantise(self, block: [i32; 16]) -> [i32; 16] {
        let [corner, odd, other] = self.scales();
        let mut place = 0;
        block.map(|coefficient| {
            let (row, column) = (place / 4, place % 4);
            place += 1;
            let scale = match (row % 2, column % 2) {
                (0, 0) => corner,
                (1, 1) => odd,
                _ => other,
            };
            self.level(coefficient, scale, 0)
        })
    }
}

impl Residual {
    pub(super) fn of(difference: &Difference, quantiser: Quantiser) -> Self {
        let mut residual = Self::default();
        for (n, block) in residual.luma.iter_mut().enumerate() {
            // Quarters in rows, and blocks in rows within each.
            let (x, y) = ((n & 1) + (n >> 1 & 2), (n >> 1 & 1) + (n >> 2 & 2));
            let samples = samples(&difference.luma, x, y);
            *block = zigzag(quantiser.quantise(transform(samples)));
        }
        let planes = residual.chroma_dc.iter_mut().zip(&mut residual.chroma_ac);
        for (plane, (dc, ac)) in difference.chroma.iter().zip(planes) {
            let mut direct = [0; 4];
            for (n, (block, direct)) in ac.iter_mut().zip(&mut direct).enumerate() {
                let coefficients = transform(samples(plane, n & 1, n >> 1));
                let [first, rest @ ..] = zigzag(quantiser.quantise(coefficients));
                let _ = first;
                *block = rest;
                *direct = coefficients.first().copied().unwrap_or(0);
            }
            let [a, b, c, d] = direct;
            let [corner, ..] = quantiser.scales();
            *dc = [a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d]
                .map(|coefficient| quantiser.level(coefficient, corner, 1));
        }
        residual
    }

    /// coded_block_pattern: a bit for each quarter of luma, and 16 for chroma's DC alone or 32 for all of chroma.
    pub(super) fn pattern(&self) -> u8 {
        let any = |levels: &[i32]| levels.iter().any(|level| *level != 0);
        let quarters = self.luma.chunks_exact(4).zip([1u8, 2, 4, 8]);
        let luma: u8 = quarters.filter(|(blocks, _)| blocks.iter().any(|block| any(block))).map(|(_, bit)| bit).sum();
        let chroma = if self.chroma_ac.iter().flatten().any(|block| any(block)) {
            32
        } else if self.chroma_dc.iter().any(|block| any(block)) {
            16
        } else {
            0
        };
        luma + chroma
    }
}

/// The 4x4 block in column `x` and row `y` of blocks.
fn samples<const N: usize>(plane: &[[i32; N]; N], x: usize, y: usize) -> [i32; 16] {
    let mut block = [0; 16];
    for (to, from) in block.chunks_exact_mut(4).zip(plane.iter().skip(y * 4)) {
        to.iter_mut().zip(from.iter().skip(x * 4)).for_each(|(to, from)| *to = *from);
    }
    block
}

/// The forward core transform of a 4x4 block: rows, then columns.
fn transform(block: [i32; 16]) -> [i32; 16] {
    transposed(pass(transposed(pass(block))))
}

fn pass(mut block: [i32; 16]) -> [i32; 16] {
    for row in block.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = *row;
        let (s0, s1, d0, d1) = (a + d, b + c, a - d, b - c);
        *row = [s0 + s1, 2 * d0 + d1, s0 - s1, d0 - 2 * d1];
    }
    block
}

fn transposed(block: [i32; 16]) -> [i32; 16] {
    const PLACES: [usize; 16] = [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];
    PLACES.map(|place| block.get(place).copied().unwrap_or(0))
}

fn zigzag(block: [i32; 16]) -> [i32; 16] {
    ZIGZAG.map(|place| block.get(place).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_difference_is_dc_alone() {
        let difference = Difference { luma: [[40; SIDE]; SIDE], chroma: [[[-12; 8]; 8]; 2] };
        let residual = Residual::of(&difference, Quantiser::new(20));
        assert!(residual.luma.iter().all(|block| block[0] > 0 && block[1..].iter().all(|level| *level == 0)));
        assert!(residual.chroma_dc.iter().all(|dc| dc[0] < 0 && dc[1..] == [0; 3]));
        assert_eq!(residual.pattern(), 15 + 16);
    }

    #[test]
    fn the_pattern_names_the_quarters() {
        let mut difference = Difference { luma: [[0; SIDE]; SIDE], chroma: [[[0; 8]; 8]; 2] };
        assert_eq!(Residual::of(&difference, Quantiser::new(20)).pattern(), 0);
        difference.luma[3][12] = 200;
        difference.luma[15][0] = 200;
        difference.chroma[1][7][7] = 100;
        let residual = Residual::of(&difference, Quantiser::new(20));
        assert_eq!(residual.pattern(), 2 + 4 + 32);
        assert!(residual.luma[7].iter().all(|level| *level == 0) && residual.luma[5].iter().any(|level| *level != 0));
        assert!(residual.luma[10].iter().any(|level| *level != 0));
    }
}
