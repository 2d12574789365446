//! `portcullis serve`: composes the gate and runs it until it is told to stop.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use portcullis_alerts::Exports;
use portcullis_evidence::{Recipients, What};
use portcullis_policy::Subject;
use portcullis_proxy::egress::Ways;
use portcullis_proxy::files::Depot;
use portcullis_proxy::journal::About;
use portcullis_proxy::outcome::chain;
use portcullis_proxy::runtime::Runtime;
use portcullis_proxy::runtime::docker::Containers;
use portcullis_proxy::runtime::process::Processes;
use portcullis_proxy::runtime::standing::Standing;
use portcullis_proxy::token::Verifier;
use portcullis_proxy::{Journal, Plane, PlaneConfig};
use portcullis_vault::Vault;
use portcullis_web::{LOCAL_ISSUER, Portal, PortalConfig, Roles};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::alerts::{self, Exported};
use crate::config::{Auditors, Config, SignIn, To};
use crate::data::Data;
use crate::keys::{self, Keys};
use crate::leftovers::{self, Left};
use crate::metrics;
use crate::peer::Proxies;
use crate::policy;
use crate::portal::{Indexed, Journaled, Out, SignedIn};
use crate::readings::Readings;
use crate::recorder;
use crate::retention;
use crate::revoked;
use crate::time_stamps::Stamps;
use crate::token;

/// Runs the gate; returns when it has drained.
pub(crate) fn run(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let coloured = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(coloured).with_writer(std::io::stderr).init();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(config))
}

/// The API of the whole program.
pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    let mut whole = portcullis_proxy::api::openapi();
    whole.merge(portcullis_web::openapi());
    whole.merge(policy::api::openapi());
    whole.info.title = "Portcullis".into();
    whole.info.description = Some("The gate between a person's browser and a Docker desktop.".into());
    whole.info.version = env!("CARGO_PKG_VERSION").into();
    whole
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let data = Data::open(&config.data)?;
    let _held = data.lock()?;
    let keys = keys::load_or_make(&data)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("{} cannot be listened on: choose another with --listen", config.listen))?;
    let address = listener.local_addr()?;
    let origins = config.origins_at(address);

    let encrypting = recorder::encrypting(config)?;
    let vault = crate::vault::open(config, &data).await?;
    let journal = Arc::new(Journal::open(&data.journal())?);
    let portal = portal(config, &data, &origins, Arc::clone(&vault), Arc::clone(&journal)).await?;
    let runtimes = runtimes(config, &data).await?;
    // Before anything leaves the spool.
    let exports = alerts::open(config, &data, &vault)?;
    let mut recorder = recorder::of(config, &data, encrypting);
    recover(&recorder, &vault, &keys, &runtimes).await;
    catch_up(&portal, &journal).await;
    recorder::prepare(config, &mut recorder);
    let verifier = token::verifier(config, &keys)?;
    let revocations = Arc::clone(verifier.revocations());
    revoked::load(&data.revoked(), &revocations)?;
    portal.heed(Arc::new(Out(Arc::clone(&revocations))));
    exports.start();
    let keeper = Arc::new(retention::keeper(config, &data, Arc::clone(&vault), Arc::new(keys.evidence.clone()))?);
    let stamps = Stamps::start(config, &data, &keeper)?;
    let sealed = Arc::new(Notify::new());
    let indexed = Indexed(portal.clone(), stamps, Arc::clone(&sealed));
    let aftermath = Arc::new(Exported { index: indexed, exports: exports.clone() });
    let policies = policy::Following::begin(config, &data).await?;
    let warning = retention::warn(policies.policies.clone(), Arc::clone(&vault));
    portal.keep(Arc::clone(&keeper));
    let readings = Readings::start(
        config.text.settings(),
        portal.clone(),
        Arc::clone(&keeper),
        policies.policies.clone(),
        sealed,
    )?;
    let recipients = config.recording.recipients()?;
    let files = config.files.depot(&data, recipients.clone())?;
    let sweeping = retention::start(config, keeper, Arc::clone(&journal), portal.clone(), Arc::clone(&files));
    let ways = config.egress.ways()?;
    let crossing = (files, recipients.map(Arc::new), ways);
    let (left, evidence) = (Left::default(), Arc::new(keys.evidence.clone()));
    let bringing = leftovers::start(&recorder, Arc::clone(&vault), evidence, aftermath.clone(), left.clone());
    let plane = plane(
        config, recorder, keys, verifier, origins, vault, journal, aftermath, &portal, runtimes, &policies, crossing,
    );
    plane.pool.tend();
    let following = tokio::spawn(revoked::follow(data.revoked(), Arc::clone(&plane), revocations));

    let app = portcullis_proxy::api::router(Arc::clone(&plane)).merge(portal.router());
    let app = portal.protect(app.merge(policy::api::router(&config.policies, &policies, portal.clone())?));
    let stop = CancellationToken::new();
    let metrics = metrics(config, &plane, &policies, &exports, left, &stop).await?;
    let serving = tokio::spawn(crate::listen::serve(listener, app, Proxies::new(config.proxies.clone()), stop.clone()));
    // Before anybody knows that the gate is there: who stops it at once finds it listening.
    let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    announce(config, address, &portal).await?;

    stopped(interrupt, terminate).await;
    tracing::info!(sessions = plane.count(), "stopping: viewers are told, recordings sealed");
    plane.shut_down(Duration::from_secs(config.sessions.drain_seconds)).await;
    stop.cancel();
    following.abort();
    warning.abort();
    // What it leaves half-done, the next look or start finishes.
    bringing.abort();
    if let Some(sweeping) = sweeping {
        // What it leaves half-done, the next sweep finishes.
        sweeping.abort();
    }
    policies.end();
    readings.stop();
    let _ = serving.await;
    if let Some(metrics) = metrics {
        let _ = metrics.await;
    }
    portal.close().await;
    exports.stop(alerts::PARTING).await;
    tracing::info!("stopped");
    Ok(())
}

