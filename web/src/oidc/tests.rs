//! Providers as they are configured.

use std::collections::BTreeMap;

use super::{GroupRule, Provider, ProviderConfig, ProviderError, Providers};

/// A provider whose users may use desktops, and whose auditors may audit.
pub(crate) fn config(issuer: &str) -> ProviderConfig {
    let groups = [("desk-users", "users"), ("auditing", "auditors")];
    let groups = groups.into_iter().map(|(theirs, ours)| (theirs.to_owned(), vec![ours.to_owned()]));
    ProviderConfig {
        id: "corp".into(),
        label: "Corp".into(),
        issuer: issuer.into(),
        client_id: "portcullis".into(),
        client_secret: None,
        scopes: vec!["openid".into(), "groups".into()],
        subject_claim: "sub".into(),
        groups_claim: "groups".into(),
        groups: GroupRule::Mapped(BTreeMap::from_iter(groups)),
        everybody: Vec::new(),
        domains: Vec::new(),
        ca: None,
        max_age: None,
    }
}

#[test]
fn what_could_not_be_a_provider_is_refused() {
    for id in ["", "ways", "Corp", "a/b", "a b", "ä", &"x".repeat(33)] {
        let config = ProviderConfig { id: id.to_owned(), ..config("https://id.example") };
        assert!(matches!(Provider::new(config), Err(ProviderError::Id(_))), "{id}");
    }
    for issuer in [
        "http://id.example",
        "ftp://id.example",
        "https://id.example?x=1",
        "https://id.example#x",
        "https://a@id.example",
        "id.example",
        "/",
    ] {
        assert!(matches!(Provider::new(config(issuer)), Err(ProviderError::Issuer(_))), "{issuer}");
    }
    for issuer in ["https://id.example/realms/corp", "http://127.0.0.1:8081", "http://localhost:1/"] {
        assert!(Provider::new(config(issuer)).is_ok(), "{issuer}");
    }
    let authorities = ProviderConfig {
        ca: Some(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()),
        ..config("https://id.example")
    };
    assert!(matches!(Provider::new(authorities), Err(ProviderError::Authorities(..))));
    let twice = vec![config("https://id.example"), config("https://other.example")];
    assert!(matches!(Providers::new(twice), Err(ProviderError::Twice(_))));
    let many = (0..17).map(|n| ProviderConfig { id: format!("p{n}"), ..config("https://id.example") }).collect();
    assert!(matches!(Providers::new(many), Err(ProviderError::TooMany(17))));
}

#[test]
fn a_secret_is_not_shown() {
    let config =
        ProviderConfig { client_secret: Some(super::Concealed("hunter2".into())), ..config("https://id.example") };
    assert!(!format!("{config:?}").contains("hunter2"));
}
