//! Events as a film shows them: lines that stand under the picture for a while, and chapters.
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};

use portcullis_evidence::{Listing, MAX_EVENT_BYTES, PathInBundle, Source};

use crate::checked::Checked;
use crate::error::ExportError;
use crate::words::{Told, told};

/// How long an event stands under the picture, microseconds.
const SHOWN_US: u64 = 4_000_000;
/// The most lines at once; the newest stay.
const MAX_LINES: usize = 4;
/// The most events that a film tells of.
const MAX_TOLD: usize = 100_000;
/// The most chapters.
const MAX_CHAPTERS: usize = 2_000;

/// A text and when it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cue {
    pub(crate) from_us: u64,
    pub(crate) to_us: u64,
    pub(crate) text: String,
}

/// All texts of a film. INVARIANT: cues do not overlap, chapters follow each other from 0 to the end.
#[derive(Debug, Default)]
pub(crate) struct Cues {
    pub(crate) lines: Vec<Cue>,
    pub(crate) chapters: Vec<Cue>,
}

impl Cues {
    /// Reads the events of the bundle. `strict`: an events file that is not as it was signed is an error.
    pub(crate) fn read(source: &dyn Source, listing: &Listing, end_us: u64, strict: bool) -> Result<Self, ExportError> {
        let mut all = Vec::new();
        let listed = listing.links.iter().flat_map(|link| &link.files);
        for listed in listed.filter(|listed| matches!(listed.path, PathInBundle::Events(_))) {
            let read = Checked::open(source, listed).and_then(|file| {
                let mut reader = BufReader::new(file);
                lines(&mut reader, &mut all).map_err(|error| ExportError::Read(listed.path, error))?;
                reader.into_inner().finish()
            });
            match read {
                Ok(true) => {}
                Ok(false) if strict => return Err(ExportError::Changed(listed.path)),
                Err(error) if strict => return Err(error),
                Ok(false) | Err(_) => {}
            }
        }
        all.iter_mut().for_each(|told| told.from_us = told.from_us.min(end_us));
        // A gap is told of when it is over.
        all.sort_by_key(|told| told.from_us);
        Ok(Self { chapters: chapters(&all, end_us), lines: laid_out(&all, end_us) })
    }
}

/// Adds what the lines tell; lines that are too long to be events tell nothing.
fn lines(reader: &mut BufReader<Checked<'_>>, all: &mut Vec<Told>) -> std::io::Result<()> {
    let most = u64::try_from(MAX_EVENT_BYTES).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.take(most).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if all.len() < MAX_TOLD {
            all.extend(told(&line));
        }
    }
}

fn chapters(all: &[Told], end_us: u64) -> Vec<Cue> {
    let mut found: Vec<Cue> = Vec::new();
    for told in all.iter().filter(|told| told.chapter) {
        let full = found.len() >= MAX_CHAPTERS;
        match found.last_mut() {
            // What happens at once, and what is too much, is one chapter.
            Some(last) if last.from_us == told.from_us => last.text = format!("{} · {}", last.text, told.text),
            Some(_) if full => break,
            _ => found.push(Cue { from_us: told.from_us, to_us: end_us, text: told.text.clone() }),
        }
    }
    match found.first_mut() {
        // From the very beginning, so that every moment has its chapter.
        Some(first) => first.from_us = 0,
        None => found.push(Cue { from_us: 0, to_us: end_us, text: "session".to_owned() }),
    }
    let next: Vec<u64> = found.iter().skip(1).map(|cue| cue.from_us).collect();
    found.iter_mut().zip(next).for_each(|(cue, next)| cue.to_us = next);
    found.iter_mut().for_each(|cue| cue.text = cue.text.chars().take(240).collect());
    found.retain(|cue| cue.from_us < cue.to_us);
    found
}

/// The lines that stand there at each time, laid out so that they do not overlap.
fn laid_out(all: &[Told], end_us: u64) -> Vec<Cue> {
    let until = |told: &Told| {
        let least_us = told.from_us.saturating_add(SHOWN_US);
        told.to_us.map_or(least_us, |to_us| to_us.max(least_us)).min(end_us)
    };
    let mut found = Vec::new();
    let mut shown: VecDeque<&Told> = VecDeque::new();
    let mut at_us = 0;
    let mut coming = all.iter().peekable();
    loop {
        let next_us = coming.peek().map(|told| told.from_us);
        let ends_us = shown.iter().map(|told| until(told)).min();
        let Some(then_us) = next_us.into_iter().chain(ends_us).min() else { return found };
        if then_us > at_us && !shown.is_empty() {
            let text: Vec<&str> = shown.iter().map(|told| told.text.as_str()).collect();
            found.push(Cue { from_us: at_us, to_us: then_us, text: text.join("\n") });
        }
        at_us = then_us;
        shown.retain(|told| until(told) > at_us);
        while let Some(told) = coming.next_if(|told| told.from_us <= at_us) {
            if until(told) > at_us {
                shown.push_back(told);
            }
            if shown.len() > MAX_LINES {
                shown.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(from_us: u64, text: &str) -> Told {
        Told { from_us, to_us: None, text: text.to_owned(), chapter: true }
    }

    fn cue(from_us: u64, to_us: u64, text: &str) -> Cue {
        Cue { from_us, to_us, text: text.to_owned() }
    }

    #[test]
    fn lines_follow_each_other_and_none_outlasts_the_film() {
        let all = [told(1_000_000, "a"), told(2_000_000, "b"), told(9_000_000, "c")];
        let wanted = [
            cue(1_000_000, 2_000_000, "a"),
            cue(2_000_000, 5_000_000, "a\nb"),
            cue(5_000_000, 6_000_000, "b"),
            cue(9_000_000, 10_000_000, "c"),
        ];
        assert_eq!(laid_out(&all, 10_000_000), wanted);
    }

    #[test]
    fn of_many_at_once_the_newest_stay() {
        let all: Vec<_> = (0..9).map(|n| told(0, &n.to_string())).collect();
        assert_eq!(laid_out(&all, 10_000_000), [cue(0, SHOWN_US, "5\n6\n7\n8")]);
    }

    #[test]
    fn chapters_cover_the_film() {
        let all = [told(5, "opened"), told(9, "joined"), told(9, "denied"), told(12, "closed")];
        let wanted = [cue(0, 9, "opened"), cue(9, 12, "joined · denied"), cue(12, 20, "closed")];
        assert_eq!(chapters(&all, 20), wanted);
        assert_eq!(chapters(&[], 20), [cue(0, 20, "session")]);
    }
}
