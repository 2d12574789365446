//! The launcher's list: every desktop, and what policy lets this subject do with it.

use std::fmt::Display;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use portcullis_policy::{Action, ActionKind, Effect, Extension, MediaPattern, Mode, PolicySet, Situation};

use super::caller::{Peer, authenticate};
use super::model::{Allows, Desktop, Desktops, PolicyRef};
use super::problem::Problem;
use crate::plane::Plane;
use crate::runtime::Template;

/// Lists the desktops with the verdict on each.
#[utoipa::path(get, path = "/api/desktops", operation_id = "list_desktops", tag = "desktops",
    responses((status = 200, body = Desktops), (status = 401, body = Problem)))]
pub(super) async fn list(
    State(plane): State<Arc<Plane>>,
    Peer(from): Peer,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<Desktops>, Problem> {
    let asked = authenticate(&plane, &method, &headers).await?;
    let policies = plane.policies();
    let (subject, at) = (asked.caller.subject(), Some(SystemTime::now()));
    let most = Most::of(&plane);
    let describe = |template: &Template| {
        let most = if template.kind.has_folder() { most } else { Most { file: 0, ..most } };
        describe(&policies, &Situation { subject, desktop: &template.name, at, from }, template, most)
    };
    let desktops = plane.config.templates.iter().map(describe).collect();
    Ok(Json(Desktops { desktops }))
}

fn describe(policies: &PolicySet, situation: &Situation<'_>, template: &Template, most: Most) -> Desktop {
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
    }
}

/// The most that the gate lets cross at once, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) text: u64,
    /// 0 where the desktop has no folder for files.
    pub(super) file: u64,
}

impl Most {
    pub(super) fn of(plane: &Plane) -> Self {
        Self { text: u64::from(plane.config.bounds.rfb.clipboard_text), file: plane.config.files.config.largest }
    }
}

/// What policy lets a subject do on a desktop, each judged at its smallest; what has a size also at its largest.
pub(super) fn allows(policies: &PolicySet, situation: &Situation<'_>, most: Most) -> Allows {
    let may = |action| policies.decide(&situation.wants(action)).effect != Effect::Deny;
    let files = |kind: ActionKind| most.file > 0 && may(kind.at_all());
    let into = policies.limits(situation, ActionKind::Upload);
    let types: Vec<_> = into.types.iter().map(|types| types.value.clone()).collect();
    let extensions: Vec<_> = into.files.extensions.iter().map(|list| list.value.clone()).collect();
    Allows {
        control: may(Action::Key) && may(Action::Pointer),
        copy: may(Action::Copy { bytes: 0 }),
        paste: may(Action::Paste { bytes: 0 }),
        resize: may(Action::Resize { width: 1, height: 1 }),
        copy_bytes: largest(most.text, |bytes| may(Action::Copy { bytes })),
        paste_bytes: largest(most.text, |bytes| may(Action::Paste { bytes })),
        upload: files(ActionKind::Upload),
        download: files(ActionKind::Download),
        upload_bytes: largest(most.file, |bytes| may(Action::Upload { bytes })),
        download_bytes: largest(most.file, |bytes| may(Action::Download { bytes })),
        upload_types: shared(&types, |known, wanted: &MediaPattern| known.matches(&wanted.to_string())),
        upload_extensions: shared(&extensions, |known, wanted: &Extension| known == wanted),
    }
}

/// What is in all of these lists: entries that each other list covers; nothing where there is no list.
fn shared<T: Display>(lists: &[Vec<T>], covers: impl Fn(&T, &T) -> bool) -> Vec<String> {
    let everywhere = |wanted: &&T| lists.iter().all(|list| list.iter().any(|known| covers(known, wanted)));
    let mut shared: Vec<String> = lists.iter().flatten().filter(everywhere).map(ToString::to_string).collect();
    shared.sort();
    shared.dedup();
    shared
}

/// The largest size up to `most` that is permitted: asked of the decision itself, so that what people are told is what is decided.
/// Who may have a size may have every smaller one.
fn largest(most: u64, may: impl Fn(u64) -> bool) -> u64 {
    let (mut permitted, mut beyond) = (0, most.saturating_add(1));
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
        let most = Most { text: 1024 * 1024, file: 1 << 30 };
        let allows = allows(&policies, &Situation::new(&subject, "desk"), most);
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

    #[test]
    fn people_are_told_which_files_all_policies_let_in() {
        let file = |name: &str, upload: &str| PolicyFile {
            name: format!("{name}.yaml"),
            text: format!("policy: {name}\napplies: {{}}\nallow: {{upload: {{{upload}}}}}\n"),
        };
        let policies = PolicySet::parse(&[
            file("a", "max_bytes: 1 MiB, types: [image/*, application/pdf], extensions: [png, pdf]"),
            file("b", "types: [image/png, text/plain, application/pdf], extensions: [png, txt]"),
        ])
        .unwrap();
        let subject = Subject { name: "alice".into(), groups: Vec::new(), issuer: "local".into() };
        let told = |file| allows(&policies, &Situation::new(&subject, "desk"), Most { text: 1, file });
        let some = told(1 << 30);
        assert_eq!((some.upload, some.upload_bytes, some.download, some.download_bytes), (true, 1 << 20, false, 0));
        assert_eq!(some.upload_types, ["application/pdf", "image/png"]);
        assert_eq!(some.upload_extensions, ["png"]);
        let none = told(0);
        assert_eq!((none.upload, none.upload_bytes), (false, 0), "a desktop without a folder takes no files");
    }
}
