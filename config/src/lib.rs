//! Settings, registry, permits, rule profiles and the factor table: TOML files in, checked values
//! out.
//!
//! Every problem of every file is reported at once, with `file:line:column`, what is wrong and
//! what to do, in Chinese and English. A set of files with a problem yields nothing, so a daemon
//! never starts on half of it.
//!
//! * [`load`] and [`load_str`]: files → [`Checked`].
//! * [`factors`]: the factor table and the way from a 2005 code to a 2017 one.
//! * [`alarms`]: the alarm policy built in.
//! * [`units`]: units and their conversion.
//! * [`profiles`]: the rule profiles built in.
//! * [`duties`]: the duties with a clock and the working-day calendars built in.
//! * [`instruments`]: the register maps built in; [`load_map`] reads one from a file.

pub mod alarms;
mod check;
pub mod duties;
pub mod factors;
pub mod instruments;
mod policy;
pub mod profiles;
mod report;
mod section;
mod settings;
mod source;
mod suggest;
pub mod units;

pub use report::{Lang, Problem, Problems};
pub use settings::{
    ApiToken, ArchiveSettings, ConsoleSettings, CrcVariant, DialogueSettings, Hj212Settings,
    InitialSettings, JournalHash, JournalSettings, LogFormat, LogLevel, LogSettings,
    RealtimeUpload, Secret, Settings, UPLINKS_MAX, Uplink, UplinkEdition, UplinkFactor,
    UplinkOutlet, User,
};
pub use settings::{
    BUSES_MAX, Bus, BusTiming, Framing, INSTRUMENTS_MAX, Instrument, Line, Parity, SerialLine,
    StationSettings,
};

pub use settings::{
    Broker, CHANNELS_MAX, Channel, Hook, Login, MailServer, Means, Protection, QUIET_MAX,
    ROUTES_MAX, SMS_FIELDS_MAX, SmsForm, SmsGateway,
};
pub use settings::{
    Corrections, DESTINATIONS_MAX, Destination, DestinationKind, DestinationMeans, InfluxServer,
    OutletFilter,
};
pub use settings::{
    JsonPath, MqttFactor, MqttReading, MqttSource, READINGS_MAX, ReadingForm,
    SOURCE_PAYLOAD_BYTES_MAX, SOURCES_MAX,
};
pub use source::sha256_hex;

use cems_core::model::{Policy, Registry};
use cems_protocols::instrument::Map;
use report::Report;
use source::{Disk, Files, Loader, Virtual};
use std::path::{Path, PathBuf};

/// Settings and registry, checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Settings of the daemon.
    pub settings: Settings,
    /// What the engine knows about the world.
    pub registry: Registry,
    /// How alarms are ranked and answered, who is told what, and the duties with their clocks.
    pub policy: Policy,
    /// What is doubtful but usable.
    pub warnings: Vec<Problem>,
    /// SHA-256 (hex) over all files read, in the order read.
    pub digest: String,
    /// The files read, the main one first.
    pub files: Vec<PathBuf>,
}

/// Reads the main file and the files it names (relative to it).
///
/// # Errors
/// Everything wrong in any of them.
pub fn load(path: &Path) -> Result<Checked, Problems> {
    load_from(&Disk, path)
}

/// The same from memory: pairs of path and text, the main file first. A path that others begin
/// with (`registry` for `registry/a.toml`) is a directory.
///
/// # Errors
/// Everything wrong in any of them.
pub fn load_str(files: &[(&str, &str)]) -> Result<Checked, Problems> {
    let main = files.first().map_or("cemsd.toml", |(name, _)| *name);
    let map = files
        .iter()
        .map(|(name, text)| (PathBuf::from(name), *text))
        .collect();
    load_from(&Virtual(map), Path::new(main))
}

/// Reads one register map, as `cemsd probe` does while somebody edits it.
///
/// # Errors
/// Everything wrong in it.
pub fn load_map(path: &Path) -> Result<Map, Problems> {
    map_from(&Disk, path)
}

/// The same from memory, under the name that problems are to show.
///
/// # Errors
/// Everything wrong in it.
pub fn load_map_str(name: &str, text: &str) -> Result<Map, Problems> {
    let path = Path::new(name);
    map_from(&Virtual([(path.to_owned(), text)].into()), path)
}

fn map_from(files: &dyn Files, path: &Path) -> Result<Map, Problems> {
    let mut report = Report::default();
    let mut loader = Loader::new(files, path);
    let map = check::read_map(path, &mut loader, &mut report);
    let failed = report.has_errors();
    match map {
        Some((map, _)) if !failed => Ok(map),
        _ => Err(Problems(report.into_parts().0)),
    }
}

fn load_from(files: &dyn Files, main: &Path) -> Result<Checked, Problems> {
    let mut report = Report::default();
    let mut loader = Loader::new(files, main);
    let built = check::all(main, &mut loader, &mut report);
    let (digest, files) = loader.finish();
    let failed = report.has_errors();
    let (problems, warnings) = report.into_parts();
    match built {
        Some((settings, registry, duties)) if !failed => Ok(Checked {
            policy: policy::of(&settings, duties),
            settings,
            registry,
            warnings,
            digest,
            files,
        }),
        _ => Err(Problems(problems)),
    }
}
