//! The cast: enterprises and outlets of a city that does not exist, their loggers with their
//! habits, and what happens to them.

mod limits;

pub(super) use limits::Limit;

use super::story::Story;
use crate::simulate::channels::Channel;
use crate::simulate::plant::{Plant, PlantKind};
use crate::simulate::schedule::Schedule;
use crate::simulate::script::{Incident, Script};
use crate::simulate::stack::Outfall;
use crate::simulate::station::{Greeting, Quirks, Station};
use cems_core::model::UtcOffset;
use cems_core::model::time::{HOUR_MS, MINUTE_MS};
use cems_protocols::hj212::{CrcStyle, Edition};
use limits::{CEMENT, COAL, GLASS, HEAT, MILL_WATER, TOWN_WATER, WASTE};
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};

/// Seconds between real-time records.
pub(super) const REALTIME_S: u32 = 30;
/// How far the clock of one logger is ahead on real-time data: the 12/24-hour mistake.
const HALF_DAY_MS: i64 = 12 * HOUR_MS;

/// An enterprise: id, region, Chinese and English name.
pub(super) type Enterprise = (&'static str, &'static str, &'static str, &'static str);

/// Regions: id and name.
pub(super) const REGIONS: [(&str, &str); 2] =
    [("dongshi", "示例市东示区"), ("xishi", "示例市西示区")];

/// Enterprises. All names are made up.
pub(super) const ENTERPRISES: [Enterprise; 9] = [
    (
        "redian",
        "dongshi",
        "示例第一热电厂",
        "Example No. 1 Heat and Power Plant",
    ),
    (
        "fenshao",
        "xishi",
        "示例生活垃圾焚烧厂",
        "Example Waste-to-Energy Plant",
    ),
    ("shuini", "xishi", "示例水泥厂", "Example Cement Works"),
    (
        "gongre",
        "dongshi",
        "示例集中供热公司",
        "Example District Heating",
    ),
    ("boli", "xishi", "示例玻璃厂", "Example Glass Works"),
    (
        "dongshui",
        "dongshi",
        "示例东区污水处理厂",
        "Example East Waste Water Works",
    ),
    (
        "xishui",
        "xishi",
        "示例西区污水处理厂",
        "Example West Waste Water Works",
    ),
    ("zaozhi", "dongshi", "示例造纸厂", "Example Paper Mill"),
    ("yinran", "dongshi", "示例印染厂", "Example Dye Works"),
];

/// One outlet and its logger.
#[derive(Debug, Clone)]
pub(super) struct Resident {
    /// Id of the outlet.
    pub(super) id: &'static str,
    /// Id of its enterprise.
    pub(super) enterprise: &'static str,
    /// Names of the outlet.
    pub(super) name: &'static str,
    /// English.
    pub(super) name_en: &'static str,
    /// The process, with what happens to it.
    pub(super) plant: Plant,
    /// The logger.
    pub(super) station: Station,
    /// What it sends when.
    pub(super) schedule: Schedule,
    /// Its logger is of another make, with habits of its own; else it is `cemsd`.
    pub(super) foreign: bool,
    /// Limits of the permit.
    pub(super) limits: &'static [Limit],
    /// Duct cross-section in m² and reference oxygen in %, as the settings write them.
    pub(super) stack: Option<(&'static str, &'static str)>,
    /// Pollutants with a permitted amount, and the share of it emitted at the end of the made-up
    /// past, %.
    pub(super) permitted: &'static [(&'static str, u32)],
    /// Minutes without valid data after which its fallback opens.
    pub(super) fallback_after_min: u32,
}

impl Resident {
    /// What its instruments measure.
    pub(super) fn channels(&self) -> &'static [Channel] {
        self.plant.channels()
    }
}

/// What the outlets of the cast are made from.
struct Role {
    id: &'static str,
    enterprise: &'static str,
    names: (&'static str, &'static str),
    kind: PlantKind,
    edition: Edition,
    limits: &'static [Limit],
    stack: Option<(&'static str, &'static str)>,
    permitted: &'static [(&'static str, u32)],
    quirks: Quirks,
    script: Script,
    flow_permille: i64,
    foreign: bool,
}

impl Role {
    fn stack(
        (id, enterprise): (&'static str, &'static str),
        names: (&'static str, &'static str),
        (kind, edition): (PlantKind, Edition),
        limits: &'static [Limit],
        stack: (&'static str, &'static str),
    ) -> Self {
        Self {
            id,
            enterprise,
            names,
            kind,
            edition,
            limits,
            stack: Some(stack),
            permitted: &[("a34013", 38), ("a21026", 47), ("a21002", 58)],
            quirks: Quirks::default(),
            script: Script::default(),
            flow_permille: 1_000,
            foreign: false,
        }
    }

