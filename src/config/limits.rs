//! `[limits]`: the bounds of a gate's sessions, as an operator writes them.

use std::time::Duration;

use anyhow::bail;
use portcullis_proxy::{Bounds, Rate};
use portcullis_rfb::Size;
use portcullis_rfb::limits::{MAX_CLIPBOARD_TEXT, MAX_FRAMEBUFFER};
use serde::{Deserialize, Deserializer};

/// Seconds that any wait may be given.
const LONGEST: u64 = 3600;
/// KiB of a WebSocket message: one of an extended clipboard text is no longer, whatever it holds.
const LARGEST_MESSAGE: usize = 16 * 1024;
/// Viewers of one session, each of which may take 42 MB.
const MOST_VIEWERS: u32 = 64;
/// What a rate may be at most.
const FASTEST: u32 = 1_000_000;

/// `[limits]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    #[serde(deserialize_with = "size")]
    screen: Size,
    clipboard_kib: u32,
    message_kib: usize,
    viewers: u32,
    handshake_seconds: u64,
    message_seconds: u64,
    send_seconds: u64,
    ping_seconds: u64,
    silence_seconds: u64,
    keys: Rate,
    clicks: Rate,
    pointer: Rate,
    resizes: Rate,
    refreshes: Rate,
    texts: Rate,
    bells: Rate,
    desktop_messages: Rate,
    desktop_sizes: Rate,
}

impl Limits {
    /// Refuses what could not work: nothing at all, or more than the gate has room for.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if !portcullis_rfb::Limits::default().allows_framebuffer(self.screen) {
            bail!("`limits.screen` must be from 1x1 to {MAX_FRAMEBUFFER}");
        }
        let kib = MAX_CLIPBOARD_TEXT / 1024;
        within("clipboard_kib", u64::from(self.clipboard_kib), u64::from(kib))?;
        within("message_kib", u64::try_from(self.message_kib)?, u64::try_from(LARGEST_MESSAGE)?)?;
        within("viewers", u64::from(self.viewers), u64::from(MOST_VIEWERS))?;
        for (key, seconds) in [
            ("handshake_seconds", self.handshake_seconds),
            ("message_seconds", self.message_seconds),
            ("send_seconds", self.send_seconds),
            ("ping_seconds", self.ping_seconds),
            ("silence_seconds", self.silence_seconds),
        ] {
            within(key, seconds, LONGEST)?;
        }
        if self.silence_seconds <= self.ping_seconds {
            bail!(
                "`limits.silence_seconds` must be more than `limits.ping_seconds`, or no viewer could answer in time"
            );
        }
        for (key, rate) in self.rates() {
            within(&format!("{key}.per_second"), u64::from(rate.per_second), u64::from(FASTEST))?;
            within(&format!("{key}.burst"), u64::from(rate.burst), u64::from(FASTEST))?;
        }
        Ok(())
    }

    fn rates(&self) -> [(&'static str, Rate); 9] {
        [
            ("keys", self.keys),
            ("clicks", self.clicks),
            ("pointer", self.pointer),
            ("resizes", self.resizes),
            ("refreshes", self.refreshes),
            ("texts", self.texts),
            ("bells", self.bells),
            ("desktop_messages", self.desktop_messages),
            ("desktop_sizes", self.desktop_sizes),
        ]
    }

    /// The bounds that sessions have.
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            rfb: portcullis_rfb::Limits {
                framebuffer: self.screen,
                clipboard_text: self.clipboard_kib.saturating_mul(1024),
                ..portcullis_rfb::Limits::default()
            },
            handshake: Duration::from_secs(self.handshake_seconds),
            message: Duration::from_secs(self.message_seconds),
            send: Duration::from_secs(self.send_seconds),
            ping: Duration::from_secs(self.ping_seconds),
            silence: Duration::from_secs(self.silence_seconds),
            message_bytes: self.message_kib.saturating_mul(1024),
            viewers: self.viewers,
            keys: self.keys,
            clicks: self.clicks,
            pointer: self.pointer,
            resizes: self.resizes,
            refreshes: self.refreshes,
            texts: self.texts,
            bells: self.bells,
            desktop_messages: self.desktop_messages,
            desktop_sizes: self.desktop_sizes,
        }
    }
}

fn within(key: &str, value: u64, most: u64) -> anyhow::Result<()> {
    if !(1..=most).contains(&value) {
        bail!("`limits.{key}` must be from 1 to {most}");
    }
    Ok(())
}

/// `WIDTHxHEIGHT` in pixels.
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
    let text = String::deserialize(deserializer)?;
    let sides = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    let (width, height) = sides
        .ok_or_else(|| serde::de::Error::custom(format!("`screen` is {text:?}, not a size such as \"1920x1080\"")))?;
    Ok(Size::new(width, height))
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn checked(text: &str) -> Result<Bounds, String> {
        let config = Config::parse(text).map_err(|error| error.to_string())?;
        config.limits.check().map_err(|error| error.to_string())?;
        Ok(config.limits.bounds())
    }

    #[test]
    fn the_defaults_that_are_written_are_those_of_the_code() {
        assert_eq!(checked("").unwrap(), Bounds::default());
    }

    #[test]
    fn what_is_written_counts() {
        let bounds = checked("[limits]\nscreen = \"1920x1080\"\nkeys = { per_second = 5, burst = 7 }\n").unwrap();
        assert_eq!((bounds.rfb.framebuffer, bounds.keys), (Size::new(1920, 1080), Rate::new(5, 7)));
        // One half of a rate alone keeps the other as it is.
        assert_eq!(checked("[limits]\nkeys = { burst = 7 }\n").unwrap().keys, Rate::new(60, 7));
    }

    #[test]
    fn what_could_not_work_is_refused_by_name() {
        for (text, word) in [
            ("viewers = 0", "limits.viewers"),
            ("clipboard_kib = 1025", "from 1 to 1024"),
            ("screen = \"3841x10\"", "3840x2160"),
            ("screen = \"big\"", "line 2"),
            ("keys = { per_second = 0 }", "limits.keys.per_second"),
            ("keys = { per_minute = 3 }", "per_minute"),
            ("ping_seconds = 60", "silence_seconds"),
            ("message_seconds = 9999", "limits.message_seconds"),
        ] {
            let error = checked(&format!("[limits]\n{text}\n")).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
