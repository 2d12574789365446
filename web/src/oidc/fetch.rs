//! How a provider is spoken to: by TLS that is checked, with no redirect followed, and within bounds of time and size.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::http::{Response, Uri};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};

use super::address::is_private;

/// How long one answer may take, from the connection on.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// The longest answer, in bytes.
const MAX_ANSWER: usize = 512 * 1024;

/// Why there is no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("an address of the provider is neither https nor on this machine")]
    Clear,
    #[error("an address of the provider is none")]
    Address(#[source] axum::http::uri::InvalidUri),
    #[error("the provider cannot be reached")]
    Reach(#[from] reqwest::Error),
    #[error("the provider's answer is over {MAX_ANSWER} bytes")]
    Long,
    #[error("the provider's answer is none")]
    Answer(#[from] axum::http::Error),
}

/// The way to one provider.
pub(super) struct Fetch {
    http: Client,
}

impl Fetch {
    /// `ca`: PEM of the only authorities that are trusted.
    pub(super) fn new(ca: Option<&[u8]>) -> Result<Self, reqwest::Error> {
        let builder = Client::builder().redirect(Policy::none()).timeout(PATIENCE).connect_timeout(CONNECT);
        let builder = match ca {
            Some(pem) => builder.tls_certs_only(Certificate::from_pem_bundle(pem)?),
            None => builder,
        };
        Ok(Fetch { http: builder.build()? })
    }

    /// Asks, and reads the answer to its end.
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let uri: Uri = request.uri().to_string().parse().map_err(FetchError::Address)?;
        if !is_private(&uri) {
            return Err(FetchError::Clear);
        }
        let mut answer = self.http.execute(request.try_into()?).await?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len().saturating_add(chunk.len()) > MAX_ANSWER {
                return Err(FetchError::Long);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        Ok(response.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Fetch {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}
