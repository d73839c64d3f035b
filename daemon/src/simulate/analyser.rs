//! The register map of the simulated analysers: one for each kind of plant, as the TOML a station
//! is given, so that a simulated city is set up like a real one.
//!
//! Input registers, high word first: channel n (from 1) has a signed number of 32 bits at
//! 2 (n - 1), in units of 10^-decimals; the state of the analysers, numbered like `i12001` of
//! HJ 212-2017, is at [`STATE_ADDRESS`].

use super::channels::Channel;
use super::plant::PlantKind;
use cems_config::factors::FactorTable;
use std::fmt::Write as _;

/// Where the state is: behind the registers of the most channels a plant has.
pub const STATE_ADDRESS: u16 = 98;

/// States and the data flags they mean; analysers only, but for the stopped source.
const STATES: [(u16, &str, bool); 4] = [
    (1, "M", true),
    (2, "D", true),
    (3, "C", true),
    (9, "F", false),
];

/// Short name of a plant's analysers, and of their map.
pub fn name(kind: PlantKind) -> &'static str {
    match kind {
        PlantKind::CoalBoiler => "simulated-coal-boiler",
        PlantKind::WasteIncinerator => "simulated-waste-incinerator",
        PlantKind::CementKiln => "simulated-cement-kiln",
        PlantKind::WasteWater => "simulated-waste-water",
    }
}

/// The map as TOML.
pub fn map(kind: PlantKind, channels: &[Channel]) -> String {
    let id = name(kind);
    let mut text = format!(
        "id = \"{id}\"\ntitle_zh = \"模拟分析仪\"\ntitle_en = \"simulated analysers\"\n\
         source = \"cemsd simulate: not a real instrument\"\ncertainty = \"manual\"\n\
         protocol = \"modbus\"\ntable = \"input\"\n\n"
    );
    let mut push = |part: std::fmt::Arguments<'_>| {
        text.write_fmt(part)
            .expect("writing to a string cannot fail");
    };
    for channel in channels {
        let code = channel.code;
        let address = 2 * channel.number.saturating_sub(1);
        let scale = rust_decimal::Decimal::new(1, channel.decimals);
        push(format_args!(
            "[[point]]\nname = \"{code}\"\nfactor = \"{code}\"\naddress = {address}\n\
             type = \"i32\"\nscale = {scale}\n"
        ));
        if let Some(factor) = FactorTable::builtin().get(code) {
            push(format_args!("unit = \"{}\"\n", factor.unit));
        }
        push(format_args!("\n"));
    }
    push(format_args!(
        "[[point]]\nname = \"state\"\nrole = \"state\"\naddress = {STATE_ADDRESS}\n\
         type = \"u16\"\n\n"
    ));
    let analysed: Vec<String> = channels
        .iter()
        .filter(|channel| channel.law.is_analysed())
        .map(|channel| format!("{:?}", channel.code))
        .collect();
    for (state, flag, analysers_only) in STATES {
        push(format_args!(
            "[[rule]]\npoint = \"state\"\nvalues = [{state}]\nflag = \"{flag}\"\n"
        ));
        if analysers_only {
            push(format_args!("concerns = [{}]\n", analysed.join(", ")));
        }
        push(format_args!("\n"));
    }
    text
}
