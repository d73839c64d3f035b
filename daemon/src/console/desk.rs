//! The duty desk: its queue, the roster, what is out of service, and what people do to alarms.

use super::read::{access, alarm_places};
use super::write::{allow, refused as impossible};
use super::{Committed, ConsoleBackend, unavailable};
use crate::events::{AlarmVerb as Verb, JournalEvent};
use crate::store::AlarmFilter as AlarmQuery;
use cems_core::alarm::figures::{Figures, SPAN_MS_MAX, Terms, figures};
use cems_core::alarm::groups::{Cell, fold};
use cems_core::engine::{AlarmAction, check};
use cems_core::model::time::DAY_MS;
use cems_core::model::{
    AlarmId, AlarmKind, AlarmRow, AlarmState, HandOver, HandOverRow, OutletId, Permission, Policy,
    RegionId, Shift, ShiftRow, Timestamp, UserId,
};
use cems_core::roster::{self, RosterError, SHIFTS_MAX};
use cems_dashboards::backend::{
    Actor, AlarmAct, AlarmFilter, AlarmGroups, AlarmVerb, Backend, BackendError, DeskBackend,
    DeskView, LIST_ROWS_MAX, OnDuty, Receipt, Reply, RosterView,
};
use std::collections::{BTreeMap, BTreeSet};

type Read<T> = Result<T, BackendError>;

/// Hand-overs shown: those of the last days, at three a day.
const HAND_OVERS_SHOWN: usize = 10;
/// How far ahead the next shift is looked for.
const NEXT_SHIFT_MS: i64 = 8 * DAY_MS;

impl DeskBackend for ConsoleBackend {
    fn desk(&self, actor: &Actor, filter: &AlarmFilter) -> Read<DeskView> {
        self.read_desk(actor, filter)
    }

    fn alarm_groups(&self, actor: &Actor, filter: &AlarmFilter) -> Read<AlarmGroups> {
        self.read_groups(actor, filter)
    }

    fn alarm_figures(&self, actor: &Actor, from: Timestamp, until: Timestamp) -> Read<Figures> {
        self.read_figures(actor, from, until)
    }

    fn roster(&self, actor: &Actor, from: Timestamp, until: Timestamp) -> Read<RosterView> {
        self.read_roster(actor, from, until)
    }

    fn act_on_alarm<'a>(
        &'a self,
        actor: &'a Actor,
        alarm: AlarmId,
        act: AlarmAct,
    ) -> Reply<'a, Read<Receipt>> {
        Box::pin(self.act(actor, alarm, act))
    }

    fn set_alarm_service<'a>(
        &'a self,
        actor: &'a Actor,
        outlet: OutletId,
        kind: AlarmKind,
        out: bool,
        note: String,
    ) -> Reply<'a, Read<Receipt>> {
        Box::pin(self.serve(actor, outlet, kind, out, note))
    }

    fn enter_shift<'a>(&'a self, actor: &'a Actor, shift: Shift) -> Reply<'a, Read<Receipt>> {
        Box::pin(self.put_shift(actor, shift))
    }

    fn hand_over<'a>(&'a self, actor: &'a Actor, over: HandOver) -> Reply<'a, Read<Receipt>> {
        Box::pin(self.pass_on(actor, over))
    }
}

/// The desk is the affair of the centre: dischargers see their own alarms, not who is on duty.
fn of_the_centre(actor: &Actor) -> Read<()> {
    if actor.role.is_centre() {
        Ok(())
    } else {
        Err(BackendError::Forbidden)
    }
}

