//! The launcher's list: every desktop, and what policy lets this subject do with it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use portcullis_policy::{Action, Effect, Mode, PolicySet, Request, Subject};

use super::caller::authenticate;
use super::model::{Allows, Desktop, Desktops, PolicyRef};
use super::problem::Problem;
use crate::plane::Plane;
use crate::runtime::Template;

/// Lists the desktops with the verdict on each.
#[utoipa::path(get, path = "/api/desktops", operation_id = "list_desktops", tag = "desktops",
    responses((status = 200, body = Desktops), (status = 401, body = Problem)))]
pub(super) async fn list(
    State(plane): State<Arc<Plane>>,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<Desktops>, Problem> {
    let asked = authenticate(&plane, &method, &headers).await?;
    let policies = plane.policies();
    let subject = asked.caller.subject();
    let desktops = plane.config.templates.iter().map(|template| describe(&policies, subject, template)).collect();
    Ok(Json(Desktops { desktops }))
}

fn describe(policies: &PolicySet, subject: &Subject, template: &Template) -> Desktop {
    let desktop = template.name.as_str();
    let verdict = policies.decide(&Request { subject, desktop, action: Action::Open });
    Desktop {
        name: template.name.clone(),
        title: template.title.clone(),
        description: template.description.clone(),
        icon: template.icon.clone(),
        permitted: verdict.effect == Effect::Permit,
        reason: verdict.reason.clone(),
        policy: PolicyRef { revision: verdict.revision.to_string(), rule: verdict.rule.to_string() },
        allows: allows(policies, subject, desktop),
        recorded: mode(policies.obligations(subject, desktop).recording.mode).to_owned(),
    }
}

/// What policy lets a subject do on a desktop, each judged at its smallest.
pub(super) fn allows(policies: &PolicySet, subject: &Subject, desktop: &str) -> Allows {
    let may = |action| policies.decide(&Request { subject, desktop, action }).effect == Effect::Permit;
    Allows {
        control: may(Action::Control),
        copy: may(Action::Copy { bytes: 0 }),
        paste: may(Action::Paste { bytes: 0 }),
        resize: may(Action::Resize { width: 1, height: 1 }),
    }
}

/// A recording mode's name in the API.
pub(super) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Strict => "strict",
        Mode::BestEffort => "best_effort",
    }
}
