//! The types of files that are known: their media types, what their names may end with, and what becomes of them.

use crate::Refused;
use crate::name::extension;

/// What sort of thing a type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Characters.
    Text,
    /// Characters between tags.
    Markup,
    /// Text with its form.
    Document,
    /// A picture.
    Image,
    /// Sound or film.
    Media,
    /// Other files within it.
    Archive,
    /// What runs.
    Executable,
    /// Anything else.
    Other,
}

/// A type of files.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// As IANA has it where it has.
    pub media_type: &'static str,
    /// What names of this type end with, in small letters. Files without any agree with every type.
    pub extensions: &'static [&'static str],
    /// What sort of thing it is.
    pub class: Class,
}

macro_rules! kinds {
    ($($name:ident: $class:ident $media_type:literal [$($extension:literal)*])*) => {
        $(pub(crate) static $name: Kind = Kind { media_type: $media_type, extensions: &[$($extension),*], class: Class::$class };)*
        /// Every type that is known.
        pub static KINDS: &[&Kind] = &[$(&$name),*];
    };
}

kinds! {
    UNKNOWN: Other "application/octet-stream" ["bin" "dat" "db" "mod" "out" "map" "t" "in" "run" "lib" "key" "gpg" "sig" "pub" "pro" "z" "der" "pfx" "cer" "crl" "p7b" "o" "obj"]
    // Texts, told apart by their names and first characters.
    TEXT: Text "text/plain" ["txt" "text" "log" "py" "pl" "rb" "js" "mjs" "php" "lua" "tcl" "awk" "sed" "in" "t" "run" "key" "pub" "asc" "mod" "out" "pro" "lib" "sig" "pem" "crt" "cer" "dot" "db" "msg"]
    CSV: Text "text/csv" ["csv" "tsv"]
    JSON: Text "application/json" ["json" "jsonl" "ndjson" "geojson" "webmanifest" "ipynb" "map"]
    MARKDOWN: Text "text/markdown" ["md" "markdown"]
    PEM: Text "application/x-pem-file" ["pem" "crt" "cer" "key" "csr" "pub" "asc" "gpg" "sig" "crl" "txt"]
    DER: Other "application/pkix-cert" ["der" "cer" "crt" "crl" "p7b" "p7s" "p12" "pfx" "key" "pub"]
    RTF: Text "application/rtf" ["rtf" "doc"]
    POSTSCRIPT: Text "application/postscript" ["ps" "eps" "ai" "pfa"]
    XML: Markup "application/xml" ["xml" "xsd" "xsl" "xslt" "rss" "atom" "plist" "rels" "vml" "opf" "ncx" "kml" "gpx" "xmp" "rdf" "in" "svg" "html" "htm" "xhtml"]
    HTML: Markup "text/html" ["html" "htm" "xhtml" "xht" "md" "mht" "mhtml"]
    SVG: Markup "image/svg+xml" ["svg" "xml"]
    SCRIPT: Executable "text/x-script" ["sh" "bash" "zsh" "csh" "fish" "ksh" "bat" "cmd" "ps1" "psm1" "vbs" "vbe" "wsf" "wsh" "hta" "command" "py" "pl" "rb" "js" "mjs" "php" "lua" "tcl" "awk" "sed" "run" "in" "t"]
    LAUNCHER: Executable "application/x-desktop" ["desktop" "url" "webloc" "reg" "inf" "scf" "library-ms" "service" "directory"]
    // Documents.
    PDF: Document "application/pdf" ["pdf"]
    DOCX: Document "application/vnd.openxmlformats-officedocument.wordprocessingml.document" ["docx"]
    DOTX: Document "application/vnd.openxmlformats-officedocument.wordprocessingml.template" ["dotx"]
    XLSX: Document "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" ["xlsx"]
    XLTX: Document "application/vnd.openxmlformats-officedocument.spreadsheetml.template" ["xltx"]
    PPTX: Document "application/vnd.openxmlformats-officedocument.presentationml.presentation" ["pptx"]
    PPSX: Document "application/vnd.openxmlformats-officedocument.presentationml.slideshow" ["ppsx"]
    POTX: Document "application/vnd.openxmlformats-officedocument.presentationml.template" ["potx"]
    DOCM: Document "application/vnd.ms-word.document.macroenabled.12" ["docm" "dotm"]
    XLSM: Document "application/vnd.ms-excel.sheet.macroenabled.12" ["xlsm" "xltm" "xlam" "xlsb"]
    PPTM: Document "application/vnd.ms-powerpoint.presentation.macroenabled.12" ["pptm" "ppsm" "potm" "ppam"]
    ODT: Document "application/vnd.oasis.opendocument.text" ["odt" "ott"]
    ODS: Document "application/vnd.oasis.opendocument.spreadsheet" ["ods" "ots"]
    ODP: Document "application/vnd.oasis.opendocument.presentation" ["odp" "otp"]
    ODG: Document "application/vnd.oasis.opendocument.graphics" ["odg" "otg"]
    EPUB: Document "application/epub+zip" ["epub"]
    OLE: Document "application/x-ole-storage" ["doc" "dot" "xls" "xlt" "ppt" "pps" "msg" "msi" "msp" "vsd" "pub" "mpp" "db" "bin"]
    DJVU: Document "image/vnd.djvu" ["djvu" "djv"]
    // Pictures.
    PNG: Image "image/png" ["png" "apng"]
    JPEG: Image "image/jpeg" ["jpg" "jpeg" "jpe" "jfif"]
    GIF: Image "image/gif" ["gif"]
    WEBP: Image "image/webp" ["webp"]
    BMP: Image "image/bmp" ["bmp" "dib"]
    TIFF: Image "image/tiff" ["tif" "tiff" "dng" "nef" "cr2" "arw"]
    ICO: Image "image/vnd.microsoft.icon" ["ico" "cur"]
    HEIF: Image "image/heif" ["heic" "heif" "hif"]
    AVIF: Image "image/avif" ["avif"]
    JXL: Image "image/jxl" ["jxl"]
    JP2: Image "image/jp2" ["jp2" "j2k" "jpx" "jpf"]
    PSD: Image "image/vnd.adobe.photoshop" ["psd" "psb"]
    EMF: Image "image/emf" ["emf"]
    WMF: Image "image/wmf" ["wmf"]
    // Sound and film.
    MP4: Media "video/mp4" ["mp4" "m4v" "m4a" "m4b" "mov" "3gp" "3g2" "f4v" "m4s" "cmfv"]
    WEBM: Media "video/webm" ["webm" "weba"]
    MATROSKA: Media "video/matroska" ["mkv" "mka" "mks" "webm"]
    AVI: Media "video/x-msvideo" ["avi"]
    MP3: Media "audio/mpeg" ["mp3" "mp2" "mpga"]
    WAV: Media "audio/wav" ["wav"]
    OGG: Media "audio/ogg" ["ogg" "oga" "ogv" "opus" "spx" "ogx"]
    FLAC: Media "audio/flac" ["flac"]
    MIDI: Media "audio/midi" ["mid" "midi"]
    // Archives: what of them is looked into stands in archive/.
    ZIP: Archive "application/zip" ["zip" "whl" "xpi" "kmz" "nupkg" "vsix" "ipa" "crx" "3mf" "egg" "odf" "cbz" "npz"]
    JAR: Archive "application/java-archive" ["jar" "war" "ear" "apk" "aar" "jmod" "zip"]
    TAR: Archive "application/x-tar" ["tar" "gem" "ova"]
    GZIP: Archive "application/gzip" ["gz" "tgz" "svgz" "gzip" "crate" "emz" "taz" "pcapgz" "vgz"]
    BZIP2: Archive "application/x-bzip2" ["bz2" "tbz" "tbz2"]
    XZ: Archive "application/x-xz" ["xz" "txz"]
    LZMA: Archive "application/x-lzip" ["lz"]
    ZSTD: Archive "application/zstd" ["zst" "tzst"]
    LZ4: Archive "application/x-lz4" ["lz4" "mozlz4" "jsonlz4"]
    COMPRESS: Archive "application/x-compress" ["z"]
    SEVENZIP: Archive "application/x-7z-compressed" ["7z" "cb7"]
    RAR: Archive "application/vnd.rar" ["rar" "cbr"]
    CAB: Archive "application/vnd.ms-cab-compressed" ["cab" "msu"]
    AR: Archive "application/x-archive" ["a" "deb" "udeb" "ar" "lib" "rlib"]
    RPM: Archive "application/x-rpm" ["rpm"]
    CPIO: Archive "application/x-cpio" ["cpio"]
    ISO: Archive "application/x-iso9660-image" ["iso"]
    // What runs.
    ELF: Executable "application/x-elf" ["so" "o" "ko" "elf" "bin" "appimage" "axf" "mod" "exe" "pyd" "out" "run" "debug" "node"]
    PE: Executable "application/vnd.microsoft.portable-executable" ["exe" "dll" "sys" "scr" "ocx" "cpl" "efi" "com" "drv" "node" "pyd"]
    MACHO: Executable "application/x-mach-binary" ["dylib" "o" "bundle" "so" "node" "bin"]
    JAVA_CLASS: Executable "application/java-vm" ["class"]
    WASM: Executable "application/wasm" ["wasm"]
    DEX: Executable "application/x-dex" ["dex"]
    SHORTCUT: Executable "application/x-ms-shortcut" ["lnk"]
    // Others that are told by their first bytes.
    SQLITE: Other "application/vnd.sqlite3" ["sqlite" "sqlite3" "db" "db3" "gpkg"]
    TRUETYPE: Other "font/ttf" ["ttf" "ttc" "otf" "otc"]
    OPENTYPE: Other "font/otf" ["otf" "ttf" "otc" "ttc"]
    WOFF: Other "font/woff" ["woff"]
    WOFF2: Other "font/woff2" ["woff2"]
}

