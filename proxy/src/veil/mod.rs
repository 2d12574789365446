//! The veil between the desktop's changes and the session's screen: masks and watermarks become pixels, for every viewer and the record.
//!
//! Pure: no I/O, and the clock is in what it is handed. INVARIANT: what leaves is computed from the clear copy kept here and from what is drawn
//! over it; no change of the desktop passes that touches a pixel which is drawn over. Where nothing is owed there is no copy, and changes
//! pass untouched.

pub(crate) mod clicks;
mod layout;
mod lettering;
mod overlay;
mod owed;
mod pointer;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use portcullis_rfb::geometry::MAX_REGION_RECTS;
use portcullis_rfb::{Change, Damage, Rect, Screen, ScreenError, Size};

use overlay::Overlay;
pub(crate) use owed::{Owed, beyond, within};

/// The changes of one revision.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Veiled {
    /// For the screen that viewers are served from.
    pub(crate) shown: Vec<Change>,
    /// For the record, where it is not the same.
    recorded: Option<Vec<Change>>,
}

impl Veiled {
    /// What the record is handed.
    pub(crate) fn recorded(&self) -> &[Change] {
        self.recorded.as_deref().unwrap_or(&self.shown)
    }
}

/// What is drawn over a desktop, and the clear copy below while anything is.
#[derive(Debug, Default)]
pub(crate) struct Veil {
    owed: Owed,
    worn: Option<Worn>,
}

/// A veil that covers something.
#[derive(Debug)]
struct Worn {
    clear: Screen,
    shown: Overlay,
    /// What is drawn for the record, where that is less.
    recorded: Option<Overlay>,
}

impl Veil {
    /// Turns one update of the desktop into what is recorded and shown of it; `shown` is the screen before it.
    ///
    /// # Errors
    /// The update does not fit the screen; nothing has changed.
    pub(crate) fn take(&mut self, changes: Vec<Change>, shown: &Screen) -> Result<Veiled, ScreenError> {
        let grows = |change: &Change| matches!(change, Change::Resize(size) if !self.owed.is_nothing(*size));
        if self.worn.is_none() && !changes.iter().any(grows) {
            return Ok(Veiled { shown: changes, recorded: None });
        }
        let worn = self.worn.get_or_insert_with(|| Worn::nothing(copy(shown)));
        let before = worn.clear.revision();
        worn.clear.apply(&changes)?;
        if are_apart(&changes) {
            return Ok(worn.draw_into(changes));
        }
        let damage = worn.clear.changes_since(before);
        if damage.resized {
            (worn.shown, worn.recorded) = overlays(&self.owed, worn.clear.size());
        }
        let veiled = worn.draw(&damage);
        self.drop_if_bare();
        Ok(veiled)
    }

    /// Draws something else from now on: what changes by that. Nothing, if nothing does.
    pub(crate) fn change(&mut self, owed: Owed, shown: &Screen) -> Option<Veiled> {
        if owed == self.owed {
            return None;
        }
        let size = shown.size();
        if self.worn.is_none() && owed.is_nothing(size) {
            self.owed = owed;
            return None;
        }
        let worn = self.worn.get_or_insert_with(|| Worn::nothing(copy(shown)));
        let (new, record) = overlays(&owed, size);
        let old = std::mem::replace(&mut worn.shown, new);
        let old_record = std::mem::replace(&mut worn.recorded, record);
        let apart = old_record.is_some() || worn.recorded.is_some();
        let veiled = Veiled {
            shown: worn.redraw(&old, &worn.shown),
            recorded: apart.then(|| {
                worn.redraw(old_record.as_ref().unwrap_or(&old), worn.recorded.as_ref().unwrap_or(&worn.shown))
            }),
        };
        self.owed = owed;
        self.drop_if_bare();
        Some(veiled).filter(|veiled| !veiled.shown.is_empty() || !veiled.recorded().is_empty())
    }

    /// INVARIANT: where nothing is drawn, what is shown is the clear screen, so no second copy is kept.
    fn drop_if_bare(&mut self) {
        if self.worn.as_ref().is_some_and(|worn| self.owed.is_nothing(worn.clear.size())) {
            self.worn = None;
        }
    }
}

impl Worn {
    fn nothing(clear: Screen) -> Self {
        let shown = Overlay::nothing(clear.size());
        Self { clear, shown, recorded: None }
    }

