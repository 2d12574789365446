//! `[text]`: how the text on recorded screens is read, where policy asks for it.

use anyhow::bail;
use portcullis_recorder::ReaderSettings;
use serde::Deserialize;

/// Languages at once: more make a reader slower and no better.
const MOST_LANGUAGES: usize = 8;

/// `[text]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    program: String,
    languages: Vec<String>,
    confidence: u8,
}

impl Text {
    /// Refuses what could not be meant.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let name = |language: &String| {
            !language.is_empty() && language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if self.languages.is_empty() || self.languages.len() > MOST_LANGUAGES || !self.languages.iter().all(name) {
            bail!("`text.languages` names 1 to {MOST_LANGUAGES} of tesseract's languages, such as eng");
        }
        if self.confidence > 100 {
            bail!("`text.confidence` must be at most 100");
        }
        if self.program.is_empty() || (self.program.contains('/') && !self.program.starts_with('/')) {
            bail!("`text.program` is the name of a program, or its whole path");
        }
        Ok(())
    }

    /// As the reader wants it.
    pub(crate) fn settings(&self) -> ReaderSettings {
        ReaderSettings { program: self.program.clone(), languages: self.languages.clone(), confidence: self.confidence }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    #[test]
    fn a_language_is_a_name_and_never_an_argument() {
        let checked = |text: &str| {
            let mut config = Config::parse(&format!("[text]\n{text}\n")).map_err(|error| error.to_string())?;
            config.data = "/nowhere".into();
            config.settle().map(|()| config.text.settings()).map_err(|error| error.to_string())
        };
        assert_eq!(checked("").unwrap().languages, ["eng"]);
        assert_eq!(checked("languages = [\"deu\", \"chi_sim\"]").unwrap().languages, ["deu", "chi_sim"]);
        for wrong in ["[]", "[\"\"]", "[\"-c\"]", "[\"eng+deu\"]", "[\"../x\"]"] {
            assert!(checked(&format!("languages = {wrong}")).unwrap_err().contains("text.languages"), "{wrong}");
        }
        assert!(checked("confidence = 101").unwrap_err().contains("text.confidence"));
        assert!(checked("program = \"./tesseract\"").unwrap_err().contains("text.program"));
    }
}
