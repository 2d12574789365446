//! Our end of a conversation: what it says to what, and that nobody makes it say more.

use super::*;
use crate::clipboard::{Delivery, Endpoint, Event};
use crate::limits::MAX_CLIPBOARD_REQUESTS;

/// What our end says now, as the peer parses it.
fn said(ours: &mut Endpoint) -> Vec<Message> {
    let mut bytes = Vec::new();
    ours.flush(&mut bytes);
    let mut messages = Vec::new();
    let mut rest = &bytes[..];
    while let [_, head @ ..] = rest {
        let length = i32::from_be_bytes(head[3..7].try_into().unwrap()).unsigned_abs() as usize;
        let (one, behind) = head.split_at(7 + length);
        let (heard, _) = parse(one, one.len(), &terms()).unwrap();
        messages.extend(heard.into_iter().map(|heard| match heard {
            Heard::Message(message) => message,
            other => panic!("{other:?}"),
        }));
        rest = behind;
    }
    messages
}

fn hear_of(ours: &mut Endpoint, message: Message) -> Option<Event> {
    ours.hear(Heard::Message(message))
}

const ALL: Caps = Caps::OURS;

/// Our end towards a desktop that has said what it can do.
fn desktop() -> Endpoint {
    let mut ours = Endpoint::of_desktop(Limits::default());
    assert_eq!(hear_of(&mut ours, Message::Caps(ALL)), None);
    assert_eq!(said(&mut ours), [Message::Caps(ALL)]);
    ours
}

#[test]
fn a_copy_is_announced_asked_for_and_provided() {
    let mut ours = desktop();
    assert_eq!(hear_of(&mut ours, Message::Notify { text: false }), None);
    assert_eq!(hear_of(&mut ours, Message::Notify { text: true }), Some(Event::Offered));
    assert_eq!(said(&mut ours), [], "nobody asks by itself");
    assert!(!ours.terms().asked);
    assert!(ours.ask() && ours.terms().asked);
    assert_eq!(said(&mut ours), [Message::Request { text: true }]);
    assert_eq!(hear_of(&mut ours, Message::Provide("é".into())), Some(Event::Text("é".into())));
    assert!(!ours.terms().asked, "one request, one answer");
}

#[test]
fn each_answer_takes_one_request() {
    let mut ours = desktop();
    let answers = [
        Heard::TooLong { bytes: 1, provided: true },
        Heard::Unreadable(Unreadable::Zlib),
        Heard::NoText,
        Heard::Message(Message::Provide("".into())),
    ];
    for answer in answers {
        assert!(ours.ask());
        ours.hear(Heard::TooLong { bytes: 1, provided: false });
        ours.hear(Heard::Message(Message::Text("classic".into())));
        ours.hear(Heard::Unasked);
        assert!(ours.terms().asked, "those answer nothing");
        ours.hear(answer);
        assert!(!ours.terms().asked);
    }
    assert_eq!(said(&mut ours).len(), 4);
    let most = usize::from(MAX_CLIPBOARD_REQUESTS);
    assert_eq!((0..100).filter(|_| ours.ask()).count(), most);
    assert_eq!(said(&mut ours).len(), most);
}

#[test]
fn a_paste_is_announced_and_provided_when_asked_for() {
    let mut ours = desktop();
    assert_eq!(hear_of(&mut ours, Message::Request { text: true }), None, "CVE-2023-6683: there is nothing to have");
    assert!(!ours.provide());
    assert_eq!(ours.offer(&"one".into()), Delivery::Offered);
    assert_eq!(ours.offer(&"two".into()), Delivery::Offered);
    assert_eq!(said(&mut ours), [Message::Notify { text: true }]);
    assert_eq!(hear_of(&mut ours, Message::Request { text: false }), None);
    assert_eq!(hear_of(&mut ours, Message::Request { text: true }), Some(Event::Asked));
    assert_eq!(said(&mut ours), [], "nothing before the caller says so");
    assert!(ours.provide() && ours.provide());
    assert_eq!(said(&mut ours), [Message::Provide("two".into())]);
    // It may ask again, until the text is taken back.
    assert_eq!(hear_of(&mut ours, Message::Request { text: true }), Some(Event::Asked));
    ours.provide();
    ours.withdraw();
    assert_eq!(said(&mut ours), [Message::Notify { text: false }]);
    assert_eq!(hear_of(&mut ours, Message::Request { text: true }), None);
    ours.withdraw();
    assert_eq!(said(&mut ours), []);
}

