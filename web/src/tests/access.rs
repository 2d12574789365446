//! Every route, as nobody, as a user, as an auditor: who may see what.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{CONTENT_TYPE, ORIGIN};

use portcullis_policy::Subject;

use super::bundles::Story;
use super::{Gate, ORIGIN_HERE, On, on_both, readings, signed};
use crate::routes::{Access, routes};
use crate::{Revoked, openapi};

on_both!(
    every_route_as_everybody,
    who_is_revoked_sees_nothing_more,
    not_theirs_and_not_there_answer_alike,
    a_list_has_what_one_may_see,
    a_name_of_another_issuer_is_another_person,
    methods_that_a_route_has_not_are_refused,
);

async fn gate_with_alices(on: On) -> Gate {
    let gate = Gate::on(on).await;
    let place = Story::new("0198-alice", "alice").store(gate.dir(), gate.vault.as_ref()).await;
    readings::picture(&gate, &place).await;
    gate.portal.ingest(&place).await.unwrap();
    gate
}

async fn status(gate: &Gate, method: &str, path: &str, id: &str, cookie: Option<&str>) -> u16 {
    let body = match (method, path) {
        ("POST", path) if path.ends_with("/notes") => r#"{"at":5,"text":"seen"}"#,
        ("PUT", "/api/filters/{name}") => r#"{"query":"subject=alice"}"#,
        _ => "",
    };
    let path = path
        .replace("{id}", id)
        .replace("{file}", if path.contains("/events/") { "00001.jsonl" } else { "00001.m4s" })
        .replace("{*path}", "chain/00001.jws")
        .replace("{note}", "nowhere")
        .replace("{provider}", "corp")
        .replace("{name}", "mine");
    assert!(!path.contains('{'), "a parameter that this test does not know: {path}");
    let path = if path == "/api/search" { "/api/search?q=upload".to_owned() } else { path };
    let request = signed(Request::builder().method(method).uri(path), cookie)
        .header(ORIGIN, ORIGIN_HERE)
        .header(CONTENT_TYPE, "application/json");
    gate.send(request.body(Body::from(body)).unwrap()).await.status.as_u16()
}

/// What who may use a route is answered.
fn done(route: &crate::routes::Route) -> u16 {
    match (route.method, route.path) {
        ("POST", path) if path.ends_with("/notes") => 201,
        ("PUT" | "DELETE", "/api/filters/{name}") => 204,
        // There is none of this name: whether one may, a test of notes tells.
        ("DELETE", _) => 404,
        _ => 200,
    }
}

/// What somebody gets who may see their own recordings, of their own.
fn own(route: &crate::routes::Route) -> u16 {
    if matches!(route.access, Access::Auditing | Access::Administering) { 403 } else { done(route) }
}

async fn every_route_as_everybody(on: On) {
    let gate = gate_with_alices(on).await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    let bob = gate.cookie_of("bob", &["users", "contractors"]).await;
    let auditor = gate.cookie_of("carol", &["auditors"]).await;
    let administrator = gate.cookie_of("dave", &["administrators"]).await;
    let nobody_yet = gate.cookie_of("erin", &["contractors"]).await;
    let forged = crate::secret::fresh().unwrap();
    let check = async |route: &crate::routes::Route, who: &str, id: &str, cookie: Option<&str>, expected: u16| {
        let status = status(&gate, route.method, route.path, id, cookie).await;
        assert_eq!(status, expected, "{} {} as {who}", route.method, route.path);
    };
    for route in routes().iter().filter(|route| route.access != Access::Anyone) {
        check(route, "nobody", "0198-alice", None, 401).await;
        check(route, "a forger", "0198-alice", Some(&forged), 401).await;
        if route.path == "/api/filters/{name}" {
            // Each person's are their own: there is one to look at and to remove.
            for cookie in [&alice, &bob, &auditor, &administrator, &nobody_yet] {
                assert_eq!(status(&gate, "PUT", route.path, "", Some(cookie)).await, 204);
            }
        }
        let may = done(route);
        check(route, "alice", "0198-alice", Some(&alice), own(route)).await;
        let administering = route.access == Access::Administering;
        check(route, "an auditor", "0198-alice", Some(&auditor), if administering { 403 } else { may }).await;
        // Who may change something is asked what: nothing is sent here.
        check(route, "an administrator", "0198-alice", Some(&administrator), if administering { 400 } else { may })
            .await;
        let of_one = matches!(route.access, Access::Recording | Access::Auditing | Access::Administering);
        let others = if of_one { 404 } else { may };
        check(route, "bob", "0198-alice", Some(&bob), others).await;
        check(route, "one without a role", "0198-alice", Some(&nobody_yet), others).await;
        if of_one {
            check(route, "an auditor", "0198-unknown", Some(&auditor), 404).await;
        }
    }
    let open: Vec<_> = routes().iter().filter(|route| route.access == Access::Anyone).map(|route| route.path).collect();
    let by_provider = ["", "/callback", "/logout"].map(|tail| format!("/api/sign-in/{{provider}}{tail}"));
    let listed = ["/api/sign-in", "/api/sign-in/ways"].into_iter().chain(by_provider.iter().map(String::as_str));
    assert_eq!(
        open,
        listed.chain(["/api/sign-out"]).collect::<Vec<_>>(),
        "what is open to anyone is listed here by hand"
    );
}

