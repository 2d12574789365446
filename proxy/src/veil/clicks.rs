//! Buttons and hidden regions: what is pressed into a mask does not reach the desktop, what was pressed before can be let go.

use portcullis_policy::{Clicks, Rule, ScreenRules};
use portcullis_rfb::{Point, Pointer, Rect, Size};

use super::owed::{around, outside};

/// What a viewer's pointer may not press, and what it has pressed there all the same.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    rules: ScreenRules,
    /// Buttons that are down for the viewer and never were for the desktop.
    barred: u8,
    /// The last place that was not barred.
    last: Point,
}

impl Guard {
    /// Holds to these rules from now on.
    pub(crate) fn follow(&mut self, rules: ScreenRules) {
        self.rules = rules;
    }

    /// What the desktop is told in place of a viewer's pointer, where `down` is what it has been told is down; and the rule that keeps a
    /// button from it, if one is.
    ///
    /// INVARIANT: a button that is pressed in a barred region stays unpressed until the viewer lets go of it, wherever that is. A drag that
    /// comes to one stops at the last place before it: nothing is dropped there either. A pointer with nothing down goes anywhere.
    pub(crate) fn admit(&mut self, pointer: Pointer, down: u8, size: Size) -> (Pointer, Option<&Rule>) {
        self.barred &= pointer.buttons;
        let rule = barring(&self.rules, pointer.at, size);
        let pressed = pointer.buttons & !down & !self.barred;
        if rule.is_some() {
            self.barred |= pressed;
        }
        let buttons = pointer.buttons & !self.barred;
        let dragged = rule.is_some() && (buttons | down) != 0;
        let at = if dragged { self.last } else { pointer.at };
        if rule.is_none() {
            self.last = at;
        }
        (Pointer { buttons, at }, rule.filter(|_| pressed != 0))
    }
}

/// The rule by which a place takes no clicks: a mask that does not allow them, or that it is not `visible`.
fn barring(rules: &ScreenRules, at: Point, size: Size) -> Option<&Rule> {
    let place = Rect::new(at.x, at.y, 1, 1);
    let covers = |rect: Rect| rect.intersects(place);
    let masks = rules.masks.iter().filter(|mask| mask.value.clicks == Clicks::Deny);
    let mut masking = masks.filter(|mask| around(&mask.value.region, size).is_some_and(covers)).map(|mask| &mask.rule);
    let hiding = rules.visible.iter().find(|region| outside(&region.value, size).into_iter().any(covers));
    masking.next().or_else(|| hiding.map(|region| &region.rule))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::veil::tests::rules;

    const SIZE: Size = Size::new(100, 100);

    /// A viewer's pointer by this guard; what reaches the desktop, and whether a press was kept from it.
    struct Hand {
        guard: Guard,
        down: u8,
    }

    impl Hand {
        fn of(screen: &str) -> Self {
            let mut guard = Guard::default();
            guard.follow(rules(screen));
            Self { guard, down: 0 }
        }

        fn does(&mut self, buttons: u8, x: u16, y: u16) -> (u8, u16, u16, bool) {
            let (passed, rule) = self.guard.admit(Pointer { buttons, at: Point::new(x, y) }, self.down, SIZE);
            let refused = rule.is_some();
            self.down = passed.buttons;
            (passed.buttons, passed.at.x, passed.at.y, refused)
        }
    }

    const MASK: &str = "{mask: [{x: 10, y: 10, width: 10, height: 10}]}";

    #[test]
    fn a_press_in_a_mask_is_kept_until_it_is_let_go_wherever_that_is() {
        let mut hand = Hand::of(MASK);
        assert_eq!(hand.does(0, 15, 15), (0, 15, 15, false), "the pointer itself goes there");
        assert_eq!(hand.does(1, 15, 15), (0, 15, 15, true));
        assert_eq!(hand.does(1, 15, 16), (0, 15, 16, false), "said once");
        assert_eq!(hand.does(1, 50, 50), (0, 50, 50, false), "dragged out it is no press");
        assert_eq!(hand.does(5, 50, 50), (4, 50, 50, false), "another button there is one");
        assert_eq!(hand.does(0, 50, 50), (0, 50, 50, false));
        assert_eq!(hand.does(1, 50, 50), (1, 50, 50, false));
    }

    #[test]
    fn a_drag_stops_at_the_edge_and_is_let_go_there() {
        let mut hand = Hand::of(MASK);
        assert_eq!(hand.does(1, 5, 15), (1, 5, 15, false));
        assert_eq!(hand.does(1, 9, 15), (1, 9, 15, false));
        assert_eq!(hand.does(1, 10, 15), (1, 9, 15, false));
        assert_eq!(hand.does(3, 12, 15), (1, 9, 15, true), "a second button in there is kept");
        assert_eq!(hand.does(0, 12, 15), (0, 9, 15, false), "let go where it was last");
        assert_eq!(hand.does(0, 12, 15), (0, 12, 15, false));
        assert_eq!(hand.does(8, 12, 15), (0, 12, 15, true), "the wheel is a button");
    }

    #[test]
    fn edges_belong_to_the_mask_and_masks_may_allow_clicks() {
        let mut hand = Hand::of(MASK);
        for (x, y, refused) in [(9, 10, false), (10, 9, false), (10, 10, true), (19, 19, true), (20, 19, false)] {
            assert_eq!(hand.does(1, x, y).3, refused, "{x},{y}");
            hand.does(0, x, y);
        }
        let mut hand = Hand::of("{mask: [{width: 50%, clicks: allow}, {x: 40%, width: 20%}]}");
        assert!(!hand.does(1, 20, 20).3);
        hand.does(0, 20, 20);
        assert!(hand.does(1, 45, 20).3, "where two cover it, the stricter counts");
    }

    #[test]
    fn what_is_not_visible_takes_no_clicks() {
        let mut hand = Hand::of("{visible: {x: 10%, y: 10%, width: 80%, height: 80%}}");
        assert!(hand.does(1, 9, 50).3);
        hand.does(0, 9, 50);
        assert!(!hand.does(1, 10, 50).3);
        hand.does(0, 10, 50);
        assert!(hand.does(1, 90, 50).3);
    }

    #[test]
    fn rules_that_come_while_a_button_is_down_let_it_go_where_it_is() {
        let mut hand = Hand::of("{max_fps: 9}");
        assert_eq!(hand.does(1, 14, 15), (1, 14, 15, false));
        hand.guard.follow(rules(MASK));
        assert_eq!(hand.does(1, 16, 15), (1, 14, 15, false), "it does not move any more");
        assert_eq!(hand.does(0, 16, 15), (0, 14, 15, false));
    }
}
