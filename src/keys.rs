//! The gate's two keys: one signs tokens, one signs evidence; made once, private to the gate's user.

use std::path::Path;

use anyhow::Context;
use portcullis_evidence::SigningKey;
use portcullis_proxy::token::{create_key_file, load_key_file};

use crate::config::Config;
use crate::data::Data;
use crate::key_list;

/// The file of the public half that proves recordings.
pub(crate) const EVIDENCE_PUBLIC: &str = "evidence.pub.pem";
/// The file of the private half that signs recordings.
pub(crate) const EVIDENCE: &str = "evidence.pem";
const TOKEN: &str = "token.pem";

/// Both keys of a gate.
pub(crate) struct Keys {
    /// Signs evidence.
    pub(crate) evidence: SigningKey,
    /// Signs tokens; the same kind of key, used for nothing else.
    pub(crate) token: SigningKey,
}

/// `portcullis keys generate`.
pub(crate) fn run(config: &Config) -> anyhow::Result<()> {
    let data = Data::open(&config.data)?;
    let keys = load_or_make(&data)?;
    let public = data.keys().join(EVIDENCE_PUBLIC);
    println!("evidence key {}; its public half, for those who verify: {}", keys.evidence.kid(), public.display());
    println!("token key    {}; in {}", keys.token.kid(), data.keys().join(TOKEN).display());
    Ok(())
}

/// Loads both keys, making those that are missing.
pub(crate) fn load_or_make(data: &Data) -> anyhow::Result<Keys> {
    let evidence = one(&data.keys().join(EVIDENCE))?;
    key_list::settle(&data.keys(), &evidence)?;
    let public = data.keys().join(EVIDENCE_PUBLIC);
    let pem = evidence.verifying_key().to_pem()?;
    if std::fs::read_to_string(&public).ok().as_deref() != Some(pem.as_str()) {
        std::fs::write(&public, &pem).with_context(|| format!("{} cannot be written", public.display()))?;
    }
    Ok(Keys { evidence, token: one(&data.keys().join(TOKEN))? })
}

/// Loads the key that signs tokens.
pub(crate) fn load_token(data: &Data) -> anyhow::Result<SigningKey> {
    let path = data.keys().join(TOKEN);
    load_key_file(&path).context("run `portcullis keys generate` or `portcullis serve` first if there is none")
}

fn one(path: &Path) -> anyhow::Result<SigningKey> {
    if path.symlink_metadata().is_ok() {
        return Ok(load_key_file(path)?);
    }
    let key = create_key_file(path)?;
    tracing::info!(kid = key.kid(), path = %path.display(), "made a key");
    Ok(key)
}
