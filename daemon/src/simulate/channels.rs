//! What each kind of plant measures, and around which values: the tables behind the process
//! model. Concentrations lie where well-run plants lie, below their limits.

use super::plant::PlantKind;

/// How a quantity behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// Flow or velocity: follows the size of the plant.
    Flow,
    /// Oxygen: rises when the load falls.
    Oxygen,
    /// A concentration in stack gas: falls when oxygen rises.
    Diluted,
    /// Another reading of an analyser that calibration and faults touch.
    Analyser,
    /// A reading that goes on whatever the analysers do.
    Plain,
}

impl Law {
    /// The reading comes from an analyser that can be faulty or in calibration.
    pub(super) fn is_analysed(self) -> bool {
        matches!(self, Self::Oxygen | Self::Diluted | Self::Analyser)
    }
}

/// One factor. Values are whole numbers of 10^-`decimals` units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel {
    /// 2017 code.
    pub code: &'static str,
    /// Number within the plant, from 1; also its place among the registers of an instrument.
    pub number: u16,
    /// Digits after the point.
    pub decimals: u32,
    /// How it behaves.
    pub law: Law,
    /// Value at nominal load.
    pub base: i64,
    /// Upper end of the measuring range.
    pub range: i64,
    /// Value while the source is stopped.
    pub stopped: i64,
    /// Change with the load, ‰ of the value per 1000 ‰ of load.
    pub load: i64,
    /// Change with the shared slow noise (fuel, inflow), ‰ of the value.
    pub fuel: i64,
    /// Own noise over minutes, ‰ of the value.
    pub own: i64,
    /// Noise from sample to sample, ‰ of the value.
    pub jitter: i64,
}

impl Channel {
    /// Counts as a pollutant in the registry.
    pub fn is_pollutant(&self) -> bool {
        match self.law {
            Law::Diluted => true,
            Law::Analyser => self.code != PH,
            Law::Flow | Law::Oxygen | Law::Plain => false,
        }
    }
}

const PH: &str = "w01001";

