//! Units of factors: which exist, what they measure, how they convert. Conversion happens once,
//! at the edge, with exact decimals.

use rust_decimal::Decimal;

/// What a unit measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Mass per volume of gas.
    GasConcentration,
    /// Mass per volume of water.
    WaterConcentration,
    /// Volume per time.
    Flow,
    /// Speed.
    Velocity,
    /// Pressure.
    Pressure,
    /// Mass.
    Mass,
    /// Volume.
    Volume,
    /// Anything that converts to nothing else here (°C, %, pH, A, dB, ...).
    Other,
}

/// A unit: `numerator / denominator` base units (kg/m³, m³/s, m/s, Pa, kg, m³).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// Name as files write it, ASCII.
    pub name: &'static str,
    /// What it measures.
    pub dimension: Dimension,
    numerator: Decimal,
    denominator: Decimal,
}

const fn unit(name: &'static str, dimension: Dimension, scale: u32) -> Unit {
    // 10^-scale base units; scale stays below the 28 a Decimal can carry.
    Unit {
        name,
        dimension,
        numerator: Decimal::from_parts(1, 0, 0, false, scale),
        denominator: Decimal::ONE,
    }
}

const fn large(name: &'static str, dimension: Dimension, times: u32) -> Unit {
    Unit {
        name,
        dimension,
        numerator: Decimal::from_parts(times, 0, 0, false, 0),
        denominator: Decimal::ONE,
    }
}

const fn per_hour(name: &'static str, scale: u32) -> Unit {
    Unit {
        name,
        dimension: Dimension::Flow,
        numerator: Decimal::from_parts(1, 0, 0, false, scale),
        denominator: Decimal::from_parts(3_600, 0, 0, false, 0),
    }
}

use Dimension as D;

/// Every known unit.
pub const UNITS: &[Unit] = &[
    unit("mg/m3", D::GasConcentration, 6),
    unit("ug/m3", D::GasConcentration, 9),
    unit("ng/m3", D::GasConcentration, 12),
    unit("mg/L", D::WaterConcentration, 3),
    unit("ug/L", D::WaterConcentration, 6),
    unit("ng/L", D::WaterConcentration, 9),
    unit("m3/s", D::Flow, 0),
    unit("L/s", D::Flow, 3),
    per_hour("m3/h", 0),
    unit("m/s", D::Velocity, 0),
    unit("Pa", D::Pressure, 0),
    large("kPa", D::Pressure, 1_000),
    large("MPa", D::Pressure, 1_000_000),
    unit("kg", D::Mass, 0),
    unit("g", D::Mass, 3),
    unit("mg", D::Mass, 6),
    large("t", D::Mass, 1_000),
    unit("m3", D::Volume, 0),
    unit("1", D::Other, 0),
    unit("%", D::Other, 0),
    unit("degC", D::Other, 0),
    unit("m", D::Other, 0),
    unit("m2", D::Other, 0),
    unit("deg", D::Other, 0),
    unit("A", D::Other, 0),
    unit("V", D::Other, 0),
    unit("mV", D::Other, 0),
    unit("kWh", D::Other, 0),
    unit("dB", D::Other, 0),
    unit("s", D::Other, 0),
    unit("min", D::Other, 0),
    unit("r/min", D::Other, 0),
    unit("kg/m3", D::Other, 0),
    unit("1/L", D::Other, 0),
    unit("Bq/L", D::Other, 0),
    unit("NTU", D::Other, 0),
    unit("uS/cm", D::Other, 0),
    unit("colour", D::Other, 0),
    unit("t/(km2*month)", D::Other, 0),
];

impl Unit {
    /// The unit of that name. Superscripts, `μ`, `℃` and `无量纲` are understood.
    pub fn named(name: &str) -> Option<&'static Unit> {
        let plain: String = name
            .trim()
            .chars()
            .map(|c| match c {
                '³' => '3',
                '²' => '2',
                'μ' | 'µ' => 'u',
                other => other,
            })
            .collect();
        let plain = match plain.as_str() {
            "℃" | "°C" => "degC",
            "无量纲" => "1",
            "度" => "deg",
            other => other,
        };
        UNITS.iter().find(|u| u.name == plain)
    }

    /// What a value in `self` is multiplied by to be in `to`; `None` when they measure different
    /// things.
    pub fn multiplier_to(&self, to: &Unit) -> Option<Decimal> {
        if self.name == to.name {
            return Some(Decimal::ONE);
        }
        if self.dimension != to.dimension || self.dimension == Dimension::Other {
            return None;
        }
        let top = self.numerator.checked_mul(to.denominator)?;
        let bottom = self.denominator.checked_mul(to.numerator)?;
        top.checked_div(bottom).map(|m| m.normalize())
    }

    /// Kilograms in one unit of concentration times one m³; `None` for what is no concentration.
    pub fn kg_per_unit_m3(&self) -> Option<Decimal> {
        matches!(self.dimension, D::GasConcentration | D::WaterConcentration)
            .then_some(self.numerator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn multiplier(from: &str, to: &str) -> Option<String> {
        let (from, to) = (Unit::named(from).unwrap(), Unit::named(to).unwrap());
        from.multiplier_to(to).map(|m| m.to_string())
    }

    #[test]
    fn conversions_are_exact() {
        for (from, to, m) in [
            ("mg/L", "ug/L", "1000"),
            ("mg/L", "ng/L", "1000000"),
            ("MPa", "kPa", "1000"),
            ("mg/m3", "ng/m3", "1000000"),
            ("m3/s", "m3/h", "3600"),
            ("L/s", "m3/h", "3.6"),
            ("kg", "t", "0.001"),
        ] {
            assert_eq!(multiplier(from, to).as_deref(), Some(m), "{from} {to}");
        }
        assert_eq!(multiplier("mg/L", "mg/m3"), None);
        assert_eq!(multiplier("m3/h", "m/s"), None);
        assert_eq!(multiplier("%", "1"), None);
    }

    #[test]
    fn names_as_people_write_them() {
        for (written, name) in [("mg/m³", "mg/m3"), ("μg/L", "ug/L"), ("℃", "degC")] {
            assert_eq!(Unit::named(written).map(|u| u.name), Some(name));
        }
        assert!(Unit::named("ppm").is_none());
    }

    #[test]
    fn kilograms_of_a_concentration() {
        let kg = |name: &str| {
            Unit::named(name)
                .unwrap()
                .kg_per_unit_m3()
                .map(|k| k.to_string())
        };
        assert_eq!(kg("mg/m3").as_deref(), Some("0.000001"));
        assert_eq!(kg("ug/L").as_deref(), Some("0.000001"));
        assert_eq!(kg("mg/L").as_deref(), Some("0.001"));
        assert_eq!(kg("kPa"), None);
    }
}
