//! The JSON Schema of policy files, made from the table of keys: editors complete and check by it while one writes.

use serde_json::{Map, Value, json};

use super::keys::{self, Key, Shape};

/// Where the schema is known by; nothing is fetched from there.
const ID: &str = "https://portcullis.invalid/policy/v1.json";

/// The JSON Schema (draft 2020-12) of a policy file.
///
/// It tells every key and the form of every value. Numbers within their bounds, dates that exist and names of zones are the parser's to
/// check, which `portcullis policy check` runs.
pub fn schema() -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Portcullis policy",
        "description": "One policy: whom it is for, what it allows and denies, what it asks of a session. See policy-language.md.",
        "required": ["policy", "applies"],
    });
    extend(&mut schema, map(""));
    schema
}

/// The object with the keys below a path.
fn map(path: &str) -> Value {
    let properties: Map<String, Value> =
        keys::below(path).map(|(name, key)| (name.to_owned(), described(key))).collect();
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

fn described(key: &Key) -> Value {
    let later = if key.enforced { "" } else { " Not enforced by this version: files that use it are refused." };
    let mut schema = json!({"description": format!("{}{later}", key.means)});
    extend(&mut schema, shape(key));
    schema
}

fn shape(key: &Key) -> Value {
    match key.shape {
        Shape::Map => map(key.path),
        Shape::Maps => {
            let mut entry = map(&format!("{}[]", key.path));
            if key.path == "deny" {
                extend(&mut entry, json!({"required": ["actions"]}));
            }
            list(entry)
        }
        Shape::MapOrTemplate => {
            let mut whole = map(key.path);
            extend(&mut whole, json!({"required": ["text"]}));
            json!({"anyOf": [text(".*\\S.*"), whole]})
        }
        Shape::Name => json!({"type": "string", "minLength": 1, "maxLength": 256}),
        Shape::Names => list(json!({"type": "string", "pattern": "^[^*?]+$", "maxLength": 256})),
        Shape::Globs => list(json!({"type": "string", "minLength": 1, "maxLength": 256})),
        Shape::Networks => list(text("^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$")),
        Shape::Hours => {
            let hours = text("^\\S+\\s+\\S+\\s+\\S+$");
            json!({"anyOf": [hours, list(hours.clone())]})
        }
        Shape::Words(words) => list(json!({"enum": words})),
        Shape::Word(words) => json!({"enum": words}),
        Shape::Detectors => {
            let known = <crate::Known as crate::values::Word>::WORDS;
            list(json!({"anyOf": [{"enum": known}, text("^(regex|words):.+$")]}))
        }
        Shape::Types => list(text("^(\\*/\\*|[a-z]+/(\\*|[a-z0-9!#$&^_.+-]+))$")),
        Shape::Extensions => list(text("^[a-z0-9_+-]{1,32}$")),
        Shape::Chords => list(text("^((Ctrl|Alt|Shift|Super)\\+)*[!-*,-~]+$")),
        Shape::Size { .. } => text("^[0-9]+ *(B|KiB|MiB|GiB|TiB)$"),
        Shape::Span { .. } => text("^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$"),
        Shape::Rate => text("^[0-9]+/(s|min|h)$"),
        Shape::Count { least, most } => json!({"type": "integer", "minimum": least, "maximum": most}),
        Shape::Screen => text("^[0-9]{1,5}x[0-9]{1,5}$"),
        Shape::Extent => {
            json!({"anyOf": [{"type": "integer", "minimum": 0, "maximum": u16::MAX}, text("^[0-9]{1,3}%$")]})
        }
        Shape::Template { most } => json!({"type": "string", "minLength": 1, "maxLength": most}),
        Shape::Percent => text("^[0-9]{1,3}%$"),
        Shape::Colour => text("^#[0-9A-Fa-f]{6}$"),
        Shape::Zone => text("^[A-Za-z0-9_+/-]+$"),
    }
}

fn text(pattern: &str) -> Value {
    json!({"type": "string", "pattern": pattern})
}

fn list(entries: Value) -> Value {
    json!({"type": "array", "minItems": 1, "maxItems": 1024, "items": entries})
}

/// Adds the members of one object to another.
fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}
