//! Keys that were renewed and revoked, and what a time stamp is worth beside them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;

use std::fs;
use std::path::Path;

use bundle::kinds::{self, Tsa, key_list, trust};
use bundle::{ending, key, manifest};
use portcullis_evidence::{
    Authorities, BundleFolder, BundleWriter, Ending, KeyList, KeyListError, Kind, Report, SigningKey, State,
    TimeStampError, Trust, time_stamp_request, verify_at,
};

/// Long after every time stamp that this test makes.
const LATER: &str = "2126-01-31T00:00:00.000000Z";
/// Before every one of them, and after what the bundles say of their own time.
const BEFORE: &str = "2026-01-31T12:00:00.000000Z";

fn faults(report: &Report) -> Vec<(&str, Kind)> {
    report.faults.iter().map(|fault| (fault.path.as_str(), fault.kind)).collect()
}

fn look(dir: &Path, trust: &Trust) -> Report {
    verify_at(&BundleFolder::at(dir), trust)
}

fn revoked(when: &str) -> KeyList {
    let mut list = key_list();
    list.keys[0].revoked = when.to_owned();
    list.keys[0].reason = "the machine was broken into".to_owned();
    list
}

#[test]
fn a_list_goes_there_and_back_pinned_or_signed() {
    let (list, root) = (revoked(BEFORE), SigningKey::generate(&[5; 32]));
    let roots = [root.verifying_key()];
    let pinned = list.to_bytes().unwrap();
    assert_eq!(KeyList::from_bytes(&pinned, &[]).unwrap(), list);
    let signed = list.sign(&root).unwrap();
    assert_eq!(KeyList::from_bytes(&signed, &roots).unwrap(), list);
    assert!(matches!(KeyList::from_bytes(&signed, &[]), Err(KeyListError::Signed)));
    assert!(matches!(KeyList::from_bytes(&pinned, &roots), Err(KeyListError::Unsigned(_))));
    let stranger = [SigningKey::generate(&[6; 32]).verifying_key()];
    assert!(matches!(KeyList::from_bytes(&signed, &stranger), Err(KeyListError::Unsigned(_))));
    for i in 0..signed.len() {
        let mut bad = signed.clone();
        bad[i] ^= 1;
        assert!(KeyList::from_bytes(&bad, &roots).is_err(), "byte {i}");
    }
}

#[test]
fn a_list_that_says_nonsense_is_none() {
    let refused = |edit: fn(&mut KeyList)| {
        let mut list = key_list();
        edit(&mut list);
        assert!(list.to_bytes().is_err(), "{list:?}");
    };
    refused(|list| list.v = 2);
    refused(|list| list.issued = "now".to_owned());
    refused(|list| list.keys[0].from = String::new());
    refused(|list| list.keys[0].until = "2026".to_owned());
    refused(|list| list.keys[0].revoked = "yes".to_owned());
    refused(|list| list.keys[0].kty = "RSA".to_owned());
    refused(|list| list.keys[0].crv = "Ed448".to_owned());
    refused(|list| list.keys[0].kid = list.keys[1].kid.clone());
    refused(|list| list.keys[0].x = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned());
    refused(|list| list.keys[1] = list.keys[0].clone());
    refused(|list| list.keys = vec![list.keys[0].clone(); 1001]);
    let long = vec![b' '; portcullis_evidence::MAX_KEY_LIST_BYTES + 1];
    assert!(matches!(KeyList::from_bytes(&long, &[]), Err(KeyListError::TooLong)));
}

#[test]
fn a_key_counts_within_its_validity() {
    let folder = tempfile::tempdir().unwrap();
    let (rotated, closed) = (folder.path().join("rotated"), folder.path().join("closed"));
    kinds::interrupted(&rotated, kinds::new_key());
    kinds::closed(&closed);
    let of = |list: &KeyList| Trust::listed(list).unwrap();
    assert_eq!(faults(&look(&rotated, &of(&key_list()))), []);
    // The bundle says that it began at 10:00 and ended at 10:01.
    let mut early = key_list();
    early.keys[0].until = "2026-01-31T10:00:15.000000Z".to_owned();
    let of_the_end = [("chain/00002.jws", Kind::KeyNotValid)];
    assert_eq!(faults(&look(&rotated, &of(&early))), of_the_end);
    let whole = [("seal.json", Kind::KeyNotValid), of_the_end[0], ("chain/00003.jws", Kind::KeyNotValid)];
    assert_eq!(faults(&look(&closed, &of(&early))), whole);
    let mut late = key_list();
    late.keys[0].from = "2026-01-31T10:00:00.000001Z".to_owned();
    let report = look(&closed, &of(&late));
    assert_eq!(faults(&report), [("session.json", Kind::KeyNotValid)]);
    assert_eq!(report.verdict().exit_code(), 8);
}

