//! Square root in decimals.

use rust_decimal::Decimal;

/// Steps of Newton's method. From the farthest start, half of the greatest decimal, some fifty
/// halvings reach the neighbourhood of the root; then each step doubles the digits.
const NEWTON_STEPS_MAX: u32 = 64;

/// Square root by Newton's method from above, to the last digits of a decimal; `None` for negative
/// numbers and on overflow.
pub fn sqrt(x: Decimal) -> Option<Decimal> {
    if x.is_zero() {
        return Some(Decimal::ZERO);
    }
    (x > Decimal::ZERO).then_some(())?;
    // (x + 1) / 2 is never below the root of x.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn squares_have_exact_roots() {
        for (square, root) in [
            ("0", "0"),
            ("9", "3"),
            ("0.0625", "0.25"),
            ("1e-20", "1e-10"),
        ] {
            let read = |text: &str| {
                text.parse()
                    .or_else(|_| Decimal::from_scientific(text))
                    .unwrap()
            };
            assert_eq!(sqrt(read(square)), Some(read(root)), "{square}");
        }
    }

    #[test]
    fn a_negative_number_has_no_root() {
        assert_eq!(sqrt(-Decimal::ONE), None);
        assert_eq!(sqrt(Decimal::MAX), None);
    }

    proptest! {
        #[test]
        fn the_square_of_the_root_is_the_number(digits in 1i64..i64::MAX, scale in 0u32..18) {
            let x = Decimal::new(digits, scale);
            let root = sqrt(x).unwrap();
            let off = (root * root - x).abs() / x;
            prop_assert!(off < Decimal::new(1, 17), "{x}: {root}");
        }
    }
}
