//! `portcullis token`, and whose tokens the gate trusts.

use anyhow::{Context, bail};
use clap::Args;
use portcullis_proxy::token::{Claims, Issuer, TrustedKey, Verifier, mint, random_id};
use time::OffsetDateTime;

use crate::DataArgs;
use crate::config::Config;
use crate::data::Data;
use crate::keys::{self, Keys};

/// The longest that a token made here may live, in seconds.
const LONGEST: u64 = 24 * 60 * 60;

/// Arguments of `token`.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// Who (claim `sub`)
    #[arg(long)]
    subject: String,
    /// A group of the subject; may be given more than once
    #[arg(long)]
    group: Vec<String>,
    /// The desktop that may be opened
    #[arg(long)]
    desktop: String,
    /// How long the token is good: seconds, or 90s, 5m, 1h
    #[arg(long, default_value = "60s", value_parser = seconds)]
    ttl: u64,
    #[command(flatten)]
    place: DataArgs,
}

/// Prints a token.
pub(crate) fn run(args: &TokenArgs) -> anyhow::Result<()> {
    let config = args.place.load()?;
    let key = keys::load_token(&Data::at(&config.data))?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let claims = Claims {
        iss: config.tokens.issuer,
        aud: config.tokens.audience,
        sub: args.subject.clone(),
        groups: args.group.clone(),
        exp: now.saturating_add(i64::try_from(args.ttl)?),
        nbf: now,
        iat: now,
        jti: random_id(),
        desktop: Some(args.desktop.clone()),
        session: None,
        until: None,
    };
    println!("{}", mint(&key, &claims)?);
    Ok(())
}

/// The verifier of a gate: its own token key, and the issuers of the configuration.
pub(crate) fn verifier(config: &Config, keys: &Keys) -> anyhow::Result<Verifier> {
    let own = TrustedKey::own(&keys.token.verifying_key());
    let mut issuers = vec![Issuer::new(&config.tokens.issuer, vec![own])?];
    for issuer in &config.tokens.issuers {
        if issuer.name == config.tokens.issuer {
            bail!(
                "`tokens.issuers` names {:?}, which is this gate's own issuer: give that one another name",
                issuer.name
            );
        }
        let json = std::fs::read_to_string(&issuer.jwks)
            .with_context(|| format!("the keys of {} in {} cannot be read", issuer.name, issuer.jwks.display()))?;
        issuers.push(Issuer::from_jwks(&issuer.name, &json).with_context(|| issuer.jwks.display().to_string())?);
    }
    Ok(Verifier::new(&config.tokens.audience, issuers))
}

pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..) {
        Some("" | "s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        _ => return Err("a number with s, m or h, such as 90s".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "a number with s, m or h, such as 90s".to_owned())?;
    let seconds = number.saturating_mul(unit);
    if (1..=LONGEST).contains(&seconds) { Ok(seconds) } else { Err("between 1s and 24h".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations_have_units() {
        assert_eq!((seconds("60"), seconds("90s"), seconds("5m"), seconds("2h")), (Ok(60), Ok(90), Ok(300), Ok(7200)));
        for wrong in ["", "s", "0s", "25h", "5 m", "5d", "-1s", "99999999999999999999h"] {
            assert!(seconds(wrong).is_err(), "{wrong:?}");
        }
    }
}
