//! Whether one policy applies wherever another does; in doubt, no.

use crate::language::Applies;

impl Applies {
    /// Whether every condition of this holds wherever all of the other's do.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        covered(&self.users, &other.users, |wide, narrow| wide == narrow)
            && covered(&self.groups, &other.groups, |wide, narrow| wide == narrow)
            && covered(&self.issuers, &other.issuers, |wide, narrow| wide == narrow)
            && covered(&self.desktops, &other.desktops, |wide, narrow| wide.covers(narrow))
            && covered(&self.networks, &other.networks, |wide, narrow| wide.covers(narrow))
            && covered(&self.hours, &other.hours, |wide, narrow| wide.cover(narrow))
    }
}

/// An absent condition holds for everything.
fn covered<T>(wide: &Option<Vec<T>>, narrow: &Option<Vec<T>>, covers: impl Fn(&T, &T) -> bool) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => narrow.iter().all(|narrow| wide.iter().any(|wide| covers(wide, narrow))),
    }
}
