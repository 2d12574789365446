//! Names of files that stay in their folder, on every system, and read as what they are.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// Bytes of a name at most, as UTF-8 in NFC: what file systems hold.
pub const MAX_NAME: usize = 255;

/// The name of a file: one component of a path, in NFC, that means the same on Linux, macOS and Windows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileName(String);

/// Why a name is not taken. None of them says the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameRefused {
    /// Nothing, or nothing but what is left out.
    #[error("the name is empty")]
    Empty,
    /// More than [`MAX_NAME`] bytes.
    #[error("the name is longer than 255 bytes")]
    TooLong,
    /// A slash or backslash, or a character that looks like one.
    #[error("the name has a slash in it, or what looks like one")]
    Separator,
    /// A control, a line break.
    #[error("the name has control characters in it")]
    Control,
    /// Characters that are not seen, or that turn the order of those that are.
    #[error("the name has invisible characters in it")]
    Invisible,
    /// `: * ? " < > |`, which Windows takes for something else, and code points that are no characters.
    #[error("the name has one of : * ? \" < > | in it, or what is no character")]
    Character,
    /// A dot, dash or space at the beginning: hidden files, `..`, options.
    #[error("the name begins with a dot, a dash or a space")]
    Beginning,
    /// A dot or space at the end, which Windows leaves out.
    #[error("the name ends with a dot or a space")]
    End,
    /// `CON`, `NUL`, `COM1` and the like, whatever their extension.
    #[error("the name is that of a device")]
    Device,
}

impl FileName {
    /// Takes a name, in NFC or not.
    ///
    /// # Errors
    /// If it could leave its folder, hide, or be taken for another.
    pub fn parse(name: &str) -> Result<Self, NameRefused> {
        // Normalising makes a name longer by a bounded factor: what is far too long is not even begun.
        if name.len() > 8 * MAX_NAME {
            return Err(NameRefused::TooLong);
        }
        let name: String = name.nfc().collect();
        if name.is_empty() {
            return Err(NameRefused::Empty);
        }
        if name.len() > MAX_NAME {
            return Err(NameRefused::TooLong);
        }
        name.chars().find_map(against).map_or(Ok(()), Err)?;
        if name.starts_with(['.', '-', '\u{ff0e}', '\u{2024}']) || name.starts_with(char::is_whitespace) {
            return Err(NameRefused::Beginning);
        }
        if name.ends_with('.') || name.ends_with(char::is_whitespace) {
            return Err(NameRefused::End);
        }
        if is_device(&name) {
            return Err(NameRefused::Device);
        }
        Ok(Self(name))
    }

    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the last dot, in small letters; none where nothing does.
    #[must_use]
    pub fn extension(&self) -> Option<String> {
        extension(&self.0)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for FileName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// What stands behind the last dot of a name, in small letters.
pub(crate) fn extension(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty()).then(|| extension.trim().to_lowercase())
}

/// What speaks against a character, wherever it stands.
fn against(character: char) -> Option<NameRefused> {
    match character {
        '/' | '\\' | '\u{2044}' | '\u{2215}' | '\u{2216}' | '\u{29f5}' | '\u{29f8}' | '\u{29f9}' | '\u{fe68}'
        | '\u{ff0f}' | '\u{ff3c}' | '\u{2571}' | '\u{2572}' | '\u{1735}' | '\u{31d3}' | '\u{4e3f}' | '\u{27cb}'
        | '\u{27cd}' => Some(NameRefused::Separator),
        ':'
        | '*'
        | '?'
        | '"'
        | '<'
        | '>'
        | '|'
        | '\u{a789}'
        | '\u{fffe}'
        | '\u{ffff}'
        | '\u{fffd}'
        | '\u{fdd0}'..='\u{fdef}' => Some(NameRefused::Character),
        '\u{2028}' | '\u{2029}' => Some(NameRefused::Control),
        _ if character.is_control() => Some(NameRefused::Control),
        _ if is_invisible(character) => Some(NameRefused::Invisible),
        _ => None,
    }
}

/// Whether a character is not seen, or changes the direction of what is (Unicode's `Default_Ignorable_Code_Point` and `Bidi_Control`).
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Names that Windows has for devices, with any extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"].contains(&stem.as_str()) {
        return true;
    }
    let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    number.is_some_and(|number| {
        let mut characters = number.chars();
        let one = matches!(characters.next(), Some('0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}'));
        one && characters.next().is_none()
    })
}
