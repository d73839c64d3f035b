//! Small decisions on figures that several checks share. What overflows decides nothing.

use crate::model::Number;
use rust_decimal::Decimal;

/// A product takes a fraction of the time of a quotient.
const HUNDREDTH: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// `pct` percent of `whole`; `None` on overflow.
pub fn percent_of(whole: Decimal, pct: Decimal) -> Option<Decimal> {
    whole.checked_mul(pct)?.checked_mul(HUNDREDTH)
}

/// True when `part` of `whole` is at least `pct` percent. Nothing is no share of anything.
pub fn is_share(part: usize, whole: usize, pct: Decimal) -> bool {
    let hundredfold = Decimal::from(part).checked_mul(Decimal::ONE_HUNDRED);
    let needed = Decimal::from(whole).checked_mul(pct);
    part > 0 && hundredfold.zip(needed).is_some_and(|(a, b)| a >= b)
}

/// True when two figures differ by more than `tolerance`; false where the difference overflows.
pub fn differs(a: Decimal, b: Decimal, tolerance: Decimal) -> bool {
    a.checked_sub(b).is_some_and(|off| off.abs() > tolerance)
}

/// One unit of the last place sent: nearer than that no figure can be.
pub fn last_place(sent: &Number) -> Decimal {
    Decimal::try_new(1, sent.value.scale()).unwrap_or_default()
}

/// How far a figure sent may be from what it should be: `pct` percent of the latter, and at least
/// one unit of the last place sent.
pub fn tolerance(should_be: Decimal, sent: &Number, pct: Decimal) -> Option<Decimal> {
    Some(percent_of(should_be.abs(), pct)?.max(last_place(sent)))
}

/// Least and greatest; `None` when there is nothing.
pub fn spread(values: impl IntoIterator<Item = Decimal>) -> Option<(Decimal, Decimal)> {
    let mut values = values.into_iter();
    let first = values.next()?;
    Some(values.fold((first, first), |(least, greatest), value| {
        (least.min(value), greatest.max(value))
    }))
}

/// Population variance; `None` when there is nothing, or on overflow.
pub fn variance(values: &[Decimal]) -> Option<Decimal> {
    let mean = crate::formula::mean(values.iter().copied())?;
    let mut squares = Decimal::ZERO;
    for value in values {
        let off = value.checked_sub(mean)?;
        squares = squares.checked_add(off.checked_mul(off)?)?;
    }
    squares.checked_div(Decimal::from(values.len()))
}

/// The smallest value that at least `pct` percent of `sorted` do not exceed (nearest rank); `None`
/// when there is nothing or `pct` is not within 0 to 100.
pub fn percentile(sorted: &[Decimal], pct: Decimal) -> Option<Decimal> {
    (Decimal::ZERO..=Decimal::ONE_HUNDRED)
        .contains(&pct)
        .then_some(())?;
    let rank = percent_of(Decimal::from(sorted.len()), pct)?.ceil();
    let rank = usize::try_from(rank.mantissa()).ok()?;
    sorted.get(rank.max(1).checked_sub(1)?).copied()
}

/// Longest run of equal neighbours that all count: index of its first, and its length. An absent
/// value breaks a run; the first of equally long runs is given. (0, 0) when there is nothing.
pub fn longest_run(values: impl IntoIterator<Item = Option<Decimal>>) -> (usize, usize) {
    let (mut best, mut from, mut length) = ((0_usize, 0_usize), 0_usize, 0_usize);
    let mut last = None;
    for (at, value) in values.into_iter().enumerate() {
        if value.is_some() && value == last {
            length = length.saturating_add(1);
        } else {
            (from, length) = (at, usize::from(value.is_some()));
        }
        if length > best.1 {
            best = (from, length);
        }
        last = value;
    }
    best
}
