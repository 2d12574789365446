//! Credentials of the role that a container or a machine has, asked for on this machine's own links and within seconds.
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_smithy_types::date_time::{DateTime, Format};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use super::Found;

/// How long one place is asked: there is no such place on most machines, and a start must not wait for it.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest answer.
const MAX_ANSWER: usize = 64 * 1024;
/// Where containers ask (ECS, and EKS's pod identity), and where machines do (EC2's instance metadata, version 2).
const CONTAINERS: &str = "http://169.254.170.2";
const MACHINE: &str = "http://169.254.169.254";
const LINK_LOCAL: [&str; 2] = ["169.254.170.2", "169.254.170.23"];

/// What either answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Role {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

/// The role of the container that this runs in; `None` when it has none.
pub(super) async fn of_container<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Found {
    let relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").map(|path| format!("{CONTAINERS}{path}"));
    let Some(address) = relative.or_else(|| variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").map(str::to_owned)) else {
        return Ok(None);
    };
    let uri: Uri = address.parse().map_err(|_| "AWS_CONTAINER_CREDENTIALS_*_URI is no address".to_owned())?;
    let near = |host: &str| LINK_LOCAL.contains(&host) || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if uri.scheme_str() != Some("http") || !uri.host().is_some_and(near) {
        return Err("AWS_CONTAINER_CREDENTIALS_FULL_URI is not an http address of this machine".to_owned());
    }
    let token = match variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(path) => {
            let read = tokio::fs::read_to_string(path).await;
            Some(read.map_err(|error| format!("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: {error}"))?.trim().to_owned())
        }
        None => variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(str::to_owned),
    };
    let headers = token.as_deref().map(|token| ("authorization", token));
    let answer = ask(Method::GET, &uri, headers.as_slice()).await;
    answer
        .and_then(|answer| credentials(&answer, "container"))
        .map(Some)
        .map_err(|why| format!("the container's role: {why}"))
}

/// The role of the machine that this runs on; `None` when nobody answers there.
pub(super) async fn of_machine<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Found {
    if variable("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let base = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(MACHINE).trim_end_matches('/');
    let at =
        |path: &str| format!("{base}{path}").parse::<Uri>().map_err(|_| "the metadata's address is none".to_owned());
    let lasts = [("x-aws-ec2-metadata-token-ttl-seconds", "60")];
    let Ok(token) = ask(Method::PUT, &at("/latest/api/token")?, &lasts).await else { return Ok(None) };
    let token = String::from_utf8_lossy(&token).into_owned();
    let shown = [("x-aws-ec2-metadata-token", token.as_str())];
    let roles = "/latest/meta-data/iam/security-credentials/";
    let answer = async {
        let names = ask(Method::GET, &at(roles)?, &shown).await?;
        let names = String::from_utf8_lossy(&names).into_owned();
        let name = names.lines().next().unwrap_or_default();
        credentials(&ask(Method::GET, &at(&format!("{roles}{name}"))?, &shown).await?, "machine")
    };
    answer.await.map(Some).map_err(|why: String| format!("the machine's role: {why}"))
}

fn credentials(answer: &[u8], place: &'static str) -> Result<Credentials, String> {
    // The parser's own words would quote what they fail at.
    let role: Role = serde_json::from_slice(answer).map_err(|_| "the answer is not of the known form".to_owned())?;
    let until = role.expiration.and_then(|until| DateTime::from_str(&until, Format::DateTimeWithOffset).ok());
    let until = until.and_then(|until| SystemTime::try_from(until).ok());
    Ok(Credentials::new(role.access_key_id, role.secret_access_key, role.token, until, place))
}

/// One request over plain HTTP.
async fn ask(method: Method, uri: &Uri, headers: &[(&str, &str)]) -> Result<Bytes, String> {
    let asked = tokio::time::timeout(PATIENCE, async {
        let host = uri.host().ok_or("it has no host")?;
        let link =
            TcpStream::connect((host.trim_matches(['[', ']']), uri.port_u16().unwrap_or(80))).await.map_err(words)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(link)).await.map_err(words)?;
        let connection = tokio::spawn(connection);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::builder().method(method).uri(path).header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(words)?;
        let answer = sender.send_request(request).await.map_err(words)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        connection.abort();
        if status != StatusCode::OK {
            return Err(format!("{status}"));
        }
        Ok(body.map_err(|_| "the answer is too long or was cut".to_owned())?.to_bytes())
    });
    asked.await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// Answers requests one after the other; gives their heads back.
    async fn answering(answers: Vec<&'static str>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let heads = tokio::spawn(async move {
            let mut heads = Vec::new();
            for answer in answers {
                let (mut link, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(link.read_u8().await.unwrap());
                }
                heads.push(String::from_utf8(head).unwrap());
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
                link.write_all(answer.as_bytes()).await.unwrap();
            }
            heads
        });
        (address, heads)
    }

    const ROLE: &str = r#"{"Code":"Success","AccessKeyId":"ID","SecretAccessKey":"S","Token":"T","Expiration":"2099-01-02T03:04:05Z"}"#;

    #[tokio::test]
    async fn a_machine_is_asked_in_three_steps() {
        let (address, heads) = answering(vec!["the-token", "the-role\n", ROLE]).await;
        let set = |name: &str| (name == "AWS_EC2_METADATA_SERVICE_ENDPOINT").then_some(address.as_str());
        let found = of_machine(set).await.unwrap().unwrap();
        assert_eq!((found.access_key_id(), found.session_token()), ("ID", Some("T")));
        assert!(found.expiry().is_some_and(|until| until > SystemTime::now()));
        let heads = heads.await.unwrap();
        assert!(heads[0].starts_with("PUT /latest/api/token ") && heads[0].contains("ttl-seconds: 60"), "{heads:?}");
        assert!(heads[2].starts_with("GET /latest/meta-data/iam/security-credentials/the-role "), "{heads:?}");
        assert!(heads[1..].iter().all(|head| head.contains("x-aws-ec2-metadata-token: the-token")), "{heads:?}");
    }

    #[tokio::test]
    async fn where_nobody_answers_there_is_no_role_and_nobody_waits_long() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let set = |name: &str| (name == "AWS_EC2_METADATA_SERVICE_ENDPOINT").then_some(address.as_str());
        let asked = std::time::Instant::now();
        assert!(of_machine(set).await.unwrap().is_none());
        assert!(asked.elapsed() < PATIENCE * 3);
    }

    #[tokio::test]
    async fn a_container_shows_its_token_and_asks_nobody_far_away() {
        let (address, heads) = answering(vec![ROLE]).await;
        let full = format!("{address}/role?a=b");
        let set = |name: &str| match name {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI" => Some(full.as_str()),
            "AWS_CONTAINER_AUTHORIZATION_TOKEN" => Some("secret"),
            _ => None,
        };
        assert_eq!(of_container(set).await.unwrap().unwrap().access_key_id(), "ID");
        let heads = heads.await.unwrap();
        assert!(heads[0].starts_with("GET /role?a=b ") && heads[0].contains("authorization: secret"), "{heads:?}");
        for far in ["http://192.0.2.1/x", "https://127.0.0.1/x", "nothing at all"] {
            let set = |name: &str| (name == "AWS_CONTAINER_CREDENTIALS_FULL_URI").then_some(far);
            assert!(of_container(set).await.is_err(), "{far}");
        }
        assert!(of_container(|_| None).await.unwrap().is_none());
    }
}
