//! Which files a recording's playlist names: the only ones that are ever served.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use portcullis_evidence::PathInBundle;
use portcullis_vault::{Key, Vault, VaultError};

/// Playlists whose names are remembered; when there are so many all are forgotten, and read again when asked for.
const MAX_PLAYLISTS: usize = 64;

/// The longest playlist that is read: the names and times of 99,999 segments, with room to spare.
const MAX_PLAYLIST_BYTES: u64 = 16 * 1024 * 1024;

type Names = Arc<HashSet<PathInBundle>>;

/// What the playlists name, by the bundle's place.
#[derive(Default)]
pub(crate) struct Playlists(Mutex<HashMap<String, Names>>);

impl Playlists {
    /// Whether the playlist of the bundle at `prefix` names this file. A playlist that grew is read again.
    pub(crate) async fn names(&self, vault: &dyn Vault, prefix: &str, path: PathInBundle) -> Result<bool, VaultError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(prefix).cloned();
        if known.is_some_and(|names| names.contains(&path)) {
            return Ok(true);
        }
        let Some(text) = read(vault, prefix).await? else { return Ok(false) };
        let names: Names = Arc::new(named(&String::from_utf8_lossy(&text)));
        let found = names.contains(&path);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_PLAYLISTS {
            all.clear();
        }
        all.insert(prefix.to_owned(), names);
        Ok(found)
    }
}

/// The bytes of `index.m3u8`; `None` while there is none.
pub(crate) async fn read(vault: &dyn Vault, prefix: &str) -> Result<Option<Bytes>, VaultError> {
    let Ok(key) = Key::of(prefix, PathInBundle::Index) else { return Ok(None) };
    match vault.len(&key).await? {
        None | Some(0) => Ok(None),
        Some(len) if len > MAX_PLAYLIST_BYTES => Err(VaultError::TooLong(key)),
        Some(_) => vault.read(&key, None).await.map(Some),
    }
}

/// The video files that a media playlist names: its URI lines and the URIs of `EXT-X-MAP` (RFC 8216 §4.3.2.5). Other
/// names, whatever they are, are not of a bundle's video and so never served.
fn named(playlist: &str) -> HashSet<PathInBundle> {
    let names = playlist.lines().filter_map(|line| match line.strip_prefix("#EXT-X-MAP:") {
        Some(attributes) => attributes.split_once("URI=\"")?.1.split_once('"').map(|(uri, _)| uri),
        None => (!line.starts_with('#')).then_some(line),
    });
    names.filter_map(video).collect()
}

/// The path of a video file of a bundle.
pub(crate) fn video(name: &str) -> Option<PathInBundle> {
    let path = name.parse().ok()?;
    matches!(
        path,
        PathInBundle::Init(_) | PathInBundle::AgeInit(_) | PathInBundle::Video(_) | PathInBundle::AgeVideo(_)
    )
    .then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_playlist_names_its_segments_and_maps_and_nothing_else_counts() {
        let playlist = "#EXTM3U\n#EXT-X-MAP:URI=\"video/init-0001.mp4\"\n#EXTINF:10.0,\nvideo/00001.m4s\r\n\
            #EXT-X-DISCONTINUITY\n#EXT-X-MAP:BYTERANGE=\"1@0\",URI=\"video/init-0002.mp4\"\n#video/00009.m4s\n\
            ../other/video/00003.m4s\n/etc/passwd\nseal.json\nchain/00001.jws\nhttp://evil/video/00004.m4s\n\n";
        let expected = ["video/init-0001.mp4", "video/00001.m4s", "video/init-0002.mp4"];
        assert_eq!(named(playlist), expected.map(|name| name.parse().unwrap()).into());
    }
}
