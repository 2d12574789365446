//! The known word that a misspelt one was probably meant to be.

/// Characters of a word that are compared; longer words have no nearest.
const MAX_WORD: usize = 64;

/// Letters from which on the beginning of a word is taken for the word.
const BEGINNING: usize = 3;

/// The known word with the fewest edits to `word`, if they are at most a third of its letters (and at least one is granted), or else the
/// only one that begins with it.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    let letters: Vec<char> = word.to_lowercase().chars().collect();
    if letters.len() > MAX_WORD {
        return None;
    }
    let granted = (letters.len() / 3).max(1);
    let (edits, best) =
        known.iter().map(|candidate| (distance(&letters, &candidate.to_lowercase()), *candidate)).min()?;
    if edits <= granted {
        return Some(best);
    }
    let begun = |candidate: &&&str| candidate.to_lowercase().starts_with(&word.to_lowercase());
    let mut begun = known.iter().filter(begun).filter(|_| letters.len() >= BEGINNING);
    match (begun.next(), begun.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// Edits (a letter added, dropped, changed or swapped with its neighbour) from one word to the other.
fn distance(from: &[char], to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, &letter) in from.iter().enumerate() {
        let mut line = vec![row.saturating_add(1)];
        for (column, &other) in to.iter().enumerate() {
            let at = |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(usize::MAX);
            let next = column.saturating_add(1);
            let changed = at(&above, column).saturating_add(usize::from(letter != other));
            let added = at(&line, column).saturating_add(1);
            let dropped = at(&above, next).saturating_add(1);
            let left = column.checked_sub(1);
            let swapped = match left {
                Some(left) if previous == Some(other) && to.get(left) == Some(&letter) => {
                    at(&before, left).saturating_add(1)
                }
                _ => usize::MAX,
            };
            line.push(changed.min(added).min(dropped).min(swapped));
        }
        previous = Some(letter);
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 6] = ["open", "watch", "control", "paste", "copy", "resize"];

    #[test]
    fn slips_of_the_finger_are_recognised() {
        for (word, meant) in
            [("pase", "paste"), ("Paste", "paste"), ("pasten", "paste"), ("contorl", "control"), ("cpoy", "copy")]
        {
            assert_eq!(nearest(word, KEYS), Some(meant), "{word}");
        }
    }

    #[test]
    fn a_beginning_stands_for_its_word() {
        assert_eq!(nearest("Del", ["Delete", "Down"]), Some("Delete"));
        assert_eq!(nearest("Page", ["PageUp", "PageDown"]), None);
        assert_eq!(nearest("De", ["Delete", "Down"]), None);
    }

    #[test]
    fn other_words_have_no_nearest() {
        for word in ["", "upload", "x", "clipboard", &"paste".repeat(20)] {
            assert_eq!(nearest(word, KEYS), None, "{word}");
        }
    }

    #[test]
    fn distances_are_those_of_the_definition() {
        for (from, to, edits) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("ab", "ba", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(&from.chars().collect::<Vec<_>>(), to), edits, "{from} to {to}");
        }
    }
}
