//! From an ID token to a subject: all that is checked of it, and what its claims are worth here.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm};
use openidconnect::{ClaimsVerificationError, ClientId, IssuerUrl, Nonce, SignatureVerificationError};
use portcullis_policy::Subject;
use serde_json::{Map, Value};

use super::provider::Metadata;
use super::{Fault, GroupRule, ProviderConfig};
use crate::problem::chain;

/// Seconds that the clocks of a provider and this gate may differ.
pub(super) const LEEWAY: i64 = 60;
/// Seconds between the making of an ID token and its coming here, at most.
const OLDEST: i64 = 10 * 60;
/// Characters of a subject's name or a group's, at most.
const MAX_NAME: usize = 256;
/// Groups that one subject may have.
const MAX_GROUPS: usize = 256;

/// What signatures are taken: those for which this gate has no secret of the provider's to keep.
pub(super) const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Who signed in, and by which sign-in of the provider's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) subject: Subject,
    /// The claim `sub`, whatever the subject's name is made of: what the provider says when it signs somebody out.
    pub(super) sub: String,
    /// The provider's name for this sign-in; empty where it has none.
    pub(super) sid: String,
}

/// Why a token is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// None of the keys has signed it: there may be newer ones.
    Key,
    /// For good.
    Fault(Fault),
}

/// Checks the token as OpenID Connect Core 1.0 §3.1.3.7 says; its claims. `now`: Unix seconds.
pub(super) fn checked(
    config: &ProviderConfig,
    metadata: &Metadata,
    token: &CoreIdToken,
    nonce: &str,
    now: i64,
) -> Result<Map<String, Value>, Unfit> {
    let rejected = |why: &str| {
        tracing::warn!(provider = config.id, why, "an ID token is not taken");
        Unfit::Fault(Fault::Rejected)
    };
    let issuer = IssuerUrl::new(config.issuer.clone()).map_err(|_| rejected("issuer"))?;
    let id = ClientId::new(config.client_id.clone());
    let verifier = CoreIdTokenVerifier::new_public_client(id, issuer, metadata.jwks().clone())
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || DateTime::from_timestamp(now.saturating_sub(LEEWAY), 0).unwrap_or_default());
    if let Err(error) = token.claims(&verifier, &Nonce::new(nonce.to_owned())) {
        use SignatureVerificationError::{CryptoError, NoMatchingKey};
        return Err(match error {
            ClaimsVerificationError::SignatureVerification(NoMatchingKey | CryptoError(_)) => Unfit::Key,
            error => rejected(&chain(&error)),
        });
    }
    let claims = payload(&token.to_string()).ok_or_else(|| rejected("its claims are no object"))?;
    times(config, &claims, now).map_err(|fault| {
        tracing::warn!(provider = config.id, "an ID token's times are not good");
        Unfit::Fault(fault)
    })?;
    // Core §3.1.3.7, 4 and 5: who the token was made for, beside who may read it.
    match claims.get("azp") {
        Some(party) if party.as_str() != Some(config.client_id.as_str()) => Err(rejected("azp")),
        _ => Ok(claims),
    }
}

/// The claims of a token whose signature was checked, each as it was written.
fn payload(token: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn times(config: &ProviderConfig, claims: &Map<String, Value>, now: i64) -> Result<(), Fault> {
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    let (soonest, latest) = (seconds(now.saturating_sub(OLDEST)), seconds(now.saturating_add(LEEWAY)));
    let made = time("iat").ok_or(Fault::Rejected)?;
    if !(soonest..=latest).contains(&made) || time("nbf").is_some_and(|from| from > latest) {
        return Err(Fault::Rejected);
    }
    let Some(age) = config.max_age else { return Ok(()) };
    let oldest = now.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX)).saturating_sub(LEEWAY);
    match time("auth_time") {
        Some(at) if (seconds(oldest)..=latest).contains(&at) => Ok(()),
        _ => Err(Fault::Old),
    }
}

/// Unix seconds as JSON may have them.
fn seconds(whole: i64) -> f64 {
    // Exact until the year 285 million.
    #[allow(clippy::as_conversions, reason = "there is no other way from i64 to f64")]
    let all = whole as f64;
    all
}

