//! What a film begins with: an encoder and the black picture of time 0. It takes its time, needs nothing of the session, and can be there before anybody waits.
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use portcullis_rfb::{Region, Screen, Size};

use crate::config::Config;
use crate::encoder::{Encoder, EncoderError};
use crate::picture::Picture;

/// How long after a recording began the next one is prepared: its first pictures come first.
const LATER: Duration = Duration::from_secs(1);
/// How much that yields to everything else (nice(2)).
const NICE: i32 = 10;

/// The beginning of a film of one size and quality.
pub(crate) struct Opening {
    pub(crate) size: Size,
    crf: u8,
    threads: u32,
    pub(crate) encoder: Encoder,
    pub(crate) picture: Picture,
    /// The access unit of the black picture.
    pub(crate) sample: Vec<u8>,
}

impl Opening {
    /// Opens an encoder and encodes a black picture of time 0.
    pub(crate) fn of(config: &Config, size: Size) -> Result<Self, EncoderError> {
        let Config { crf, threads, .. } = *config;
        let (mut encoder, mut picture) = (Encoder::open(size, crf, threads)?, Picture::default());
        let mut damage = Region::new();
        damage.add(size.bounds());
        let drawn = picture.draw(&mut encoder.canvas(), &Screen::new(size), &damage, None)?;
        let sample = encoder.encode(0, true, &drawn)?;
        Ok(Self { size, crf, threads, encoder, picture, sample })
    }

    fn fits(&self, config: &Config, size: Size) -> bool {
        (self.size, self.crf, self.threads) == (size, config.crf, config.threads)
    }
}

/// Room for the beginning of one film that is wanted next, of the size that was wanted last: some 20 MiB for a screen of 1280x800.
#[derive(Default)]
pub struct Ahead(Mutex<Option<Opening>>);

impl Ahead {
    /// The one that is there, if it fits.
    pub(crate) fn take(&self, config: &Config, size: Size) -> Option<Opening> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.take_if(|opening| opening.fits(config, size))
    }

    /// Prepares another one in a while, off everybody's path. Where that fails, the next recording says why.
    pub fn prepare(self: &Arc<Self>, config: Config, size: Size) {
        let ahead = Arc::clone(self);
        let prepare = move || {
            let _ = rustix::process::nice(NICE);
            thread::sleep(LATER);
            if ahead
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .as_ref()
                .is_some_and(|held| held.fits(&config, size))
            {
                return;
            }
            if let Ok(opening) = Opening::of(&config, size) {
                *ahead.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(opening);
            }
        };
        let _ = thread::Builder::new().name("encode ahead".to_owned()).spawn(prepare);
    }
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ahead").finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fits_is_taken_and_once() {
        let config = Config::new("spool".into());
        let (size, ahead) = (Size::new(64, 48), Arc::new(Ahead::default()));
        assert!(ahead.take(&config, size).is_none());
        ahead.prepare(config.clone(), size);
        let until = std::time::Instant::now() + Duration::from_secs(30);
        while ahead.0.lock().unwrap().is_none() {
            assert!(std::time::Instant::now() < until, "nothing is prepared");
            thread::yield_now();
        }
        assert!(ahead.take(&config, Size::new(64, 50)).is_none());
        assert!(ahead.take(&Config { crf: 30, ..config.clone() }, size).is_none());
        assert!(!ahead.take(&config, size).unwrap().sample.is_empty());
        assert!(ahead.take(&config, size).is_none());
    }
}
