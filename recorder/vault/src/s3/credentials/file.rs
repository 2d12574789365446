//! The file of credentials that AWS's programs have: sections with keys and values.
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// The longest file that is read.
const MAX_BYTES: u64 = 64 * 1024;

/// One section's keys.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

/// The keys of a section; `None` when there is no such section.
pub(super) fn read(path: &Path, section: &str) -> Result<Option<Keys>, String> {
    let failed = |words: &str| format!("the credentials {}: {words}", path.display());
    let file = std::fs::File::open(path).map_err(|error| failed(&error.to_string()))?;
    let mode = file.metadata().map_err(|error| failed(&error.to_string()))?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(failed("everybody may read or change them: chmod o= is needed"));
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(|error| failed(&error.to_string()))?;
    let Some(keys) = find(&text, section) else { return Ok(None) };
    for (name, value) in [("aws_access_key_id", &keys.id), ("aws_secret_access_key", &keys.secret)] {
        if value.is_empty() {
            return Err(failed(&format!("the section [{section}] has no {name}")));
        }
    }
    Ok(Some(keys))
}

fn find(text: &str, section: &str) -> Option<Keys> {
    let mut found: Option<Keys> = None;
    let mut inside = false;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = name.trim() == section;
            if inside {
                found.get_or_insert_default();
            }
        } else if inside
            && let Some((name, value)) = line.split_once('=')
            && let Some(keys) = &mut found
        {
            let value = value.trim().to_owned();
            match name.trim() {
                "aws_access_key_id" => keys.id = value,
                "aws_secret_access_key" => keys.secret = value,
                "aws_session_token" => keys.token = Some(value).filter(|token| !token.is_empty()),
                _ => {}
            }
        }
    }
    found
}
