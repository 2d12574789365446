//! The chain, link by link: signature, place, times and files.
use std::collections::HashSet;

use super::Check;
use crate::digest::Digest;
use crate::jws::{self, Typ};
use crate::link::{Link, MAX_LINK_BYTES};
use crate::manifest::Manifest;
use crate::path::PathInBundle;
use crate::report::Kind;
use crate::{VERSION, canonical, read};

/// Where the chain stands, or ended.
#[derive(Debug, Default)]
pub(super) struct End {
    /// How many links were looked for.
    pub links: u32,
    /// SHA-256 of the last link's file; `None` when that link is faulty.
    pub last: Option<Digest>,
    /// Where the last good link ends.
    pub to_us: u64,
    /// Whether the link before this point is good, so that the next one must go on from it.
    known: bool,
    /// The newest init segment that a good link listed.
    init: u32,
    /// Segments whose link is missing or faulty.
    pub unproved: HashSet<u32>,
}

impl End {
    /// Whether the file may belong to a segment that is still open, of a bundle without seal.
    pub(super) fn may_be_open(&self, path: PathInBundle) -> bool {
        match path {
            PathInBundle::Init(k) | PathInBundle::AgeInit(k) => k > self.init,
            PathInBundle::Index | PathInBundle::Sums => true,
            PathInBundle::Link(_) => false,
            other => other.segment().is_some_and(|n| n == self.links.saturating_add(1)),
        }
    }
}

impl Check<'_> {
    /// Follows the chain as far as the seal says, or as there are links.
    pub(super) fn chain(&mut self) -> End {
        let there = self.tree.last_link();
        let links = self.seal.as_ref().map_or(there, |seal| seal.links);
        let mut end = End { links, last: self.session, known: true, ..End::default() };
        for n in 1..=links {
            let path = PathInBundle::Link(n);
            if n > there {
                self.truncated(n, links, &mut end);
                break;
            }
            if self.link(path, n, &mut end).is_none() {
                (end.last, end.known) = (None, false);
                end.unproved.insert(n);
                self.events_known = false;
            }
        }
        end
    }

    /// Link 1, if it is there and its signature good; what is wrong with it is said when its turn comes.
    pub(super) fn first_link(&self) -> Option<Link> {
        let path = Some(PathInBundle::Link(1)).filter(|path| self.tree.is_file(*path))?;
        let bytes = self.source.open(path).and_then(|file| read::all(file.reader, MAX_LINK_BYTES)).ok()??;
        let unproved = jws::compact(Typ::Link, &bytes).ok()?;
        unproved.prove(self.trust.keys()).ok()?;
        canonical::from_bytes(&unproved.payload).ok().filter(|link: &Link| link.n == 1)
    }

    fn truncated(&mut self, n: u32, links: u32, end: &mut End) {
        let reason = format!("the seal counts {links} links; from link {n} on they are missing");
        self.report.fault(PathInBundle::Link(n), Kind::Truncated, reason);
        (end.last, end.known) = (None, false);
        end.unproved.extend(n..=links);
        self.events_known = false;
        // The listing names every one of them; one fault is enough.
        self.judged.extend((n..=links).map(PathInBundle::Link));
    }

    /// One link; `None` after a fault that leaves nothing to build upon.
    fn link(&mut self, path: PathInBundle, n: u32, end: &mut End) -> Option<()> {
        let bytes = self.small_file(path, MAX_LINK_BYTES)?;
        let proved = self.prove(path, jws::compact(Typ::Link, &bytes))?;
        let link: Link = match canonical::from_bytes(&proved.payload) {
            Ok(link) => link,
            Err(error) => {
                self.report.fault(path, Kind::Malformed, error.to_string());
                return None;
            }
        };
        if link.v != VERSION {
            self.report.fault(path, Kind::Malformed, "it has another version");
            return None;
        }
        let digest = Digest::of(&bytes);
        if let Some(reason) = self.misplaced(&link, digest, n, end) {
            self.report.fault(path, Kind::Reordered, reason);
            return None;
        }
        self.own_key(path, n, &proved.kid);
        self.signer_of(path, &proved.kid, self.at(link.to_us));
        self.times(path, &link, end);
        match link.layout(end.init, self.manifest.as_ref().map(Manifest::is_encrypted)) {
            Ok(layout) => end.init = layout.init.unwrap_or(end.init),
            // After a faulty link the newest init segment is not known.
            Err(_) if !end.known => {}
            Err(reason) => self.report.fault(path, Kind::Malformed, reason),
        }
        self.its_files(&link);
        self.report.links = self.report.links.saturating_add(1);
        self.report.files = self.report.files.saturating_add(1);
        (end.last, end.known) = (Some(digest), true);
        Some(())
    }

    fn misplaced(&self, link: &Link, digest: Digest, n: u32, end: &End) -> Option<String> {
        if self.report.session.as_ref().is_some_and(|session| *session != link.session) {
            return Some(format!("it is a link of session {}", link.session));
        }
        if link.n != n {
            return Some(format!("it is link {}", link.n));
        }
        let follows = end.last.is_none_or(|last| last == link.prev);
        let listed = self.sums.as_ref().is_none_or(|sums| sums.get(&PathInBundle::Link(n)) == Some(&digest));
        match n {
            _ if follows && listed => None,
            _ if follows => Some("it is another link than the one in SHA256SUMS".to_owned()),
            1 => Some("it follows another manifest than this one".to_owned()),
            _ => Some("it follows another link than the one before it".to_owned()),
        }
    }

    fn own_key(&mut self, path: PathInBundle, n: u32, kid: &str) {
        let Some(named) = self.manifest.as_ref().map(|manifest| &manifest.key).filter(|named| n == 1 && *named != kid)
        else {
            return;
        };
        let reason = format!("it is signed with the key {kid}, the manifest names {named}");
        self.report.fault(path, Kind::WrongKey, reason);
    }

    fn times(&mut self, path: PathInBundle, link: &Link, end: &mut End) {
        if link.to_us < link.from_us {
            self.report.fault(path, Kind::NotMonotonic, "the segment ends before it begins");
        } else if end.known && link.from_us != end.to_us {
            self.report.fault(path, Kind::NotMonotonic, "the segment does not begin where the one before ends");
        }
        end.to_us = end.to_us.max(link.to_us);
    }

    fn its_files(&mut self, link: &Link) {
        for listed in &link.files {
            match listed.path {
                // Listed twice, which the layout forbids, is judged once.
                path if self.judged.contains(&path) => {}
                path if self.may_be_gone(path) && !self.tree.has(path) => self.gone(path),
                PathInBundle::Events(_) => self.events_file(listed, &link.session),
                path => match self.expected(listed) {
                    Some(expected) if path.is_encrypted() => self.encrypted_file(&expected, &link.session),
                    Some(expected) => {
                        self.hash_file(&expected);
                    }
                    None => {}
                },
            }
            self.in_sums(listed.path, listed.sha256);
        }
    }
}
