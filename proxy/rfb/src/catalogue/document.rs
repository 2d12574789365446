//! The tables as a page of Markdown.

use std::fmt::{self, Write as _};

use super::{
    CLIPBOARD, DESKTOP_MESSAGES, DESKTOP_SECURITY, FROM_DESKTOP, Line, TO_VIEWER, VENCRYPT_TYPES, VIEWER_MESSAGES,
};

use crate::wire::ClipboardBit;

const HEAD: &str = "# What becomes of every RFB message

Generated from the tables of `proxy/rfb/src/catalogue`, which the parsers ask; `cargo nextest run -p portcullis-rfb -E 'test(document)'` holds it
(`just bless` writes it anew).

- **understood**: parsed, bounded, kept as a typed value of this connection; nothing of it crosses as it came.
- **answered**: Portcullis answers it itself; the other side never learns of it.
- **judged**: policy decides with a rule; what it permits is written anew for the other side.
- **forgotten**: may be listed by a viewer, and has no effect.
- **refused**: ends the connection, by name, with an event.

A number without a line is refused (in a viewer's SetEncodings: forgotten). Messages are those of RFC 6143 and of the community's specification of RFB.
";

/// The whole page, as `docs/rfb-messages.md` has it.
pub fn document() -> String {
    let mut page = String::from(HEAD);
    let written = write_all(&mut page);
    debug_assert!(written.is_ok(), "writing to a String does not fail");
    page
}

fn write_all(page: &mut String) -> fmt::Result {
    table(page, "Messages from a viewer", VIEWER_MESSAGES, |code| (code.0.to_string(), code.name()))?;
    table(page, "Messages from a desktop", DESKTOP_MESSAGES, |code| (code.0.to_string(), code.name()))?;
    let bit = |code: ClipboardBit| (code.0.to_string(), code.name());
    table(page, "The extended clipboard, from both: bits of its flags", CLIPBOARD, bit)?;
    table(page, "Encodings and pseudo-encodings from a desktop", FROM_DESKTOP, |code| (number(code.0), code.name()))?;
    table(page, "Encodings and pseudo-encodings that a viewer lists", TO_VIEWER, |code| (number(code.0), code.name()))?;
    table(page, "Security types of a desktop", DESKTOP_SECURITY, |code| (code.0.to_string(), code.name()))?;
    table(page, "VeNCrypt types of a desktop", VENCRYPT_TYPES, |code| (code.0.to_string(), code.name()))
}

fn table<C: Copy>(
    page: &mut String,
    title: &str,
    lines: &[Line<C>],
    words: impl Fn(C) -> (String, Option<&'static str>),
) -> fmt::Result {
    writeln!(page, "\n## {title}\n\n| Number | Name | Outcome | How, or why |\n|---|---|---|---|")?;
    for (code, outcome, how) in lines {
        let (number, name) = words(*code);
        writeln!(page, "| {number} | {} | {outcome} | {how} |", name.unwrap_or_default())?;
    }
    Ok(())
}

/// Vendors' numbers are told in hexadecimal, as their specifications do.
fn number(code: i32) -> String {
    if (-0x1000..0x1000).contains(&code) { code.to_string() } else { format!("{code:#010x}") }
}
