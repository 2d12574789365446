//! Who asks, and what they may see: the one place where the portal authorises.
//!
//! INVARIANT: no route reaches a recording but by [`Permitted`], which only this module makes.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use portcullis_policy::{Glob, Subject};
use serde::Serialize;
use utoipa::ToSchema;

use crate::index::{Row, Scope, Share};
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

/// Auditors of some recordings: which, and who.
#[derive(Clone, Debug)]
pub struct AuditorScope {
    /// The group whose members they are.
    pub group: String,
    /// They may see recordings of subjects that were in one of these groups; empty: of all.
    pub groups: Vec<String>,
    /// And those on desktops whose name one of these matches; empty: on all.
    pub desktops: Vec<Glob>,
}

/// Which groups have which role. A group that is in none of them gives no right at all.
#[derive(Clone, Debug)]
pub struct Roles {
    /// Groups whose members are users.
    pub users: Vec<String>,
    /// Groups whose members are auditors of everything.
    pub auditors: Vec<String>,
    /// Groups whose members are auditors of some recordings.
    pub scoped: Vec<AuditorScope>,
    /// Groups whose members are administrators.
    pub administrators: Vec<String>,
}

impl Default for Roles {
    fn default() -> Self {
        Roles {
            users: vec!["users".to_owned()],
            auditors: vec!["auditors".to_owned()],
            scoped: Vec::new(),
            administrators: vec!["administrators".to_owned()],
        }
    }
}

impl Roles {
    /// The roles that these groups give, in the order user, auditor, administrator.
    pub fn of(&self, groups: &[String]) -> Vec<Role> {
        let one_of = |members: &[String]| members.iter().any(|group| groups.contains(group));
        let auditor = one_of(&self.auditors) || self.scoped.iter().any(|scope| groups.contains(&scope.group));
        [
            (Role::User, one_of(&self.users)),
            (Role::Auditor, auditor),
            (Role::Administrator, one_of(&self.administrators)),
        ]
        .into_iter()
        .filter_map(|(role, has)| has.then_some(role))
        .collect()
    }

    /// Whose recordings this subject may audit: all, those of its shares, or with none of them nobody's.
    fn audited(&self, subject: &Subject) -> Scope {
        let one_of = |members: &[String]| members.iter().any(|group| subject.groups.contains(group));
        if one_of(&self.auditors) || one_of(&self.administrators) {
            return Scope::Everyone;
        }
        let mine = self.scoped.iter().filter(|scope| subject.groups.contains(&scope.group));
        Scope::Only(
            mine.map(|scope| Share::Of { groups: scope.groups.clone(), desktops: scope.desktops.clone() }).collect(),
        )
    }

    /// The principal that this subject is.
    pub(crate) fn principal(&self, subject: Subject, sign_in: Hash, by: Option<String>) -> Principal {
        let (roles, audited) = (self.of(&subject.groups), self.audited(&subject));
        Principal { subject, roles, audited, sign_in, by }
    }
}

/// Somebody who is signed in.
pub(crate) struct Principal {
    /// INVARIANT: not revoked when it was asked; a cookie outlives nobody's welcome (THREATS W4).
    pub(crate) subject: Subject,
    pub(crate) roles: Vec<Role>,
    /// What they see as an auditor.
    audited: Scope,
    /// Tells this sign-in from the subject's others.
    pub(crate) sign_in: Hash,
    /// The provider that they signed in by, where they did.
    pub(crate) by: Option<String>,
}

impl Principal {
    /// Whose recordings they may list: what they audit and, as users, their own.
    pub(crate) fn scope(&self) -> Scope {
        let own = self.roles.contains(&Role::User).then(|| Share::Own(self.subject.clone()));
        match &self.audited {
            Scope::Everyone => Scope::Everyone,
            Scope::Only(shares) => Scope::Only(shares.iter().cloned().chain(own).collect()),
        }
    }

    /// Whether they may see this recording.
    pub(crate) fn may_see(&self, recording: &Row) -> bool {
        self.scope().has(recording)
    }

    /// Whether they may see it as an auditor, not only because it is theirs.
    pub(crate) fn audits(&self, recording: &Row) -> bool {
        self.audited.has(recording)
    }

    /// Whether they rule the gate.
    pub(crate) fn is_administrator(&self) -> bool {
        self.roles.contains(&Role::Administrator)
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

    fn roles() -> Roles {
        let scope = |group: &str, groups: &[&str], desktops: &[&str]| AuditorScope {
            group: group.into(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            desktops: desktops.iter().map(|glob| Glob::new(glob)).collect(),
        };
        let scoped = vec![scope("leads", &["contractors", "interns"], &["dev-*"]), scope("labs", &[], &["lab"])];
        Roles { scoped, ..Roles::default() }
    }

    fn principal(name: &str, issuer: &str, groups: &[&str]) -> Principal {
        let groups: Vec<_> = groups.iter().map(|group| (*group).to_owned()).collect();
        roles().principal(Subject { name: name.into(), groups, issuer: issuer.into() }, [0; 32], None)
    }

    fn recording(subject: &str, groups: &[&str], desktop: &str) -> Row {
        let groups = serde_json::to_string(groups).unwrap();
        Row { subject: subject.into(), issuer: "local".into(), groups, desktop: desktop.into(), ..Row::default() }
    }

    #[test]
    fn users_see_their_own_auditors_and_administrators_all_others_none() {
        let bobs = recording("bob", &["users"], "browser");
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

    #[test]
    fn an_auditor_of_some_sees_those_and_their_own() {
        let lead = principal("lena", "local", &["users", "leads"]);
        assert_eq!(lead.roles, [Role::User, Role::Auditor]);
        for (recording, sees, audits) in [
            (recording("bob", &["contractors"], "dev-1"), true, true),
            (recording("bob", &["users", "interns"], "dev-"), true, true),
            (recording("bob", &["contractors"], "browser"), false, false),
            (recording("bob", &["users"], "dev-1"), false, false),
            (recording("bob", &[], "dev-1"), false, false),
            (recording("bob", &[], "lab"), false, false),
            (recording("lena", &["users"], "browser"), true, false),
        ] {
            assert_eq!((lead.may_see(&recording), lead.audits(&recording)), (sees, audits), "{recording:?}");
        }
        let labs = principal("lars", "local", &["labs"]);
        assert!(labs.audits(&recording("bob", &[], "lab")) && !labs.may_see(&recording("lars", &[], "browser")));
        assert!(principal("lena", "local", &["leads", "auditors"]).audits(&recording("x", &[], "y")));
    }
}
