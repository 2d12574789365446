//! The search: every reading of a text, and what is encoded in it, by every detector.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::encoded::{self, Run};
use crate::known::{self, Text};
use crate::normal::{self, Reading};
use crate::view::View;
use crate::{Detector, Refused, Stream, words};

/// How many encodings, one within the other, are looked through.
pub const LAYERS: usize = 3;
/// Digits that are decoded, in each way and layer, for each byte of the text and beside them; behind that all counts as found. A row of one digit that is
/// hexadecimal of itself (`3333`) takes 18 for each, ordinary encodings at most 14.
const MOST_DECODED: (usize, usize) = (20, 1 << 16);
/// Characters of the shortest finding of any detector that is built in.
const SHORTEST_KNOWN: usize = 11;
/// All of a text.
const ALL: Range<usize> = 0..usize::MAX;

/// Detectors, compiled. Clones share what was compiled.
#[derive(Clone)]
pub struct Searcher {
    compiled: Arc<Compiled>,
    /// Whether each detector finds anything; all of them where it is none.
    wanted: Option<Arc<[bool]>>,
}

struct Compiled {
    detectors: Vec<Detector>,
    known: known::Index,
    words: Option<words::Index>,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Bytes of the text as it was written, on boundaries of its characters. What was found in an encoded run takes the whole run.
    pub range: Range<usize>,
    /// The detector's place among those of the searcher.
    pub detector: usize,
}

impl Found {
    /// By which findings are sorted.
    pub(crate) fn order(&self) -> (usize, usize, usize) {
        (self.range.start, self.range.end, self.detector)
    }
}

/// What was found in bytes before it is known whether it counts here.
pub(crate) struct Hit {
    pub(crate) found: Found,
    /// Where it itself begins, even within a run.
    pub(crate) at: usize,
}

impl Searcher {
    /// Compiles detectors. One that is built in and named twice is found under its first place. Errors: they are too large together.
    pub fn new(detectors: impl IntoIterator<Item = Detector>) -> Result<Self, Refused> {
        normal::prepare();
        let detectors: Vec<Detector> = detectors.into_iter().collect();
        let places = || detectors.iter().enumerate();
        let known = places().filter_map(|(place, detector)| match detector {
            Detector::Known(known) => Some((place, *known)),
            _ => None,
        });
        let known = known::Index::new(known)?;
        let lists = places().filter_map(|(place, detector)| match detector {
            Detector::Words(words) => Some((place, words)),
            _ => None,
        });
        let words = words::Index::new(lists)?;
        Ok(Self { compiled: Arc::new(Compiled { detectors, known, words }), wanted: None })
    }

    /// The detectors, in the order in which they were given.
    pub fn detectors(&self) -> &[Detector] {
        &self.compiled.detectors
    }

    /// The same, of which only the detectors at these places find anything. Nothing is compiled again, and places stay what they are.
    #[must_use]
    pub fn only(&self, places: &[usize]) -> Self {
        let wanted = |place| self.wants(place) && places.contains(&place);
        let wanted = (0..self.compiled.detectors.len()).map(wanted).collect();
        Self { compiled: Arc::clone(&self.compiled), wanted: Some(wanted) }
    }

    /// Whether the detector at this place finds anything.
    fn wants(&self, place: usize) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.get(place).is_some_and(|wanted| *wanted))
    }

    /// All that is found in a text, by place and detector. Findings of one detector do not overlap, but for those that are longer than what is searched at
    /// once (see [`Stream`]).
    pub fn search(&self, text: &str) -> Vec<Found> {
        let mut stream = Stream::new(self);
        let mut found = stream.push(text.as_bytes());
        found.extend(stream.finish());
        found
    }

    /// All hits in bytes that begin in a part of them, and some of those that do not, in no order, some of them more than once.
    pub(crate) fn hits(&self, bytes: &[u8], part: Range<usize>) -> Vec<Hit> {
        let (times, beside) = MOST_DECODED;
        let left = bytes.len().saturating_mul(times).saturating_add(beside);
        let mut search = Search { searcher: self, hits: Vec::new(), left, decoded: Vec::new() };
        search.bytes(bytes, part, 0);
        search.hits
    }

    /// Bytes of the shortest text in ASCII in which anything may be found: what is built in has no shorter finding than `123-45-6789`.
    fn shortest(&self) -> usize {
        let own = |detector: &Detector| !matches!(detector, Detector::Known(_));
        if self.compiled.detectors.iter().any(own) { 0 } else { SHORTEST_KNOWN }
    }
}

// What is searched for is not for those whose texts are searched.
impl fmt::Debug for Searcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Searcher of {} detectors", self.compiled.detectors.len())
    }
}

struct Search<'a> {
    searcher: &'a Searcher,
    hits: Vec<Hit>,
    /// Bytes that may yet be decoded.
    left: usize,
    /// Room for what is decoded.
    decoded: Vec<u8>,
}

