//! Waste water: HJ 212-2017 annex D, volumes and amounts of time slices.

use crate::quantity::{Mass, Volume};
use rust_decimal::Decimal;

/// Volume of a slice, `D = Q * T * 1e-3` m³, from L/s and seconds.
pub fn slice_volume(flow_l_per_s: Decimal, seconds: u32) -> Option<Volume> {
    flow_l_per_s
        .checked_mul(Decimal::from(seconds))?
        .checked_mul(Decimal::new(1, 3))
        .map(Volume::from_m3)
}

/// Amount of a slice, `G = D * C * 1e-3` kg; `kg_per_unit_m3` carries the 1e-3 of mg/L.
pub fn slice_amount(
    volume: Volume,
    concentration: Decimal,
    kg_per_unit_m3: Decimal,
) -> Option<Mass> {
    volume
        .m3()
        .checked_mul(concentration)?
        .checked_mul(kg_per_unit_m3)
        .map(Mass::from_kg)
}

/// Mean weighted by flow, `C = sum(D*C) / sum(D)`; `None` without volume.
pub fn weighted_mean(slices: impl IntoIterator<Item = (Volume, Decimal)>) -> Option<Decimal> {
    let mut volume = Decimal::ZERO;
    let mut product = Decimal::ZERO;
    for (d, c) in slices {
        volume = volume.checked_add(d.m3())?;
        product = product.checked_add(d.m3().checked_mul(c)?)?;
    }
    product.checked_div(volume)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_minute_at_ten_litres_a_second_is_six_hundred_litres() {
        let volume = slice_volume(dec("10"), 60).unwrap();
        assert_eq!(volume.m3(), dec("0.6"));
        let amount = slice_amount(volume, dec("100"), dec("0.001")).unwrap();
        assert_eq!(amount.kg(), dec("0.06"));
    }

    #[test]
    fn no_volume_no_weighted_mean() {
        assert_eq!(
            weighted_mean([(Volume::from_m3(Decimal::ZERO), dec("5"))]),
            None
        );
        let slices = [("10", "50"), ("0", "70"), ("12", "50")];
        let slices = slices.map(|(d, c)| (Volume::from_m3(dec(d)), dec(c)));
        assert_eq!(weighted_mean(slices), Some(dec("50")));
    }

    #[test]
    fn day_mean_of_six_volumes() {
        let c = ["40", "55", "62", "48", "51", "45"];
        let q = ["100", "140", "180", "120", "90", "70"];
        let mean = weighted_mean(
            c.iter()
                .zip(q)
                .map(|(c, q)| (Volume::from_m3(dec(q)), dec(c))),
        );
        assert_eq!(mean.unwrap().round_dp(4), dec("51.9429"));
    }

    #[test]
    fn overflow_is_no_value() {
        assert_eq!(slice_volume(Decimal::MAX, 60), None);
        assert_eq!(
            slice_amount(Volume::from_m3(Decimal::MAX), dec("2"), Decimal::ONE),
            None
        );
    }
}
