//! Requests from forms and from the wire.

use smol_str::SmolStr;

use super::super::edition::Edition;
use super::super::fields::Message;
use super::super::time::LocalTime;
use super::super::values::clock;
use super::catalogue::{Order, Presence, order};
use super::fields::{Fields, bad};
use super::{AlarmLimits, HistoryKind, Request, RequestError, Secret};

impl Request {
    /// Makes a request of a filled form: names of the catalogue in any case, empty values count
    /// as left out.
    ///
    /// # Errors
    /// [`RequestError`] names the first parameter that is missing, unknown or out of bounds.
    pub fn from_params<N: AsRef<str>, V: AsRef<str>>(
        cn: &str,
        edition: Edition,
        params: &[(N, V)],
    ) -> Result<Self, RequestError> {
        let order = find(cn, edition)?;
        let fields = Fields::of_pairs(params);
        fields.check(order, true)?;
        Self::from_fields(order, &fields)
    }

    /// Reads a message as a command of a centre, in the edition it speaks. Lenient: names in any
    /// case, `,` for `;`, unknown fields are passed over; bounds are checked.
    ///
    /// # Errors
    /// [`RequestError::NotInEdition`] when the number is no request there; else the first
    /// parameter that is missing or out of bounds.
    pub fn read(msg: &Message) -> Result<Self, RequestError> {
        Self::read_as(msg, msg.edition)
    }

    /// [`Request::read`] in an edition known otherwise: a logger knows its own.
    ///
    /// # Errors
    /// As [`Request::read`].
    pub fn read_as(msg: &Message, edition: Edition) -> Result<Self, RequestError> {
        let order = find(msg.cn(), edition)?;
        let mut fields = Fields::of_message(msg);
        if order.cn == "1002" {
            fields.take_header_mn(msg);
        }
        fields.check(order, false)?;
        Self::from_fields(order, &fields)
    }

    /// The typed form of checked fields.
    fn from_fields(order: &Order, fields: &Fields) -> Result<Self, RequestError> {
        if let Some(kind) = HistoryKind::from_cn(order.cn) {
            let (begin, end) = range(fields)?;
            return Ok(Self::History { kind, begin, end });
        }
        if order.cn.starts_with('3') {
            return control(order, fields);
        }
        Ok(match order.cn {
            "1000" => Self::SetTimeouts {
                over_time_s: fields.number("OverTime")?,
                re_count: fields.number("ReCount")?,
            },
            "1001" => Self::SetAlarmDelay {
                warn_time: fields.number("WarnTime")?,
            },
            "1002" => Self::SetDeviceNumber {
                logger: fields.text("i23005")?,
                mn: fields.text("MN")?,
            },
            "1011" => Self::GetTime {
                pol_id: optional_pol_id(order, fields),
            },
            "1012" => Self::SetTime {
                pol_id: optional_pol_id(order, fields),
                system_time: fields.time("SystemTime")?,
            },
            "1014" => Self::SetKey {
                created: fields.time("SKCreateTime")?,
                key: Secret::new(&fields.text("NewSK")?),
            },
            "1021" => Self::GetAlarmLimits {
                pol_ids: fields.all("PolId").cloned().collect(),
            },
            "1022" => Self::SetAlarmLimits {
                limits: limits(fields)?,
            },
            "1031" => Self::GetCentreAddress,
            "1032" => Self::SetCentreAddress {
                target: fields.text("AlarmTarget")?,
            },
            "1041" => Self::GetReportTime,
            "1042" => {
                let (hour, minute, _) = clock_of(fields, "ReportTime", 2)?;
                Self::SetReportTime { hour, minute }
            }
            "1061" => Self::GetRealtimeInterval,
            "1062" => Self::SetRealtimeInterval {
                seconds: fields.number("RtdInterval")?,
            },
            "1063" => Self::GetMinuteInterval,
            "1064" => Self::SetMinuteInterval {
                minutes: fields.number("MinInterval")?,
            },
            "1072" => Self::SetPassword {
                new: Secret::new(&fields.text(order.parameters[0].name)?),
            },
            "2011" => Self::StartRealtime,
            "2012" => Self::StopRealtime,
            "2021" => Self::StartFacility,
            "2022" => Self::StopFacility,
            _ => return Err(unknown(order.cn, order.editions[0])),
        })
    }
}

