//! The inspection of a file: what it is, whether its name agrees, what is in it.

use std::io::{Cursor, Read, Seek, SeekFrom};

use portcullis_content::Searcher;

use crate::archive::{gzip, tar, zip};
use crate::bytes::{Whole, read_at_most};
use crate::kind::{self, Class, Kind};
use crate::limits::Budget;
use crate::markup::{self, Rules};
use crate::search::{Search, Seen};
use crate::sniff::by_bytes;
use crate::{FileName, HEAD, Limit, Limits, Refused, leaf, member, pdf, polyglot};

/// What a file is and what was seen in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// By its bytes; [`OCTET_STREAM`](crate::OCTET_STREAM) where they are of no type that is known.
    pub media_type: &'static str,
    /// What sort of thing that is.
    pub class: Class,
    /// Places of the searcher's detectors that found something, sorted.
    pub found: Vec<usize>,
    /// Members of archives and documents that were looked at, of each level.
    pub entries: u32,
    /// Bytes of text that were searched; a document's may count twice, as it is read in more than one way.
    pub text_bytes: u64,
    /// Types of the members, sorted, each once. Of documents only what is a document, an archive or runs.
    pub nested: Vec<&'static str>,
    /// Types of which there is text that could not be had, so that nothing can be said about it: sorted, each once. A policy with content rules may refuse those.
    pub unread: Vec<&'static str>,
}

/// Looks at a file: at all of it, once. The caller checks `found`, `media_type` and `nested` against its policy.
///
/// # Errors
/// If the file is not what it says, is more than one thing, or is over a limit; [`Refused::Unreadable`] if it could not be read.
pub fn inspect<F: Read + Seek>(
    mut file: F,
    name: &FileName,
    searcher: Option<&Searcher>,
    limits: &Limits,
) -> Result<Inspection, Refused> {
    let length = file.seek(SeekFrom::End(0)).map_err(Refused::Unreadable)?;
    let budget = Budget::new(limits, length);
    let look = Look { searcher, budget: &budget };
    let mut seen = Seen::default();
    let mut names = look.search();
    names.push(name.as_str().as_bytes())?;
    names.finish(&mut seen);
    let kind = look.file(&mut file, length, name, &mut seen)?;
    let (entries, text_bytes) = budget.used();
    Ok(Inspection {
        media_type: kind.media_type,
        class: kind.class,
        found: seen.found.into_iter().collect(),
        entries,
        text_bytes,
        nested: seen.nested.into_iter().collect(),
        unread: seen.unread.into_iter().collect(),
    })
}

/// What all parts of an inspection share.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) searcher: Option<&'a Searcher>,
    pub(crate) budget: &'a Budget<'a>,
}

/// What a member is called.
#[derive(Clone, Copy)]
pub(crate) struct Called<'n> {
    pub(crate) name: &'n str,
    /// What some programs unpack it under instead.
    pub(crate) also: Option<&'n str>,
}

impl<'n> From<&'n str> for Called<'n> {
    fn from(name: &'n str) -> Self {
        Self { name, also: None }
    }
}

/// What of a member is held to its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    /// The member's type has to agree with its name, as people unpack it.
    Archive,
    /// Names inside are the document's own affair.
    Document,
}

