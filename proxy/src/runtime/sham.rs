//! Desktops that only say that they are one, for tests of what is made of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

use super::{Desktop, Identity, RuntimeError, Stream};

/// What happens to all desktops of a test.
#[derive(Default)]
pub(super) struct Fates {
    pub(super) destroyed: AtomicUsize,
}

/// One desktop: it greets, until it ends.
pub(super) struct Sham {
    name: String,
    fates: Arc<Fates>,
    over: CancellationToken,
}

impl Sham {
    /// A desktop of this name, and what ends it.
    pub(super) fn stands(name: &str, fates: &Arc<Fates>) -> (Box<dyn Desktop>, CancellationToken) {
        let over = CancellationToken::new();
        (Box::new(Self { name: name.to_owned(), fates: Arc::clone(fates), over: over.clone() }), over)
    }

    /// What a runtime says whose Engine is away.
    pub(super) fn away() -> RuntimeError {
        RuntimeError::Engine { action: "be reached", source: bollard::errors::Error::RequestTimeoutError }
    }
}

#[async_trait]
impl Desktop for Sham {
    fn identity(&self) -> Identity {
        Identity { name: self.name.clone(), ..Identity::default() }
    }

    async fn connect(&self) -> Result<Stream, RuntimeError> {
        let (mut far, near) = tokio::io::duplex(64);
        far.write_all(b"RFB 003.008\n").await.map_err(|source| RuntimeError::Reach { source })?;
        Ok(Box::new(near))
    }

    async fn ended(&self) -> String {
        self.over.cancelled().await;
        "it ended".to_owned()
    }

    async fn destroy(&self) {
        self.fates.destroyed.fetch_add(1, Ordering::SeqCst);
        self.over.cancel();
    }
}
