//! The launcher's list: every desktop, and what policy lets this subject do with it.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::State as From;
use axum::http::{HeaderMap, Method};
use portcullis_policy::{Action, Effect, Mode, PolicySet, Situation};

use super::caller::{Peer, authenticate};
use super::model::{Allows, Desktop, Desktops, PolicyRef};
use super::problem::Problem;
use crate::plane::Plane;
use crate::runtime::{State, Template};

/// Lists the desktops with the verdict on each.
#[utoipa::path(get, path = "/api/desktops", operation_id = "list_desktops", tag = "desktops",
    responses((status = 200, body = Desktops), (status = 401, body = Problem)))]
pub(super) async fn list(
    From(plane): From<Arc<Plane>>,
    Peer(from): Peer,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<Desktops>, Problem> {
    let asked = authenticate(&plane, &method, &headers).await?;
    let policies = plane.policies();
    let (subject, at) = (asked.caller.subject(), Some(SystemTime::now()));
    let most = plane.config.bounds.rfb.clipboard_text;
    let describe = |template: &Template| {
        let situation = Situation { subject, desktop: &template.name, at, from };
        describe(&policies, &situation, template, most, plane.pool.state(&template.name))
    };
    let desktops = plane.config.templates.iter().map(describe).collect();
    let (waiting, place) = plane.pool.line(subject);
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Ok(Json(Desktops { desktops, waiting: count(waiting), place: count(place.unwrap_or(0)) }))
}

fn describe(policies: &PolicySet, situation: &Situation<'_>, template: &Template, most: u32, state: State) -> Desktop {
    let (state, unavailable) = match state {
        State::Warm(_) => ("warm", String::new()),
        State::Cold => ("cold", String::new()),
        State::Unavailable(why) => ("unavailable", why),
    };
    let verdict = policies.decide(&situation.wants(Action::Open));
    Desktop {
        name: template.name.clone(),
        title: template.title.clone(),
        description: template.description.clone(),
        icon: template.icon.clone(),
        permitted: verdict.effect == Effect::Permit,
        reason: verdict.reason.clone(),
        policy: PolicyRef { revision: verdict.revision.to_string(), rule: verdict.rule.to_string() },
        allows: allows(policies, situation, most),
        recorded: mode(policies.obligations(situation).mode()).to_owned(),
        state: state.to_owned(),
        unavailable,
    }
}

/// What policy lets a subject do on a desktop, each judged at its smallest; texts also at their largest, of `most` bytes at most.
pub(super) fn allows(policies: &PolicySet, situation: &Situation<'_>, most: u32) -> Allows {
    let may = |action| policies.decide(&situation.wants(action)).effect == Effect::Permit;
    Allows {
        control: may(Action::Key) && may(Action::Pointer),
        copy: may(Action::Copy { bytes: 0 }),
        paste: may(Action::Paste { bytes: 0 }),
        resize: may(Action::Resize { width: 1, height: 1 }),
        copy_bytes: largest(most, |bytes| may(Action::Copy { bytes })),
        paste_bytes: largest(most, |bytes| may(Action::Paste { bytes })),
    }
}

/// The largest size up to `most` that is permitted: asked of the decision itself, so that what people are told is what is decided.
/// Who may have a size may have every smaller one.
fn largest(most: u32, may: impl Fn(u64) -> bool) -> u64 {
    let (mut permitted, mut beyond) = (0, u64::from(most) + 1);
    while permitted + 1 < beyond {
        let middle = permitted.midpoint(beyond);
        if may(middle) {
            permitted = middle;
        } else {
            beyond = middle;
        }
    }
    permitted
}

/// A recording mode's name in the API.
pub(super) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Strict => "strict",
        Mode::BestEffort => "best_effort",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_policy::{PolicyFile, Subject};

    fn told(rules: &str) -> (u64, u64) {
        let text = format!("policy: p\napplies: {{}}\nallow:\n  control: {{}}\n{rules}");
        let policies = PolicySet::parse(&[PolicyFile { name: "p.yaml".into(), text }]).unwrap();
        let subject = Subject { name: "alice".into(), groups: Vec::new(), issuer: "local".into() };
        let allows = allows(&policies, &Situation::new(&subject, "desk"), 1024 * 1024);
        assert_eq!((allows.copy, allows.paste), (allows.copy_bytes > 0, allows.paste_bytes > 0));
        (allows.copy_bytes, allows.paste_bytes)
    }

    #[test]
    fn people_are_told_the_largest_text_that_is_permitted() {
        assert_eq!(told(""), (0, 0));
        assert_eq!(told("  copy: {}\n"), (1024 * 1024, 0));
        assert_eq!(told("  copy: {max_bytes: 64 KiB}\n  paste: {max_bytes: 1 B}\n"), (65_536, 1));
        assert_eq!(told("  paste: {max_bytes: 1 GiB}\n"), (0, 1024 * 1024));
        assert_eq!(told("  copy: {}\n  paste: {}\ndeny:\n  - actions: [copy]\n"), (0, 1024 * 1024));
    }
}