    /// Draws over pixels where they came, which are those of the clear copy: no other change of the update touches them.
    fn draw_into(&self, changes: Vec<Change>) -> Veiled {
        let over = |overlay: &Overlay, mut changes: Vec<Change>| {
            for change in &mut changes {
                match change {
                    Change::Pixels { rect, pixels } => overlay.draw(*rect, pixels),
                    Change::Cursor(cursor) => *cursor = pointer::over(cursor, overlay.hides(), overlay.is_nothing()),
                    Change::Copy { .. } | Change::Resize(_) => {}
                }
            }
            changes
        };
        let recorded = self.recorded.as_ref().map(|overlay| over(overlay, changes.clone()));
        Veiled { shown: over(&self.shown, changes), recorded }
    }

    fn draw(&self, damage: &Damage) -> Veiled {
        Veiled {
            shown: self.under(&self.shown, damage),
            recorded: self.recorded.as_ref().map(|recorded| self.under(recorded, damage)),
        }
    }

    /// What damage of the clear copy is below an overlay: a move only of what nothing is drawn over, on either side of it.
    fn under(&self, overlay: &Overlay, damage: &Damage) -> Vec<Change> {
        let mut changes = Vec::new();
        if damage.resized {
            changes.push(Change::Resize(self.clear.size()));
        }
        if damage.cursor {
            changes.extend(self.cursor(overlay));
        }
        let mut region = damage.region.clone();
        if let Some((to, from)) = damage.copy {
            if overlay.touches(to) || overlay.touches(to.at(from)) {
                region.add(to);
            } else {
                changes.push(Change::Copy { to, from });
            }
        }
        changes.extend(region.rects().iter().map(|rect| self.pixels(overlay, *rect)));
        changes
    }

    /// What is to be drawn anew when one overlay follows another over the same screen.
    fn redraw(&self, old: &Overlay, new: &Overlay) -> Vec<Change> {
        let mut changes: Vec<Change> = old.differences(new).into_iter().map(|rect| self.pixels(new, rect)).collect();
        let (before, after) = (self.cursor(old), self.cursor(new));
        if before != after {
            changes.extend(after);
        }
        changes
    }

    fn pixels(&self, overlay: &Overlay, rect: Rect) -> Change {
        let mut pixels = self.clear.rows(rect).collect::<Vec<_>>().concat();
        overlay.draw(rect, &mut pixels);
        Change::Pixels { rect, pixels }
    }

    fn cursor(&self, overlay: &Overlay) -> Option<Change> {
        let cursor = self.clear.cursor()?;
        Some(Change::Cursor(pointer::over(cursor, overlay.hides(), overlay.is_nothing())))
    }
}

/// Whether an update is nothing but pixels that do not overlap, and cursors. Of many that is not looked at: it would take long.
fn are_apart(changes: &[Change]) -> bool {
    let rects = changes.iter().map(|change| match change {
        Change::Pixels { rect, .. } => Some(*rect),
        Change::Cursor(_) => Some(Rect::default()),
        Change::Copy { .. } | Change::Resize(_) => None,
    });
    let Some(rects) = rects.collect::<Option<Vec<_>>>().filter(|rects| rects.len() <= MAX_REGION_RECTS) else {
        return false;
    };
    let mut rest = rects.as_slice();
    while let Some((first, others)) = rest.split_first() {
        if others.iter().any(|other| other.intersects(*first)) {
            return false;
        }
        rest = others;
    }
    true
}

/// What is drawn for viewers, and for the record where that is less.
fn overlays(owed: &Owed, size: Size) -> (Overlay, Option<Overlay>) {
    let marks = owed.placed(size);
    let (shown, recorded) = (owed.hidden(size), owed.hidden_from_record(size));
    let less = recorded != shown;
    (Overlay::of(size, &shown, &marks), less.then(|| Overlay::of(size, &recorded, &marks)))
}

/// A screen that shows the same.
fn copy(screen: &Screen) -> Screen {
    let mut clear = Screen::new(screen.size());
    let whole = Change::Pixels { rect: screen.size().bounds(), pixels: screen.pixels().to_vec() };
    let cursor = screen.cursor().map(|cursor| Change::Cursor(Arc::clone(cursor)));
    let changes: Vec<Change> = std::iter::once(whole).chain(cursor).collect();
    // It fits by its making: a screen's own picture and cursor.
    let _ = clear.apply(&changes);
    clear
}
