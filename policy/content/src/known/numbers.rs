//! Numbers as people write them: groups of digits with one separator between them.

use std::ops::Range;

use super::scan::{at, before, is_word, next_digit, span};

/// Digits in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) range: Range<usize>,
    /// What stands between it and the group before: a space, a dash or a dot; 0 for the first.
    pub(super) separator: u8,
}

impl Group {
    pub(super) fn len(&self) -> usize {
        self.range.len()
    }
}

/// Calls for each longest row of groups that takes any of this part.
pub(super) fn each_run(bytes: &[u8], part: Range<usize>, mut run: impl FnMut(&[Group])) {
    let mut groups = Vec::new();
    let before = bytes.get(..part.start).unwrap_or_default();
    let within = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b' ' | b'-' | b'.');
    let mut place = before.iter().rposition(|byte| !within(byte)).unwrap_or_default();
    while let Some(next) = next_digit(bytes, place).filter(|next| *next < part.end) {
        place = next;
        groups.clear();
        let mut separator = 0;
        loop {
            let end = span(bytes, place, usize::MAX, |byte| byte.is_ascii_digit());
            groups.push(Group { range: place..end, separator });
            separator = at(bytes, end);
            place = end.saturating_add(1);
            if !matches!(separator, b' ' | b'-' | b'.') || !at(bytes, place).is_ascii_digit() {
                break;
            }
        }
        run(&groups);
    }
}

/// The digits' values in some groups.
pub(super) fn digits(bytes: &[u8], groups: &[Group]) -> Vec<u8> {
    let texts = groups.iter().filter_map(|group| bytes.get(group.range.clone()));
    texts.flatten().map(|digit| digit.saturating_sub(b'0')).collect()
}

/// What the groups take, if no letter touches them.
pub(super) fn alone(bytes: &[u8], groups: &[Group]) -> Option<Range<usize>> {
    let (start, end) = (groups.first()?.range.start, groups.last()?.range.end);
    (!is_word(before(bytes, start)) && !is_word(at(bytes, end))).then_some(start..end)
}

/// Whether all of these groups are joined by the same separator.
pub(super) fn even(groups: &[Group]) -> bool {
    let mut separators = groups.iter().skip(1).map(|group| group.separator);
    let first = separators.next();
    separators.all(|separator| Some(separator) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_told_by_single_separators() {
        let mut rows = Vec::new();
        let text = b"12-34.5 6  78, 9a 10-";
        each_run(text, 0..usize::MAX, |groups| {
            rows.push(groups.iter().map(|group| text[group.range.clone()].to_vec()).collect::<Vec<_>>())
        });
        let rows: Vec<Vec<&str>> =
            rows.iter().map(|row| row.iter().map(|group| str::from_utf8(group).unwrap()).collect()).collect();
        assert_eq!(rows, [vec!["12", "34", "5", "6"], vec!["78"], vec!["9"], vec!["10"]]);
    }
}
