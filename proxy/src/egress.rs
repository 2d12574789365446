//! The way out of a desktop that has one: a socket that the gate serves, as a proxy for HTTP and CONNECT.
//!
//! The desktop has no network: a relay in it hands connections to this socket. Each is judged, recorded and then carried, to the egress proxy of
//! the configuration (`proxy`) or by the gate itself to public addresses (`allow`).

mod credentials;
mod dial;
mod head;
mod relay;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use portcullis_evidence::{Effect, What};
use portcullis_policy::Network;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::head::{Head, Refused};
use self::relay::Passed;
use crate::outcome::Outcome;
use crate::pace::Rate;
use crate::runtime::{Desktop, Reach};
use crate::session::Session;

/// Connections of one desktop at once; one more is closed.
const MOST_AT_ONCE: usize = 256;
/// New connections of one desktop; faster ones wait.
const PACE: Rate = Rate::new(20, 100);
/// The time that a desktop has to say where a connection is to go, and that it may take to get there.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
const REACHED_WITHIN: Duration = Duration::from_secs(20);
/// How long one connection lasts at most.
const LONGEST: Duration = Duration::from_secs(4 * 3600);
/// What depends on the wall clock is looked at again after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Where desktops come out, the same for all of a gate.
#[derive(Debug, Default)]
pub struct Ways {
    /// Host and port of the egress proxy.
    pub proxy: Option<(String, u16)>,
    /// The file with what each subject is known by to that proxy; it is read anew for each session.
    pub credentials: Option<PathBuf>,
    /// Networks that may be reached although they are not public.
    pub reachable: Vec<Network>,
    /// What desktops did with it.
    pub counts: Counts,
}

/// Sums over all desktops since the gate started.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections that were carried.
    pub carried: AtomicU64,
    /// Connections that were refused.
    pub refused: AtomicU64,
    /// Bytes out of desktops.
    pub sent: AtomicU64,
    /// Bytes into desktops.
    pub received: AtomicU64,
}

impl Ways {
    /// Reads the file of credentials, so that a gate says when it starts what is wrong with it.
    ///
    /// # Errors
    /// Words for the operator; never what is in it.
    pub fn check(&self) -> Result<(), String> {
        self.credentials.as_deref().map_or(Ok(()), |file| credentials::of(file, "").map(drop))
    }

    /// Whether an address may be reached: what is public and not this machine, or what the configuration names.
    fn permits(&self, address: IpAddr) -> bool {
        self.reachable.iter().any(|network| network.contains(address))
            || (dial::is_public(address) && !dial::is_own(address))
    }
}

/// One desktop's way out.
pub(crate) struct Way {
    /// As far as its template lets it reach; policy may say less at any time.
    pub(crate) reach: Reach,
    /// Whether the desktop has another network, which the gate does not hold.
    pub(crate) beyond: bool,
    pub(crate) ways: Arc<Ways>,
    /// What carries its connections; each is on the record to its end.
    carriers: TaskTracker,
    over: CancellationToken,
}

impl Way {
    pub(crate) fn new(reach: Reach, beyond: bool, ways: Arc<Ways>) -> Self {
        Self { reach, beyond, ways, carriers: TaskTracker::new(), over: CancellationToken::new() }
    }

    /// Ends what is under way still and waits until the record has it.
    pub(crate) async fn close(&self) {
        self.over.cancel();
        self.carriers.close();
        self.carriers.wait().await;
    }

    /// Carries what the desktop sends, for as long as the session lives; policy that changes ends what it no longer permits at once.
    pub(crate) async fn serve(&self, desktop: &dyn Desktop, session: &Arc<Session>) -> Outcome {
        let credentials = Arc::new(self.credentials(session));
        let (mut policies, mut followed, mut pace) = (session.policy_changes(), true, PACE.pace());
        let room = Arc::new(Semaphore::new(MOST_AT_ONCE));
        let mut now = self.reach_now(session);
        let (mut end, mut hours) = (self.over.child_token(), interval(LOOK_AGAIN));
        loop {
            tokio::select! {
                stream = async { sleep(pace.wait(Instant::now())).await; desktop.outward().await } => {
                    pace.take(Instant::now());
                    let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
                    let carrier = Carrier {
                        session: Arc::clone(session),
                        ways: Arc::clone(&self.ways),
                        credentials: Arc::clone(&credentials),
                        reach: self.reach_now(session),
                        end: end.clone(),
                    };
                    self.carriers.spawn(async move {
                        if let Err(outcome) = carrier.carry(stream).await {
                            carrier.session.end(outcome);
                        }
                        drop(place);
                    });
                    continue;
                }
                changed = policies.changed(), if followed => followed = changed.is_ok(),
                // Hours begin and end without a change of the files.
                _ = hours.tick() => {}
            }
            if let Some(outcome) = self.out_of_hand(session) {
                return outcome;
            }
            let then = std::mem::replace(&mut now, self.reach_now(session));
            if now < then {
                std::mem::replace(&mut end, self.over.child_token()).cancel();
            }
        }
    }

    fn credentials(&self, session: &Session) -> Option<credentials::Authorization> {
        let file = self.ways.credentials.as_deref().filter(|_| self.reach.is_open())?;
        credentials::of(file, &session.permit.subject.name).unwrap_or_else(|reason| {
            tracing::error!(session = %session.id, reason, "the egress proxy is asked without credentials");
            None
        })
    }

    /// The strictest of template and policy at this moment.
    fn reach_now(&self, session: &Session) -> Reach {
        let stated = session.obligations().desktop.egress.map(|stated| Reach::of(stated.value));
        stated.map_or(self.reach, |stated| stated.min(self.reach))
    }

