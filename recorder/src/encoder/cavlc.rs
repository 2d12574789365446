//! CAVLC: writing the coefficients of a block (ITU-T H.264 §7.3.5.3.2, §9.2).
mod tables;

use super::bits::BitWriter;
use tables::{CHROMA_COEFF_TOKEN, CHROMA_TOTAL_ZEROS, COEFF_TOKEN, RUN_BEFORE, TOTAL_ZEROS};

/// What a block's code depends on beside its coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// The mean number of coefficients in the blocks to the left and above, nC.
    Neighbours(u8),
    /// The four DC coefficients of a chroma plane.
    ChromaDc,
}

/// Writes a block of coefficients in zigzag order. INVARIANT: 4, 15 or 16 of them, none beyond ±2,063: no longer escape is needed.
pub(super) fn write(out: &mut BitWriter, coefficients: &[i32], context: Context) {
    let levels: Vec<i32> = coefficients.iter().rev().copied().filter(|level| *level != 0).collect();
    let ones = levels.iter().take(3).take_while(|level| level.abs() == 1).count();
    token(out, levels.len(), ones, context);
    if levels.is_empty() {
        return;
    }
    for level in levels.iter().take(ones) {
        out.bit(*level < 0);
    }
    remaining(out, &levels, ones);
    zeros(out, coefficients, levels.len(), context);
}

/// How many coefficients of a block are not 0, total_coeff.
pub(super) fn count(coefficients: &[i32]) -> u8 {
    coefficients.iter().fold(0, |count, level| count + u8::from(*level != 0))
}

fn token(out: &mut BitWriter, total: usize, ones: usize, context: Context) {
    let table = match context {
        Context::ChromaDc => return digits(out, CHROMA_COEFF_TOKEN.get(total).and_then(|row| row.get(ones))),
        Context::Neighbours(0..=1) => COEFF_TOKEN.first(),
        Context::Neighbours(2..=3) => COEFF_TOKEN.get(1),
        Context::Neighbours(4..=7) => COEFF_TOKEN.get(2),
        Context::Neighbours(_) => {
            // Six bits: both numbers, but for none at all.
            let both = total.checked_sub(1).map_or(3, |less| less << 2 | ones);
            return out.bits(u32::try_from(both).unwrap_or(0), 6);
        }
    };
    digits(out, table.and_then(|table| table.get(total)).and_then(|row| row.get(ones)));
}

/// The levels that are no trailing ones: level_prefix and level_suffix.
fn remaining(out: &mut BitWriter, levels: &[i32], ones: usize) {
    let mut suffix = u32::from(levels.len() > 10 && ones < 3);
    for (n, level) in levels.iter().enumerate().skip(ones) {
        let size = level.unsigned_abs();
        let mut code = 2 * size - if *level > 0 { 2 } else { 1 };
        if n == ones && ones < 3 {
            // It is no one, or it would be among the trailing ones.
            code -= 2;
        }
        let (prefix, rest, length) = match suffix {
            0 if code < 14 => (code, 0, 0),
            0 if code < 30 => (14, code - 14, 4),
            0 => (15, code - 30, 12),
            _ if code < 15 << suffix => (code >> suffix, code & ((1 << suffix) - 1), suffix),
            _ => (15, code - (15 << suffix), 12),
        };
        out.bits(0, prefix);
        out.bit(true);
        out.bits(rest, length);
        suffix = suffix.max(1);
        if size > 3 << (suffix - 1) && suffix < 6 {
            suffix += 1;
        }
    }
}

/// The zeros before the last coefficient, and of them how many before each: total_zeros and run_before.
fn zeros(out: &mut BitWriter, coefficients: &[i32], total: usize, context: Context) {
    let last = coefficients.iter().rposition(|level| *level != 0).unwrap_or(0);
    let mut left = last + 1 - total;
    if total < coefficients.len() {
        let row = match context {
            Context::ChromaDc => CHROMA_TOTAL_ZEROS.get(total - 1),
            Context::Neighbours(_) => TOTAL_ZEROS.get(total - 1),
        };
        digits(out, row.and_then(|row| row.get(left)));
    }
    let mut run = 0;
    // From the last one back; the first of all needs no run, what is left is before it.
    for level in coefficients.iter().take(last).rev() {
        if left == 0 {
            return;
        }
        if *level == 0 {
            run += 1;
            continue;
        }
        digits(out, RUN_BEFORE.get(left.min(7) - 1).and_then(|row| row.get(run)));
        left -= run;
        run = 0;
    }
}

/// Writes a code of a table. INVARIANT: there is one for all that can occur.
fn digits(out: &mut BitWriter, code: Option<&&str>) {
    debug_assert!(code.is_some_and(|code| !code.is_empty()));
    code.iter().flat_map(|code| code.bytes()).for_each(|digit| out.bit(digit == b'1'));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its bits as digits, without the stop bit.
    fn written(coefficients: &[i32], context: Context) -> String {
        let mut out = BitWriter::default();
        write(&mut out, coefficients, context);
        let digits: String = out.finish().iter().map(|byte| format!("{byte:08b}")).collect();
        digits[..digits.rfind('1').unwrap()].to_owned()
    }

    #[test]
    fn blocks_worked_by_hand() {
        let none = Context::Neighbours(0);
        assert_eq!(written(&[0; 16], none), "1");
        // One coefficient, 1, at the front: token, sign, no zeros.
        let one = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(written(&one, none), "0101");
        // 0, 3, 0, 1, −1, −1, 0, 1: five coefficients, three of them trailing ones, three zeros.
        let block = [0, 3, 0, 1, -1, -1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(
            written(&block, none),
            ["0000100", "0", "1", "1", "1", "0010", "111", "10", "1", "1", "01"].concat()
        );
        // One coefficient, −2, behind three zeros: token, prefix, zeros.
        assert_eq!(written(&[0, 0, 0, -2], Context::ChromaDc), ["000111", "01", "000"].concat());
    }

    #[test]
    fn codes_of_a_table_can_be_told_apart() {
        let apart = |codes: Vec<&str>| {
            let codes: Vec<&str> = codes.into_iter().filter(|code| !code.is_empty()).collect();
            for (n, code) in codes.iter().enumerate() {
                for (m, other) in codes.iter().enumerate() {
                    assert!(n == m || !other.starts_with(code), "{code} begins {other}");
                }
            }
        };
        COEFF_TOKEN.iter().for_each(|table| apart(table.concat()));
        apart(CHROMA_COEFF_TOKEN.concat());
        TOTAL_ZEROS.iter().chain(&CHROMA_TOTAL_ZEROS).chain(&RUN_BEFORE).for_each(|row| apart(row.to_vec()));
    }
}
