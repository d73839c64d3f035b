//! Values a device gives because a centre asked for them.

use smol_str::SmolStr;

use super::content::{Content, content, text, time};
use super::fields::Message;
use super::request::AlarmLimits;
use super::time::LocalTime;

/// The typed answer to a request for values. A value that is absent or has no such form makes the
/// whole answer `None` in [`device_values`]; [`Content::Parameters`] has the texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceValues {
    /// 1011: the clock.
    Time {
        /// The instrument; `None` for the logger.
        pol_id: Option<SmolStr>,
        /// `SystemTime`.
        system_time: LocalTime,
    },
    /// 1021 (2005): alarm limits.
    AlarmLimits(Vec<AlarmLimits>),
    /// 1031 (2005): `AlarmTarget`, or `ReportTarget` as the field table calls it.
    CentreAddress(SmolStr),
    /// 1041 (2005): `ReportTime`, `hhmm`.
    ReportTime {
        /// Hour, 0 to 23.
        hour: u8,
        /// Minute, 0 to 59.
        minute: u8,
    },
    /// 1061: `RtdInterval`, seconds.
    RealtimeInterval(u32),
    /// 1063: `MinInterval`, minutes.
    MinuteInterval(u32),
    /// 3017 (2017): the sampling period.
    SamplingPeriod {
        /// The instrument.
        pol_id: Option<SmolStr>,
        /// `CstartTime`: hour, minute, second.
        start: (u8, u8, u8),
        /// `Ctime`, hours.
        hours: u32,
    },
    /// 3018: how long a measurement takes.
    ResultTime {
        /// The instrument.
        pol_id: Option<SmolStr>,
        /// `Stime`, minutes.
        minutes: u32,
    },
}

/// Reads an answer of values; `None` for every other message and for values without their form.
#[must_use]
pub fn device_values(msg: &Message) -> Option<DeviceValues> {
    if !matches!(content(msg), Content::Parameters(_)) {
        return None;
    }
    let number = |name| text(msg, name)?.parse().ok();
    let pol_id = text(msg, "PolId");
    Some(match msg.cn() {
        "1011" => DeviceValues::Time {
            pol_id,
            system_time: time(msg, "SystemTime")?,
        },
        "1021" => DeviceValues::AlarmLimits(limits(msg)),
        "1031" => DeviceValues::CentreAddress(
            text(msg, "AlarmTarget").or_else(|| text(msg, "ReportTarget"))?,
        ),
        "1041" => {
            let (hour, minute, _) = clock(&text(msg, "ReportTime")?, 2)?;
            DeviceValues::ReportTime { hour, minute }
        }
        "1061" => DeviceValues::RealtimeInterval(number("RtdInterval")?),
        "1063" => DeviceValues::MinuteInterval(number("MinInterval")?),
        "3017" => DeviceValues::SamplingPeriod {
            pol_id,
            start: clock(&text(msg, "CstartTime")?, 3)?,
            hours: number("Ctime")?,
        },
        "3018" => DeviceValues::ResultTime {
            pol_id,
            minutes: number("Stime")?,
        },
        _ => return None,
    })
}

/// Factors that have both limits.
fn limits(msg: &Message) -> Vec<AlarmLimits> {
    let limit = |item: &super::fields::Item| {
        Some(AlarmLimits {
            pol_id: item.name.clone(),
            low: item.get("LowValue")?.clone(),
            up: item.get("UpValue")?.clone(),
        })
    };
    msg.items.iter().filter_map(limit).collect()
}

/// Two digits each for hour, minute and perhaps second.
pub(super) fn clock(text: &str, parts: usize) -> Option<(u8, u8, u8)> {
    if text.len() != parts * 2 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |index: usize| match text.get(index * 2..index * 2 + 2) {
        Some(digits) => digits.parse::<u8>().ok(),
        None => Some(0),
    };
    let (hour, minute, second) = (part(0)?, part(1)?, part(2)?);
    (hour < 24 && minute < 60 && second < 60).then_some((hour, minute, second))
}
