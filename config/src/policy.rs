//! The policy of a daemon: how alarms are ranked and answered, who is told what.

use crate::Settings;
use cems_core::lang::Lang;
use cems_core::model::policy::{AlarmPolicy, NotifyPolicy};
use cems_core::model::{DutyBook, Person, Policy, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// The policy that the settings and the table of duties make.
pub(crate) fn of(settings: &Settings, duties: DutyBook) -> Policy {
    Policy {
        alarms: AlarmPolicy::default(),
        notify: NotifyPolicy::default(),
        duties,
        people: people(settings),
    }
}

fn people(settings: &Settings) -> BTreeMap<UserId, Person> {
    let person = |user: &crate::User| Person {
        name: user.name.clone(),
        access: user.access(),
        lang: Lang::default(),
        channels: BTreeSet::new(),
    };
    let users = settings.users.iter();
    users.map(|user| (user.id.clone(), person(user))).collect()
}
