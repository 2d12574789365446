//! The HTTP API as a program uses it.

use anyhow::{Context, ensure};
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

/// Somebody with a token, or nobody.
#[derive(Debug, Clone)]
pub struct Api {
    url: String,
    token: Option<String>,
    http: reqwest::Client,
}

/// An opened session and its ticket.
#[derive(Debug, Clone, Deserialize)]
pub struct Opened {
    /// The session.
    pub id: String,
    /// The one-time ticket.
    pub ticket: String,
    /// The WebSocket's path.
    pub rfb: String,
    /// When the ticket expires.
    pub expires: String,
}

impl Api {
    /// The API at `url` with a bearer token or none.
    #[must_use]
    pub fn new(url: &str, token: Option<String>) -> Self {
        Self { url: url.to_owned(), token, http: reqwest::Client::new() }
    }

    /// Sends a request and returns the answer whatever its status.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> anyhow::Result<Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Ok(request.send().await?)
    }

    /// Sends bytes and returns the answer whatever its status.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn bytes(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> anyhow::Result<Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).body(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(request.send().await?)
    }

    /// Brings a file into a session's desktop: the status, and what was answered.
    ///
    /// # Errors
    /// When there is no answer, or it is not JSON.
    pub async fn upload(
        &self,
        session: &str,
        name: &str,
        file: impl Into<reqwest::Body>,
    ) -> anyhow::Result<(u16, Value)> {
        let path = format!("/api/sessions/{session}/files?name={}", encoded(name));
        let answer = self.bytes(Method::POST, &path, &[("content-type", "application/octet-stream")], file).await?;
        let (status, text) = (answer.status().as_u16(), answer.text().await?);
        Ok((status, serde_json::from_str(&text).with_context(|| format!("{status}: {text}"))?))
    }

    /// Takes a file out of a session's desktop: the status, and what was answered.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn download(&self, session: &str, name: &str) -> anyhow::Result<(u16, Vec<u8>)> {
        let path = format!("/api/sessions/{session}/files/{}", encoded(name));
        let answer = self.send(Method::GET, &path, &[], None).await?;
        Ok((answer.status().as_u16(), answer.bytes().await?.to_vec()))
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Opens a session.
    ///
    /// # Errors
    /// When it is refused; the text holds status and problem.
    pub async fn open(&self, desktop: &str) -> anyhow::Result<Opened> {
        let answer = self.send(Method::POST, "/api/sessions", &[], Some(json!({"desktop": desktop}))).await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status == StatusCode::CREATED, "{status}: {text}");
        serde_json::from_str(&text).context("not an opened session")
    }

    /// A fresh ticket for a session.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn ticket(&self, session: &str) -> anyhow::Result<Opened> {
        let answer = self.send(Method::POST, &format!("/api/sessions/{session}/tickets"), &[], None).await?;
        ensure!(answer.status() == StatusCode::CREATED, "{}: {}", answer.status(), answer.text().await?);
        Ok(answer.json().await?)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn end(&self, session: &str) -> anyhow::Result<()> {
        let answer = self.send(Method::DELETE, &format!("/api/sessions/{session}"), &[], None).await?;
        ensure!(answer.status() == StatusCode::NO_CONTENT, "{}: {}", answer.status(), answer.text().await?);
        Ok(())
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// When the status is not 200.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.send(Method::GET, path, &[], None).await?;
        ensure!(answer.status() == StatusCode::OK, "{}: {}", answer.status(), answer.text().await?);
        Ok(answer.json().await?)
    }

    /// Waits until a session is gone from the list of live ones, which is when its bundle is sealed.
    ///
    /// # Errors
    /// When it stays.
    pub async fn wait_gone(&self, session: &str) -> anyhow::Result<()> {
        crate::until("the session is gone", async || {
            let answer = self.send(Method::GET, &format!("/api/sessions/{session}"), &[], None).await?;
            Ok((answer.status() == StatusCode::NOT_FOUND).then_some(()))
        })
        .await
    }
}

/// A name as it stands in an address.
fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
