//! VncAuth and VeNCrypt with a scripted desktop: what is said and when, what is refused, and that no secret shows.

use super::*;

/// The answer to [`CHALLENGE`] with the password "passwd12", by `openssl enc -des-ecb` with the key's bits reversed.
const ANSWER: [u8; 16] =
    [0xeb, 0x44, 0x3a, 0x48, 0xe1, 0x1f, 0xb8, 0x85, 0x83, 0x14, 0x22, 0x17, 0x08, 0x67, 0x13, 0xd2];
const CHALLENGE: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

fn password() -> VncPassword {
    VncPassword::new(b"passwd12").unwrap()
}

fn login() -> Login {
    Login::new("ann", b"s3cret words").unwrap()
}

fn with(security: Security) -> Connection {
    Connection::new(Config { security, ..Config::default() })
}

/// Says each line to a connection and compares its answers; the events of the last line.
fn dialogue(connection: &mut Connection, lines: &[(&[u8], &[u8])]) -> Vec<Event> {
    let mut events = Vec::new();
    for (said, answer) in lines {
        events = connection.receive(said).unwrap();
        assert_eq!(connection.take_output(), *answer, "after {:?}", said.escape_ascii().to_string());
    }
    events
}

/// What a desktop writes up to where TLS begins, offering X509None, X509Vnc and X509Plain below VeNCrypt.
fn until_tls() -> Vec<u8> {
    let mut bytes = b"RFB 003.008\n\x02\x02\x13\x00\x02\x00\x03".to_vec();
    bytes.extend([0, 0, 1, 4, 0, 0, 1, 5, 0, 0, 1, 6, 1]);
    bytes
}

/// A connection for which TLS has just come up.
fn secured(security: Security) -> Connection {
    let mut connection = with(security);
    assert_eq!(connection.receive(&until_tls()).unwrap(), [Event::StartTls]);
    connection.take_output();
    connection.secured();
    connection
}

fn refused(security: Security, bytes: &[u8]) -> String {
    let mut connection = with(security.clone());
    let error = connection.receive(bytes).unwrap_err();
    assert!(connection.take_output().is_empty() && !connection.is_ready());
    let mut slow = with(security);
    let later = bytes.iter().find_map(|byte| slow.receive(&[*byte]).err());
    assert_eq!(later.as_ref(), Some(&error), "the same in any chunking");
    error.to_string()
}

#[test]
fn vnc_auth_in_each_version() {
    let ready = Event::Ready { size: Size::new(800, 600), name: String::new() };
    let init = server_init(800, 600, b"");
    let versions: [(&[u8], &[u8], &[u8]); 3] = [
        (b"RFB 003.003\n", b"\0\0\0\x02", b""),
        (b"RFB 003.007\n", b"\x01\x02", b"\x02"),
        (b"RFB 003.008\n", b"\x03\x01\x13\x02", b"\x02"),
    ];
    for (version, offer, chosen) in versions {
        let mut connection = with(Security::VncAuth(password()));
        let events = dialogue(
            &mut connection,
            &[(version, version), (offer, chosen), (&CHALLENGE, &ANSWER), (b"\0\0\0\0", b"\x01"), (&init, &CANONICAL)],
        );
        assert_eq!(events, std::slice::from_ref(&ready));
    }
}

