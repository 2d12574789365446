//! An explanation names every policy and agrees with the decision.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod written;

use portcullis_policy::{Action, ActionKind, Effect, Holds, PolicyFile, PolicySet, Says, Situation, Subject};
use proptest::prelude::*;

fn set() -> PolicySet {
    let file = |name: &str, text: &str| PolicyFile { name: name.into(), text: text.into() };
    let files = [
        file(
            "a.yaml",
            "policy: a\napplies: {groups: [users]}\nallow:\n  control: {}\n  paste: {max_bytes: 4 KiB}\nsession: {idle: 15m}\n",
        ),
        file(
            "b.yaml",
            "policy: b\napplies: {groups: [users], networks: [10.0.0.0/8]}\nallow: {copy: {}}\nsession: {idle: 10m, viewers: 2}\n",
        ),
        file(
            "c.yaml",
            "policy: c\napplies: {desktops: [vault], hours: Mon 08:00-09:00 UTC}\ndeny: [{actions: [open]}]\n",
        ),
    ];
    PolicySet::draft(&files).unwrap().set
}

fn alice() -> Subject {
    Subject { name: "alice".into(), groups: vec!["users".into()], issuer: "https://id.example".into() }
}

#[test]
fn every_policy_is_named_with_the_conditions_that_keep_it_out() {
    let alice = alice();
    let explanation = set().explain(&Situation::new(&alice, "browser").from([192, 0, 2, 1].into()));
    let considered: Vec<_> = explanation
        .policies
        .iter()
        .map(|policy| (policy.policy.as_str(), policy.applies, policy.but.clone()))
        .collect();
    assert_eq!(
        considered,
        [("a", Holds::Yes, vec![]), ("b", Holds::No, vec!["networks"]), ("c", Holds::No, vec!["desktops"])]
    );
    let explanation = set().explain(&Situation::new(&alice, "vault"));
    let considered: Vec<_> = explanation.policies.iter().map(|policy| (policy.applies, policy.but.clone())).collect();
    assert_eq!(considered, [(Holds::Yes, vec![]), (Holds::Unknown, vec!["networks"]), (Holds::Unknown, vec!["hours"])]);
}

#[test]
fn the_effective_policy_is_told_with_the_rule_of_each_value() {
    let alice = alice();
    let explanation = set().explain(&Situation::new(&alice, "browser").from([10, 0, 0, 1].into()));
    let owed: Vec<_> =
        explanation.obligations.iter().map(|owed| format!("{} {} by {}", owed.key, owed.value, owed.rule)).collect();
    assert_eq!(
        owed,
        [
            "session.idle 10m by b.yaml:4 session.idle",
            "session.viewers 2 by b.yaml:4 session.viewers",
            "recording.mode strict by default recording.mode",
            "recording.keys counts by default recording.keys",
        ]
    );
    let permitted: Vec<_> =
        explanation.actions.iter().filter(|action| action.verdict.is_permit()).map(|action| action.action).collect();
    use ActionKind::{Control, Copy, Key, Open, Paste, Pointer, Watch};
    assert_eq!(permitted, [Open, Watch, Control, Key, Pointer, Paste, Copy]);
    let paste = explanation.actions.iter().find(|action| action.action == Paste).unwrap();
    assert_eq!(
        paste.limits.iter().map(|limit| format!("{} {}", limit.key, limit.value)).collect::<Vec<_>>(),
        ["max_bytes 4 KiB"]
    );
}

#[test]
fn an_action_is_explained_by_what_each_policy_says() {
    let alice = alice();
    let why =
        set().why(&Situation::new(&alice, "browser").from([10, 0, 0, 1].into()).wants(Action::Paste { bytes: 5000 }));
    assert_eq!(why.verdict.effect, Effect::Deny);
    let says: Vec<_> = why.steps.iter().map(|step| step.says.clone()).collect();
    assert!(
        matches!(&says[0], Some(Says::Limits(rule)) if rule.to_string() == "a.yaml:5 allow.paste.max_bytes"),
        "{says:?}"
    );
    assert_eq!(says[1..], [None, None]);
    let json = serde_json::to_value(&why).unwrap();
    assert_eq!(json["steps"][0]["says"]["limits"]["line"], 5);
    assert_eq!(json["steps"][0]["applies"], "yes");
}

proptest! {
    #[test]
    fn an_explanation_agrees_with_the_decision(
        policies in written::several(), subject in written::subject(), place in written::place(), action in written::action(),
    ) {
        let set = written::parse(&written::files(&policies));
        let request = place.of(&subject).wants(action);
        let (why, verdict) = (set.why(&request), set.decide(&request));
        prop_assert_eq!(&why.verdict, &verdict);
        let says = |wanted: fn(&Says) -> bool, sure: bool| {
            let counts = |holds: Holds| if sure { holds == Holds::Yes } else { holds != Holds::No };
            why.steps.iter().any(|step| counts(step.considered.applies) && step.says.as_ref().is_some_and(wanted))
        };
        let denied = says(|says| matches!(says, Says::Denies(_)), false);
        let limited = says(|says| matches!(says, Says::Limits(_)), false);
        let allowed = says(|says| matches!(says, Says::Allows(_) | Says::Limits(_)), true);
        let effect = if !denied && !limited && allowed { Effect::Permit } else { Effect::Deny };
        prop_assert_eq!(effect, verdict.effect, "{:#?}", why);
        if !verdict.rule.is_default() {
            let named = why.steps.iter().filter_map(|step| step.says.as_ref()).any(|says| match says {
                Says::Allows(rule) | Says::Limits(rule) => *rule == verdict.rule,
                Says::Redacts(rule) | Says::Alerts(rule) | Says::Denies(rule) => *rule == verdict.rule,
            });
            prop_assert!(named, "{} is no step of {:#?}", verdict.rule, why);
        }
    }

    #[test]
    fn the_effective_policy_agrees_with_the_decision(policies in written::several(), subject in written::subject(), place in written::place()) {
        let set = written::parse(&written::files(&policies));
        let situation = place.of(&subject);
        let explanation = set.explain(&situation);
        for allowance in explanation.actions {
            prop_assert_eq!(allowance.verdict, set.decide(&situation.wants(allowance.action.at_all())));
        }
        prop_assert_eq!(explanation.obligations, set.obligations(&situation).listed());
    }
}
