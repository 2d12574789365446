//! Old recordings encoded anew: one segment for one segment, every picture at its time, and a signed statement of what was done.
//!
//! What comes out is a bundle of the original's files, but for its video and with `derivation.json`; see `docs/evidence-format.md`.
pub(crate) mod decode;
mod encode;
mod entry;

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use portcullis_evidence::{
    AgeError, Decrypted, Derivation, DerivationError, Digest, FileHash, Identities, Listing, PathInBundle, PlainHash,
    Recipients, SigningKey, Source, VERSION,
};
use portcullis_export::{Fragments, Init, MAX_INIT_BYTES, Sample};
use portcullis_rfb::Size;

pub use encode::{Codec, CompactSettings};

use crate::cmaf;
use crate::number::long;
use decode::Decoder;
use encode::Encoder;

/// The longest segment that is read into memory: twice what a recorder lets one grow to.
pub(crate) const MAX_SEGMENT_BYTES: u64 = 64 * 1024 * 1024;

/// Why an encrypted one stays as it is.
const ENCRYPTED: &str = "it is encrypted: only who has an identity can see its pictures, and encode them anew";

/// What became of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Pictures, as many as there were.
    pub pictures: u64,
    /// Bytes of video before.
    pub before: u64,
    /// And after.
    pub after: u64,
}

