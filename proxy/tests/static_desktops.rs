//! Desktops that stand already, scripted: who is let in, and what each way to cheat, to fail or to break off ends in.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod standing;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portcullis_proxy::knock;
use portcullis_rfb::Size;
use standing::peer::{Cut, Peer, drain, hear, own_address};
use standing::pki::Pki;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a 3.8 desktop with VncAuth says: version, types, a challenge, OK, ServerInit of 64x48.
fn vnc_auth() -> Vec<u8> {
    [b"RFB 003.008\n\x01\x02".as_slice(), &[7; 16], &[0; 4], &init()].concat()
}

/// ServerInit of 64x48, called "desk".
fn init() -> Vec<u8> {
    let mut bytes = vec![0, 64, 0, 48, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 4];
    bytes.extend(b"desk");
    bytes
}

/// What a desktop says in clear until TLS begins, offering the sub-types given below VeNCrypt.
fn until_tls(subtypes: &[u32]) -> Vec<u8> {
    let mut bytes = b"RFB 003.008\n\x01\x13\x00\x02\x00".to_vec();
    bytes.push(u8::try_from(subtypes.len()).unwrap());
    bytes.extend(subtypes.iter().flat_map(|subtype| subtype.to_be_bytes()));
    bytes.push(1);
    bytes
}

/// Bytes that the gate says in clear to a desktop with VeNCrypt: version, type, VeNCrypt's version, sub-type.
const CLEAR: usize = 12 + 1 + 2 + 4;
const X509_NONE: u32 = 260;
const X509_PLAIN: u32 = 262;

/// A desktop with X509None that goes through with it.
async fn x509_none(pki: &Pki) -> Peer {
    let acceptor = pki.acceptor();
    Peer::serve(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            let _ = stream.write_all(&until_tls(&[X509_NONE])).await;
            hear(&mut stream, CLEAR).await;
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let _ = stream.write_all(&[&[0; 4], init().as_slice()].concat()).await;
            drain(&mut stream).await;
        }
    })
    .await
}

async fn refusal(template: serde_json::Value) -> String {
    match knock(&standing::template(template)).await {
        Ok(size) => panic!("let in: {size}"),
        Err(reason) => reason,
    }
}

#[tokio::test]
async fn each_protection_lets_in_who_has_its_key() {
    let pki = Pki::new();
    let whole = Peer::script(vnc_auth()).await;
    assert_eq!(knock(&standing::template(pki.vnc_auth(&whole))).await.unwrap(), Size { width: 64, height: 48 });
    let tls = x509_none(&pki).await;
    assert_eq!(knock(&standing::template(pki.x509(&tls, "x509_none"))).await.unwrap(), Size { width: 64, height: 48 });
}

#[tokio::test]
async fn a_desktop_that_is_another_than_configured_is_refused_by_what_it_offers() {
    let pki = Pki::new();
    let cases: [(&str, Vec<u8>, &str); 7] = [
        (
            "vnc_auth",
            b"RFB 003.008\n\x02\x01\x13".to_vec(),
            "configured is VNC Authentication (2), the desktop offers None (1), VeNCrypt (19)",
        ),
        (
            "x509_none",
            b"RFB 003.008\n\x02\x01\x02".to_vec(),
            "configured is VeNCrypt (19), the desktop offers None (1), VNC Authentication (2)",
        ),
        ("x509_none", b"RFB 003.003\n\0\0\0\x01".to_vec(), "configured is VeNCrypt (19), the desktop offers None (1)"),
        ("x509_none", until_tls(&[257, 258, 259]), "anonymous TLS: whoever is between reads and writes"),
        ("x509_vnc", until_tls(&[X509_NONE]), "configured is X509Vnc (261), the desktop offers X509None (260)"),
        ("x509_none", b"RFB 003.008\n\x01\x13\x00\x01".to_vec(), "VeNCrypt, version: 0.1 is below 0.2"),
        (
            "vnc_auth",
            b"HTTP/1.1 405 Method Not Allowed\r\nServer: KasmVNC/4.0\r\n\r\n".to_vec(),
            "is HTTP, as KasmVNC speaks it: another protocol",
        ),
    ];
    for (security, script, words) in cases {
        let peer = Peer::script(script).await;
        let template = if security == "vnc_auth" { pki.vnc_auth(&peer) } else { pki.x509(&peer, security) };
        let reason = refusal(template).await;
        assert!(
            reason.starts_with("the desktop broke the protocol: ") && reason.contains(words),
            "{security}: {reason}"
        );
    }
}

