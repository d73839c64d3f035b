//! Second-hand: uploads that only HJ 212-2025 has, as quoted publicly. The text of the standard was
//! not at hand; what rests on quotations stands here and in `request/edition_2025.rs`.

use smol_str::SmolStr;

use super::content::{Content, sub_fields, time};
use super::edition::Edition;
use super::fields::{Item, Message};
use super::time::LocalTime;

/// What one factor reports in raw periodic data (2013). Texts are the original ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawValue {
    /// Factor code as sent.
    pub code: SmolStr,
    /// When sampling began (`-SampleTime`).
    pub sample_time: Option<LocalTime>,
    /// When the measurement was complete (`-CompleteTime`).
    pub complete_time: Option<LocalTime>,
    /// Kind of sample (`-SampleType`).
    pub sample_type: Option<SmolStr>,
    /// The value (`-Avg`).
    pub avg: Option<SmolStr>,
    /// Data flag (`-Flag`).
    pub flag: Option<SmolStr>,
    /// Other sub-fields, for instance parameters of the measurement (`-i13013`).
    pub extra: Vec<(SmolStr, SmolStr)>,
}

/// Result of one automatic standard check (2062). Texts are the original ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandardCheckResult {
    /// Factor code as sent.
    pub code: SmolStr,
    /// What the instrument read (`-SampleRd`).
    pub reading: Option<SmolStr>,
    /// What the standard holds (`-StandardValue`).
    pub standard: Option<SmolStr>,
    /// `-ResultType`: 1 passed, 0 failed; `None` for anything else.
    pub passed: Option<bool>,
}

/// The typed view of such an upload; `None` for every other number. 2062 of the surface-water
/// profile has other fields and is none of these.
pub(super) fn content(msg: &Message, cn: &str) -> Option<Content> {
    let data_time = time(msg, "DataTime");
    let pairs = |field| sub_fields(msg, field, |code, value| (code, value));
    match cn {
        "2013" => Some(Content::Raw {
            time: data_time,
            values: factors(msg).map(raw_value).collect(),
        }),
        "2052" => Some(Content::Noise {
            time: data_time,
            values: pairs("Data"),
        }),
        "2062" if msg.edition == Edition::V2025 || msg.has_field("ResultType") => {
            Some(Content::StandardChecks {
                time: data_time,
                checks: factors(msg).map(check).collect(),
            })
        }
        "2111" => Some(Content::FurnaceTemperature {
            time: data_time,
            values: pairs("Avg"),
        }),
        _ => None,
    }
}

fn factors(msg: &Message) -> impl Iterator<Item = &Item> {
    msg.items.iter().filter(|item| item.get("").is_none())
}

fn filled(item: &Item, field: &str) -> Option<SmolStr> {
    item.get(field).filter(|value| !value.is_empty()).cloned()
}

fn raw_value(item: &Item) -> RawValue {
    let at = |field| item.get(field).and_then(|text| LocalTime::parse(text));
    let own = ["SampleTime", "CompleteTime", "SampleType", "Avg", "Flag"];
    RawValue {
        code: item.name.clone(),
        sample_time: at("SampleTime"),
        complete_time: at("CompleteTime"),
        sample_type: filled(item, "SampleType"),
        avg: filled(item, "Avg"),
        flag: filled(item, "Flag"),
        extra: item
            .fields
            .iter()
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .cloned()
            .collect(),
    }
}

fn check(item: &Item) -> StandardCheckResult {
    StandardCheckResult {
        code: item.name.clone(),
        reading: filled(item, "SampleRd"),
        standard: filled(item, "StandardValue"),
        passed: match item.get("ResultType").map(SmolStr::as_str) {
            Some("1") => Some(true),
            Some("0") => Some(false),
            _ => None,
        },
    }
}

/// Hardware identity of a logger (1001).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Number of the logger (`i23005-Info`).
    pub logger: Option<SmolStr>,
    /// Identity of its processor (`i23006-Info`).
    pub cpu: Option<SmolStr>,
    /// Addresses of its network cards (`i23007-Info`, `i23008-Info`), in order.
    pub macs: Vec<SmolStr>,
}

/// The hardware identity a logger of 2025 tells before it has a device number; `None` for every
/// other message.
#[must_use]
pub fn identity(msg: &Message) -> Option<Identity> {
    let Content::Identity(infos) = super::content::content(msg) else {
        return None;
    };
    let info = |code: &str| {
        let found = infos.iter().find(|(name, _)| name == code);
        found.map(|(_, value)| value.clone())
    };
    Some(Identity {
        logger: info("i23005"),
        cpu: info("i23006"),
        macs: ["i23007", "i23008"].into_iter().filter_map(info).collect(),
    })
}
