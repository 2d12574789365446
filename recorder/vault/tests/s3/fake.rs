//! A server that speaks as S3 does, keeps objects in memory, and breaks its word in the one way that a test asks for.
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

/// How it breaks its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breach {
    /// Not at all.
    None,
    /// Locks are accepted and forgotten.
    ForgetsLocks,
    /// Locks are kept for an hour, whatever was asked.
    ShortensLocks,
    /// Compliance becomes governance.
    SoftensLocks,
    /// Locks are told and not held.
    RemovesLocked,
    /// Locks of the probe are kept, those of objects that come later are not.
    ForgetsLater,
    IgnoresChecksums,
    IgnoresPreconditions,
    /// What is read is not what was written.
    AltersBytes,
    /// Each first write of an object is done and its answer lost.
    LosesAnswers,
    /// Each third request at first finds it too busy.
    Busy,
    /// Another operation goes on with the object that is to be held.
    AbortsHolds,
    /// Lists end early, and say that there is more.
    CutsLists,
    /// Its clock is an hour behind.
    Skewed,
}

#[derive(Clone)]
struct Stored {
    bytes: Bytes,
    lock: Option<(String, String)>,
}

pub(crate) struct Fake {
    breach: Breach,
    objects: Mutex<BTreeMap<String, Stored>>,
    headers: Mutex<BTreeMap<String, HeaderMap>>,
    requests: AtomicUsize,
}

type Answer = Response<Full<Bytes>>;

impl Fake {
    /// Starts one; where it listens.
    pub(crate) async fn start(breach: Breach) -> (String, Arc<Self>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let fake = Arc::new(Self {
            breach,
            objects: Mutex::default(),
            headers: Mutex::default(),
            requests: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&fake);
        tokio::spawn(async move {
            while let Ok((link, _)) = listener.accept().await {
                let fake = Arc::clone(&serving);
                let service = service_fn(move |request| answer(Arc::clone(&fake), request));
                let io = hyper_util::rt::TokioIo::new(link);
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
            }
        });
        (endpoint, fake)
    }

    /// Objects whose names end so.
    pub(crate) fn count(&self, end: &str) -> usize {
        self.objects.lock().unwrap().keys().filter(|name| name.ends_with(end)).count()
    }

    /// A header that came with the last write of the object whose name ends so.
    pub(crate) fn header(&self, end: &str, header: &str) -> Option<String> {
        let headers = self.headers.lock().unwrap();
        let (_, headers) = headers.iter().find(|(name, _)| name.ends_with(end)).unwrap();
        headers.get(header).map(|value| value.to_str().unwrap().to_owned())
    }

    fn put(&self, name: &str, headers: &HeaderMap, bytes: Bytes) -> Result<Answer, Infallible> {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        self.headers.lock().unwrap().insert(name.to_owned(), headers.clone());
        let mut objects = self.objects.lock().unwrap();
        let ignores = |breach| self.breach == breach;
        if headers.contains_key("if-none-match") && objects.contains_key(name) && !ignores(Breach::IgnoresPreconditions)
        {
            return Ok(error(412, "PreconditionFailed"));
        }
        let sum = STANDARD.encode(Sha256::digest(&bytes));
        if header("x-amz-checksum-sha256").is_some_and(|said| said != sum) && !ignores(Breach::IgnoresChecksums) {
            return Ok(error(400, "BadDigest"));
        }
        let asked = header("x-amz-object-lock-mode").zip(header("x-amz-object-lock-retain-until-date"));
        let later = self.breach == Breach::ForgetsLater && !name.contains(".portcullis");
        let lock = asked.filter(|_| !ignores(Breach::ForgetsLocks) && !later).map(|(mode, until)| match self.breach {
            Breach::ShortensLocks => (mode, soon()),
            Breach::SoftensLocks => ("GOVERNANCE".to_owned(), until),
            _ => (mode, until),
        });
        let first = objects.insert(name.to_owned(), Stored { bytes, lock }).is_none();
        if first && self.breach == Breach::LosesAnswers {
            return Ok(error(500, "InternalError"));
        }
        Ok(Response::builder().header("x-amz-version-id", "v1").body(Full::default()).unwrap())
    }

    fn get(&self, name: &str, query: &str, method: &Method) -> Answer {
        let Some(stored) = self.objects.lock().unwrap().get(name).cloned() else { return error(404, "NoSuchKey") };
        if query.contains("retention") {
            let Some((mode, until)) = stored.lock else { return error(404, "NoSuchObjectLockConfiguration") };
            return xml(&format!(
                "<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>"
            ));
        }
        let sum = STANDARD.encode(Sha256::digest(&stored.bytes));
        let altered = self.breach == Breach::AltersBytes && *method == Method::GET;
        let bytes = if altered { Bytes::from(vec![b'x'; stored.bytes.len()]) } else { stored.bytes };
        let answer = Response::builder().header("content-length", bytes.len());
        // One that alters bytes does not tell on itself.
        let answer = if altered { answer } else { answer.header("x-amz-checksum-sha256", sum) };
        answer.body(Full::new(if *method == Method::HEAD { Bytes::new() } else { bytes })).unwrap()
    }

    fn delete(&self, name: &str) -> Answer {
        let mut objects = self.objects.lock().unwrap();
        let locked = objects.get(name).is_some_and(|stored| stored.lock.is_some());
        if locked && self.breach != Breach::RemovesLocked {
            return error(403, "AccessDenied");
        }
        objects.remove(name);
        Response::builder().status(204).body(Full::default()).unwrap()
    }
}

async fn answer(fake: Arc<Fake>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let (name, query) = (head.uri.path().to_owned(), head.uri.query().unwrap_or_default().to_owned());
    let number = fake.requests.fetch_add(1, Ordering::Relaxed);
    if fake.breach == Breach::Busy && number.is_multiple_of(3) {
        return Ok(error(503, "SlowDown"));
    }
    if fake.breach == Breach::Skewed {
        let mut answer = error(403, "AccessDenied");
        let date = DateTime::from(SystemTime::now() - Duration::from_secs(3600)).fmt(DateTimeFormat::HttpDate).unwrap();
        answer.headers_mut().insert("date", date.parse().unwrap());
        return Ok(answer);
    }
    Ok(match head.method {
        Method::PUT if query.contains("legal-hold") && fake.breach == Breach::AbortsHolds => {
            error(409, "OperationAborted")
        }
        Method::PUT if query.contains("legal-hold") => error(400, "InvalidRequest"),
        Method::PUT => return fake.put(&name, &head.headers, bytes),
        Method::DELETE => fake.delete(&name),
        _ if query.contains("list-type") && fake.breach == Breach::CutsLists => {
            xml("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>")
        }
        _ if query.contains("list-type") => {
            xml("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        }
        _ if query.contains("versioning") => {
            xml("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
        }
        _ if query.contains("object-lock") => {
            xml("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>")
        }
        method => fake.get(&name, &query, &method),
    })
}

fn soon() -> String {
    DateTime::from(SystemTime::now() + Duration::from_secs(60)).fmt(DateTimeFormat::DateTime).unwrap()
}

fn xml(text: &str) -> Answer {
    Response::builder().header("content-type", "application/xml").body(Full::from(text.to_owned())).unwrap()
}

fn error(status: u16, code: &str) -> Answer {
    let mut answer = xml(&format!("<Error><Code>{code}</Code><Message>as a test asked for</Message></Error>"));
    *answer.status_mut() = status.try_into().unwrap();
    answer
}
