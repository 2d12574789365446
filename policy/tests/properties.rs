//! What holds for every set of policies and every request.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod written;

use portcullis_policy::{Action, ActionKind, PolicyFile, PolicySet, Situation, Subject, keys};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use written::{Written, action, defined, files, parse, place, several, subject, written};

proptest! {
    #[test]
    fn decisions_agree_with_the_definition(policies in several(), subject in subject(), place in place(), action in action()) {
        let set = parse(&files(&policies));
        let verdict = set.decide(&place.of(&subject).wants(action));
        prop_assert_eq!(verdict.effect, defined(&policies, &subject, &place, action), "{:?}", verdict);
    }

    #[test]
    fn one_more_deny_never_permits_more(
        policies in several(), extra in written(), subject in subject(), place in place(), action in action(),
    ) {
        let mut more = policies.clone();
        more.push(Written { allow: Vec::new(), ..extra });
        let request = place.of(&subject).wants(action);
        let (before, after) = (parse(&files(&policies)).decide(&request), parse(&files(&more)).decide(&request));
        prop_assert!(before.is_permit() || !after.is_permit(), "{:?} became {:?}", before, after);
    }

    #[test]
    fn one_more_action_in_a_deny_never_permits_more(
        policies in prop::collection::vec(written(), 1..6), at: Index, kind in select(&ActionKind::ALL[..]),
        subject in subject(), place in place(), action in action(),
    ) {
        let mut more = policies.clone();
        at.get_mut(&mut more).deny.push(kind);
        let request = place.of(&subject).wants(action);
        let (before, after) = (parse(&files(&policies)).decide(&request), parse(&files(&more)).decide(&request));
        prop_assert!(before.is_permit() || !after.is_permit(), "{:?} became {:?}", before, after);
    }

    #[test]
    fn less_is_permitted_where_more_is(policies in several(), subject in subject(), place in place(), more in 0..120_u64, less in 0..120_u64) {
        let set = parse(&files(&policies));
        let (less, more) = (less.min(more), less.max(more));
        let permits = |action| set.decide(&place.of(&subject).wants(action)).is_permit();
        for [less, more] in [[less, more].map(|bytes| Action::Paste { bytes }), [less, more].map(|bytes| Action::Upload { bytes })] {
            prop_assert!(!permits(more) || permits(less), "{:?} but not {:?}", more, less);
        }
    }

    #[test]
    fn what_is_permitted_without_knowing_is_permitted_when_it_is_known(
        policies in several(), subject in subject(), place in place(), action in action(),
    ) {
        let set = parse(&files(&policies));
        let situation = place.of(&subject);
        let unknown = Situation { at: None, from: None, ..situation };
        let (less, more) = (set.decide(&unknown.wants(action)), set.decide(&situation.wants(action)));
        prop_assert!(!less.is_permit() || more.is_permit(), "{:?} but {:?}", less, more);
    }

    #[test]
    fn the_strictest_of_what_is_asked_is_owed(policies in several(), subject in subject(), place in place()) {
        let owed = parse(&files(&policies)).obligations(&place.of(&subject));
        let asking: Vec<_> = policies.iter().filter(|policy| policy.applies(&subject, &place, false)).collect();
        let seconds = |minutes: u64| std::time::Duration::from_secs(minutes * 60);
        let idle = asking.iter().filter_map(|policy| policy.idle).min().map(seconds);
        let keep = asking.iter().filter_map(|policy| policy.keep).max().map(|days| seconds(days * 24 * 60));
        let strict = asking.iter().filter_map(|policy| policy.strict).max();
        prop_assert_eq!(owed.session.idle.map(|idle| idle.value.duration()), idle);
        prop_assert_eq!(owed.recording.keep.map(|keep| keep.value.duration()), keep);
        prop_assert_eq!(owed.recording.mode.unwrap().value.name(), if strict.unwrap_or(true) { "strict" } else { "best_effort" });
    }

    #[test]
    fn one_more_policy_never_asks_less(policies in several(), extra in written(), subject in subject(), place in place()) {
        let mut more = policies.clone();
        more.push(extra);
        let situation = place.of(&subject);
        let (before, after) = (parse(&files(&policies)).obligations(&situation), parse(&files(&more)).obligations(&situation));
        let idle = |owed: &portcullis_policy::Obligations| owed.session.idle.as_ref().map(|idle| idle.value);
        prop_assert!(idle(&before).is_none() || idle(&after) <= idle(&before));
        let stated = |owed: &portcullis_policy::Obligations| owed.recording.mode.as_ref().is_some_and(|mode| !mode.rule.is_default());
        prop_assert!(!stated(&before) || after.mode() >= before.mode());
    }

    #[test]
    fn the_order_of_files_does_not_matter(
        (sorted, shuffled) in several().prop_flat_map(|policies| {
            let files = files(&policies);
            (Just(files.clone()), Just(files).prop_shuffle())
        }),
        subject in subject(), place in place(), action in action(),
    ) {
        let (one, other) = (parse(&sorted), parse(&shuffled));
        let request = place.of(&subject).wants(action);
        prop_assert_eq!(one.revision(), other.revision());
        prop_assert_eq!(one.decide(&request), other.decide(&request));
        prop_assert_eq!(one.obligations(&request.situation), other.obligations(&request.situation));
        prop_assert_eq!(one.limits(&request.situation, action.kind()), other.limits(&request.situation, action.kind()));
    }

    #[test]
    fn an_unknown_key_is_always_a_fault(
        policies in prop::collection::vec(written(), 1..4), at: Index, place in 0..3_usize, key in "[a-z_]{1,12}",
    ) {
        prop_assume!(!keys().iter().any(|known| known.path.split(['.', '[']).any(|name| name == key)));
        let mut files = files(&policies);
        let file = &mut files[at.index(policies.len())];
        file.text = match place {
            0 => format!("'{key}': {{}}\n{}", file.text),
            1 => file.text.replacen("applies:\n", &format!("applies:\n  '{key}': [x]\n"), 1)
                .replacen("applies: {}", &format!("applies: {{'{key}': [x]}}"), 1),
            _ => file.text.replacen("allow:\n", &format!("allow:\n  '{key}': {{}}\n"), 1)
                .replacen("allow: {}", &format!("allow: {{'{key}': {{}}}}"), 1),
        };
        let name = file.name.clone();
        let errors = PolicySet::draft(&files).expect_err("an unknown key");
        let named = format!("unknown key `{key}`");
        prop_assert!(errors.iter().any(|error| error.file == name && error.reason.contains(&named)), "{:?}", errors);
    }

    #[test]
    fn nothing_that_is_asked_makes_it_panic(
        policies in several(), name in any::<String>(), groups in prop::collection::vec(any::<String>(), 0..4),
        issuer in any::<String>(), desktop in any::<String>(), action in action(), seconds in any::<u32>(), from: std::net::IpAddr,
    ) {
        let subject = Subject { name, groups, issuer };
        let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(u64::from(seconds) * 100);
        let situation = Situation::new(&subject, &desktop).at(at).from(from);
        let set = parse(&files(&policies));
        let verdict = set.decide(&situation.wants(action));
        prop_assert!(!verdict.reason.chars().any(char::is_control), "{:?}", verdict.reason);
        let _either = set.next_change(&situation);
    }

    #[test]
    fn nothing_that_is_read_makes_it_panic(text in "(\\PC|\n|  |: |- |\\[|\\{|\\*|&|!|'|\"|allow|policy|max_bytes|screen|mask){0,60}") {
        let _either = PolicySet::draft(&[PolicyFile { name: "a.yaml".into(), text }]);
    }

    #[test]
    fn a_cut_or_changed_policy_never_makes_it_panic(policy in written(), cut: Index, byte in any::<char>()) {
        let mut file = policy.file("p");
        let at = file.text.char_indices().map(|(at, _)| at).nth(cut.index(file.text.chars().count())).unwrap();
        let mut cut = file.clone();
        cut.text.truncate(at);
        let _either = PolicySet::draft(&[cut]);
        file.text.insert(at, byte);
        let _either = PolicySet::draft(&[file]);
    }
}
