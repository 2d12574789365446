//! Policy files: any text is refused with its errors or is a policy; what nothing permits is denied.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_policy::{Cases, PolicyFile, PolicySet, Surroundings, diff};

fuzz_target!(|text: &str| {
    let files = [PolicyFile { name: "a.yaml".into(), text: text.into() }];
    match PolicySet::parse(&files) {
        Ok(set) => assert_eq!(set.revision(), PolicySet::parse(&files).expect("once more").revision()),
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(error.to_string().starts_with("a.yaml:"), "{error}");
            }
        }
    }
    if let Ok(draft) = PolicySet::draft(&files) {
        assert!(draft.set.check(Surroundings::default()).iter().all(|finding| finding.rule.file == "a.yaml"));
        assert!(diff(&draft.set, &draft.set).is_empty());
    }
    if let Ok(cases) = Cases::parse(&files) {
        assert_eq!(cases.run(&PolicySet::deny_all()).len(), cases.len());
    }
});
