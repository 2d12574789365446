//! The language of policy files: YAML to a tree with places, the tree to a [`Policy`] or to every fault in it.

mod fields;
mod glob;
mod nearest;
mod node;
mod policy;
mod read;
mod size;

pub(crate) use policy::{Allow, Policy};
pub(crate) use read::read;
pub(crate) use size::show as show_bytes;
