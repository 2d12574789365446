//! Keysyms and scan codes: which key one is, whatever Shift, lock keys and keypads make of it, and what it is called.

use portcullis_policy::Chord;
use portcullis_rfb::Key;

/// Keys that are held to change what others do, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Modifiers(u8);

impl Modifiers {
    pub(super) const NONE: Self = Self(0);
    pub(super) const CTRL: Self = Self(1);
    pub(super) const ALT: Self = Self(2);
    pub(super) const SHIFT: Self = Self(4);
    pub(super) const SUPER: Self = Self(8);

    /// Those of either.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of the others are among these.
    pub(super) fn hold(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether any of the others is among these.
    pub(super) fn share(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Those that a chord holds.
    pub(super) fn of_chord(chord: &Chord) -> Self {
        let held = [
            (chord.ctrl(), Self::CTRL),
            (chord.alt(), Self::ALT),
            (chord.shift(), Self::SHIFT),
            (chord.superkey(), Self::SUPER),
        ];
        held.into_iter().filter(|(held, _)| *held).fold(Self::NONE, |all, (_, one)| all.and(one))
    }

    /// Which modifiers a key is; none of them for most keys. A Meta key is Alt on some keyboards and Super on others: it counts as both.
    pub(super) fn of(key: &Key, scancodes: bool) -> Self {
        let by_keysym = match key.keysym {
            0xffe3 | 0xffe4 => Self::CTRL,
            0xffe9 | 0xffea => Self::ALT,
            0xffe7 | 0xffe8 => Self::ALT.and(Self::SUPER),
            0xffe1 | 0xffe2 => Self::SHIFT,
            0xffeb..=0xffee => Self::SUPER,
            _ => Self::NONE,
        };
        let by_scancode = match key.scancode.filter(|_| scancodes) {
            Some(0x1d | 0x9d) => Self::CTRL,
            Some(0x38 | 0xb8) => Self::ALT,
            Some(0x2a | 0x36) => Self::SHIFT,
            Some(0xdb | 0xdc) => Self::SUPER,
            _ => Self::NONE,
        };
        by_keysym.and(by_scancode)
    }
}

/// Whether a keysym types nothing by itself: modifiers and locks (keysymdef.h, 0xffe1 to 0xffee), ISO's shifts and locks, mode switch, NumLock.
pub(super) fn is_modifier(keysym: u32) -> bool {
    matches!(keysym, 0xffe1..=0xffee | 0xfe01..=0xfe0f | 0xff7e | 0xff7f | 0xff14)
}

/// Whether a key is the one that a chord strikes, by what a desktop hears of it: the keysym, and the scan code where it hears those.
pub(super) fn is_struck(key: &Key, keysym: u32, scancodes: bool) -> bool {
    let plain = plain(key.keysym);
    let by_scancode = key.scancode.filter(|_| scancodes).and_then(at);
    plain == keysym || unshifted(plain) == Some(keysym) || by_scancode.is_some_and(|at| at == keysym)
}

/// The keysym without what lock keys, keypads and Unicode's range make of it: letters small, keypad keys as their namesakes.
fn plain(keysym: u32) -> u32 {
    let keysym = match keysym {
        // Unicode below U+0100 has keysyms of its own, which this is another spelling of.
        0x0100_0000..=0x0100_00ff => keysym & 0xff,
        other => other,
    };
    match keysym {
        0x41..=0x5a => keysym | 0x20,
        0x08 | 0x09 | 0x0d | 0x1b => keysym | 0xff00,
        0x0a => 0xff0d,
        0x7f => 0xffff,
        0xfe20 | 0xff89 => 0xff09,
        0xff15 => 0xff61,
        0xff6b => 0xff13,
        0xff80 => 0x20,
        0xff8d => 0xff0d,
        0xff91..=0xff94 => keysym + (0xffbe - 0xff91),
        0xff95 => 0xff50,
        0xff96..=0xff9c => keysym - (0xff96 - 0xff51),
        0xff9e => 0xff63,
        0xff9f => 0xffff,
        0xffaa..=0xffb9 | 0xffbd => keysym & 0x7f,
        other => other,
    }
}

/// The key below a sign that Shift makes on a keyboard of the United States, which is what desktops have unless they say otherwise.
fn unshifted(keysym: u32) -> Option<u32> {
    const SIGNS: &str = "!@#$%^&*()_+{}|:\"<>?~";
    const KEYS: &str = "1234567890-=[]\\;',./`";
    let sign = char::from_u32(keysym)?;
    SIGNS.chars().zip(KEYS.chars()).find(|(known, _)| *known == sign).map(|(_, key)| u32::from(key))
}

/// The keysym of the key at an XT scan code on a keyboard of the United States; keys behind the prefix e0 have bit 7 set.
fn at(scancode: u32) -> Option<u32> {
    const ROWS: [(u32, &str); 4] =
        [(0x02, "1234567890-="), (0x10, "qwertyuiop[]"), (0x1e, "asdfghjkl;'`"), (0x2b, "\\zxcvbnm,./")];
    const NAMED: [(u32, u32); 34] = [
        (0x01, 0xff1b),
        (0x0e, 0xff08),
        (0x0f, 0xff09),
        (0x1c, 0xff0d),
        (0x9c, 0xff0d),
        (0x39, 0x20),
        (0x45, 0xff7f),
        (0x46, 0xff14),
        (0xc6, 0xff13),
        (0x54, 0xff61),
        (0xb7, 0xff61),
        (0x57, 0xffc8),
        (0x58, 0xffc9),
        (0xc7, 0xff50),
        (0x47, 0xff50),
        (0xcb, 0xff51),
        (0x4b, 0xff51),
        (0xc8, 0xff52),
        (0x48, 0xff52),
        (0xcd, 0xff53),
        (0x4d, 0xff53),
        (0xd0, 0xff54),
        (0x50, 0xff54),
        (0xc9, 0xff55),
        (0x49, 0xff55),
        (0xd1, 0xff56),
        (0x51, 0xff56),
        (0xcf, 0xff57),
        (0x4f, 0xff57),
        (0xd2, 0xff63),
        (0x52, 0xff63),
        (0xd3, 0xffff),
        (0x53, 0xffff),
        (0xdd, 0xff67),
    ];
    if let 0x3b..=0x44 = scancode {
        return Some(0xffbe + (scancode - 0x3b));
    }
    let named = NAMED.iter().find(|(code, _)| *code == scancode).map(|(_, keysym)| *keysym);
    named.or_else(|| {
        let in_row = |(first, keys): &(u32, &'static str)| {
            let column = usize::try_from(scancode.checked_sub(*first)?).ok()?;
            keys.chars().nth(column).map(u32::from)
        };
        ROWS.iter().find_map(in_row)
    })
}

/// What a key is called on the record: the character that it types, keysymdef.h's name of it, or its number.
pub(super) fn name(keysym: u32) -> String {
    const NAMES: [(u32, &str); 56] = [
        (0x20, "space"),
        (0xff08, "BackSpace"),
        (0xff09, "Tab"),
        (0xff0d, "Return"),
        (0xff13, "Pause"),
        (0xff14, "Scroll_Lock"),
        (0xff1b, "Escape"),
        (0xff20, "Multi_key"),
        (0xff50, "Home"),
        (0xff51, "Left"),
        (0xff52, "Up"),
        (0xff53, "Right"),
        (0xff54, "Down"),
        (0xff55, "Page_Up"),
        (0xff56, "Page_Down"),
        (0xff57, "End"),
        (0xff61, "Print"),
        (0xff63, "Insert"),
        (0xff67, "Menu"),
        (0xff7e, "Mode_switch"),
        (0xff7f, "Num_Lock"),
        (0xff8d, "KP_Enter"),
        (0xff95, "KP_Home"),
        (0xff96, "KP_Left"),
        (0xff97, "KP_Up"),
        (0xff98, "KP_Right"),
        (0xff99, "KP_Down"),
        (0xff9a, "KP_Page_Up"),
        (0xff9b, "KP_Page_Down"),
        (0xff9c, "KP_End"),
        (0xff9e, "KP_Insert"),
        (0xff9f, "KP_Delete"),
        (0xffaa, "KP_Multiply"),
        (0xffab, "KP_Add"),
        (0xffac, "KP_Separator"),
        (0xffad, "KP_Subtract"),
        (0xffae, "KP_Decimal"),
        (0xffaf, "KP_Divide"),
        (0xffbd, "KP_Equal"),
        (0xffe1, "Shift_L"),
        (0xffe2, "Shift_R"),
        (0xffe3, "Control_L"),
        (0xffe4, "Control_R"),
        (0xffe5, "Caps_Lock"),
        (0xffe6, "Shift_Lock"),
        (0xffe7, "Meta_L"),
        (0xffe8, "Meta_R"),
        (0xffe9, "Alt_L"),
        (0xffea, "Alt_R"),
        (0xffeb, "Super_L"),
        (0xffec, "Super_R"),
        (0xffed, "Hyper_L"),
        (0xffee, "Hyper_R"),
        (0xffff, "Delete"),
        (0xfe03, "ISO_Level3_Shift"),
        (0xfe20, "ISO_Left_Tab"),
    ];
    if let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == keysym) {
        return (*name).to_owned();
    }
    let typed = match keysym {
        0x21..=0x7e | 0xa1..=0xff => char::from_u32(keysym),
        0x0100_0100..=0x0110_ffff => char::from_u32(keysym - 0x0100_0000),
        _ => None,
    };
    match keysym {
        0xffb0..=0xffb9 => format!("KP_{}", keysym - 0xffb0),
        0xffbe..=0xffe0 => format!("F{}", keysym - 0xffbd),
        _ => typed.filter(|typed| !typed.is_control()).map_or_else(|| format!("{keysym:#x}"), String::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(keysym: u32, scancode: Option<u32>) -> Key {
        Key { down: true, keysym, scancode }
    }

    #[test]
    fn a_key_is_one_key_whatever_locks_and_keypads_make_of_it() {
        for (keysym, chord) in [
            (0x4c, 0x6c),
            (0x0100_006c, 0x6c),
            (0x0100_004c, 0x6c),
            (0xff9f, 0xffff),
            (0x7f, 0xffff),
            (0xff8d, 0xff0d),
            (0xff95, 0xff50),
            (0xff96, 0xff51),
            (0xff9c, 0xff57),
            (0xff91, 0xffbe),
            (0xff94, 0xffc1),
            (0xffb7, 0x37),
            (0xffab, 0x2b),
            (0xfe20, 0xff09),
            (0x21, 0x31),
            (0x21, 0x21),
            (0x7b, 0x5b),
        ] {
            assert!(is_struck(&key(keysym, None), chord, false), "{keysym:#x} is {chord:#x}");
        }
        assert!(!is_struck(&key(0x6d, None), 0x6c, false));
        assert!(!is_struck(&key(0, Some(0xd3)), 0xffff, false), "a desktop that hears keysyms alone");
    }

    #[test]
    fn scan_codes_count_where_the_desktop_hears_them() {
        for (scancode, chord) in
            [(0xd3, 0xffff), (0x58, 0xffc9), (0x3b, 0xffbe), (0x44, 0xffc7), (0x26, 0x6c), (0x17, 0x69), (0x35, 0x2f)]
        {
            assert!(is_struck(&key(0, Some(scancode)), chord, true), "{scancode:#x} is {chord:#x}");
            // A keysym that says otherwise is no way around.
            assert!(is_struck(&key(0x7a, Some(scancode)), chord, true), "{scancode:#x} is {chord:#x}");
        }
        assert!(Modifiers::of(&key(0x61, Some(0x9d)), true).hold(Modifiers::CTRL));
        assert_eq!(Modifiers::of(&key(0x61, Some(0x9d)), false), Modifiers::NONE);
        assert!(Modifiers::of(&key(0xffe4, None), true).hold(Modifiers::CTRL));
    }

    #[test]
    fn keys_have_names() {
        for (keysym, named) in [
            (0x61, "a"),
            (0xe4, "ä"),
            (0x0100_20ac, "€"),
            (0xffc9, "F12"),
            (0xffb3, "KP_3"),
            (0xff0d, "Return"),
            (0x0100_0001, "0x1000001"),
            (0x0110_ffff, "\u{10ffff}"),
            (0x1234, "0x1234"),
        ] {
            assert_eq!(name(keysym), named);
        }
    }
}