    fn water(
        (id, enterprise): (&'static str, &'static str),
        names: (&'static str, &'static str),
        edition: Edition,
        limits: &'static [Limit],
        flow_permille: i64,
    ) -> Self {
        Self {
            permitted: &[("w01018", 52), ("w21003", 41)],
            flow_permille,
            stack: None,
            ..Self::stack(
                (id, enterprise),
                names,
                (PlantKind::WasteWater, edition),
                limits,
                ("", ""),
            )
        }
    }

    fn resident(self, number: usize) -> Resident {
        let outfall = match self.stack {
            Some((area, o2)) => Outfall::Stack {
                area_m2: exact(area),
                reference_o2_pct: exact(o2),
            },
            None => Outfall::Discharge,
        };
        let seed = 0xC3A5 + u64::try_from(number).unwrap_or(0);
        let plant = Plant::new(self.kind, seed)
            .with_flow(self.flow_permille)
            .with_script(self.script);
        let station = Station {
            mn: mn(self.edition, number + 1),
            password: format_smolstr!("{:06}", 100_000 + (number + 1) * 7_919),
            edition: self.edition,
            wants_answer: true,
            outfall,
            channels: plant.channels(),
            quirks: self.quirks,
            offset: UtcOffset::default(),
        };
        Resident {
            id: self.id,
            enterprise: self.enterprise,
            name: self.names.0,
            name_en: self.names.1,
            schedule: Schedule {
                realtime_s: Some(REALTIME_S),
                minute_min: Some(1),
                hour: true,
                day: true,
                housekeeping: true,
                phase_ms: Schedule::phase(number),
                offset: UtcOffset::default(),
            },
            foreign: self.foreign,
            limits: self.limits,
            stack: self.stack,
            permitted: self.permitted,
            fallback_after_min: match self.stack {
                Some(_) => 60,
                None => 120,
            },
            plant,
            station,
        }
    }
}

fn exact(text: &str) -> Decimal {
    text.parse()
        .expect("the cast's numbers are constants that a test reads")
}

/// An identity in the form of the edition; all begin with "SIM" or its ASCII digits.
pub(super) fn mn(edition: Edition, number: usize) -> SmolStr {
    match edition {
        Edition::V2005 => format_smolstr!("SIM{number:011}"),
        _ => format_smolstr!("53494D{number:018}"),
    }
}

/// The outlets of the city with their story.
pub(super) fn residents(story: &Story) -> Vec<Resident> {
    let roles = power_and_waste(story)
        .into_iter()
        .chain(others(story))
        .chain(waters(story));
    roles
        .enumerate()
        .map(|(number, role)| role.resident(number))
        .collect()
}

fn power_and_waste(story: &Story) -> Vec<Role> {
    use PlantKind::{CoalBoiler, WasteIncinerator};
    let coal = (CoalBoiler, Edition::V2017);
    let waste = (WasteIncinerator, Edition::V2025);
    let units = |n: &'static str| match n {
        "1" => ("1号机组总排口", "Unit 1 stack"),
        _ => ("2号机组总排口", "Unit 2 stack"),
    };
    let lines = |n: &'static str| match n {
        "1" => ("1号焚烧炉排口", "Line 1 stack"),
        _ => ("2号焚烧炉排口", "Line 2 stack"),
    };
    let nox = Incident::Exceed {
        factor: "a21002".into(),
        permille: 1_900,
    };
    vec![
        Role {
            ..Role::stack(("redian-1", "redian"), units("1"), coal, COAL, ("28", "6"))
        },
        // The exceedance of the story: since two whole hours, and going on.
        Role {
            script: Script::default().with(nox, story.hour_ago(2), None),
            ..Role::stack(("redian-2", "redian"), units("2"), coal, COAL, ("28", "6"))
        },
        // Frames so long that they are split.
        Role {
            quirks: Quirks {
                verbose: true,
                ..Quirks::default()
            },
            ..Role::stack(
                ("fenshao-1", "fenshao"),
                lines("1"),
                waste,
                WASTE,
                ("5.5", "11"),
            )
        },
        Role {
            script: Script::default().with(
                Incident::Calibration,
                story.ago(0, 8),
                Some(story.base.plus_ms(20 * MINUTE_MS)),
            ),
            ..Role::stack(
                ("fenshao-2", "fenshao"),
                lines("2"),
                waste,
                WASTE,
                ("5.5", "11"),
            )
        },
    ]
}

