//! The lines under the picture as a file beside the film: SubRip or WebVTT.
use crate::cues::Cue;

/// The form of a subtitles file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subtitles {
    /// SubRip, `.srt`.
    SubRip,
    /// WebVTT (W3C), `.vtt`.
    WebVtt,
}

impl Subtitles {
    /// The file's text.
    pub(crate) fn write(self, cues: &[Cue]) -> String {
        let mut out = match self {
            Self::SubRip => String::new(),
            Self::WebVtt => "WEBVTT\n\n".to_owned(),
        };
        for (n, cue) in (1_u64..).zip(cues) {
            let (from, to) = (self.time(cue.from_us), self.time(cue.to_us));
            out.push_str(&format!("{n}\n{from} --> {to}\n{}\n\n", self.text(&cue.text)));
        }
        out
    }

    fn time(self, at_us: u64) -> String {
        let (seconds, milliseconds) = (at_us / 1_000_000, at_us / 1000 % 1000);
        let point = if self == Self::SubRip { ',' } else { '.' };
        format!("{:02}:{:02}:{:02}{point}{milliseconds:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }

    /// What would be markup is text.
    fn text(self, text: &str) -> String {
        match self {
            Self::SubRip => text.replace('<', "‹").replace('>', "›"),
            Self::WebVtt => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        let cues = [Cue { from_us: 3_661_001_900, to_us: 3_665_000_000, text: "a <b> & --> c\nd".to_owned() }];
        let wanted = "1\n01:01:01,001 --> 01:01:05,000\na ‹b› & --› c\nd\n\n";
        assert_eq!(Subtitles::SubRip.write(&cues), wanted);
        let wanted = "WEBVTT\n\n1\n01:01:01.001 --> 01:01:05.000\na &lt;b&gt; &amp; --&gt; c\nd\n\n";
        assert_eq!(Subtitles::WebVtt.write(&cues), wanted);
    }
}
