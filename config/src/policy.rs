//! The policy of a daemon: how alarms are ranked and answered, who is told what.

use crate::Settings;
use cems_core::model::Policy;

/// The policy that the settings make.
pub(crate) fn of(settings: &Settings) -> Policy {
    Policy {
        alarms: settings.alarms.clone(),
        notify: settings.notify_policy(),
        people: settings.people(),
    }
}