/// W4: a cookie that has not expired is worth nothing once its subject is revoked, on every route; nobody else notices.
async fn who_is_revoked_sees_nothing_more(on: On) {
    struct Carol;
    impl Revoked for Carol {
        fn covers(&self, subject: &Subject) -> bool {
            subject.name == "carol"
        }
    }
    let gate = gate_with_alices(on).await;
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    let known: Vec<_> = routes().into_iter().filter(|route| route.access != Access::Anyone).collect();
    assert_eq!(status(&gate, "GET", "/api/recordings", "", Some(&carol)).await, 200);
    gate.portal.heed(Arc::new(Carol));
    for route in known {
        if route.path == "/api/filters/{name}" {
            assert_eq!(status(&gate, "PUT", route.path, "", Some(&alice)).await, 204);
        }
        let own = own(&route);
        for (cookie, expected) in [(&carol, 401), (&alice, own)] {
            let status = status(&gate, route.method, route.path, "0198-alice", Some(cookie)).await;
            assert_eq!(status, expected, "{} {}", route.method, route.path);
        }
    }
}

async fn not_theirs_and_not_there_answer_alike(on: On) {
    let gate = gate_with_alices(on).await;
    let bob = gate.cookie_of("bob", &["users"]).await;
    for tail in ["", "/events", "/index.m3u8", "/video/00001.m4s"] {
        let theirs = gate.get(&format!("/api/recordings/0198-alice{tail}"), Some(&bob)).await;
        let none = gate.get(&format!("/api/recordings/0198-none{tail}"), Some(&bob)).await;
        theirs.is_problem(404);
        assert_eq!(theirs.body, none.body);
        assert_eq!(theirs.headers, none.headers);
    }
    assert!(gate.journal.take().is_empty(), "nothing was viewed");
}

async fn a_list_has_what_one_may_see(on: On) {
    let gate = gate_with_alices(on).await;
    let place = Story::new("0198-bob", "bob").store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest(&place).await.unwrap();
    for (name, groups, expected) in [
        ("alice", ["users"], vec!["0198-alice"]),
        ("bob", ["users"], vec!["0198-bob"]),
        ("bob", ["contractors"], vec![]),
        ("carol", ["users"], vec![]),
        ("carol", ["auditors"], vec!["0198-bob", "0198-alice"]),
        ("carol", ["administrators"], vec!["0198-bob", "0198-alice"]),
    ] {
        let cookie = gate.cookie_of(name, &groups).await;
        let list = gate.get("/api/recordings", Some(&cookie)).await.json();
        let ids: Vec<_> =
            list["recordings"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(ids, expected, "{name} in {groups:?}");
        assert_eq!(list["next"], serde_json::Value::Null);
    }
}

async fn a_name_of_another_issuer_is_another_person(on: On) {
    let gate = gate_with_alices(on).await;
    let gate = Gate::over(tempfile::tempdir().unwrap(), gate.vault.clone(), |config| {
        let _ = on;
        config.local.name = "alice".into();
        config.local.groups = vec!["users".into()];
    })
    .await;
    gate.portal.rebuild_index().await.unwrap();
    let answer = gate.sign_in(&gate.portal.one_time_link().await.unwrap()).await;
    let cookie = answer.header("set-cookie").strip_prefix("portcullis=").unwrap().split(';').next().unwrap();
    assert_eq!(gate.get("/api/me", Some(cookie)).await.json()["subject"], "alice");
    gate.get("/api/recordings/0198-alice", Some(cookie)).await.is_problem(404);
}

async fn methods_that_a_route_has_not_are_refused(on: On) {
    let gate = gate_with_alices(on).await;
    let auditor = gate.cookie_of("carol", &["auditors"]).await;
    let known: BTreeSet<_> = routes().iter().map(|route| (route.method, route.path)).collect();
    for method in ["DELETE", "PUT", "PATCH", "OPTIONS"] {
        for route in routes().into_iter().filter(|route| !known.contains(&(method, route.path))) {
            let status = status(&gate, method, route.path, "0198-alice", Some(&auditor)).await;
            assert_eq!(status, 405, "{method} {}", route.path);
        }
    }
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let described = serde_json::to_value(openapi()).unwrap();
    let described = described["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let routed: BTreeSet<_> = routes().iter().map(described_as).collect();
    assert_eq!(described.collect::<BTreeSet<_>>(), routed);
}

/// OpenAPI has no parameter of several segments.
fn described_as(route: &crate::routes::Route) -> String {
    format!("{} {}", route.method, route.path.replace("{*", "{"))
}
