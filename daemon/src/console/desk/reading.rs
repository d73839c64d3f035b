//! What the desk shows, read from the projections within the actor's scope.

use super::{Read, refused};
use crate::console::scope::{access, alarm_places};
use crate::console::unavailable;
use crate::store::{AlarmFilter as AlarmQuery, LIST_MAX, Readers};
use cems_core::alarm::figures::{Figures, SPAN_MS_MAX, Terms, figures};
use cems_core::alarm::groups::{Cell, fold};
use cems_core::model::time::DAY_MS;
use cems_core::model::{
    AlarmKind, AlarmRow, AlarmState, HandOverRow, OutletId, Permission, Policy, RegionId, Registry,
    ShiftRow, Timestamp, UserId,
};
use cems_core::roster;
use cems_dashboards::backend::{
    Actor, AlarmFilter, AlarmGroups, BackendError, DeskView, LIST_ROWS_MAX, OnDuty, RosterView,
};
use std::collections::{BTreeMap, BTreeSet};

/// Hand-overs shown: those of the last days, at three a day.
const HAND_OVERS_SHOWN: usize = 10;
/// How far ahead the next shift is looked for.
const NEXT_SHIFT_MS: i64 = 8 * DAY_MS;

/// The duty desk at a moment: the projections, what is in force, and the time.
pub struct Desk<'a> {
    /// Read access to the projections.
    pub readers: &'a Readers,
    /// The registry in force.
    pub registry: &'a Registry,
    /// The policy in force.
    pub policy: &'a Policy,
    /// The daemon's clock.
    pub now: Timestamp,
}

/// The desk is the affair of the centre: dischargers see their own alarms, not who is on duty.
fn of_the_centre(actor: &Actor) -> Read<()> {
    if actor.role.is_centre() {
        Ok(())
    } else {
        Err(BackendError::Forbidden)
    }
}

