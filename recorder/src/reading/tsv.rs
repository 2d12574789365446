//! What tesseract says of a picture, as tab-separated values: read strictly, for who drew the picture may have made it say anything.
use portcullis_rfb::Rect;

use super::lines::Found;

/// The first line of what it says.
const HEADER: &str = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext";
/// Words of one picture.
const MAX_WORDS: usize = 20_000;
/// Characters of a word, and of a line.
const MAX_WORD: usize = 128;
const MAX_LINE: usize = 512;
/// Words that are further apart than so many times their height are of two lines: of two windows side by side.
const APART: u32 = 3;

/// A word, in pixels of the picture that was read.
struct Word {
    line: [u32; 4],
    left: u32,
    top: u32,
    right: u32,
    bottom: u32,
    confidence: f64,
    text: String,
}

/// The lines of a picture of `width` by `height` pixels, which shows the screen from `at` on, `scale` times as large; words that the
/// reader is less sure of than `least` are left out.
///
/// # Errors
/// What is not as tesseract writes it.
pub(super) fn lines(
    said: &[u8],
    (width, height): (u32, u32),
    at: Rect,
    scale: u32,
    least: u8,
) -> Result<Vec<Found>, &'static str> {
    let said = std::str::from_utf8(said).map_err(|_| "it is not UTF-8")?;
    let mut rows = said.lines();
    if rows.next() != Some(HEADER) {
        return Err("its first line is another one");
    }
    let mut words: Vec<Word> = Vec::new();
    for row in rows {
        let Some(word) = word(row, (width, height))? else { continue };
        if word.confidence >= f64::from(least) && !word.text.is_empty() {
            words.push(word);
        }
        if words.len() > MAX_WORDS {
            return Err("it has too many words");
        }
    }
    let mut lines: Vec<Vec<Word>> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.last().is_some_and(|last| together(last, &word)) => line.push(word),
            _ => lines.push(vec![word]),
        }
    }
    Ok(lines.iter().filter_map(|line| found(line, at, scale)).collect())
}

fn word(row: &str, (width, height): (u32, u32)) -> Result<Option<Word>, &'static str> {
    let columns: Vec<&str> = row.splitn(12, '\t').collect();
    let [level, page, block, paragraph, line, _, left, top, wide, high, confidence, text] = columns.as_slice() else {
        return Err("a line has not twelve columns");
    };
    let number = |text: &str| text.parse::<u32>().map_err(|_| "a number is none");
    match number(level)? {
        5 => {}
        1..=4 => return Ok(None),
        _ => return Err("a level is none"),
    }
    let line = [number(page)?, number(block)?, number(paragraph)?, number(line)?];
    let (left, top) = (number(left)?, number(top)?);
    let (right, bottom) = (left.saturating_add(number(wide)?), top.saturating_add(number(high)?));
    if right > width || bottom > height || left >= right || top >= bottom {
        return Err("a word lies outside of the picture");
    }
    let confidence = confidence.parse::<f64>().map_err(|_| "a confidence is no number")?;
    if !(-1.0..=100.0).contains(&confidence) {
        return Err("a confidence is none");
    }
    let text = text.chars().filter(|letter| is_shown(*letter)).take(MAX_WORD).collect();
    Ok(Some(Word { line, left, top, right, bottom, confidence, text }))
}

/// Whether a letter is seen, and leaves the order of the others alone (Unicode's bidirectional controls do not).
fn is_shown(letter: char) -> bool {
    let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !letter.is_control() && !letter.is_whitespace() && !turns
}

fn together(one: &Word, next: &Word) -> bool {
    let high = one.bottom.saturating_sub(one.top).max(next.bottom.saturating_sub(next.top));
    one.line == next.line && next.left.saturating_sub(one.right) <= high.saturating_mul(APART)
}

