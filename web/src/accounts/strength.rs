//! What a new password must be: long, and none of those that are tried first.

/// The fewest characters.
const SHORTEST: usize = 12;
/// The most bytes.
pub(super) const LONGEST: usize = 256;
/// Different characters, at least.
const DIFFERENT: usize = 5;

/// Parts that make no password of their own, however often they stand in it: what lists of stolen passwords begin with.
const COMMON: [&str; 28] = [
    "password",
    "passwort",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "kennwort",
    "administrator",
    "admin",
    "welcome",
    "willkommen",
    "letmein",
    "changeme",
    "secret",
    "qwertyuiop",
    "qwerty",
    "qwertz",
    "asdfghjkl",
    "zxcvbnm",
    "1q2w3e4r5t",
    "iloveyou",
    "football",
    "baseball",
    "princess",
    "sunshine",
    "dragon",
    "monkey",
    "master",
    "portcullis",
];

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// It is too short.
    #[error("a password has {SHORTEST} characters or more")]
    Short,
    /// It is too long.
    #[error("a password has {LONGEST} bytes at most")]
    Long,
    /// It has control characters in it.
    #[error("a password has no control characters")]
    Control,
    /// It is among those that are tried first.
    #[error(
        "this password is one of those that are tried first: a few words that nobody else would put together are better"
    )]
    Common,
}

/// Refuses what would be guessed.
pub(super) fn check(name: &str, password: &str) -> Result<(), Weak> {
    if password.len() > LONGEST {
        return Err(Weak::Long);
    }
    if password.chars().count() < SHORTEST {
        return Err(Weak::Short);
    }
    if password.chars().any(char::is_control) {
        return Err(Weak::Control);
    }
    let small = password.to_lowercase();
    let mut seen: Vec<char> = small.chars().collect();
    seen.sort_unstable();
    seen.dedup();
    // What is left of it without what everybody knows, and without years and counting behind it.
    let mut known: Vec<String> = COMMON.iter().map(|part| (*part).to_owned()).collect();
    known.push(name.to_lowercase());
    known.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let rest =
        known.iter().filter(|part| !part.is_empty()).fold(small.clone(), |rest, part| rest.replace(part.as_str(), ""));
    let letters = rest.chars().filter(|c| c.is_alphabetic()).count();
    let stripped = rest.len() < small.len();
    if seen.len() < DIFFERENT || (stripped && letters < 4) || is_run(&small) {
        return Err(Weak::Common);
    }
    Ok(())
}

/// Whether each character follows the one before it, as in 123456789012 and abcdefghijkl.
fn is_run(text: &str) -> bool {
    let codes: Vec<u32> = text.chars().map(u32::from).collect();
    let follows = |pair: &[u32]| match pair {
        [one, next] => *next == one.saturating_add(1) || one.saturating_sub(*next) == 9,
        _ => false,
    };
    codes.windows(2).all(follows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_refused() {
        for (password, expected) in [
            ("correct horse battery", Ok(())),
            ("Gr\u{fc}ne Wiesen im M\u{e4}rz", Ok(())),
            ("xK7#pQ9!mZ2$", Ok(())),
            ("the-password-of-a-gate", Ok(())),
            ("elevenchars", Err(Weak::Short)),
            ("passwordpassword", Err(Weak::Common)),
            ("Password123456", Err(Weak::Common)),
            ("P@ssw0rd2026!!", Err(Weak::Common)),
            ("alice-2026-alice", Err(Weak::Common)),
            ("aaaaaaaaaaaaaaaa", Err(Weak::Common)),
            ("121212121212", Err(Weak::Common)),
            ("123456789012", Err(Weak::Common)),
            ("abcdefghijklmn", Err(Weak::Common)),
            ("tab\tin the middle of it", Err(Weak::Control)),
        ] {
            assert_eq!(check("alice", password), expected, "{password}");
        }
        assert_eq!(check("alice", &"long enough ".repeat(40)), Err(Weak::Long));
    }
}
