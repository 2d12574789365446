//! The events of a bundle as one JSON answer, written as it is read.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::try_unfold;
use portcullis_evidence::PathInBundle;
use portcullis_vault::{Vault, VaultError};
use serde::de::IgnoredAny;

use crate::bundle::event_segments;
use crate::lines::{Line, Lines};
use crate::types::EventsFault;

/// Bytes that are gathered before they are sent.
const PIECE: usize = 32 * 1024;

/// Faults that an answer lists; a bundle with more is broken all the same.
const MAX_FAULTS: usize = 100;

/// `{"events":[…],"faults":[…]}`: the lines of the events files as they are, and where one is no JSON object.
pub(crate) async fn events_json(vault: &Arc<dyn Vault>, prefix: &str) -> Result<Body, VaultError> {
    let segments = event_segments(vault, prefix).await?;
    let last = segments.last().copied().unwrap_or(0);
    let reader = Reader {
        vault: vault.clone(),
        prefix: prefix.to_owned(),
        segments: (1..=last).collect(),
        open: None,
        any: false,
        faults: Vec::new(),
        stage: Stage::Start,
    };
    Ok(Body::from_stream(try_unfold(reader, |mut reader| async move {
        let piece = reader.piece().await.map_err(|error| {
            tracing::error!(
                bundle = reader.prefix,
                error = crate::problem::chain(&error),
                "the vault failed in the midst of events"
            );
            io::Error::other(error)
        })?;
        Ok::<_, io::Error>(piece.map(|piece| (piece, reader)))
    })))
}

struct Reader {
    vault: Arc<dyn Vault>,
    prefix: String,
    /// Segments that are still to be read.
    segments: VecDeque<u32>,
    /// The segment that is being read, and the number of its line.
    open: Option<(u32, u64, Lines)>,
    /// Whether an event has been written.
    any: bool,
    faults: Vec<EventsFault>,
    stage: Stage,
}

enum Stage {
    Start,
    Events,
    Done,
}

impl Reader {
    /// The next bytes of the answer; `None` behind its end.
    async fn piece(&mut self) -> Result<Option<Bytes>, VaultError> {
        let mut out = Vec::with_capacity(PIECE);
        match self.stage {
            Stage::Start => out.extend_from_slice(b"{\"events\":["),
            Stage::Events => {}
            Stage::Done => return Ok(None),
        }
        self.stage = Stage::Events;
        while out.len() < PIECE {
            if !self.event(&mut out).await? {
                out.extend_from_slice(b"],\"faults\":");
                out.extend(serde_json::to_vec(&self.faults).unwrap_or_else(|_| b"[]".to_vec()));
                out.push(b'}');
                self.stage = Stage::Done;
                break;
            }
        }
        Ok(Some(Bytes::from(out)))
    }

    /// Takes one step: a line or a file. False when there is none left.
    async fn event(&mut self, out: &mut Vec<u8>) -> Result<bool, VaultError> {
        let Some((n, number, lines)) = &mut self.open else { return self.next_file().await };
        *number = number.saturating_add(1);
        match lines.next().await? {
            Some(Line::Whole(line)) if is_object(&line) => {
                if self.any {
                    out.push(b',');
                }
                self.any = true;
                out.extend_from_slice(&line);
            }
            Some(_) => {
                let (n, number) = (*n, *number);
                self.fault(n, number);
            }
            None => self.open = None,
        }
        Ok(true)
    }

    async fn next_file(&mut self) -> Result<bool, VaultError> {
        let Some(n) = self.segments.pop_front() else { return Ok(false) };
        match Lines::open(&self.vault, &self.prefix, n).await? {
            Some(lines) => self.open = Some((n, 0, lines)),
            None => self.fault(n, 0),
        }
        Ok(true)
    }

    fn fault(&mut self, n: u32, line: u64) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(EventsFault { path: PathInBundle::Events(n).to_string(), line });
        }
    }
}

/// Whether the line may stand in the answer as it is.
fn is_object(line: &[u8]) -> bool {
    line.first() == Some(&b'{') && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}
