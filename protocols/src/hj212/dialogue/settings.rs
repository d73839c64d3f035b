//! What a centre may set in a logger.

use super::super::request::{AlarmLimits, Request, Secret};

/// Settings of a logger that requests of a centre read and change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Password that requests must carry (1072).
    pub password: Secret,
    /// Time-out of answers, seconds (1000).
    pub over_time_s: u32,
    /// Number of retries (1000).
    pub re_count: u32,
    /// Interval of real-time data, seconds (1061, 1062).
    pub rtd_interval_s: u32,
    /// Interval of minute data, minutes (1063, 1064).
    pub min_interval_min: u32,
    /// Real-time data are uploaded (2011, 2012).
    pub realtime: bool,
    /// Facility states are uploaded (2021, 2022).
    pub facility: bool,
    /// Delay of alarms (1001, 2005).
    pub warn_time: u32,
    /// Alarm limits (1021, 1022, 2005).
    pub limits: Vec<AlarmLimits>,
    /// Address of the centre (1031, 1032, 2005).
    pub centre_address: String,
    /// Hour and minute of the daily report (1041, 1042, 2005).
    pub report_time: (u8, u8),
}

impl Settings {
    /// What a logger has when nobody has set anything: 10 s and 3 retries (mobile networks),
    /// real-time data every 30 s, minute data every 10 min, both kinds of reporting on.
    #[must_use]
    pub fn new(password: &str) -> Self {
        Self {
            password: Secret::new(password),
            over_time_s: 10,
            re_count: 3,
            rtd_interval_s: 30,
            min_interval_min: 10,
            realtime: true,
            facility: true,
            warn_time: 0,
            limits: Vec::new(),
            centre_address: String::new(),
            report_time: (0, 0),
        }
    }

    /// Applies a request that sets one of these; `false` for every other request.
    pub fn apply(&mut self, request: &Request) -> bool {
        match request {
            Request::SetTimeouts {
                over_time_s,
                re_count,
            } => (self.over_time_s, self.re_count) = (*over_time_s, *re_count),
            Request::SetAlarmDelay { warn_time } => self.warn_time = *warn_time,
            Request::SetAlarmLimits { limits } => self.set_limits(limits),
            Request::SetCentreAddress { target } => self.centre_address = target.to_string(),
            Request::SetReportTime { hour, minute } => self.report_time = (*hour, *minute),
            Request::SetRealtimeInterval { seconds } => self.rtd_interval_s = *seconds,
            Request::SetMinuteInterval { minutes } => self.min_interval_min = *minutes,
            Request::SetPassword { new } => self.password = new.clone(),
            Request::StartRealtime => self.realtime = true,
            Request::StopRealtime => self.realtime = false,
            Request::StartFacility => self.facility = true,
            Request::StopFacility => self.facility = false,
            _ => return false,
        }
        true
    }

    /// Replaces the limits of the factors named; others stay, up to [`LIMITS_MAX`] in all.
    fn set_limits(&mut self, limits: &[AlarmLimits]) {
        for limit in limits {
            let known = self
                .limits
                .iter()
                .position(|known| known.pol_id == limit.pol_id);
            match known {
                Some(at) => self.limits[at] = limit.clone(),
                None if self.limits.len() < LIMITS_MAX => self.limits.push(limit.clone()),
                None => {}
            }
        }
    }
}

/// Most factors with alarm limits; more than any table of factors of one outlet. Later ones are
/// not kept.
const LIMITS_MAX: usize = 500;
