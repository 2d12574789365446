//! What policy asks of files that cross, beside their size, number, types and scan.

use super::{Limits, Stated, every, least, most};
use crate::values::{Archives, Extension, Metadata, Quarantine};
use crate::{Contents, Rule};

/// Limits of files that are allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileLimits {
    /// How many in one session. Less is stricter.
    pub per_session: Option<Stated<u32>>,
    /// Extensions that names may have: each list must hold the name's.
    pub extensions: Vec<Stated<Vec<Extension>>>,
    /// What becomes of archives; they are looked into where no policy says.
    pub archives: Option<Stated<Archives>>,
    /// What becomes of the metadata of pictures; it is kept where no policy says.
    pub metadata: Option<Stated<Metadata>>,
    /// Of which files a copy is kept; of none where no policy says.
    pub quarantine: Option<Stated<Quarantine>>,
}

impl FileLimits {
    pub(super) fn add(&mut self, other: &Self) {
        least(&mut self.per_session, &other.per_session);
        every(&mut self.extensions, &other.extensions);
        most(&mut self.archives, &other.archives);
        most(&mut self.metadata, &other.metadata);
        most(&mut self.quarantine, &other.quarantine);
    }
}

/// What a file is not, that a limit wants of it.
pub(crate) struct Unlike<'a> {
    pub(crate) rule: &'a Rule,
    /// `of application/zip is not among the types`, for a sentence that begins with the action.
    pub(crate) words: String,
}

impl Limits {
    /// Whether contents of some kind are refused by these limits alone.
    pub(crate) fn choose(&self) -> bool {
        let deny = |archives: &Stated<Archives>| archives.value == Archives::Deny;
        !self.types.is_empty() || !self.files.extensions.is_empty() || self.files.archives.as_ref().is_some_and(deny)
    }

    /// The first of these limits that contents do not keep; what is not known of them is not held against them.
    pub(crate) fn unlike(&self, contents: Contents<'_>) -> Option<Unlike<'_>> {
        let types = contents.media_type.and_then(|media_type| {
            let foreign = self.types.iter().find(|types| !types.value.iter().any(|known| known.matches(media_type)))?;
            let words = format!("of {} is not among the types", crate::shown::Shown(media_type));
            Some(Unlike { rule: &foreign.rule, words })
        });
        let extensions = || {
            let extension = contents.extension?;
            let lists = self.files.extensions.iter();
            let foreign = lists.into_iter().find(|list| !list.value.iter().any(|known| known.matches(extension)))?;
            let shown = if extension.is_empty() {
                "without an extension".to_owned()
            } else {
                format!("of .{}", crate::shown::Shown(extension))
            };
            Some(Unlike { rule: &foreign.rule, words: format!("{shown} is not among the extensions") })
        };
        let archives = || {
            let rule =
                self.files.archives.as_ref().filter(|archives| contents.archive && archives.value == Archives::Deny)?;
            Some(Unlike { rule: &rule.rule, words: "of an archive is not allowed by `archives`".to_owned() })
        };
        types.or_else(extensions).or_else(archives)
    }
}
