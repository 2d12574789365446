//! `portcullis keys list | rotate | revoke`: the list of a gate's evidence keys, which verifiers pin or have signed by a root.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use portcullis_evidence::{KeyList, ListedKey, SigningKey, VERSION, VerifyingKey, is_stamp, stamp};
use portcullis_proxy::token::{create_key_file, load_key_file};
use time::OffsetDateTime;

use crate::DataArgs;
use crate::data::Data;
use crate::keys::EVIDENCE;

/// The file of the list, beside the keys.
pub(crate) const LIST: &str = "evidence.keys.json";
/// Since when a gate's first key counts: nothing is older, and a machine's first clock may be wrong.
const EVER: &str = "1970-01-01T00:00:00.000000Z";

/// Arguments of `keys list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Sign the list with this private key (PEM), a root that is kept elsewhere; verifiers check it with `--root`
    #[arg(long)]
    sign: Option<PathBuf>,
    #[command(flatten)]
    place: DataArgs,
}

/// Arguments of `keys revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeKeyArgs {
    /// The key's name, as `verify` and `keys list` print it
    kid: String,
    /// From when on others may have had it: `2026-01-31T23:59:59.000000Z`; now, if it is not given
    #[arg(long)]
    at: Option<String>,
    /// Why, for those who verify
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    place: DataArgs,
}

/// Prints the list, signed if a root is given.
pub(crate) fn list(args: &ListArgs) -> anyhow::Result<()> {
    let keys = Data::at(&args.place.load()?.data).keys();
    let list = read(&keys)?.context("there is no list of keys yet: run `portcullis keys generate` first")?;
    let bytes = match &args.sign {
        Some(root) => list.sign(&load_key_file(root)?)?,
        None => list.to_bytes()?,
    };
    print!("{}", String::from_utf8(bytes)?);
    Ok(())
}

/// Makes a new evidence key and takes the old one out of use; its private half is gone then.
pub(crate) fn rotate(place: &DataArgs) -> anyhow::Result<()> {
    let data = Data::open(&place.load()?.data)?;
    let _lock = data.lock()?;
    let keys = data.keys();
    let old = load_key_file(&keys.join(EVIDENCE)).context("run `portcullis keys generate` first if there is none")?;
    let mut list = with_current(&keys, &old.verifying_key())?;
    let fresh = keys.join("evidence.pem.new");
    if fresh.symlink_metadata().is_ok() {
        std::fs::remove_file(&fresh)?;
    }
    let new = create_key_file(&fresh)?;
    let now = stamp(OffsetDateTime::now_utc());
    for listed in list.keys.iter_mut().filter(|listed| listed.kid == old.kid()) {
        listed.until.clone_from(&now);
    }
    list.keys.push(ListedKey::of(&new.verifying_key(), &now));
    write(&keys, list)?;
    std::fs::rename(&fresh, keys.join(EVIDENCE))?;
    crate::keys::load_or_make(&data)?;
    println!("evidence key {} is in use; {} went out of use at {now}", new.kid(), old.kid());
    println!("give those who verify the new list: `portcullis keys list`");
    Ok(())
}

/// Marks a key as revoked.
pub(crate) fn revoke(args: &RevokeKeyArgs) -> anyhow::Result<()> {
    let keys = Data::at(&args.place.load()?.data).keys();
    let at = args.at.clone().unwrap_or_else(|| stamp(OffsetDateTime::now_utc()));
    if !is_stamp(&at) {
        bail!("{at} is not a time such as 2026-01-31T23:59:59.000000Z");
    }
    let mut list = read(&keys)?.context("there is no list of keys yet: run `portcullis keys generate` first")?;
    let listed = list.keys.iter_mut().find(|listed| listed.kid == args.kid);
    let listed = listed.with_context(|| format!("there is no key named {}", args.kid))?;
    (listed.revoked, listed.reason) = (at.clone(), args.reason.clone());
    write(&keys, list)?;
    println!("{} is revoked from {at} on: of what it signed, only what was time-stamped before holds", args.kid);
    if load_key_file(&keys.join(EVIDENCE)).is_ok_and(|key| key.kid() == args.kid) {
        println!("it is still in use: run `portcullis keys rotate`");
    }
    Ok(())
}

/// Sees to it that the key in use is listed as such.
pub(crate) fn settle(folder: &Path, key: &SigningKey) -> anyhow::Result<()> {
    let list = with_current(folder, &key.verifying_key())?;
    if read(folder)?.as_ref() == Some(&list) { Ok(()) } else { write(folder, list) }
}

/// The list with this key in it, and in use: a rotation that was cut off left the old one.
fn with_current(folder: &Path, key: &VerifyingKey) -> anyhow::Result<KeyList> {
    let mut list =
        read(folder)?.unwrap_or(KeyList { v: VERSION, issued: stamp(OffsetDateTime::now_utc()), keys: Vec::new() });
    match list.keys.iter_mut().find(|listed| listed.kid == key.kid()) {
        Some(listed) => listed.until.clear(),
        None => list.keys.push(ListedKey::of(key, EVER)),
    }
    Ok(list)
}

fn read(folder: &Path) -> anyhow::Result<Option<KeyList>> {
    let path = folder.join(LIST);
    match std::fs::read(&path) {
        Ok(bytes) => KeyList::from_bytes(&bytes, &[]).map(Some).with_context(|| format!("{}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn write(folder: &Path, mut list: KeyList) -> anyhow::Result<()> {
    list.issued = stamp(OffsetDateTime::now_utc());
    let (path, part) = (folder.join(LIST), folder.join("evidence.keys.json.part"));
    std::fs::write(&part, list.to_bytes()?)
        .and_then(|()| std::fs::File::open(&part)?.sync_all())
        .and_then(|()| std::fs::rename(&part, &path))
        .with_context(|| format!("{} cannot be written", path.display()))
}
