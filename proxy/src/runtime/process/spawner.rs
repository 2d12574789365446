//! One thread that starts every desktop and lives as long as the runtime does.
//!
//! A jail dies with its parent by PR_SET_PDEATHSIG, and to the kernel the parent is the *thread* that forked: one of tokio's may end any time.

use std::io;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Desktops that may wait for the thread at once (each takes it about a millisecond); one more is refused.
const QUEUE: usize = 64;

struct Order {
    command: Command,
    tokio: Handle,
    answer: oneshot::Sender<io::Result<Child>>,
}

/// A handle on the thread; dropping it ends the thread, and with it every desktop that it started.
pub(super) struct Spawner {
    orders: mpsc::SyncSender<Order>,
}

impl Spawner {
    pub(super) fn new() -> Self {
        let (orders, taken) = mpsc::sync_channel::<Order>(QUEUE);
        let thread = std::thread::Builder::new().name("desktop-spawner".to_owned());
        let started = thread.spawn(move || {
            for mut order in taken {
                let _context = order.tokio.enter();
                let _ = order.answer.send(order.command.spawn());
            }
        });
        if let Err(error) = started {
            tracing::error!(%error, "no thread to start desktops from");
        }
        Self { orders }
    }

    /// Starts `command`; must be called from within tokio.
    pub(super) async fn spawn(&self, command: Command) -> io::Result<Child> {
        let gone = || io::Error::other("the thread that starts desktops is gone");
        let (answer, started) = oneshot::channel();
        let order = Order { command, tokio: Handle::current(), answer };
        self.orders.try_send(order).map_err(|refused| match refused {
            mpsc::TrySendError::Full(_) => io::Error::other("too many desktops are being started"),
            mpsc::TrySendError::Disconnected(_) => gone(),
        })?;
        started.await.map_err(|_| gone())?
    }
}