/// Serves metrics where they are configured.
async fn metrics(
    config: &Config,
    plane: &Arc<Plane>,
    policies: &policy::Following,
    exports: &Exports,
    left: Left,
    stop: &CancellationToken,
) -> anyhow::Result<Option<JoinHandle<()>>> {
    let Some(address) = config.metrics_address()? else { return Ok(None) };
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("`metrics`: {address} cannot be listened on"))?;
    tracing::info!(address = %listener.local_addr()?, "metrics are served");
    let app = metrics::router(Arc::clone(plane), policies.state.clone(), exports.clone(), left);
    let serving = crate::listen::serve(listener, app, Proxies::default(), stop.clone());
    Ok(Some(tokio::spawn(serving)))
}

/// Opens the portal.
pub(crate) async fn portal(
    config: &Config,
    data: &Data,
    origins: &[String],
    vault: Arc<dyn Vault>,
    journal: Arc<Journal>,
) -> anyhow::Result<Portal> {
    let providers = config.sign_in.providers()?;
    let SignIn { subject, groups, auditors, administrators, passwords, .. } = config.sign_in.clone();
    let scoped = config.auditors.iter().map(Auditors::scope).collect();
    let roles = Roles { auditors: vec![auditors], scoped, administrators: vec![administrators], ..Roles::default() };
    let local = Subject { name: subject, groups, issuer: LOCAL_ISSUER.into() };
    let keys = Some(data.keys().join(crate::key_list::LIST));
    let database = config.index.database(data.database())?;
    let config = PortalConfig { database, origins: origins.to_vec(), local, passwords, providers, roles, keys };
    Portal::open(config, vault, Arc::new(Journaled(journal))).await.context("the portal cannot be opened")
}

async fn runtimes(config: &Config, data: &Data) -> anyhow::Result<Vec<Arc<dyn Runtime>>> {
    let mut runtimes: Vec<Arc<dyn Runtime>> = Vec::new();
    let has = |runtime: &str| config.desktops.iter().any(|desktop| desktop.kind.runtime() == runtime);
    if has("process") {
        runtimes.push(Arc::new(Processes::new(data.run().join("process"))));
    }
    if (has("process") || has("docker")) && !rustix::process::geteuid().is_root() {
        tracing::warn!(
            "the gate is not root: its desktops run as its own user and may write to the folder of their socket, on the disk of the data folder, without a bound"
        );
    }
    if has("docker") {
        let engine = Containers::connect(&config.docker.host, data.run().join("docker")).await?;
        runtimes.push(Arc::new(engine));
    }
    if has("static") {
        for desktop in config.desktops.iter().filter(|desktop| desktop.kind.runtime() == "static") {
            Standing::check(desktop).with_context(|| format!("the desktop `{}`", desktop.name))?;
        }
        runtimes.push(Arc::new(Standing));
    }
    Ok(runtimes)
}

/// Brings back what an earlier gate left behind: its desktops are ended, its recordings closed as interrupted.
async fn recover(
    recorder: &portcullis_recorder::Config,
    vault: &Arc<dyn Vault>,
    keys: &Keys,
    runtimes: &[Arc<dyn Runtime>],
) {
    for runtime in runtimes {
        match runtime.reap().await {
            Ok(0) => {}
            Ok(count) => tracing::warn!(runtime = runtime.name(), count, "ended desktops of an earlier gate"),
            Err(error) => tracing::error!(
                runtime = runtime.name(),
                error = chain(&error),
                "desktops of an earlier gate may be left"
            ),
        }
    }
    let key = Arc::new(keys.evidence.clone());
    for recovered in portcullis_recorder::recover(recorder.clone(), Arc::clone(vault), key).await {
        match recovered.outcome {
            Ok(_) => {
                tracing::warn!(session = recovered.session, "closed a recording of an earlier gate as interrupted")
            }
            Err(error) => {
                tracing::error!(session = recovered.session, error = chain(&error), "a recording stays in the spool")
            }
        }
    }
}

