//! SSH signatures of commits: who of the allowed signers made one, by `ssh-keygen`, at this moment.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::run::{Said, inherit, run};

/// What signatures of commits are made for; one for files or mails is none.
const NAMESPACE: &str = "git";
/// Principals that one key may stand for; more are not tried.
const MOST_PRINCIPALS: usize = 32;
/// How an SSH signature begins; any other kind is not taken.
const SSH_SIGNATURE: &str = "-----BEGIN SSH SIGNATURE-----\n";

/// The principal that signed a commit, by a file of allowed signers. The key must be valid now: what a commit says of its own time is its author's
/// word, and an old key could be used with an old date for ever.
///
/// # Errors
/// When the commit is not signed by SSH, or by no key that is allowed and valid, or the signature does not match.
pub(in crate::policy) fn verify(commit: &[u8], signers: &Path, scratch: &Path) -> anyhow::Result<String> {
    let (signature, payload) = parts(commit)?;
    ensure!(!signature.is_empty(), "it is not signed, and only signed commits count here");
    ensure!(signature.starts_with(SSH_SIGNATURE), "it is signed, but not by an SSH key");
    let file = scratch.join("signature");
    write(&file, &signature).with_context(|| format!("{} cannot be written", file.display()))?;
    let result = principal(&file, &payload, signers);
    let _ = fs::remove_file(&file);
    result
}

fn principal(signature: &Path, payload: &[u8], signers: &Path) -> anyhow::Result<String> {
    let found = keygen(&["find-principals"], signature, signers, &[])?;
    ensure!(
        found.status.success(),
        "no allowed signer has the key that signed it, or not any more: {}",
        found.complaint
    );
    let mut reason = String::new();
    for name in String::from_utf8_lossy(&found.answer).lines().take(MOST_PRINCIPALS) {
        let said = keygen(&["verify", "-n", NAMESPACE, "-I", name], signature, signers, payload)?;
        if said.status.success() {
            return Ok(name.chars().filter(|c| !c.is_control()).collect());
        }
        reason = said.complaint;
    }
    bail!("its signature is not good: {reason}")
}

fn keygen(what: &[&str], signature: &Path, signers: &Path, input: &[u8]) -> anyhow::Result<Said> {
    let mut command = Command::new("ssh-keygen");
    command.env_clear().env("LC_ALL", "C");
    // The signers' times are read in UTC where they do not say so themselves, wherever the gate runs.
    command.env("TZ", "UTC");
    inherit(&mut command, &["PATH"]);
    command.arg("-Y").args(what).arg("-s").arg(signature).arg("-f").arg(signers);
    run(command, input)
}

/// A commit's signature, and what it is of: the commit without it.
fn parts(commit: &[u8]) -> anyhow::Result<(String, Vec<u8>)> {
    let (mut signature, mut payload) = (String::new(), Vec::with_capacity(commit.len()));
    let (mut rest, mut within, mut seen) = (commit, false, false);
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = rest.split_at(end.saturating_add(1));
        if line == b"\n" {
            break;
        }
        rest = after;
        let first = line.strip_prefix(b"gpgsig ");
        ensure!(!line.starts_with(b"gpgsig-"), "it has a signature of another object format");
        ensure!(first.is_none() || !seen, "it has more than one signature");
        within = first.is_some() || within && line.starts_with(b" ");
        seen |= first.is_some();
        match first.or(line.strip_prefix(b" ")) {
            Some(text) if within => signature.push_str(std::str::from_utf8(text).context("its signature is no text")?),
            _ => payload.extend_from_slice(line),
        }
    }
    payload.extend_from_slice(rest);
    Ok((signature, payload))
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &[u8] = b"tree 0\nparent 1\nauthor A\ngpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----\nencoding x\n\nsaid\n\ngpgsig no\n";

    #[test]
    fn a_signature_is_taken_out_of_its_commit() {
        let (signature, payload) = parts(COMMIT).unwrap();
        assert_eq!(signature, "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n");
        assert_eq!(payload, b"tree 0\nparent 1\nauthor A\nencoding x\n\nsaid\n\ngpgsig no\n");
        let (signature, payload) = parts(&payload).unwrap();
        assert!(signature.is_empty() && payload.ends_with(b"gpgsig no\n"));
    }

    #[test]
    fn what_is_ambiguous_is_refused() {
        let twice = b"tree 0\ngpgsig a\n b\ngpgsig c\n\nsaid\n";
        assert!(parts(twice).unwrap_err().to_string().contains("more than one"));
        let other = b"tree 0\ngpgsig-sha256 a\n b\n\nsaid\n";
        assert!(parts(other).unwrap_err().to_string().contains("another object format"));
    }
}
