//! Scenarios: what a crowd of simulated stations goes through, as TOML files.
//!
//! ```toml
//! title = "二氧化硫超标一小时"
//! title_en = "an hour of too much sulphur dioxide"
//!
//! [stations]
//! count = 6
//!
//! [[incident]]
//! what = "exceed"
//! from_s = 60
//! for_s = 3600
//! stations = [0, 3]
//! factor = "a21026"
//! times = 12.5
//! ```

use super::script::{Incident, Script};
use cems_core::model::Timestamp;
use cems_core::model::time::SECOND_MS;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use smol_str::SmolStr;

/// The scenarios that come with the program: name and text.
pub const BUILT_IN: [(&str, &str); 8] = [
    ("normal-day", include_str!("scenarios/normal-day.toml")),
    ("exceedance", include_str!("scenarios/exceedance.toml")),
    ("drift", include_str!("scenarios/drift.toml")),
    ("constant", include_str!("scenarios/constant.toml")),
    ("outage", include_str!("scenarios/outage.toml")),
    (
        "reconnect-storm",
        include_str!("scenarios/reconnect-storm.toml"),
    ),
    ("bad-clock", include_str!("scenarios/bad-clock.toml")),
    (
        "damaged-frames",
        include_str!("scenarios/damaged-frames.toml"),
    ),
];

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// No scenario of this name, and no such file.
    #[error("there is no scenario `{0}`; those that come with the program: {names}",
        names = BUILT_IN.map(|(name, _)| name).join(", "))]
    Unknown(String),
    /// The file cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The text is no scenario.
    #[error("{0}")]
    NotToml(#[from] toml::de::Error),
    /// An incident lacks what it needs, or has a number it cannot have.
    #[error("incident {number} ({what}): {trouble}")]
    Incident {
        /// Its place in the file, from 1.
        number: usize,
        /// Its kind.
        what: &'static str,
        /// What is wrong and what to do.
        trouble: &'static str,
    },
}

/// What a crowd is and goes through.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What happens, Chinese.
    pub title: String,
    /// English.
    pub title_en: String,
    /// The crowd, where the command line does not say otherwise.
    #[serde(default)]
    pub stations: Stations,
    #[serde(default, rename = "incident")]
    incidents: Vec<Told>,
}

/// The crowd of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stations {
    /// How many.
    pub count: Option<u32>,
    /// Seconds between real-time records.
    pub interval_s: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Exceed,
    Drift,
    Constant,
    Fault,
    Maintenance,
    Calibration,
    Stopped,
    Outage,
    Clock,
    Damage,
    Reconnect,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Exceed => "exceed",
            Self::Drift => "drift",
            Self::Constant => "constant",
            Self::Fault => "fault",
            Self::Maintenance => "maintenance",
            Self::Calibration => "calibration",
            Self::Stopped => "stopped",
            Self::Outage => "outage",
            Self::Clock => "clock",
            Self::Damage => "damage",
            Self::Reconnect => "reconnect",
        }
    }
}

/// An incident as the file tells it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    what: What,
    /// Seconds after the start.
    #[serde(default)]
    from_s: u32,
    /// How long; without it to the end.
    for_s: Option<u32>,
    /// Numbers of the stations, from 0; without it all.
    stations: Option<Vec<u32>>,
    /// 2017 code.
    factor: Option<SmolStr>,
    /// Multiplier of an exceedance.
    times: Option<Decimal>,
    /// Change of a drift, % an hour.
    percent_per_hour: Option<Decimal>,
    /// How far a clock is ahead, seconds.
    ahead_s: Option<i64>,
    /// Every which frame.
    every: Option<u32>,
    /// Frames of one connection.
    frames: Option<u32>,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// With the line of the first mistake, or the number of the incident.
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text)?;
        // Whatever can be wrong with an incident shows now, not when a station begins.
        scenario.script(0, Timestamp(0))?;
        Ok(scenario)
    }

    /// One that comes with the program, by name, or one from a file.
    ///
    /// # Errors
    /// See [`ScenarioError`].
    pub fn find(name: &str) -> Result<Self, ScenarioError> {
        if let Some((_, text)) = BUILT_IN.iter().find(|(own, _)| *own == name) {
            return Self::read(text);
        }
        match std::fs::read_to_string(name) {
            Ok(text) => Self::read(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(ScenarioError::Unknown(name.to_owned()))
            }
            Err(error) => Err(ScenarioError::Unreadable {
                path: name.to_owned(),
                error,
            }),
        }
    }

    /// What happens to the station of this number when the run starts at `start`.
    ///
    /// # Errors
    /// [`ScenarioError::Incident`]; never for a scenario that was read.
    pub fn script(&self, station: u32, start: Timestamp) -> Result<Script, ScenarioError> {
        let mut script = Script::default();
        for (index, told) in self.incidents.iter().enumerate() {
            let incident = told.incident().map_err(|trouble| ScenarioError::Incident {
                number: index + 1,
                what: told.what.name(),
                trouble,
            })?;
            let concerned = told
                .stations
                .as_ref()
                .is_none_or(|all| all.contains(&station));
            if concerned {
                let from = start.plus_ms(i64::from(told.from_s) * SECOND_MS);
                let until = told.for_s.map(|s| from.plus_ms(i64::from(s) * SECOND_MS));
                script = script.with(incident, from, until);
            }
        }
        Ok(script)
    }
}