#[tokio::test]
async fn a_certificate_must_hold_and_be_for_the_name() {
    let pki = Pki::new();
    let tls = x509_none(&pki).await;
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut template = pki.x509(&tls, "x509_none");
        change(&mut template);
        template
    };
    let reason = refusal(with(&|template| template["server_name"] = "desk.example.org".into())).await;
    assert!(
        reason.starts_with("the desktop cannot be used: its TLS is refused: invalid peer certificate: "),
        "{reason}"
    );
    assert!(reason.contains("not valid for name \"desk.example.org\""), "{reason}");
    let reason = refusal(with(&|template| template["server_name"] = "127.0.0.2".into())).await;
    assert!(reason.contains("not valid for name"), "{reason}");
    let stranger = Pki::new();
    let reason = refusal(with(&|template| template["ca"] = stranger.ca().into())).await;
    assert!(reason.contains("its TLS is refused: invalid peer certificate: "), "{reason}");
    let reason = refusal(with(&|template| template["ca"] = pki.key().into())).await;
    assert!(reason.contains("there is no certificate in it"), "{reason}");
    knock(&standing::template(with(&|template| template["server_name"] = "localhost".into()))).await.unwrap();
}

/// CVE-2011-1775: a desktop that is not the one that was meant learns neither name nor password.
#[tokio::test]
async fn nothing_secret_is_said_before_the_certificate_holds() {
    let (pki, stranger) = (Pki::new(), Pki::new());
    let acceptor = stranger.acceptor();
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    let peer = Peer::serve(move |mut stream| {
        let (acceptor, tell) = (acceptor.clone(), tell.clone());
        async move {
            let _ = stream.write_all(&until_tls(&[X509_PLAIN])).await;
            let clear = hear(&mut stream, CLEAR).await;
            let within = match acceptor.accept(stream).await {
                Ok(mut stream) => drain(&mut stream).await,
                Err(_) => Vec::new(),
            };
            let _ = tell.send((clear, within)).await;
        }
    })
    .await;
    let reason = refusal(pki.x509_plain(&peer)).await;
    assert!(reason.contains("invalid peer certificate"), "{reason}");
    let (clear, within) = tokio::time::timeout(Duration::from_secs(20), told.recv()).await.unwrap().unwrap();
    assert_eq!(clear, [b"RFB 003.008\n\x13\x00\x02".as_slice(), &X509_PLAIN.to_be_bytes()].concat());
    assert_eq!(within, b"", "not a byte within TLS");
}

#[tokio::test]
async fn bytes_in_clear_are_not_taken_for_bytes_within_tls() {
    let pki = Pki::new();
    let injected = [until_tls(&[X509_NONE]), vec![0; 4], init()].concat();
    let reason = refusal(pki.x509(&Peer::script(injected).await, "x509_none")).await;
    // In one piece the parser sees them; in pieces they come to TLS, which they are not.
    let (parser, tls) = ("bytes in clear follow it, where TLS begins", "its TLS is refused: ");
    assert!(reason.contains(parser) || reason.contains(tls), "{reason}");
    let later = Peer::serve(|mut stream| async move {
        let _ = stream.write_all(&until_tls(&[X509_NONE])).await;
        // The whole of what the gate says in clear, and the first bytes of its TLS.
        hear(&mut stream, CLEAR + 5).await;
        let _ = stream.write_all(&[&[0; 4], init().as_slice()].concat()).await;
        drain(&mut stream).await;
    })
    .await;
    let reason = refusal(pki.x509(&later, "x509_none")).await;
    assert!(reason.contains(tls), "{reason}");
}

#[tokio::test]
async fn tls_below_1_2_is_not_spoken() {
    let pki = Pki::new();
    let old = Peer::serve(|mut stream| async move {
        let _ = stream.write_all(&until_tls(&[X509_NONE])).await;
        hear(&mut stream, CLEAR + 5).await;
        // ServerHello of TLS 1.1 with TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA (RFC 4346 §7.4.1.3).
        let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
        hello.extend([0x55; 32]);
        hello.extend([0, 0xc0, 0x13, 0]);
        let _ = stream.write_all(&hello).await;
        drain(&mut stream).await;
    })
    .await;
    let reason = refusal(pki.x509(&old, "x509_none")).await;
    assert!(reason.contains("its TLS is refused: "), "{reason}");
}

