//! From a node of the tree to a value of the kind that a key takes, within the bounds that the table of keys gives it.

use super::fields::{Faults, Fields, MAX_NAME, line, list, name};
use super::keys::{Key, Shape, find};
use super::node::{Node, Placed, Value};
use crate::Stated;
use crate::shown::Shown;
use crate::values::{
    Chord, Colour, Detector, Extension, Extent, Glob, Hours, MAX_GLOB, MediaPattern, Network, Part, Rate, Size, Span,
    Word, Zone, meant, show_bytes, template,
};

/// Characters of an entry of a list, of which regular expressions are the longest; more is refused.
const MAX_ENTRY: usize = 1100;

/// A value that can be read from a node.
pub(crate) trait Read: Sized {
    /// The value, or a fault that says how to write it.
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self>;
}

/// The value of a field, if it is there and right; `path` is that of the map.
pub(crate) fn value<T: Read>(fields: &Fields<'_>, path: &str, field: &str, faults: &mut Faults<'_>) -> Option<T> {
    let (_, node) = fields.get(field)?;
    T::read(node, find(&format!("{path}.{field}"))?, faults)
}

/// The same with the rule that states it: the place of the key.
pub(crate) fn stated<T: Read>(
    fields: &Fields<'_>,
    path: &str,
    field: &str,
    faults: &mut Faults<'_>,
) -> Option<Stated<T>> {
    let (at, _) = fields.get(field)?;
    let value = value(fields, path, field, faults)?;
    Some(Stated { value, rule: faults.rule(at, &format!("{path}.{field}")) })
}

/// The last part of a key's path, as people read it in their file.
fn field(key: &Key) -> &'static str {
    key.path.rsplit('.').next().unwrap_or(key.path)
}

/// Reads a text by its own reader, or says what to write instead.
fn text<T>(
    node: &Node,
    what: &str,
    such_as: &str,
    faults: &mut Faults<'_>,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    let found = match &node.value {
        Value::Text(text) => read(text),
        other => Err(format!("{what} is {} here; write {such_as}", other.what())),
    };
    found.map_err(|reason| faults.add(node.at, reason)).ok()
}

/// A word out of a fixed vocabulary, with the nearest one suggested for what is not in it.
pub(crate) fn word<T: Word>(node: &Node, faults: &mut Faults<'_>) -> Option<T> {
    let found = name(node, T::WHAT, faults)?;
    let word = T::from_word(found);
    if word.is_none() {
        faults.add(node.at, format!("`{}` is not {}; {}", Shown(found), T::WHAT, meant(found, T::WORDS)));
    }
    word
}

impl<T: Word> Read for T {
    fn read(node: &Node, _: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        word(node, faults)
    }
}

impl Read for Size {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        let Shape::Size { most } = key.shape else { return None };
        let field = field(key);
        let read = match &node.value {
            Value::Text(text) => Self::read(text),
            Value::Whole(_) => Err("a size needs a unit: B, KiB, MiB, GiB or TiB".to_owned()),
            other => Err(format!("`{field}` is {} here; write a size, such as 4 KiB", other.what())),
        };
        let checked = read.and_then(|size| match size {
            size if size.bytes() == 0 => {
                Err(format!("`{field}` of 0 lets nothing through; take the action out of `allow` instead"))
            }
            size if size > most => Err(format!("`{field}` is {} at most", show_bytes(most.bytes()))),
            size => Ok(size),
        });
        checked.map_err(|reason| faults.add(node.at, reason)).ok()
    }
}

impl Read for Span {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        let Shape::Span { least, most } = key.shape else { return None };
        let field = format!("`{}`", field(key));
        text(node, &field, "a span of time, such as 15m", faults, |text| {
            let span = Self::read(text)?;
            let within = (least..=most).contains(&span);
            within.then_some(span).ok_or_else(|| format!("{field} is {least} at least and {most} at most"))
        })
    }
}

impl Read for Rate {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        let field = format!("`{}`", field(key));
        text(node, &field, "a rate, such as 40/s", faults, |text| match Self::read(text)? {
            rate if rate.count() == 0 => Err(format!("{field} of 0 lets nothing through; deny the action instead")),
            rate => Ok(rate),
        })
    }
}

impl Read for u32 {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        let Shape::Count { least, most } = key.shape else { return None };
        let count = match node.value {
            Value::Whole(count) => Self::try_from(count).ok().filter(|count| (least..=most).contains(count)),
            _ => None,
        };
        if count.is_none() {
            faults.add(node.at, format!("`{}` is a whole number from {least} to {most}", field(key)));
        }
        count
    }
}

/// Width and height.
impl Read for (u16, u16) {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        let such_as = "width and height in pixels, such as 1920x1080";
        text(node, &format!("`{}`", field(key)), such_as, faults, |text| {
            let side = |digits: &str| {
                let plain = digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
                plain.then(|| digits.parse::<u16>().ok()).flatten().filter(|side| *side > 0)
            };
            let sides = text.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
            sides.ok_or_else(|| format!("`{}` is not a size of the screen; write {such_as}", Shown(text)))
        })
    }
}

