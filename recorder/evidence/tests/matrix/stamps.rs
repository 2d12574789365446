//! Time stamps put wrong: by a bit of each byte, and by authorities that do not as they should.
use std::fs;

use portcullis_evidence::{Authorities, stamp};

use crate::Bench;
use crate::bundle::kinds::{self, Tsa};

#[test]
fn each_byte_of_a_time_stamp() {
    let mut bench = Bench::new();
    let good = fs::read(bench.good("stamped").join("seal.tsr")).unwrap();
    for i in 0..good.len() {
        // All bits of what is around the signature, where nobody but its form keeps it.
        let bits = if i < 66 || i > good.len() - 330 { 0..8 } else { i % 8..i % 8 + 1 };
        for bit in bits {
            let dir = bench.copy("stamped", format!("byte {i}, bit {bit}"));
            let mut bad = good.clone();
            bad[i] ^= 1 << bit;
            fs::write(dir.join("seal.tsr"), bad).unwrap();
        }
    }
    // Granted, or granted with modifications: nobody signs which.
    bench.agree(|what, (verdict, _)| verdict == "bad_time_stamp" || what == "byte 8, bit 0");
}

#[test]
fn lengths_that_are_not_the_shortest() {
    let mut bench = Bench::new();
    let good = fs::read(bench.good("stamped").join("seal.tsr")).unwrap();
    assert_eq!(good[..2], [0x30, 0x82], "a sequence of more than 255 bytes");
    let longer = [&[0x30, 0x83, 0][..], &good[2..]].concat();
    let dir = bench.copy("stamped", "longer".to_owned());
    fs::write(dir.join("seal.tsr"), longer).unwrap();
    bench.agree(|_, (verdict, _)| verdict == "bad_time_stamp");
}

#[test]
fn authorities_that_do_not_as_they_should() {
    let mut bench = Bench::new();
    let (weak, old) = (Tsa::new("rsa:1024", "sha256"), Tsa::new("rsa:2048", "sha256"));
    let all = [bench.tsa.authority(), weak.authority(), old.authority()].concat();
    bench.trusts(&kinds::key_list(), &all);
    for what in ["good sha256", "bad sha512", "bad weak", "bad sha1", "good rsa"] {
        let dir = bench.copy("closed", what.to_owned());
        match what {
            "bad weak" => weak.stamp(&dir),
            "bad sha1" => {
                old.change("signer_digest=sha256", "signer_digest=sha1");
                old.stamp(&dir);
                old.change("signer_digest=sha1", "signer_digest=sha384");
            }
            "good rsa" => old.stamp(&dir),
            other => bench.tsa.stamp_by(&other[other.len() - 6..], &dir),
        }
    }
    bench.agree(|what, (verdict, _)| verdict == if what.starts_with("good") { "sound" } else { "bad_time_stamp" });
}

#[test]
fn a_key_revoked_within_the_second_of_the_stamp() {
    for (later, expected) in [(0, "revoked_key"), (1, "sound")] {
        let mut bench = Bench::new();
        let dir = bench.copy("stamped", expected.to_owned());
        let authorities = Authorities::from_pem(&bench.tsa.authority()).unwrap();
        let (answer, seal) = (fs::read(dir.join("seal.tsr")).unwrap(), fs::read(dir.join("seal.json")).unwrap());
        let stamped = authorities.verify(&answer, &seal, None).unwrap().time;
        let mut list = kinds::key_list();
        list.keys[0].revoked = stamp(stamped + time::Duration::microseconds(later));
        let authority = bench.tsa.authority();
        bench.trusts(&list, &authority);
        bench.agree(|what, (verdict, _)| verdict == what);
    }
}
