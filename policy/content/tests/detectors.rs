//! What each built-in detector takes, and what is near it and must not be taken.
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod made;

use made::{ALPHANUMERIC, Dice, card, found, github, iban, jwt, pem};
use portcullis_content::Known;

/// The detector finds exactly what stands between `«` and `»`.
fn check(known: Known, marked: &str) {
    let text = marked.replace(['«', '»'], "");
    let expected: Vec<&str> = marked.split('«').skip(1).map(|part| part.split('»').next().unwrap()).collect();
    assert_eq!(found(known, &text), expected, "{known} in {text:?}");
}

#[test]
fn cards_have_issuer_length_and_check_digit() {
    // Numbers that payment processors publish for tests.
    for number in [
        "4111111111111111",
        "4012888888881881",
        "5555555555554444",
        "5105105105105100",
        "2223003122003222",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "6011000990139424",
        "30569309025904",
        "38520000023237",
        "3530111333300000",
        "3566002020360505",
        "6200000000000005",
        "4000000000000000006",
        "2200000000000004",
    ] {
        check(Known::PaymentCard, &format!("«{number}»"));
    }
    for text in [
        "pay with «4111 1111 1111 1111», please",
        "«4111-1111-1111-1111»",
        "«4111.1111.1111.1111»",
        "«3782 822463 10005»",
        "«3056 930902 5904»",
        "«4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1»",
        "«41 11 11 11 11 11 11 11»",
        "«4111 11111111 1111»",
        "card «4111 1111 1111 1111» 12 27",
        "«4111 1111 1111 1111» 1227 123",
        "1,«4111111111111111»,\"x\"",
        "卡号«4111111111111111»有效",
        "#«4111111111111111».",
        "«4111111111111111» «5555555555554444»",
    ] {
        check(Known::PaymentCard, text);
    }
    for text in [
        // Check digit, issuer, length.
        "4111111111111112",
        "4111 1111 1111 1112",
        "1111111111111117",
        "411111111111116",
        "4222222222222",
        "0000000000000000",
        // Part of something longer.
        "41111111111111111",
        "x4111111111111111",
        "4111111111111111x",
        "0.4111111111111111",
        "4111111111111111.5",
        "9999 4111 1111 1111 1111",
        "4111 1111 1111 1111 9999 1",
        "4111  1111  1111  1111",
        "4111 1111-1111 1111",
        "id_4111111111111111",
        "4111.11.11.1111.1111",
    ] {
        check(Known::PaymentCard, text);
    }
    let mut dice = Dice(1);
    for prefix in [
        "4", "51", "55", "2221", "2720", "3528", "3589", "6011", "649", "65", "62", "6304", "2204", "8171", "9792",
        "508",
    ] {
        let number = card(&mut dice, prefix);
        check(Known::PaymentCard, &format!("«{number}»"));
        // Luhn's digit finds every wrong digit.
        let last = u32::from(number.as_bytes()[15] - b'0');
        check(Known::PaymentCard, &format!("{}{}", &number[..15], (last + 1 + dice.below(9) as u32) % 10));
    }
}

