//! Statistics of accuracy tests, in exact decimals.

pub use crate::formula::mean;
use crate::formula::root::sqrt;
use rust_decimal::Decimal;

/// Student's t, 97.5 % one-sided (95 % two-sided), in thousandths by degrees of freedom (40 CFR 75
/// appendix A, table of t-values). Between two lines the earlier one counts, whose t is greater;
/// from 61 on it is that of the normal distribution, as there.
const T_975: [(u32, u32); 33] = [
    (1, 12_706),
    (2, 4_303),
    (3, 3_182),
    (4, 2_776),
    (5, 2_571),
    (6, 2_447),
    (7, 2_365),
    (8, 2_306),
    (9, 2_262),
    (10, 2_228),
    (11, 2_201),
    (12, 2_179),
    (13, 2_160),
    (14, 2_145),
    (15, 2_131),
    (16, 2_120),
    (17, 2_110),
    (18, 2_101),
    (19, 2_093),
    (20, 2_086),
    (21, 2_080),
    (22, 2_074),
    (23, 2_069),
    (24, 2_064),
    (25, 2_060),
    (26, 2_056),
    (27, 2_052),
    (28, 2_048),
    (29, 2_045),
    (30, 2_042),
    (40, 2_021),
    (60, 2_000),
    (61, 1_960),
];

/// Student's t for a confidence coefficient with `freedom` = n − 1 degrees of freedom; `None` for
/// none.
pub fn student_t(freedom: u32) -> Option<Decimal> {
    let line = T_975.iter().rev().find(|(least, _)| *least <= freedom)?;
    Some(Decimal::new(i64::from(line.1), 3))
}

/// Sample standard deviation (样本标准差, divisor n − 1); `None` for fewer than two values and on
/// overflow.
pub fn standard_deviation(values: &[Decimal]) -> Option<Decimal> {
    let mean = mean(values.iter().copied())?;
    let freedom = u32::try_from(values.len()).ok()?.checked_sub(1)?;
    let mut squares = Decimal::ZERO;
    for value in values {
        let off = value.checked_sub(mean)?;
        squares = squares.checked_add(off.checked_mul(off)?)?;
    }
    sqrt(squares.checked_div(Decimal::from(freedom))?)
}

/// Confidence coefficient (置信系数) `t · Sd / √n` of the mean of `n` values; `None` for fewer than
/// two and on overflow.
pub fn confidence(standard_deviation: Decimal, n: u32) -> Option<Decimal> {
    let t = student_t(n.checked_sub(1)?)?;
    t.checked_mul(standard_deviation)?
        .checked_div(sqrt(Decimal::from(n))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// Probability between −t and t for whole degrees of freedom (Abramowitz and Stegun 26.7.3,
    /// 26.7.4).
    fn probability(t: f64, freedom: u32) -> f64 {
        let theta = (t / f64::from(freedom).sqrt()).atan();
        let (sin, cos) = theta.sin_cos();
        let even = freedom.is_multiple_of(2);
        let (mut term, mut k) = if even { (1.0, 2) } else { (cos, 3) };
        let mut sum = 0.0;
        while k <= freedom {
            sum += term;
            term *= cos * cos * f64::from(k - 1) / f64::from(k);
            k += 2;
        }
        if even {
            sin * sum
        } else {
            (theta + sin * sum) * std::f64::consts::FRAC_2_PI
        }
    }

    #[test]
    fn the_table_holds_95_percent_to_its_last_digit() {
        for (freedom, thousandths) in T_975.into_iter().filter(|(freedom, _)| *freedom <= 60) {
            let t = f64::from(thousandths) / 1_000.0;
            let (below, above) = (t - 0.000_51, t + 0.000_51);
            assert!(probability(below, freedom) < 0.95, "{freedom}: {t}");
            assert!(probability(above, freedom) > 0.95, "{freedom}: {t}");
        }
    }

    #[test]
    fn between_lines_the_greater_t_counts() {
        assert_eq!(student_t(0), None);
        assert_eq!(student_t(8), Some(dec("2.306")));
        assert_eq!(student_t(39), Some(dec("2.042")));
        assert_eq!(student_t(60), Some(dec("2.000")));
        assert_eq!(student_t(u32::MAX), Some(dec("1.960")));
    }

    #[test]
    fn one_value_has_no_deviation_and_equal_ones_have_none_to_speak_of() {
        assert_eq!(standard_deviation(&[]), None);
        assert_eq!(standard_deviation(&[dec("3")]), None);
        assert_eq!(standard_deviation(&[dec("0.1"); 7]), Some(Decimal::ZERO));
        let eight = ["2", "4", "4", "4", "5", "5", "7", "9"].map(dec);
        let deviation = standard_deviation(&eight).unwrap();
        assert_eq!(deviation.round_dp(6), dec("2.138090"));
        assert_eq!(confidence(deviation, 1), None);
    }
}
