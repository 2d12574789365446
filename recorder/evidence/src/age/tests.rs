//! Recipients and identities: what is taken, what is refused by name, and what comes back.
use age::secrecy::ExposeSecret as _;
use proptest::prelude::*;

use super::*;

/// A new identity: the text of its private and of its public key.
fn new() -> (String, String) {
    let identity = x25519::Identity::generate();
    (identity.to_string().expose_secret().to_owned(), identity.to_public().to_string())
}

fn reason(lines: &str) -> String {
    Recipients::parse(lines.lines()).unwrap_err().to_string()
}

#[test]
fn each_recipient_opens_it_and_nobody_else() {
    let [(one, one_public), (two, two_public), (other, _)] = [new(), new(), new()];
    let text = format!("# auditors\n{one_public}\n\n  {two_public}\n");
    let recipients = Recipients::parse(text.lines()).unwrap();
    assert_eq!(recipients.names(), [one_public.clone(), two_public]);
    let sealed = recipients.seal(b"what was shown").unwrap();
    assert!(sealed.starts_with(b"age-encryption.org/v1\n-> X25519 "));
    for secret in [&one, &two, &format!("# created: today\n# public key: {one_public}\n{other}\n{one}\n")] {
        assert_eq!(Identities::read(secret).unwrap().open(&sealed, 14).unwrap(), b"what was shown");
    }
    let stranger = Identities::read(&other).unwrap().open(&sealed, 14).unwrap_err();
    assert!(matches!(stranger, AgeError::Stranger), "{stranger:?}");
    let short = Identities::read(&one).unwrap().open(&sealed, 13).unwrap_err();
    assert!(matches!(short, AgeError::TooLong(13)), "{short:?}");
}

#[test]
fn what_is_no_recipient_is_refused_by_its_line() {
    let (secret, public) = new();
    assert_eq!(reason(""), "line 1: there is no recipient");
    assert_eq!(reason(&format!("{public}\n# again\n{public}")), "line 3: this recipient is there twice");
    assert!(reason(&secret).contains("a private key: only its public half"), "{}", reason(&secret));
    assert!(!reason(&secret).contains(&secret), "a secret is never repeated");
    assert!(reason("ssh-ed25519 AAAAC3Nza").contains("an SSH key"));
    assert!(reason("age1pq1xyz").contains("not an X25519 key"));
    assert!(reason(&public.replace("age1", "age1q")).contains("mistyped"));
    assert!(reason(&public.to_uppercase()).starts_with("line 1: not"));
    let many: String = (0..=MAX_RECIPIENTS).map(|_| new().1 + "\n").collect();
    assert_eq!(reason(&many), "line 17: more than 16 recipients");
}

#[test]
fn what_is_no_identity_is_refused_by_its_line() {
    let (secret, public) = new();
    let reason = |text: &str| Identities::read(text).unwrap_err().to_string();
    assert_eq!(reason("# none\n"), "line 1: there is no identity");
    assert!(reason(&public).contains("a public key"));
    assert!(reason("age-encryption.org/v1\n-> scrypt").contains("an encrypted file of identities"));
    assert!(reason("AGE-PLUGIN-YUBIKEY-1QQ").contains("of a plugin"));
    let mistyped = format!("\n{}Q", secret.trim_end_matches('Q'));
    assert_eq!(reason(&mistyped), "line 2: not a private key: mistyped");
    let many: String = (0..=MAX_IDENTITIES).map(|_| new().0 + "\n").collect();
    assert_eq!(reason(&many), "line 65: more than 64 identities");
    let shown = format!("{:?}", Identities::read(&secret).unwrap());
    assert!(shown.contains(&public) && !shown.contains("SECRET"), "{shown}");
}

#[test]
fn every_changed_or_missing_byte_is_found() {
    let (secret, public) = new();
    let identities = Identities::read(&secret).unwrap();
    let sealed = Recipients::parse([public.as_str()]).unwrap().seal(b"some text").unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(identities.open(&changed, 100).is_err(), "byte {at}");
        assert!(identities.open(&sealed[..at], 100).is_err(), "cut at {at}");
    }
    assert!(identities.open(&[&sealed[..], b"x"].concat(), 100).is_err());
}

#[test]
fn a_header_without_end_is_not_read() {
    let (secret, _) = new();
    let endless = b"age-encryption.org/v1\n-> X25519 AAAA\n".iter().copied().chain(std::iter::repeat_n(b'A', 1 << 20));
    let error = Identities::read(&secret).unwrap().open(&endless.collect::<Vec<_>>(), 100).unwrap_err();
    assert!(matches!(error, AgeError::NotAge), "{error:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_is_sealed_in_pieces_comes_back(
        plain in prop::collection::vec(any::<u8>(), 0..200_000), piece in 1usize..70_000
    ) {
        let (secret, public) = new();
        let mut writer = Recipients::parse([public.as_str()]).unwrap().writer(Vec::new()).unwrap();
        for part in plain.chunks(piece) {
            writer.write_all(part).unwrap();
        }
        let sealed = writer.finish().unwrap();
        let identities = Identities::read(&secret).unwrap();
        let (length, _) = identities.measured(&sealed[..], sealed.len() as u64).unwrap();
        prop_assert_eq!(length, plain.len() as u64);
        prop_assert_eq!(identities.open(&sealed, plain.len()).unwrap(), plain);
    }
}