/// Brings the index up to date. INVARIANT: a recording that the vault does not show any more is told of, and its row stays.
async fn catch_up(portal: &Portal, journal: &Journal) {
    match portal.catch_up_index().await {
        Ok(rebuilt) => {
            for recording in &rebuilt.missing {
                tracing::error!(
                    recording,
                    "the vault does not show this recording any more: it was removed, hidden or moved"
                );
            }
            for recording in rebuilt.newly_missing {
                let about = About { session: &recording, ..About::default() };
                journal.note(about, What::RecordingMissing { recording: recording.clone() });
            }
            tracing::info!(recordings = rebuilt.recordings, missing = rebuilt.missing.len(), "index ready");
        }
        Err(error) => tracing::error!(
            error = chain(&error),
            "the index could not be rebuilt; recordings may be missing from the list"
        ),
    }
}

#[allow(clippy::too_many_arguments, reason = "the one place where everything meets")]
fn plane(
    config: &Config,
    recorder: portcullis_recorder::Config,
    keys: Keys,
    verifier: Verifier,
    origins: Vec<String>,
    vault: Arc<dyn Vault>,
    journal: Arc<Journal>,
    aftermath: Arc<Exported>,
    portal: &Portal,
    runtimes: Vec<Arc<dyn Runtime>>,
    policies: &policy::Following,
    (files, recipients, egress): (Arc<Depot>, Option<Arc<Recipients>>, Arc<Ways>),
) -> Arc<Plane> {
    Plane::new(PlaneConfig {
        verifier,
        identify: Arc::new(SignedIn(portal.clone())),
        origins,
        policies: policies.policies.clone(),
        templates: config.desktops.clone(),
        runtimes,
        recorder,
        vault,
        key: Arc::new(keys.evidence),
        journal,
        aftermath,
        administrators: config.sign_in.administrators.clone(),
        most_sessions: config.sessions.most,
        most_per_subject: config.sessions.per_subject,
        reconnect: Duration::from_secs(config.sessions.reconnect_seconds),
        absence: Duration::from_secs(config.sessions.absence_seconds),
        max_fps: config.sessions.max_fps,
        bounds: config.limits.bounds(),
        capacity: config.capacity.room(),
        egress,
        recipients,
        files,
    })
}

async fn announce(config: &Config, address: SocketAddr, portal: &Portal) -> anyhow::Result<()> {
    let link = portal.one_time_link().await?;
    let origin = config.origins_at(address).into_iter().next().unwrap_or_else(|| format!("http://{address}"));
    let words = format!(
        "Portcullis listens at {origin}\nOpen this link once, within 10 minutes, to sign in:\n  {origin}/sign-in#{link}\n\
         Recordings and keys are in {}. Ctrl-C stops: sessions are told, recordings sealed.",
        config.data.display()
    );
    // Where events go to standard output, every line of it is one.
    if config.alerts.iter().any(|alert| matches!(alert.to, To::Stdout)) {
        eprintln!("{words}")
    } else {
        println!("{words}")
    }
    Ok(())
}

async fn stopped(mut interrupt: Signal, mut terminate: Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// The references in a description that lead nowhere in it.
    fn lost(value: &Value, whole: &Value) -> Vec<String> {
        match value {
            Value::Object(members) => members
                .iter()
                .flat_map(|(name, value)| match value.as_str() {
                    Some(place) if name == "$ref" && whole.pointer(place.trim_start_matches('#')).is_none() => {
                        vec![place.to_owned()]
                    }
                    _ => lost(value, whole),
                })
                .collect(),
            Value::Array(values) => values.iter().flat_map(|value| lost(value, whole)).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn what_the_description_refers_to_is_in_it() {
        let whole = serde_json::to_value(super::openapi()).unwrap();
        assert!(whole["paths"].as_object().unwrap().len() > 10);
        assert_eq!(lost(&whole, &whole), Vec::<String>::new());
        let broken = serde_json::json!({ "a": [{ "$ref": "#/b" }], "c": { "$ref": "#/a" } });
        assert_eq!(lost(&broken, &broken), ["#/b"]);
    }

    #[test]
    fn the_api_is_the_one_that_is_described() {
        let described = include_str!("../docs/openapi.json");
        let real = super::openapi().to_pretty_json().unwrap();
        assert!(
            described.trim() == real.trim(),
            "docs/openapi.json is not what the program serves: `just bless`, and look at the difference"
        );
    }
}
