//! What stands ready of a template, and what follows a desktop that ends.

use serde::Deserialize;

/// Most desktops of a template that stand ready.
const MAX_WARM: u32 = 64;

/// How many desktops of a template stand ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warm {
    /// How many at least; none where it is 0.
    #[serde(default)]
    pub count: u32,
    /// How many at most when many are asked for within a minute; `count` where it is 0.
    #[serde(default)]
    pub most: u32,
    /// Whether they are stopped in time until they are needed.
    #[serde(default)]
    pub paused: bool,
}

/// What follows when a desktop ends although its session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExit {
    /// The session ends.
    #[default]
    End,
    /// Another desktop takes its place.
    Restart,
}

impl Warm {
    /// What is wrong with it.
    pub(super) fn fault(self) -> Option<&'static str> {
        if self.count > MAX_WARM || self.most > MAX_WARM || (self.most != 0 && self.most < self.count) {
            return Some("`count` is at most `most`, and both at most 64");
        }
        ((self.most != 0 || self.paused) && self.count == 0).then_some("say `count` too")
    }
}
