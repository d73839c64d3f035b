//! Mean of pH by the ion balance of water: what the mixture of equal volumes would show, were
//! there no buffer. pH 6 and pH 8 give 7.0; the plain mean of H+ would give 6.3.
//!
//! Exact enough in decimals, so that a verdict on pH never rests on binary floats whose last bits
//! differ between machines: everything is relative to neutral water, `y = pH - 7`, where the
//! excess of acid over base is `10^-y - 10^y` in units of 1e-7 mol/L.

use super::root::sqrt;
use rust_decimal::Decimal;

const NEUTRAL: Decimal = Decimal::from_parts(7, 0, 0, false, 0);
const TEN: Decimal = Decimal::TEN;
/// ln 10 to 24 places.
const LN_10: Decimal = Decimal::from_parts(3_917_278_023, 1_666_481_000, 124_823, false, 24);
/// Terms of a series after which the rest is below 1e-24 for arguments up to 2.31.
const SERIES_TERMS_MAX: u32 = 60;

/// The mean of `values`; `None` when empty or when one lies outside 0 to 14.
pub fn mean(values: impl IntoIterator<Item = Decimal>) -> Option<Decimal> {
    mean_weighted(values.into_iter().map(|ph| (Decimal::ONE, ph)))
}

/// The mean of `(volume, pH)` weighted by volume (in any unit): what the mixture would show. `None`
/// without volume, with a negative one, or when a pH lies outside 0 to 14.
pub fn mean_weighted(parts: impl IntoIterator<Item = (Decimal, Decimal)>) -> Option<Decimal> {
    of_acid_excess(weighted(parts, acid_excess)?)
}

/// The mean of H+ alone, weighted by volume: the plainer method, also met with. It forgets that
/// water balances acid and base, and so calls a neutral mixture acid. `None` as for
/// [`mean_weighted`].
pub fn mean_of_hydrogen(parts: impl IntoIterator<Item = (Decimal, Decimal)>) -> Option<Decimal> {
    let mean = weighted(parts, hydrogen)?;
    if mean >= Decimal::ONE {
        NEUTRAL.checked_sub(log10(mean)?)
    } else {
        NEUTRAL.checked_add(log10(Decimal::ONE.checked_div(mean)?)?)
    }
}

fn weighted(
    parts: impl IntoIterator<Item = (Decimal, Decimal)>,
    quantity: fn(Decimal) -> Option<Decimal>,
) -> Option<Decimal> {
    let mut product = Decimal::ZERO;
    let mut total = Decimal::ZERO;
    for (volume, ph) in parts {
        (volume >= Decimal::ZERO).then_some(())?;
        product = product.checked_add(volume.checked_mul(quantity(ph)?)?)?;
        total = total.checked_add(volume)?;
    }
    product.checked_div(total)
}

/// The median of `values` (中位数; HJ/T 356-2007 fills gaps of pH with it), of an even number the
/// middle between the two in the middle. `None` when empty.
pub fn median(values: impl IntoIterator<Item = Decimal>) -> Option<Decimal> {
    let mut sorted: Vec<Decimal> = values.into_iter().collect();
    sorted.sort_unstable();
    let upper = sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(*upper);
    }
    let lower = sorted.get((sorted.len() / 2).checked_sub(1)?)?;
    lower.checked_add(*upper)?.checked_div(Decimal::TWO)
}

/// `10^(7-pH)`: H+ in units of 1e-7 mol/L; `None` outside 0 to 14.
fn hydrogen(ph: Decimal) -> Option<Decimal> {
    let y = ph.checked_sub(NEUTRAL)?;
    (y.abs() <= NEUTRAL).then_some(())?;
    let power = pow10(y.abs())?;
    if y > Decimal::ZERO {
        Decimal::ONE.checked_div(power)
    } else {
        Some(power)
    }
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
    fn more_of_the_acid_makes_the_mixture_acid() {
        let mixed = mean_weighted([(dec("3"), dec("6")), (dec("1"), dec("8"))]).unwrap();
        // The excess is (3 - 1)/4 of 10 - 1/10.
        assert_eq!(mixed, of_acid_excess(dec("4.95")).unwrap());
        let same = mean_weighted([(dec("5"), dec("6.2")), (dec("5"), dec("9"))]).unwrap();
        assert_eq!(
            same.round_dp(12),
            mean([dec("6.2"), dec("9")]).unwrap().round_dp(12)
        );
        assert_eq!(mean_weighted([(dec("0"), dec("6"))]), None);
        assert_eq!(
            mean_weighted([(dec("-1"), dec("6")), (dec("3"), dec("6"))]),
            None
        );
        assert_eq!(mean_weighted([(dec("1"), dec("15"))]), None);
    }

    #[test]
    fn hydrogen_alone_forgets_the_base() {
        let of = |ph| mean_of_hydrogen([(dec("1"), dec(ph))]).unwrap().round_dp(9);
        for text in ["0", "6.5", "7", "9.2", "14"] {
            assert_eq!(of(text), dec(text), "{text}");
        }
        assert_eq!(mean_of_hydrogen([]), None);
        assert_eq!(mean_of_hydrogen([(dec("-1"), dec("6"))]), None);
    }

    #[test]
    fn the_median_stands_in_the_middle() {
        let of = |values: &[&str]| median(values.iter().map(|v| dec(v)));
        assert_eq!(of(&["9", "7", "6.5"]), Some(dec("7")));
        assert_eq!(of(&["9", "7", "8", "6.5"]), Some(dec("7.5")));
        assert_eq!(of(&[]), None);
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