/// Types that characters have by what their name ends with, where their beginning says nothing else.
pub(crate) const BY_NAME: [&Kind; 7] = [&CSV, &JSON, &MARKDOWN, &HTML, &XML, &LAUNCHER, &POSTSCRIPT];
/// Extensions that make a script of characters, whatever they begin with.
pub(crate) const SCRIPTS: [&str; 17] = [
    "sh", "bash", "zsh", "csh", "fish", "ksh", "bat", "cmd", "ps1", "psm1", "vbs", "vbe", "wsf", "wsh", "hta",
    "command", "jse",
];

/// What is none of the types that are known. Policy permits it by naming it, or not at all.
pub const OCTET_STREAM: &str = "application/octet-stream";

/// The type of this media type, if it is one that is known.
#[must_use]
pub fn kind(media_type: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.media_type == media_type).copied()
}

/// Extensions of what runs when it is opened.
const RUNS: [&str; 26] = [
    "exe", "scr", "com", "pif", "bat", "cmd", "msi", "msp", "ps1", "vbs", "vbe", "js", "jse", "wsf", "wsh", "hta",
    "lnk", "cpl", "jar", "reg", "dll", "desktop", "sh", "command", "app", "apk",
];
/// Those of them that no ordinary name has before its last: `.com` is in many, `.js` in some.
const RUNS_WITHIN: [&str; 14] =
    ["exe", "scr", "pif", "bat", "cmd", "msi", "ps1", "vbs", "vbe", "wsf", "hta", "lnk", "cpl", "php"];

