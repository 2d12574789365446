//! The SDK's client, as these settings want it.
use std::net::IpAddr;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Region, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use hyper::Uri;

use super::credentials::Chain;
use super::{Addressing, S3Error, S3Settings};

/// Tries of one request, the SDK's own: between them it waits at random, up to a second, then two.
const TRIES: u32 = 3;
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest file of authorities.
const MAX_PEM: u64 = 1024 * 1024;

/// A client for these settings; nothing is sent yet.
pub(super) fn client(settings: &S3Settings) -> Result<Client, S3Error> {
    check_bucket(&settings.bucket)?;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT.min(settings.timeout))
        .operation_attempt_timeout(settings.timeout / 2)
        .operation_timeout(settings.timeout)
        .build();
    let mut config = Builder::new()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(Chain::of(settings))
        .http_client(http(settings)?)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(TRIES).with_max_backoff(Duration::from_secs(2)))
        // Every body that is stored has its SHA-256 named in the code; nothing is added behind its back.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenSupported)
        // Dates of locks come from this machine's clock: one that is wrong is to be set, not worked around.
        .disable_clock_skew_correction(true)
        .force_path_style(match settings.addressing {
            Addressing::Auto => settings.endpoint.is_some(),
            Addressing::Path => true,
            Addressing::Virtual => false,
        });
    if let Some(endpoint) = &settings.endpoint {
        check_endpoint(endpoint, settings.plain_http)?;
        config = config.endpoint_url(endpoint);
    }
    Ok(Client::from_conf(config.build()))
}

/// TLS by the one library that all of the gate uses.
fn http(settings: &S3Settings) -> Result<SharedHttpClient, S3Error> {
    let trust = match &settings.authorities {
        None => TrustStore::default(),
        Some(path) => {
            let unreadable = |why: String| S3Error::Authorities { path: path.clone(), why };
            let length = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
            let pem = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
            if length > MAX_PEM || !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
                return Err(unreadable("it holds no certificate in PEM".to_owned()));
            }
            TrustStore::empty().with_pem_certificate(pem)
        }
    };
    let context = TlsContext::builder().with_trust_store(trust).build();
    let context = context.map_err(|error| S3Error::Tls(error.to_string()))?;
    let builder = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    Ok(builder.tls_context(context).build_https())
}

/// What S3 permits: 3 to 63 of `a-z 0-9 . -`, a letter or digit at both ends.
fn check_bucket(name: &str) -> Result<(), S3Error> {
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    let permitted = bytes.iter().all(|byte| edge(Some(byte)) || matches!(byte, b'.' | b'-'));
    match (3..=63).contains(&bytes.len()) && permitted && edge(bytes.first()) && edge(bytes.last()) {
        true => Ok(()),
        false => Err(S3Error::Bucket(name.to_owned())),
    }
}

fn check_endpoint(endpoint: &str, plain_http: bool) -> Result<(), S3Error> {
    let wrong = |why: &'static str| S3Error::Endpoint { endpoint: endpoint.to_owned(), why };
    let uri: Uri = endpoint.parse().map_err(|_| wrong("it is no address"))?;
    let host = uri.host().ok_or_else(|| wrong("it has no host"))?;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(wrong("credentials do not belong in an address"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(wrong("it has a path: bucket and prefix are keys of their own"));
    }
    let loopback =
        host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if loopback || plain_http => Ok(()),
        Some("http") => Err(wrong("http sends the record in clear: say https, or `plain_http = true`")),
        _ => Err(wrong("it begins neither with https:// nor with http://")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_text_leaves_this_machine_only_when_it_is_said() {
        for good in ["https://s3.example.org", "http://127.0.0.1:7480", "http://localhost:1/", "http://[::1]:2"] {
            check_endpoint(good, false).unwrap();
        }
        check_endpoint("http://s3.example.org", true).unwrap();
        for bad in [
            "http://s3.example.org",
            "http://127.0.0.1.example.org",
            "s3.example.org",
            "https://s3.example.org/bucket",
            "https://key:secret@s3.example.org",
            "ftp://127.0.0.1",
            "",
        ] {
            assert!(matches!(check_endpoint(bad, false), Err(S3Error::Endpoint { .. })), "{bad}");
        }
    }

    #[test]
    fn names_of_buckets() {
        for good in ["abc", "recordings-2", "a.b.c"] {
            check_bucket(good).unwrap();
        }
        for bad in ["", "ab", "Abc", "-ab", "ab.", "a_b", "a/b", &"a".repeat(64)] {
            assert!(check_bucket(bad).is_err(), "{bad}");
        }
    }
}
