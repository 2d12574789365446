//! The policies of one revision, ready to be enforced: the set, and the searcher that was compiled for what its rules look for.

use std::ops::Deref;

use portcullis_content::{Found, Known, Pattern, Refused, Searcher, Words};
use portcullis_policy::{Detector, PolicyError, PolicySet, Sought, WordFile};

/// A [`PolicySet`] whose detectors are compiled, once for all sessions under it.
#[derive(Debug)]
pub struct Enforced {
    set: PolicySet,
    /// INVARIANT: in the order of the searcher's detectors.
    detectors: Vec<Detector>,
    searcher: Searcher,
}

impl Enforced {
    /// Compiles what the rules look for. It may take a second: not for a thread that others wait for.
    ///
    /// # Errors
    /// Every detector that does not compile and every list of words that is none, by file and line. No message repeats a word of a list.
    pub fn compile(set: PolicySet) -> Result<Self, Vec<PolicyError>> {
        let (mut detectors, mut compiled, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        let mut first = None;
        for sought in set.all_detectors() {
            match detector(&set, &sought) {
                Ok(detector) => {
                    compiled.push(detector);
                    detectors.push(sought.detector.clone());
                    first.get_or_insert(sought);
                }
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let searcher = Searcher::new(compiled).map_err(|refused| match &first {
            Some(sought) => vec![at(sought, refused.to_string())],
            None => vec![PolicyError { file: String::new(), line: 1, column: 1, reason: refused.to_string() }],
        })?;
        Ok(Self { set, detectors, searcher })
    }

    /// The searcher of these detectors alone; of what no policy of the set names, nothing is found.
    #[must_use]
    pub fn searcher<'a>(&self, of: impl IntoIterator<Item = &'a Detector>) -> Searcher {
        let place = |wanted: &Detector| self.detectors.iter().position(|known| known == wanted);
        self.searcher.only(&of.into_iter().filter_map(place).collect::<Vec<_>>())
    }

    /// The detector at a place of the searcher.
    pub(crate) fn detector(&self, place: usize) -> Option<&Detector> {
        self.detectors.get(place)
    }

    /// The detectors that found something, each once, in the order of the policies.
    #[must_use]
    pub fn found(&self, found: &[Found]) -> Vec<Detector> {
        let these = |place: &usize| found.iter().any(|found| found.detector == *place);
        let places = (0..self.detectors.len()).filter(these);
        places.filter_map(|place| self.detectors.get(place)).cloned().collect()
    }
}

impl Deref for Enforced {
    type Target = PolicySet;

    fn deref(&self) -> &PolicySet {
        &self.set
    }
}

/// What a detector is called in events. An expression says nothing of itself: what it matches may be what it says.
pub(crate) fn name(detector: &Detector) -> String {
    match detector {
        Detector::Pattern(_) => "regex".to_owned(),
        named => named.to_string(),
    }
}

fn detector(set: &PolicySet, sought: &Sought) -> Result<portcullis_content::Detector, PolicyError> {
    match &sought.detector {
        Detector::Known(known) => match Known::named(known.name()) {
            Some(known) => Ok(known.into()),
            None => Err(at(sought, format!("this version has no detector {known}"))),
        },
        Detector::Pattern(pattern) => match Pattern::compiled(pattern.regex().clone()) {
            Ok(pattern) => Ok(pattern.into()),
            Err(refused) => Err(at(sought, refused.to_string())),
        },
        Detector::Words(list) => words(list, set.words(list).unwrap_or_default()).map(Into::into),
    }
}

/// The words of a list, one on each line; empty lines and those that begin with `#` are none.
fn words(list: &WordFile, text: &str) -> Result<Words, PolicyError> {
    let fault = |place: usize, reason: &str| {
        let line = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1);
        PolicyError { file: list.path().to_owned(), line, column: 1, reason: reason.to_owned() }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.lines().map(|line| if line.starts_with('#') { "" } else { line.trim() }).collect();
    if lines.iter().all(|line| line.is_empty()) {
        return Err(fault(0, "there is no word in it; write one on each line"));
    }
    Words::read(lines.iter().copied()).map_err(|refused| match refused {
        Refused::WordLength(place) => fault(place, "this word is longer than a word of a list may be; shorten it"),
        Refused::WordOfNothing(place) => fault(place, "this word has no letter and no digit; take it out"),
        other => fault(0, &other.to_string()),
    })
}

/// A fault of an entry of `containing`.
fn at(sought: &Sought, reason: String) -> PolicyError {
    PolicyError { file: sought.rule.file.clone(), line: sought.rule.line, column: 1, reason }
}

#[cfg(test)]
mod tests {
    use portcullis_policy::PolicyFile;

    use super::*;

    fn compiled(containing: &str, list: &str) -> Result<Enforced, Vec<PolicyError>> {
        let file = |name: &str, text: String| PolicyFile { name: name.into(), text };
        let text = format!(
            "policy: p\napplies: {{}}\nallow: {{paste: {{}}}}\ndeny:\n  - actions: [paste]\n    containing: [{containing}]\n"
        );
        let set = PolicySet::parse_with(&[file("p.yaml", text)], &[file("names.txt", list.to_owned())]).unwrap();
        Enforced::compile(set)
    }

    #[test]
    fn every_detector_of_the_language_is_one_that_searches() {
        let all = Known::ALL.map(Known::name).join(", ");
        let enforced =
            compiled(&format!("{all}, 'regex:aurora', 'words:names.txt'"), "# names\n\nNightfall\n").unwrap();
        let places = |text: &str| {
            let found = enforced.found(&enforced.searcher.search(text));
            found.iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(places("aurora"), ["regex"]);
        assert_eq!(places("nightfall, # names"), ["words:names.txt"]);
        // Put together: the search is tried on this repository too.
        let card = format!("4111 {}", ["1111"; 3].join(" "));
        assert_eq!(places(&card), ["payment-card"]);
        let narrow = enforced.searcher([&"payment-card".parse().unwrap()]);
        assert_eq!(narrow.search(&format!("aurora nightfall {card}")).len(), 1);
        assert!(!format!("{enforced:?}").to_lowercase().contains("nightfall"));
    }

    #[test]
    fn a_list_that_is_none_is_named_by_line_and_never_shown() {
        for (list, line, part) in [
            ("", 1, "no word in it"),
            ("# only\n\n", 1, "no word in it"),
            ("one\n# two\n...\n", 3, "no letter and no digit"),
            (&*format!("one\n{}\n", "secret".repeat(50)), 2, "longer than"),
        ] {
            let errors = compiled("'words:names.txt'", list).unwrap_err();
            let shown = errors[0].to_string();
            assert!(shown.starts_with(&format!("names.txt:{line}:1: ")) && shown.contains(part), "{shown}");
            assert!(!shown.contains("secret"), "{shown}");
        }
    }
}
