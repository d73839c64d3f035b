//! `[[instrument]]`: what is on a bus, which outlet it measures, and which point feeds which
//! factor.

mod channel;
mod load;

use super::{Taken, bus, id, mqtt_source, unknown};
use crate::instruments;
use crate::report::{At, Report, say};
use crate::section::{Got, Section};
use crate::settings::{Bus, Framing, INSTRUMENTS_MAX, Instrument, Line, StationSettings};
use crate::source::Loader;
use cems_core::model::{OutletId, Registry};
use cems_protocols::instrument::{Map, Protocol};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Poll period where nothing is said, milliseconds: annex D of HJ 212-2017 wants 5 s samples.
const EVERY_MS: u32 = 5_000;

/// A map and the file it came from; `None` for one built in.
type Known = BTreeMap<String, (Arc<Map>, Option<PathBuf>)>;

/// What must be unique among the instruments of a station.
#[derive(Default)]
struct Uniques {
    ids: Taken,
    /// Bus and unit.
    units: Taken,
    /// Outlet and factor.
    factors: Taken,
}

/// Reads `maps`, `[[bus]]` and `[[instrument]]`.
pub(super) fn station(
    docs: &[&Section<'_>],
    registry: &Registry,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> StationSettings {
    let maps = maps(docs, loader, r);
    let buses = bus::buses(docs, r);
    let mut uniques = Uniques::default();
    let mut instruments = Vec::new();
    let listed: Vec<Section<'_>> = docs
        .iter()
        .flat_map(|d| d.sections(r, "instrument"))
        .collect();
    for (n, s) in listed.into_iter().enumerate() {
        if n == INSTRUMENTS_MAX {
            r.error(
                s.at,
                say!(
                    "more than {INSTRUMENTS_MAX} instruments",
                    "仪表超过 {INSTRUMENTS_MAX} 台"
                ),
                say!("use several stations", "请拆分为多个站点"),
            );
        }
        let world = World {
            registry,
            maps: &maps,
            buses: &buses,
        };
        instruments.extend(instrument(s, &world, &mut uniques, r));
    }
    for (bus, at) in &buses {
        load::warn(bus, *at, &instruments, r);
    }
    StationSettings {
        buses: buses.into_iter().map(|(bus, _)| bus).collect(),
        instruments,
        sources: mqtt_source::sources(docs, registry, &mut uniques.factors, loader, r),
    }
}

/// What an instrument is checked against.
struct World<'a> {
    registry: &'a Registry,
    maps: &'a Known,
    buses: &'a [(Bus, At)],
}

/// The built-in maps and those of the files named, which go first.
fn maps(docs: &[&Section<'_>], loader: &mut Loader<'_>, r: &mut Report) -> Known {
    let mut known: Known = instruments::builtin()
        .iter()
        .map(|(id, map)| (id.clone(), (Arc::clone(map), None)))
        .collect();
    let mut taken = Taken::default();
    for name in docs
        .first()
        .and_then(|d| d.texts(r, "maps"))
        .unwrap_or_default()
    {
        for path in loader.expand(&loader.beside_main(&name.value), r) {
            let Some((map, at)) = super::read_map(&path, loader, r) else {
                continue;
            };
            let id = Got {
                value: map.id.to_string(),
                at,
            };
            taken.claim(r, ("register map", "寄存器映射"), &id);
            known.insert(id.value, (Arc::new(map), Some(path)));
        }
    }
    known
}

fn instrument(
    s: Section<'_>,
    world: &World<'_>,
    uniques: &mut Uniques,
    r: &mut Report,
) -> Option<Instrument> {
    let id = id(&s, r);
    if let Some(id) = &id {
        uniques.ids.claim(r, ("instrument", "仪表"), id);
    }
    let outlet_name = s.need_text(
        r,
        "outlet",
        say!("the id of the outlet it measures", "所监测排放口的标识"),
    );
    let outlet = outlet_name.as_ref().and_then(|name| {
        let found = world.registry.outlets.get(name.value.as_str());
        if found.is_none() {
            let known = world.registry.outlets.keys().map(OutletId::as_str);
            unknown(r, ("outlet", "排放口"), name, known);
        }
        found
    });
    let bus = on_bus(&s, world, r);
    let map = find_map(&s, world, r);
    if let (Some((bus, at)), Some((map, _))) = (&bus, &map) {
        same_tongue(bus, map, *at, r);
    }
    let unit = unit(&s, bus.as_ref().map(|(bus, _)| *bus), uniques, r);
    let every_ms = s
        .integer(r, "every_ms", 500..=3_600_000)
        .map_or(EVERY_MS, |got| got.value);
    let channels = match (&map, outlet) {
        (Some((map, _)), Some(outlet)) => {
            channel::channels(&s, map, outlet, &mut uniques.factors, r)
        }
        _ => {
            let _ = s.item("channels");
            Vec::new()
        }
    };
    s.finish(r);
    let (map, map_file) = map?;
    Some(Instrument {
        id: SmolStr::new(id?.value),
        outlet: outlet?.id.clone(),
        bus: bus?.0.id.clone(),
        unit,
        map,
        map_file,
        every_ms,
        channels,
    })
}

fn on_bus<'a>(s: &Section<'_>, world: &World<'a>, r: &mut Report) -> Option<(&'a Bus, At)> {
    let name = s.need_text(r, "bus", say!("the id of a bus", "总线标识"))?;
    let found = world.buses.iter().find(|(bus, _)| bus.id == name.value);
    // A bus with a mistake of its own is not missed.
    if found.is_none() && !r.has_errors() {
        let known = world.buses.iter().map(|(bus, _)| bus.id.as_str());
        unknown(r, ("bus", "总线"), &name, known);
    }
    found.map(|(bus, _)| (bus, name.at))
}

fn find_map(
    s: &Section<'_>,
    world: &World<'_>,
    r: &mut Report,
) -> Option<(Arc<Map>, Option<PathBuf>)> {
    let hint = say!(
        "a register map, such as map = \"teledyne-t100\"",
        "寄存器映射，如 map = \"teledyne-t100\""
    );
    let name = s.need_text(r, "map", hint)?;
    let found = world.maps.get(&name.value);
    if found.is_none() {
        let known = world.maps.keys().map(String::as_str);
        unknown(r, ("register map", "寄存器映射"), &name, known);
    }
    found.cloned()
}

/// A Modbus map on a Modbus bus, an ASCII map on an ASCII bus.
fn same_tongue(bus: &Bus, map: &Map, at: At, r: &mut Report) {
    let text = matches!(map.protocol, Protocol::Ascii(_));
    if text == (bus.framing == Framing::Ascii) {
        return;
    }
    let (bus, map) = (&bus.id, &map.id);
    r.error(
        at,
        say!(
            "{map} is not spoken on the bus {bus}",
            "总线 {bus} 的协议与 {map} 不符"
        ),
        say!(
            "correct `framing` of the bus, or choose another map",
            "请更正总线的 `framing`，或换用其他映射"
        ),
    );
}

fn unit(s: &Section<'_>, bus: Option<&Bus>, uniques: &mut Uniques, r: &mut Report) -> u8 {
    let got = s.integer::<u8>(r, "unit", 0..=255);
    let serial = bus.is_some_and(|bus| bus.framing == Framing::ModbusRtu);
    if let Some(got) = got
        .as_ref()
        .filter(|got| serial && !(1..=247).contains(&got.value))
    {
        let value = got.value;
        r.error(
            got.at,
            say!(
                "no Modbus RTU device has the address {value}",
                "Modbus RTU 设备地址不能是 {value}"
            ),
            say!("1 to 247; 0 is for broadcasts", "应为 1 到 247；0 用于广播"),
        );
    }
    let unit = got.as_ref().map_or(1, |got| got.value);
    if let Some(bus) = bus {
        let key = Got {
            value: format!("{} / {unit}", bus.id),
            at: got.map_or(s.at, |got| got.at),
        };
        uniques
            .units
            .claim(r, ("address on a bus", "总线上的地址"), &key);
    }
    unit
}

/// How a line is called in messages.
fn shown(line: &Line) -> String {
    match line {
        Line::Tcp { address } => address.to_string(),
        Line::Serial(serial) => serial.device.display().to_string(),
    }
}
