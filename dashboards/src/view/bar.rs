//! Bars drawn by the server as SVG: no script, no inline style.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Width of the drawing; the limit stands at four fifths of it, so that an excess has room.
const WIDTH: u32 = 100;
/// Where the limit stands.
const LIMIT_AT: u32 = 80;

/// A value against a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bar {
    /// Class: `ok`, `near` or `over`.
    pub(crate) class: &'static str,
    /// Start of the filled part, of 100.
    pub(crate) x: u32,
    /// Length of the filled part, of 100.
    pub(crate) width: u32,
    /// Where the ticks stand.
    pub(crate) ticks: Vec<u32>,
}

fn share(value: Decimal, of: Decimal) -> Option<Decimal> {
    value.checked_div(of)
}

/// `parts` times `share`, cut to the drawing.
fn length(share: Decimal, parts: u32) -> u32 {
    share
        .checked_mul(Decimal::from(parts))
        .map_or(WIDTH, |w| {
            w.round()
                .to_u32()
                .unwrap_or(if w.is_sign_negative() { 0 } else { WIDTH })
        })
        .min(WIDTH)
}

fn class(share: Decimal, near: Decimal) -> &'static str {
    if share > Decimal::ONE {
        "over"
    } else if share >= near {
        "near"
    } else {
        "ok"
    }
}

impl Bar {
    /// `value` against an upper bound; `None` when the bound is not positive.
    pub(crate) fn upper(value: Decimal, bound: Decimal) -> Option<Bar> {
        if bound <= Decimal::ZERO {
            return None;
        }
        let share = share(value, bound)?;
        Some(Bar {
            class: class(share, Decimal::new(9, 1)),
            x: 0,
            width: length(share, LIMIT_AT),
            ticks: vec![LIMIT_AT],
        })
    }

    /// `value` between two bounds: a mark in a window from 20 to 80.
    pub(crate) fn window(value: Decimal, lower: Decimal, upper: Decimal) -> Option<Bar> {
        if upper <= lower {
            return None;
        }
        let place = share(value.checked_sub(lower)?, upper.checked_sub(lower)?)?;
        let inside = place >= Decimal::ZERO && place <= Decimal::ONE;
        let at = length(place * Decimal::new(6, 1) + Decimal::new(2, 1), WIDTH).clamp(3, 97);
        Some(Bar {
            class: if inside { "ok" } else { "over" },
            x: at - 3,
            width: 6,
            ticks: vec![20, 80],
        })
    }

    /// A share in percent against 100 %; warns from 80 % on, as the first warning of a permit.
    pub(crate) fn share(percent: Decimal) -> Bar {
        let share = percent / Decimal::ONE_HUNDRED;
        Bar {
            class: class(share, Decimal::new(8, 1)),
            x: 0,
            width: length(share, LIMIT_AT),
            ticks: vec![LIMIT_AT],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_stands_at_four_fifths_and_an_excess_is_cut_at_the_edge() {
        let bar = |v: i64| Bar::upper(Decimal::from(v), Decimal::from(50)).unwrap();
        assert_eq!((bar(25).class, bar(25).width), ("ok", 40));
        assert_eq!((bar(46).class, bar(46).width), ("near", 74));
        assert_eq!((bar(50).class, bar(50).width), ("near", 80));
        assert_eq!((bar(51).class, bar(51).width), ("over", 82));
        assert_eq!((bar(5000).class, bar(5000).width), ("over", 100));
        assert_eq!(bar(-5).width, 0);
        assert_eq!(Bar::upper(Decimal::ONE, Decimal::ZERO), None);
        assert_eq!(
            Bar::upper(Decimal::MAX, Decimal::new(1, 20)),
            None,
            "no overflow"
        );
    }

    #[test]
    fn a_window_marks_where_the_value_stands() {
        let ph =
            |v: &str| Bar::window(v.parse().unwrap(), Decimal::from(6), Decimal::from(9)).unwrap();
        assert_eq!((ph("7.5").class, ph("7.5").x), ("ok", 47));
        assert_eq!(ph("5.2").class, "over");
        assert_eq!((ph("14").class, ph("14").x), ("over", 94));
    }
}
