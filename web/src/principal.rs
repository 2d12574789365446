//! Who asks, and what they may see: the one place where the portal authorises.
//!
//! INVARIANT: no route reaches a recording but by [`Permitted`], which only this module makes.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use portcullis_policy::Subject;
use serde::Serialize;
use utoipa::ToSchema;

use crate::index::{Row, Scope};
use crate::portal::Portal;
use crate::problem::Problem;
use crate::secret::Hash;

/// What somebody may do in the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Use desktops and see their own recordings.
    User,
    /// See all recordings.
    Auditor,
    /// See all recordings and rule the gate.
    Administrator,
}

/// Which groups have which role. A group that is in none of them gives no right at all.
#[derive(Clone, Debug)]
pub struct Roles {
    /// Groups whose members are users.
    pub users: Vec<String>,
    /// Groups whose members are auditors.
    pub auditors: Vec<String>,
    /// Groups whose members are administrators.
    pub administrators: Vec<String>,
}

impl Default for Roles {
    fn default() -> Self {
        Roles {
            users: vec!["users".to_owned()],
            auditors: vec!["auditors".to_owned()],
            administrators: vec!["administrators".to_owned()],
        }
    }
}

impl Roles {
    /// The roles that these groups give, in the order user, auditor, administrator.
    pub fn of(&self, groups: &[String]) -> Vec<Role> {
        [(Role::User, &self.users), (Role::Auditor, &self.auditors), (Role::Administrator, &self.administrators)]
            .into_iter()
            .filter(|(_, members)| members.iter().any(|group| groups.contains(group)))
            .map(|(role, _)| role)
            .collect()
    }
}

/// Somebody who is signed in.
pub(crate) struct Principal {
    /// INVARIANT: not revoked when it was asked; a cookie outlives nobody's welcome (THREATS W4).
    pub(crate) subject: Subject,
    pub(crate) roles: Vec<Role>,
    /// Tells this sign-in from the subject's others.
    pub(crate) sign_in: Hash,
}

impl Principal {
    /// Whose recordings they may list; `None`: nobody's.
    pub(crate) fn scope(&self) -> Option<Scope<'_>> {
        if self.roles.contains(&Role::Auditor) || self.roles.contains(&Role::Administrator) {
            Some(Scope::Everyone)
        } else if self.roles.contains(&Role::User) {
            Some(Scope::Own(&self.subject))
        } else {
            None
        }
    }

    /// Whether they may see this recording. A name counts only together with who issued it.
    pub(crate) fn may_see(&self, recording: &Row) -> bool {
        match self.scope() {
            Some(Scope::Everyone) => true,
            Some(Scope::Own(subject)) => recording.subject == subject.name && recording.issuer == subject.issuer,
            None => false,
        }
    }
}

impl FromRequestParts<Portal> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Problem> {
        match portal.principal(&parts.headers).await {
            Ok(Some(principal)) if portal.is_revoked(&principal.subject) => Err(Problem::revoked()),
            Ok(principal) => principal.ok_or_else(Problem::signed_out),
            Err(error) => Err(Problem::internal("look up a sign-in", &error)),
        }
    }
}

/// A recording that this principal may see.
pub(crate) struct Permitted {
    principal: Principal,
    row: Row,
}

impl Permitted {
    /// Who looks.
    pub(crate) fn principal(&self) -> &Principal {
        &self.principal
    }

    /// At what.
    pub(crate) fn row(&self) -> &Row {
        &self.row
    }

    /// The row alone.
    pub(crate) fn into_row(self) -> Row {
        self.row
    }
}

/// Takes the recording that `{id}` of the path names. One that is unknown and one that is not theirs answer alike.
impl FromRequestParts<Portal> for Permitted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Problem> {
        let principal = Principal::from_request_parts(parts, portal).await?;
        let params = RawPathParams::from_request_parts(parts, portal).await.map_err(|_| Problem::no_recording())?;
        let id = params.iter().find(|(name, _)| *name == "id").map(|(_, id)| id).ok_or_else(Problem::no_recording)?;
        let found = portal.recording(id).await.map_err(|error| Problem::internal("find a recording", &error))?;
        match found {
            Some(row) if principal.may_see(&row) => Ok(Permitted { principal, row: portal.refreshed(row).await }),
            Some(_) => {
                tracing::warn!(subject = principal.subject.name, recording = id, "recording refused");
                Err(Problem::no_recording())
            }
            None => Err(Problem::no_recording()),
        }
    }
}

/// A recording in the hands of an administrator.
pub(crate) struct Administering(pub(crate) Permitted);

impl FromRequestParts<Portal> for Administering {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Problem> {
        let permitted = Permitted::from_request_parts(parts, portal).await?;
        if permitted.principal.roles.contains(&Role::Administrator) {
            return Ok(Administering(permitted));
        }
        Err(Problem::new(StatusCode::FORBIDDEN, "Only administrators do this."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(name: &str, issuer: &str, groups: &[&str]) -> Principal {
        let groups: Vec<_> = groups.iter().map(|group| (*group).to_owned()).collect();
        let roles = Roles::default().of(&groups);
        Principal { subject: Subject { name: name.into(), groups, issuer: issuer.into() }, roles, sign_in: [0; 32] }
    }

    fn recording(subject: &str, issuer: &str) -> Row {
        Row { subject: subject.into(), issuer: issuer.into(), ..Row::default() }
    }

    #[test]
    fn users_see_their_own_auditors_and_administrators_all_others_none() {
        let bobs = recording("bob", "local");
        for (principal, expected) in [
            (principal("bob", "local", &["users"]), true),
            (principal("alice", "local", &["users"]), false),
            (principal("bob", "elsewhere", &["users"]), false),
            (principal("bob", "local", &[]), false),
            (principal("bob", "local", &["Users", "contractors"]), false),
            (principal("alice", "local", &["auditors"]), true),
            (principal("alice", "elsewhere", &["users", "administrators"]), true),
        ] {
            let subject = &principal.subject;
            assert_eq!(principal.may_see(&bobs), expected, "{} {} {:?}", subject.name, subject.issuer, subject.groups);
        }
    }
}
