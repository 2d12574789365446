//! Sizes, points and rectangles in framebuffer pixels, with arithmetic that cannot overflow.

pub use crate::region::{MAX_REGION_RECTS, Region};

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Size {
    /// Pixels from left to right.
    pub width: u16,
    /// Pixels from top to bottom.
    pub height: u16,
}

/// A pixel's place: `0,0` is the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Point {
    /// Pixels from the left edge.
    pub x: u16,
    /// Pixels from the top edge.
    pub y: u16,
}

/// A rectangle of pixels: its top left corner and its size. Its right and bottom edges are outside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rect {
    /// Left edge.
    pub x: u16,
    /// Top edge.
    pub y: u16,
    /// Pixels from left to right.
    pub width: u16,
    /// Pixels from top to bottom.
    pub height: u16,
}

impl Size {
    /// A size of `width` x `height` pixels.
    pub const fn new(width: u16, height: u16) -> Self {
        Self { width, height }
    }

    /// Number of pixels.
    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Whether there is no pixel in it.
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The rectangle of this size at `0,0`.
    pub const fn bounds(self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl Point {
    /// The point `x,y`.
    pub const fn new(x: u16, y: u16) -> Self {
        Self { x, y }
    }

    /// The nearest point inside of `size`; `0,0` for an empty one.
    pub fn clamped_to(self, size: Size) -> Self {
        Self::new(self.x.min(size.width.saturating_sub(1)), self.y.min(size.height.saturating_sub(1)))
    }
}

impl Rect {
    /// The rectangle of `width` x `height` pixels at `x,y`.
    pub const fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self { x, y, width, height }
    }

    /// The rectangle between the edges; `None` when it is empty or an edge does not fit.
    pub(crate) fn between(left: u32, top: u32, right: u32, bottom: u32) -> Option<Self> {
        let rect = Self::new(
            u16::try_from(left).ok()?,
            u16::try_from(top).ok()?,
            u16::try_from(right.checked_sub(left)?).ok()?,
            u16::try_from(bottom.checked_sub(top)?).ok()?,
        );
        (!rect.is_empty()).then_some(rect)
    }

    /// The rectangle of the same size at another place.
    pub const fn at(self, place: Point) -> Self {
        Self::new(place.x, place.y, self.width, self.height)
    }

    /// Top left corner.
    pub const fn origin(self) -> Point {
        Point::new(self.x, self.y)
    }

    /// Width and height.
    pub const fn size(self) -> Size {
        Size::new(self.width, self.height)
    }

    /// The first column that is no longer inside.
    pub fn right(self) -> u32 {
        u32::from(self.x) + u32::from(self.width)
    }

    /// The first row that is no longer inside.
    pub fn bottom(self) -> u32 {
        u32::from(self.y) + u32::from(self.height)
    }

    /// Number of pixels.
    pub fn area(self) -> u64 {
        self.size().area()
    }

    /// Whether there is no pixel in it.
    pub const fn is_empty(self) -> bool {
        self.size().is_empty()
    }

    /// The pixels in both; `None` when there is none.
    pub fn intersection(self, other: Rect) -> Option<Rect> {
        Self::between(
            u32::from(self.x.max(other.x)),
            u32::from(self.y.max(other.y)),
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        )
    }

    /// Whether they share a pixel.
    pub fn intersects(self, other: Rect) -> bool {
        !self.is_empty()
            && !other.is_empty()
            && u32::from(self.x) < other.right()
            && u32::from(other.x) < self.right()
            && u32::from(self.y) < other.bottom()
            && u32::from(other.y) < self.bottom()
    }

    /// Whether every pixel of `other` is in this one; an empty rectangle only if its corner lies inside or on the edge.
    pub fn contains(self, other: Rect) -> bool {
        self.x <= other.x && self.y <= other.y && other.right() <= self.right() && other.bottom() <= self.bottom()
    }

    /// The smallest rectangle around both; an empty one adds nothing. Edges beyond 65,535 pixels of extent are cut.
    pub fn union(self, other: Rect) -> Rect {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let extent = |end: u32, start: u16| u16::try_from(end - u32::from(start)).unwrap_or(u16::MAX);
        Rect::new(x, y, extent(self.right().max(other.right()), x), extent(self.bottom().max(other.bottom()), y))
    }

    /// Whether it lies wholly inside of a framebuffer of `size`.
    pub fn is_within(self, size: Size) -> bool {
        size.bounds().contains(self)
    }
}

impl std::fmt::Display for Rect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}+{}+{}", self.width, self.height, self.x, self.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_rect() -> impl Strategy<Value = Rect> {
        (any::<u16>(), any::<u16>(), any::<u16>(), any::<u16>()).prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
    }

    #[test]
    fn edges_of_the_largest_rectangle_do_not_wrap() {
        let largest = Rect::new(u16::MAX, u16::MAX, u16::MAX, u16::MAX);
        assert_eq!((largest.right(), largest.bottom()), (131_070, 131_070));
        assert_eq!(largest.area(), 4_294_836_225);
        assert!(!largest.is_within(Size::new(u16::MAX, u16::MAX)));
    }

    #[test]
    fn touching_is_not_intersecting() {
        let left = Rect::new(0, 0, 10, 10);
        assert!(!left.intersects(Rect::new(10, 0, 5, 10)));
        assert_eq!(left.intersection(Rect::new(10, 0, 5, 10)), None);
        assert_eq!(left.intersection(Rect::new(9, 9, 5, 10)), Some(Rect::new(9, 9, 1, 1)));
        assert_eq!(left.union(Rect::new(10, 0, 5, 10)), Rect::new(0, 0, 15, 10));
        assert_eq!(left.to_string(), "10x10+0+0");
    }

    #[test]
    fn points_clamp_into_the_screen() {
        assert_eq!(Point::new(900, 3).clamped_to(Size::new(800, 600)), Point::new(799, 3));
        assert_eq!(Point::new(1, 1).clamped_to(Size::new(0, 0)), Point::new(0, 0));
    }

    proptest! {
        #[test]
        fn intersection_is_inside_both_and_agrees_with_intersects(a in any_rect(), b in any_rect()) {
            prop_assert_eq!(a.intersects(b), a.intersection(b).is_some());
            if let Some(both) = a.intersection(b) {
                prop_assert!(a.contains(both) && b.contains(both) && !both.is_empty());
            }
        }

        #[test]
        fn union_is_around_both(
            a in (0u16..9000, 0u16..9000, 1u16..9000, 1u16..9000), b in (0u16..9000, 0u16..9000, 1u16..9000, 1u16..9000)
        ) {
            let (a, b) = (Rect::new(a.0, a.1, a.2, a.3), Rect::new(b.0, b.1, b.2, b.3));
            prop_assert!(a.union(b).contains(a) && a.union(b).contains(b));
        }
    }
}
