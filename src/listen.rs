//! The listener: connections counted, headers and bodies with a deadline, keys without Nagle's delay.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use portcullis_proxy::api::carries_files;
use portcullis_proxy::api::problem::Problem;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::peer::Proxies;

/// HTTP connections at once; a further one waits to be accepted. Viewers do not count: their sessions bound them.
const MOST_CONNECTIONS: usize = 1024;
/// How long a request's headers may take, and how long a connection may rest between two requests.
const HEADERS: Duration = Duration::from_secs(15);
/// How long a request may take until its answer begins: a body that is withheld, or a desktop that does not start.
const ANSWER: Duration = Duration::from_secs(60);
/// How long open connections may take to end once the gate stops.
const PARTING: Duration = Duration::from_secs(3);
/// The pause after a failed accept, such as for want of descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// Serves until it is told to stop, then lets requests under way end.
pub(crate) async fn serve(listener: TcpListener, app: Router, proxies: Proxies, stop: CancellationToken) {
    let app = app.layer(from_fn(in_time));
    let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(BREATH).await;
                continue;
            }
        };
        let (app, proxies) = (app.clone(), proxies.clone());
        let stop = stop.clone();
        connections.spawn(async move {
            converse(stream, address, app, proxies, stop).await;
            drop(slot);
        });
    }
    connections.close();
    let _ = timeout(PARTING, connections.wait()).await;
}

async fn converse(stream: TcpStream, address: SocketAddr, app: Router, proxies: Proxies, stop: CancellationToken) {
    // Without TCP_NODELAY every key waits for the one before it to be acknowledged.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection without TCP_NODELAY");
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        proxies.place(address, &mut request);
        app.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        // How a connection ends is its peer's affair: a reset, a header that came too late.
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn in_time(request: Request, next: Next) -> Response {
    // A large file takes longer; how long its sender may be silent is counted where it is read.
    if carries_files(request.uri().path()) {
        return next.run(request).await;
    }
    match timeout(ANSWER, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(StatusCode::REQUEST_TIMEOUT, "the request took too long; send it again").into_response(),
    }
}
