//! The portal as a browser meets it: requests to its router, over a real database and real bundles.

mod access;
mod accounts;
mod bundles;
mod export;
mod faults;
mod hold;
mod index;
mod kept;
mod oidc;
mod pages;
mod playback;
mod postgres;
mod proof;
mod readings;
mod search;
mod sign_in;
mod wire;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use portcullis_policy::Subject;
use portcullis_vault::{Folder, Vault};
use serde_json::Value;
use tower::ServiceExt;

use crate::secret::{fresh, hash_of};
use crate::{Act, Audit, AuditError, Database, Portal, PortalConfig};

pub(crate) const ORIGIN_HERE: &str = "http://localhost:8080";

/// Which database a test runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

impl On {
    /// A database of its own; `None`: a file in the gate's folder.
    pub(crate) async fn database(self) -> Option<Database> {
        match self {
            On::Sqlite => None,
            On::Postgres => Some(Database::Postgres(postgres::fresh().await)),
        }
    }
}

/// Runs each of these functions on both databases, as tests `sqlite::NAME` and `postgres::NAME`.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::tests::On::Sqlite).await
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::tests::On::Postgres).await
            })+
        }
    };
}
pub(crate) use on_both;

/// A portal over a folder of its own.
pub(crate) struct Gate {
    pub(crate) portal: Portal,
    pub(crate) journal: Arc<Journal>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) app: Router,
    dir: tempfile::TempDir,
}

/// What was put on the record; full when told to be.
#[derive(Default)]
pub(crate) struct Journal {
    acts: Mutex<Vec<(Option<String>, Act)>>,
    pub(crate) full: AtomicBool,
}

#[async_trait]
impl Audit for Journal {
    async fn record(&self, who: Option<&Subject>, act: &Act) -> Result<(), AuditError> {
        if self.full.load(Ordering::SeqCst) {
            return Err("no space is left".into());
        }
        self.acts.lock().unwrap().push((who.map(|who| who.name.clone()), act.clone()));
        Ok(())
    }
}

impl Journal {
    pub(crate) fn take(&self) -> Vec<(Option<String>, Act)> {
        std::mem::take(&mut self.acts.lock().unwrap())
    }
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Whether it is a problem of this status.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json()["status"], status);
        assert_eq!(self.json()["type"], "about:blank");
        assert!(self.json()["detail"].as_str().unwrap().ends_with('.'));
        self
    }
}

impl Gate {
    pub(crate) async fn open() -> Gate {
        Gate::open_as(|_| {}).await
    }

    /// Over a database of this kind.
    pub(crate) async fn on(on: On) -> Gate {
        let database = on.database().await;
        Gate::open_as(|config| config.database = database.unwrap_or(config.database.clone())).await
    }

    pub(crate) async fn open_as(change: impl FnOnce(&mut PortalConfig)) -> Gate {
        let dir = tempfile::tempdir().unwrap();
        let vault: Arc<dyn Vault> = Arc::new(Folder::open(&dir.path().join("vault")).unwrap());
        Gate::over(dir, vault, change).await
    }

    pub(crate) async fn over(
        dir: tempfile::TempDir,
        vault: Arc<dyn Vault>,
        change: impl FnOnce(&mut PortalConfig),
    ) -> Gate {
        let origins = vec![ORIGIN_HERE.to_owned(), "https://gate.example".to_owned()];
        let mut config = PortalConfig::new(dir.path().join("portcullis.db"), origins);
        config.keys = Some(bundles::key_list(dir.path()));
        change(&mut config);
        let journal = Arc::new(Journal::default());
        let portal = Portal::open(config, vault.clone(), journal.clone()).await.unwrap();
        let app = portal.router();
        Gate { portal, journal, vault, app, dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Signs somebody in behind the scenes; their cookie's value.
    pub(crate) async fn cookie_of(&self, name: &str, groups: &[&str]) -> String {
        let cookie = fresh().unwrap();
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let subject = Subject { name: name.to_owned(), groups, issuer: "idp".to_owned() };
        let hash = hash_of(&cookie).unwrap();
        self.portal
            .index()
            .add_sign_in(&hash, &subject, &crate::index::From::default(), crate::portal::now(), i64::MAX)
            .await
            .unwrap();
        cookie
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str, cookie: Option<&str>) -> Answer {
        self.send(signed(Request::get(path), cookie).body(Body::empty()).unwrap()).await
    }

    /// Sends JSON as a page of the gate does.
    pub(crate) async fn change(&self, method: &str, path: &str, cookie: &str, body: &Value) -> Answer {
        let request = signed(Request::builder().method(method).uri(path), Some(cookie))
            .header(ORIGIN, ORIGIN_HERE)
            .header(CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn get_with(&self, path: &str, cookie: &str, headers: &[(&str, &str)]) -> Answer {
        let request =
            headers.iter().fold(signed(Request::get(path), Some(cookie)), |r, (name, value)| r.header(*name, *value));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// What the sign-in page sends.
    pub(crate) async fn sign_in(&self, link: &str) -> Answer {
        self.send(sign_in_request().body(link_body(link)).unwrap()).await
    }
}

pub(crate) fn signed(request: Builder, cookie: Option<&str>) -> Builder {
    let request = request.header(HOST, "localhost:8080");
    match cookie {
        Some(cookie) => request.header(COOKIE, format!("theme=dark; portcullis={cookie}")),
        None => request,
    }
}

pub(crate) fn sign_in_request() -> Builder {
    let peer: SocketAddr = "192.0.2.1:5555".parse().unwrap();
    signed(Request::post("/api/sign-in"), None)
        .header(ORIGIN, ORIGIN_HERE)
        .header(CONTENT_TYPE, "application/json")
        .extension(ConnectInfo(peer))
}

pub(crate) fn link_body(link: &str) -> Body {
    Body::from(serde_json::json!({ "link": link }).to_string())
}