/// Order of arguments: number, code, decimals, law, (base, range, stopped),
/// (load, fuel, own, jitter).
const fn channel(
    number: u16,
    (code, decimals, law): (&'static str, u32, Law),
    (base, range, stopped): (i64, i64, i64),
    (load, fuel, own, jitter): (i64, i64, i64, i64),
) -> Channel {
    Channel {
        code,
        number,
        decimals,
        law,
        base,
        range,
        stopped,
        load,
        fuel,
        own,
        jitter,
    }
}

const COAL_BOILER: &[Channel] = &[
    channel(
        1,
        ("a34013", 2, Law::Diluted),
        (310, 5_000, 0),
        (300, 120, 150, 60),
    ),
    channel(
        2,
        ("a21026", 2, Law::Diluted),
        (1_720, 20_000, 0),
        (350, 220, 120, 50),
    ),
    channel(
        3,
        ("a21002", 2, Law::Diluted),
        (3_150, 30_000, 0),
        (180, 90, 80, 40),
    ),
    channel(
        4,
        ("a19001", 2, Law::Oxygen),
        (580, 2_500, 2_090),
        (-900, 20, 40, 12),
    ),
    channel(
        5,
        ("a01011", 2, Law::Flow),
        (1_130, 4_000, 0),
        (1_050, 20, 30, 25),
    ),
    channel(
        6,
        ("a01012", 1, Law::Plain),
        (512, 3_000, 224),
        (120, 10, 15, 4),
    ),
    channel(
        7,
        ("a01013", 3, Law::Plain),
        (-230, 5_000, -4),
        (900, 20, 60, 40),
    ),
    channel(
        8,
        ("a01014", 2, Law::Plain),
        (1_140, 4_000, 210),
        (150, 40, 30, 10),
    ),
];

const WASTE_INCINERATOR: &[Channel] = &[
    channel(
        1,
        ("a34013", 2, Law::Diluted),
        (460, 5_000, 0),
        (200, 150, 160, 70),
    ),
    channel(
        2,
        ("a21026", 2, Law::Diluted),
        (2_350, 30_000, 0),
        (150, 350, 250, 80),
    ),
    channel(
        3,
        ("a21002", 2, Law::Diluted),
        (14_600, 50_000, 0),
        (150, 110, 90, 40),
    ),
    channel(
        4,
        ("a19001", 2, Law::Oxygen),
        (890, 2_500, 2_090),
        (-500, 60, 60, 20),
    ),
    channel(
        5,
        ("a01011", 2, Law::Flow),
        (1_320, 4_000, 0),
        (950, 40, 40, 30),
    ),
    channel(
        6,
        ("a01012", 1, Law::Plain),
        (1_430, 3_000, 260),
        (100, 20, 20, 5),
    ),
    channel(
        7,
        ("a01013", 3, Law::Plain),
        (-310, 5_000, -6),
        (900, 20, 60, 50),
    ),
    channel(
        8,
        ("a01014", 2, Law::Plain),
        (1_920, 4_000, 250),
        (100, 120, 50, 15),
    ),
    channel(
        9,
        ("a21005", 2, Law::Diluted),
        (1_280, 20_000, 0),
        (-200, 300, 300, 120),
    ),
    channel(
        10,
        ("a21024", 2, Law::Diluted),
        (940, 10_000, 0),
        (100, 250, 200, 60),
    ),
];

const CEMENT_KILN: &[Channel] = &[
    channel(
        1,
        ("a34013", 2, Law::Diluted),
        (720, 5_000, 0),
        (300, 100, 140, 60),
    ),
    channel(
        2,
        ("a21026", 2, Law::Diluted),
        (1_480, 30_000, 0),
        (200, 300, 260, 80),
    ),
    channel(
        3,
        ("a21002", 2, Law::Diluted),
        (23_400, 80_000, 0),
        (200, 130, 110, 45),
    ),
    channel(
        4,
        ("a19001", 2, Law::Oxygen),
        (960, 2_500, 2_090),
        (-400, 40, 50, 15),
    ),
    channel(
        5,
        ("a01011", 2, Law::Flow),
        (1_480, 4_000, 0),
        (900, 20, 30, 25),
    ),
    channel(
        6,
        ("a01012", 1, Law::Plain),
        (968, 3_000, 250),
        (150, 20, 20, 5),
    ),
    channel(
        7,
        ("a01013", 3, Law::Plain),
        (-420, 5_000, -5),
        (900, 20, 60, 40),
    ),
    channel(
        8,
        ("a01014", 2, Law::Plain),
        (870, 4_000, 200),
        (100, 60, 40, 12),
    ),
];

const WASTE_WATER: &[Channel] = &[
    channel(
        1,
        ("w00000", 2, Law::Flow),
        (38_600, 200_000, 0),
        (1_000, 40, 50, 20),
    ),
    channel(
        2,
        ("w01018", 1, Law::Analyser),
        (264, 2_000, 0),
        (250, 120, 70, 15),
    ),
    channel(
        3,
        ("w21003", 2, Law::Analyser),
        (132, 2_000, 0),
        (400, 250, 120, 20),
    ),
    channel(
        4,
        ("w21011", 2, Law::Analyser),
        (26, 500, 0),
        (250, 150, 120, 20),
    ),
    channel(
        5,
        ("w21001", 2, Law::Analyser),
        (895, 5_000, 0),
        (200, 120, 60, 15),
    ),
    channel(
        6,
        ("w01001", 2, Law::Analyser),
        (721, 1_400, 700),
        (0, 8, 10, 2),
    ),
];

/// The factors of a kind, in the order sent.
pub fn of(kind: PlantKind) -> &'static [Channel] {
    match kind {
        PlantKind::CoalBoiler => COAL_BOILER,
        PlantKind::WasteIncinerator => WASTE_INCINERATOR,
        PlantKind::CementKiln => CEMENT_KILN,
        PlantKind::WasteWater => WASTE_WATER,
    }
}

/// Load at each full hour of the day, ‰.
pub(super) fn daily_load(kind: PlantKind) -> &'static [i64; 24] {
    match kind {
        // Heat and power: low at night, peaks in the morning and the evening.
        PlantKind::CoalBoiler => &[
            760, 740, 725, 720, 730, 770, 840, 900, 920, 915, 900, 890, 870, 865, 870, 880, 900,
            930, 945, 935, 910, 880, 840, 800,
        ],
        // Waste burns as it comes, around the clock.
        PlantKind::WasteIncinerator => &[
            850, 848, 845, 845, 846, 850, 856, 862, 866, 868, 868, 865, 860, 858, 858, 860, 862,
            864, 864, 862, 860, 857, 854, 852,
        ],
        // A kiln likes cheap electricity at night.
        PlantKind::CementKiln => &[
            900, 905, 908, 908, 905, 895, 875, 850, 830, 820, 815, 812, 810, 812, 815, 820, 822,
            825, 830, 840, 855, 870, 885, 895,
        ],
        // The inflow of a town arrives late in the morning and late in the evening.
        PlantKind::WasteWater => &[
            780, 730, 680, 640, 620, 630, 680, 760, 850, 920, 960, 965, 945, 920, 900, 890, 890,
            900, 925, 955, 965, 945, 900, 840,
        ],
    }
}
