//! What a logger computes from its readings before it sends them: converted concentrations and
//! amounts, by the formulas of HJ 212-2017 annex D.

use super::channels::Channel;
use super::plant::Means;
use cems_core::formula::gas::{
    StackState, d28_converted, d29_section_velocity, d30_actual_flow, d31_standard_dry_flow,
    d33_rate_kg_per_h,
};
use cems_core::quantity::{Concentration, GaugePressure, Moisture, Oxygen, Temperature, Velocity};
use rust_decimal::Decimal;

const AIR_O2: Decimal = Decimal::from_parts(21, 0, 0, false, 0);
/// Loggers give no converted value when hardly anything but air passes.
const GUARD_O2: Decimal = Decimal::from_parts(20, 0, 0, false, 0);
const KELVIN: Decimal = Decimal::from_parts(273, 0, 0, false, 0);
const STANDARD_PA: Decimal = Decimal::from_parts(101_325, 0, 0, false, 0);
/// Kilograms in 1 mg/m³ times 1 m³, and m³ in 1 L.
const MILLIONTH: Decimal = Decimal::from_parts(1, 0, 0, false, 6);
const THOUSANDTH: Decimal = Decimal::from_parts(1, 0, 0, false, 3);

/// Parameters of an outlet as its logger has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outfall {
    /// A stack.
    Stack {
        /// Duct cross-section, m².
        area_m2: Decimal,
        /// Reference oxygen, % v/v.
        reference_o2_pct: Decimal,
    },
    /// A discharge of waste water.
    Discharge,
}

impl Outfall {
    /// A concentration converted to reference oxygen; `None` for water and for (nearly) air.
    pub fn converted(&self, value: Decimal, o2: Option<Decimal>) -> Option<Decimal> {
        let Self::Stack {
            reference_o2_pct, ..
        } = self
        else {
            return None;
        };
        let o2 = o2.filter(|o2| *o2 < GUARD_O2)?;
        let converted = d28_converted(
            Concentration::new(value),
            Oxygen::from_pct(*reference_o2_pct),
            Oxygen::from_pct(o2),
            AIR_O2,
        )?;
        Some(converted.get())
    }

    /// Volume of `minutes` minutes, m³: dry standard gas, or water.
    pub fn volume_m3(&self, means: &[Means], minutes: u32) -> Option<Decimal> {
        let mean = |code: &str| means.iter().find(|m| m.code == code).map(|m| m.avg);
        match self {
            Self::Discharge => {
                let seconds = Decimal::from(minutes) * Decimal::from(60);
                Some(mean("w00000")? * seconds * THOUSANDTH)
            }
            Self::Stack { area_m2, .. } => {
                let velocity =
                    d29_section_velocity(Velocity::from_m_per_s(mean("a01011")?), Decimal::ONE)?;
                let state = StackState {
                    atmospheric_pa: STANDARD_PA,
                    pressure: GaugePressure::from_pa(mean("a01013")? * Decimal::ONE_THOUSAND),
                    temperature: Temperature::from_celsius(mean("a01012")?),
                    kelvin_offset: KELVIN,
                    standard_pa: STANDARD_PA,
                };
                let flow = d31_standard_dry_flow(
                    d30_actual_flow(*area_m2, velocity)?,
                    &state,
                    Moisture::from_pct(mean("a01014")?),
                )?;
                Some(flow.m3_per_h() * Decimal::from(minutes) / Decimal::from(60))
            }
        }
    }

    /// Amount of a pollutant in a volume, kg.
    pub fn amount_kg(&self, mean: &Means, volume_m3: Decimal) -> Option<Decimal> {
        match self {
            Self::Discharge => Some(mean.avg * volume_m3 * THOUSANDTH),
            Self::Stack { .. } => {
                let (mean, flow) = (Concentration::new(mean.avg), volume_m3);
                let flow = cems_core::quantity::VolumeFlow::from_m3_per_h(flow);
                d33_rate_kg_per_h(mean, flow, MILLIONTH).map(cems_core::quantity::Mass::kg)
            }
        }
    }

    /// What goes into `-Cou` of a factor: kg of a pollutant, m³ of water, nothing for others.
    pub(super) fn cou(
        &self,
        channel: &Channel,
        mean: &Means,
        volume_m3: Option<Decimal>,
    ) -> Option<Decimal> {
        if channel.code == "w00000" {
            return volume_m3.map(|m3| m3.round_dp(2));
        }
        if !channel.is_pollutant() {
            return None;
        }
        self.amount_kg(mean, volume_m3?).map(|kg| kg.round_dp(4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(list: &[(&'static str, i64, u32)]) -> Vec<Means> {
        list.iter()
            .map(|&(code, value, decimals)| {
                let value = Decimal::new(value, decimals);
                Means {
                    code,
                    min: value,
                    avg: value,
                    max: value,
                    flag: "N",
                }
            })
            .collect()
    }

    #[test]
    fn a_stack_at_standard_state_passes_what_it_moves() {
        let stack = Outfall::Stack {
            area_m2: Decimal::TEN,
            reference_o2_pct: Decimal::from(6),
        };
        let gas = means(&[
            ("a21002", 100, 0),
            ("a01011", 10, 0),
            ("a01012", 0, 0),
            ("a01013", 0, 0),
            ("a01014", 10, 0),
        ]);
        // 10 m2 * 10 m/s * 3600 s * 0.9 dry.
        let volume = stack.volume_m3(&gas, 60).expect("all readings are there");
        assert_eq!(volume, Decimal::from(324_000));
        assert_eq!(stack.amount_kg(&gas[0], volume), Some(Decimal::new(324, 1)));
        assert_eq!(stack.volume_m3(&gas, 1), Some(Decimal::from(5_400)));
        assert_eq!(
            stack.volume_m3(&gas[..3], 60),
            None,
            "without moisture there is no dry flow"
        );
    }

    #[test]
    fn conversion_needs_less_oxygen_than_air_has() {
        let stack = Outfall::Stack {
            area_m2: Decimal::ONE,
            reference_o2_pct: Decimal::from(6),
        };
        let hundred = Decimal::ONE_HUNDRED;
        assert_eq!(
            stack.converted(hundred, Some(Decimal::from(11))),
            Some(Decimal::from(150))
        );
        assert_eq!(
            stack.converted(hundred, Some(Decimal::from(6))),
            Some(hundred)
        );
        assert_eq!(stack.converted(hundred, Some(Decimal::new(2_005, 2))), None);
        assert_eq!(stack.converted(hundred, None), None);
        assert_eq!(
            Outfall::Discharge.converted(hundred, Some(Decimal::ONE)),
            None
        );
    }

    #[test]
    fn water_is_counted_in_cubic_metres_and_kilograms() {
        let water = means(&[("w00000", 100, 0), ("w01018", 50, 0)]);
        let volume = Outfall::Discharge
            .volume_m3(&water, 60)
            .expect("there is a flow");
        assert_eq!(volume, Decimal::from(360));
        assert_eq!(
            Outfall::Discharge.amount_kg(&water[1], volume),
            Some(Decimal::from(18))
        );
    }
}
