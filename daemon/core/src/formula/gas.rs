//! Stack gas: HJ 212-2017 annex D (18) to (34), which cite HJ/T 75-2007 and HJ/T 76-2007.

use crate::quantity::{
    Actual, Concentration, ConvertedConcentration, Dry, GaugePressure, Mass, Moisture, MolarVolume,
    Oxygen, Standard, Temperature, Velocity, VolumeFlow, Wet,
};
use rust_decimal::Decimal;

/// Molar mass of NO, g/mol.
pub const MOLAR_MASS_NO: Decimal = Decimal::from_parts(30_006, 0, 0, false, 3);

/// Molar mass of NO2, g/mol.
pub const MOLAR_MASS_NO2: Decimal = Decimal::from_parts(46_005, 0, 0, false, 3);

const SECONDS_PER_HOUR: Decimal = Decimal::from_parts(3_600, 0, 0, false, 0);

/// The state in which the gas is and the state it is referred to.
#[derive(Debug, Clone, Copy)]
pub struct StackState {
    /// Atmospheric pressure Ba, Pa.
    pub atmospheric_pa: Decimal,
    /// Static pressure Ps of the duct.
    pub pressure: GaugePressure,
    /// Gas temperature ts.
    pub temperature: Temperature,
    /// Kelvin at 0 °C by the profile (273).
    pub kelvin_offset: Decimal,
    /// Standard pressure by the profile, Pa (101 325).
    pub standard_pa: Decimal,
}

impl StackState {
    /// Absolute pressure and temperature; `None` where they would not be positive.
    fn absolute(&self) -> Option<(Decimal, Decimal)> {
        let pa = self.atmospheric_pa.checked_add(self.pressure.pa())?;
        let kelvin = self.kelvin_offset.checked_add(self.temperature.celsius())?;
        let positive = pa > Decimal::ZERO
            && kelvin > Decimal::ZERO
            && self.kelvin_offset > Decimal::ZERO
            && self.standard_pa > Decimal::ZERO;
        positive.then_some((pa, kelvin))
    }
}

/// (18): actual to standard pressure and temperature,
/// `C_sn = C_s * 101325/(Ba+Ps) * (273+ts)/273`; the moisture stays what it was.
pub fn d18_standard<M>(
    c: Concentration<Actual, M>,
    state: &StackState,
) -> Option<Concentration<Standard, M>> {
    let (pa, kelvin) = state.absolute()?;
    let numerator = c
        .get()
        .checked_mul(state.standard_pa)?
        .checked_mul(kelvin)?;
    let denominator = pa.checked_mul(state.kelvin_offset)?;
    numerator.checked_div(denominator).map(Concentration::new)
}

/// The dry share of the gas, 0 exclusive to 1; `None` for moisture outside 0 to below 100 %.
fn dry_share(moisture: Moisture) -> Option<Decimal> {
    let pct = moisture.pct();
    (Decimal::ZERO..Decimal::ONE_HUNDRED)
        .contains(&pct)
        .then(|| Decimal::ONE - pct / Decimal::ONE_HUNDRED)
}

/// (19): wet to dry, `C_dry = C_wet / (1 - Xsw)`.
pub fn d19_dry<P>(c: Concentration<P, Wet>, moisture: Moisture) -> Option<Concentration<P, Dry>> {
    c.get()
        .checked_div(dry_share(moisture)?)
        .map(Concentration::new)
}

/// (19) for oxygen: `O2_dry = O2_wet / (1 - Xsw)`.
pub fn d19_dry_oxygen(o2: Oxygen<Wet>, moisture: Moisture) -> Option<Oxygen<Dry>> {
    o2.pct()
        .checked_div(dry_share(moisture)?)
        .map(Oxygen::from_pct)
}

/// (20): volume fraction (µmol/mol, "ppm") to mg/m³ in the same state, `M/22.4 * ppm`; `None` for a
/// molar volume that is not positive.
///
/// The molar volume is that of the profile's standard state (22.4 at 0 °C), never a constant: 24.45
/// belongs to 25 °C, and the two must not meet in one figure.
pub fn d20_mass_from_ppm(ppm: Decimal, molar_mass: Decimal, at: MolarVolume) -> Option<Decimal> {
    let litres = at.l_per_mol();
    (litres > Decimal::ZERO).then_some(())?;
    ppm.checked_mul(molar_mass)?.checked_div(litres)
}

/// (21): NOx as NO2 from mass concentrations, `NO * M(NO2)/M(NO) + NO2`, mg/m³.
pub fn d21_nox_from_mass(no: Decimal, no2: Decimal) -> Option<Decimal> {
    no.checked_mul(MOLAR_MASS_NO2)?
        .checked_div(MOLAR_MASS_NO)?
        .checked_add(no2)
}

