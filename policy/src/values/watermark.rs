//! Watermarks: a template with fields between braces, and how it is drawn.

use std::fmt;
use std::time::SystemTime;

use super::{Field, Layout, Word, Zone, meant};
use crate::shown::Shown;

/// Characters of a template; more is refused.
pub(crate) const MAX_TEMPLATE: usize = 256;

/// A watermark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    /// What it says; at least one part.
    pub text: Vec<Part>,
    /// Where it stands.
    pub layout: Layout,
    /// Degrees that it is turned, against the clock, below 360.
    pub angle: u16,
    /// Percent of what lies below that it hides, 1 to 100.
    pub opacity: u8,
    /// Height of its letters in pixels.
    pub size: u16,
    /// The colour of its letters.
    pub colour: Colour,
    /// The zone of its date and time.
    pub zone: Zone,
}

/// A part of a watermark's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// As it stands.
    Text(String),
    /// What is known of the session when it is drawn.
    Field(Field),
}

/// What a watermark's fields are filled in with.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// The subject's name.
    pub subject: &'a str,
    /// Who vouches for the subject.
    pub issuer: &'a str,
    /// The desktop's name.
    pub desktop: &'a str,
    /// The session's name.
    pub session: &'a str,
    /// The instant whose date and time are shown; this package reads no clock.
    pub at: SystemTime,
}

/// A colour: red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour(pub [u8; 3]);

/// Reads a template: fields stand between braces, a brace of its own is written twice.
pub(crate) fn template(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        if let Some((brace, behind)) = ["{{", "}}"].iter().find_map(|brace| Some((brace, from.strip_prefix(brace)?))) {
            plain.extend(brace.chars().next());
            rest = behind;
            continue;
        }
        let field = from.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let Some((name, behind)) = field else {
            return Err(format!(
                "`{}` has a brace without its other half; a brace of its own is written twice",
                Shown(text)
            ));
        };
        let field = Field::from_word(name)
            .ok_or_else(|| format!("`{}` is not a field of a watermark; {}", Shown(name), meant(name, Field::WORDS)))?;
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(Part::Field(field));
        rest = behind;
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

impl Watermark {
    /// What it says with its fields filled in; it changes with the minute at most. An instant beyond the year 9999 is left out.
    pub fn text(&self, filling: &Filling<'_>) -> String {
        let clock =
            |form: &str| self.zone.local(filling.at).map(|at| at.strftime(form).to_string()).unwrap_or_default();
        let said = self.text.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Field(Field::Subject) => filling.subject.to_owned(),
            Part::Field(Field::Issuer) => filling.issuer.to_owned(),
            Part::Field(Field::Desktop) => filling.desktop.to_owned(),
            Part::Field(Field::Session) => filling.session.to_owned(),
            Part::Field(Field::Date) => clock("%Y-%m-%d"),
            Part::Field(Field::Time) => clock("%Y-%m-%d %H:%M"),
        });
        said.collect()
    }
}

impl Colour {
    /// Reads `#rrggbb`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let unreadable = || format!("`{}` is not a colour; write it as '#rrggbb', in quotes", Shown(text));
        let digits =
            text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii()).ok_or_else(unreadable)?;
        let mut rgb = [0; 3];
        for (value, at) in rgb.iter_mut().zip([0, 2, 4]) {
            let two = digits.get(at..at + 2).filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
            *value = two.and_then(|two| u8::from_str_radix(two, 16).ok()).ok_or_else(unreadable)?;
        }
        Ok(Self(rgb))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{}", text.replace('{', "{{").replace('}', "}}")),
            Self::Field(field) => write!(f, "{{{field}}}"),
        }
    }
}

impl fmt::Display for Watermark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        self.text.iter().try_for_each(|part| part.fmt(f))?;
        let Self { layout, angle, opacity, size, colour, zone, .. } = self;
        write!(f, "\" {layout}, {angle}°, {opacity}%, {size} px, {colour}, {zone}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        template(text).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn templates_are_shown_as_they_are_written() {
        for text in ["{subject} {time}", "confidential", "{subject}", "a {{b}} {session}{desktop}", "ö{date}"] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(template("a {{b").unwrap(), [Part::Text("a {b".into())]);
        assert_eq!(template("{time}!").unwrap(), [Part::Field(Field::Time), Part::Text("!".into())]);
        assert!(template("").unwrap().is_empty());
    }

    #[test]
    fn other_templates_are_refused_with_the_mend() {
        for (text, part) in [
            ("{subjct}", "did you mean `subject`?"),
            ("{user}", "known here: subject, issuer"),
            ("{}", "known here: subject, issuer"),
            ("{subject", "without its other half"),
            ("subject}", "without its other half"),
        ] {
            let error = template(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn fields_are_filled_in_by_the_clocks_of_the_zone() {
        // 2026-03-02 23:15 UTC.
        let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_772_493_300);
        let filling = Filling { subject: "{ana}", issuer: "local", desktop: "desk", session: "0198", at };
        let says = |text: &str, zone: &str| {
            let mark = Watermark {
                text: template(text).unwrap(),
                layout: Layout::Tiled,
                angle: 0,
                opacity: 20,
                size: 24,
                colour: Colour([0; 3]),
                zone: Zone::read(zone).unwrap(),
            };
            mark.text(&filling)
        };
        assert_eq!(says("{subject} of {issuer}: {desktop}, {session}", "UTC"), "{ana} of local: desk, 0198");
        assert_eq!(says("{time} {{x}}", "UTC"), "2026-03-02 23:15 {x}");
        assert_eq!(says("{date}|{time}", "Europe/Berlin"), "2026-03-03|2026-03-03 00:15");
    }

    #[test]
    fn colours_are_six_digits() {
        assert_eq!(Colour::read("#80C0ff").unwrap().to_string(), "#80c0ff");
        for text in ["", "red", "#fff", "#gggggg", "808080", "#+8+8+8", "#80808080"] {
            assert!(Colour::read(text).is_err(), "{text}");
        }
    }
}
