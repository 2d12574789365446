//! Cut text on the wire: Latin-1 with LF line ends (RFC 6143 §7.5.6, §7.6.4) to and from strings.

/// The string of Latin-1 bytes; every byte is a character.
pub fn decode(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The characters of a string that Latin-1 lacks, in order: those that [`encode`] writes as `?`.
pub fn missing(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|character| u8::try_from(*character).is_err())
}

/// The Latin-1 bytes of a string: CR LF and CR become LF, NUL is dropped, a character outside of Latin-1 becomes `?`.
pub fn encode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                bytes.push(b'\n');
            }
            '\0' => {}
            other => bytes.push(u8::try_from(other).unwrap_or(b'?')),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_character() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&all).chars().map(u32::from).collect::<Vec<_>>(), (0..=255).collect::<Vec<_>>());
        assert_eq!(decode(b"caf\xe9"), "café");
    }

    #[test]
    fn text_is_written_as_latin1_with_line_feeds() {
        assert_eq!(encode("café €\r\na\rb\n"), b"caf\xe9 ?\na\nb\n");
        assert_eq!(encode("a\0b"), b"ab");
        assert_eq!(missing("é€?漢é😀").collect::<String>(), "€漢😀");
    }
}