impl Told {
    fn incident(&self) -> Result<Incident, &'static str> {
        let factor = || {
            self.factor
                .clone()
                .ok_or("name the factor, such as factor = \"a21026\"")
        };
        Ok(match self.what {
            What::Exceed => Incident::Exceed {
                factor: factor()?,
                permille: permille(self.times, Decimal::ONE_THOUSAND)
                    .ok_or("say how many times higher, such as times = 1.6 (0 to 1000)")?,
            },
            What::Drift => Incident::Drift {
                factor: factor()?,
                permille_per_hour: permille(self.percent_per_hour, Decimal::TEN)
                    .ok_or("say how fast, such as percent_per_hour = 5 (-1000 to 1000)")?,
            },
            What::Constant => Incident::Constant { factor: factor()? },
            What::Fault => Incident::Fault,
            What::Maintenance => Incident::Maintenance,
            What::Calibration => Incident::Calibration,
            What::Stopped => Incident::Stopped,
            What::Outage => Incident::Silence,
            What::Clock => {
                let ahead_s = self
                    .ahead_s
                    .filter(|s| s.unsigned_abs() <= CLOCK_S_MAX)
                    .ok_or("say how far, such as ahead_s = 43200 (within ten years)")?;
                Incident::ClockOffset(ahead_s * SECOND_MS)
            }
            What::Damage => Incident::Damage {
                every: self
                    .every
                    .filter(|n| *n > 0)
                    .ok_or("say every which frame, such as every = 10")?,
            },
            What::Reconnect => Incident::Reconnect {
                frames: self
                    .frames
                    .filter(|n| *n > 0)
                    .ok_or("say after how many frames, such as frames = 1")?,
            },
        })
    }
}

/// Clocks that are further off than ten years write no dates that could be read.
const CLOCK_S_MAX: u64 = 10 * 366 * 86_400;
/// Greatest multiplier and drift: readings stay far below what 64 bits hold.
const PERMILLE_MAX: i64 = 1_000_000;

fn permille(number: Option<Decimal>, unit: Decimal) -> Option<i64> {
    let permille = number?.checked_mul(unit)?.round().to_i64()?;
    (permille.abs() <= PERMILLE_MAX).then_some(permille)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minute: i64) -> Timestamp {
        Timestamp(minute * 60 * SECOND_MS)
    }

    #[test]
    fn every_scenario_that_comes_along_can_be_played() {
        for (name, _) in BUILT_IN {
            let scenario = Scenario::find(name).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!scenario.title.is_empty() && !scenario.title_en.is_empty());
            let quiet = scenario.incidents.is_empty();
            assert_eq!(quiet, name == "normal-day", "{name}");
        }
    }

    #[test]
    fn incidents_come_to_those_they_name_at_their_time() {
        let scenario = Scenario::read(
            "title = \"一\"\ntitle_en = \"one\"\n\
             [[incident]]\nwhat = \"exceed\"\nfactor = \"a21026\"\ntimes = 2.5\n\
             from_s = 60\nfor_s = 1200\nstations = [1]\n\
             [[incident]]\nwhat = \"drift\"\nfactor = \"a21002\"\npercent_per_hour = -50\n\
             [[incident]]\nwhat = \"clock\"\nahead_s = -30\nfrom_s = 120\n",
        )
        .expect("sound");
        let start = minute(100);
        let (zero, one) = (scenario.script(0, start), scenario.script(1, start));
        let (zero, one) = (zero.expect("sound"), one.expect("sound"));
        assert_eq!(zero.permille("a21026", minute(110)), 1_000);
        assert_eq!(one.permille("a21026", minute(110)), 2_500);
        assert_eq!(one.permille("a21026", minute(121)), 1_000);
        assert_eq!(zero.permille("a21002", minute(160)), 500);
        assert_eq!(zero.clock_offset_ms(minute(101)), 0);
        assert_eq!(zero.clock_offset_ms(minute(102)), -30_000);
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = |incident: &str| {
            let text = format!("title = \"一\"\ntitle_en = \"one\"\n[[incident]]\n{incident}");
            Scenario::read(&text).expect_err(incident).to_string()
        };
        assert_eq!(
            wrong("what = \"exceed\"\ntimes = 2"),
            "incident 1 (exceed): name the factor, such as factor = \"a21026\""
        );
        assert!(wrong("what = \"damage\"\nevery = 0").contains("every which frame"));
        assert!(wrong("what = \"clock\"\nahead_s = 9999999999999").contains("how far"));
        assert!(wrong("what = \"exceed\"\nfactor = \"a\"\ntimes = 1e20").contains("how many"));
        assert!(wrong("what = \"earthquake\"").contains("earthquake"));
        assert!(wrong("what = \"fault\"\nfor = 3").contains("unknown field"));
        let unknown = Scenario::find("no-such-thing")
            .expect_err("not there")
            .to_string();
        assert!(unknown.contains("reconnect-storm"), "{unknown}");
    }
}
