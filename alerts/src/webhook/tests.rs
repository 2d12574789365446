//! What is said to a receiver and what its answers come to, byte for byte, against a listener that plays it.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;

#[test]
fn a_signature_is_what_others_compute() {
    // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"0123456789abcdef");
    assert_eq!(
        signature(&key, 1_700_000_000, b"{\"a\":1}"),
        "t=1700000000,v1=9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23"
    );
}

#[test]
fn what_answers_mean() {
    let now = OffsetDateTime::from_unix_timestamp(784_111_770).unwrap();
    let judged = |status: u16, after: Option<&'static str>| {
        judge(StatusCode::from_u16(status).unwrap(), after.map(HeaderValue::from_static).as_ref(), now)
    };
    for status in [200, 201, 204, 299] {
        assert!(matches!(judged(status, None), Answer::Taken(_)), "{status}");
    }
    for status in [400, 401, 403, 404, 410, 413, 422, 499] {
        assert!(matches!(judged(status, Some("5")), Answer::Refused(_)), "{status}");
    }
    for status in [301, 302, 307, 308, 408, 425, 429, 500, 502, 503, 599] {
        assert!(matches!(judged(status, None), Answer::Later { after: None, .. }), "{status}");
    }
    let asked = |after| match judged(429, Some(after)) {
        Answer::Later { after, .. } => after.map(|after| after.as_secs()),
        other => panic!("{other:?}"),
    };
    assert_eq!((asked("7"), asked("Sun, 06 Nov 1994 08:49:37 GMT")), (Some(7), Some(7)));
    // What has passed, and what is no time, asks for nothing.
    assert_eq!((asked("Sun, 06 Nov 1994 08:49:20 GMT"), asked("-3"), asked("soon")), (None, None, None));
}

/// A listener, and a webhook that points at it.
async fn played() -> (TcpListener, ToWebhook) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?a=b", listener.local_addr().unwrap());
    let webhook = Webhook::new(&url, b"0123456789abcdef", None, Duration::from_secs(20)).unwrap();
    (listener, ToWebhook::new(webhook))
}

/// Reads one request: its head, in lower case, and its body.
async fn request(stream: &mut BufReader<TcpStream>) -> (String, Vec<u8>) {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
        head += &line.to_lowercase();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (head, body)
}

async fn accept(listener: &TcpListener) -> BufReader<TcpStream> {
    BufReader::new(listener.accept().await.unwrap().0)
}

const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

#[tokio::test]
async fn a_delivery_on_the_wire_and_a_connection_that_is_used_again() {
    let (listener, webhook) = played().await;
    let entry = Entry::test("2026-01-31T23:59:59.000000Z");
    let receiver = async {
        let mut stream = accept(&listener).await;
        let (head, body) = request(&mut stream).await;
        stream.write_all(NO_CONTENT).await.unwrap();
        let (again, _) = request(&mut stream).await;
        stream.write_all(NO_CONTENT).await.unwrap();
        // Closed while it rests: the next delivery takes a new one, and nothing is said of the old.
        drop(stream);
        let mut stream = accept(&listener).await;
        request(&mut stream).await;
        stream.write_all(NO_CONTENT).await.unwrap();
        (head, body, again)
    };
    let deliveries = async {
        for _ in 0..3 {
            assert_eq!(webhook.deliver(&entry).await, Answer::Taken("HTTP 204".into()));
        }
    };
    let ((head, body, again), ()) = tokio::join!(receiver, deliveries);
    let address = listener.local_addr().unwrap();
    assert!(head.starts_with("post /hook?a=b http/1.1\r\n"), "{head}");
    for line in [
        format!("host: {address}"),
        "content-type: application/json".into(),
        "portcullis-event: alerts_test".into(),
        format!("portcullis-delivery: {}", entry.id),
    ] {
        assert!(head.contains(&format!("{line}\r\n")), "{line}: {head}");
    }
    assert_eq!(body, entry.json);
    let delivery = |head: &str| head.lines().find(|line| line.starts_with("portcullis-delivery")).map(str::to_owned);
    assert_eq!(delivery(&head), delivery(&again));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_an_endless_answer_is_not_read() {
    let (listener, webhook) = played().await;
    let entry = Entry::test("2026-01-31T23:59:59.000000Z");
    let address = listener.local_addr().unwrap();
    let receiver = async {
        let mut stream = accept(&listener).await;
        request(&mut stream).await;
        let moved = format!("HTTP/1.1 307 Moved\r\nlocation: http://{address}/other\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(moved.as_bytes()).await.unwrap();
        let (next, _) = request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        let mut written = 0_usize;
        while stream.write_all(b"1000\r\n").await.is_ok()
            && stream.write_all(&[b'x'; 4096]).await.is_ok()
            && stream.write_all(b"\r\n").await.is_ok()
        {
            written += 4096;
            assert!(written < 256 * 1024 * 1024, "it reads without end");
        }
        next
    };
    let deliveries = async {
        let Answer::Later { why, .. } = webhook.deliver(&entry).await else { panic!("a redirect is no answer") };
        assert!(why.contains("307"), "{why}");
        assert_eq!(webhook.deliver(&entry).await, Answer::Taken("HTTP 200".into()));
    };
    let (next, ()) = tokio::join!(receiver, deliveries);
    assert!(next.starts_with("post /hook?a=b "), "{next}");
}

#[tokio::test]
async fn one_that_does_not_answer_in_time_is_tried_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let webhook = ToWebhook::new(Webhook::new(&url, b"0123456789abcdef", None, Duration::from_millis(200)).unwrap());
    let answer = webhook.deliver(&Entry::test("t")).await;
    assert!(matches!(&answer, Answer::Later { why, .. } if why.contains("no answer within")), "{answer:?}");
    drop(listener);
    let answer = webhook.deliver(&Entry::test("t")).await;
    assert!(matches!(&answer, Answer::Later { why, .. } if why.contains("refused")), "{answer:?}");
}
