//! What the sign-in page sends and is told.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::oidc::Concealed;

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub enum SignIn {
    /// By a one-time link.
    Link(ByLink),
    /// By a local account.
    Password(ByPassword),
}

/// The secret of a one-time link: what stands behind its `#`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ByLink {
    /// 43 characters of base64url.
    pub(crate) link: String,
}

/// A local account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ByPassword {
    /// Its name.
    #[schema(example = "alice")]
    pub(crate) name: String,
    /// Its password.
    #[schema(value_type = String)]
    pub(crate) password: Concealed,
}

impl<'de> Deserialize<'de> for Concealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Concealed)
    }
}

/// How one can sign in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ways {
    /// By these providers, as they are configured.
    pub providers: Vec<ProviderWay>,
    /// By the name and password of a local account.
    pub passwords: bool,
}

/// One provider.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderWay {
    /// Its id, for its addresses.
    #[schema(example = "corp")]
    pub id: String,
    /// What its button says.
    #[schema(example = "Corp account")]
    pub label: String,
    /// Whether it gives an answer, as of the last minute.
    pub reachable: bool,
}

/// How a sign-in at a provider begins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Beginning {
    /// The path of the page to go on to, with its query; `/` where it is absent.
    #[schema(example = "/recordings")]
    pub to: Option<String>,
}

/// Where the page goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Go {
    /// An address of the provider.
    pub go: String,
}