impl Desk<'_> {
    /// The desk as a duty officer finds it.
    ///
    /// # Errors
    /// For people who are not of the centre, and whatever the store says.
    pub fn view(&self, actor: &Actor, filter: &AlarmFilter) -> Read<DeskView> {
        of_the_centre(actor)?;
        let now = self.now;
        let policy = self.policy;
        let places = alarm_places(actor, self.registry);
        let places = places.as_ref();
        let hand_overs = self.hand_overs()?;
        let shifts = self.shifts_since(&hand_overs, now)?;
        let running = shifts.iter().map(|row| &row.shift);
        let last = hand_overs.first().map(|row| (row.at, &row.over.to));
        let on_duty = roster::on_duty(running.clone(), last, now);
        let runs = running.filter(|shift| shift.from <= now && now < shift.until);
        let registry = self.registry;
        let mut services = self.readers.alarm_services().map_err(unavailable)?;
        services.retain(|row| {
            let outlet = registry.outlets.get(&row.outlet);
            let access = access(actor);
            outlet.map_or(access.sees_all(), |o| access.covers(registry, o))
        });
        let kinds_out = policy
            .alarms
            .kinds
            .iter()
            .filter(|(_, rule)| !rule.in_service);
        Ok(DeskView {
            on_duty: named(&on_duty, policy),
            until: runs.map(|shift| shift.until).max(),
            next: shifts.iter().find(|row| row.shift.from > now).cloned(),
            queue: self.grouped(places, filter)?,
            shelved: self.standing(places, filter, AlarmState::Shelved)?,
            suppressed: self.standing(places, filter, AlarmState::Suppressed)?,
            silenced: self.standing(places, filter, AlarmState::OutOfService)?,
            services,
            kinds_out: kinds_out.map(|(kind, _)| *kind).collect(),
            hand_overs,
        })
    }

    fn list(&self, query: &AlarmQuery) -> Read<Vec<AlarmRow>> {
        self.readers.alarms(query).map_err(unavailable)
    }

    fn hand_overs(&self) -> Read<Vec<HandOverRow>> {
        self.readers
            .hand_overs(HAND_OVERS_SHOWN)
            .map_err(unavailable)
    }

    /// Shifts since the last hand-over or that run, and those of the next days.
    fn shifts_since(&self, hand_overs: &[HandOverRow], now: Timestamp) -> Read<Vec<ShiftRow>> {
        let from = hand_overs.first().map_or(now, |row| row.at.min(now));
        let until = now.plus_ms(NEXT_SHIFT_MS);
        let mut shifts = self.readers.shifts(from, until).map_err(unavailable)?;
        shifts.retain(|row| !row.shift.people.is_empty());
        Ok(shifts)
    }

    fn standing(
        &self,
        places: Option<&BTreeSet<OutletId>>,
        filter: &AlarmFilter,
        state: AlarmState,
    ) -> Read<Vec<AlarmRow>> {
        self.list(&AlarmQuery {
            open_only: true,
            outlets: places.cloned(),
            region: filter.region.clone(),
            states: BTreeSet::from([state]),
            limit: LIST_ROWS_MAX,
            ..AlarmQuery::default()
        })
    }

    /// Open alarms in few rows.
    ///
    /// # Errors
    /// Whatever the store says.
    pub fn queue(&self, actor: &Actor, filter: &AlarmFilter) -> Read<AlarmGroups> {
        self.grouped(alarm_places(actor, self.registry).as_ref(), filter)
    }

    fn grouped(
        &self,
        places: Option<&BTreeSet<OutletId>>,
        filter: &AlarmFilter,
    ) -> Read<AlarmGroups> {
        let cells = self.readers.open_alarm_cells(places);
        let mut cells = cells.map_err(unavailable)?;
        cells.retain(|cell| filter.region.is_none() || cell.region == filter.region);
        let mut out = counted(&cells);
        cells.retain(|cell| suits(cell, filter));
        out.groups = fold(&cells);
        if cells.iter().any(|cell| cell.kind == AlarmKind::LineOutage) {
            out.outlets = self.covered(places, &out)?;
        }
        Ok(out)
    }

    /// Outlets that outages cover, by row.
    fn covered(
        &self,
        outlets: Option<&BTreeSet<OutletId>>,
        queue: &AlarmGroups,
    ) -> Read<BTreeMap<usize, u64>> {
        let outages = self.list(&AlarmQuery {
            open_only: true,
            outlets: outlets.cloned(),
            kind: Some(AlarmKind::LineOutage),
            limit: LIST_MAX,
            ..AlarmQuery::default()
        })?;
        let mut found = BTreeMap::new();
        for outage in &outages {
            let place = queue.groups.iter().position(|group| {
                let same = |asked: &Option<RegionId>| *asked == outage.region;
                group.kind == outage.kind
                    && (group.region.is_none() || same(&group.region))
                    && (group.enterprise.is_none() || group.enterprise == outage.enterprise)
            });
            if let Some(place) = place {
                *found.entry(place).or_default() += u64::from(outage.outlets);
            }
        }
        Ok(found)
    }

    pub(super) fn figures(
        &self,
        actor: &Actor,
        from: Timestamp,
        until: Timestamp,
    ) -> Read<Figures> {
        of_the_centre(actor)?;
        let until = until.min(self.now);
        if from >= until || until.since_ms(from) > SPAN_MS_MAX {
            return Err(refused("figures-span", ""));
        }
        let places = alarm_places(actor, self.registry);
        let alarms = self
            .readers
            .alarm_occurrences(places.as_ref(), from, until)
            .map_err(unavailable)?;
        let shifts = self.readers.shifts(from, until).map_err(unavailable)?;
        let operators = |at: Timestamp| {
            let running = shifts.iter().map(|row| &row.shift);
            roster::on_duty(running, None, at).len()
        };
        let policy = self.policy;
        let within = |kind: AlarmKind| policy.alarms.answer_within_min(kind);
        let terms = Terms {
            from,
            until,
            operators: &operators,
            within_min: &within,
        };
        Ok(figures(&alarms, terms))
    }

    pub(super) fn roster(
        &self,
        actor: &Actor,
        from: Timestamp,
        until: Timestamp,
    ) -> Read<RosterView> {
        of_the_centre(actor)?;
        let policy = self.policy;
        let mut shifts = self.readers.shifts(from, until).map_err(unavailable)?;
        shifts.retain(|row| !row.shift.people.is_empty());
        let answers = policy
            .people
            .iter()
            .filter(|(_, person)| person.access.role.may(Permission::AcknowledgeAlarm));
        let names = policy.people.iter();
        Ok(RosterView {
            shifts,
            hand_overs: self.hand_overs()?,
            people: answers
                .map(|(user, person)| OnDuty {
                    user: user.clone(),
                    name: person.name.clone(),
                })
                .collect(),
            names: names
                .map(|(user, p)| (user.clone(), p.name.clone()))
                .collect(),
        })
    }
}

fn suits(cell: &Cell, filter: &AlarmFilter) -> bool {
    (filter.states.is_empty() || filter.states.contains(&cell.state))
        && filter
            .priority
            .is_none_or(|priority| priority == cell.priority)
        && filter.kind.is_none_or(|kind| kind == cell.kind)
        && (filter.enterprise.is_none() || filter.enterprise == cell.enterprise)
}

/// Counts over all cells of the desk, whatever is filtered.
fn counted(cells: &[Cell]) -> AlarmGroups {
    let mut out = AlarmGroups::default();
    for cell in cells {
        out.open += cell.count;
        *out.states.entry(cell.state).or_default() += cell.count;
        let waits = matches!(
            cell.state,
            AlarmState::Unacknowledged | AlarmState::ReturnedUnacknowledged
        );
        if waits {
            *out.waiting.entry(cell.priority).or_default() += cell.count;
        }
    }
    out
}

fn named(people: &BTreeSet<UserId>, policy: &Policy) -> Vec<OnDuty> {
    let name = |user: &UserId| {
        let person = policy.people.get(user);
        person.map_or_else(|| user.to_string(), |person| person.name.clone())
    };
    let row = |user: &UserId| OnDuty {
        user: user.clone(),
        name: name(user),
    };
    people.iter().map(row).collect()
}
