//! Which document a zip is: OOXML by its content types (ECMA-376-2), OpenDocument and EPUB by their `mimetype`.

use super::directory::Entry;
use super::zip::beginning;
use crate::Refused;
use crate::bytes::{Whole, find};
use crate::kind::{self, Kind};

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
    if let Some(types) = named("[Content_Types].xml") {
        let bytes = beginning(file, types, MOST)?;
        let macros = find(&bytes, b"ms-office.vbaProject").is_some();
        let found = OOXML.iter().find(|(content_type, _)| find(&bytes, content_type).is_some()).map(|(_, kind)| *kind);
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
