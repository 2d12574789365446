//! Links, cookies, Origin and Host.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};

use super::{Gate, ORIGIN_HERE, link_body, sign_in_request, signed};
use crate::secret::{fresh, hash_of};
use crate::{Act, Way};

/// The value of the cookie that the answer sets.
fn cookie(answer: &super::Answer) -> String {
    let text = answer.header("set-cookie");
    text.strip_prefix("portcullis=").unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_signs_the_local_subject_in_once() {
    let gate = Gate::open().await;
    let link = gate.portal.one_time_link().await.unwrap();
    let answer = gate.sign_in(&link).await;
    assert_eq!(answer.status, 204, "{:?}", answer.body);
    let value = cookie(&answer);
    assert_eq!(
        answer.header("set-cookie"),
        format!("portcullis={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200")
    );
    assert!(hash_of(&value).is_some());
    assert_ne!(value, link);

    let me = gate.get("/api/me", Some(&value)).await;
    assert_eq!(me.header("cache-control"), "no-store");
    let groups = ["users", "auditors", "administrators"];
    let roles = ["user", "auditor", "administrator"];
    assert_eq!(
        me.json(),
        serde_json::json!({ "subject": "local", "groups": groups, "roles": roles, "issuer": "local", "provider": null })
    );

    gate.sign_in(&link).await.is_problem(401);
    let acts: Vec<_> = gate.journal.take();
    assert_eq!(acts[0], (Some("local".into()), Act::SignedIn { by: Way::Link }));
    assert!(matches!(acts[1], (None, Act::SignInRefused { .. })), "{acts:?}");
    assert_eq!(acts.len(), 2);
}

#[tokio::test]
async fn neither_links_nor_cookies_are_in_the_database() {
    let gate = Gate::open().await;
    let (used, unused) = (gate.portal.one_time_link().await.unwrap(), gate.portal.one_time_link().await.unwrap());
    let cookie = cookie(&gate.sign_in(&used).await);
    gate.portal.close().await;
    let mut bytes = 0;
    for entry in std::fs::read_dir(gate.dir()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let file = std::fs::read(&path).unwrap();
            for secret in [&used, &unused, &cookie] {
                assert!(!file.windows(secret.len()).any(|window| window == secret.as_bytes()), "{path:?}");
            }
            bytes += file.len();
        }
    }
    assert!(bytes > 4096);
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(gate.dir().join("portcullis.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
}

#[tokio::test]
async fn of_many_who_have_a_link_one_is_signed_in() {
    let gate = Gate::open().await;
    let link = gate.portal.one_time_link().await.unwrap();
    let (a, b, c, d) = tokio::join!(gate.sign_in(&link), gate.sign_in(&link), gate.sign_in(&link), gate.sign_in(&link));
    let mut statuses = [a, b, c, d].map(|answer| answer.status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 401, 401, 401]);
}

#[tokio::test]
async fn sign_in_needs_an_origin_of_ours() {
    let gate = Gate::open().await;
    let link = gate.portal.one_time_link().await.unwrap();
    for origin in [Some("https://evil.example"), Some("null"), Some("http://localhost:8081"), None] {
        let mut request = signed(Request::post("/api/sign-in"), None).header(CONTENT_TYPE, "application/json");
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        gate.send(request.body(link_body(&link)).unwrap()).await.is_problem(403);
    }
    assert_eq!(gate.sign_in(&link).await.status, 204, "what was refused did not use the link up");
}

#[tokio::test]
async fn over_https_the_cookie_is_secure() {
    let gate = Gate::open().await;
    let link = gate.portal.one_time_link().await.unwrap();
    let request = Request::post("/api/sign-in")
        .header(HOST, "gate.example")
        .header(ORIGIN, "https://gate.example")
        .header(CONTENT_TYPE, "application/json");
    let answer = gate.send(request.body(link_body(&link)).unwrap()).await;
    assert!(answer.header("set-cookie").ends_with("; Secure"));
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
}

#[tokio::test]
async fn what_is_no_link_is_refused() {
    let gate = Gate::open().await;
    gate.sign_in(&fresh().unwrap()).await.is_problem(401);
    gate.sign_in("").await.is_problem(401);
    gate.sign_in("x' OR 1=1 --").await.is_problem(401);
    let send = async |body: String| gate.send(sign_in_request().body(Body::from(body)).unwrap()).await;
    send("{}".into()).await.is_problem(422);
    send("{\"link\":1}".into()).await.is_problem(422);
    send("{\"link\":\"x\",\"more\":1}".into()).await.is_problem(422);
    send("{".into()).await.is_problem(400);
    send(format!("{{\"link\":\"{}\"}}", "x".repeat(5000))).await.is_problem(413);
    let form = signed(Request::post("/api/sign-in"), None).header(ORIGIN, ORIGIN_HERE);
    gate.send(form.header(CONTENT_TYPE, "text/plain").body(link_body("x")).unwrap()).await.is_problem(415);
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let gate = Gate::open().await;
    for _ in 0..20 {
        gate.sign_in("guess").await.is_problem(401);
    }
    let answer = gate.sign_in("guess").await;
    answer.is_problem(429);
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=4).contains(&wait), "{wait}");
}

