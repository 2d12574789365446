//! Which document a zip is: OOXML by its content types (ECMA-376-2), OpenDocument and EPUB by their `mimetype`.

use super::directory::Entry;
use super::zip::beginning;
use crate::Refused;
use crate::bytes::{Whole, find};
use crate::kind::{self, Kind};

/// The member that says what type each part has.
const TYPES: &[u8] = b"[Content_Types].xml";
/// Bytes of `[Content_Types].xml` that are looked at.
const MOST: u64 = 1 << 20;

/// Content types of the part that everything begins with, and what they make of the whole.
const OOXML: [(&[u8], &Kind); 18] = [
    (b"wordprocessingml.document.main+xml", &kind::DOCX),
    (b"wordprocessingml.template.main+xml", &kind::DOTX),
    (b"spreadsheetml.sheet.main+xml", &kind::XLSX),
    (b"spreadsheetml.template.main+xml", &kind::XLTX),
    (b"presentationml.presentation.main+xml", &kind::PPTX),
    (b"presentationml.slideshow.main+xml", &kind::PPSX),
    (b"presentationml.template.main+xml", &kind::POTX),
    (b"ms-word.document.macroEnabled.main+xml", &kind::DOCM),
    (b"ms-word.template.macroEnabledTemplate.main+xml", &kind::DOCM),
    (b"ms-excel.sheet.macroEnabled.main+xml", &kind::XLSM),
    (b"ms-excel.template.macroEnabled.main+xml", &kind::XLSM),
    (b"ms-excel.addin.macroEnabled.main+xml", &kind::XLSM),
    (b"ms-excel.sheet.binary.macroEnabled.main", &kind::XLSM),
    (b"ms-powerpoint.presentation.macroEnabled.main+xml", &kind::PPTM),
    (b"ms-powerpoint.slideshow.macroEnabled.main+xml", &kind::PPTM),
    (b"ms-powerpoint.template.macroEnabled.main+xml", &kind::PPTM),
    (b"ms-powerpoint.addin.macroEnabled.main+xml", &kind::PPTM),
    (b"ms-office.vbaProject", &kind::DOCM),
];

const OTHERS: [&Kind; 5] = [&kind::ODT, &kind::ODS, &kind::ODP, &kind::ODG, &kind::EPUB];

/// The type that its members make of a zip.
pub(super) fn kind(file: &mut dyn Whole, entries: &[Entry]) -> Result<&'static Kind, Refused> {
    let named = |name: &str| entries.iter().find(|entry| entry.name == name.as_bytes());
    if let Some(types) = entries.iter().find(|entry| entry.name == TYPES) {
        let bytes = beginning(file, types, MOST)?;
        let macros = find(&bytes, b"ms-office.vbaProject").is_some();
        let found =
            OOXML.iter().find(|(content_type, _)| has_part(&bytes, content_type, entries)).map(|(_, kind)| *kind);
        return Ok(match found {
            // A project of macros makes any of them one with macros, whatever the main part says.
            Some(kind) if macros && (*kind == kind::DOCX || *kind == kind::DOTX) => &kind::DOCM,
            Some(kind) if macros && (*kind == kind::XLSX || *kind == kind::XLTX) => &kind::XLSM,
            Some(kind) if macros && [&kind::PPTX, &kind::PPSX, &kind::POTX].contains(&kind) => &kind::PPTM,
            Some(kind) => kind,
            None => &kind::ZIP,
        });
    }
    if let Some(first) = entries.first().filter(|entry| entry.name == b"mimetype") {
        let said = beginning(file, first, 256)?;
        let said = said.trim_ascii();
        let said = said.strip_suffix(b"-template").unwrap_or(said);
        if let Some(kind) = OTHERS.into_iter().find(|kind| kind.media_type.as_bytes() == said) {
            return Ok(kind);
        }
    }
    let java = named("META-INF/MANIFEST.MF").is_some() || named("AndroidManifest.xml").is_some();
    Ok(if java { &kind::JAR } else { &kind::ZIP })
}

/// Whether a member is there that has this content type, by an `Override` of its own or the `Default` of its extension.
fn has_part(types: &[u8], content_type: &[u8], entries: &[Entry]) -> bool {
    let mut rest = types;
    while let Some(place) = find(rest, content_type) {
        let (before, behind) = rest.split_at_checked(place).unwrap_or_default();
        let begin = before.iter().rposition(|byte| *byte == b'<').unwrap_or_default();
        let end = behind.iter().position(|byte| *byte == b'>').unwrap_or(behind.len());
        let tag = rest.get(begin..place.saturating_add(end)).unwrap_or_default();
        let part = attribute(tag, b"PartName").map(|name| name.strip_prefix(b"/").unwrap_or(name));
        let extension = attribute(tag, b"Extension");
        let is_it = |entry: &Entry| match (part, extension) {
            (Some(name), _) => entry.name.eq_ignore_ascii_case(name),
            (None, Some(extension)) => entry
                .name
                .rsplit(|byte| *byte == b'.')
                .next()
                .is_some_and(|last| last.len() < entry.name.len() && last.eq_ignore_ascii_case(extension)),
            (None, None) => false,
        };
        if entries.iter().any(|entry| entry.name != TYPES && is_it(entry)) {
            return true;
        }
        rest = behind.get(content_type.len()..).unwrap_or_default();
    }
    false
}

/// The value of an attribute, as it is written.
fn attribute<'t>(tag: &'t [u8], name: &[u8]) -> Option<&'t [u8]> {
    let behind = tag.get(find(tag, name)?.saturating_add(name.len())..)?.trim_ascii_start();
    let (quote, value) = behind.strip_prefix(b"=")?.trim_ascii_start().split_first()?;
    matches!(quote, b'"' | b'\'').then(|| value.split(|byte| byte == quote).next()).flatten()
}
