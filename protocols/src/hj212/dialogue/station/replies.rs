//! The frames a logger answers requests with, in the dialect of its edition.

use smol_str::SmolStr;

use super::super::super::build::FrameBuilder;
use super::super::super::edition::Edition;
use super::super::super::fields::{Item, Message};
use super::super::super::request::{AlarmLimits, Request};
use super::super::super::time::LocalTime;
use super::super::settings::Settings;
use super::StationConfig;

/// What answers repeat of a request.
#[derive(Clone, Debug)]
pub(super) struct Echo {
    pub(super) qn: SmolStr,
    /// Password as the centre sent it, so that it knows the answer for its own.
    pub(super) pw: Option<SmolStr>,
}

impl Echo {
    pub(super) fn of(msg: &Message) -> Self {
        Self {
            qn: msg.header.qn.clone().unwrap_or_default(),
            pw: msg.header.pw.clone(),
        }
    }
}

/// 9011, 9012 or 9013 to a request; `None` when the request's number cannot be repeated.
pub(super) fn reply(
    config: &StationConfig,
    echo: &Echo,
    cn: &str,
    result: Option<(&str, u32)>,
) -> Option<Vec<u8>> {
    let mut frame = FrameBuilder::new(config.edition, "91", cn).mn(&config.mn);
    if let Some(pw) = &echo.pw {
        frame = frame.pw(pw);
    }
    let frame = with_qn(config.edition, frame, &echo.qn);
    let value = result.map(|(name, value)| Item::bare(name, &value.to_string()));
    frame.items(value).build(&config.build).ok()
}

/// The values a request asked for, under its number.
pub(super) fn values(config: &StationConfig, echo: &Echo, frame: FrameBuilder) -> Option<Vec<u8>> {
    let frame = frame.mn(&config.mn).answer_wanted(false);
    let frame = match &echo.pw {
        Some(pw) => frame.pw(pw),
        None => frame,
    };
    with_qn(config.edition, frame, &echo.qn)
        .build(&config.build)
        .ok()
}

/// 2005 repeats the number inside the data area, before the rest; later editions in the header.
fn with_qn(edition: Edition, frame: FrameBuilder, qn: &str) -> FrameBuilder {
    if qn.is_empty() {
        frame
    } else if edition == Edition::V2005 {
        frame.first_item(Item::bare("QN", qn))
    } else {
        frame.qn(qn)
    }
}

/// `QnRtn` in the words of the edition: 2005 knows accepted, refused and wrong password.
pub(super) fn qn_rtn(edition: Edition, value: u32) -> u32 {
    if edition == Edition::V2005 && value > 3 {
        2
    } else {
        value
    }
}

/// `ExeRtn` in the words of the edition: 2005 knows success, failure and no data.
pub(super) fn exe_rtn(edition: Edition, value: u32) -> u32 {
    if edition == Edition::V2005 && (3..100).contains(&value) {
        2
    } else {
        value
    }
}

/// What the logger itself can say to a request; `None` when the caller must.
pub(super) fn own_values(
    settings: &Settings,
    request: &Request,
    now: LocalTime,
) -> Option<Vec<Item>> {
    let one = |name: &str, value: &str| Some(vec![Item::bare(name, value)]);
    match request {
        Request::GetTime { pol_id: None } => one("SystemTime", &now.digits14()),
        Request::GetRealtimeInterval => one("RtdInterval", &settings.rtd_interval_s.to_string()),
        Request::GetMinuteInterval => one("MinInterval", &settings.min_interval_min.to_string()),
        Request::GetCentreAddress => one("AlarmTarget", &settings.centre_address),
        Request::GetReportTime => {
            let (hour, minute) = settings.report_time;
            one("ReportTime", &format!("{hour:02}{minute:02}"))
        }
        Request::GetAlarmLimits { pol_ids } => Some(
            settings
                .limits
                .iter()
                .filter(|limit| pol_ids.is_empty() || pol_ids.contains(&limit.pol_id))
                .map(AlarmLimits::item)
                .collect(),
        ),
        _ => None,
    }
}
