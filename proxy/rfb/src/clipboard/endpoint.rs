//! Our end of the clipboard with one peer: what was agreed, what is awaited, and the text that it may ask for.

use super::caps::Caps;
use super::incoming::{Agreed, Heard, Terms};
use super::message::{Message, classic};
use super::text::Text;
use super::{Delivery, Event};
use crate::error::Side;
use crate::latin1;
use crate::limits::{Limits, MAX_CLIPBOARD_REQUESTS};

/// Our end. Whatever a peer makes it say is said once however often it was made to, at the next [`Endpoint::flush`].
#[derive(Debug)]
pub(crate) struct Endpoint {
    peer: Side,
    limits: Limits,
    agreed: Agreed,
    /// What the peer can do; none if it has only the classic message.
    caps: Option<Caps>,
    /// Requests of ours that it has not answered.
    asked: u8,
    /// What it was offered.
    held: Option<Text>,
    due: Due,
}

/// What is to be said.
#[derive(Debug, Default)]
struct Due {
    caps: bool,
    notify: bool,
    requests: u8,
    provide: bool,
    classic: Option<Latin1>,
}

/// The bytes of a classic message; nothing of them is in its `Debug`.
struct Latin1(Vec<u8>);

impl std::fmt::Debug for Latin1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Latin1({} bytes)", self.0.len())
    }
}

impl Endpoint {
    /// Our end towards a desktop, which is told in SetEncodings that the extended clipboard is spoken here, and first says what it can do.
    pub(crate) fn of_desktop(limits: Limits) -> Self {
        Self::new(Side::Desktop, limits, Agreed::Caps)
    }

    /// Our end towards a viewer, which may say in SetEncodings that it speaks the extended clipboard: [`Endpoint::listed`].
    pub(crate) fn of_viewer(limits: Limits) -> Self {
        Self::new(Side::Viewer, limits, Agreed::Nothing)
    }

    fn new(peer: Side, limits: Limits, agreed: Agreed) -> Self {
        Self { peer, limits: limits.bounded(), agreed, caps: None, asked: 0, held: None, due: Due::default() }
    }

    /// The viewer's SetEncodings came, with the pseudo-encoding in it or without. It is answered with our caps each time.
    pub(crate) fn listed(&mut self, extended: bool) {
        if extended {
            self.due.caps = true;
            self.agreed = Agreed::All;
            self.caps.get_or_insert(Caps::UNSAID);
        } else {
            let classic = self.due.classic.take();
            *self =
                Self { due: Due { classic, ..Due::default() }, ..Self::new(self.peer, self.limits, Agreed::Nothing) };
        }
    }

    /// Lowers the limit of one text, in bytes of UTF-8.
    pub(crate) fn limit(&mut self, bytes: u32) {
        self.limits.clipboard_text = self.limits.clipboard_text.min(bytes);
    }

    /// What the peer may send at this moment.
    pub(crate) fn terms(&self) -> Terms {
        Terms { from: self.peer, limits: self.limits, agreed: self.agreed, asked: self.asked > 0 }
    }

    /// Acts on what was heard, or gives it to the caller to judge.
    pub(crate) fn hear(&mut self, heard: Heard) -> Option<Event> {
        match heard {
            Heard::Message(message) => self.hear_message(message),
            Heard::TooLong { bytes, provided } => {
                self.answered(provided);
                Some(Event::TooLong { bytes })
            }
            Heard::Unreadable(why) => {
                self.answered(true);
                Some(Event::Unreadable(why))
            }
            // It may be asked for it like one that was announced.
            Heard::Unasked => Some(Event::Offered),
            Heard::NoText => {
                self.answered(true);
                None
            }
        }
    }

    fn hear_message(&mut self, message: Message) -> Option<Event> {
        match message {
            Message::Text(text) => Some(Event::Text(text)),
            Message::Caps(caps) => {
                // A desktop is answered once: ours do not change. A viewer has had them.
                self.due.caps |= self.agreed == Agreed::Caps;
                self.agreed = Agreed::All;
                self.caps = Some(caps);
                None
            }
            Message::Request { text } => (text && self.held.is_some()).then_some(Event::Asked),
            Message::Peek => {
                self.due.notify |= self.caps.is_some_and(|caps| caps.notify);
                None
            }
            Message::Notify { text } => text.then_some(Event::Offered),
            Message::Provide(text) => {
                self.answered(true);
                Some(Event::Text(text))
            }
        }
    }

    fn answered(&mut self, provided: bool) {
        self.asked = self.asked.saturating_sub(u8::from(provided));
    }

    /// Asks the peer for its text. False if it cannot be asked, or leaves too many requests unanswered.
    pub(crate) fn ask(&mut self) -> bool {
        let able = self.caps.is_some_and(|caps| caps.gives_text()) && self.asked < MAX_CLIPBOARD_REQUESTS;
        self.asked += u8::from(able);
        self.due.requests = self.due.requests.saturating_add(u8::from(able));
        able
    }

    /// Tells the peer of a text, which takes the place of one that it was told of before.
    pub(crate) fn offer(&mut self, text: &Text) -> Delivery {
        if text.bytes() > u64::from(self.limits.clipboard_text) {
            return Delivery::TooLong;
        }
        if self.takes_unicode() {
            self.held = Some(text.clone());
            self.due.notify = true;
            return Delivery::Offered;
        }
        let bytes = latin1::encode(text.as_str());
        if u32::try_from(bytes.len()).is_ok_and(|length| length <= self.limits.cut_text) {
            self.due.classic = Some(Latin1(bytes));
            return Delivery::Sent { lost: latin1::missing(text.as_str()).count() };
        }
        Delivery::TooLong
    }

    /// The text that the peer may ask for.
    pub(crate) fn held(&self) -> Option<&Text> {
        self.held.as_ref()
    }

    /// Gives the peer the text that it was offered. False if there is none.
    pub(crate) fn provide(&mut self) -> bool {
        self.due.provide = self.held.is_some();
        self.due.provide
    }

    /// Takes back what the peer was offered, and says so.
    pub(crate) fn withdraw(&mut self) {
        if self.held.take().is_some() {
            self.due.notify = true;
            self.due.provide = false;
        }
    }

    /// Whether any character reaches the peer, not Latin-1 alone.
    pub(crate) fn takes_unicode(&self) -> bool {
        self.caps.is_some_and(|caps| caps.takes_text())
    }

    /// Appends what is to be said: each thing at most once, requests as many as there were.
    pub(crate) fn flush(&mut self, out: &mut Vec<u8>) {
        let due = std::mem::take(&mut self.due);
        if due.caps {
            Message::Caps(Caps::OURS).write(self.peer, out);
        }
        if due.notify {
            Message::Notify { text: self.held.is_some() }.write(self.peer, out);
        }
        for _ in 0..due.requests {
            Message::Request { text: true }.write(self.peer, out);
        }
        if let Some(text) = self.held.as_ref().filter(|_| due.provide) {
            Message::Provide(text.clone()).write(self.peer, out);
        }
        if let Some(Latin1(bytes)) = due.classic {
            classic(self.peer, &bytes, out);
        }
    }
}
