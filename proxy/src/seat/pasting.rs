//! A viewer's clipboard at its seat: pastes are judged before they are asked for and again when they are there; copies when they are taken.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use portcullis_evidence::{Effect as Verdicted, What};
use portcullis_policy::{Action, ActionKind, Effect};
use portcullis_rfb::clipboard::{Event as Clipboard, Text};
use portcullis_rfb::viewer::{Connection, Event};

use super::Seat;
use crate::crossing::{Paces, TOO_LONG, copy};
use crate::link::Act;
use crate::outcome::Outcome;
use crate::pace::Rate;
use crate::session::Session;

/// How long keys and pointer wait for the text of a paste that was announced before them.
const WAIT: Duration = Duration::from_secs(5);
/// Keys and pointer positions that wait at most; one more, and none waits any longer.
const MOST_HELD: usize = 512;
/// Keys that paste, with others held down: v, V, Insert (X11 keysyms).
const PASTING: [u32; 3] = [0x76, 0x56, 0xff63];

/// The clipboard's part of a seat.
pub(super) struct Pasting {
    paces: Paces,
    fetch: Option<Fetch>,
}

/// A text is being fetched from the viewer. What the person does after pasting comes after the paste: a browser sends Ctrl+V right
/// behind the announcement, long before the text.
struct Fetch {
    until: Instant,
    /// With the instants at which they came, by which they are judged.
    held: VecDeque<(Instant, Event)>,
}

impl Pasting {
    pub(super) fn new(texts: Rate) -> Self {
        Self { paces: Paces::new(texts), fetch: None }
    }

    /// How long input waits at most; none when it does not.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        self.fetch.as_ref().map(|fetch| fetch.until.saturating_duration_since(now))
    }

    /// Keeps input back while a text is fetched; gives it back when it need not wait.
    pub(super) fn hold(&mut self, event: Event, now: Instant) -> Option<Event> {
        match &mut self.fetch {
            Some(fetch) if fetch.held.len() < MOST_HELD => {
                fetch.held.push_back((now, event));
                None
            }
            _ => Some(event),
        }
    }

    /// The text that is waited for does not cross: the key that was to paste it is not pressed, or it would paste an older one.
    fn unpaste(&mut self) {
        let pastes = |event: &Event| matches!(event, Event::Key(key) if key.down && PASTING.contains(&key.keysym));
        let Some(fetch) = &mut self.fetch else { return };
        if let Some(place) = fetch.held.iter().position(|(_, event)| pastes(event)) {
            fetch.held.remove(place);
        }
    }
}

impl Seat {
    /// Acts on what the viewer did with its clipboard.
    pub(super) async fn clipboard(
        &mut self,
        session: &Session,
        rfb: &mut Connection,
        event: Clipboard,
    ) -> Result<(), Outcome> {
        match event {
            Clipboard::Offered => return self.offered(session, rfb),
            Clipboard::Asked => return self.asked(session, rfb).await,
            Clipboard::Text(text) => {
                if !self.paste(session, text).await? {
                    self.pasting.unpaste();
                }
            }
            Clipboard::TooLong { bytes } => {
                self.unpasted(session, bytes, TOO_LONG.to_owned())?;
                self.pasting.unpaste();
            }
            Clipboard::Unreadable(why) => {
                self.unpasted(session, 0, format!("the pasted text cannot be read: {why}"))?;
                self.pasting.unpaste();
            }
        }
        self.release(session).await
    }

    /// Lets input pass that waited for a text.
    pub(super) async fn release(&mut self, session: &Session) -> Result<(), Outcome> {
        let Some(fetch) = self.pasting.fetch.take() else { return Ok(()) };
        for (at, event) in fetch.held {
            self.keep_judged(session)?;
            self.input(session, event, at).await?;
        }
        Ok(())
    }

    /// The viewer has a text: it is asked for only if pasting is permitted at all.
    fn offered(&mut self, session: &Session, rfb: &mut Connection) -> Result<(), Outcome> {
        let now = Instant::now();
        if !self.pasting.paces.offers.try_take(now) {
            return session.hurried(ActionKind::Paste);
        }
        let verdict = session.judge_announced(ActionKind::Paste);
        if verdict.effect == Effect::Deny {
            return session.stopped(ActionKind::Paste, &verdict, self.unread(0, verdict.reason.clone()));
        }
        if rfb.request_cut_text() {
            let until = now + WAIT;
            self.pasting.fetch.get_or_insert_with(|| Fetch { until, held: VecDeque::new() }).until = until;
        }
        Ok(())
    }

    /// Whether the text crossed.
    async fn paste(&mut self, session: &Session, text: Text) -> Result<bool, Outcome> {
        if !self.pasting.paces.texts.try_take(Instant::now()) {
            return session.hurried(ActionKind::Paste).map(|()| false);
        }
        let Some(text) = session.cross(ActionKind::Paste, self.viewer, text).await? else { return Ok(false) };
        session.act(Act::Paste(text)).await;
        Ok(true)
    }

    /// Records that a text was pasted of which nothing was kept.
    fn unpasted(&mut self, session: &Session, bytes: u32, reason: String) -> Result<(), Outcome> {
        if !self.pasting.paces.texts.try_take(Instant::now()) {
            return session.hurried(ActionKind::Paste);
        }
        let verdict = session.judge(Action::Paste { bytes: u64::from(bytes) });
        session.stopped(ActionKind::Paste, &verdict, self.unread(u64::from(bytes), reason))
    }

    /// The viewer takes what was copied on the desktop: it gets it if that is still permitted.
    async fn asked(&mut self, session: &Session, rfb: &mut Connection) -> Result<(), Outcome> {
        let requests = &mut self.pasting.paces.requests;
        let Some(text) = rfb.offered_cut_text().cloned() else { return Ok(()) };
        if !requests.try_take(Instant::now()) {
            return session.hurried(ActionKind::Paste);
        }
        let (verdict, found) = session.judge_again(ActionKind::Copy, &text).await;
        if verdict.effect != Effect::Deny {
            rfb.provide_cut_text();
            return Ok(());
        }
        rfb.withdraw_cut_text();
        session.stopped(ActionKind::Copy, &verdict, copy(self.viewer, &text, &verdict, found, None))
    }

    fn unread(&self, bytes: u64, reason: String) -> What {
        let (viewer, effect, sha256) = (self.viewer, Verdicted::Deny, String::new());
        What::Paste { viewer, effect, bytes, sha256, reason, found: Vec::new(), redacted: None }
    }
}