/// Why a recording was not encoded anew.
#[derive(Debug, thiserror::Error)]
pub enum CompactError {
    /// A file of the bundle cannot be read.
    #[error("{0} cannot be read")]
    Read(PathInBundle, #[source] io::Error),
    /// A file is not what its link lists, or not video as it is recorded.
    #[error("{0} cannot be encoded anew: {1}")]
    Video(PathInBundle, &'static str),
    /// FFmpeg failed, or lacks the codec.
    #[error("FFmpeg failed: {0}")]
    Codec(&'static str, #[source] Option<ffmpeg_next::Error>),
    /// The new bundle cannot be written.
    #[error("{} cannot be written", .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// The statement cannot be signed.
    #[error("the derivation cannot be signed")]
    Sign(#[from] DerivationError),
    /// It cannot be encrypted as the original is.
    #[error("the new video cannot be encrypted to those to whom the recording is")]
    Encrypt(#[source] AgeError),
    /// There is nothing to encode, or it was done before.
    #[error("{0}")]
    Nothing(&'static str),
}

/// Encodes the video of a sealed bundle anew, into the empty folder `to`; the caller has verified the bundle. `made` is the wall clock.
/// What is encrypted needs `identities` that open it, and is encrypted to the same recipients again before it is written.
///
/// # Errors
/// [`CompactError`]; the folder is then to be thrown away.
pub fn compact(
    source: &dyn Source,
    identities: Option<&Identities>,
    to: &Path,
    settings: &CompactSettings,
    made: &str,
    key: &SigningKey,
) -> Result<Compacted, CompactError> {
    let listing = Listing::read(source);
    let listing = listing.map_err(|error| CompactError::Read(PathInBundle::Session, io::Error::other(error)))?;
    let Some(of) = listing.sealed else { return Err(CompactError::Nothing("a session that is not sealed")) };
    let opened = identities.map(|identities| Decrypted::new(source, identities));
    let recipients = match (listing.manifest.is_encrypted(), &opened) {
        (false, _) => None,
        (true, None) => return Err(CompactError::Nothing(ENCRYPTED)),
        // A manifest has none that could not be read.
        (true, Some(_)) => Recipients::parse(listing.manifest.recipients.iter().map(String::as_str)).ok(),
    };
    let listing = if recipients.is_some() { listing.decrypted() } else { listing };
    if listing.replaced {
        return Err(CompactError::Nothing("its own video went"));
    }
    if listing.expired {
        return Err(CompactError::Nothing("its time is over and its video went"));
    }
    if listing.derivation.is_some() {
        return Err(CompactError::Nothing("it was encoded anew already"));
    }
    copy_the_rest(source, to)?;
    let source: &dyn Source = match &opened {
        Some(opened) => opened,
        None => source,
    };
    let (files, pictures, before) = (Vec::new(), 0, 0);
    let mut work = Work { source, recipients, to, settings, current: None, files, pictures, before, span: None };
    for listed in listing.links.iter().flat_map(|link| &link.files) {
        match listed.path {
            PathInBundle::Init(number) => work.header(number, listed)?,
            PathInBundle::Video(number) => work.segment(number, listed)?,
            _ => {}
        }
    }
    let Some((from_us, to_us)) = work.span else { return Err(CompactError::Nothing("nothing is on video")) };
    work.files.sort_by_key(|file| file.path);
    let derivation = Derivation {
        v: VERSION,
        session: listing.manifest.id,
        of,
        made: made.to_owned(),
        codec: settings.codec.name().to_owned(),
        tool: settings.codec.tool(),
        settings: settings.words(),
        pictures: work.pictures,
        duration_us: to_us.saturating_sub(from_us),
        files: work.files.clone(),
    };
    let path = PathInBundle::Derivation.under(to);
    fs::write(&path, derivation.sign(key)?).map_err(|error| CompactError::Write(path, error))?;
    let after = work.files.iter().map(|file| file.bytes).sum();
    Ok(Compacted { pictures: work.pictures, before: work.before, after })
}

struct Work<'a> {
    /// The original, decrypted where it is encrypted.
    source: &'a dyn Source,
    /// To whom what is made is encrypted.
    recipients: Option<Recipients>,
    to: &'a Path,
    settings: &'a CompactSettings,
    /// The original's header that holds, its number, and whether ours is written.
    current: Option<(Init, u32, bool)>,
    files: Vec<FileHash>,
    pictures: u64,
    before: u64,
    /// From the first picture to the end of the last.
    span: Option<(u64, u64)>,
}

impl Work<'_> {
    fn header(&mut self, number: u32, listed: &FileHash) -> Result<(), CompactError> {
        let bytes = self.read(listed, MAX_INIT_BYTES)?;
        let init = Init::from_bytes(&bytes).filter(|init| !init.sets.is_empty());
        let init = init.ok_or(CompactError::Video(listed.path, "it is no header of H.264"))?;
        self.before = self.before.saturating_add(listed.bytes);
        self.current = Some((init, number, false));
        Ok(())
    }

    /// A segment, of which `number` pictures go in and as many come out, at the same times.
    fn segment(&mut self, number: u32, listed: &FileHash) -> Result<(), CompactError> {
        let bytes = self.read(listed, MAX_SEGMENT_BYTES)?;
        let wrong = |reason| CompactError::Video(listed.path, reason);
        let Some((init, header, written)) = &self.current else { return Err(wrong("no header came before")) };
        let size = Size::new(init.width, init.height);
        let (samples, data) = split(&bytes).ok_or(wrong("it has another form"))?;
        let mut encoder = Encoder::open(size, self.settings)?;
        let mut decoder = Decoder::open()?;
        for (order, (sample, first)) in
            (0_i64..).zip(data.iter().zip([true].into_iter().chain(std::iter::repeat(false))))
        {
            let sets = if first { init.sets.as_slice() } else { &[] };
            decoder.feed(sets, sample, order, &mut |frame| encoder.send(frame))?;
        }
        decoder.finish(&mut |frame| encoder.send(frame))?;
        let packets = encoder.finish()?;
        let in_order = (0_i64..).zip(&packets).all(|(order, packet)| packet.order == order);
        if packets.len() != samples.len() || !in_order || packets.first().is_none_or(|first| !first.key) {
            return Err(wrong("as many pictures went in as did not come out"));
        }
        let header = (!written).then_some(*header);
        if let (Some(header), Some(first)) = (header, packets.first()) {
            let entry = entry::of(self.settings.codec, size, &first.bytes);
            let entry = entry.ok_or(CompactError::Codec("the encoder's first picture has no header", None))?;
            self.write(PathInBundle::Init(header), &cmaf::header_of(size, &entry))?;
        }
        if let Some((.., written)) = &mut self.current {
            *written = true;
        }
        let mut out = cmaf::segment_type();
        out.extend(cmaf::gathered(number, samples.first().map_or(0, |first| first.at_us), &table(&samples, &packets)));
        packets.iter().for_each(|packet| out.extend_from_slice(&packet.bytes));
        self.before = self.before.saturating_add(listed.bytes);
        self.pictures = self.pictures.saturating_add(long(samples.len()));
        let ends = samples.last().map(|last| last.at_us.saturating_add(u64::from(last.duration_us)));
        if let (Some(first), Some(end)) = (samples.first(), ends) {
            self.span = Some((self.span.map_or(first.at_us, |(from_us, _)| from_us), end));
        }
        self.write(PathInBundle::Video(number), &out)
    }

    /// The file, if it is what was signed.
    fn read(&self, listed: &FileHash, most: u64) -> Result<Vec<u8>, CompactError> {
        let failed = |error| CompactError::Read(listed.path, error);
        let opened = self.source.open(listed.path).map_err(failed)?;
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(opened.reader, most.saturating_add(1)), &mut bytes)
            .map_err(failed)?;
        if Digest::of(&bytes) != listed.sha256 {
            return Err(CompactError::Video(listed.path, "it is not the file that was signed"));
        }
        Ok(bytes)
    }

    fn write(&mut self, path: PathInBundle, bytes: &[u8]) -> Result<(), CompactError> {
        let Some(recipients) = &self.recipients else { return self.store(path, bytes, None) };
        let plain = PlainHash { bytes: long(bytes.len()), sha256: Digest::of(bytes) };
        let sealed = recipients.seal(bytes).map_err(CompactError::Encrypt)?;
        self.store(path.encrypted(), &sealed, Some(plain))
    }

    fn store(&mut self, path: PathInBundle, bytes: &[u8], plain: Option<PlainHash>) -> Result<(), CompactError> {
        let to = path.under(self.to);
        fs::write(&to, bytes).map_err(|error| CompactError::Write(to, error))?;
        self.files.push(FileHash { path, bytes: long(bytes.len()), sha256: Digest::of(bytes), plain });
        Ok(())
    }
}

/// Everything but video, as it is.
fn copy_the_rest(source: &dyn Source, to: &Path) -> Result<(), CompactError> {
    let mut paths = Vec::new();
    let listed = source.list(&mut |entry| {
        paths.extend(entry.path.parse::<PathInBundle>().ok().filter(|path| path.folder() != Some("video")));
        ControlFlow::Continue(())
    });
    listed.map_err(|error| CompactError::Read(PathInBundle::Session, error))?;
    for name in ["chain", "events", "video"] {
        let path = to.join(name);
        fs::create_dir_all(&path).map_err(|error| CompactError::Write(path, error))?;
    }
    for path in paths {
        let opened = source.open(path).map_err(|error| CompactError::Read(path, error))?;
        let to = path.under(to);
        let copied = fs::File::create_new(&to).and_then(|mut file| io::copy(&mut { opened.reader }, &mut file));
        copied.map_err(|error| CompactError::Write(to, error))?;
    }
    Ok(())
}

/// The samples of a segment, and the bytes of each.
pub(crate) fn split(segment: &[u8]) -> Option<(Vec<Sample>, Vec<Vec<u8>>)> {
    let mut fragments = Fragments::new(segment);
    let (mut samples, mut data) = (Vec::new(), Vec::new());
    while let Some(some) = fragments.next_samples().ok()? {
        for sample in &some {
            let mut bytes = Vec::new();
            let part = io::Read::take(fragments.reader(), u64::from(sample.bytes));
            io::Read::read_to_end(&mut { part }, &mut bytes).ok()?;
            data.push(bytes);
        }
        samples.extend(some);
    }
    Some((samples, data))
}

/// Durations as they were, sizes as they are.
fn table(samples: &[Sample], packets: &[encode::Packet]) -> Vec<(u32, u32, bool)> {
    let pairs = samples.iter().zip(packets);
    pairs
        .map(|(sample, packet)| (sample.duration_us, u32::try_from(packet.bytes.len()).unwrap_or(u32::MAX), packet.key))
        .collect()
}
