//! The policy of a daemon: how alarms are ranked and answered, who is told what.

use crate::Settings;
use cems_core::lang::Lang;
use cems_core::model::policy::NotifyPolicy;
use cems_core::model::{Person, Policy, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// The policy that the settings make.
pub(crate) fn of(settings: &Settings) -> Policy {
    Policy {
        alarms: settings.alarms.clone(),
        notify: NotifyPolicy::default(),
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