#[tokio::test]
async fn a_handshake_cut_at_any_byte_is_a_connection_lost() {
    let pki = Pki::new();
    let (clear, vencrypt) = (vnc_auth(), until_tls(&[X509_NONE]));
    for (security, script) in [("vnc_auth", &clear), ("x509_none", &vencrypt)] {
        for cut in 0..script.len() {
            let peer = Peer::script(script[..cut].to_vec()).await;
            let template = if security == "vnc_auth" { pki.vnc_auth(&peer) } else { pki.x509(&peer, security) };
            let reason = refusal(template).await;
            assert!(
                reason.ends_with("no connection to the desktop: it closed its connection during the handshake"),
                "{security} cut at {cut}: {reason}"
            );
        }
    }
}

/// CVE-2016-10207: TLS that is broken off at any byte.
#[tokio::test]
async fn tls_cut_at_any_byte_is_a_connection_lost() {
    let pki = Pki::new();
    let acceptor = pki.acceptor();
    let allowed = Arc::new(AtomicUsize::new(usize::MAX));
    let limit = Arc::clone(&allowed);
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    let peer = Peer::serve(move |mut stream| {
        let (acceptor, limit, tell) = (acceptor.clone(), limit.load(Ordering::SeqCst), tell.clone());
        async move {
            let _ = stream.write_all(&until_tls(&[X509_NONE])).await;
            hear(&mut stream, CLEAR).await;
            let mut stream = Cut::new(stream, limit);
            if let Ok(mut stream) = acceptor.accept(&mut stream).await {
                let _ = stream.write_all(&[&[0; 4], init().as_slice()].concat()).await;
                let _ = stream.flush().await;
            }
            let _ = tell.send(stream.close().await).await;
        }
    })
    .await;
    let template = standing::template(pki.x509(&peer, "x509_none"));
    knock(&template).await.unwrap();
    let (whole, cut) = told.recv().await.unwrap();
    assert!(whole > 500 && !cut, "{whole} bytes of TLS");
    for most in 0..whole {
        allowed.store(most, Ordering::SeqCst);
        let knocked = knock(&template).await;
        // A signature is a byte or two shorter now and then: what is not cut at the very end is whole.
        let (_, cut) = told.recv().await.unwrap();
        assert!(cut || most + 16 > whole, "{most} of {whole} bytes were enough");
        match knocked {
            Ok(_) => assert!(!cut, "a whole ServerInit came through at {most} of {whole} bytes"),
            Err(reason) => {
                assert!(reason.starts_with("no connection to the desktop: "), "cut at {most} of {whole}: {reason}")
            }
        }
    }
}

#[tokio::test]
async fn a_desktop_that_declines_is_told_by_its_own_words() {
    let pki = Pki::new();
    let declined = |code: &[u8]| [b"RFB 003.008\n".as_slice(), code, b"\0\0\0\x08busy\x1b[0m"].concat();
    let busy = Peer::script(declined(b"\0")).await;
    let reason = refusal(pki.vnc_auth(&busy)).await;
    assert_eq!(reason, r"no connection to the desktop: it turns the gate away: busy\x1b[0m");
    let wrong = [b"\x01\x02".as_slice(), &[7; 16], &[0, 0, 0, 1]].concat();
    let reason = refusal(pki.vnc_auth(&Peer::script(declined(&wrong)).await)).await;
    assert_eq!(reason, r"the desktop cannot be used: it does not accept the gate's credentials: busy\x1b[0m");
}

#[tokio::test]
async fn what_goes_in_clear_stays_on_this_machine_wherever_the_name_leads() {
    let template = |address: &str, private: bool| serde_json::json!({"address": address, "security": "none", "private_network": private});
    // An address of this machine that is not loopback, or none if it has no network.
    let Some(own) = own_address() else { return };
    let listener = tokio::net::TcpListener::bind((own, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let answering = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(&[b"RFB 003.008\n\x01\x01\0\0\0\0".as_slice(), &init()].concat()).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let refused: Result<portcullis_proxy::runtime::Static, _> =
        serde_json::from_value(template(&address.to_string(), false));
    assert!(refused.unwrap_err().to_string().contains("sends pictures and keys in clear"));
    knock(&standing::template(template(&address.to_string(), true))).await.unwrap();
    // `localhost` that leads elsewhere is as far away as it is.
    let mut liar = standing::template(template("localhost:1", false));
    let portcullis_proxy::runtime::TemplateKind::Static(fixed) = &mut liar.kind else { unreachable!() };
    fixed.address = address.to_string().parse().unwrap();
    let reason = knock(&liar).await.unwrap_err();
    assert!(reason.contains("it is not on this machine"), "{reason}");
    answering.abort();
}