/// Who these claims name, and what they may be here.
pub(super) fn known(config: &ProviderConfig, claims: &Map<String, Value>) -> Result<Known, Fault> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let name = text(&config.subject_claim).filter(|name| is_name(name)).ok_or(Fault::Nameless)?;
    let sub = text("sub").filter(|sub| is_name(sub)).ok_or(Fault::Nameless)?;
    if !config.domains.is_empty() && !of_domain(config, claims) {
        return Err(Fault::Domain);
    }
    let groups = groups(config, claims);
    if groups.is_empty() {
        return Err(Fault::Groupless);
    }
    let subject = Subject { name: name.to_owned(), groups, issuer: config.issuer.clone() };
    let sid = text("sid").filter(|sid| is_name(sid)).unwrap_or_default();
    Ok(Known { subject, sub: sub.to_owned(), sid: sid.to_owned() })
}

/// Whether a text can be a name: what policies, logs and the journal take for one.
fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_NAME && !text.chars().any(char::is_control)
}

fn of_domain(config: &ProviderConfig, claims: &Map<String, Value>) -> bool {
    let verified = claims.get("email_verified").is_some_and(|value| value == true || value == "true");
    let domain = claims.get("email").and_then(Value::as_str).and_then(|email| email.rsplit_once('@'));
    verified && domain.is_some_and(|(_, domain)| config.domains.iter().any(|one| one.eq_ignore_ascii_case(domain)))
}

/// The gate's groups: of everybody who comes by this provider, and those that the provider's groups give.
fn groups(config: &ProviderConfig, claims: &Map<String, Value>) -> Vec<String> {
    let claim = match config.groups_claim.strip_prefix('/') {
        Some(_) => pointed(claims, &config.groups_claim),
        None => claims.get(&config.groups_claim),
    };
    let named: Vec<&str> = match claim {
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    };
    let mut groups: BTreeSet<&str> = config.everybody.iter().map(String::as_str).collect();
    match &config.groups {
        GroupRule::Mapped(table) => {
            groups.extend(named.iter().filter_map(|name| table.get(*name)).flatten().map(String::as_str));
        }
        GroupRule::AsGiven => groups.extend(named.into_iter().filter(|name| is_name(name))),
    }
    groups.into_iter().take(MAX_GROUPS).map(str::to_owned).collect()
}