impl ConsoleBackend {
    fn read_desk(&self, actor: &Actor, filter: &AlarmFilter) -> Read<DeskView> {
        of_the_centre(actor)?;
        let now = self.clock.now();
        let policy = self.projected.policy();
        let hand_overs = self.hand_overs()?;
        let shifts = self.shifts_since(&hand_overs, now)?;
        let running = shifts.iter().map(|row| &row.shift);
        let last = hand_overs.first().map(|row| (row.at, &row.over.to));
        let on_duty = roster::on_duty(running.clone(), last, now);
        let runs = running.filter(|shift| shift.from <= now && now < shift.until);
        let registry = self.projected.registry();
        let mut services = self.readers.alarm_services().map_err(unavailable)?;
        services.retain(|row| {
            let outlet = registry.outlets.get(&row.outlet);
            let access = access(actor);
            outlet.map_or(access.sees_all(), |o| access.covers(&registry, o))
        });
        let kinds_out = policy
            .alarms
            .kinds
            .iter()
            .filter(|(_, rule)| !rule.in_service);
        Ok(DeskView {
            on_duty: named(&on_duty, &policy),
            until: runs.map(|shift| shift.until).max(),
            next: shifts.iter().find(|row| row.shift.from > now).cloned(),
            queue: self.read_groups(actor, filter)?,
            shelved: self.standing(actor, filter, AlarmState::Shelved)?,
            suppressed: self.standing(actor, filter, AlarmState::Suppressed)?,
            silenced: self.standing(actor, filter, AlarmState::OutOfService)?,
            services,
            kinds_out: kinds_out.map(|(kind, _)| *kind).collect(),
            hand_overs,
        })
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
        actor: &Actor,
        filter: &AlarmFilter,
        state: AlarmState,
    ) -> Read<Vec<AlarmRow>> {
        self.list_alarms(&AlarmQuery {
            open_only: true,
            outlets: alarm_places(actor, &self.projected.registry()),
            region: filter.region.clone(),
            states: BTreeSet::from([state]),
            limit: LIST_ROWS_MAX,
            ..AlarmQuery::default()
        })
    }

