//! A provider on this machine whose every answer the test can put wrong.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How discovery is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    /// To a place that would answer well.
    Redirecting,
    Oversized,
    OfAnother,
    /// With an address for tokens that anybody on the way could read.
    InClear,
    Html,
    Broken,
}

/// The provider.
#[derive(Clone)]
pub(super) struct Script {
    pub(super) issuer: String,
    told: Arc<Mutex<Told>>,
}

pub(super) struct Told {
    pub(super) mood: Mood,
    /// What discovery says, after all else.
    pub(super) metadata: Value,
    /// What signs, and under which name.
    pub(super) key: SigningKey,
    pub(super) kid: String,
    /// Whether the key that signs is among those that are published.
    pub(super) published: bool,
    /// What the next token's head and claims have; null takes a claim away.
    pub(super) head: Value,
    pub(super) claims: Value,
    /// What the token endpoint answers in place of a token.
    pub(super) token: Option<(u16, String)>,
    nonce: String,
    challenge: String,
    hits: HashMap<String, usize>,
}

impl Script {
    pub(super) async fn start() -> Script {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let told = Told {
            mood: Mood::Good,
            metadata: json!({}),
            key: SigningKey::from_bytes(&[7; 32]),
            kid: "one".into(),
            published: true,
            head: json!({}),
            claims: json!({}),
            token: None,
            nonce: String::new(),
            challenge: String::new(),
            hits: HashMap::new(),
        };
        let script = Script { issuer, told: Arc::new(Mutex::new(told)) };
        let app = Router::new().fallback(answer).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        script
    }

    pub(super) fn tell(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.told.lock().unwrap());
    }

    /// The nonce of the next token, and what its code's verifier must hash to.
    pub(super) fn expect(&self, nonce: &str, challenge: &str) {
        self.tell(|told| (told.nonce, told.challenge) = (nonce.into(), challenge.into()));
    }

    /// How often this address was asked for.
    pub(super) fn hits(&self, path: &str) -> usize {
        self.told.lock().unwrap().hits.get(path).copied().unwrap_or(0)
    }

    /// A token with these claims over those of every day.
    pub(super) fn token(&self, claims: &Value) -> String {
        self.signed(claims, &self.told.lock().unwrap())
    }

    fn signed(&self, claims: &Value, told: &Told) -> String {
        let now = crate::portal::now();
        let mut all = json!({"iss": self.issuer, "aud": "portcullis", "sub": "u-1", "iat": now, "exp": now + 300});
        over(&mut all, claims);
        let mut head = json!({"alg": "EdDSA", "kid": told.kid, "typ": "JWT"});
        over(&mut head, &told.head);
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&head), part(&all));
        let signature = match head["alg"].as_str() {
            Some("none") => String::new(),
            // As who knows the public key, and takes it for a secret, would.
            Some("HS256") => URL_SAFE_NO_PAD.encode(Sha256::digest(&message)),
            _ => URL_SAFE_NO_PAD.encode(told.key.sign(message.as_bytes()).to_bytes()),
        };
        format!("{message}.{signature}")
    }

    fn answer(&self, uri: &Uri, body: &[u8]) -> Response {
        let mut told = self.told.lock().unwrap();
        *told.hits.entry(uri.path().to_owned()).or_default() += 1;
        match uri.path() {
            "/.well-known/openid-configuration" => self.discovery(&told),
            "/elsewhere" => axum::Json(self.metadata(&told)).into_response(),
            "/jwks" => {
                let key = URL_SAFE_NO_PAD.encode(told.key.verifying_key().to_bytes());
                let key =
                    json!({"kty": "OKP", "crv": "Ed25519", "x": key, "kid": told.kid, "use": "sig", "alg": "EdDSA"});
                axum::Json(json!({"keys": if told.published { vec![key] } else { vec![] }})).into_response()
            }
            "/token" => self.exchange(&told, body),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn metadata(&self, told: &Told) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut metadata = json!({
            "issuer": self.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "jwks_uri": at("/jwks"), "end_session_endpoint": at("/end?keep=1"), "response_types_supported": ["code"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256", "EdDSA"],
        });
        over(&mut metadata, &told.metadata);
        metadata
    }

    fn discovery(&self, told: &Told) -> Response {
        let mut metadata = self.metadata(told);
        match told.mood {
            Mood::Good => {}
            Mood::Redirecting => return Redirect::temporary(&format!("{}/elsewhere", self.issuer)).into_response(),
            Mood::Oversized => metadata["op_policy_uri"] = format!("https://{}", "x".repeat(600_000)).into(),
            Mood::OfAnother => metadata["issuer"] = "https://other.example".into(),
            Mood::InClear => metadata["token_endpoint"] = "http://192.0.2.1/token".into(),
            Mood::Html => return axum::response::Html("<html></html>").into_response(),
            Mood::Broken => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
        axum::Json(metadata).into_response()
    }

    fn exchange(&self, told: &Told, body: &[u8]) -> Response {
        if let Some((status, text)) = &told.token {
            let status = StatusCode::from_u16(*status).unwrap();
            return (status, [("content-type", "application/json")], text.clone()).into_response();
        }
        let form: HashMap<_, _> = openidconnect::url::form_urlencoded::parse(body).into_owned().collect();
        let verifier = form.get("code_verifier").map(|verifier| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
        if verifier.as_deref() != Some(told.challenge.as_str()) || form.get("code").is_none_or(|code| code != "good") {
            return (StatusCode::BAD_REQUEST, axum::Json(json!({"error": "invalid_grant"}))).into_response();
        }
        let mut claims = json!({"nonce": told.nonce, "groups": ["desk-users"], "sid": "s-1"});
        for (name, value) in told.claims.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let token = self.signed(&claims, told);
        axum::Json(json!({"access_token": "a", "token_type": "Bearer", "id_token": token})).into_response()
    }
}

/// Puts values in the place of others; null takes away.
fn over(value: &mut Value, change: &Value) {
    for (name, new) in change.as_object().unwrap() {
        match new {
            Value::Null => value.as_object_mut().unwrap().remove(name),
            new => value.as_object_mut().unwrap().insert(name.clone(), new.clone()),
        };
    }
}

async fn answer(State(script): State<Script>, uri: Uri, body: Bytes) -> Response {
    script.answer(&uri, &body)
}
