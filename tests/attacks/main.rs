//! Attacks: every row of docs/threat-model.md that concerns the wire, against a real gate with a real desktop where the row says what a
//! desktop does, and against a scripted peer where the peer is the attacker.
#![allow(missing_docs)]

mod blinks;
mod catalogue;
mod channels;
mod clipboard;
mod contents;
mod copies;
mod desktop;
mod exhaustion;
mod machine;
mod map;
mod record;
mod refused;
mod smuggling;
mod veil;
mod viewer;
mod web;