#[test]
fn of_a_revoked_key_only_what_was_stamped_before_holds() {
    let tsa = Tsa::new("ec", "sha256");
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("b");
    kinds::closed(&dir);
    let signed = ["seal.json", "chain/00001.jws", "chain/00002.jws", "chain/00003.jws"];
    let all = signed.map(|file| (file, Kind::RevokedKey));
    // Without a stamp there is only the bundle's own word for its age, which a thief can give as well.
    assert_eq!(faults(&look(&dir, &trust(&revoked(LATER), &tsa.authority()))), all);
    tsa.stamp(&dir);
    assert_eq!(faults(&look(&dir, &trust(&revoked(LATER), &tsa.authority()))), []);
    assert_eq!(faults(&look(&dir, &trust(&revoked(BEFORE), &tsa.authority()))), all);
    // A stamp that nobody is there to vouch for is none.
    assert_eq!(faults(&look(&dir, &Trust::listed(&revoked(LATER)).unwrap())), all);
    // Keys that did not sign it may be revoked at any time.
    let mut other = key_list();
    other.keys[1].revoked = BEFORE.to_owned();
    assert_eq!(faults(&look(&dir, &trust(&other, &tsa.authority()))), []);
}

#[test]
fn a_clock_that_was_ahead_is_found_by_the_stamp() {
    let tsa = Tsa::new("ec", "sha256");
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("b");
    let mut writer = BundleWriter::create(&dir, &manifest(), key()).unwrap();
    writer.seal(Ending { ended: LATER.to_owned(), ..ending(State::Closed) }).unwrap();
    tsa.stamp(&dir);
    let trust = Trust::of(&bundle::keys()).with_authorities(&tsa.authority()).unwrap();
    assert_eq!(faults(&look(&dir, &trust)), [("seal.json", Kind::WrongClock)]);
}

#[test]
fn stamps_of_real_authorities_are_verified() {
    for (kind, hash) in [("rsa:2048", "sha256"), ("rsa:3072", "sha1"), ("ec", "sha512")] {
        let tsa = Tsa::new(kind, hash);
        let authorities = Authorities::from_pem(&tsa.authority()).unwrap();
        let answer = tsa.answer(&time_stamp_request(b"seal", 7));
        authorities.verify(&answer, b"seal", Some(7)).unwrap_or_else(|error| panic!("{kind} {hash}: {error}"));
        assert_eq!(authorities.verify(&answer, b"seal", Some(8)), Err(TimeStampError::OtherNonce));
        assert_eq!(authorities.verify(&answer, b"deal", Some(7)), Err(TimeStampError::OtherImprint));
        let other = Authorities::from_pem(&Tsa::new("ec", "sha256").authority()).unwrap();
        assert!(matches!(other.verify(&answer, b"seal", None), Err(TimeStampError::Signer(_))));
        // The certificate of the signer alone is no authority for itself, and one for code is none for time.
        fs::write(tsa.path("q"), time_stamp_request(b"seal", 7)).unwrap();
        let refused = Authorities::from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        assert_eq!(refused.unwrap_err(), TimeStampError::Authorities);
    }
    assert_eq!(Authorities::from_pem("").unwrap_err(), TimeStampError::Authorities);
}

#[test]
fn a_byte_put_wrong_in_a_stamp_never_makes_it_another_one() {
    let tsa = Tsa::new("ec", "sha256");
    let authorities = Authorities::from_pem(&tsa.authority()).unwrap();
    let answer = tsa.answer(&time_stamp_request(b"seal", 7));
    let time = authorities.verify(&answer, b"seal", None).unwrap();
    let mut held = 0;
    for i in 0..answer.len() {
        for bit in 0..8 {
            let mut bad = answer.clone();
            bad[i] ^= 1 << bit;
            // What is not under the signature may differ; what it says may not.
            if let Ok(said) = authorities.verify(&bad, b"seal", None) {
                assert_eq!(said, time, "byte {i}, bit {bit}");
                held += 1;
            }
        }
        assert!(authorities.verify(&answer[..i], b"seal", None).is_err(), "cut to {i}");
    }
    assert!(held < answer.len(), "{held} changes of {} bytes were not felt", answer.len());
}
