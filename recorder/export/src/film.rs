//! One film of a whole recording: MP4 with the pictures as they were recorded, their exact times, lines and chapters from events.
use std::io::Write;

use portcullis_evidence::{Decrypted, Listing, Source};

use crate::cues::Cues;
use crate::error::ExportError;
use crate::long;
use crate::moov::Front;
use crate::reel::{self, Reel};
use crate::subtitles::Subtitles;

/// What verification said of a bundle; an export says it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is sound: what is read must be what was signed.
    Sound(String),
    /// It is not, or nobody looked: what can be read is exported, and the export says so.
    Unproved(String),
}

impl Standing {
    /// For the export's own words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Sound(said) => format!("verified when exported: {said}"),
            Self::Unproved(said) => format!("NOT VERIFIED: {said}"),
        }
    }

    fn is_sound(&self) -> bool {
        matches!(self, Self::Sound(_))
    }
}

/// A recording that was looked through and can be written.
pub struct Film<'a> {
    source: &'a dyn Source,
    standing: Standing,
    listing: Listing,
    reel: Reel,
    cues: Cues,
}

impl<'a> Film<'a> {
    /// Looks through a bundle.
    ///
    /// # Errors
    /// [`ExportError`]; of a bundle that is [`Standing::Unproved`] only what leaves nothing to show.
    pub fn of(source: &'a dyn Source, standing: Standing) -> Result<Self, ExportError> {
        let listing = Listing::read(source)?;
        if listing.manifest.is_encrypted() {
            return Err(ExportError::Encrypted);
        }
        Self::look(source, listing, standing)
    }

    /// As [`Film::of`], with what opens an encrypted bundle. The film is clear.
    ///
    /// # Errors
    /// As [`Film::of`]; [`ExportError::Read`] where nothing is opened.
    pub fn decrypted(source: &'a Decrypted<'a>, standing: Standing) -> Result<Self, ExportError> {
        Self::look(source, Listing::read(source)?.decrypted(), standing)
    }

    fn look(source: &'a dyn Source, listing: Listing, standing: Standing) -> Result<Self, ExportError> {
        if listing.expired && standing.is_sound() {
            return Err(ExportError::Expired);
        }
        if listing.replaced && standing.is_sound() {
            return Err(ExportError::Replaced);
        }
        let reel = Reel::wind(source, &listing, standing.is_sound())?;
        let cues = Cues::read(source, &listing, reel.end_us, standing.is_sound())?;
        Ok(Self { source, standing, listing, reel, cues })
    }

    /// The session's id.
    #[must_use]
    pub fn session(&self) -> &str {
        &self.listing.manifest.id
    }

    /// How many pictures it has, grey ones of gaps included.
    #[must_use]
    pub fn pictures(&self) -> u64 {
        reel::pictures(&self.reel)
    }

    /// How long it is, microseconds.
    #[must_use]
    pub fn duration_us(&self) -> u64 {
        self.reel.end_us
    }

    /// The lines under the picture as a file of its own.
    #[must_use]
    pub fn subtitles(&self, form: Subtitles) -> String {
        form.write(&self.cues.lines)
    }

    /// Writes the film, from its first byte to its last; how many there were.
    ///
    /// # Errors
    /// [`ExportError::Write`], and [`ExportError::Changed`] when the bundle is not what it was.
    pub fn write(&self, out: &mut dyn Write) -> Result<u64, ExportError> {
        let front = Front::of(&self.listing, &self.standing, &self.reel, &self.cues);
        for bytes in [&front.bytes, &front.lines.bytes, &front.chapters.bytes] {
            out.write_all(bytes).map_err(ExportError::Write)?;
        }
        for chunk in &self.reel.chunks {
            self.reel.copy(self.source, chunk, self.standing.is_sound(), out)?;
        }
        out.flush().map_err(ExportError::Write)?;
        Ok(long(front.bytes.len()).saturating_add(front.media))
    }
}

impl std::fmt::Debug for Film<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Film").field("session", &self.session()).field("pictures", &self.pictures()).finish()
    }
}
