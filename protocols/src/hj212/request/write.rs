//! Requests as forms and as frames.

use smol_str::SmolStr;

use super::super::build::FrameBuilder;
use super::super::edition::Edition;
use super::super::fields::Item;
use super::super::time::LocalTime;
use super::catalogue::{ParamKind, order};
use super::fields::MASK;
use super::{AlarmLimits, Request, RequestContext, RequestError};

impl Request {
    /// Names and values as a form has them, in the words of an edition; secrets in clear, so this
    /// is for the wire and for tests. Empty when the edition has no such request.
    #[must_use]
    pub fn params(&self, edition: Edition) -> Vec<(SmolStr, String)> {
        self.pairs(edition)
            .into_iter()
            .map(|(name, value)| (SmolStr::new_static(name), value))
            .collect()
    }

    /// [`Request::params`] for records and pages: secrets are `***`.
    #[must_use]
    pub fn params_masked(&self, edition: Edition) -> Vec<(SmolStr, String)> {
        let secret = |name: &str| {
            order(self.cn(), edition).is_none_or(|order| {
                order.parameters.iter().any(|parameter| {
                    parameter.name == name && matches!(parameter.kind, ParamKind::Secret { .. })
                })
            })
        };
        let mask = |(name, value): (SmolStr, String)| {
            let value = if secret(&name) {
                MASK.to_owned()
            } else {
                value
            };
            (name, value)
        };
        self.params(edition).into_iter().map(mask).collect()
    }

    /// The frame of this request in the dialect of an edition, ready for
    /// [`FrameBuilder::build`]. It asks for an answer.
    ///
    /// # Errors
    /// [`RequestError::NotInEdition`] when the edition has no such request; else the parameter
    /// that is out of the edition's bounds.
    pub fn build(
        &self,
        edition: Edition,
        context: &RequestContext,
    ) -> Result<FrameBuilder, RequestError> {
        let pairs = self.pairs(edition);
        // The number may have another meaning in this edition.
        let same = Self::from_params(self.cn(), edition, &pairs)?;
        if same != *self {
            return Err(RequestError::NotInEdition {
                cn: SmolStr::new_static(self.cn()),
                edition,
            });
        }
        let mn = match self {
            Self::SetDeviceNumber { mn, .. } => mn,
            _ => &context.mn,
        };
        Ok(FrameBuilder::new(edition, &context.st, self.cn())
            .qn(&context.qn)
            .pw(&context.pw)
            .mn(mn)
            .answer_wanted(true)
            .items(self.items(edition, &pairs)))
    }

