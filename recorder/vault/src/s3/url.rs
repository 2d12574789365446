//! `s3://bucket/prefix/…`: a place in a bucket, as people write it.
use std::fmt;
use std::str::FromStr;

use crate::{Key, KeyError};

/// A bucket and a key in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// The bucket.
    pub bucket: String,
    /// What follows it, without slashes around it.
    pub key: Key,
}

impl FromStr for Url {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let place = text.strip_prefix("s3://").ok_or(KeyError::Character)?;
        let (bucket, key) = place.split_once('/').ok_or(KeyError::Empty)?;
        Ok(Self { bucket: bucket.to_owned(), key: Key::new(key.trim_end_matches('/'))? })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let url: Url = "s3://records/a/b/".parse().unwrap();
        assert_eq!(
            (url.bucket.as_str(), url.key.as_str(), url.to_string().as_str()),
            ("records", "a/b", "s3://records/a/b")
        );
        for bad in
            ["records/a", "s3://records", "s3://records/", "s3://records//a", "s3://records/../a", "https://records/a"]
        {
            assert!(bad.parse::<Url>().is_err(), "{bad}");
        }
    }
}
