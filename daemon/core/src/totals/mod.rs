//! Amounts against permitted amounts (许可排放量).
//!
//! Emissions while over a limit count like any other (permit regulations, article 21). A warning
//! is due as soon as a total reaches its share; the permitted amount itself is exceeded only when
//! the total is strictly above it, because the permit allows exactly that much.

use crate::model::PermittedAmount;
use crate::quantity::internal;
use rust_decimal::Decimal;

/// What a share of a permitted amount says about a total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareVerdict {
    /// The share, percent of the permitted amount.
    pub share_pct: Decimal,
    /// Kilograms at that share.
    pub threshold_kg: Decimal,
    /// At 100 % or more: an exceedance of the amount, not a warning.
    pub exceedance: bool,
    /// The total has reached (a warning) or passed (an exceedance) the threshold.
    pub reached: bool,
}

/// Verdicts of every share of `permitted` on `total_kg`, ascending. 100 % is always among them,
/// whatever the permit file warns at.
pub fn shares(permitted: &PermittedAmount, total_kg: Decimal) -> Vec<ShareVerdict> {
    let mut at: Vec<Decimal> = permitted.warn_at_pct.clone();
    at.push(Decimal::ONE_HUNDRED);
    at.sort();
    at.dedup();
    at.into_iter()
        .filter_map(|share_pct| {
            let threshold_kg = permitted
                .amount_kg
                .checked_mul(share_pct)?
                .checked_div(Decimal::ONE_HUNDRED)
                .map(internal)?;
            let exceedance = share_pct >= Decimal::ONE_HUNDRED;
            Some(ShareVerdict {
                share_pct: share_pct.normalize(),
                threshold_kg,
                exceedance,
                reached: if exceedance {
                    total_kg > threshold_kg
                } else {
                    total_kg >= threshold_kg
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AmountPeriod;

    fn reached(total: &str) -> Vec<String> {
        let permitted = PermittedAmount {
            factor: "a21026".into(),
            period: AmountPeriod::Year,
            amount_kg: Decimal::from(1_000u32),
            warn_at_pct: vec![Decimal::from(90u32), Decimal::from(80u32)],
            source: "permit".into(),
            special: None,
        };
        shares(&permitted, total.parse().unwrap())
            .into_iter()
            .filter(|s| s.reached)
            .map(|s| format!("{}{}", s.share_pct, if s.exceedance { "!" } else { "" }))
            .collect()
    }

    #[test]
    fn warnings_at_the_share_and_exceedance_strictly_above_the_whole() {
        assert_eq!(reached("799.999"), [""; 0]);
        assert_eq!(reached("800"), ["80"]);
        assert_eq!(reached("950"), ["80", "90"]);
        assert_eq!(reached("1000"), ["80", "90"]);
        assert_eq!(reached("1000.001"), ["80", "90", "100!"]);
    }
}
