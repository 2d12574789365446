//! Texts that policy keeps: encrypted to the auditors' keys before they touch a disk, and put on the record in parts.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_evidence::{MAX_CONTENTS, Recipients, What};
use portcullis_policy::{Kept, Stated, Verdict};
use portcullis_rfb::clipboard::Text;

use super::contents::aside;
use crate::outcome::Outcome;
use crate::session::Session;

/// To whom contents are encrypted; nobody where none are configured, and then nothing may be kept.
#[derive(Clone, Default)]
pub(crate) struct Keys(pub(crate) Option<Arc<Recipients>>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", if self.0.is_some() { "some" } else { "none" })
    }
}

impl Session {
    /// Puts a text on the record, as it was offered, if policy keeps it; `of` is the `seq` of its event, which is none once nothing is recorded any more.
    ///
    /// # Errors
    /// [`Outcome::RecordingFailed`]: what cannot be kept does not cross.
    pub(super) async fn keep_contents(
        &self,
        verdict: &Verdict,
        keep: Option<&Stated<Kept>>,
        of: Option<u64>,
        text: &Text,
    ) -> Result<(), Outcome> {
        let (Some(keep), Some(of)) = (keep, of) else { return Ok(()) };
        let rule = keep.rule.to_string();
        let Some(sealed) = self.sealed(text).await else {
            let reason = format!("a text that {rule} keeps could not be encrypted");
            return self.unrecorded(reason);
        };
        let revision = verdict.revision.to_string();
        let parts = u32::try_from(sealed.len().div_ceil(MAX_CONTENTS)).unwrap_or(u32::MAX);
        for (part, bytes) in (1..).zip(sealed.chunks(MAX_CONTENTS)) {
            let age = URL_SAFE_NO_PAD.encode(bytes);
            self.record(&rule, &revision, What::Contents { of, part, parts, age })?;
        }
        Ok(())
    }

    async fn sealed(&self, text: &Text) -> Option<Vec<u8>> {
        let recipients = self.crossings.keys.0.clone()?;
        let text = text.clone();
        let bytes = text.as_str().len();
        aside(bytes, move || recipients.seal(text.as_str().as_bytes()).ok()).await.flatten()
    }
}
