//! The detectors that are built in: where each may begin is found in one pass, and looked at closely there.

mod anchors;
mod aws;
mod card;
mod github;
mod google;
mod iban;
mod jwt;
mod numbers;
mod private_key;
pub(crate) mod scan;
mod slack;
mod ssn;
mod tax;

use std::ops::Range;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use crate::{Known, Refused};
use anchors::ANCHORS;

/// Bytes between an anchor and the beginning of what is found by it, at most, and of the anchor: an AWS secret may stand 256 bytes before its id.
const ASIDE: usize = 512;

/// A text in one reading.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) bytes: &'a [u8],
    /// Where lines were joined, rising: a token may begin and end there.
    pub(crate) joints: &'a [usize],
}

/// The detectors of one searcher.
pub(crate) struct Index {
    /// The place of each detector among those of the searcher.
    places: [Option<usize>; Known::ALL.len()],
    anchors: Option<AhoCorasick>,
    /// Whose anchor it is, by the automaton's pattern.
    owners: Vec<Known>,
}

impl Index {
    /// Compiles detectors, each with its place.
    pub(crate) fn new(detectors: impl Iterator<Item = (usize, Known)>) -> Result<Self, Refused> {
        let mut index = Self { places: Default::default(), anchors: None, owners: Vec::new() };
        for (place, known) in detectors {
            if let Some((slot, _)) = index.places.iter_mut().zip(Known::ALL).find(|(_, other)| *other == known) {
                slot.get_or_insert(place);
            }
        }
        let anchors: Vec<_> = ANCHORS.into_iter().filter(|(_, known)| index.place(*known).is_some()).collect();
        if !anchors.is_empty() {
            let texts = anchors.iter().map(|(text, _)| text);
            let builder = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(texts);
            index.anchors = Some(builder.map_err(Refused::TooLarge)?);
            index.owners = anchors.iter().map(|(_, known)| *known).collect();
        }
        Ok(index)
    }

    /// Whether any of them looks for tokens that may be wrapped.
    pub(crate) fn has_tokens(&self) -> bool {
        [Known::AwsKey, Known::GithubToken, Known::SlackToken, Known::GoogleKey]
            .iter()
            .any(|known| self.place(*known).is_some())
    }

    fn place(&self, known: Known) -> Option<usize> {
        let all = self.places.iter().zip(Known::ALL);
        all.into_iter().find(|(_, other)| *other == known).and_then(|(place, _)| *place)
    }

    /// All that they find that begins in a part of the text, and some of what does not, with the detector's place. Where lines were joined, only what is as
    /// long as it must be is looked for.
    pub(crate) fn find(&self, text: Text<'_>, part: Range<usize>, mut push: impl FnMut(usize, Range<usize>)) {
        if let Some(anchors) = &self.anchors {
            let mut from = part.start.saturating_sub(ASIDE);
            let to = part.end.saturating_add(ASIDE).min(text.bytes.len());
            // Where lines were joined, an anchor may begin within another one.
            while let Some(found) = (from < to).then(|| anchors.find(Input::new(text.bytes).span(from..to))).flatten() {
                from = found.start().saturating_add(1);
                let Some(known) = self.owners.get(found.pattern().as_usize()) else { continue };
                if let Some(place) = self.place(*known) {
                    self.look(*known, text, found.start(), &mut |range| push(place, range));
                }
            }
        }
        if !text.joints.is_empty() {
            return;
        }
        if let Some(place) = self.place(Known::Iban) {
            iban::find(text.bytes, part.clone(), |range| push(place, range));
        }
        let (card, ssn, tax) =
            (self.place(Known::PaymentCard), self.place(Known::UsSsn), self.place(Known::GermanTaxId));
        if card.is_some() || ssn.is_some() || tax.is_some() {
            numbers::each_run(text.bytes, part, |groups| {
                if let Some(place) = card {
                    card::find(text.bytes, groups, |range| push(place, range));
                }
                if let Some(place) = ssn {
                    ssn::find(text.bytes, groups, |range| push(place, range));
                }
                if let Some(place) = tax {
                    tax::find(text.bytes, groups, |range| push(place, range));
                }
            });
        }
    }

    /// Looks closely at a place where an anchor of a detector stands.
    fn look(&self, known: Known, text: Text<'_>, at: usize, push: &mut dyn FnMut(Range<usize>)) {
        let wrapped = !text.joints.is_empty();
        match known {
            Known::PrivateKey if !wrapped => private_key::at(text.bytes, at).into_iter().for_each(push),
            Known::Jwt if !wrapped => jwt::at(text.bytes, at).into_iter().for_each(push),
            Known::AwsKey => aws::at(text, at, push),
            Known::GithubToken => github::at(text, at).into_iter().for_each(push),
            Known::SlackToken => slack::at(text, at).into_iter().for_each(push),
            Known::GoogleKey => google::at(text, at).into_iter().for_each(push),
            _ => {}
        }
    }
}
