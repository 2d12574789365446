//! The language of policy files: YAML to a tree with places, the tree to a [`Policy`] or to every fault in it.

mod asks;
pub(crate) mod fields;
mod keys;
pub(crate) mod node;
mod policy;
mod read;
mod schema;
pub(crate) mod value;

pub use keys::{Key, keys};
pub(crate) use policy::{Allow, Applies, Fit, Policy};
pub(crate) use read::read;
pub use schema::schema;
