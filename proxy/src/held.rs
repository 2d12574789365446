//! What is pressed on a desktop: known to the gate, so that it can be let go when the desktop or the session is no more.

use std::collections::VecDeque;

use portcullis_rfb::{Key, Point, Pointer};

/// Keys that may be down at once; the oldest is let go when one more is pressed. A person has ten fingers.
const MOST_KEYS: usize = 32;

/// The keys and buttons that are down on a desktop, and where the pointer is.
#[derive(Debug)]
pub(crate) struct Held {
    keys: VecDeque<Key>,
    at: Point,
    /// Buttons that are down on the desktop.
    buttons: u8,
    /// Buttons that were pressed on a desktop which has gone since: they count again once they were let go.
    stale: u8,
}

impl Held {
    /// Nothing is pressed, and the pointer is at `at`.
    pub(crate) fn nothing(at: Point) -> Self {
        Self { keys: VecDeque::new(), at, buttons: 0, stale: 0 }
    }

    /// Notes a key that is about to be passed on; the key that must be let go before it, if there is one.
    pub(crate) fn key(&mut self, key: Key) -> Option<Key> {
        self.keys.retain(|held| !is_same(held, &key));
        if !key.down {
            return None;
        }
        let oldest = if self.keys.len() < MOST_KEYS { None } else { self.keys.pop_front() };
        self.keys.push_back(key);
        oldest.map(up)
    }

    /// Notes the pointer; what of it is to be passed on.
    pub(crate) fn pointer(&mut self, pointer: Pointer) -> Pointer {
        self.stale &= pointer.buttons;
        self.at = pointer.at;
        self.buttons = pointer.buttons & !self.stale;
        Pointer { buttons: self.buttons, ..pointer }
    }

    /// Notes a pointer that is not passed on, because the desktop is away: a button that is down now was not pressed on what comes back.
    pub(crate) fn missed(&mut self, pointer: Pointer) {
        self.at = pointer.at;
        self.stale = pointer.buttons;
    }

    /// The desktop is gone, and all that was down on it; the keys to let go on what comes in its place, which may be the same screen.
    pub(crate) fn let_go(&mut self) -> Vec<Key> {
        self.stale |= std::mem::take(&mut self.buttons);
        self.keys.drain(..).map(up).collect()
    }

    /// The pointer, with nothing pressed.
    pub(crate) fn resting(&self) -> Pointer {
        Pointer::new(0, self.at)
    }
}

fn up(key: Key) -> Key {
    Key { down: false, ..key }
}

/// Whether both are one key of a keyboard: the scan code says so where there is one, for what a key types changes with Shift.
pub(crate) fn is_same(a: &Key, b: &Key) -> bool {
    match (a.scancode, b.scancode) {
        (Some(a), Some(b)) => a == b,
        _ => a.keysym == b.keysym,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(down: bool, keysym: u32, scancode: Option<u32>) -> Key {
        Key { down, keysym, scancode }
    }

    fn pointer(buttons: u8) -> Pointer {
        Pointer::new(buttons, Point { x: 3, y: 4 })
    }

    #[test]
    fn what_is_down_is_let_go_once() {
        let mut held = Held::nothing(Point::default());
        for (down, keysym, scancode) in [
            (true, 0xffe1, Some(42)),
            (true, 0x41, Some(30)),
            (true, 0x62, None),
            (true, 0x62, None),
            // The same key, which types something else since Shift was let go.
            (false, 0x61, Some(30)),
        ] {
            assert_eq!(held.key(key(down, keysym, scancode)), None);
        }
        assert_eq!(held.let_go(), [key(false, 0xffe1, Some(42)), key(false, 0x62, None)]);
        assert_eq!(held.let_go(), []);
    }

    #[test]
    fn more_keys_than_anybody_holds_let_the_oldest_go() {
        let mut held = Held::nothing(Point::default());
        for keysym in 0..32 {
            assert_eq!(held.key(key(true, keysym, None)), None);
        }
        assert_eq!(held.key(key(true, 99, None)), Some(key(false, 0, None)));
        assert_eq!(held.let_go().len(), 32);
    }

    #[test]
    fn a_button_pressed_before_a_break_is_not_pressed_after_it() {
        let mut held = Held::nothing(Point::default());
        assert_eq!(held.pointer(pointer(1)).buttons, 1);
        held.let_go();
        assert_eq!(held.pointer(pointer(1)).buttons, 0, "still the old press");
        assert_eq!(held.pointer(pointer(5)).buttons, 4, "a new one beside it");
        assert_eq!(held.pointer(pointer(0)).buttons, 0);
        assert_eq!(held.pointer(pointer(1)).buttons, 1, "a new press");
        held.missed(pointer(2));
        assert_eq!(held.pointer(pointer(2)).buttons, 0, "pressed while the desktop was away");
        assert_eq!(held.resting(), Pointer::new(0, Point { x: 3, y: 4 }));
    }
}
