//! Canonical JSON: RFC 8785 with integers from 0 to 2^53 − 1 as its only numbers.
use std::io::Write as _;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use thiserror::Error;

/// The largest number: what every JSON reader holds exactly (RFC 8785 §3.2.2.3, RFC 7493 §2.2).
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// An optional member that is there: `null` is none of this format's values.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Why bytes are not canonical JSON, or a value cannot be written as such.
#[derive(Debug, Error)]
pub enum CanonicalError {
    /// Not JSON, or not with the members that the value needs.
    #[error("{0}")]
    Json(String),
    /// A number that is no integer from 0 to 2^53 − 1.
    #[error("a number is not an integer from 0 to 2^53 - 1")]
    Number,
    /// A member name outside ASCII, whose order RFC 8785 would decide by UTF-16.
    #[error("a member name is not ASCII")]
    Name,
    /// The same value in other bytes: other order, white space, escapes, a member twice or one too many.
    #[error("the JSON is not in its canonical form")]
    NotCanonical,
}

/// The canonical bytes of `value`.
pub(crate) fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let value = serde_json::to_value(value).map_err(json)?;
    let mut bytes = Vec::new();
    write(&value, &mut bytes)?;
    Ok(bytes)
}

/// The value whose canonical bytes are `bytes`; the caller has capped their length.
///
/// INVARIANT: `to_bytes(from_bytes(b)) == b`, so one changed byte is a refusal or another value, never the same one.
pub(crate) fn from_bytes<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CanonicalError> {
    let value: T = serde_json::from_slice(bytes).map_err(json)?;
    if to_bytes(&value)? != bytes {
        return Err(CanonicalError::NotCanonical);
    }
    Ok(value)
}

fn json(error: serde_json::Error) -> CanonicalError {
    CanonicalError::Json(error.to_string())
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => {
            let number = number.as_u64().filter(|n| *n <= MAX_NUMBER).ok_or(CanonicalError::Number)?;
            // Writing into a Vec does not fail.
            let _ = write!(out, "{number}");
        }
        Value::String(text) => string(text, out)?,
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            // Sorted here, whatever order serde_json's map was built to keep.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|a, b| a.0.cmp(b.0));
            out.push(b'{');
            for (i, (name, member)) in members.into_iter().enumerate() {
                if !name.is_ascii() {
                    return Err(CanonicalError::Name);
                }
                if i > 0 {
                    out.push(b',');
                }
                string(name, out)?;
                out.push(b':');
                write(member, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// serde_json escapes exactly what RFC 8785 §3.2.2.2 does: `"`, `\`, and controls, short form where there is one.
fn string(text: &str, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    serde_json::to_writer(out, text).map_err(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sorts_and_escapes_as_rfc_8785_does() {
        let value = json!({"b": [1, true, null], "a": "\u{20ac}$\u{f}\n\"\\/\u{7f}", "B": 0});
        let expected = "{\"B\":0,\"a\":\"\u{20ac}$\\u000f\\n\\\"\\\\/\u{7f}\",\"b\":[1,true,null]}";
        assert_eq!(String::from_utf8(to_bytes(&value).unwrap()).unwrap(), expected);
        assert_eq!(from_bytes::<Value>(expected.as_bytes()).unwrap(), value);
    }

    #[test]
    fn nests_127_deep_and_no_deeper() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(from_bytes::<Value>(nested(127).as_bytes()).is_ok());
        assert!(from_bytes::<Value>(nested(128).as_bytes()).is_err());
    }

    #[test]
    fn refuses_every_other_spelling() {
        for text in [
            r#"{"a": 1}"#,
            r#"{"b":1,"a":1}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":1} "#,
            r#"["\u0061"]"#,
            r#"["\/"]"#,
            r#"["\u000F"]"#,
            "[1.0]",
            "[1e0]",
            "[-1]",
            "[-0]",
            "[01]",
            "[9007199254740992]",
            "{\"\u{e9}\":1}",
            "\u{feff}[]",
            "",
        ] {
            assert!(from_bytes::<Value>(text.as_bytes()).is_err(), "{text}");
        }
    }
}