impl Read for Extent {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        let such_as = "pixels such as 400, or a percentage such as 25%";
        if let Value::Whole(pixels) = node.value {
            let pixels = u16::try_from(pixels).ok();
            if pixels.is_none() {
                faults.add(node.at, format!("`{}` is 65535 pixels at most", field(key)));
            }
            return pixels.map(Self::Pixels);
        }
        text(node, &format!("`{}`", field(key)), such_as, faults, Self::read)
    }
}

/// Percent, from 1.
impl Read for u8 {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        let field = format!("`{}`", field(key));
        text(node, &field, "a percentage, such as 20%", faults, |text| match Extent::read(text)? {
            Extent::Percent(percent) if percent > 0 => Ok(percent),
            _ => Err(format!("{field} is 1% at least")),
        })
    }
}

impl Read for Colour {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        text(node, &format!("`{}`", field(key)), "a colour in quotes, such as '#808080'", faults, Self::read)
    }
}

impl Read for Zone {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        text(node, &format!("`{}`", field(key)), "an IANA time zone, such as Europe/Berlin", faults, Self::read)
    }
}

/// A watermark's template.
impl Read for Vec<Part> {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        let most = match key.shape {
            Shape::Template { most } => most,
            _ => crate::values::MAX_TEMPLATE,
        };
        let field = format!("`{}`", field(key));
        text(node, &field, "what it says, such as \"{subject} {time}\"", faults, |text| match template(text)? {
            _ if text.chars().count() > most => Err(format!("{field} has {most} characters at most")),
            _ if text.chars().any(char::is_control) => {
                Err(format!("{field} has a control character in it; take it out"))
            }
            parts if parts.is_empty() || text.trim().is_empty() => {
                Err(format!("{field} says nothing; write what it says"))
            }
            parts => Ok(parts),
        })
    }
}

/// A list of values that are each read from one line of text, with their places.
fn entries<T>(
    node: &Node,
    key: &Key,
    what: &str,
    faults: &mut Faults<'_>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Vec<Placed<T>> {
    let mut values = Vec::new();
    for entry in list(node, &format!("`{}`", field(key)), faults) {
        match line(entry, what, MAX_ENTRY, faults).map(&read) {
            Some(Ok(value)) => values.push(Placed { at: entry.at, value }),
            Some(Err(reason)) => faults.add(entry.at, reason),
            None => {}
        }
    }
    values
}

fn bare<T>(placed: Vec<Placed<T>>) -> Vec<T> {
    placed.into_iter().map(|placed| placed.value).collect()
}

/// Names that are compared letter by letter: a glob among them would silently match nobody.
pub(crate) fn names(node: &Node, key: &Key, what: &str, faults: &mut Faults<'_>) -> Vec<String> {
    bare(entries(node, key, what, faults, |name| match name {
        name if name.contains(['*', '?']) => {
            Err(format!("{what} is compared exactly, * and ? work for `desktops` only; take the key out to mean all"))
        }
        name if name.chars().count() > MAX_NAME => {
            Err(format!("{what} is longer than {MAX_NAME} characters; shorten it"))
        }
        name => Ok(name.to_owned()),
    }))
}

/// Words of a list, with their places.
pub(crate) fn words<T: Word>(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Vec<Placed<T>> {
    let listed = list(node, &format!("`{}`", field(key)), faults).iter();
    listed.filter_map(|entry| Some(Placed { at: entry.at, value: word(entry, faults)? })).collect()
}

/// Chords of a list, with their places.
pub(crate) fn chords(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Vec<Placed<Chord>> {
    entries(node, key, "a chord", faults, Chord::read)
}

impl Read for Vec<Glob> {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        let globs = entries(node, key, "the name of a desktop", faults, |name| match name.chars().count() {
            0..=MAX_GLOB => Ok(Glob::new(name)),
            _ => Err(format!("the name of a desktop is longer than {MAX_GLOB} characters; shorten it")),
        });
        Some(bare(globs))
    }
}

impl Read for Vec<Network> {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        Some(bare(entries(node, key, "a network", faults, Network::read)))
    }
}

impl Read for Vec<Hours> {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        if let Value::List(_) = node.value {
            return Some(bare(entries(node, key, "the hours", faults, Hours::read)));
        }
        let such_as = "days, times and a time zone, such as Mon-Fri 08:00-19:00 Europe/Berlin";
        text(node, "`hours`", such_as, faults, Hours::read).map(|hours| vec![hours])
    }
}

impl Read for Vec<MediaPattern> {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        Some(bare(entries(node, key, "a media type", faults, MediaPattern::read)))
    }
}

impl Read for Vec<Extension> {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        Some(bare(entries(node, key, "an extension", faults, Extension::read)))
    }
}

impl Read for Vec<Detector> {
    fn read(node: &Node, key: &Key, faults: &mut Faults<'_>) -> Option<Self> {
        Some(bare(entries(node, key, "a detector", faults, Detector::read)))
    }
}