#[tokio::test]
async fn signing_out_ends_the_cookie_and_a_new_sign_in_the_old_one() {
    let gate = Gate::open().await;
    let first = cookie(&gate.sign_in(&gate.portal.one_time_link().await.unwrap()).await);
    let link = gate.portal.one_time_link().await.unwrap();
    let again = sign_in_request().header("cookie", format!("portcullis={first}"));
    let second = cookie(&gate.send(again.body(link_body(&link)).unwrap()).await);
    gate.get("/api/me", Some(&first)).await.is_problem(401);
    assert_eq!(gate.get("/api/me", Some(&second)).await.status, 200);

    let sign_out = |origin: &'static str| {
        signed(Request::post("/api/sign-out"), Some(&second)).header(ORIGIN, origin).body(Body::empty()).unwrap()
    };
    gate.send(sign_out("https://evil.example")).await.is_problem(403);
    assert_eq!(gate.get("/api/me", Some(&second)).await.status, 200);
    let answer = gate.send(sign_out(ORIGIN_HERE)).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("set-cookie"), "portcullis=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    gate.get("/api/me", Some(&second)).await.is_problem(401);
    let nobody = signed(Request::post("/api/sign-out"), None).body(Body::empty()).unwrap();
    assert_eq!(gate.send(nobody).await.status, 204);
    assert_eq!(gate.journal.take().last(), Some(&(Some("local".into()), Act::SignedOut { by: None })));
}

#[tokio::test]
async fn what_cannot_be_recorded_signs_nobody_in() {
    let gate = Gate::open().await;
    let link = gate.portal.one_time_link().await.unwrap();
    gate.journal.full.store(true, Ordering::SeqCst);
    let answer = gate.sign_in(&link).await;
    answer.is_problem(503);
    assert_eq!(answer.header("set-cookie"), "");
}

#[tokio::test]
async fn a_changing_request_with_the_cookie_must_come_from_a_page_of_ours() {
    let gate = Gate::open().await;
    let cookie = gate.cookie_of("alice", &["users"]).await;
    // Any route of the program: the guard stands before all of them.
    let app = axum::Router::new().route("/api/sessions", axum::routing::post(async || "made"));
    let gate = Gate { app: gate.portal.protect(app), ..gate };
    let request = |cookie: Option<&str>, origin: Option<&str>, kind: &str, body: &'static str| {
        let mut request = signed(Request::post("/api/sessions"), cookie);
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        request.header(CONTENT_TYPE, kind).body(Body::from(body)).unwrap()
    };
    let json = "application/json; charset=utf-8";
    for origin in [None, Some("null"), Some("https://evil.example"), Some("http://localhost:8080.evil.example")] {
        gate.send(request(Some(&cookie), origin, json, "{}")).await.is_problem(403);
        gate.send(request(Some("not-even-good"), origin, json, "{}")).await.is_problem(403);
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""] {
        gate.send(request(Some(&cookie), Some(ORIGIN_HERE), kind, "{}")).await.is_problem(415);
    }
    assert_eq!(gate.send(request(Some(&cookie), Some(ORIGIN_HERE), json, "{}")).await.status, 200);
    assert_eq!(gate.send(request(Some(&cookie), Some(ORIGIN_HERE), "", "")).await.status, 200, "no body, no type");
    let bearer = request(None, None, json, "{}");
    assert_eq!(gate.send(bearer).await.status, 200, "a program without the cookie has no Origin to name");
}

#[tokio::test]
async fn another_host_is_not_served() {
    let gate = Gate::open().await;
    let cookie = gate.cookie_of("alice", &["users"]).await;
    for (path, host) in [("/", "evil.example"), ("/api/me", "localhost"), ("/recordings", "127.0.0.1:8080")] {
        let request = Request::get(path).header(HOST, host).header("cookie", format!("portcullis={cookie}"));
        let answer = gate.send(request.body(Body::empty()).unwrap()).await;
        answer.is_problem(421);
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    }
    gate.send(Request::get("/").body(Body::empty()).unwrap()).await.is_problem(421);
}

#[tokio::test]
async fn two_cookies_are_none_and_broken_ones_too() {
    let gate = Gate::open().await;
    let (one, two) = (gate.cookie_of("alice", &["users"]).await, gate.cookie_of("mallory", &["users"]).await);
    let me = async |cookies: &[String]| {
        let request =
            cookies.iter().fold(signed(Request::get("/api/me"), None), |r, cookie| r.header("cookie", cookie));
        gate.send(request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(me(&[format!("portcullis={one}")]).await.json()["subject"], "alice");
    me(&[format!("portcullis={one}; portcullis={two}")]).await.is_problem(401);
    me(&[format!("portcullis={one}"), format!("portcullis={two}")]).await.is_problem(401);
    for broken in ["portcullis=", "portcullis", "Portcullis=x", "portcullis=\"\"", &one] {
        let answer = me(&[broken.to_owned()]).await;
        answer.is_problem(401);
        assert_eq!(answer.header("www-authenticate"), "Sign-In realm=\"portcullis\"");
    }
}

#[tokio::test]
async fn the_local_subject_is_as_the_configuration_says_now() {
    let gate = Gate::open_as(|config| config.local.groups = vec!["users".into()]).await;
    let value = cookie(&gate.sign_in(&gate.portal.one_time_link().await.unwrap()).await);
    let headers = signed(Request::get("/"), Some(&value)).body(()).unwrap().headers().clone();
    assert_eq!(gate.portal.authenticate(&headers).await.unwrap().groups, ["users"]);
    assert_eq!(gate.portal.me(&headers).await.unwrap().roles, [crate::Role::User]);

    let mut config = crate::PortalConfig::new(gate.dir().join("portcullis.db"), vec![ORIGIN_HERE.into()]);
    config.local.groups = Vec::new();
    let again = crate::Portal::open(config.clone(), gate.vault.clone(), gate.journal.clone()).await.unwrap();
    assert!(again.authenticate(&headers).await.unwrap().groups.is_empty());
    config.local.name = "somebody".into();
    let renamed = crate::Portal::open(config, gate.vault.clone(), gate.journal.clone()).await.unwrap();
    assert_eq!(renamed.authenticate(&headers).await, None);
}
