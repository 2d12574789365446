//! As much of JSON Schema as the published one uses, for tests: a keyword that is not known here is a fault of its own.

use serde_json::Value;

/// What is wrong with a value by a schema; nothing if it is valid.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    validate(schema, value, "", &mut faults);
    faults
}

fn validate(schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let Some(schema) = schema.as_object() else { return };
    for (keyword, wanted) in schema {
        let holds = match keyword.as_str() {
            "$schema" | "$id" | "title" | "description" => true,
            "type" => match wanted.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_u64() || value.is_i64(),
                other => panic!("the type {other}"),
            },
            "enum" => wanted.as_array().unwrap().contains(value),
            "pattern" => {
                let pattern = regex::Regex::new(wanted.as_str().unwrap()).unwrap();
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            "minLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 >= wanted.as_u64().unwrap()),
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= wanted.as_u64().unwrap()),
            "minimum" => value.as_i64().is_none_or(|number| number >= wanted.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|number| number <= wanted.as_i64().unwrap()),
            "minItems" => value.as_array().is_none_or(|list| list.len() as u64 >= wanted.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|list| list.len() as u64 <= wanted.as_u64().unwrap()),
            "required" => {
                let has = |key: &Value| value.as_object().is_none_or(|map| map.contains_key(key.as_str().unwrap()));
                wanted.as_array().unwrap().iter().all(has)
            }
            "additionalProperties" => {
                assert_eq!(*wanted, Value::Bool(false));
                let known = schema["properties"].as_object().unwrap();
                value.as_object().is_none_or(|map| map.keys().all(|key| known.contains_key(key)))
            }
            "properties" => {
                for (key, schema) in wanted.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        validate(schema, value, &format!("{at}.{key}"), faults);
                    }
                }
                true
            }
            "items" => {
                value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .for_each(|entry| validate(wanted, entry, &format!("{at}[]"), faults));
                true
            }
            "anyOf" => wanted.as_array().unwrap().iter().any(|schema| self::faults(schema, value).is_empty()),
            other => panic!("the keyword {other}"),
        };
        if !holds {
            faults.push(format!("{at}: {keyword} {wanted}"));
        }
    }
}