impl Kind {
    /// Whether it is told by the characters that it is, and by its name.
    pub(crate) fn is_characters(&self) -> bool {
        matches!(self.class, Class::Text | Class::Markup) || *self == SCRIPT || *self == LAUNCHER
    }

    /// Whether a file of this type may be called `….extension`.
    pub(crate) fn agrees(&'static self, extension: Option<&str>) -> Result<(), Refused> {
        let Some(extension) = extension else { return Ok(()) };
        // What is unknown, characters, and programs of Linux (libraries end with their version) may be called anything that is not the name of something else.
        let open = self.is_characters() || *self == UNKNOWN || *self == ELF;
        let claimed = || KINDS.iter().any(|kind| **kind != UNKNOWN && kind.extensions.contains(&extension));
        if self.extensions.contains(&extension) || (open && !claimed()) {
            return Ok(());
        }
        Err(Refused::Disagrees { extension: extension.chars().take(32).collect(), media_type: self.media_type })
    }
}

/// Refuses names that end with a program's extension behind a document's, or the other way around.
pub(crate) fn one_extension(name: &str) -> Result<(), Refused> {
    let Some((stem, _)) = name.rsplit_once('.') else { return Ok(()) };
    let (Some(last), Some(inner)) = (extension(name), extension(stem.trim_end())) else { return Ok(()) };
    let shown = |extension: &str| {
        let classes = [Class::Document, Class::Image, Class::Media];
        KINDS.iter().any(|kind| classes.contains(&kind.class) && kind.extensions.contains(&extension))
            || ["txt", "rtf", "csv", "zip", "rar"].contains(&extension)
    };
    let program_last = RUNS.contains(&last.as_str()) && shown(&inner);
    let program_within =
        RUNS_WITHIN.contains(&inner.as_str()) && shown(&last) && !["zip", "rar", "txt", "csv"].contains(&last.as_str());
    if program_last || program_within { Err(Refused::DoubleExtension) } else { Ok(()) }
}