    /// How a session ends whose desktop has a network that is not the gate's to take, where policy no longer lets it.
    fn out_of_hand(&self, session: &Session) -> Option<Outcome> {
        let stated = session.obligations().desktop.egress.filter(|_| self.beyond)?;
        (Reach::of(stated.value) < Reach::Allow).then(|| Outcome::NotPermitted {
            rule: stated.rule.to_string(),
            reason: "its desktop may no longer reach what it reaches".to_owned(),
        })
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        // A session whose task is gone leaves no connection behind.
        self.over.cancel();
    }
}

/// Whether a name means this machine to whoever looks it up (RFC 6761 section 6.3, and what Debian's /etc/hosts adds).
fn is_loopback(name: &str) -> bool {
    matches!(name, "localhost" | "localhost.localdomain" | "ip6-localhost" | "ip6-loopback")
        || name.ends_with(".localhost")
}

/// What carries one connection.
struct Carrier {
    session: Arc<Session>,
    ways: Arc<Ways>,
    credentials: Arc<Option<credentials::Authorization>>,
    reach: Reach,
    /// Told when policy permits less than before, and when the session is over.
    end: CancellationToken,
}

impl Carrier {
    async fn carry(&self, mut desktop: UnixStream) -> Result<(), Outcome> {
        let read = self.end.run_until_cancelled(timeout(HEAD_WITHIN, Head::read(&mut desktop))).await;
        // Nothing was asked for, and no more is listened to.
        let Some(read) = read else { return Ok(()) };
        let head = match read.unwrap_or(Err(Refused::Silent)) {
            Ok(Some(head)) => head,
            // It closed before it asked for anything.
            Ok(None) => return Ok(()),
            Err(refused) => return self.refuse(&mut desktop, "", 0, &refused).await,
        };
        let reached = self.end.run_until_cancelled(timeout(REACHED_WITHIN, self.reach(&head))).await;
        let reached = reached.unwrap_or(Ok(Err(Refused::Ended))).unwrap_or(Err(Refused::Late));
        let mut outside = match reached {
            Ok(outside) => outside,
            Err(refused) => return self.refuse(&mut desktop, &head.host, head.port, &refused).await,
        };
        // INVARIANT: no byte leaves before the record says where to.
        self.note(Effect::Permit, &head.host, head.port, self.reach.name())?;
        self.ways.counts.carried.fetch_add(1, Ordering::Relaxed);
        let passed = Passed::default();
        tokio::select! {
            () = self.relay(&head, &mut desktop, &mut outside, &passed) => {}
            () = self.end.cancelled() => {}
            () = sleep(LONGEST) => {}
        }
        let (sent, received) = (passed.sent.into_inner(), passed.received.into_inner());
        self.ways.counts.sent.fetch_add(sent, Ordering::Relaxed);
        self.ways.counts.received.fetch_add(received, Ordering::Relaxed);
        self.session.note(What::EgressEnded { host: head.host, port: head.port, sent, received })
    }

    /// Connects to whoever is to hear of the request: the egress proxy, or the host itself.
    async fn reach(&self, head: &Head) -> Result<TcpStream, Refused> {
        // Names are the egress proxy's to judge; an address that no desktop may reach is refused here already, by any name that always means it.
        let address = if is_loopback(&head.host) { Some(Ipv4Addr::LOCALHOST.into()) } else { head.host.parse().ok() };
        if address.is_some_and(|address| !self.ways.permits(address)) {
            return Err(Refused::Forbidden);
        }
        match (self.reach, &self.ways.proxy) {
            (Reach::Deny, _) => Err(Refused::Denied),
            (Reach::Proxy, None) => Err(Refused::NoProxy),
            (Reach::Proxy, Some((host, port))) => dial::proxy(host, *port).await,
            (Reach::Allow, _) => dial::host(&head.host, head.port, |address| self.ways.permits(address)).await,
        }
    }

    /// Says anew what the desktop asked for, then passes bytes on until both sides have ended.
    async fn relay(&self, head: &Head, desktop: &mut UnixStream, outside: &mut TcpStream, passed: &Passed) {
        let by_proxy = self.reach == Reach::Proxy;
        if by_proxy || !head.is_tunnel() {
            let credentials = self.credentials.as_ref().as_ref().filter(|_| by_proxy);
            if outside.write_all(&head.anew(by_proxy, credentials)).await.is_err() {
                return;
            }
        } else if desktop.write_all(head::ESTABLISHED).await.is_err() {
            return;
        }
        if head.is_tunnel() {
            relay::both_ways(desktop, outside, passed).await;
            return;
        }
        // One request, exactly as long as it said, and its answer.
        relay::one_way(desktop, outside, head.body(), &passed.sent).await;
        relay::one_way(outside, desktop, u64::MAX, &passed.received).await;
    }

    async fn refuse(&self, desktop: &mut UnixStream, host: &str, port: u16, refused: &Refused) -> Result<(), Outcome> {
        self.ways.counts.refused.fetch_add(1, Ordering::Relaxed);
        self.note(Effect::Deny, host, port, &refused.to_string())?;
        let answer = refused.answer();
        let answered = timeout(HEAD_WITHIN, desktop.write_all(&answer));
        let _ = self.end.run_until_cancelled(answered).await;
        Ok(())
    }

    fn note(&self, effect: Effect, host: &str, port: u16, reason: &str) -> Result<(), Outcome> {
        let what = What::Egress { effect, host: host.to_owned(), port, reason: reason.to_owned() };
        match self.session.obligations().desktop.egress {
            Some(stated) => self.session.note_by(&stated.rule, what),
            None => self.session.note(what),
        }
    }
}
