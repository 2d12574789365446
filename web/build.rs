//! Makes sure that `ui/dist` exists, so that the program builds before the pages do.
//!
//! INVARIANT: pages that were built are never overwritten: the placeholder is only ever created anew.

use std::fs::{OpenOptions, create_dir_all};
use std::io::{ErrorKind, Write};
use std::path::Path;

const DIST: &str = "ui/dist";

const PLACEHOLDER: &str = "<!doctype html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><title>Portcullis</title></head>
<body>
<h1>The pages are not built</h1>
<p>This program was built without them. In the source tree, run <code>npm ci &amp;&amp; npm run build</code>
in <code>web/ui</code>, then build the program again. The API is served all the same.</p>
</body>
</html>
";

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed={DIST}");
    println!("cargo::rerun-if-changed=migrations");
    create_dir_all(DIST)?;
    match OpenOptions::new().write(true).create_new(true).open(Path::new(DIST).join("index.html")) {
        Ok(mut file) => file.write_all(PLACEHOLDER.as_bytes()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
