//! Commands to devices, and the instruments and uplinks of a station.

use cems_core::model::{FactorCode, OutletId, Timestamp};

/// One parameter of a command that can be sent to a device.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CommandParameter {
    /// Name as the standard writes it, `RtdInterval`.
    pub name: String,
    /// What it is, Chinese and English.
    pub label_zh: String,
    /// English label.
    pub label_en: String,
    /// How it is entered.
    pub kind: ParameterKind,
    /// It may be left empty.
    pub optional: bool,
    /// What stands in the field at first.
    pub preset: String,
}

/// How a parameter is entered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterKind {
    /// A whole number within bounds.
    Number {
        /// Least.
        min: i64,
        /// Greatest.
        max: i64,
    },
    /// A date and time of the site's clock, `YYYYMMDDhhmmss`.
    Time,
    /// One of these values.
    Choice(Vec<String>),
    /// Text of at most so many characters.
    Text(u32),
    /// A password: shown as dots, masked in every record.
    Secret(u32),
}

/// A command that a device of a given edition understands (反控命令).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CommandForm {
    /// Command number.
    pub cn: String,
    /// What it does, Chinese and English.
    pub label_zh: String,
    /// English label.
    pub label_en: String,
    /// It changes or moves something at the site (set, calibrate, sample), not only asks.
    pub intrusive: bool,
    /// Its parameters.
    pub parameters: Vec<CommandParameter>,
}

/// A command to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOrder {
    /// Whose device.
    pub outlet: OutletId,
    /// Command number.
    pub cn: String,
    /// Parameters by name.
    pub params: Vec<(String, String)>,
}

/// An instrument that this station reads.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct InstrumentStatus {
    /// Its id in the settings.
    pub id: String,
    /// The outlet it measures.
    pub outlet: OutletId,
    /// The line it hangs on.
    pub bus: String,
    /// Register map.
    pub map: String,
    /// It answers.
    pub ok: bool,
    /// Last answer.
    pub last_ok: Option<Timestamp>,
    /// Last trouble, in words (English), and when.
    pub last_error: Option<(Timestamp, String)>,
    /// Polls so far.
    pub polls: u64,
    /// Polls without an answer.
    pub failures: u64,
    /// Last readings: factor, value as text, flag.
    pub readings: Vec<(FactorCode, String, String)>,
}

/// A centre that this station uploads to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UplinkStatus {
    /// Its id in the settings.
    pub id: String,
    /// `host:port`.
    pub address: String,
    /// Edition spoken.
    pub edition: String,
    /// A connection stands.
    pub connected: bool,
    /// Records not yet acknowledged.
    pub pending: u64,
    /// Start of the oldest of them.
    pub oldest_pending: Option<Timestamp>,
    /// Last acknowledgement.
    pub last_acknowledged: Option<Timestamp>,
    /// Records acknowledged so far.
    pub acknowledged: u64,
    /// Last trouble, in words (English), and when.
    pub last_error: Option<(Timestamp, String)>,
}

/// The station side of this daemon; empty at a pure centre.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct StationStatus {
    /// Instruments, by id.
    pub instruments: Vec<InstrumentStatus>,
    /// Uplinks, by id.
    pub uplinks: Vec<UplinkStatus>,
}

impl StationStatus {
    /// Neither instruments nor uplinks: there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.instruments.is_empty() && self.uplinks.is_empty()
    }
}