#[test]
fn answers_are_those_of_openssl() {
    let answer = |password: &[u8]| {
        VncPassword::new(password)
            .unwrap()
            .answer(CHALLENGE)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    assert_eq!(answer(b"abc"), "9c22b4f2088c3465a1562c4b9d6edb04");
    assert_eq!(answer(b"\xff\x80~1"), "4fe11deab25e1190db771ccafdfaa925");
}

#[test]
fn a_wrong_password_is_declined_in_each_version() {
    let declined = |reason: &str| vec![Event::Declined { what: Declined::Login, reason: reason.to_owned() }];
    let after = |bytes: &[u8]| {
        with(Security::VncAuth(password())).receive(&[bytes, &CHALLENGE, &[0, 0, 0, 1]].concat()).unwrap()
    };
    assert_eq!(after(b"RFB 003.003\n\0\0\0\x02"), declined(""));
    assert_eq!(after(b"RFB 003.007\n\x01\x02"), declined(""));
    assert_eq!(after(b"RFB 003.008\n\x01\x02"), [], "3.8 owes a reason");
    let mut connection = with(Security::VncAuth(password()));
    connection.receive(&[b"RFB 003.008\n\x01\x02".as_slice(), &CHALLENGE, &[0, 0, 0, 1, 0, 0, 0, 4]].concat()).unwrap();
    assert_eq!(connection.receive(b"away").unwrap(), declined("away"));
}

#[test]
fn vencrypt_is_negotiated_step_by_step() {
    let mut connection = with(Security::X509Vnc(password()));
    let events = dialogue(
        &mut connection,
        &[
            (b"RFB 003.008\n", b"RFB 003.008\n"),
            (b"\x02\x02\x13", b"\x13"),
            (b"\x00\x02", b"\x00\x02"),
            (b"\x00", b""),
            (b"\x02\0\0\x01\x04\0\0\x01\x05", b"\0\0\x01\x05"),
            (b"\x01", b""),
        ],
    );
    assert_eq!(events, [Event::StartTls]);
    connection.request_update(false);
    assert!(connection.take_output().is_empty());
    connection.secured();
    assert!(connection.take_output().is_empty(), "the desktop speaks first");
    let init = server_init(1, 1, b"");
    dialogue(&mut connection, &[(&CHALLENGE, &ANSWER), (b"\0\0\0\0", b"\x01"), (&init, &CANONICAL)]);
    assert!(connection.is_ready());
}

#[test]
fn a_higher_version_of_vencrypt_is_answered_with_0_2() {
    let mut connection = with(Security::X509None);
    connection.receive(b"RFB 003.008\n\x01\x13").unwrap();
    connection.take_output();
    connection.receive(b"\x01\x00").unwrap();
    assert_eq!(connection.take_output(), b"\x00\x02");
}

#[test]
fn inside_tls_each_type_has_its_own_words() {
    let init = server_init(1, 1, b"");
    let mut connection = secured(Security::X509None);
    dialogue(&mut connection, &[(b"", b""), (b"\0\0\0\0", b"\x01"), (&init, &CANONICAL)]);
    assert!(connection.is_ready());
    let mut connection = secured(Security::X509Plain(login()));
    dialogue(
        &mut connection,
        &[(b"", b"\0\0\0\x03\0\0\0\x0canns3cret words"), (b"\0\0\0\0", b"\x01"), (&init, &CANONICAL)],
    );
    assert!(connection.is_ready());
}

#[test]
fn no_secret_is_said_before_tls_is_up() {
    for security in [Security::X509Plain(login()), Security::X509Vnc(password())] {
        let mut connection = with(security.clone());
        connection.secured();
        let mut said = connection.take_output();
        connection.receive(&until_tls()).unwrap();
        said.extend(connection.take_output());
        let subtype = security.vencrypt_type().unwrap().0.to_be_bytes();
        assert_eq!(said, [b"RFB 003.008\n\x13\x00\x02".as_slice(), &subtype].concat());
    }
}

#[test]
fn bytes_in_clear_where_tls_begins_are_refused() {
    let words = "VeNCrypt, ack: bytes in clear follow it, where TLS begins";
    // A SecurityResult of OK and a whole ServerInit, for whoever would read them as if they had come through TLS.
    let injected = [until_tls(), vec![0, 0, 0, 0], server_init(64, 64, b"evil")].concat();
    assert!(refused(Security::X509None, &injected).ends_with(words));
    let mut connection = with(Security::X509None);
    assert_eq!(connection.receive(&until_tls()).unwrap(), [Event::StartTls]);
    assert!(connection.receive(b"\0").unwrap_err().to_string().ends_with(words), "in a chunk of their own");
    connection.secured();
    assert!(connection.receive(b"\0\0\0\0").is_err(), "broken stays broken");
}

#[test]
fn there_is_no_way_down() {
    let none = [b"RFB 003.008\n\x02\x01\x02".as_slice(), &[0; 40]].concat();
    let anonymous = b"RFB 003.008\n\x01\x13\x00\x02\x00\x04\0\0\x01\x01\0\0\x01\x02\0\0\x01\x03\0\0\x01\x04";
    for security in [Security::X509None, Security::X509Vnc(password()), Security::X509Plain(login())] {
        let error = refused(security, &none);
        assert!(
            error.ends_with("configured is VeNCrypt (19), the desktop offers None (1), VNC Authentication (2)"),
            "{error}"
        );
    }
    let error = refused(Security::X509Vnc(password()), anonymous);
    assert!(
        error.ends_with(
            "sub-types: configured is X509Vnc (261), the desktop offers TLSNone (257), TLSVnc (258), \
             TLSPlain (259), X509None (260): anonymous TLS: whoever is between reads and writes"
        ),
        "{error}"
    );
    let nothing = refused(Security::X509None, b"RFB 003.008\n\x01\x13\x00\x02\x00\x00");
    assert!(nothing.ends_with("configured is X509None (260), the desktop offers nothing"), "{nothing}");
    let error = refused(Security::VncAuth(password()), b"RFB 003.008\n\x02\x01\x13");
    assert!(
        error.ends_with("configured is VNC Authentication (2), the desktop offers None (1), VeNCrypt (19)"),
        "{error}"
    );
    assert!(refused(Security::VncAuth(password()), b"RFB 003.003\n\0\0\0\x01").contains("offers None (1)"));
    assert!(refused(Security::None, b"RFB 003.008\n\x01\x13").contains("offers VeNCrypt (19)"));
    let many = [b"RFB 003.008\n\x01\x13\x00\x02\x00\xff".as_slice(), &[0xee; 255 * 4]].concat();
    assert!(refused(Security::X509None, &many).len() < 1000);
}

#[test]
fn vencrypt_that_fails_says_where() {
    let after = |bytes: &[u8]| refused(Security::X509None, &[b"RFB 003.008\n\x01\x13", bytes].concat());
    assert!(after(b"\x00\x01").ends_with("VeNCrypt, version: 0.1 is below 0.2"));
    assert!(after(b"\x00\x02\xff").ends_with("VeNCrypt, version ack: 255: the desktop does not take 0.2"));
    let error = after(b"\x00\x02\x00\x01\0\0\x01\x04\x00");
    assert!(error.ends_with("VeNCrypt, ack: 0: the desktop cannot do X509None (260)"), "{error}");
}

#[test]
fn every_cut_of_a_handshake_waits_and_nothing_more() {
    let init = server_init(8, 8, b"desk");
    let vnc_auth = [b"RFB 003.008\n\x01\x02".as_slice(), &CHALLENGE, &[0; 4], &init].concat();
    for cut in 0..vnc_auth.len() {
        let mut connection = with(Security::VncAuth(password()));
        assert_eq!(connection.receive(&vnc_auth[..cut]).unwrap(), [], "cut at {cut}");
        assert!(!connection.is_ready());
        let rest = connection.receive(&vnc_auth[cut..]).unwrap();
        assert!(matches!(rest.as_slice(), [Event::Ready { .. }]), "cut at {cut}");
    }
    for cut in 0..until_tls().len() {
        let mut connection = with(Security::X509None);
        assert_eq!(connection.receive(&until_tls()[..cut]).unwrap(), [], "cut at {cut}");
        assert_eq!(connection.receive(&until_tls()[cut..]).unwrap(), [Event::StartTls], "cut at {cut}");
    }
}

#[test]
fn secrets_are_checked_and_never_shown() {
    let too_long = VncPassword::new(b"hunter2hunter2").unwrap_err();
    assert_eq!(
        too_long.to_string(),
        "the password has more than 8 bytes, and VncAuth looks at no more: what follows would protect nothing"
    );
    assert_eq!(VncPassword::new(b"").unwrap_err(), SecretError::Empty("password"));
    assert_eq!(VncPassword::new(b"a\0b").unwrap_err(), SecretError::Nul("password"));
    assert_eq!(Login::new("", b"x").unwrap_err(), SecretError::Empty("user"));
    assert!(Login::new("ann", &[b'x'; MAX_PLAIN]).is_ok());
    assert_eq!(
        Login::new("ann", &[b'x'; MAX_PLAIN + 1]).unwrap_err().to_string(),
        "the password has more than 1024 bytes"
    );

    let connection = secured(Security::X509Plain(login()));
    let config = Config { security: Security::X509Plain(login()), ..Config::default() };
    let shown = format!("{connection:?} {config:?} {:?} {:?}", password(), Security::VncAuth(password()));
    for secret in ["s3cret", "passwd", "115, 51", "112, 97"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// What a conversation in clear comes to, in pieces of these lengths: events and error, and what was said.
fn conversation(security: &Security, bytes: &[u8], lengths: &[usize]) -> (Vec<Event>, Option<ProtocolError>, Vec<u8>) {
    let mut connection = with(security.clone());
    let (mut events, mut said, mut rest) = (Vec::new(), Vec::new(), bytes);
    for length in lengths.iter().copied().chain([bytes.len()]) {
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        rest = behind;
        match connection.receive(piece) {
            Ok(more) => events.extend(more),
            Err(error) => return (Vec::new(), Some(error), Vec::new()),
        }
        said.extend(connection.take_output());
    }
    (events, None, said)
}

proptest::proptest! {
    #[test]
    fn a_damaged_handshake_ends_the_same_way_in_any_chunking(
        vencrypt: bool,
        damage in proptest::collection::vec((0..256usize, 0..=255u8), 0..3),
        lengths in proptest::collection::vec(0..20usize, 0..12),
    ) {
        let security = if vencrypt { Security::X509Plain(login()) } else { Security::VncAuth(password()) };
        let init = server_init(8, 8, b"desk");
        let mut bytes =
            if vencrypt { until_tls() } else { [b"RFB 003.008\n\x01\x02".as_slice(), &CHALLENGE, &[0; 4], &init].concat() };
        for (at, byte) in damage {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let whole = conversation(&security, &bytes, &[]);
        proptest::prop_assert_eq!(&whole, &conversation(&security, &bytes, &lengths));
        let secret = whole.2.windows(6).any(|window| window == b"s3cret" || window == b"passwd");
        proptest::prop_assert!(!secret, "said in clear");
    }
}
