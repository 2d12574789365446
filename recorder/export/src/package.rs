//! A zip that proves itself: the bundle's files as they are, the public keys, and what a stranger needs to check them.
use std::io::Write;
use std::ops::ControlFlow;

use portcullis_evidence::{Listing, PathInBundle, Source};

use crate::error::ExportError;
use crate::film::Standing;
use crate::zip::{Zip, measure};

/// The verifier that was written from the format's page alone, and the forms that it reads.
const VERIFIER: &[u8] = include_bytes!("../../../tests/verifier/verify.py");
const SCHEMA: &[u8] = include_bytes!("../../../docs/evidence.schema.json");
/// The instructions, with places for what is this bundle's own.
const INSTRUCTIONS: &str = include_str!("how-to-verify.txt");
/// The most names that are looked at, as verification does.
const MAX_ENTRIES: usize = 311_004;
/// The most strange names that are told of.
const MAX_STRANGE: usize = 100;

/// A public key, for who checks by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its name.
    pub kid: String,
    /// SubjectPublicKeyInfo PEM.
    pub pem: String,
}

/// A bundle that was listed and can be packed.
pub struct Package<'a> {
    source: &'a dyn Source,
    folder: String,
    files: Vec<PathInBundle>,
    strange: Vec<String>,
    standing: Standing,
}

impl<'a> Package<'a> {
    /// Lists a bundle; `id` names it where its manifest does not.
    ///
    /// # Errors
    /// When it cannot be listed, or has more files than a bundle can have.
    pub fn of(source: &'a dyn Source, id: &str, standing: Standing) -> Result<Self, ExportError> {
        let (mut files, mut strange, mut count) = (Vec::new(), Vec::new(), 0_usize);
        let listed = source.list(&mut |entry| {
            count += 1;
            match entry.path.parse() {
                Ok(path) if entry.is_file => files.push(path),
                _ if strange.len() < MAX_STRANGE => strange.push(entry.path.escape_debug().to_string()),
                _ => {}
            }
            if count > MAX_ENTRIES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        listed.map_err(|error| ExportError::Read(PathInBundle::Session, error))?;
        if count > MAX_ENTRIES {
            return Err(ExportError::TooMany("files"));
        }
        // Manifest first, then segment by segment, what was written last at the end.
        files.sort_by_key(|path| (place(*path), *path));
        strange.sort();
        let named = Listing::read(source).map(|listing| listing.manifest.id);
        let id = named.unwrap_or_else(|_| id.to_owned());
        let folder: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
        Ok(Self { source, folder, files, strange, standing })
    }

    /// Writes the zip, from its first byte to its last; how many there were. `key_list` is the gate's list of keys as
    /// `portcullis keys list` prints it, empty where there is none.
    ///
    /// # Errors
    /// [`ExportError::Write`], [`ExportError::Read`]; [`ExportError::Changed`] for a file that changed between two readings.
    pub fn write(&self, key_list: &[u8], keys: &[PublicKey], out: &mut dyn Write) -> Result<u64, ExportError> {
        let mut zip = Zip::new(out);
        let folder = if self.folder.is_empty() { "bundle" } else { &self.folder };
        let mut add =
            |name: &str, bytes: &[u8]| zip.add_bytes(&format!("{folder}/{name}"), bytes).map_err(ExportError::Write);
        add("HOW-TO-VERIFY.txt", self.instructions(!key_list.is_empty(), keys).as_bytes())?;
        if !key_list.is_empty() {
            add("evidence.keys.json", key_list)?;
        }
        for key in keys {
            add(&format!("keys/{}.pem", key.kid), key.pem.as_bytes())?;
        }
        add("verify.py", VERIFIER)?;
        add("evidence.schema.json", SCHEMA)?;
        for path in &self.files {
            let read = |error| ExportError::Read(*path, error);
            let measured = measure(self.source.open(*path).map_err(read)?.reader).map_err(read)?;
            let opened = self.source.open(*path).map_err(read)?;
            let added = zip.add(&format!("{folder}/bundle/{path}"), measured, opened.reader);
            added.map_err(|error| match error.kind() {
                std::io::ErrorKind::InvalidData => ExportError::Changed(*path),
                _ => ExportError::Write(error),
            })?;
        }
        zip.finish().map_err(ExportError::Write)
    }

    fn instructions(&self, listed: bool, keys: &[PublicKey]) -> String {
        let key = keys.first().map_or("KID", |key| key.kid.as_str());
        let by = if listed { "--keys evidence.keys.json".to_owned() } else { format!("--key keys/{key}.pem") };
        let strange = if self.strange.is_empty() {
            "none".to_owned()
        } else {
            self.strange.iter().map(|name| format!("\n  {name}")).collect()
        };
        INSTRUCTIONS
            .replace("{session}", &self.folder)
            .replace("{standing}", &self.standing.words())
            .replace("{strange}", &strange)
            .replace("{keys}", &by)
            .replace("{kid}", key)
    }
}

impl std::fmt::Debug for Package<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Package").field("session", &self.folder).field("files", &self.files.len()).finish()
    }
}

fn place(path: PathInBundle) -> u32 {
    match path {
        PathInBundle::Session => 0,
        _ => path.segment().unwrap_or(if path.folder().is_some() { 1 } else { u32::MAX }),
    }
}
