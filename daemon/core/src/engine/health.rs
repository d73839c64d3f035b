//! The daemon's own health: what it reports of itself becomes an alarm like any other.

use super::alarms::{AlarmBook, Conditions, NewAlarm, ended, gone, holds, quiet, quiet_due};
use super::context::Cx;
use super::event::HealthReport;
use super::state::Shared;
use crate::model::{AlarmSubject, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::format_smolstr;

/// Parts remembered at a time: file systems, channels, uplinks, certificates of one daemon.
const PARTS_MAX: usize = 256;

/// What is known of the daemon's parts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Health {
    conditions: Conditions,
}

impl Health {
    pub(super) fn quiet_due(&self) -> Option<Timestamp> {
        quiet_due(&self.conditions)
    }

    pub(super) fn quiet(&mut self, book: &mut AlarmBook, cx: &mut Cx<'_>) {
        quiet(&mut self.conditions, book, cx);
    }
}

/// A part of the daemon reported how it is.
pub(super) fn reported(shared: &mut Shared, report: HealthReport, cx: &mut Cx<'_>) {
    let key = format_smolstr!("{}|{}", report.kind.as_str(), report.part);
    let conditions = &mut shared.health.conditions;
    if !report.bad {
        gone(conditions, &mut shared.book, &key, "recovered", cx);
        return;
    }
    if !conditions.contains_key(&key) && conditions.len() >= PARTS_MAX {
        let idle = conditions.iter().find(|(_, c)| !c.active);
        let Some(idle) = idle.map(|(key, _)| key.clone()) else {
            return;
        };
        ended(conditions, &mut shared.book, &idle, "forgotten", cx);
        conditions.remove(&idle);
    }
    let new = NewAlarm {
        value: report.value,
        threshold: report.threshold,
        facts: vec![("detail", report.detail)],
        ..NewAlarm::new(report.kind, AlarmSubject::Daemon(report.part), cx.at)
    };
    holds(conditions, &mut shared.book, (&key, new), None, cx);
}