fn found(line: &[Word], at: Rect, scale: u32) -> Option<Found> {
    let text: String =
        line.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ").chars().take(MAX_LINE).collect();
    if !text.chars().any(char::is_alphanumeric) {
        return None;
    }
    let least = |edge: fn(&Word) -> u32| line.iter().map(edge).min().map(|edge| edge / scale);
    let most = |edge: fn(&Word) -> u32| line.iter().map(edge).max().map(|edge| edge.div_ceil(scale));
    let (left, top) = (least(|word| word.left)?, least(|word| word.top)?);
    let (right, bottom) = (most(|word| word.right)?, most(|word| word.bottom)?);
    let short = |number: u32| u16::try_from(number).ok();
    let place = Rect::new(
        at.x.saturating_add(short(left)?),
        at.y.saturating_add(short(top)?),
        short(right.saturating_sub(left))?,
        short(bottom.saturating_sub(top))?,
    );
    let all: f64 = line.iter().map(|word| word.confidence).sum();
    let mean = all / f64::from(u32::try_from(line.len()).ok()?);
    // From 0 to 100, whatever the numbers were: counted, for a float is not cast.
    let confidence = (1..=100u8).take_while(|step| f64::from(*step) - 0.5 <= mean).last().unwrap_or(0);
    Some(Found { text, confidence, place })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Rect = Rect::new(100, 50, 300, 40);

    fn read(rows: &str) -> Result<Vec<Found>, &'static str> {
        lines(format!("{HEADER}\n{rows}").as_bytes(), (600, 80), AT, 2, 60)
    }

    #[test]
    fn words_become_lines_on_the_screen() {
        let rows = "1\t1\t0\t0\t0\t0\t0\t0\t600\t80\t-1\t\n\
            5\t1\t1\t1\t1\t1\t10\t8\t60\t20\t95.5\t<script>alert(1)\n\
            5\t1\t1\t1\t1\t2\t80\t8\t40\t22\t90.1\tpayroll\n\
            5\t1\t1\t1\t1\t3\t130\t8\t20\t20\t12\tfaint\n\
            5\t1\t1\t1\t1\t4\t400\t8\t40\t20\t80\tfar\n\
            5\t1\t1\t1\t2\t1\t10\t40\t40\t20\t99\t|\n";
        let found = read(rows).unwrap();
        let texts: Vec<_> = found.iter().map(|found| (found.text.as_str(), found.confidence, found.place)).collect();
        assert_eq!(
            texts,
            [("<script>alert(1) payroll", 93, Rect::new(105, 54, 55, 11)), ("far", 80, Rect::new(300, 54, 20, 10))]
        );
    }

    #[test]
    fn what_tesseract_does_not_write_is_refused() {
        for (rows, reason) in [
            ("5\t1\t1", "a line has not twelve columns"),
            ("5\t1\t1\t1\t1\t1\t-1\t0\t6\t2\t95\tx", "a number is none"),
            ("9\t1\t1\t1\t1\t1\t0\t0\t6\t2\t95\tx", "a level is none"),
            ("5\t1\t1\t1\t1\t1\t590\t0\t60\t2\t95\tx", "a word lies outside of the picture"),
            ("5\t1\t1\t1\t1\t1\t0\t0\t6\t2\tNaN\tx", "a confidence is none"),
            ("5\t1\t1\t1\t1\t1\t0\t0\t6\t2\t101\tx", "a confidence is none"),
        ] {
            assert_eq!(read(rows), Err(reason), "{rows}");
        }
        assert_eq!(lines(b"level\n", (1, 1), AT, 1, 0), Err("its first line is another one"));
        assert_eq!(lines(b"\xff", (1, 1), AT, 1, 0), Err("it is not UTF-8"));
        let controls = read("5\t1\t1\t1\t1\t1\t0\t0\t6\t2\t95\ta\u{1b}[2Jb\u{9b}\n").unwrap();
        assert_eq!(controls[0].text, "a[2Jb");
    }
}