    fn read_groups(&self, actor: &Actor, filter: &AlarmFilter) -> Read<AlarmGroups> {
        let places = alarm_places(actor, &self.projected.registry());
        let read = |places: Option<&BTreeSet<OutletId>>| {
            self.readers.open_alarm_cells(places).map_err(unavailable)
        };
        let mut cells = read(places.as_ref())?;
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
        outlets: Option<BTreeSet<OutletId>>,
        queue: &AlarmGroups,
    ) -> Read<BTreeMap<usize, u64>> {
        let outages = self.list_alarms(&AlarmQuery {
            open_only: true,
            outlets,
            kind: Some(AlarmKind::LineOutage),
            limit: crate::store::LIST_MAX,
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

    fn read_figures(&self, actor: &Actor, from: Timestamp, until: Timestamp) -> Read<Figures> {
        of_the_centre(actor)?;
        let until = until.min(self.clock.now());
        if from >= until || until.since_ms(from) > SPAN_MS_MAX {
            return Err(refused("figures-span", ""));
        }
        let places = alarm_places(actor, &self.projected.registry());
        let alarms = self
            .readers
            .alarm_occurrences(places.as_ref(), from, until)
            .map_err(unavailable)?;
        let shifts = self.readers.shifts(from, until).map_err(unavailable)?;
        let operators = |at: Timestamp| {
            let running = shifts.iter().map(|row| &row.shift);
            roster::on_duty(running, None, at).len()
        };
        let policy = self.projected.policy();
        let within = |kind: AlarmKind| policy.alarms.answer_within_min(kind);
        let terms = Terms {
            from,
            until,
            operators: &operators,
            within_min: &within,
        };
        Ok(figures(&alarms, terms))
    }

    fn read_roster(&self, actor: &Actor, from: Timestamp, until: Timestamp) -> Read<RosterView> {
        of_the_centre(actor)?;
        let policy = self.projected.policy();
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

    async fn act(&self, actor: &Actor, alarm: AlarmId, act: AlarmAct) -> Read<Receipt> {
        allow(actor, act.verb.permission())?;
        let row = self.alarm(actor, alarm)?.alarm;
        let tells = matches!(
            act.verb,
            AlarmVerb::ToldEnterprise | AlarmVerb::ToldOperator
        );
        if tells && row.enterprise.is_none() {
            return Err(refused("alarm-of-nobody", &alarm.to_string()));
        }
        let verb = journalled(act.verb);
        let intent = AlarmAction {
            alarm,
            kind: verb.into(),
            by: actor.user.clone(),
            note: act.note.clone(),
            until: act.until,
        };
        check::alarm_action(&intent, &Committed(&self.readers), self.clock.now())
            .map_err(|error| impossible(&error))?;
        self.commit(&JournalEvent::Alarm {
            alarm,
            action: verb,
            by: actor.user.clone(),
            note: act.note,
            until: act.until,
        })
        .await
    }

    async fn serve(
        &self,
        actor: &Actor,
        outlet: OutletId,
        kind: AlarmKind,
        out: bool,
        note: String,
    ) -> Read<Receipt> {
        allow(actor, Permission::ManageDesk)?;
        self.visible(actor, &outlet)?;
        let known = self.readers.alarm_services().map_err(unavailable)?;
        let is_out = known
            .iter()
            .any(|row| row.outlet == outlet && row.kind == kind);
        if is_out == out {
            let code = if out {
                "service-is-out"
            } else {
                "service-is-in"
            };
            return Err(refused(code, kind.as_str()));
        }
        self.commit(&JournalEvent::AlarmService {
            outlet,
            kind,
            out,
            by: actor.user.clone(),
            note,
        })
        .await
    }

    async fn put_shift(&self, actor: &Actor, mut shift: Shift) -> Read<Receipt> {
        allow(actor, Permission::ManageDesk)?;
        shift.by = actor.user.clone();
        roster::check_shift(&shift).map_err(|error| of_roster(&error))?;
        self.known(&shift.people)?;
        let now = self.clock.now();
        let far = Timestamp(i64::MAX);
        let kept = self.readers.shifts(now, far).map_err(unavailable)?;
        if kept.len() >= SHIFTS_MAX && !shift.people.is_empty() {
            return Err(of_roster(&RosterError::Full));
        }
        self.commit(&JournalEvent::Shift { shift }).await
    }

    async fn pass_on(&self, actor: &Actor, mut over: HandOver) -> Read<Receipt> {
        allow(actor, Permission::AcknowledgeAlarm)?;
        over.from = actor.user.clone();
        roster::check_hand_over(&over).map_err(|error| of_roster(&error))?;
        self.known(&over.to)?;
        self.commit(&JournalEvent::HandOver { over }).await
    }

    /// Everybody named answers alarms.
    fn known(&self, people: &BTreeSet<UserId>) -> Read<()> {
        let policy = self.projected.policy();
        let answers = |user: &&UserId| {
            let person = policy.people.get(*user);
            !person.is_some_and(|p| p.access.role.may(Permission::AcknowledgeAlarm))
        };
        match people.iter().find(answers) {
            Some(user) => Err(of_roster(&RosterError::Unknown(user.clone()))),
            None => Ok(()),
        }
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

fn journalled(verb: AlarmVerb) -> Verb {
    match verb {
        AlarmVerb::Acknowledge => Verb::Acknowledge,
        AlarmVerb::Close => Verb::Close,
        AlarmVerb::Shelve => Verb::Shelve,
        AlarmVerb::Unshelve => Verb::Unshelve,
        AlarmVerb::Called => Verb::Called,
        AlarmVerb::Noted => Verb::Noted,
        AlarmVerb::ToldEnterprise => Verb::ToldEnterprise,
        AlarmVerb::ToldOperator => Verb::ToldOperator,
        AlarmVerb::HandedOver => Verb::HandedOver,
    }
}

fn refused(code: &str, detail: &str) -> BackendError {
    BackendError::Refused {
        code: code.to_owned(),
        detail: detail.to_owned(),
    }
}

fn of_roster(error: &RosterError) -> BackendError {
    let detail = match error {
        RosterError::Unknown(user) => user.to_string(),
        other => other.to_string(),
    };
    refused(error.code(), &detail)
}