/// What acts on instruments (3000 to 3999).
fn control(order: &Order, fields: &Fields) -> Result<Request, RequestError> {
    let old = order.editions.contains(&Edition::V2005);
    let pol_id = || fields.text("PolId");
    Ok(match order.cn {
        "3011" => Request::Calibrate {
            pol_id: pol_id()?,
            kind: order
                .parameters
                .iter()
                .find(|parameter| parameter.name == "CalibrationType")
                .and_then(|parameter| fields.get(parameter.name)),
        },
        "3012" => Request::SampleNow { pol_id: pol_id()? },
        "3013" if old => Request::Operate {
            pol_id: fields.get("PolId"),
        },
        "3013" => Request::Clean { pol_id: pol_id()? },
        "3014" if old => Request::SetSamplingTimes {
            pol_id: pol_id()?,
            hours: fields
                .all("CTime")
                .filter_map(|hour| hour.parse().ok())
                .collect(),
        },
        "3014" => Request::CompareSampling { pol_id: pol_id()? },
        "3015" => Request::KeepSampleOnExceedance,
        "3016" => Request::SetSamplingPeriod {
            pol_id: pol_id()?,
            start: clock_of(fields, "CstartTime", 3)?,
            hours: fields.number("Ctime")?,
        },
        "3017" => Request::GetSamplingPeriod { pol_id: pol_id()? },
        "3018" => Request::GetResultTime { pol_id: pol_id()? },
        "3019" => Request::GetSerial { pol_id: pol_id()? },
        "3020" => Request::GetInfo {
            pol_id: fields.get("PolId"),
            info_id: fields.text("InfoId")?,
            range: if fields.get("BeginTime").is_some() || fields.get("EndTime").is_some() {
                Some(range(fields)?)
            } else {
                None
            },
        },
        "3021" => Request::SetParameter {
            pol_id: fields.get("PolId"),
            info_id: fields.text("InfoId")?,
            value: fields.text("Info")?,
        },
        "3022" => Request::KeepSample { pol_id: pol_id()? },
        "3024" => Request::StandardCheck { pol_id: pol_id()? },
        _ => return Err(unknown(order.cn, order.editions[0])),
    })
}

fn find(cn: &str, edition: Edition) -> Result<&'static Order, RequestError> {
    order(cn, edition).ok_or_else(|| unknown(cn, edition))
}

fn unknown(cn: &str, edition: Edition) -> RequestError {
    RequestError::NotInEdition {
        cn: SmolStr::new(cn),
        edition,
    }
}

/// The instrument, in editions whose command knows one.
fn optional_pol_id(order: &Order, fields: &Fields) -> Option<SmolStr> {
    let known = order
        .parameters
        .iter()
        .any(|parameter| parameter.name == "PolId" && parameter.presence == Presence::Optional);
    known.then(|| fields.get("PolId")).flatten()
}

fn range(fields: &Fields) -> Result<(LocalTime, LocalTime), RequestError> {
    let (begin, end) = (fields.time("BeginTime")?, fields.time("EndTime")?);
    if end < begin {
        return Err(RequestError::Backwards { begin, end });
    }
    Ok((begin, end))
}

fn clock_of(
    fields: &Fields,
    name: &'static str,
    parts: usize,
) -> Result<(u8, u8, u8), RequestError> {
    let text = fields.text(name)?;
    clock(&text, parts).ok_or_else(|| bad(name, &text, "a time of day".to_owned()))
}

/// Factors with their limits; the three lists go together place by place.
fn limits(fields: &Fields) -> Result<Vec<AlarmLimits>, RequestError> {
    let lows: Vec<_> = fields.all("LowValue").collect();
    let ups: Vec<_> = fields.all("UpValue").collect();
    let missing = |name| RequestError::Missing {
        name,
        expected: "one value per factor".to_owned(),
    };
    let limit = |(index, pol_id): (usize, &SmolStr)| {
        let low = lows.get(index).ok_or_else(|| missing("LowValue"))?;
        let up = ups.get(index).ok_or_else(|| missing("UpValue"))?;
        Ok(AlarmLimits {
            pol_id: pol_id.clone(),
            low: (*low).clone(),
            up: (*up).clone(),
        })
    };
    fields.all("PolId").enumerate().map(limit).collect()
}
