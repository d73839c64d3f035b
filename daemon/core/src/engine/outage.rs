//! An outage of a line (线路中断): outlets of one enterprise or region that fell silent together are
//! one alarm with its outlets, not an alarm each.
//!
//! Who fell silent is kept by enterprise and by region. When enough of a group did so within the
//! window of the policy, the group's alarm is raised; alarms that single outlets had got before are
//! suppressed under it, and outlets that fall silent in the same window join it without one of
//! their own. It returns when most outlets send again; those that still do not are then alarms of
//! their own: their trouble is another.

use super::alarms::NewAlarm;
use super::context::{Cx, ENGINE, Site};
use super::state::Shared;
use crate::model::time::SECOND_MS;
use crate::model::{
    AlarmId, AlarmKind, AlarmSubject, EnterpriseId, OutletId, RegionId, Registry, Suppression,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An outage is over when no more than this share of its outlets is still silent, %.
const STILL_SILENT_PCT: usize = 20;

/// Why alarms under an outage are suppressed.
const OUTAGE: &str = "outage";

/// What may share a line; the wider group is asked first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Group {
    Region(RegionId),
    Enterprise(EnterpriseId),
}

/// A silent outlet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Member {
    /// Last sign of life.
    since: Timestamp,
    /// Alarm of its own, where it got one.
    own: Option<AlarmId>,
    /// It is under the group's alarm.
    covered: bool,
}

/// Silent outlets of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Silent {
    #[serde(with = "crate::engine::pairs")]
    outlets: BTreeMap<OutletId, Member>,
    /// The alarm of the group, while it is active, and when the silence began.
    alarm: Option<(AlarmId, Timestamp)>,
    /// The last alarm.
    last: Option<AlarmId>,
    /// Outlets that the active alarm has covered.
    covered: u32,
}

/// Who is silent, by group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Outages {
    #[serde(with = "crate::engine::pairs")]
    groups: BTreeMap<Group, Silent>,
    /// Outlets of a group that send; a cache of the registry.
    #[serde(skip)]
    sizes: BTreeMap<Group, usize>,
    /// Outlets that were under an outage that is over, and are still silent.
    #[serde(skip)]
    released: Vec<OutletId>,
    /// The state row must be written.
    #[serde(skip)]
    pub(super) dirty: bool,
}

/// What becomes of an outlet that fell silent.
pub(super) enum Fate {
    /// It gets an alarm of its own.
    Own,
    /// It is under this alarm.
    Joined(AlarmId),
}

impl Outages {
    /// The registry changed: groups are counted anew.
    pub(super) fn forget_sizes(&mut self) {
        self.sizes.clear();
    }

    /// Outlets whose outage is over while they are silent.
    pub(super) fn take_released(&mut self) -> Vec<OutletId> {
        std::mem::take(&mut self.released)
    }

    fn size(&mut self, group: &Group, registry: &Registry) -> usize {
        if self.sizes.is_empty() {
            for outlet in registry.outlets.values() {
                if outlet.expectation.no_data_after_s == 0 {
                    continue;
                }
                for group in groups(registry, &outlet.enterprise) {
                    let size = self.sizes.entry(group).or_default();
                    *size = size.saturating_add(1);
                }
            }
        }
        self.sizes.get(group).copied().unwrap_or(0)
    }
}

fn groups(registry: &Registry, enterprise: &EnterpriseId) -> Vec<Group> {
    let region = registry.enterprises.get(enterprise);
    let region = region.map(|e| Group::Region(e.region.clone()));
    let own = Some(Group::Enterprise(enterprise.clone()));
    region.into_iter().chain(own).collect()
}

/// An outlet fell silent at `since`: whether an outage covers it.
pub(super) fn silent(
    shared: &mut Shared,
    site: Site<'_>,
    since: Timestamp,
    cx: &mut Cx<'_>,
) -> Fate {
    let rule = cx.policy.alarms.outage.clone();
    if !cx.policy.alarms.kinds.contains_key(&AlarmKind::LineOutage) {
        return Fate::Own;
    }
    let window_ms = i64::from(rule.window_s) * SECOND_MS;
    let outlet = &site.outlet.id;
    let mine = groups(cx.registry, &site.outlet.enterprise);
    shared.outages.dirty = true;
    let mut fate = Fate::Own;
    for group in &mine {
        let size = shared.outages.size(group, cx.registry);
        let silent = shared.outages.groups.entry(group.clone()).or_default();
        let member = Member {
            since,
            own: None,
            covered: false,
        };
        silent.outlets.insert(outlet.clone(), member);
        if matches!(fate, Fate::Joined(_)) {
            continue;
        }
        if let Some((alarm, began)) = silent.alarm {
            if since.since_ms(began).abs() <= window_ms {
                fate = Fate::Joined(alarm);
                cover(shared, group, alarm, std::slice::from_ref(outlet), cx);
            }
            continue;
        }
        let share = size.saturating_mul(usize::try_from(rule.share_pct).unwrap_or(100));
        let needed = usize::try_from(rule.outlets_min.max(2)).unwrap_or(usize::MAX);
        let needed = needed.max(share.div_ceil(100));
        let near = |m: &Member| m.since.since_ms(since).abs() <= window_ms && !m.covered;
        // Thousands fall silent one after the other: counted before anything is copied.
        let members = &silent.outlets;
        if members.len() < needed || members.values().filter(|m| near(m)).count() < needed {
            continue;
        }
        let together = members.iter().filter(|(_, member)| near(member));
        let together: Vec<OutletId> = together.map(|(id, _)| id.clone()).collect();
        if !spans(group, &together, cx.registry) {
            continue;
        }
        let alarm = raise(shared, group, &together, cx);
        cover(shared, group, alarm, &together, cx);
        fate = Fate::Joined(alarm);
    }
    fate
}