    /// The data area.
    fn items(&self, edition: Edition, pairs: &[(&'static str, String)]) -> Vec<Item> {
        match self {
            Self::SetAlarmLimits { limits } => limits.iter().map(AlarmLimits::item).collect(),
            Self::SetDeviceNumber { logger, .. } => {
                vec![Item::factor("i23005", &[("Info", logger)])]
            }
            _ => pairs
                .iter()
                .map(|(name, value)| match (self, *name) {
                    (Self::SetParameter { info_id, .. }, "Info") => {
                        Item::factor(info_id, &[("Info", value)])
                    }
                    // The spelling of the examples of 2005 for what acts on instruments.
                    (_, "PolId") if edition == Edition::V2005 && self.cn() != "1021" => {
                        Item::bare("PolID", value)
                    }
                    (_, "Ctime") => Item::bare("CTime", value),
                    _ => Item::bare(name, value),
                })
                .collect(),
        }
    }

    /// Names and values as a form has them.
    fn pairs(&self, edition: Edition) -> Vec<(&'static str, String)> {
        let mut list = Vec::new();
        let mut push = |name: &'static str, value: String| list.push((name, value));
        match self {
            Self::SetTimeouts {
                over_time_s,
                re_count,
            } => {
                push("OverTime", over_time_s.to_string());
                push("ReCount", re_count.to_string());
            }
            Self::SetAlarmDelay { warn_time } => push("WarnTime", warn_time.to_string()),
            Self::SetDeviceNumber { logger, mn } => {
                push("MN", mn.to_string());
                push("i23005", logger.to_string());
            }
            Self::GetTime { pol_id } => optional(&mut push, pol_id.as_ref()),
            Self::SetTime {
                pol_id,
                system_time,
            } => {
                optional(&mut push, pol_id.as_ref());
                push("SystemTime", system_time.digits14());
            }
            Self::SetKey { created, key } => {
                push("SKCreateTime", created.digits14());
                push("NewSK", key.reveal().to_owned());
            }
            Self::GetAlarmLimits { pol_ids } => {
                for pol_id in pol_ids {
                    push("PolId", pol_id.to_string());
                }
            }
            Self::SetAlarmLimits { limits } => {
                for limit in limits {
                    push("PolId", limit.pol_id.to_string());
                    push("LowValue", limit.low.to_string());
                    push("UpValue", limit.up.to_string());
                }
            }
            Self::SetCentreAddress { target } => push("AlarmTarget", target.to_string()),
            Self::SetReportTime { hour, minute } => {
                push("ReportTime", format!("{hour:02}{minute:02}"));
            }
            Self::SetRealtimeInterval { seconds } => push("RtdInterval", seconds.to_string()),
            Self::SetMinuteInterval { minutes } => push("MinInterval", minutes.to_string()),
            Self::SetPassword { new } => {
                let name = if edition == Edition::V2005 {
                    "PW"
                } else {
                    "NewPW"
                };
                push(name, new.reveal().to_owned());
            }
            Self::History { begin, end, .. } => times(&mut push, begin, end),
            _ => self.control_pairs(&mut push),
        }
        list
    }

    /// Names and values of what acts on instruments.
    fn control_pairs(&self, push: &mut dyn FnMut(&'static str, String)) {
        match self {
            Self::Calibrate { pol_id, kind } => {
                push("PolId", pol_id.to_string());
                if let Some(kind) = kind {
                    push("CalibrationType", kind.to_string());
                }
            }
            Self::SampleNow { pol_id }
            | Self::Clean { pol_id }
            | Self::CompareSampling { pol_id }
            | Self::GetSamplingPeriod { pol_id }
            | Self::GetResultTime { pol_id }
            | Self::GetSerial { pol_id }
            | Self::KeepSample { pol_id }
            | Self::StandardCheck { pol_id } => push("PolId", pol_id.to_string()),
            Self::Operate { pol_id } => optional(push, pol_id.as_ref()),
            Self::SetSamplingTimes { pol_id, hours } => {
                push("PolId", pol_id.to_string());
                for hour in hours {
                    push("CTime", format!("{hour:02}"));
                }
            }
            Self::SetSamplingPeriod {
                pol_id,
                start: (hour, minute, second),
                hours,
            } => {
                push("PolId", pol_id.to_string());
                push("CstartTime", format!("{hour:02}{minute:02}{second:02}"));
                push("Ctime", hours.to_string());
            }
            Self::GetInfo {
                pol_id,
                info_id,
                range,
            } => {
                optional(push, pol_id.as_ref());
                push("InfoId", info_id.to_string());
                if let Some((begin, end)) = range {
                    times(push, begin, end);
                }
            }
            Self::SetParameter {
                pol_id,
                info_id,
                value,
            } => {
                optional(push, pol_id.as_ref());
                push("InfoId", info_id.to_string());
                push("Info", value.to_string());
            }
            // The rest has no parameters.
            _ => {}
        }
    }
}

fn optional(push: &mut dyn FnMut(&'static str, String), pol_id: Option<&SmolStr>) {
    if let Some(pol_id) = pol_id {
        push("PolId", pol_id.to_string());
    }
}

fn times(push: &mut dyn FnMut(&'static str, String), begin: &LocalTime, end: &LocalTime) {
    push("BeginTime", begin.digits14());
    push("EndTime", end.digits14());
}
