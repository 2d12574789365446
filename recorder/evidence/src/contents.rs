//! Texts that policy keeps: the parts of one put together, decrypted, and held against the hash that its event has.
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

use crate::{AgeError, Digest, Event, Identities, What};

/// The longest text that is opened, in bytes; a gate takes none that is longer.
pub const MAX_KEPT_BYTES: usize = 1 << 30;

/// Why a text that is kept cannot be read.
#[derive(Debug, Error)]
pub enum ContentsError {
    /// No event of a text has this `seq`.
    #[error("no paste or copy has seq {0}")]
    NoText(u64),
    /// No contents of the text are kept.
    #[error("nothing of it is kept")]
    NotKept,
    /// A part is missing, there twice, or no part of an age file.
    #[error("its parts are not whole")]
    Parts,
    /// It cannot be decrypted.
    #[error("it cannot be decrypted")]
    Age(#[source] AgeError),
    /// It is not the text whose hash its event has.
    #[error("it is not the text of its event")]
    Altered,
}

/// The text of the `paste` or `copy` with this `seq`, as it was offered; `events` are those of a bundle that has been verified.
///
/// # Errors
/// Any of [`ContentsError`].
pub fn kept<'a>(
    events: impl IntoIterator<Item = &'a Event>,
    seq: u64,
    identities: &Identities,
) -> Result<String, ContentsError> {
    let (mut hash, mut sealed, mut last) = (None, Vec::new(), (0, 0));
    for event in events {
        match &event.what {
            What::Paste { sha256, .. } | What::Copy { sha256, .. } if event.seq == seq => hash = Some(sha256),
            What::Contents { of, part, parts, age } if *of == seq => {
                let follows = *part == last.0 + 1 && part <= parts && (last.1 == 0 || last.1 == *parts);
                let bytes = URL_SAFE_NO_PAD.decode(age).ok().filter(|_| follows);
                sealed.extend(bytes.ok_or(ContentsError::Parts)?);
                last = (*part, *parts);
            }
            _ => {}
        }
    }
    let hash = hash.ok_or(ContentsError::NoText(seq))?;
    match last {
        (0, _) => return Err(ContentsError::NotKept),
        (part, parts) if part != parts => return Err(ContentsError::Parts),
        _ => {}
    }
    let plain = identities.open(&sealed, MAX_KEPT_BYTES).map_err(ContentsError::Age)?;
    if Digest::of(&plain).to_string() != *hash {
        return Err(ContentsError::Altered);
    }
    String::from_utf8(plain).map_err(|_| ContentsError::Altered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, MAX_CONTENTS, Recipients, VERSION};

    const SECRET: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

    fn event(seq: u64, what: What) -> Event {
        let text = String::new;
        let (time, session, subject, policy, rule) = (text(), text(), text(), text(), text());
        Event { v: VERSION, seq, at_us: 0, time, session, subject, policy, rule, what }
    }

    fn paste(text: &str) -> What {
        What::Paste {
            viewer: 1,
            effect: Effect::Deny,
            bytes: 0,
            sha256: Digest::of(text.as_bytes()).to_string(),
            reason: String::new(),
            found: Vec::new(),
            redacted: None,
        }
    }

    fn events(text: &str, kept: &str) -> Vec<Event> {
        let sealed =
            Recipients::parse([&*Identities::read(SECRET).unwrap().names()[0]]).unwrap().seal(kept.as_bytes()).unwrap();
        let parts: Vec<&[u8]> = sealed.chunks(MAX_CONTENTS).collect();
        let count = u32::try_from(parts.len()).unwrap();
        let contents = |(part, bytes): (u32, &&[u8])| {
            let age = URL_SAFE_NO_PAD.encode(bytes);
            event(u64::from(part) + 7, What::Contents { of: 7, part, parts: count, age })
        };
        [event(7, paste(text))].into_iter().chain((1..).zip(&parts).map(contents)).collect()
    }

    #[test]
    fn a_text_in_parts_comes_back_whole() {
        let identities = Identities::read(SECRET).unwrap();
        let text = "漢字 ".repeat(10_000);
        let all = events(&text, &text);
        assert_eq!(all.len(), 1 + 70_200_usize.div_ceil(MAX_CONTENTS));
        assert_eq!(kept(&all, 7, &identities).unwrap(), text);
        assert!(matches!(kept(&all, 8, &identities), Err(ContentsError::NoText(8))));
        assert!(matches!(kept(&all[..1], 7, &identities), Err(ContentsError::NotKept)));
        assert!(matches!(kept(&all[..3], 7, &identities), Err(ContentsError::Parts)));
        let without: Vec<&Event> = all.iter().filter(|event| event.seq != 9).collect();
        assert!(matches!(kept(without, 7, &identities), Err(ContentsError::Parts)));
        assert!(matches!(kept(&events(&text, "another"), 7, &identities), Err(ContentsError::Altered)));
    }
}