#[test]
fn a_flood_is_answered_once() {
    let mut ours = desktop();
    assert_eq!(ours.offer(&"held".into()), Delivery::Offered);
    for _ in 0..1000 {
        hear_of(&mut ours, Message::Peek);
        hear_of(&mut ours, Message::Caps(ALL));
        hear_of(&mut ours, Message::Request { text: true });
        ours.provide();
    }
    assert_eq!(said(&mut ours), [Message::Notify { text: true }, Message::Provide("held".into())]);
}

#[test]
fn nothing_is_ever_sent_unasked_whatever_size_a_peer_declares() {
    let mut ours = Endpoint::of_viewer(Limits::default());
    ours.listed(true);
    hear_of(&mut ours, Message::Caps(Caps { text: Some(20 << 20), ..ALL }));
    assert_eq!(ours.offer(&"C3".into()), Delivery::Offered);
    assert_eq!(said(&mut ours), [Message::Caps(ALL), Message::Notify { text: true }]);
}

#[test]
fn a_viewer_may_list_the_extension_and_take_it_back() {
    let mut ours = Endpoint::of_viewer(Limits::default());
    assert_eq!(ours.terms().agreed, Agreed::Nothing);
    assert!(!ours.ask() && !ours.takes_unicode());
    ours.listed(true);
    assert_eq!(ours.terms().agreed, Agreed::All);
    assert_eq!(said(&mut ours), [Message::Caps(ALL)]);
    // It has not said what it can do: text, requests and notifications are understood without.
    assert!(ours.takes_unicode() && ours.ask());
    ours.listed(true);
    assert_eq!(said(&mut ours), [Message::Caps(ALL), Message::Request { text: true }], "each SetEncodings is answered");
    assert_eq!(ours.offer(&"held".into()), Delivery::Offered);
    ours.listed(false);
    assert_eq!(said(&mut ours), [], "nothing extended is said to it any more");
    assert_eq!((ours.terms().agreed, ours.terms().asked, ours.held()), (Agreed::Nothing, false, None));
}

#[test]
fn a_peer_without_the_extension_gets_latin1_and_the_caller_is_told() {
    for lacking in [
        None,
        Some(Caps { text: None, ..ALL }),
        Some(Caps { notify: false, ..ALL }),
        Some(Caps { provide: false, ..ALL }),
    ] {
        let mut ours = Endpoint::of_desktop(Limits { cut_text: 5, ..Limits::default() });
        if let Some(caps) = lacking {
            hear_of(&mut ours, Message::Caps(caps));
            said(&mut ours);
        }
        assert!(!ours.takes_unicode());
        assert_eq!(ours.offer(&"naïve".into()), Delivery::Sent { lost: 0 });
        assert_eq!(said(&mut ours), [Message::Text("naïve".into())]);
        assert_eq!(ours.offer(&"é漢€".into()), Delivery::Sent { lost: 2 });
        assert_eq!(said(&mut ours), [Message::Text("é??".into())]);
        assert_eq!(ours.offer(&"longer".into()), Delivery::TooLong);
        assert_eq!(said(&mut ours), []);
    }
    let mut mute = Endpoint::of_desktop(Limits::default());
    hear_of(&mut mute, Message::Caps(Caps { request: false, ..ALL }));
    assert!(!mute.ask(), "it would not answer");
}

#[test]
fn a_text_over_the_limit_is_not_told() {
    let mut ours = Endpoint::of_desktop(Limits { clipboard_text: 3, ..Limits::default() });
    hear_of(&mut ours, Message::Caps(ALL));
    said(&mut ours);
    assert_eq!(ours.offer(&"éé".into()), Delivery::TooLong);
    assert_eq!(ours.offer(&"é\r\n".into()), Delivery::Offered);
    assert!(!format!("{ours:?}").contains('é'));
}