#[test]
fn accounts_have_the_shape_of_their_country_and_check_digits() {
    // Examples of the registry.
    for text in [
        "«DE89370400440532013000»",
        "«DE89 3704 0044 0532 0130 00»",
        "«GB29 NWBK 6016 1331 9268 19»",
        "«FR14 2004 1010 0505 0001 3M02 606»",
        "«NO93 8601 1117 947»",
        "«MT84MALT011000012345MTLCAST001S»",
        "«ch93 0076 2011 6238 5295 7»",
        "«BR18 0036 0305 0000 1000 9795 493C 1»",
        "IBAN:«NL91-ABNA-0417-1643-00».",
        "«LC55HEMM000100010012001200023015»",
        "«DE89 3704 0044 0532 0130 00» COBADEFFXXX",
        "«NO 93 8601.11.17947»",
    ] {
        check(Known::Iban, text);
    }
    for text in [
        "DE89370400440532013001",
        "no 93 8601 11 17947",
        "GB01 BARC 2071 4583 6083 87",
        "DE88370400440532013000",
        "US89370400440532013000",
        "GB29601613319268190000NWBK",
        "xDE89370400440532013000",
        "DE893704004405320130000",
        "DE89370400440532013000a",
        "DE8937040044053201300",
        "DE89  3704  0044 0532 0130 00",
    ] {
        check(Known::Iban, text);
    }
    let mut dice = Dice(2);
    for (country, account) in [
        ("AT", dice.digits(16)),
        ("PL", dice.digits(24)),
        ("IE", format!("AIBK{}", dice.digits(14))),
        ("SE", dice.digits(20)),
    ] {
        let number = iban(country, &account);
        check(Known::Iban, &format!("«{number}»"));
        let swapped: String = [&number[..6], &number[7..8], &number[6..7], &number[8..]].concat();
        if swapped != number && number[6..7] != number[7..8] {
            check(Known::Iban, &swapped);
        }
    }
}

#[test]
fn social_security_numbers_follow_the_rules_of_issue() {
    for text in [
        "«219-09-9999»",
        "SSN: «219 09 9999»",
        "Social Security Number is «219099999»",
        "ssn=«219.09.9999»",
        "(«001-01-0001»)",
        "«899-99-9999»",
    ] {
        check(Known::UsSsn, text);
    }
    for text in [
        "219 09 9999",
        "219099999",
        "219.09.9999",
        "assn 219099999",
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "219-00-9999",
        "219-09-0000",
        "219-09-99991",
        "1-219-09-9999",
        "219-09-9999-1",
        "a219-09-9999",
        "219-09 9999",
        "2190-9-9999",
    ] {
        check(Known::UsSsn, text);
    }
}

#[test]
fn german_tax_ids_repeat_one_digit_and_have_a_check_digit() {
    for text in [
        "«86095742719»",
        "«47036892816»",
        "«65929970489»",
        "IdNr. «86 095 742 719»",
        "«57549285017»",
        "«25768131411»",
        "«86-095-742-719»",
    ] {
        check(Known::GermanTaxId, text);
    }
    for text in [
        "86095742718",
        "12345678903",
        "11145678909",
        "00000000000",
        "06095742716",
        "860957427190",
        "x86095742719",
        "1 86 095 742 719",
        "86.095.742.719",
        "86095742719.5",
    ] {
        check(Known::GermanTaxId, text);
    }
}

