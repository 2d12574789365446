//! The fixed vocabularies of the language; where one word is stricter than another, the greater one is.

/// A word out of a fixed vocabulary.
pub(crate) trait Word: Copy + 'static {
    /// What such a word is called in faults.
    const WHAT: &'static str;
    /// The vocabulary as it is written.
    const WORDS: &'static [&'static str];

    /// The word that is written so.
    fn from_word(word: &str) -> Option<Self>;
}

/// An enum of words, the later the stricter where that is a question.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $what:literal, { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// The word in policy files.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl $crate::values::Word for $name {
            const WHAT: &'static str = $what;
            const WORDS: &'static [&'static str] = &[$($word),+];

            fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(crate) use words;

words! {
    /// What happens to a session when it cannot be recorded.
    Mode, "a recording mode", {
        /// The session goes on and the gap is recorded.
        BestEffort = "best_effort",
        /// No record, no session.
        Strict = "strict",
    }
}

words! {
    /// What of the keyboard is on the record; more on the record is stricter.
    KeyLog, "a way to log keys", {
        /// Nothing but the pixels that keys bring about.
        None = "none",
        /// How many keys were pressed, not which.
        Counts = "counts",
        /// Which keys were pressed, passwords included.
        Keys = "keys",
    }
}

words! {
    /// What is read off the pictures of a recording once it is sealed; more is stricter.
    ScreenText, "what is read off the screen", {
        /// Nothing.
        None = "none",
        /// The text that was on it, which is then found by a search.
        Read = "read",
    }
}

words! {
    /// How evidence is locked in the vault (S3 Object Lock's modes).
    Lock, "a lock", {
        /// Not at all.
        None = "none",
        /// Those with a special right may lift it.
        Governance = "governance",
        /// Nobody may delete before `keep` is over.
        Compliance = "compliance",
    }
}

words! {
    /// What the desktop itself may reach.
    Egress, "a way out of the desktop", {
        /// Whatever its network reaches.
        Allow = "allow",
        /// The egress proxy alone.
        Proxy = "proxy",
        /// Nothing.
        Deny = "deny",
    }
}

words! {
    /// What becomes of a desktop's home when its session ends.
    Home, "what becomes of a home", {
        /// It is there again when its subject opens the desktop anew.
        Keep = "keep",
        /// It goes with the desktop, as without any word of it.
        Destroy = "destroy",
    }
}

words! {
    /// What is done when keys come as only a program types them.
    TypedPaste, "an answer to typed pastes", {
        /// Nothing.
        Allow = "allow",
        /// An event says so.
        Alert = "alert",
        /// They do not reach the desktop, and an event says so.
        Stop = "stop",
    }
}

words! {
    /// What is done with contents in which something is found.
    Then, "an answer to contents", {
        /// They cross, and the event says what was found.
        Alert = "alert",
        /// They cross without what was found.
        Redact = "redact",
        /// They do not cross.
        Deny = "deny",
    }
}

words! {
    /// What is kept of a text beside its size and hash.
    Kept, "what is kept of a text", {
        /// The text itself, encrypted for auditors.
        Contents = "contents",
    }
}

words! {
    /// What scans a file before it crosses.
    Scanner, "a scanner", {
        /// clamd, over its socket.
        ClamAv = "clamav",
    }
}

words! {
    /// What becomes of archives.
    Archives, "an answer to archives", {
        /// What is in them is looked at as files of their own are.
        Look = "look",
        /// None crosses.
        Deny = "deny",
    }
}

words! {
    /// What becomes of the metadata of pictures.
    Metadata, "an answer to metadata", {
        /// It stays.
        Keep = "keep",
        /// Pictures cross without it.
        Strip = "strip",
    }
}

words! {
    /// Of which files a copy is kept for auditors.
    Quarantine, "a quarantine", {
        /// Of none.
        None = "none",
        /// Of those that did not cross.
        Denied = "denied",
        /// Of all.
        All = "all",
    }
}

words! {
    /// What becomes of clicks into a mask.
    Clicks, "an answer to clicks", {
        /// They reach the desktop.
        Allow = "allow",
        /// They do not.
        Deny = "deny",
    }
}

words! {
    /// Whether the recording shows what a mask hides from viewers.
    MaskedRecord, "a way to record a mask", {
        /// It hides it too.
        Masked = "masked",
        /// It shows it: for auditors alone.
        Clear = "clear",
    }
}

words! {
    /// Where a watermark stands.
    Layout, "a layout", {
        /// Repeated over the whole screen.
        Tiled = "tiled",
        /// Once, in the middle.
        Centre = "centre",
        /// Once, in this corner.
        TopLeft = "top-left",
        /// Once, in this corner.
        TopRight = "top-right",
        /// Once, in this corner.
        BottomLeft = "bottom-left",
        /// Once, in this corner.
        BottomRight = "bottom-right",
    }
}

words! {
    /// What a watermark's template can name between braces.
    Field, "a field of a watermark", {
        /// The subject's name.
        Subject = "subject",
        /// Who vouches for the subject.
        Issuer = "issuer",
        /// The desktop's name.
        Desktop = "desktop",
        /// The session's name.
        Session = "session",
        /// The day, `2026-03-02`.
        Date = "date",
        /// The day and the minute, `2026-03-02 09:15`.
        Time = "time",
    }
}

words! {
    /// The detectors that are built in.
    Known, "a detector", {
        /// Numbers of payment cards, with their check digit.
        PaymentCard = "payment-card",
        /// International bank account numbers, with their check digits.
        Iban = "iban",
        /// United States social security numbers.
        UsSsn = "us-ssn",
        /// German tax identification numbers, with their check digit.
        GermanTaxId = "german-tax-id",
        /// Private keys in PEM and OpenSSH form.
        PrivateKey = "private-key",
        /// JSON web tokens.
        Jwt = "jwt",
        /// Access keys of AWS.
        AwsKey = "aws-key",
        /// Tokens of GitHub.
        GithubToken = "github-token",
        /// Tokens of Slack.
        SlackToken = "slack-token",
        /// API keys of Google.
        GoogleKey = "google-key",
    }
}
