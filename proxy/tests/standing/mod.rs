//! The scene of the tests of desktops that stand already: certificates, scripted peers, templates.

pub(crate) mod peer;
pub(crate) mod pki;

use portcullis_proxy::runtime::Template;
use serde_json::{Value, json};

/// A template of a static desktop with these keys.
pub(crate) fn template(fixed: Value) -> Template {
    serde_json::from_value(json!({"name": "desk", "size": "64x64", "static": fixed})).unwrap()
}
