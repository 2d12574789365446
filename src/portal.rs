//! What joins the portal to the session plane: sign-in for the plane, the journal for the portal, the index after each session.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::HeaderMap;
use portcullis_evidence::What;
use portcullis_policy::Subject;
use portcullis_proxy::journal::About;
use portcullis_proxy::token::Revocations;
use portcullis_proxy::{Aftermath, Identify, Journal};
use portcullis_web::{Act, Audit, AuditError, Part, Portal, Revoked};
use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::time_stamps::Stamps;

/// The portal's acts go to the gate's journal.
pub(crate) struct Journaled(pub(crate) Arc<Journal>);

#[async_trait]
impl Audit for Journaled {
    async fn record(&self, who: Option<&Subject>, act: &Act) -> Result<(), AuditError> {
        let subject = who.map(|who| who.name.as_str()).unwrap_or_default();
        // What let somebody in, or did not, is the rule of it.
        let rule = match act {
            Act::SignedIn { by } | Act::SignInRefused { by, .. } | Act::SignedOut { by: Some(by) } => by.to_string(),
            _ => String::new(),
        };
        let (session, what) = match act {
            Act::SignedIn { .. } => ("", What::SignedIn {}),
            Act::SignedOut { .. } => ("", What::SignedOut {}),
            Act::SignInRefused { reason, .. } => {
                ("", What::Refused { what: "sign-in".into(), reason: (*reason).into() })
            }
            Act::Held { recording, held, reason } => {
                let (id, reason) = (recording.clone(), reason.clone());
                let what = match held {
                    true => What::RecordingHeld { recording: id, reason },
                    false => What::RecordingReleased { recording: id, reason },
                };
                (recording.as_str(), what)
            }
            Act::Viewed { recording, part, .. } => {
                let part = match part {
                    Part::Video => "video",
                    Part::Events => "events",
                    Part::Export => "export",
                    Part::Bundle => "bundle",
                    Part::Thumbnail => "thumbnail",
                };
                (recording.as_str(), What::Viewed { part: part.into() })
            }
            Act::Searched { query } => ("", What::Searched { query: query.clone() }),
            Act::NoteAdded { recording, bytes, sha256 } => {
                (recording.as_str(), What::NoteAdded { bytes: *bytes, sha256: sha256.clone() })
            }
            Act::NoteRemoved { recording, bytes, sha256 } => {
                (recording.as_str(), What::NoteRemoved { bytes: *bytes, sha256: sha256.clone() })
            }
        };
        self.0.append(About { subject, session, rule: &rule, ..About::default() }, what)?;
        Ok(())
    }
}

/// A person's sign-in, for the session plane.
pub(crate) struct SignedIn(pub(crate) Portal);

#[async_trait]
impl Identify for SignedIn {
    async fn identify(&self, headers: &HeaderMap) -> Option<Subject> {
        self.0.authenticate(headers).await
    }
}

/// The revocations that tokens and sessions heed, for the portal's sign-ins.
pub(crate) struct Out(pub(crate) Arc<Revocations>);

impl Revoked for Out {
    fn covers(&self, subject: &Subject) -> bool {
        self.0.covers_subject(subject, OffsetDateTime::now_utc().unix_timestamp())
    }
}

/// The index follows the sessions, time stamps their seals, and what is read of recordings what is in the index.
pub(crate) struct Indexed(pub(crate) Portal, pub(crate) Stamps, pub(crate) Arc<Notify>);

#[async_trait]
impl Aftermath for Indexed {
    async fn opened(&self, session: &str) {
        self.ingest(session).await;
    }

    async fn sealed(&self, session: &str) {
        self.1.sealed(session);
        self.ingest(session).await;
        self.2.notify_one();
    }
}

impl Indexed {
    /// The index is a cache: what cannot be taken in now is taken in by the next rebuild.
    async fn ingest(&self, session: &str) {
        if let Err(error) = self.0.ingest(session).await {
            tracing::warn!(session, error = %error, "the index could not take the recording in");
        }
    }
}
