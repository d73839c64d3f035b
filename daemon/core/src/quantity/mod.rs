//! Quantities of the formulas. The unit is in the name, the reference state in the type: a wet
//! actual concentration cannot be multiplied by a dry standard flow.

mod digits;

pub(crate) use digits::{divide_half_even, normalised, places, power_of_ten, scaled};

use rust_decimal::Decimal;
use std::marker::PhantomData;

/// Decimal places kept of every computed value, rounded half to even.
///
/// Twelve places are a picogram per cubic metre in mg/m³: far below any analyser and any limit, so
/// no verdict can turn on them. They leave 16 of the 28 digits of a decimal for the whole part, so
/// that sums of a year of hours stay exact, and exact sums do not depend on order: data that came
/// late give the same total as data that came in time.
pub const INTERNAL_SCALE: u32 = 12;

/// Rounds a computed value to [`INTERNAL_SCALE`], without trailing zeros.
pub fn internal(value: Decimal) -> Decimal {
    places(value, INTERNAL_SCALE)
}

/// Pressure and temperature as they are in the duct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actual;

/// Standard pressure and temperature (标准状态: 273 K, 101 325 Pa).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standard;

/// With its moisture (湿基).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wet;

/// Without moisture (干基).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dry;

/// Concentration (浓度) in the factor's own unit, mg/m³ for stack gas, at pressure and temperature
/// `P` and moisture `M`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concentration<P, M>(Decimal, PhantomData<(P, M)>);

impl<P, M> Concentration<P, M> {
    /// A concentration in the factor's unit.
    pub fn new(value: Decimal) -> Self {
        Self(value, PhantomData)
    }

    /// The number, in the factor's unit.
    pub fn get(self) -> Decimal {
        self.0
    }
}

/// Volume flow (流量), m³/h, at pressure and temperature `P` and moisture `M`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VolumeFlow<P, M>(Decimal, PhantomData<(P, M)>);

impl<P, M> VolumeFlow<P, M> {
    /// A flow in m³/h.
    pub fn from_m3_per_h(value: Decimal) -> Self {
        Self(value, PhantomData)
    }

    /// The number, in m³/h.
    pub fn m3_per_h(self) -> Decimal {
        self.0
    }
}

/// Oxygen content (氧含量), % v/v, of wet or dry gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oxygen<M>(Decimal, PhantomData<M>);

impl<M> Oxygen<M> {
    /// A content in % v/v.
    pub fn from_pct(value: Decimal) -> Self {
        Self(value, PhantomData)
    }

    /// The number, in % v/v.
    pub fn pct(self) -> Decimal {
        self.0
    }
}

macro_rules! scalar {
    ($(#[$doc:meta])* $name:ident, $from:ident, $get:ident, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(Decimal);

        impl $name {
            #[doc = concat!("From a number in ", $unit, ".")]
            pub fn $from(value: Decimal) -> Self {
                Self(value)
            }

            #[doc = concat!("The number, in ", $unit, ".")]
            pub fn $get(self) -> Decimal {
                self.0
            }
        }
    };
}

scalar!(
    /// Concentration converted to the reference oxygen content (折算浓度), dry standard state.
    ConvertedConcentration, from_unit, get, "the factor's unit"
);
scalar!(
    /// Mass (排放量).
    Mass, from_kg, kg, "kg"
);
scalar!(
    /// Volume of waste water (水量).
    Volume, from_m3, m3, "m³"
);
scalar!(
    /// Gas temperature (烟温).
    Temperature, from_celsius, celsius, "°C"
);
scalar!(
    /// Static pressure of the duct against the atmosphere (静压), negative under draught.
    GaugePressure, from_pa, pa, "Pa"
);
scalar!(
    /// Moisture content (含湿量).
    Moisture, from_pct, pct, "% v/v"
);
scalar!(
    /// Gas velocity (流速).
    Velocity, from_m_per_s, m_per_s, "m/s"
);
scalar!(
    /// Volume of a mole of gas at the standard state (摩尔体积).
    MolarVolume, from_l_per_mol, l_per_mol, "L/mol"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_at_the_thirteenth_place_go_to_the_even_neighbour() {
        let down: Decimal = "0.0000000000005".parse().unwrap();
        let up: Decimal = "0.0000000000015".parse().unwrap();
        assert_eq!(internal(down), Decimal::ZERO);
        assert_eq!(internal(up).to_string(), "0.000000000002");
        assert_eq!(internal("1.500".parse().unwrap()).to_string(), "1.5");
    }
}
