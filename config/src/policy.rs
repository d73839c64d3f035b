//! The policy of a daemon: how alarms are ranked and answered, who is told what, which duties have
//! a clock.

use crate::Settings;
use cems_core::model::{DutyBook, Policy};

/// The policy that the settings and the table of duties make.
pub(crate) fn of(settings: &Settings, duties: DutyBook) -> Policy {
    Policy {
        alarms: settings.alarms.clone(),
        notify: settings.notify_policy(),
        duties: duties.into(),
        people: settings.people(),
    }
}
