//! Local accounts: names, passwords, and what ends their sign-ins.

use axum::body::Body;
use serde_json::json;

use super::{Answer, Gate, On, on_both, sign_in_request};
use crate::{AccountError, Accounts, Act, Concealed, Database, Way};

on_both!(
    a_name_and_its_password_sign_in,
    whoever_guesses_learns_nothing,
    a_changed_password_and_a_removed_account_end_sign_ins,
    accounts_survive_a_rebuild,
    what_could_not_be_an_account_is_refused,
);

const PASSWORD: &str = "correct horse battery";

/// A gate, and the accounts of its index.
async fn gate(on: On) -> (Gate, Accounts) {
    let mut kept = None;
    let database = on.database().await;
    let gate = Gate::open_as(|config| {
        config.database = database.unwrap_or(config.database.clone());
        kept = Some(config.database.clone());
    })
    .await;
    let accounts = Accounts::open(&kept.unwrap(), "local").await.unwrap();
    accounts.add("alice", &["users".into()], &Concealed(PASSWORD.into())).await.unwrap();
    (gate, accounts)
}

async fn sign_in(gate: &Gate, name: &str, password: &str) -> Answer {
    let body = json!({"name": name, "password": password}).to_string();
    gate.send(sign_in_request().body(Body::from(body)).unwrap()).await
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").strip_prefix("portcullis=").unwrap().split(';').next().unwrap().to_owned()
}

async fn a_name_and_its_password_sign_in(on: On) {
    let (gate, accounts) = gate(on).await;
    assert_eq!(gate.get("/api/sign-in/ways", None).await.json(), json!({"providers": [], "passwords": true}));
    let answer = sign_in(&gate, "alice", PASSWORD).await;
    assert_eq!(answer.status, 204, "{:?}", answer.body);
    let cookie = cookie(&answer);
    let me = gate.get("/api/me", Some(&cookie)).await.json();
    assert_eq!((&me["subject"], &me["issuer"], &me["roles"]), (&json!("alice"), &json!("local"), &json!(["user"])));
    assert_eq!(gate.journal.take(), [(Some("alice".into()), Act::SignedIn { by: Way::Password })]);

    accounts.set_groups("alice", &["auditors".into()]).await.unwrap();
    assert_eq!(gate.get("/api/me", Some(&cookie)).await.json()["roles"], json!(["auditor"]), "at once");
    accounts.remove("alice").await.unwrap();
    gate.get("/api/me", Some(&cookie)).await.is_problem(401);
    assert_eq!(gate.get("/api/sign-in/ways", None).await.json()["passwords"], false);
}

async fn whoever_guesses_learns_nothing(on: On) {
    let (gate, _accounts) = gate(on).await;
    let wrong = sign_in(&gate, "alice", "wrong horse battery").await;
    let unknown = sign_in(&gate, "mallory", PASSWORD).await;
    wrong.is_problem(401);
    assert_eq!((&wrong.body, wrong.headers.len()), (&unknown.body, unknown.headers.len()));
    for (name, password) in
        [("", ""), ("alice", ""), ("x' OR 1=1 --", PASSWORD), ("ALICE", PASSWORD), ("alice", &PASSWORD[1..])]
    {
        sign_in(&gate, name, password).await.is_problem(401);
    }
    let long = "x".repeat(1000);
    sign_in(&gate, "alice", &long).await.is_problem(401);
    let acts = gate.journal.take();
    assert_eq!(acts.len(), 8);
    for act in acts {
        assert!(matches!(act, (None, Act::SignInRefused { by: Way::Password, .. })), "{act:?}");
    }
    // Ten guesses at alice at once, of which three were made; a name that could be none is no guess.
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(sign_in(&gate, "alice", "wrong horse battery").await.status.as_u16());
    }
    let let_in = statuses.iter().take_while(|status| **status == 401).count();
    assert!((7..=8).contains(&let_in) && statuses[let_in..].iter().all(|status| *status == 429), "{statuses:?}");
    assert!(!sign_in(&gate, "alice", PASSWORD).await.header("retry-after").is_empty());
    assert_eq!(sign_in(&gate, "bob", "whatever it may be").await.status, 401, "another account is not held");
}

