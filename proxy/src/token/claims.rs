//! What a token says (RFC 7519 §4.1), in the shapes and sizes that are believed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::TokenError;

/// Bytes of `sub`, of each group and of every other name in a token.
pub const MAX_NAME_BYTES: usize = 256;
/// Groups of one token.
pub const MAX_GROUPS: usize = 64;

/// The claims of a token; [`super::Verifier::verify`] makes them of a proved one, [`super::mint`] a token of them.
///
/// Times are whole seconds since the Unix epoch. Claims that are not listed here are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// This gate's audience; a token that names several is accepted if this is one of them.
    pub aud: String,
    /// Whom it is about.
    pub sub: String,
    /// Their groups; none if the token says nothing.
    pub groups: Vec<String>,
    /// From when on it is no longer valid.
    pub exp: i64,
    /// From when on it is valid.
    pub nbf: i64,
    /// When it was issued.
    pub iat: i64,
    /// Its name, unique for its issuer.
    pub jti: String,
    /// The one desktop that it opens, by its exact name. Sessions by bearer token need it: [`Claims::require_desktop`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desktop: Option<String>,
    /// The one session that it is good for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// When a session opened by it must end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

impl Claims {
    /// The desktop that the token names, which a bearer token must.
    ///
    /// # Errors
    /// [`TokenError::MissingClaim`] when it names none.
    pub fn require_desktop(&self) -> Result<&str, TokenError> {
        self.desktop.as_deref().ok_or(TokenError::MissingClaim("desktop"))
    }

    /// Whether every claim has a size and shape that a verifier accepts.
    pub(super) fn check(&self) -> Result<(), TokenError> {
        let names = [("iss", &self.iss), ("aud", &self.aud), ("sub", &self.sub), ("jti", &self.jti)];
        let optional = [("desktop", &self.desktop), ("session", &self.session)];
        for (claim, text) in names {
            check_name(claim, text)?;
        }
        for (claim, text) in optional {
            text.as_deref().map_or(Ok(()), |text| check_name(claim, text))?;
        }
        if self.groups.len() > MAX_GROUPS {
            return Err(TokenError::BadClaim { claim: "groups", reason: "has more than 64 entries" });
        }
        self.groups.iter().try_for_each(|group| check_name("groups", group))
    }
}

/// Claims as they come, before anything of them is believed; repeated ones are refused by the parser.
#[derive(Deserialize)]
pub(super) struct RawClaims {
    iss: Option<Value>,
    aud: Option<Value>,
    sub: Option<Value>,
    groups: Option<Value>,
    exp: Option<Value>,
    nbf: Option<Value>,
    iat: Option<Value>,
    jti: Option<Value>,
    desktop: Option<Value>,
    session: Option<Value>,
    until: Option<Value>,
}

impl RawClaims {
    /// The issuer whose keys are to prove the token; believed only if one does.
    pub(super) fn issuer(&self) -> Result<&str, TokenError> {
        name("iss", required("iss", &self.iss)?)
    }

    /// The claims in their shapes, for the verifier of this audience.
    pub(super) fn read(self, audience: &str) -> Result<Claims, TokenError> {
        let text = |claim, value: &Option<Value>| name(claim, required(claim, value)?).map(str::to_owned);
        let time = |claim, value: &Option<Value>| seconds(claim, required(claim, value)?);
        let optional = |claim, value: &Option<Value>| {
            value.as_ref().map(|value| name(claim, value).map(str::to_owned)).transpose()
        };
        let claims = Claims {
            iss: text("iss", &self.iss)?,
            aud: own_audience(required("aud", &self.aud)?, audience)?,
            sub: text("sub", &self.sub)?,
            groups: self.groups.as_ref().map_or(Ok(Vec::new()), groups)?,
            exp: time("exp", &self.exp)?,
            nbf: time("nbf", &self.nbf)?,
            iat: time("iat", &self.iat)?,
            jti: text("jti", &self.jti)?,
            desktop: optional("desktop", &self.desktop)?,
            session: optional("session", &self.session)?,
            until: self.until.as_ref().map(|value| seconds("until", value)).transpose()?,
        };
        claims.check()?;
        Ok(claims)
    }
}

fn required<'a>(claim: &'static str, value: &'a Option<Value>) -> Result<&'a Value, TokenError> {
    value.as_ref().ok_or(TokenError::MissingClaim(claim))
}

fn name<'a>(claim: &'static str, value: &'a Value) -> Result<&'a str, TokenError> {
    value.as_str().ok_or(TokenError::BadClaim { claim, reason: "is not text" })
}

/// Names end up in events, logs and pages: nothing in them may break a line or hide.
fn check_name(claim: &'static str, text: &str) -> Result<(), TokenError> {
    let reason = match text {
        "" => "is empty",
        text if text.len() > MAX_NAME_BYTES => "is longer than 256 bytes",
        text if text.chars().any(char::is_control) => "has control characters in it",
        _ => return Ok(()),
    };
    Err(TokenError::BadClaim { claim, reason })
}

fn seconds(claim: &'static str, value: &Value) -> Result<i64, TokenError> {
    let whole = value.as_i64().filter(|seconds| *seconds >= 0);
    whole.ok_or(TokenError::BadClaim { claim, reason: "is not a time in whole seconds since 1970" })
}

fn groups(value: &Value) -> Result<Vec<String>, TokenError> {
    let entries = value.as_array().ok_or(TokenError::BadClaim { claim: "groups", reason: "is not a list" })?;
    entries.iter().map(|entry| name("groups", entry).map(str::to_owned)).collect()
}

/// `aud` is one name or a list of them (RFC 7519 §4.1.3).
fn own_audience(value: &Value, audience: &str) -> Result<String, TokenError> {
    let named = match value {
        Value::String(one) => one == audience,
        Value::Array(several) => several.iter().any(|one| one.as_str() == Some(audience)),
        _ => return Err(TokenError::BadClaim { claim: "aud", reason: "is neither a name nor a list of names" }),
    };
    named.then(|| audience.to_owned()).ok_or_else(|| TokenError::WrongAudience { expected: audience.to_owned() })
}
