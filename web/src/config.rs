//! What the portal has to be told.

use std::path::PathBuf;

use portcullis_policy::Subject;

use crate::index::Database;
use crate::oidc::ProviderConfig;
use crate::principal::Roles;

/// The issuer of the local subject, whom no token names.
pub const LOCAL_ISSUER: &str = "local";

/// What the portal has to be told.
#[derive(Clone, Debug)]
pub struct PortalConfig {
    /// Where the index and what people make in the portal lives.
    pub database: Database,
    /// The exact origins that the gate is reached under, `scheme://host[:port]`. No other Host is served, no other
    /// Origin may change anything.
    pub origins: Vec<String>,
    /// Whom a one-time link signs in. Its groups hold at once for those already signed in.
    pub local: Subject,
    /// Whether local accounts can sign in by their passwords.
    pub passwords: bool,
    /// By whom else one can sign in.
    pub providers: Vec<ProviderConfig>,
    /// Which groups have which role.
    pub roles: Roles,
    /// The list of evidence keys that exports are verified with and carry; without it nothing is exported.
    pub keys: Option<PathBuf>,
}

impl PortalConfig {
    /// The default: a SQLite file, and one local subject, `local`, who has every role.
    pub fn new(database: PathBuf, origins: Vec<String>) -> Self {
        let roles = Roles::default();
        let groups = [&roles.users, &roles.auditors, &roles.administrators];
        let groups = groups.into_iter().flatten().cloned().collect();
        let local = Subject { name: "local".to_owned(), groups, issuer: LOCAL_ISSUER.to_owned() };
        PortalConfig {
            database: Database::Sqlite(database),
            origins,
            local,
            passwords: true,
            providers: Vec::new(),
            roles,
            keys: None,
        }
    }
}
