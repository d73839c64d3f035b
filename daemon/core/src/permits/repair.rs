//! How long automatic equipment may be out of order (故障修复时限). Two rules set a clock each, and
//! both are shown:
//!
//! * running of automatic monitoring facilities (污染源自动监控设施运行管理办法, 2008), article 15:
//!   restored within 48 hours;
//! * on-site supervision (污染源自动监控设施现场监督检查办法, order 19 of 2012), article 8: a fault
//!   is reported within 12 hours and restored within five working days.

use crate::model::Timestamp;
use crate::model::time::HOUR_MS;
use crate::quantity::internal;
use rust_decimal::Decimal;

/// The times allowed, as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepairTerms {
    /// Hours to restore it.
    pub restore_h: u32,
    /// Working days to restore it.
    pub restore_working_days: u32,
    /// Hours to report it.
    pub report_h: u32,
}

impl Default for RepairTerms {
    /// As the two rules have it: 48 hours; five working days with a report within 12 hours.
    fn default() -> Self {
        Self {
            restore_h: 48,
            restore_working_days: 5,
            report_h: 12,
        }
    }
}

/// Equipment out of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// It failed.
    pub down: Timestamp,
    /// It was restored, or now while it is not.
    pub until: Timestamp,
    /// Working days from `down` to `until` by the calendar in force; `None`: no calendar is known.
    pub working_days: Option<u32>,
    /// The fault was reported, or now while it is not; `None`: not known.
    pub reported: Option<Timestamp>,
}

/// What the clocks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepairVerdict {
    /// Hours out of order.
    pub hours: Decimal,
    /// Not more than allowed.
    pub hours_ok: bool,
    /// Not more working days than allowed; `None` without a calendar.
    pub working_days_ok: Option<bool>,
    /// Reported in time; `None` when that is not known. A report before the failure (planned work)
    /// is in time.
    pub report_ok: Option<bool>,
}

/// Holds an outage against the clocks; exactly the time allowed is within it. `None` when it ends
/// before it begins.
pub fn repair(outage: &Outage, terms: &RepairTerms) -> Option<RepairVerdict> {
    let ms = outage.until.since_ms(outage.down);
    (ms >= 0).then_some(())?;
    let within = |ms: i64, hours: u32| ms <= i64::from(hours).saturating_mul(HOUR_MS);
    Some(RepairVerdict {
        hours: internal(Decimal::from(ms).checked_div(Decimal::from(HOUR_MS))?),
        hours_ok: within(ms, terms.restore_h),
        working_days_ok: outage
            .working_days
            .map(|days| days <= terms.restore_working_days),
        report_ok: outage
            .reported
            .map(|at| within(at.since_ms(outage.down), terms.report_h)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{dec, minute};

    fn after(minutes: i64) -> RepairVerdict {
        let outage = Outage {
            down: minute(0),
            until: minute(minutes),
            working_days: Some(5),
            reported: Some(minute(721)),
        };
        repair(&outage, &RepairTerms::default()).unwrap()
    }

    #[test]
    fn two_days_are_in_time_and_a_minute_more_is_not() {
        assert!(after(48 * 60).hours_ok);
        let late = after(48 * 60 + 30);
        assert_eq!((late.hours, late.hours_ok), (dec("48.5"), false));
        assert_eq!(late.working_days_ok, Some(true));
        assert_eq!(late.report_ok, Some(false));
    }

    #[test]
    fn without_a_calendar_or_a_report_those_clocks_say_nothing() {
        let mut outage = Outage {
            down: minute(0),
            until: minute(60),
            working_days: None,
            reported: None,
        };
        let terms = RepairTerms::default();
        let verdict = repair(&outage, &terms).unwrap();
        assert_eq!((verdict.working_days_ok, verdict.report_ok), (None, None));
        outage.working_days = Some(6);
        outage.reported = Some(minute(-60));
        let verdict = repair(&outage, &terms).unwrap();
        assert_eq!(verdict.working_days_ok, Some(false));
        assert_eq!(verdict.report_ok, Some(true));
        outage.until = minute(-1);
        assert_eq!(repair(&outage, &terms), None);
    }
}
