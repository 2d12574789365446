//! Which desktops of a runtime live: whatever else is found running belongs to nobody.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::SessionId;

/// The names of the desktops that live or are being started or ended.
#[derive(Clone, Default)]
pub(super) struct Roll(Arc<Mutex<HashSet<String>>>);

impl Roll {
    /// Enters a name, before anything is started under it; it is struck off when the entry is dropped, after all of it is gone.
    pub(super) fn enter(&self, name: &SessionId) -> Entry {
        self.names().insert(name.to_string());
        Entry { roll: self.clone(), name: name.to_string() }
    }

    /// Whether a desktop of this name lives. INVARIANT: to be asked after looking for what runs, never before.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names().contains(name)
    }

    fn names(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One name on the roll.
pub(super) struct Entry {
    roll: Roll,
    name: String,
}

impl Entry {
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.roll.names().remove(&self.name);
    }
}