/// (22): NOx as NO2 from volume fractions, `(NO + NO2) * M(NO2)/22.4`, mg/m³ from ppm.
pub fn d22_nox_from_ppm(no: Decimal, no2: Decimal, at: MolarVolume) -> Option<Decimal> {
    d20_mass_from_ppm(no.checked_add(no2)?, MOLAR_MASS_NO2, at)
}

/// (26): conversion by excess air coefficients, `C * alpha / alpha_s`.
pub fn d26_converted_by_alpha(
    c: Concentration<Standard, Dry>,
    alpha: Decimal,
    alpha_s: Decimal,
) -> Option<ConvertedConcentration> {
    c.get()
        .checked_mul(alpha)?
        .checked_div(alpha_s)
        .map(ConvertedConcentration::from_unit)
}

/// (27): excess air coefficient, `alpha = 21 / (21 - O2)`; `None` when O2 reaches that of air.
pub fn d27_alpha(o2: Oxygen<Dry>, air_pct: Decimal) -> Option<Decimal> {
    let gap = air_pct.checked_sub(o2.pct())?;
    (gap > Decimal::ZERO).then_some(())?;
    air_pct.checked_div(gap)
}

/// (28): conversion to reference oxygen, `C * (21 - O2_ref) / (21 - O2)`.
///
/// `None` when O2 reaches that of air (`air_pct`): the raw formula would give an infinite or a
/// negative concentration there. The profile's lower guard is the caller's.
pub fn d28_converted(
    c: Concentration<Standard, Dry>,
    reference: Oxygen<Dry>,
    o2: Oxygen<Dry>,
    air_pct: Decimal,
) -> Option<ConvertedConcentration> {
    let gap = air_pct.checked_sub(o2.pct())?;
    (gap > Decimal::ZERO).then_some(())?;
    c.get()
        .checked_mul(air_pct.checked_sub(reference.pct())?)?
        .checked_div(gap)
        .map(ConvertedConcentration::from_unit)
}

/// (29): mean velocity of the section, `Vs = Kv * Vp`.
pub fn d29_section_velocity(point: Velocity, coefficient: Decimal) -> Option<Velocity> {
    point
        .m_per_s()
        .checked_mul(coefficient)
        .map(Velocity::from_m_per_s)
}

/// (30): wet flow in actual state, `Q_sh = 3600 * F * Vs`, m³/h from m² and m/s.
pub fn d30_actual_flow(area_m2: Decimal, velocity: Velocity) -> Option<VolumeFlow<Actual, Wet>> {
    SECONDS_PER_HOUR
        .checked_mul(area_m2)?
        .checked_mul(velocity.m_per_s())
        .map(VolumeFlow::from_m3_per_h)
}

/// The pressure and temperature part of (31); the moisture stays what it was.
pub fn d31_standard_flow<M>(
    flow: VolumeFlow<Actual, M>,
    state: &StackState,
) -> Option<VolumeFlow<Standard, M>> {
    let (pa, kelvin) = state.absolute()?;
    let numerator = flow
        .m3_per_h()
        .checked_mul(state.kelvin_offset)?
        .checked_mul(pa)?;
    let denominator = kelvin.checked_mul(state.standard_pa)?;
    numerator
        .checked_div(denominator)
        .map(VolumeFlow::from_m3_per_h)
}

/// The moisture part of (31), `Q * (1 - Xsw)`.
pub fn d31_dry_flow<P>(flow: VolumeFlow<P, Wet>, moisture: Moisture) -> Option<VolumeFlow<P, Dry>> {
    flow.m3_per_h()
        .checked_mul(dry_share(moisture)?)
        .map(VolumeFlow::from_m3_per_h)
}

/// (31): dry standard flow, `Q_sn = Q_sh * 273/(273+ts) * (Ba+Ps)/101325 * (1 - Xsw)`.
pub fn d31_standard_dry_flow(
    flow: VolumeFlow<Actual, Wet>,
    state: &StackState,
    moisture: Moisture,
) -> Option<VolumeFlow<Standard, Dry>> {
    d31_dry_flow(d31_standard_flow(flow, state)?, moisture)
}

/// (33): emission rate, `G = C * Q_sn * 1e-6` kg/h, from the dry standard concentration, never the
/// O2-converted one; `kg_per_unit_m3` carries the 1e-6 of mg/m³. Over one hour it is the amount.
pub fn d33_rate_kg_per_h(
    c: Concentration<Standard, Dry>,
    flow: VolumeFlow<Standard, Dry>,
    kg_per_unit_m3: Decimal,
) -> Option<Mass> {
    c.get()
        .checked_mul(flow.m3_per_h())?
        .checked_mul(kg_per_unit_m3)
        .map(Mass::from_kg)
}

#[cfg(test)]
mod tests;
