//! Attacks: rows of the threat model that concern the wire, against a real gate with a real desktop.
#![allow(missing_docs)]

mod clipboard;
mod viewer;