#[test]
fn private_keys_are_found_whole() {
    let mut dice = Dice(3);
    for label in [
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "DSA PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
    ] {
        let key = pem(&mut dice, label);
        check(Known::PrivateKey, &format!("key:\n«{key}»\nend"));
        check(Known::PrivateKey, &format!("{{\"k\": \"«{}»\\n\"}}", key.replace('\n', "\\n")));
        check(Known::PrivateKey, &format!("x\n«{}»", key.split("\n-----END").next().unwrap()));
    }
    let ssh2 = pem(&mut dice, "SSH2 ENCRYPTED PRIVATE KEY")
        .replace("-----BEGIN", "---- BEGIN")
        .replace("-----END", "---- END")
        .replace("KEY-----", "KEY ----");
    check(Known::PrivateKey, &format!("«{ssh2}»"));
    let headers = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0011223344556677\n\n";
    check(
        Known::PrivateKey,
        &format!("«{}»", pem(&mut dice, "RSA PRIVATE KEY").replacen("KEY-----\n", &format!("KEY-----\n{headers}"), 1)),
    );
    let lines: Vec<String> = (0..9).map(|_| dice.text(ALPHANUMERIC, 64)).collect();
    let putty = format!(
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: k\nPublic-Lines: 2\n{}\nPrivate-Lines: 1\n{}\nPrivate-MAC: {}",
        lines[..2].join("\n"),
        lines[2],
        "0123456789abcdef".repeat(4),
    );
    check(Known::PrivateKey, &format!("«{putty}»\n"));
    let openssh = format!("b3BlbnNzaC1rZXktdjEA{}", lines.join("\n"));
    check(Known::PrivateKey, &format!("«{openssh}\n»\nthat"));
    check(Known::PrivateKey, &format!("«AGE-SECRET-KEY-1{}»", dice.text("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)));
    for text in [
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "if line == \"-----BEGIN RSA PRIVATE KEY-----\" { return parse(line); }",
        "-----BEGIN PRIVATE KEY-----\nthis is where your own private key has to be put by yourself\n-----END PRIVATE KEY-----",
        "/// -----BEGIN PRIVATE KEY-----\n/// ```\n/// # Errors\n/// - Returns `Error::Asn1` if the key cannot be understood by CertificateParser::read_from_bytes",
        "-----BEGIN PRIVATE KEY-----\n```\nThis is how the first line of a key looks; the rest is told of at the place of its author, in words that \
         are many more than https://example.org/Rfc5958AsymmetricKeyPackages/Section2OneAsymmetricKey has characters",
        "PuTTY-User-Key-File-3: none",
        "AGE-SECRET-KEY-1EXAMPLE",
    ] {
        check(Known::PrivateKey, text);
    }
    check(Known::PrivateKey, &pem(&mut dice, "CERTIFICATE"));
    check(Known::PrivateKey, &pem(&mut dice, "PUBLIC KEY"));
}

#[test]
fn tokens_have_a_header_that_names_its_algorithm() {
    let mut dice = Dice(4);
    let claims = r#"{"sub":"1234567890","name":"John Doe","iat":1516239022}"#;
    for header in
        [r#"{"alg":"HS256","typ":"JWT"}"#, "{ \"typ\": \"JWT\",\n \"alg\": \"EdDSA\" }", "{\n\"alg\":\"RS256\"}"]
    {
        check(Known::Jwt, &format!("Authorization: Bearer «{}»", jwt(&mut dice, header, claims)));
    }
    let unsigned = jwt(&mut dice, r#"{"alg":"none"}"#, "{}");
    check(Known::Jwt, &format!("«{}»", &unsigned[..=unsigned.rfind('.').unwrap()]));
    let encrypted = jwt(&mut dice, r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#, "{}") + ".abc.def";
    check(Known::Jwt, &format!("«{encrypted}»"));
    for (header, claims) in [
        (r#"{"typ":"JWT"}"#, claims),
        (r#"{"alg":7}"#, claims),
        (r#"{"alg":"HS256""#, claims),
        (r#"{"alg":"HS256"}"#, "[1, 2, 3, 4, 5]"),
    ] {
        check(Known::Jwt, &jwt(&mut dice, header, claims));
    }
    let two = jwt(&mut dice, r#"{"alg":"HS256"}"#, claims);
    check(Known::Jwt, &two[..two.rfind('.').unwrap()]);
    check(Known::Jwt, &format!("x{two}"));
}

#[test]
fn keys_of_aws_have_an_account_and_their_secret_beside_them() {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    for text in [
        "«AKIAIOSFODNN7EXAMPLE»",
        "«ASIAY34FZKBOKMUTVV7A»",
        "aws_access_key_id = «AKIAIOSFODNN7EXAMPLE»\naws_secret_access_key = «{}»\n",
        "secretAccessKey: '«{}»'",
        "AWS_SECRET_ACCESS_KEY=«{}»",
        "«AKIAIOSFODNN7EXAMPLE»,«{}»",
        "\"SecretAccessKey\": \"«{}»\"",
    ] {
        check(Known::AwsKey, &text.replace("{}", secret));
    }
    for text in [
        "AKIAIOSFODNN7EXAMPL",
        "AKIAIOSFODNN7EXAMPLEX",
        "akiaiosfodnn7example",
        "AKIAIOSFODNN1EXAMPLE",
        "XAKIAIOSFODNN7EXAMPLE",
        "AKIA7777777777777777",
        "{}",
        "aws_secret_access_key = da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "aws_secret_access_key = {}x",
        "the secret_access_key is read from {path}",
    ] {
        check(Known::AwsKey, &text.replace("{}", secret));
    }
}

#[test]
fn tokens_of_github_have_a_checksum() {
    // GitHub's own example of its format.
    check(Known::GithubToken, "«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»");
    check(Known::GithubToken, "ghp_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18");
    let mut dice = Dice(5);
    for prefix in ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"] {
        for length in [36, 76] {
            let token = github(&mut dice, prefix, length);
            check(Known::GithubToken, &format!("https://x:«{token}»@github.com"));
            check(Known::GithubToken, &token.replace(prefix, "ghx_"));
            check(Known::GithubToken, &token[..token.len() - 1]);
        }
    }
    let fine = format!("github_pat_{}_{}", dice.text(ALPHANUMERIC, 22), dice.text(ALPHANUMERIC, 59));
    check(Known::GithubToken, &format!("token=«{fine}»"));
    check(Known::GithubToken, &format!("token={fine}x"));
    check(Known::GithubToken, "github_pat_YOUR_TOKEN_HERE");
}

#[test]
fn tokens_of_slack_have_their_parts() {
    let mut dice = Dice(6);
    let (a, b, tail) = (dice.digits(12), dice.digits(13), dice.text(ALPHANUMERIC, 24));
    let long = dice.text("0123456789abcdef", 64);
    for text in [
        format!("«xoxb-{a}-{b}-{tail}»"),
        format!("«xoxp-{a}-{a}-{b}-{}»", &long[..32]),
        format!("«xoxe.xoxb-1-{long}{long}»"),
        format!("«xoxe-1-{long}{long}»"),
        format!("«xapp-1-A01BCDEFGHI-{b}-{long}»"),
        format!("https://«hooks.slack.com/services/T01ABCDEF/B01ABCDEF/{tail}»"),
        format!("d=«xoxd-{long}%2B»"),
        format!("https://«hooks.slack.com/triggers/E01ABCDEF/{b}/{}»?", &long[..32]),
    ] {
        check(Known::SlackToken, &text);
    }
    for text in [
        "xoxb-your-token-here".to_owned(),
        format!("xoxb-{a}-{b}-xxxxxxxxxxxxxxxxxxxxxxxx").replace(|digit: char| digit.is_ascii_digit(), "0"),
        format!("xoxz-{a}-{b}-{tail}"),
        format!("axoxb-{a}-{b}-{tail}"),
        "https://hooks.slack.com/services/T000/B000/XXXX".to_owned(),
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX".to_owned(),
        "xapp-1-A01-2-3".to_owned(),
    ] {
        check(Known::SlackToken, &text);
    }
}

#[test]
fn keys_of_google_have_their_length() {
    let mut dice = Dice(7);
    let (key, secret) = (dice.text(ALPHANUMERIC, 35), dice.text(ALPHANUMERIC, 28));
    let pem = pem(&mut dice, "PRIVATE KEY").replace('\n', "\\n");
    for text in [
        format!("key=«AIza{key}»&x"),
        format!("\"«GOCSPX-{secret}»\""),
        format!(
            "{{\"type\": \"service_account\", \"private_key_id\": \"«{}»\", \"private_key\": \"«{pem}»\\n\"}}",
            dice.text("0123456789abcdef", 40)
        ),
    ] {
        check(Known::GoogleKey, &text);
    }
    for text in [
        format!("AIza{key}x"),
        format!("AIza{}", &key[1..]),
        format!("xAIza{key}"),
        format!("AIza{}", "x".repeat(35)),
        format!("GOCSPX-{secret}x"),
        "\"private_key_id\": \"...\", \"private_key\": \"...\"".to_owned(),
    ] {
        check(Known::GoogleKey, &text);
    }
}