/// A region's line is out only where several enterprises are silent; else it is the enterprise's.
fn spans(group: &Group, outlets: &[OutletId], registry: &Registry) -> bool {
    if matches!(group, Group::Enterprise(_)) {
        return true;
    }
    let of = |id: &OutletId| registry.outlets.get(id).map(|o| &o.enterprise);
    let enterprises: BTreeSet<_> = outlets.iter().filter_map(of).collect();
    enterprises.len() > 1
}

fn raise(shared: &mut Shared, group: &Group, outlets: &[OutletId], cx: &mut Cx<'_>) -> AlarmId {
    let silent = shared.outages.groups.get(group);
    let member = |id| silent.and_then(|silent| silent.outlets.get(id));
    let since = outlets.iter().filter_map(member).map(|m| m.since).min();
    let since = since.unwrap_or(cx.at);
    let last = silent.and_then(|silent| silent.last);
    let kind = AlarmKind::LineOutage;
    let new = match group {
        Group::Region(region) => NewAlarm::new(kind, AlarmSubject::Region(region.clone()), since),
        Group::Enterprise(id) => NewAlarm {
            enterprise: Some(id.clone()),
            ..NewAlarm::new(kind, AlarmSubject::Enterprise(id.clone()), since)
        },
    };
    let alarm = shared.book.raise(new, last, cx);
    if let Some(silent) = shared.outages.groups.get_mut(group) {
        silent.alarm = Some((alarm, since));
        silent.last = Some(alarm);
        silent.covered = 0;
    }
    alarm
}

/// Puts outlets under the alarm of a group.
fn cover(
    shared: &mut Shared,
    group: &Group,
    alarm: AlarmId,
    outlets: &[OutletId],
    cx: &mut Cx<'_>,
) {
    let mut own = Vec::new();
    let Some(silent) = shared.outages.groups.get_mut(group) else {
        return;
    };
    for id in outlets {
        if let Some(member) = silent.outlets.get_mut(id).filter(|member| !member.covered) {
            member.covered = true;
            silent.covered = silent.covered.saturating_add(1);
            own.extend(member.own);
        }
    }
    let (covered, now) = (silent.covered, silent.outlets.len());
    for id in outlets {
        let object = format!("outlet/{id}");
        cx.audit(ENGINE, "alarm.covered", object, format!("alarm/{alarm}"));
    }
    for id in own {
        let under = Suppression {
            at: cx.at,
            why: OUTAGE.into(),
            covered_by: Some(alarm),
        };
        shared.book.suppress(id, Some(under), cx);
    }
    shared.book.change(alarm, cx, |row| {
        row.outlets = covered;
        row.count = u64::from(covered);
        row.facts.insert("silent_now".into(), now.to_string());
    });
}

/// An outlet that is silent got an alarm of its own.
pub(super) fn has_own(shared: &mut Shared, site: Site<'_>, alarm: AlarmId, cx: &Cx<'_>) {
    for group in groups(cx.registry, &site.outlet.enterprise) {
        if let Some(silent) = shared.outages.groups.get_mut(&group)
            && let Some(member) = silent.outlets.get_mut(&site.outlet.id)
        {
            member.own = Some(alarm);
            shared.outages.dirty = true;
        }
    }
}

/// An outlet sends again, or nothing is expected of it any more.
pub(super) fn heard(shared: &mut Shared, site: Site<'_>, cx: &mut Cx<'_>) {
    let outlet = &site.outlet.id;
    for group in groups(cx.registry, &site.outlet.enterprise) {
        let Some(silent) = shared.outages.groups.get_mut(&group) else {
            continue;
        };
        if silent.outlets.remove(outlet).is_none() {
            continue;
        }
        shared.outages.dirty = true;
        let Some((alarm, _)) = silent.alarm else {
            if silent.outlets.is_empty() {
                shared.outages.groups.remove(&group);
            }
            continue;
        };
        let covered = usize::try_from(silent.covered).unwrap_or(usize::MAX);
        let now = silent.outlets.values().filter(|m| m.covered).count();
        if now.saturating_mul(100) > covered.saturating_mul(STILL_SILENT_PCT) {
            shared.book.change(alarm, cx, |row| {
                row.facts.insert("silent_now".into(), now.to_string());
            });
            continue;
        }
        let still = silent.outlets.iter().filter(|(_, member)| member.covered);
        let still: Vec<OutletId> = still.map(|(id, _)| id.clone()).collect();
        silent.alarm = None;
        for member in silent.outlets.values_mut() {
            member.covered = false;
        }
        shared.outages.released.extend(still);
        shared.book.back_to_normal(alarm, "data-again", cx);
    }
}
