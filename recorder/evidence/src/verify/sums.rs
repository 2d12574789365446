//! `SHA256SUMS`, which the seal proves: the whole listing, for what the chain cannot tell once a link is damaged.
use std::collections::HashMap;
use std::io::{self, BufReader, Read};

use super::Check;
use crate::digest::{Digest, FileHash};
use crate::path::PathInBundle;
use crate::read::{self, Line};
use crate::report::Kind;

/// What a listing says, or that it is none.
type Listing = Option<HashMap<PathInBundle, Digest>>;

impl Check<'_> {
    /// Reads the listing against its hash in the seal.
    pub(super) fn read_sums(&mut self, listed: FileHash) {
        let mut sums = None;
        let good = self.with_file(&listed, |reader| {
            let mut reader = BufReader::new(reader);
            sums = parse(&mut reader)?;
            reader.into_inner().finish()
        });
        if good.is_none() {
            return;
        }
        let rest = [PathInBundle::Index, PathInBundle::Session];
        let sealed = self.seal.iter().flat_map(|seal| &seal.files).filter(|file| rest.contains(&file.path));
        let agrees = |sums: &HashMap<_, _>| sealed.clone().all(|file| sums.get(&file.path) == Some(&file.sha256));
        match sums {
            None => self.report.fault(listed.path, Kind::Malformed, "it is no listing of a bundle's files"),
            Some(sums) if !agrees(&sums) => {
                self.report.fault(listed.path, Kind::Malformed, "it does not list what the seal lists");
            }
            Some(sums) => self.sums = Some(sums),
        }
    }

    /// A file that a good link lists must be in the listing, with the same hash.
    pub(super) fn in_sums(&mut self, path: PathInBundle, digest: Digest) {
        if self.sums.as_ref().is_some_and(|sums| sums.get(&path) != Some(&digest)) {
            self.report.fault(
                PathInBundle::Sums,
                Kind::Malformed,
                format!("it does not list {path} as the chain does"),
            );
        }
    }
}

/// Lines of 64 digits, two spaces and a path, each path once.
fn parse<R: Read>(reader: &mut BufReader<R>) -> io::Result<Listing> {
    let (mut line, mut sums) = (Vec::new(), HashMap::new());
    loop {
        match read::line(reader, &mut line)? {
            Line::End => return Ok(Some(sums)),
            Line::Torn | Line::TooLong => return Ok(None),
            Line::Whole => {}
        }
        let Some((path, digest)) = entry(&line) else { return Ok(None) };
        if sums.insert(path, digest).is_some() {
            return Ok(None);
        }
    }
}

fn entry(line: &[u8]) -> Option<(PathInBundle, Digest)> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (digest, path) = line.split_once("  ")?;
    Some((path.parse().ok()?, digest.parse().ok()?))
}