impl<'a> Look<'a> {
    /// The search of one more text.
    pub(crate) fn search(&self) -> Search<'a> {
        Search::new(self.searcher, self.budget)
    }

    fn file(
        &self,
        file: &mut dyn Whole,
        length: u64,
        name: &FileName,
        seen: &mut Seen,
    ) -> Result<&'static Kind, Refused> {
        kind::one_extension(name.as_str())?;
        let head = head(file)?;
        let extension = name.extension();
        let kind = by_bytes(&head, extension.as_deref());
        polyglot::head(kind, &head)?;
        let kind = if reads_by_end(kind) {
            self.whole(kind, file, length, 1, seen)?
        } else {
            file.rewind().map_err(Refused::Unreadable)?;
            let rules = markup::rules(kind, &head, Within::Archive);
            if markup::is_foreign(kind, &head, Within::Archive) {
                seen.unread(kind::XML.media_type);
            }
            self.flowing(kind, file, name.as_str(), (Within::Archive, rules), 1, seen)?
        };
        kind.agrees(extension.as_deref())?;
        Ok(kind)
    }

    /// Looks at a member of an archive or document, which is read once. Answers with its type.
    pub(crate) fn member(
        &self,
        mut reader: &mut dyn Read,
        called: Called<'_>,
        within: Within,
        depth: u32,
        seen: &mut Seen,
    ) -> Result<&'static Kind, Refused> {
        let Called { name, also } = called;
        if within == Within::Archive {
            kind::one_extension(member::last(name))?;
        }
        let head = read_at_most(&mut reader, HEAD.try_into().unwrap_or(u64::MAX))
            .map_err(|error| Refused::read(error, kind::UNKNOWN.media_type))?;
        let extension = crate::name::extension(member::last(name));
        let kind = by_bytes(&head, extension.as_deref());
        polyglot::head(kind, &head)?;
        if depth > self.budget.limits.depth && matches!(kind.class, Class::Archive | Class::Document) {
            return Err(Refused::Bomb { which: Limit::Depth });
        }
        let rules = markup::rules(kind, &head, within);
        if markup::is_foreign(kind, &head, within) {
            seen.unread(kind::XML.media_type);
        }
        let also = also.map(|also| (also, by_bytes(&head, crate::name::extension(member::last(also)).as_deref())));
        let mut all = Cursor::new(head).chain(reader);
        let kind = if reads_by_end(kind) {
            self.held(kind, &mut all, depth, seen)?
        } else {
            self.flowing(kind, &mut all, name, (within, rules), depth, seen)?
        };
        let shown = matches!(kind.class, Class::Archive | Class::Document | Class::Executable);
        if within == Within::Archive || shown {
            seen.member(kind.media_type);
        }
        if within == Within::Archive {
            kind.agrees(extension.as_deref())?;
        }
        if let Some((also, told)) = also {
            kind::one_extension(member::last(also))?;
            // Only of characters does the name say what they are.
            let told = if told.is_characters() { told } else { kind };
            told.agrees(crate::name::extension(member::last(also)).as_deref())?;
            seen.member(told.media_type);
        }
        Ok(kind)
    }

    /// Holds a member that is read by its end, as far as there is room.
    fn held(
        &self,
        kind: &'static Kind,
        reader: &mut dyn Read,
        depth: u32,
        seen: &mut Seen,
    ) -> Result<&'static Kind, Refused> {
        let room = self.budget.room();
        let bytes =
            read_at_most(reader, room.saturating_add(1)).map_err(|error| Refused::read(error, kind.media_type))?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length > room {
            return Err(Refused::NotLookedInto { media_type: kind.media_type });
        }
        self.budget.hold(length);
        let kind = self.whole(kind, &mut Cursor::new(bytes), length, depth, seen);
        self.budget.release(length);
        kind
    }

    /// What is read by its end.
    fn whole(
        &self,
        kind: &'static Kind,
        file: &mut dyn Whole,
        length: u64,
        depth: u32,
        seen: &mut Seen,
    ) -> Result<&'static Kind, Refused> {
        if *kind == kind::PDF {
            pdf::read(self, file, length, depth, seen)
        } else {
            zip::walk(self, file, length, depth, seen)
        }
    }

    /// What is read from its beginning on.
    fn flowing(
        &self,
        kind: &'static Kind,
        reader: &mut dyn Read,
        name: &str,
        (within, rules): (Within, &[Rules]),
        depth: u32,
        seen: &mut Seen,
    ) -> Result<&'static Kind, Refused> {
        if kind.class == Class::Archive && self.budget.limits.look {
            if *kind == kind::TAR {
                tar::walk(self, reader, depth, seen)?;
            } else if *kind == kind::GZIP {
                let packed = gzip::walk(self, reader, name, depth, seen)?;
                // Office packs its drawings so: in a document they are pictures like others.
                if within == Within::Document && packed.class == Class::Image {
                    return Ok(packed);
                }
            } else {
                return Err(Refused::NotLookedInto { media_type: kind.media_type });
            }
            return Ok(kind);
        }
        leaf::read(self, kind, rules, reader, seen)
    }
}

/// Whether a type's directory is at its end.
fn reads_by_end(kind: &Kind) -> bool {
    *kind == kind::PDF || *kind == kind::ZIP
}

fn head(file: &mut dyn Whole) -> Result<Vec<u8>, Refused> {
    file.rewind().map_err(Refused::Unreadable)?;
    read_at_most(file, HEAD.try_into().unwrap_or(u64::MAX)).map_err(Refused::Unreadable)
}
