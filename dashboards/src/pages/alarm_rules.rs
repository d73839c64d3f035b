//! What alarms are asked for, and what an action on one needs, by form or by API alike.

use super::checked_note;
use crate::backend::{AlarmFilter, AlarmVerb, BackendError};
use cems_core::model::{
    AlarmId, AlarmKind, AlarmState, EnterpriseId, OutletId, Priority, RegionId,
};
use std::collections::{BTreeMap, BTreeSet};

/// The filter of a query; what names nothing known is given back as the reason. `open_only` is
/// left to the caller.
pub(crate) fn alarm_filter(query: &BTreeMap<String, String>) -> Result<AlarmFilter, String> {
    let asked = |name: &str| {
        query
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    };
    let number = |name: &str| match asked(name).map(str::parse) {
        None => Ok(None),
        Some(Ok(id)) => Ok(Some(AlarmId(id))),
        Some(Err(_)) => Err(format!("{name} {}", asked(name).unwrap_or_default())),
    };
    let kind = asked("kind").map(|text| {
        let known = AlarmKind::ALL.iter().find(|kind| kind.as_str() == text);
        known.copied().ok_or_else(|| format!("kind {text}"))
    });
    let priority = asked("priority").map(|text| {
        let known = Priority::ALL.into_iter().find(|p| p.as_str() == text);
        known.ok_or_else(|| format!("priority {text}"))
    });
    let states = asked("state").map_or("", |text| text).split(',');
    let states = states.filter(|text| !text.is_empty()).map(|text| {
        let known = AlarmState::ALL.into_iter().find(|s| s.as_str() == text);
        known.ok_or_else(|| format!("state {text}"))
    });
    Ok(AlarmFilter {
        open_only: false,
        outlet: asked("outlet").map(OutletId::new),
        kind: kind.transpose()?,
        priority: priority.transpose()?,
        states: states.collect::<Result<BTreeSet<_>, _>>()?,
        region: asked("region").map(RegionId::new),
        enterprise: asked("enterprise").map(EnterpriseId::new),
        covered_by: number("covered_by")?,
        before: number("before")?,
    })
}

/// The words of an action as they may be kept.
pub(crate) fn checked_act(verb: AlarmVerb, note: Option<&String>) -> Result<String, BackendError> {
    let said = note.is_some_and(|note| !note.trim().is_empty());
    if verb.needs_note() || said {
        checked_note(note)
    } else {
        Ok(String::new())
    }
}
