//! Chords: keys pressed together, such as `Ctrl+Alt+Delete`.

use std::fmt;

use super::meant;
use crate::shown::Shown;

/// The keys that are held, in the order in which they are written.
const HELD: [&str; 4] = ["Ctrl", "Alt", "Shift", "Super"];

/// Keys that have a name, with their X11 keysyms (keysymdef.h); letters, digits and signs stand for themselves.
const NAMED: [(&str, u32); 37] = [
    ("Backspace", 0xff08),
    ("Tab", 0xff09),
    ("Enter", 0xff0d),
    ("Pause", 0xff13),
    ("ScrollLock", 0xff14),
    ("Escape", 0xff1b),
    ("Home", 0xff50),
    ("Left", 0xff51),
    ("Up", 0xff52),
    ("Right", 0xff53),
    ("Down", 0xff54),
    ("PageUp", 0xff55),
    ("PageDown", 0xff56),
    ("End", 0xff57),
    ("Print", 0xff61),
    ("Insert", 0xff63),
    ("Menu", 0xff67),
    ("NumLock", 0xff7f),
    ("F1", 0xffbe),
    ("F2", 0xffbf),
    ("F3", 0xffc0),
    ("F4", 0xffc1),
    ("F5", 0xffc2),
    ("F6", 0xffc3),
    ("F7", 0xffc4),
    ("F8", 0xffc5),
    ("F9", 0xffc6),
    ("F10", 0xffc7),
    ("F11", 0xffc8),
    ("F12", 0xffc9),
    ("Delete", 0xffff),
    ("Space", 0x20),
    ("Plus", 0x2b),
    ("Comma", 0x2c),
    ("Minus", 0x2d),
    ("Period", 0x2e),
    ("Slash", 0x2f),
];

/// Keys pressed together: some held, one struck.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Chord {
    held: [bool; 4],
    key: String,
    keysym: u32,
}

impl Chord {
    /// Whether the key is struck with Ctrl held; the same for the others.
    pub fn ctrl(&self) -> bool {
        self.holds("Ctrl")
    }

    /// Whether Alt is held.
    pub fn alt(&self) -> bool {
        self.holds("Alt")
    }

    /// Whether Shift is held.
    pub fn shift(&self) -> bool {
        self.holds("Shift")
    }

    /// Whether Super (the Windows or Command key) is held.
    pub fn superkey(&self) -> bool {
        self.holds("Super")
    }

    /// The X11 keysym of the key that is struck; of a letter, that of its small one.
    pub fn keysym(&self) -> u32 {
        self.keysym
    }

    /// Reads `Ctrl+Alt+Delete`, `Super+l`, `F12`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut held = [false; 4];
        let (before, key) = text.rsplit_once('+').map_or((None, text), |(before, key)| (Some(before), key));
        for name in before.into_iter().flat_map(|before| before.split('+')) {
            let Some((_, seen)) = HELD.iter().zip(held.iter_mut()).find(|(known, _)| **known == name) else {
                return Err(format!("`{}` is not a key to hold; {}", Shown(name), meant(name, &HELD)));
            };
            if *seen {
                return Err(format!("`{name}` is held twice in `{}`; hold it once", Shown(text)));
            }
            *seen = true;
        }
        let mut letters = key.chars();
        let keysym = match (letters.next(), letters.next()) {
            (Some(letter), None) if letter.is_ascii_graphic() && !letter.is_ascii_uppercase() => {
                Some(u32::from(letter))
            }
            _ => NAMED.iter().find(|(name, _)| *name == key).map(|(_, keysym)| *keysym),
        };
        let Some(keysym) = keysym else {
            let names: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
            let mend = meant(key, &names);
            return Err(format!("`{}` is not a key; write a small letter, a digit or a name; {mend}", Shown(key)));
        };
        Ok(Self { held, key: key.to_owned(), keysym })
    }

    fn holds(&self, name: &str) -> bool {
        HELD.iter().zip(self.held).any(|(known, held)| *known == name && held)
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in HELD.iter().filter(|name| self.holds(name)) {
            write!(f, "{name}+")?;
        }
        f.write_str(&self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_are_read_in_any_order_and_shown_in_one() {
        let chord = Chord::read("Alt+Ctrl+Delete").unwrap();
        assert_eq!(chord.to_string(), "Ctrl+Alt+Delete");
        assert!(chord.ctrl() && chord.alt() && !chord.shift() && !chord.superkey());
        assert_eq!(chord.keysym(), 0xffff);
        assert_eq!(Chord::read("Super+l").unwrap().keysym(), 0x6c);
        assert_eq!(Chord::read("F12").unwrap().keysym(), 0xffc9);
        assert_eq!(Chord::read("Ctrl+Shift+Plus").unwrap().keysym(), 0x2b);
    }

    #[test]
    fn other_texts_are_refused_with_the_mend() {
        for (text, part) in [
            ("", "not a key"),
            ("Ctrl+", "not a key"),
            ("Ctrl+Del", "did you mean `Delete`?"),
            ("Ctrl+Delet", "did you mean `Delete`?"),
            ("Cntrl+c", "did you mean `Ctrl`?"),
            ("Ctrl+Ctrl+c", "held twice"),
            ("Ctrl+C", "write a small letter"),
            ("Ctrl+ß", "not a key"),
            ("Ctrl++", "not a key to hold"),
        ] {
            let error = Chord::read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
