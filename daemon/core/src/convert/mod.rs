//! From what an analyser reports to the dry standard state, once per reading; and from the actual
//! flow to the dry standard flow.

use crate::formula::gas::{
    StackState, d18_standard, d19_dry, d19_dry_oxygen, d20_mass_from_ppm, d22_nox_from_ppm,
    d31_dry_flow, d31_standard_flow,
};
use crate::model::{Basis, GasSettings, Profile};
use crate::quantity::{
    Actual, Concentration, Dry, GaugePressure, Moisture, MolarVolume, Oxygen, Standard,
    Temperature, VolumeFlow, Wet,
};
use rust_decimal::Decimal;

const PA_PER_KPA: Decimal = Decimal::ONE_THOUSAND;

/// The gas parameters that belong to a reading or a mean; `None` where there is no valid one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parameters {
    /// Gas temperature, °C.
    pub temperature_c: Option<Decimal>,
    /// Static pressure of the duct, kPa.
    pub pressure_kpa: Option<Decimal>,
    /// Moisture, % v/v.
    pub moisture_pct: Option<Decimal>,
}

impl Parameters {
    fn state(&self, gas: &GasSettings, profile: &Profile) -> Option<StackState> {
        Some(StackState {
            atmospheric_pa: gas.atmospheric_pressure_pa,
            pressure: GaugePressure::from_pa(self.pressure_kpa?.checked_mul(PA_PER_KPA)?),
            temperature: Temperature::from_celsius(self.temperature_c?),
            kelvin_offset: profile.kelvin_offset,
            standard_pa: profile.standard_pressure_pa,
        })
    }

    fn moisture(&self) -> Option<Moisture> {
        self.moisture_pct.map(Moisture::from_pct)
    }
}

/// A concentration as reported, brought to the dry standard state by (18) and (19).
///
/// `None` when the parameters its basis needs are missing: such a reading cannot be compared.
pub fn concentration(
    value: Decimal,
    basis: Basis,
    with: &Parameters,
    gas: &GasSettings,
    profile: &Profile,
) -> Option<Concentration<Standard, Dry>> {
    match basis {
        Basis::StandardDry => Some(Concentration::new(value)),
        Basis::StandardWet => d19_dry(Concentration::<Standard, Wet>::new(value), with.moisture()?),
        Basis::ActualDry => d18_standard(
            Concentration::<Actual, Dry>::new(value),
            &with.state(gas, profile)?,
        ),
        Basis::ActualWet => {
            let wet = d18_standard(
                Concentration::<Actual, Wet>::new(value),
                &with.state(gas, profile)?,
            )?;
            d19_dry(wet, with.moisture()?)
        }
    }
}

/// Oxygen of dry gas, by (19) when the analyser measures wet.
pub fn oxygen(value: Decimal, with: &Parameters, gas: &GasSettings) -> Option<Oxygen<Dry>> {
    if gas.o2_is_wet {
        d19_dry_oxygen(Oxygen::<Wet>::from_pct(value), with.moisture()?)
    } else {
        Some(Oxygen::from_pct(value))
    }
}

/// A flow in m³/h brought from its basis to the dry standard state by (31).
pub fn flow(
    m3_per_h: Decimal,
    basis: Basis,
    with: &Parameters,
    gas: &GasSettings,
    profile: &Profile,
) -> Option<VolumeFlow<Standard, Dry>> {
    match basis {
        Basis::StandardDry => Some(VolumeFlow::from_m3_per_h(m3_per_h)),
        Basis::StandardWet => d31_dry_flow(
            VolumeFlow::<Standard, Wet>::from_m3_per_h(m3_per_h),
            with.moisture()?,
        ),
        Basis::ActualDry => d31_standard_flow(
            VolumeFlow::<Actual, Dry>::from_m3_per_h(m3_per_h),
            &with.state(gas, profile)?,
        ),
        Basis::ActualWet => {
            let wet = VolumeFlow::<Actual, Wet>::from_m3_per_h(m3_per_h);
            d31_dry_flow(
                d31_standard_flow(wet, &with.state(gas, profile)?)?,
                with.moisture()?,
            )
        }
    }
}

/// Volume fraction (µmol/mol) to mg/m³ at the profile's standard state by (20), from the molar mass
/// in g/mol; the moisture stays what it was.
pub fn mass_from_ppm(ppm: Decimal, molar_mass: Decimal, profile: &Profile) -> Option<Decimal> {
    d20_mass_from_ppm(ppm, molar_mass, molar_volume(profile))
}

/// NOx as NO2 in mg/m³ at the profile's standard state from the volume fractions (µmol/mol) of NO
/// and NO2 by (22).
pub fn nox_from_ppm(no: Decimal, no2: Decimal, profile: &Profile) -> Option<Decimal> {
    d22_nox_from_ppm(no, no2, molar_volume(profile))
}

fn molar_volume(profile: &Profile) -> MolarVolume {
    MolarVolume::from_l_per_mol(profile.molar_volume_l)
}