/// A JSON pointer into the claims.
fn pointed<'a>(claims: &'a Map<String, Value>, pointer: &str) -> Option<&'a Value> {
    let (first, rest) = pointer.strip_prefix('/')?.split_once('/').unwrap_or((pointer.get(1..)?, ""));
    let value = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
    if rest.is_empty() { Some(value) } else { value.pointer(&format!("/{rest}")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::oidc::tests::config;

    fn of(config: &ProviderConfig, claims: &Value) -> Result<(String, Vec<String>), Fault> {
        known(config, claims.as_object().unwrap()).map(|known| (known.subject.name, known.subject.groups))
    }

    fn check(config: &ProviderConfig, claims: Value, expected: Result<(&str, &[&str]), Fault>) {
        let groups = |groups: &[&str]| groups.iter().map(|group| (*group).to_owned()).collect();
        let expected = expected.map(|(name, of)| (name.to_owned(), groups(of)));
        assert_eq!(of(config, &claims), expected, "{claims}");
    }

    #[test]
    fn a_group_gives_what_the_table_says_and_no_more() {
        let corp = config("https://id.example");
        let user: (&str, &[&str]) = ("u-1", &["users"]);
        check(&corp, json!({"sub": "u-1", "groups": ["desk-users", "administrators"]}), Ok(user));
        check(&corp, json!({"sub": "u-1", "groups": "desk-users"}), Ok(user));
        check(&corp, json!({"sub": "u-1", "groups": ["desk-users", "auditing"]}), Ok(("u-1", &["auditors", "users"])));
        for none in
            [json!(["administrators"]), json!([]), json!([1, null]), json!({"desk-users": 1}), json!(["Desk-Users"])]
        {
            check(&corp, json!({"sub": "u-1", "groups": none}), Err(Fault::Groupless));
        }
        check(&corp, json!({"sub": "u-1"}), Err(Fault::Groupless));
    }

    #[test]
    fn groups_as_given_and_of_everybody() {
        let given = ProviderConfig { groups: GroupRule::AsGiven, ..config("https://id.example") };
        check(&given, json!({"sub": "u", "groups": ["b", "a", "a", "x\ny", ""]}), Ok(("u", &["a", "b"])));
        let all = ProviderConfig { everybody: vec!["users".into()], ..config("https://id.example") };
        check(&all, json!({"sub": "u"}), Ok(("u", &["users"])));
        let many: Vec<_> = (0..999).map(|n| format!("g{n}")).collect();
        assert_eq!(of(&given, &json!({"sub": "u", "groups": many})).unwrap().1.len(), MAX_GROUPS);
    }

    #[test]
    fn groups_may_lie_deeper() {
        let deep = ProviderConfig { groups_claim: "/realm_access/roles".into(), ..config("https://id.example") };
        check(&deep, json!({"sub": "u", "realm_access": {"roles": ["desk-users"]}}), Ok(("u", &["users"])));
        let flat =
            ProviderConfig { groups_claim: "https://gate.example/groups".into(), ..config("https://id.example") };
        check(&flat, json!({"sub": "u", "https://gate.example/groups": ["desk-users"]}), Ok(("u", &["users"])));
        let top = ProviderConfig { groups_claim: "/roles".into(), ..config("https://id.example") };
        check(&top, json!({"sub": "u", "roles": ["desk-users"]}), Ok(("u", &["users"])));
    }

    #[test]
    fn a_subject_has_a_name_that_can_be_one() {
        let corp = ProviderConfig { subject_claim: "email".into(), ..config("https://id.example") };
        let with = |email: Value| json!({"sub": "u", "email": email, "groups": ["desk-users"]});
        check(&corp, with(json!("a@x.example")), Ok(("a@x.example", &["users"])));
        for none in
            [json!(""), json!("  "), json!("a\nb"), json!("a\u{1b}[2J"), json!(7), json!(null), json!("x".repeat(257))]
        {
            check(&corp, with(none), Err(Fault::Nameless));
        }
    }

    #[test]
    fn a_domain_counts_for_a_verified_address_alone() {
        let corp = ProviderConfig { domains: vec!["x.example".into()], ..config("https://id.example") };
        let with = |email: &str, verified: Value| json!({"sub": "u", "email": email, "email_verified": verified, "groups": ["desk-users"]});
        check(&corp, with("a@X.example", json!(true)), Ok(("u", &["users"])));
        for (email, verified) in [
            ("a@x.example", json!(false)),
            ("a@y.example", json!(true)),
            ("a@x.example@y.example", json!(true)),
            ("x.example", json!(true)),
            ("a@sub.x.example", json!(true)),
        ] {
            check(&corp, with(email, verified), Err(Fault::Domain));
        }
    }

    #[test]
    fn times_are_held_against_the_clock() {
        let corp = config("https://id.example");
        let at = |iat: i64, more: Value| {
            let mut claims = json!({"iat": iat}).as_object().unwrap().clone();
            claims.extend(more.as_object().unwrap().clone());
            claims
        };
        let now = 1_000_000;
        assert!(times(&corp, &at(now + LEEWAY, json!({})), now).is_ok());
        for bad in [
            at(now + LEEWAY + 1, json!({})),
            at(now - OLDEST - 1, json!({})),
            at(now, json!({"nbf": now + LEEWAY + 1})),
            Map::new(),
        ] {
            assert_eq!(times(&corp, &bad, now), Err(Fault::Rejected), "{bad:?}");
        }
        let strict = ProviderConfig { max_age: Some(300), ..corp };
        assert!(times(&strict, &at(now, json!({"auth_time": now - 300})), now).is_ok());
        for old in [json!({"auth_time": now - 300 - LEEWAY - 1}), json!({}), json!({"auth_time": now + LEEWAY + 1})] {
            assert_eq!(times(&strict, &at(now, old), now), Err(Fault::Old));
        }
    }
}