fn others(story: &Story) -> Vec<Role> {
    use PlantKind::{CementKiln, CoalBoiler};
    let kiln = ("窑尾排口", "Kiln stack");
    let boiler = ("1号锅炉排口", "Boiler 1 stack");
    let idle = ("2号锅炉排口", "Boiler 2 stack");
    let furnace = ("熔窑排口", "Furnace stack");
    let dust = Incident::Exceed {
        factor: "a34013".into(),
        permille: 3_600,
    };
    let past = (story.ago(5 * 24 + 3, 0), Some(story.ago(5 * 24, 0)));
    vec![
        // Another CRC, no line end; and an exceedance of last week, long over.
        Role {
            foreign: true,
            quirks: Quirks {
                crc: CrcStyle::Modbus,
                no_line_end: true,
                ..Quirks::default()
            },
            script: Script::default().with(dust, past.0, past.1),
            ..Role::stack(
                ("shuini-1", "shuini"),
                kiln,
                (CementKiln, Edition::V2017),
                CEMENT,
                ("16", "10"),
            )
        },
        // The total near its permit.
        Role {
            permitted: &[("a34013", 61), ("a21026", 92), ("a21002", 70)],
            ..Role::stack(
                ("gongre-1", "gongre"),
                boiler,
                (CoalBoiler, Edition::V2005),
                HEAT,
                ("7", "9"),
            )
        },
        Role {
            script: Script::default().with(Incident::Stopped, story.ago(3 * 24, 0), None),
            ..Role::stack(
                ("gongre-2", "gongre"),
                idle,
                (CoalBoiler, Edition::V2005),
                HEAT,
                ("7", "9"),
            )
        },
        // The 12/24-hour mistake on real-time data, and HTTP on the line.
        Role {
            foreign: true,
            quirks: Quirks {
                realtime_ahead_ms: HALF_DAY_MS,
                greeting: Greeting::Http,
                ..Quirks::default()
            },
            ..Role::stack(
                ("boli-1", "boli"),
                furnace,
                (CementKiln, Edition::V2017),
                GLASS,
                ("4", "8"),
            )
        },
    ]
}

fn waters(story: &Story) -> Vec<Role> {
    let main = ("总排口", "Main discharge");
    let process = ("废水总排口", "Waste water discharge");
    vec![
        // Slow modem: reads come in pieces, after a registration string.
        Role {
            foreign: true,
            quirks: Quirks {
                piece_bytes_max: 90,
                greeting: Greeting::Registration,
                ..Quirks::default()
            },
            ..Role::water(
                ("dongshui-1", "dongshui"),
                main,
                Edition::V2017,
                TOWN_WATER,
                1_000,
            )
        },
        // The fallback of the story.
        Role {
            script: Script::default().with(Incident::Fault, story.ago(26, 0), None),
            ..Role::water(
                ("xishui-1", "xishui"),
                main,
                Edition::V2025,
                TOWN_WATER,
                800,
            )
        },
        Role {
            foreign: true,
            quirks: Quirks {
                duplicate_every: 3,
                pol_id_upper: true,
                ..Quirks::default()
            },
            ..Role::water(
                ("zaozhi-1", "zaozhi"),
                process,
                Edition::V2017,
                MILL_WATER,
                120,
            )
        },
        // The silent outlet of the story.
        Role {
            foreign: true,
            script: Script::default().with(Incident::Silence, story.ago(0, 45), None),
            ..Role::water(
                ("yinran-1", "yinran"),
                process,
                Edition::V2005,
                MILL_WATER,
                60,
            )
        },
    ]
}

/// Loggers that should not be there: one of an MN nobody registered, one that uses a registered
/// MN with a wrong password.
pub(super) fn guests(residents: &[Resident]) -> Vec<(Station, Schedule, Plant)> {
    let Some(model) = residents.first() else {
        return Vec::new();
    };
    let schedule = Schedule {
        minute_min: None,
        hour: false,
        day: false,
        housekeeping: false,
        realtime_s: Some(60),
        ..model.schedule
    };
    // Neither waits for an answer: it would get none, and ask again and again.
    let stranger = Station {
        mn: mn(Edition::V2017, 999),
        wants_answer: false,
        ..model.station.clone()
    };
    let impostor = Station {
        password: "000000".into(),
        wants_answer: false,
        ..model.station.clone()
    };
    let plant = |seed| Plant::new(model.plant.kind(), seed);
    vec![
        (
            stranger,
            Schedule {
                phase_ms: 4_000,
                ..schedule
            },
            plant(901),
        ),
        (
            impostor,
            Schedule {
                phase_ms: 7_000,
                ..schedule
            },
            plant(902),
        ),
    ]
}

#[cfg(test)]
mod tests;
