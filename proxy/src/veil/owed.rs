//! What is owed to be drawn over a desktop: its rules resolved to a size, and its texts filled in.

use portcullis_policy::{Colour, Extent, Filling, Layout, Mask, MaskedRecord, Region, Rule, ScreenRules, Stated};
use portcullis_rfb::{Rect, Size};

use super::layout::places;
use super::lettering::Stamp;
use super::overlay::Placed;

/// No screen is beyond this.
const ANY: Size = Size::new(u16::MAX, u16::MAX);

/// What is drawn over a desktop at one moment; it is drawn anew when this changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owed {
    masks: Vec<Mask>,
    visible: Vec<Region>,
    marks: Vec<Mark>,
    /// A screen beyond this is all hidden.
    most: Size,
}

/// A watermark whose text is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    text: String,
    layout: Layout,
    angle: u16,
    opacity: u8,
    letters: u16,
    colour: Colour,
}

impl Default for Owed {
    fn default() -> Self {
        Self { masks: Vec::new(), visible: Vec::new(), marks: Vec::new(), most: ANY }
    }
}

impl Owed {
    /// What these rules ask at the instant of `filling`.
    pub(crate) fn of(rules: &ScreenRules, filling: &Filling<'_>) -> Self {
        let marks = rules.watermarks.iter().map(|Stated { value: mark, .. }| Mark {
            text: mark.text(filling),
            layout: mark.layout,
            angle: mark.angle,
            opacity: mark.opacity,
            letters: mark.size,
            colour: mark.colour,
        });
        Self {
            masks: rules.masks.iter().map(|mask| mask.value).collect(),
            visible: rules.visible.iter().map(|region| region.value).collect(),
            marks: marks.collect(),
            most: within(rules, ANY),
        }
    }

    /// Whether nothing is drawn over a screen of this size.
    pub(crate) fn is_nothing(&self, size: Size) -> bool {
        self.masks.is_empty() && self.visible.is_empty() && self.marks.is_empty() && !self.is_beyond(size)
    }

    fn is_beyond(&self, size: Size) -> bool {
        !size.bounds().is_within(self.most)
    }

    /// What viewers must not see of a screen of this size.
    pub(super) fn hidden(&self, size: Size) -> Vec<Rect> {
        self.black(size, |_| true)
    }

    /// What the record must not show: what any mask covers that is recorded masked, and what is not `visible`.
    pub(super) fn hidden_from_record(&self, size: Size) -> Vec<Rect> {
        self.black(size, |mask| mask.recorded == MaskedRecord::Masked)
    }

    fn black(&self, size: Size, counts: impl Fn(&Mask) -> bool) -> Vec<Rect> {
        if self.is_beyond(size) {
            return vec![size.bounds()];
        }
        let masks = self.masks.iter().filter(|mask| counts(mask)).filter_map(|mask| around(&mask.region, size));
        masks.chain(self.visible.iter().flat_map(|region| outside(region, size))).collect()
    }

    /// The watermarks of a screen of this size.
    pub(super) fn placed(&self, size: Size) -> Vec<Placed> {
        let placed = self.marks.iter().map(|mark| {
            let stamp = Stamp::of(&mark.text, mark.letters, mark.angle, size);
            let at = places(mark.layout, stamp.size, mark.letters, size);
            Placed { stamp, colour: mark.colour, opacity: mark.opacity, at }
        });
        placed.collect()
    }
}

/// The largest size within these rules that is no larger than the one given.
pub(crate) fn within(rules: &ScreenRules, size: Size) -> Size {
    let most = |side: u16, most: &Option<Stated<u16>>| most.as_ref().map_or(side, |most| side.min(most.value));
    Size::new(most(size.width, &rules.max_width), most(size.height, &rules.max_height))
}

/// The rule that a screen of this size is too large for, if there is one.
pub(crate) fn beyond(rules: &ScreenRules, size: Size) -> Option<&Rule> {
    let over = |most: &'_ &Stated<u16>, side: u16| side > most.value;
    let width = rules.max_width.as_ref().filter(|most| over(most, size.width));
    let height = rules.max_height.as_ref().filter(|most| over(most, size.height));
    width.or(height).map(|most| &most.rule)
}

/// The pixels that a region has a part in; `None` if there are none on the screen.
pub(super) fn around(region: &Region, size: Size) -> Option<Rect> {
    let (left, right) = edges(region.x, region.width, size.width);
    let (top, bottom) = edges(region.y, region.height, size.height);
    rect(left / PARTS, top / PARTS, right.div_ceil(PARTS), bottom.div_ceil(PARTS))
}

/// The pixels that are not wholly in a region.
pub(super) fn outside(region: &Region, size: Size) -> Vec<Rect> {
    let (left, right) = edges(region.x, region.width, size.width);
    let (top, bottom) = edges(region.y, region.height, size.height);
    let (width, height) = (u32::from(size.width), u32::from(size.height));
    let Some(inner) = rect(left.div_ceil(PARTS), top.div_ceil(PARTS), right / PARTS, bottom / PARTS) else {
        return vec![size.bounds()];
    };
    let (x, y) = (u32::from(inner.x), u32::from(inner.y));
    [
        rect(0, 0, width, y),
        rect(0, inner.bottom(), width, height),
        rect(0, y, x, inner.bottom()),
        rect(inner.right(), y, width, inner.bottom()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Parts of a pixel: a percentage of a side is a whole number of them.
const PARTS: u32 = 100;

/// Where an extent begins and ends, in parts of a pixel and within the side.
fn edges(start: Extent, length: Extent, side: u16) -> (u32, u32) {
    let parts = |extent: Extent| match extent {
        Extent::Pixels(pixels) => u32::from(pixels) * PARTS,
        Extent::Percent(percent) => u32::from(side) * u32::from(percent),
    };
    let whole = u32::from(side) * PARTS;
    let start = parts(start).min(whole);
    (start, (start + parts(length)).min(whole))
}

fn rect(left: u32, top: u32, right: u32, bottom: u32) -> Option<Rect> {
    let side = |from: u32, to: u32| u16::try_from(to.checked_sub(from)?).ok();
    let rect = Rect::new(u16::try_from(left).ok()?, u16::try_from(top).ok()?, side(left, right)?, side(top, bottom)?);
    (!rect.is_empty()).then_some(rect)
}
