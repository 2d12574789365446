//! The texts with which tokens and keys begin, by which they are found.

use crate::Known;

/// A text, and the detector that looks closely where it stands.
pub(super) const ANCHORS: [(&str, Known); 30] = [
    ("BEGIN ", Known::PrivateKey),
    ("PuTTY-User-Key-File-", Known::PrivateKey),
    ("AGE-SECRET-KEY-1", Known::PrivateKey),
    // "openssh-key-v1\0" in base64: OpenSSH's keys without their first line.
    ("b3BlbnNzaC1rZXktdjEA", Known::PrivateKey),
    // `{"`, `{ `, `{\n` and `{\r` in base64.
    ("eyJ", Known::Jwt),
    ("eyA", Known::Jwt),
    ("ewo", Known::Jwt),
    ("ew0", Known::Jwt),
    ("AKIA", Known::AwsKey),
    ("ASIA", Known::AwsKey),
    ("ecret_access_key", Known::AwsKey),
    ("ECRET_ACCESS_KEY", Known::AwsKey),
    ("ecretAccessKey", Known::AwsKey),
    ("ecret_key", Known::AwsKey),
    ("ghp_", Known::GithubToken),
    ("gho_", Known::GithubToken),
    ("ghu_", Known::GithubToken),
    ("ghs_", Known::GithubToken),
    ("ghr_", Known::GithubToken),
    ("github_pat_", Known::GithubToken),
    ("xox", Known::SlackToken),
    ("xapp-", Known::SlackToken),
    ("hooks.slack.com/", Known::SlackToken),
    ("hooks.slack-gov.com/", Known::SlackToken),
    ("AIza", Known::GoogleKey),
    ("GOCSPX-", Known::GoogleKey),
    ("private_key_id", Known::GoogleKey),
    ("private_key\"", Known::GoogleKey),
    ("private_key\\\"", Known::GoogleKey),
    ("private_key'", Known::GoogleKey),
];