async fn a_changed_password_and_a_removed_account_end_sign_ins(on: On) {
    let (gate, accounts) = gate(on).await;
    let other = gate.cookie_of("alice", &["users"]).await;
    let first = cookie(&sign_in(&gate, "alice", PASSWORD).await);
    accounts.set_password("alice", &Concealed("another horse battery".into())).await.unwrap();
    gate.get("/api/me", Some(&first)).await.is_problem(401);
    assert_eq!(gate.get("/api/me", Some(&other)).await.status, 200, "a namesake of another issuer");
    sign_in(&gate, "alice", PASSWORD).await.is_problem(401);
    let second = cookie(&sign_in(&gate, "alice", "another horse battery").await);
    accounts.remove("alice").await.unwrap();
    accounts.add("alice", &["users".into()], &Concealed(PASSWORD.into())).await.unwrap();
    gate.get("/api/me", Some(&second)).await.is_problem(401);
}

async fn accounts_survive_a_rebuild(on: On) {
    let (gate, accounts) = gate(on).await;
    let cookie = cookie(&sign_in(&gate, "alice", PASSWORD).await);
    gate.portal.rebuild_index().await.unwrap();
    assert_eq!(accounts.list().await.unwrap()[0].groups, ["users"]);
    assert_eq!(gate.get("/api/me", Some(&cookie)).await.status, 200);
    assert_eq!(sign_in(&gate, "alice", PASSWORD).await.status, 204);
}

async fn what_could_not_be_an_account_is_refused(on: On) {
    let (gate, accounts) = gate(on).await;
    let add = async |name: &str, groups: &[&str], password: &str| {
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        accounts.add(name, &groups, &Concealed(password.to_owned())).await
    };
    for name in ["", "a b", "a\nb", "a/b", &"x".repeat(65)] {
        assert!(matches!(add(name, &["users"], PASSWORD).await, Err(AccountError::Name)), "{name:?}");
    }
    assert!(matches!(add("local", &["users"], PASSWORD).await, Err(AccountError::Local(_))));
    assert!(matches!(add("alice", &["users"], PASSWORD).await, Err(AccountError::Exists(_))));
    assert!(matches!(add("bob", &["a\nb"], PASSWORD).await, Err(AccountError::Groups)));
    assert!(matches!(add("bob", &["users"], "short").await, Err(AccountError::Weak(_))));
    assert!(matches!(accounts.remove("bob").await, Err(AccountError::None(_))));
    assert!(matches!(accounts.set_groups("bob", &[]).await, Err(AccountError::None(_))));
    let weak = accounts.set_password("alice", &Concealed("password1234".into())).await;
    assert!(matches!(weak, Err(AccountError::Weak(_))));
    assert_eq!(sign_in(&gate, "alice", PASSWORD).await.status, 204, "what was refused changed nothing");
}

#[tokio::test]
async fn where_passwords_are_off_nobody_comes_in_by_one() {
    let gate = Gate::open_as(|config| config.passwords = false).await;
    let database = Database::Sqlite(gate.dir().join("portcullis.db"));
    let accounts = Accounts::open(&database, "local").await.unwrap();
    accounts.add("alice", &["users".into()], &Concealed(PASSWORD.into())).await.unwrap();
    sign_in(&gate, "alice", PASSWORD).await.is_problem(401);
    assert_eq!(gate.get("/api/sign-in/ways", None).await.json()["passwords"], false);
}

/// What a hash needs is bounded: who waits too long is told to come again, and nobody's password shows in what is said.
#[tokio::test]
async fn many_at_once_are_answered() {
    let gate = Gate::open().await;
    let database = Database::Sqlite(gate.dir().join("portcullis.db"));
    Accounts::open(&database, "local")
        .await
        .unwrap()
        .add("alice", &["users".into()], &Concealed(PASSWORD.into()))
        .await
        .unwrap();
    let tries = futures_util::future::join_all((0..12).map(|n| {
        let gate = &gate;
        async move { sign_in(gate, &format!("nobody-{n}"), PASSWORD).await.status.as_u16() }
    }));
    let (statuses, good) = tokio::join!(tries, sign_in(&gate, "alice", PASSWORD));
    assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
    assert!([204, 429].contains(&good.status.as_u16()));
}
