//! Uploads in pieces (tus): resumed where they broke off, judged when they are whole, bounded in number.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis_tests::{Api, until};
use reqwest::Method;
use tokio::io::AsyncWriteExt;

use super::files::{FILES, ended, laid, opened};

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

async fn create(api: &Api, session: &str, name: &str, length: usize) -> (u16, String) {
    let (length, metadata) = (length.to_string(), format!("filename {}", STANDARD.encode(name)));
    let headers = [TUS, ("upload-length", length.as_str()), ("upload-metadata", metadata.as_str())];
    let answer = api.bytes(Method::POST, &format!("/api/sessions/{session}/uploads"), &headers, "").await.unwrap();
    let place = answer.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
    (answer.status().as_u16(), place.unwrap_or_default())
}

async fn append(api: &Api, place: &str, offset: u64, piece: Vec<u8>) -> (u16, Option<u64>) {
    let offset = offset.to_string();
    let headers = [TUS, ("content-type", "application/offset+octet-stream"), ("upload-offset", offset.as_str())];
    let answer = api.bytes(Method::PATCH, place, &headers, piece).await.unwrap();
    let at = answer.headers().get("upload-offset").and_then(|offset| offset.to_str().unwrap().parse().ok());
    (answer.status().as_u16(), at)
}

async fn offset(api: &Api, place: &str) -> Option<u64> {
    let answer = api.bytes(Method::HEAD, place, &[TUS], "").await.unwrap();
    answer.headers().get("upload-offset").and_then(|offset| offset.to_str().unwrap().parse().ok())
}

#[tokio::test]
async fn an_upload_goes_on_where_its_connection_broke() {
    let (gate, api, opened, desktop) = opened(FILES, "").await;
    let file: Vec<u8> = b"0123456789abcdef".repeat(4096);
    let (status, place) = create(&api, &opened.id, "long.txt", file.len()).await;
    assert_eq!(status, 201);
    assert_eq!(append(&api, &place, 0, file[..1000].to_vec()).await, (204, Some(1000)));
    assert_eq!(append(&api, &place, 999, file[999..].to_vec()).await.0, 409, "pieces begin where the last one ended");
    // A connection that breaks in the middle of a piece.
    let address = gate.url.strip_prefix("http://").unwrap().replace("localhost", "127.0.0.1");
    let mut wire = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "PATCH {place} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 1000\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: {}\r\n\r\n",
        gate.url.strip_prefix("http://").unwrap(),
        api.token().unwrap(),
        file.len() - 1000
    );
    wire.write_all(head.as_bytes()).await.unwrap();
    wire.write_all(&file[1000..9000]).await.unwrap();
    wire.flush().await.unwrap();
    drop(wire);
    let at = until("what came of it is there", async || Ok(offset(&api, &place).await.filter(|at| *at > 1000)))
        .await
        .unwrap();
    assert!(at <= 9000, "{at}");
    let at = usize::try_from(at).unwrap();
    assert_eq!(append(&api, &place, at as u64, file[at..].to_vec()).await, (204, Some(file.len() as u64)));
    assert_eq!(laid(&desktop), ["long.txt"]);
    assert_eq!(std::fs::read(desktop.transfer().join("long.txt")).unwrap(), file);
    assert_eq!(append(&api, &place, file.len() as u64, Vec::new()).await.0, 404, "it is over");

    assert_eq!(create(&api, &opened.id, "large.txt", 2 << 20).await.0, 413);
    assert_eq!(create(&api, &opened.id, "../a.txt", 10).await.0, 400);
    let (_, place) = create(&api, &opened.id, "program.txt", 100).await;
    let elf = [&b"\x7fELF\x02\x01\x01"[..], &[0; 93]].concat();
    assert_eq!(append(&api, &place, 0, elf).await.0, 403, "the verdict comes with the last piece");
    let (_, given_up) = create(&api, &opened.id, "left.txt", 100).await;
    let answer = api.bytes(Method::DELETE, &given_up, &[TUS], "").await.unwrap();
    assert_eq!((answer.status().as_u16(), offset(&api, &given_up).await), (204, None));
    let plain = api.bytes(Method::DELETE, &given_up, &[], "").await.unwrap();
    assert_eq!(plain.status(), 412, "a version must be said");
    assert_eq!(laid(&desktop), ["long.txt"]);
    let uploads = ended(&gate, &api, &opened.id, "upload").await;
    let effects: Vec<_> = uploads.iter().map(|event| event["effect"].as_str().unwrap()).collect();
    assert_eq!(effects, ["permit", "deny", "deny", "deny", "deny"], "{uploads:?}");
}

#[tokio::test]
async fn uploads_that_wait_are_few_and_not_for_ever() {
    let (_gate, api, opened, _) = opened(FILES, "[files]\nresting_seconds = 2\n").await;
    let mut places = Vec::new();
    for number in 0..8 {
        let (status, place) = create(&api, &opened.id, &format!("{number}.txt"), 10).await;
        assert_eq!(status, 201);
        places.push(place);
    }
    assert_eq!(create(&api, &opened.id, "more.txt", 10).await.0, 429);
    until("they are given up", async || Ok(offset(&api, &places[7]).await.is_none().then_some(()))).await.unwrap();
    assert_eq!(create(&api, &opened.id, "later.txt", 10).await.0, 201);
}
