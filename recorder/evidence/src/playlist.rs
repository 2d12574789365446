//! The HLS media playlist of a bundle (RFC 8216), derived from its chain.
use std::fmt::Write as _;

use time::Duration;

use crate::path::PathInBundle;
use crate::stamp;

/// The least EXT-X-TARGETDURATION, in seconds: how long a still screen stretches a segment.
const TARGET_SECONDS: u64 = 60;

/// A segment as the playlist shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub n: u32,
    pub from_us: u64,
    pub to_us: u64,
    /// The init segment that its link lists.
    pub init: Option<u32>,
    /// Whether it has video.
    pub video: bool,
}

/// The playlist of `segments`, of a session that began at `started`; `ended` once no segment will follow. Of an encrypted bundle it names the
/// encrypted files, which no player knows: it is for those who decrypt them.
///
/// Every stretch of the media clock has its entry, so that times in the playlist are times of events. A segment without
/// video is a gap, which players skip.
pub(crate) fn render(segments: &[Segment], started: &str, ended: bool, encrypted: bool) -> String {
    let shown = |segment: &&Segment| segment.video || segment.to_us > segment.from_us;
    let shown: Vec<&Segment> = segments.iter().filter(shown).collect();
    let longest = shown.iter().map(|segment| rounded_seconds(segment)).max().unwrap_or(0);
    // EXT-X-GAP came with version 8.
    let version = if shown.iter().all(|segment| segment.video) { 7 } else { 8 };
    let kind = if ended { "VOD" } else { "EVENT" };
    let target = longest.max(TARGET_SECONDS);
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-PLAYLIST-TYPE:{kind}\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    );
    let (mut newest, mut mapped) = (None, None);
    let mut all = segments.iter();
    for segment in shown {
        // An init segment may be listed by a link that has no entry of its own.
        for link in all.by_ref() {
            newest = link.init.or(newest);
            if link.n == segment.n {
                break;
            }
        }
        let named = |path: PathInBundle| if encrypted { path.encrypted() } else { path };
        entry(&mut text, segment, started, (newest, &mut mapped), named);
    }
    if ended {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    text
}

fn entry(
    text: &mut String,
    segment: &Segment,
    started: &str,
    (newest, mapped): (Option<u32>, &mut Option<u32>),
    named: impl Fn(PathInBundle) -> PathInBundle,
) {
    let changed = segment.video && *mapped != newest;
    if changed && mapped.is_some() {
        text.push_str("#EXT-X-DISCONTINUITY\n");
    }
    // Writing into a String does not fail.
    if (changed || segment.from_us == 0)
        && let Some(date) = date(started, segment.from_us)
    {
        let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{date}");
    }
    if changed && let Some(init) = newest {
        let _ = writeln!(text, "#EXT-X-MAP:URI=\"{}\"", named(PathInBundle::Init(init)));
        *mapped = newest;
    }
    if !segment.video {
        text.push_str("#EXT-X-GAP\n");
    }
    let length = segment.to_us.saturating_sub(segment.from_us);
    let _ = writeln!(text, "#EXTINF:{}.{:06},", length / 1_000_000, length % 1_000_000);
    let _ = writeln!(text, "{}", named(PathInBundle::Video(segment.n)));
}

/// The length to the nearest second, as RFC 8216 §4.3.3.1 compares it.
fn rounded_seconds(segment: &Segment) -> u64 {
    segment.to_us.saturating_sub(segment.from_us).saturating_add(500_000) / 1_000_000
}

fn date(started: &str, after_us: u64) -> Option<String> {
    let after = Duration::microseconds(i64::try_from(after_us).ok()?);
    stamp::parse(started)?.checked_add(after).map(stamp::stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTED: &str = "2026-01-31T23:59:55.000000Z";

    fn segment(n: u32, from: u64, to: u64, init: Option<u32>, video: bool) -> Segment {
        Segment { n, from_us: from * 1_000_000, to_us: to * 1_000_000, init, video }
    }

    #[test]
    fn a_live_one() {
        let segments = [segment(1, 0, 10, Some(1), true), segment(2, 10, 70, None, true)];
        assert_eq!(
            render(&segments, STARTED, false, false),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:60\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEPENDENT-SEGMENTS\n\
             #EXT-X-PROGRAM-DATE-TIME:2026-01-31T23:59:55.000000Z\n#EXT-X-MAP:URI=\"video/init-0001.mp4\"\n\
             #EXTINF:10.000000,\nvideo/00001.m4s\n#EXTINF:60.000000,\nvideo/00002.m4s\n"
        );
    }

    #[test]
    fn an_encrypted_one_names_what_lies_there() {
        let text = render(&[segment(1, 0, 10, Some(1), true)], STARTED, true, true);
        assert!(
            text.contains("URI=\"video/init-0001.mp4.age\"\n") && text.contains(",\nvideo/00001.m4s.age\n"),
            "{text}"
        );
    }

    #[test]
    fn a_resize_and_a_gap() {
        let segments = [
            segment(1, 0, 10, Some(1), true),
            segment(2, 10, 20, None, false),
            segment(3, 20, 20, Some(2), false),
            segment(4, 20, 81, None, true),
            segment(5, 81, 81, None, false),
        ];
        assert_eq!(
            render(&segments, STARTED, true, false),
            "#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-TARGETDURATION:61\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n\
             #EXT-X-PROGRAM-DATE-TIME:2026-01-31T23:59:55.000000Z\n#EXT-X-MAP:URI=\"video/init-0001.mp4\"\n\
             #EXTINF:10.000000,\nvideo/00001.m4s\n#EXT-X-GAP\n#EXTINF:10.000000,\nvideo/00002.m4s\n\
             #EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-02-01T00:00:15.000000Z\n\
             #EXT-X-MAP:URI=\"video/init-0002.mp4\"\n#EXTINF:61.000000,\nvideo/00004.m4s\n#EXT-X-ENDLIST\n"
        );
    }
}
