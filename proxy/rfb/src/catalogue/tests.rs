//! The tables against the parsers, and against the page that shows them.

use super::*;
use crate::wire::{ClipboardBit, DesktopMessage, Encoding, SecurityType, VeNCryptType, ViewerMessage};

/// The page as it is kept; with `BLESS` set it is written anew.
#[test]
fn the_document_is_that_of_the_tables() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rfb-messages.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, document()).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(kept == document(), "docs/rfb-messages.md differs from the tables: `just bless` writes it anew");
}

fn listed_once<C: Copy + PartialEq + std::fmt::Debug>(table: &[Line<C>], known: &[(C, &str)]) {
    for (code, name) in known {
        assert_eq!(table.iter().filter(|(listed, _, _)| listed == code).count(), 1, "{name}");
    }
    assert_eq!(table.len(), known.len(), "a line without a name");
}

#[test]
fn every_named_number_has_one_line() {
    listed_once(VIEWER_MESSAGES, ViewerMessage::KNOWN);
    listed_once(DESKTOP_MESSAGES, DesktopMessage::KNOWN);
    listed_once(FROM_DESKTOP, Encoding::KNOWN);
    listed_once(CLIPBOARD, ClipboardBit::KNOWN);
    listed_once(DESKTOP_SECURITY, SecurityType::KNOWN);
    listed_once(VENCRYPT_TYPES, VeNCryptType::KNOWN);
    for (code, _, _) in TO_VIEWER {
        assert!(code.name().is_some(), "{code} has no name");
    }
}

/// Of all 256 types a viewer can send, the parser goes on behind those that the table does not refuse, and behind no other.
#[test]
fn the_viewer_s_parser_takes_what_the_table_says() {
    for code in 0..=u8::MAX {
        let mut rfb = viewer();
        let taken = rfb.receive(&[code]).is_ok();
        assert_eq!(taken, outcome(VIEWER_MESSAGES, ViewerMessage(code)).survives(), "{}", ViewerMessage(code));
    }
}

#[test]
fn the_desktop_s_parser_takes_what_the_table_says() {
    for code in 0..=u8::MAX {
        let mut rfb = desktop();
        let taken = rfb.receive(&[code]);
        let survives = outcome(DESKTOP_MESSAGES, DesktopMessage(code)).survives();
        assert_eq!(taken.is_ok(), survives, "{}", DesktopMessage(code));
        if let Err(error) = taken {
            assert_eq!(error.message, DesktopMessage(code).name().unwrap_or("unknown message"));
        }
    }
}

/// Whatever rectangle a desktop sends: those that the table refuses end the connection whether or not they were asked for.
#[test]
fn a_desktop_s_rectangles_are_taken_as_the_table_says() {
    for (encoding, outcome, _) in FROM_DESKTOP {
        let mut update = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1];
        update.extend(encoding.0.to_be_bytes());
        let taken = desktop().receive(&update);
        assert_eq!(taken.is_ok(), outcome.survives(), "{encoding}");
    }
    for number in [3, 18, 1024, -1, -225, i32::MIN, i32::MAX] {
        let mut update = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1];
        update.extend(number.to_be_bytes());
        assert!(desktop().receive(&update).is_err(), "{}", Encoding(number));
    }
}

/// Each bit of the extended clipboard's flags: as the only action, or as a format beside a notification.
#[test]
fn the_clipboard_s_flags_are_taken_as_the_table_says() {
    let extended = |kind: u8, flags: u32, body: &[u8]| {
        let length = -(body.len() as i32 + 4);
        [&[kind, 0, 0, 0][..], &length.to_be_bytes(), &flags.to_be_bytes(), body].concat()
    };
    for bit in 0..32 {
        let listed = if (5..16).contains(&bit) { ClipboardBit::FORMAT_5 } else { ClipboardBit(bit) };
        let flags = if bit < 16 { ClipboardBit::NOTIFY.mask() | 1 << bit } else { 1 << bit };
        let mut desktop = desktop();
        desktop.receive(&extended(3, ClipboardBit::CAPS.mask() | 1, &[0; 4])).unwrap();
        let mut viewer = viewer();
        viewer.receive(&[&[2, 0, 0, 1][..], &Encoding::EXTENDED_CLIPBOARD.0.to_be_bytes()].concat()).unwrap();
        let taken =
            [desktop.receive(&extended(3, flags, &[])).is_ok(), viewer.receive(&extended(6, flags, &[])).is_ok()];
        assert_eq!(taken, [outcome(CLIPBOARD, listed).survives(); 2], "{listed}");
    }
}

fn viewer() -> crate::viewer::Connection {
    let config = crate::viewer::Config {
        name: String::new(),
        size: crate::Size::new(8, 8),
        limits: crate::Limits::default(),
        jpeg: false,
    };
    let mut rfb = crate::viewer::Connection::new(config);
    rfb.receive(b"RFB 003.008\n\x01\x01").unwrap();
    rfb
}

/// A desktop's connection that has asked for every encoding.
fn desktop() -> crate::desktop::Connection {
    let mut rfb = crate::desktop::Connection::new(crate::desktop::Config {
        encodings: crate::desktop::Encodings::remote(crate::desktop::Jpeg::Quality(6)),
        ..crate::desktop::Config::default()
    });
    let mut handshake = b"RFB 003.008\n\x01\x01\0\0\0\0\0\x08\0\x08".to_vec();
    handshake.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    rfb.receive(&handshake).unwrap();
    rfb.request_update(false);
    rfb
}
