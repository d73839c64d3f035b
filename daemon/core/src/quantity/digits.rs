//! Rounding on whole numbers of the last place kept.
//!
//! Every computed figure is rounded, and recomputing a year rounds some hundred thousand times; the
//! decimal crate does it digit by digit in three words of 32 bits, which costs ten times as much.

use rust_decimal::Decimal;

/// Powers of ten that fit 64 bits.
const POWERS: [u64; 20] = powers();

const fn powers() -> [u64; 20] {
    let mut powers = [1; 20];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
}

/// `10^n`; `None` above 10^19.
pub(crate) fn power_of_ten(n: u32) -> Option<u64> {
    POWERS.get(usize::try_from(n).ok()?).copied()
}

/// `n / by` as a whole number, half to even; `None` for a division by zero.
pub(crate) fn divide_half_even(n: i128, by: u64) -> Option<i128> {
    let magnitude = n.unsigned_abs();
    let (quotient, rest) = match u64::try_from(magnitude) {
        Ok(small) => (u128::from(small.checked_div(by)?), small.checked_rem(by)?),
        Err(_) => {
            let wide = u128::from(by);
            let rest = magnitude.checked_rem(wide)?;
            (magnitude.checked_div(wide)?, u64::try_from(rest).ok()?)
        }
    };
    let half = by - rest;
    let up = rest > half || (rest == half && quotient % 2 == 1);
    let rounded = i128::try_from(quotient.checked_add(u128::from(up))?).ok()?;
    Some(if n < 0 { -rounded } else { rounded })
}

/// `value` rounded to `places`, half to even, without trailing zeros.
pub(crate) fn places(value: Decimal, places: u32) -> Decimal {
    let scale = value.scale();
    let excess = scale.saturating_sub(places);
    let kept = match excess {
        0 => Some(value.mantissa()),
        _ => power_of_ten(excess).and_then(|power| divide_half_even(value.mantissa(), power)),
    };
    kept.and_then(|mantissa| normalised(mantissa, scale - excess))
        .unwrap_or_else(|| value.round_dp(places).normalize())
}

/// `mantissa * 10^-scale` without trailing zeros; `None` when it does not fit a decimal.
pub(crate) fn normalised(mantissa: i128, scale: u32) -> Option<Decimal> {
    let Ok(mut small) = i64::try_from(mantissa) else {
        let whole = Decimal::try_from_i128_with_scale(mantissa, scale).ok()?;
        return Some(whole.normalize());
    };
    let mut scale = scale;
    if small == 0 {
        return Some(Decimal::ZERO);
    }
    for (power, places) in [(100_000_000, 8), (10_000, 4), (100, 2), (10, 1)] {
        // An odd number ends in no zero.
        if small % 2 != 0 {
            break;
        }
        while scale >= places && small % power == 0 {
            small /= power;
            scale -= places;
        }
    }
    Decimal::try_new(small, scale).ok()
}

/// The whole number `n` for which `value = n * 10^-scale`; `None` when there is none of 96 bits.
pub(crate) fn scaled(value: Decimal, scale: u32) -> Option<i128> {
    const BOUND: u128 = 1 << 96;
    let power = power_of_ten(scale.checked_sub(value.scale())?)?;
    let n = value.mantissa().checked_mul(i128::from(power))?;
    (n.unsigned_abs() < BOUND).then_some(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rust_decimal::RoundingStrategy;

    fn decimals() -> impl Strategy<Value = Decimal> {
        let wide = (
            any::<u32>(),
            any::<u32>(),
            any::<u32>(),
            any::<bool>(),
            0u32..=28,
        )
            .prop_map(|(lo, mid, hi, sign, scale)| Decimal::from_parts(lo, mid, hi, sign, scale));
        let short = (any::<i64>(), 0u32..=28).prop_map(|(n, scale)| Decimal::new(n, scale));
        let ties = (-1_000i64..1_000, 0u32..8, 0u32..=6).prop_map(|(n, zeros, scale)| {
            let tie = n * 10i64.pow(zeros) * 10 + 5;
            Decimal::new(tie, 10 + scale)
        });
        prop_oneof![wide, short, ties]
    }

    proptest! {
        #[test]
        fn agrees_with_the_decimal_crate(value in decimals(), places in 0u32..=14) {
            let slow = value
                .round_dp_with_strategy(places, RoundingStrategy::MidpointNearestEven)
                .normalize();
            let fast = super::places(value, places);
            prop_assert_eq!((fast.mantissa(), fast.scale()), (slow.mantissa(), slow.scale()));
        }

        #[test]
        fn scaled_and_back(value in decimals(), more in 0u32..4) {
            let scale = value.scale() + more;
            if let Some(n) = scaled(value, scale) {
                prop_assert_eq!(normalised(n, scale).unwrap_or(value), value);
            }
        }
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        assert_eq!(divide_half_even(5, 0), None);
        assert_eq!(divide_half_even(-25, 10), Some(-2));
        assert_eq!(divide_half_even(35, 10), Some(4));
    }
}
