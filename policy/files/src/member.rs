//! Names of members of archives, and where links among them lead: nothing may be written outside of the folder that it is unpacked into.

use std::collections::BTreeSet;

use crate::Refused;
use crate::kind::Kind;
use crate::name::is_invisible;

/// Bytes of a member's name, or of what a link leads to, at most.
pub(crate) const MAX_PATH: usize = 4096;
/// Names and links of one archive that are remembered, in bytes; an archive with more is refused.
const MAX_PATHS: usize = 8 << 20;

/// The last component of a member's name.
pub(crate) fn last(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// The members of one archive by name, and which of them are links.
pub(crate) struct Paths {
    kind: &'static Kind,
    names: BTreeSet<String>,
    links: BTreeSet<String>,
    bytes: usize,
}

impl Paths {
    /// Of an archive of this type.
    pub(crate) fn new(kind: &'static Kind) -> Self {
        Self { kind, names: BTreeSet::new(), links: BTreeSet::new(), bytes: 0 }
    }

    fn escapes(&self, reason: &'static str) -> Refused {
        Refused::Escapes { media_type: self.kind.media_type, reason }
    }

    /// Takes a member's name: relative, downwards, through no link, and once.
    pub(crate) fn take(&mut self, name: &[u8], twice: bool) -> Result<String, Refused> {
        if name.len() > MAX_PATH {
            return Err(self.escapes("its name is too long"));
        }
        // Names in older code pages are read as Latin-1: what matters here is ASCII.
        let name = String::from_utf8(name.to_vec())
            .unwrap_or_else(|bad| bad.as_bytes().iter().copied().map(char::from).collect());
        self.safe(&name)?;
        let plain = plain(&name);
        if self.through_link(&plain) {
            return Err(self.escapes("its name leads through a link"));
        }
        self.bytes = self.bytes.saturating_add(plain.len()).saturating_add(64);
        if self.bytes > MAX_PATHS {
            return Err(Refused::Bomb { which: crate::Limit::Entries });
        }
        if !plain.is_empty() && !self.names.insert(plain) && !twice {
            return Err(Refused::Broken { media_type: self.kind.media_type, reason: "two members have one name" });
        }
        Ok(name)
    }

    /// Takes a link and what it leads to, from its own folder (or from the archive's root, if it is a hard one).
    pub(crate) fn link(&mut self, name: &str, target: &[u8], hard: bool) -> Result<(), Refused> {
        let Ok(target) = std::str::from_utf8(target) else {
            return Err(self.escapes("a link leads to what is no text"));
        };
        if target.is_empty()
            || target.len() > MAX_PATH
            || target.starts_with('/')
            || target.contains(['\\', '\0'])
            || has_drive(target)
        {
            return Err(self.escapes("a link leads out of it"));
        }
        let own = plain(name);
        let mut depth = if hard { 0 } else { own.split('/').count().saturating_sub(1) };
        let mut down = false;
        for part in target.split('/') {
            match part {
                "" | "." => {}
                // What goes down may go through another link, so that the way up again leads elsewhere.
                ".." if down || depth == 0 => return Err(self.escapes("a link leads out of it")),
                ".." => depth = depth.saturating_sub(1),
                _ => down = true,
            }
        }
        let within = format!("{own}/");
        if !hard && self.names.range(within.clone()..).next().is_some_and(|next| next.starts_with(&within)) {
            return Err(self.escapes("a member's name leads through a link"));
        }
        if !hard {
            self.links.insert(own);
        }
        Ok(())
    }

    fn through_link(&self, plain: &str) -> bool {
        !self.links.is_empty()
            && plain
                .match_indices('/')
                .any(|(place, _)| plain.get(..place).is_some_and(|folder| self.links.contains(folder)))
    }

    fn safe(&self, name: &str) -> Result<(), Refused> {
        let reason = if name.is_empty() {
            "a name is empty"
        } else if name.starts_with('/') || has_drive(name) {
            "its name is absolute"
        } else if name.contains('\\') {
            "its name has backslashes"
        } else if name.split('/').any(|part| part == "..") {
            "its name leads upwards"
        } else if name.chars().any(|character| {
            character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        }) {
            "its name has control characters"
        } else if name.chars().filter(|character| is_invisible(*character)).count() > 8 {
            "its name has invisible characters"
        } else {
            return Ok(());
        };
        Err(self.escapes(reason))
    }
}

/// The name without what says nothing: `./a//b/` is `a/b`.
fn plain(name: &str) -> String {
    name.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

/// `C:`, at the beginning.
fn has_drive(name: &str) -> bool {
    matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}
