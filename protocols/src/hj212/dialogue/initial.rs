//! What a centre tells a logger at the first connection (section 6.7 of 2017).

use super::super::edition::Edition;
use super::super::request::{Request, order};
use super::super::time::LocalTime;

/// What the centre wants of its loggers; `None` leaves the logger as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InitialSettings {
    /// The time to set.
    pub time: Option<LocalTime>,
    /// Time-out, seconds, and retries.
    pub timeouts: Option<(u32, u32)>,
    /// Interval of real-time data, seconds.
    pub rtd_interval_s: Option<u32>,
    /// Interval of minute data, minutes.
    pub min_interval_min: Option<u32>,
    /// Real-time data on or off.
    pub realtime: Option<bool>,
    /// Facility states on or off.
    pub facility: Option<bool>,
}

/// The requests of the initial procedure in the order of the standard: time, time-out and
/// retries, real-time interval, minute interval, reporting of real-time data and of facility
/// states. What the edition does not have (1064 in 2005) is left out.
#[must_use]
pub fn initial_procedure(edition: Edition, settings: &InitialSettings) -> Vec<Request> {
    let time = settings.time.map(|system_time| Request::SetTime {
        pol_id: None,
        system_time: LocalTime {
            millis: 0,
            ..system_time
        },
    });
    let timeouts = settings
        .timeouts
        .map(|(over_time_s, re_count)| Request::SetTimeouts {
            over_time_s,
            re_count,
        });
    let rtd = settings
        .rtd_interval_s
        .map(|seconds| Request::SetRealtimeInterval { seconds });
    let min = settings
        .min_interval_min
        .map(|minutes| Request::SetMinuteInterval { minutes });
    let realtime = settings.realtime.map(|on| {
        if on {
            Request::StartRealtime
        } else {
            Request::StopRealtime
        }
    });
    let facility = settings.facility.map(|on| {
        if on {
            Request::StartFacility
        } else {
            Request::StopFacility
        }
    });
    [time, timeouts, rtd, min, realtime, facility]
        .into_iter()
        .flatten()
        .filter(|request| order(request.cn(), edition).is_some())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_standard() {
        let settings = InitialSettings {
            time: LocalTime::parse("20240520210700123"),
            timeouts: Some((10, 3)),
            rtd_interval_s: Some(30),
            min_interval_min: Some(10),
            realtime: Some(true),
            facility: Some(false),
        };
        let cns = |edition| -> Vec<&str> {
            initial_procedure(edition, &settings)
                .iter()
                .map(Request::cn)
                .collect()
        };
        assert_eq!(
            cns(Edition::V2017),
            ["1012", "1000", "1062", "1064", "2011", "2022"]
        );
        assert_eq!(
            cns(Edition::V2005),
            ["1012", "1000", "1062", "2011", "2022"]
        );
        assert!(initial_procedure(Edition::V2025, &InitialSettings::default()).is_empty());
    }
}
