//! Mean of pH by the ion balance of water: what the mixture of equal volumes would show, were
//! there no buffer. pH 6 and pH 8 give 7.0; the plain mean of H+ would give 6.3.
//!
//! Exact enough in decimals, so that a verdict on pH never rests on binary floats whose last bits
//! differ between machines: everything is relative to neutral water, `y = pH - 7`, where the
//! excess of acid over base is `10^-y - 10^y` in units of 1e-7 mol/L.

use rust_decimal::Decimal;

const NEUTRAL: Decimal = Decimal::from_parts(7, 0, 0, false, 0);
const TEN: Decimal = Decimal::TEN;
/// ln 10 to 24 places.
const LN_10: Decimal = Decimal::from_parts(3_917_278_023, 1_666_481_000, 124_823, false, 24);
/// Terms of a series after which the rest is below 1e-24 for arguments up to 2.31.
const SERIES_TERMS_MAX: u32 = 60;
/// Steps of Newton's method; each doubles the digits.
const NEWTON_STEPS_MAX: u32 = 64;

/// The mean of `values`; `None` when empty or when one lies outside 0 to 14.
pub fn mean(values: impl IntoIterator<Item = Decimal>) -> Option<Decimal> {
    let mut excess = Decimal::ZERO;
    let mut n: u32 = 0;
    for ph in values {
        excess = excess.checked_add(acid_excess(ph)?)?;
        n = n.checked_add(1)?;
    }
    of_acid_excess(excess.checked_div(Decimal::from(n))?)
}

/// `10^(7-pH) - 10^(pH-7)`, what is averaged in place of pH; `None` outside 0 to 14.
pub fn acid_excess(ph: Decimal) -> Option<Decimal> {
    let y = ph.checked_sub(NEUTRAL)?;
    (y.abs() <= NEUTRAL).then_some(())?;
    let power = pow10(y.abs())?;
    let magnitude = power.checked_sub(Decimal::ONE.checked_div(power)?)?;
    Some(if y > Decimal::ZERO {
        -magnitude
    } else {
        magnitude
    })
}

/// The pH with this excess: solves `h - 1/h = excess` for `h >= 1` and mirrors for bases. `None` on
/// overflow.
pub fn of_acid_excess(excess: Decimal) -> Option<Decimal> {
    let n = excess.abs();
    let root = sqrt(n.checked_mul(n)?.checked_add(Decimal::from(4u32))?)?;
    let h = n.checked_add(root)?.checked_div(Decimal::TWO)?;
    let y = log10(h)?;
    if excess > Decimal::ZERO {
        NEUTRAL.checked_sub(y)
    } else {
        NEUTRAL.checked_add(y)
    }
}

/// 10^x for 0 <= x <= 8.
fn pow10(x: Decimal) -> Option<Decimal> {
    let mut whole = x.trunc();
    let mut power = exp(x.checked_sub(whole)?.checked_mul(LN_10)?)?;
    while whole > Decimal::ZERO {
        power = power.checked_mul(TEN)?;
        whole -= Decimal::ONE;
    }
    Some(power)
}

/// e^x by its series, for 0 <= x <= ln 10.
fn exp(x: Decimal) -> Option<Decimal> {
    let mut term = Decimal::ONE;
    let mut total = Decimal::ONE;
    for k in 1..=SERIES_TERMS_MAX {
        term = term.checked_mul(x)?.checked_div(Decimal::from(k))?;
        if term.is_zero() {
            break;
        }
        total = total.checked_add(term)?;
    }
    Some(total)
}

/// Square root by Newton's method from above, for x >= 1.
pub(crate) fn sqrt(x: Decimal) -> Option<Decimal> {
    let mut root = x.checked_add(Decimal::ONE)?.checked_div(Decimal::TWO)?;
    for _ in 0..NEWTON_STEPS_MAX {
        let next = root
            .checked_add(x.checked_div(root)?)?
            .checked_div(Decimal::TWO)?;
        if next >= root {
            break;
        }
        root = next;
    }
    Some(root)
}

/// Decimal logarithm for 1 <= x <= 1e8: whole digits first, then `ln m = 2 artanh((m-1)/(m+1))`
/// of the rest, halved by square roots until the series is short.
fn log10(x: Decimal) -> Option<Decimal> {
    let mut mantissa = x;
    let mut whole = Decimal::ZERO;
    while mantissa >= TEN {
        mantissa = mantissa.checked_div(TEN)?;
        whole += Decimal::ONE;
    }
    let m = sqrt(sqrt(mantissa)?)?;
    let z = (m - Decimal::ONE).checked_div(m + Decimal::ONE)?;
    let square = z.checked_mul(z)?;
    let mut power = z;
    let mut total = Decimal::ZERO;
    for k in 0..SERIES_TERMS_MAX {
        total = total.checked_add(power.checked_div(Decimal::from(2 * k + 1))?)?;
        power = power.checked_mul(square)?;
        if power.is_zero() {
            break;
        }
    }
    // Four times for the two square roots, twice for the artanh form.
    let ln = total.checked_mul(Decimal::from(8u32))?;
    whole.checked_add(ln.checked_div(LN_10)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn acid_and_base_in_equal_volumes_are_neutral() {
        assert_eq!(mean([dec("6"), dec("8")]).unwrap().round_dp(10), dec("7"));
    }

    #[test]
    fn one_value_is_its_own_mean() {
        for text in ["0", "1.37", "6.5", "7", "7.01", "9.2", "14"] {
            assert_eq!(mean([dec(text)]).unwrap().round_dp(9), dec(text), "{text}");
        }
    }

    #[test]
    fn values_outside_the_scale_have_no_mean() {
        assert_eq!(mean([dec("15")]), None);
        assert_eq!(mean([dec("-0.1")]), None);
        assert_eq!(mean([]), None);
    }

    proptest! {
        #[test]
        fn agrees_with_binary_floats(values in prop::collection::vec(300u32..1_100, 1..60)) {
            let n = f64::from(u32::try_from(values.len()).unwrap());
            let net = values.iter().map(|v| {
                let ph = f64::from(*v) / 100.0;
                10f64.powf(7.0 - ph) - 10f64.powf(ph - 7.0)
            }).sum::<f64>() / n;
            let h = (net.abs() + (net * net + 4.0).sqrt()) / 2.0;
            let expected = 7.0 - h.log10() * net.signum();
            let exact = mean(values.iter().map(|v| Decimal::new(i64::from(*v), 2))).unwrap();
            let exact: f64 = exact.to_string().parse().unwrap();
            prop_assert!((exact - expected).abs() < 1e-6, "{exact} {expected}");
        }
    }
}
