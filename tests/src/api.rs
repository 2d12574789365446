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