impl Search<'_> {
    /// Every reading of bytes. Only of what is the same in all of them is a part known beforehand in which findings count.
    fn bytes(&mut self, bytes: &[u8], part: Range<usize>, layer: usize) {
        let is_plain = normal::is_plain(bytes);
        let part = if is_plain { part } else { ALL };
        if let Some(wide) = encoded::wide(bytes).filter(|_| !is_plain) {
            self.within(&wide, |search| search.bytes(wide.text().as_bytes(), ALL, layer));
        }
        let plain = normal::read(bytes, Reading::Plain);
        self.read(&plain, part.clone());
        let mut looks = plain;
        if !is_plain {
            let plain = std::mem::replace(&mut looks, normal::read(bytes, Reading::Looks));
            if looks.text() != plain.text() {
                self.read(&looks, ALL);
            }
            // Without any digit it would be one of noughts and ones.
            if looks.text().bytes().any(|byte| byte.is_ascii_digit()) {
                let numbers = normal::read(bytes, Reading::Numbers);
                if numbers.text() != looks.text() {
                    self.read(&numbers, ALL);
                }
            }
        }
        let searcher = self.searcher;
        if let Some(index) = &searcher.compiled.words {
            let readings = [Reading::Words, Reading::Capitals];
            // Of ASCII alone both are the same.
            for reading in readings.into_iter().take(if is_plain { 1 } else { 2 }) {
                let words = normal::read(bytes, reading);
                self.within(&words, |search| index.find(words.text(), |list, range| search.hit(list, range)));
            }
        }
        if searcher.compiled.known.has_tokens()
            && let Some(joined) = normal::joined(looks.text())
        {
            self.within(&looks, |search| search.within(&joined, |search| search.known(&joined, ALL)));
        }
        if layer < LAYERS {
            self.within(&looks, |search| {
                let end = looks.text().len();
                for run in encoded::runs(looks.text().as_bytes(), part) {
                    search.run(&run, end, layer);
                }
            });
        }
    }

    /// Built-in detectors and expressions, over one reading.
    fn read(&mut self, view: &View<'_>, part: Range<usize>) {
        self.within(view, |search| {
            search.known(view, part);
            let searcher = search.searcher;
            for (place, detector) in searcher.compiled.detectors.iter().enumerate() {
                if let Detector::Pattern(pattern) = detector
                    && searcher.wants(place)
                {
                    pattern.find(view.text(), |range| search.hit(place, range));
                }
            }
        });
    }

    fn known(&mut self, view: &View<'_>, part: Range<usize>) {
        let text = Text { bytes: view.text().as_bytes(), joints: view.joints() };
        let searcher = self.searcher;
        searcher.compiled.known.find(text, part, |detector, range| self.hit(detector, range));
    }

    /// Every way to read a run, and in each what may be text. INVARIANT: what is not decoded, as that would take too long, counts as found by all that look
    /// for anything, up to the end of the text.
    fn run(&mut self, run: &Run, end: usize, layer: usize) {
        let mut decoded = std::mem::take(&mut self.decoded);
        let inner = layer.saturating_add(1);
        for phase in 0..run.phases() {
            let Some(left) = self.left.checked_sub(run.digits.len()) else {
                for detector in 0..self.searcher.compiled.detectors.len() {
                    self.hit(detector, run.range.start..end);
                }
                break;
            };
            self.left = left;
            run.decode(phase, &mut decoded);
            let first = self.hits.len();
            if let Some(wide) = encoded::wide(&decoded) {
                self.within(&wide, |search| search.bytes(wide.text().as_bytes(), ALL, inner));
            }
            for range in encoded::texts(&decoded) {
                let text = decoded.get(range.clone()).unwrap_or_default();
                if text.len() < self.searcher.shortest() && text.is_ascii() {
                    continue;
                }
                let before = self.hits.len();
                self.bytes(text, ALL, inner);
                for hit in self.hits.iter_mut().skip(before) {
                    hit.at = hit.at.saturating_add(range.start);
                }
            }
            for hit in self.hits.iter_mut().skip(first) {
                hit.at = run.origin(phase, hit.at);
                hit.found.range = run.range.clone();
            }
        }
        self.decoded = decoded;
    }

    /// Searches what was made from a text; what that hits is then led back to the text.
    fn within(&mut self, view: &View<'_>, search: impl FnOnce(&mut Self)) {
        let before = self.hits.len();
        search(self);
        for hit in self.hits.iter_mut().skip(before) {
            hit.at = view.origin(hit.at..hit.at.saturating_add(1)).start;
            hit.found.range = view.origin(hit.found.range.clone());
        }
    }

    fn hit(&mut self, detector: usize, range: Range<usize>) {
        if !range.is_empty() && self.searcher.wants(detector) {
            self.hits.push(Hit { at: range.start, found: Found { range, detector } });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Known;

    #[test]
    fn what_is_not_decoded_counts_as_found() {
        let searcher = Searcher::new(Known::ALL.map(Into::into)).unwrap().only(&[0, 3]);
        let text = b"a word, 666666666666 666666666666. and behind it";
        for (left, found) in [(24 * 6, &[][..]), (24, &[(8..48, 0), (8..48, 3)])] {
            let mut search = Search { searcher: &searcher, hits: Vec::new(), left, decoded: Vec::new() };
            search.bytes(text, ALL, LAYERS - 1);
            let mut hits: Vec<_> = search.hits.into_iter().map(|hit| (hit.found.range, hit.found.detector)).collect();
            hits.dedup();
            hits.truncate(2);
            assert_eq!(hits, found, "{left}");
        }
    }
}
