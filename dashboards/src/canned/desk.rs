//! The duty desk of the canned backend: a roster of three shifts a day, a hand-over this morning,
//! and what people do to alarms.

use super::Canned;
use super::held::Held;
use super::rows::NOW;
use super::writing::{allow, refused};
use crate::backend::{
    Actor, AlarmAct, AlarmFilter, AlarmGroups, AlarmVerb, Backend, BackendError, Change,
    DeskBackend, DeskView, OnDuty, Receipt, Reply, RosterView,
};
use cems_core::alarm;
use cems_core::alarm::figures::{Figures, Occurrence, Terms, figures};
use cems_core::alarm::groups::{Cell, fold};
use cems_core::model::time::{DAY_MS, HOUR_MS};
use cems_core::model::{
    Acknowledgement, AlarmId, AlarmKind, AlarmRow, AlarmServiceRow, AlarmState, Closure, HandOver,
    HandOverRow, Level, OutletId, Period, Permission, Priority, RegionId, Role, Seq, Shelving,
    Shift, ShiftRow, Suppression, Timestamp, UserId, UtcOffset,
};
use cems_core::roster;
use std::collections::{BTreeMap, BTreeSet};

type Read<T> = Result<T, BackendError>;

/// Minutes within which every kind should be acknowledged in this fiction.
const WITHIN_MIN: u32 = 30;

fn people(names: &[&str]) -> BTreeSet<UserId> {
    names.iter().map(UserId::new).collect()
}

/// The shifts of this week.
pub(super) fn shifts() -> BTreeMap<Timestamp, ShiftRow> {
    let today = Period::containing(Level::Day, NOW, UtcOffset::default()).start;
    let mut rows = BTreeMap::new();
    for n in -3..4 {
        for (hour, who) in [
            (0, &["zhuguan"][..]),
            (8, &["zhiban"]),
            (16, &["zhiban", "zhuguan"]),
        ] {
            let from = today.plus_ms(n * DAY_MS + hour * HOUR_MS);
            let shift = Shift {
                from,
                until: from.plus_ms(8 * HOUR_MS),
                people: people(who),
                by: UserId::new("zhuguan"),
            };
            let seq = Seq(180_000);
            rows.insert(from, ShiftRow { shift, seq });
        }
    }
    rows
}

/// Hand-overs, oldest first.
pub(super) fn hand_overs() -> Vec<HandOverRow> {
    let over = |id: u64, hours: i64, from: &str, to: &str, note: &str| HandOverRow {
        id: Seq(id),
        at: NOW.plus_ms(-hours * HOUR_MS),
        over: HandOver {
            from: UserId::new(from),
            to: people(&[to]),
            note: note.to_owned(),
        },
        open_alarms: 8,
    };
    vec![
        over(
            183_300,
            14,
            "zhiban",
            "zhuguan",
            "云台二号炉夜间检修，已报告",
        ),
        over(
            183_800,
            6,
            "zhuguan",
            "zhiban",
            "清溪一号炉氮氧化物偏高，请继续关注",
        ),
    ]
}

/// Kinds out of service.
pub(super) fn services() -> Vec<AlarmServiceRow> {
    vec![AlarmServiceRow {
        outlet: OutletId::new("bl-02"),
        kind: AlarmKind::NoData,
        out: true,
        at: NOW.plus_ms(-3 * DAY_MS),
        by: UserId::new("zhuguan"),
        note: "新建排放口，尚未联网".to_owned(),
        seq: Seq(181_400),
    }]
}

/// Alarms that are put aside or suppressed, over those of the list.
pub(super) fn put_aside(alarms: &mut BTreeMap<AlarmId, AlarmRow>) {
    if let Some(row) = alarms.get_mut(&AlarmId(21)) {
        row.shelved = Some(Shelving {
            at: NOW.plus_ms(-HOUR_MS),
            until: NOW.plus_ms(2 * HOUR_MS),
            by: UserId::new("zhiban"),
            note: "运维单位今日更换数采仪".to_owned(),
        });
    }
    let mut silent = AlarmRow::raised(
        AlarmId(11),
        AlarmKind::NoData,
        cems_core::model::AlarmSubject::Outlet(OutletId::new("hy-02")),
        NOW.plus_ms(-20 * HOUR_MS),
        Seq(182_011),
    );
    silent.enterprise = Some("heyan".into());
    silent.suppressed = Some(Suppression {
        at: silent.raised_at,
        why: "stopped".into(),
        covered_by: None,
    });
    alarms.insert(silent.id, silent);
}

fn cells(rows: &[AlarmRow]) -> Vec<Cell> {
    let cell = |row: &AlarmRow| Cell {
        kind: row.kind,
        region: row.region.clone(),
        enterprise: row.enterprise.clone(),
        priority: row.priority,
        state: row.state(),
        count: 1,
        oldest: row.raised_at,
    };
    rows.iter().map(cell).collect()
}

fn of_the_centre(actor: &Actor) -> Read<()> {
    if actor.role.is_centre() {
        Ok(())
    } else {
        Err(BackendError::Forbidden)
    }
}

fn person(role: Role) -> OnDuty {
    OnDuty {
        user: UserId::new(super::user_of(role)),
        name: super::name_of(role).to_owned(),
    }
}

impl Held {
    fn open(&self, actor: &Actor, region: Option<&RegionId>) -> Vec<AlarmRow> {
        let rows = self.alarms.values().filter(|row| {
            row.is_open()
                && self.sees_alarm(actor, row)
                && (region.is_none() || row.region.as_ref() == region)
        });
        rows.cloned().collect()
    }

    fn queue(&self, actor: &Actor, filter: &AlarmFilter) -> AlarmGroups {
        let rows = self.open(actor, filter.region.as_ref());
        let mut out = AlarmGroups {
            open: u64::try_from(rows.len()).unwrap_or(0),
            ..AlarmGroups::default()
        };
        for row in &rows {
            *out.states.entry(row.state()).or_default() += 1;
            if row.annunciates() {
                *out.waiting.entry(row.priority).or_default() += 1;
            }
        }
        let asked = rows.iter().filter(|row| suits(row, filter)).cloned();
        out.groups = fold(&cells(&asked.collect::<Vec<_>>()));
        out
    }

    fn standing(&self, actor: &Actor, filter: &AlarmFilter, state: AlarmState) -> Vec<AlarmRow> {
        let mut rows = self.open(actor, filter.region.as_ref());
        rows.retain(|row| row.state() == state);
        rows.reverse();
        rows
    }
}

/// Whether a row is asked for, besides scope, outlet and page.
pub(super) fn suits(row: &AlarmRow, filter: &AlarmFilter) -> bool {
    let priority = |asked: Priority| asked == row.priority;
    (filter.states.is_empty() || filter.states.contains(&row.state()))
        && filter.kind.is_none_or(|kind| kind == row.kind)
        && filter.priority.is_none_or(priority)
        && (filter.region.is_none() || filter.region == row.region)
        && (filter.enterprise.is_none() || filter.enterprise == row.enterprise)
        && (filter.covered_by.is_none()
            || row
                .suppressed
                .as_ref()
                .is_some_and(|s| s.covered_by == filter.covered_by))
}

impl DeskBackend for Canned {
    fn desk(&self, actor: &Actor, filter: &AlarmFilter) -> Read<DeskView> {
        of_the_centre(actor)?;
        let held = self.lock();
        let last = held.hand_overs.last();
        let over = last.map(|row| (row.at, &row.over.to));
        let shifts = || held.shifts.values().map(|row| &row.shift);
        let on_duty = roster::on_duty(shifts(), over, NOW);
        let runs = shifts().find(|shift| shift.from <= NOW && NOW < shift.until);
        let all = [Role::DutyOfficer, Role::Supervisor].map(person);
        let mut hand_overs = held.hand_overs.clone();
        hand_overs.reverse();
        let mut services = held.services.clone();
        services.retain(|row| row.out && held.sees(actor, &row.outlet));
        Ok(DeskView {
            on_duty: all
                .into_iter()
                .filter(|one| on_duty.contains(&one.user))
                .collect(),
            until: runs.map(|shift| shift.until),
            next: held
                .shifts
                .values()
                .find(|row| row.shift.from > NOW)
                .cloned(),
            hand_overs,
            queue: held.queue(actor, filter),
            shelved: held.standing(actor, filter, AlarmState::Shelved),
            suppressed: held.standing(actor, filter, AlarmState::Suppressed),
            silenced: held.standing(actor, filter, AlarmState::OutOfService),
            services,
            kinds_out: vec![AlarmKind::DutyNear],
        })
    }

    fn alarm_groups(&self, actor: &Actor, filter: &AlarmFilter) -> Read<AlarmGroups> {
        Ok(self.lock().queue(actor, filter))
    }

    fn alarm_figures(&self, actor: &Actor, from: Timestamp, until: Timestamp) -> Read<Figures> {
        of_the_centre(actor)?;
        let held = self.lock();
        let seen = held
            .alarms
            .values()
            .filter(|row| held.sees_alarm(actor, row));
        let alarms: Vec<Occurrence> = seen.map(Occurrence::from).collect();
        let operators =
            |at: Timestamp| roster::on_duty(held.shifts.values().map(|r| &r.shift), None, at).len();
        let terms = Terms {
            from,
            until: until.min(NOW),
            operators: &operators,
            within_min: &|_| Some(WITHIN_MIN),
        };
        Ok(figures(&alarms, terms))
    }

    fn roster(&self, actor: &Actor, from: Timestamp, until: Timestamp) -> Read<RosterView> {
        of_the_centre(actor)?;
        let held = self.lock();
        let shifts = held.shifts.values();
        let shifts = shifts.filter(|r| r.shift.from < until && r.shift.until > from);
        let mut hand_overs = held.hand_overs.clone();
        hand_overs.reverse();
        let names = Role::ALL.map(person).map(|one| (one.user, one.name));
        Ok(RosterView {
            shifts: shifts.cloned().collect(),
            hand_overs,
            people: [Role::DutyOfficer, Role::Supervisor].map(person).to_vec(),
            names: names.into_iter().collect(),
        })
    }

    fn act_on_alarm<'a>(
        &'a self,
        actor: &'a Actor,
        alarm: AlarmId,
        act: AlarmAct,
    ) -> Reply<'a, Read<Receipt>> {
        Box::pin(async move { self.write_act(actor, alarm, &act) })
    }

    fn set_alarm_service<'a>(
        &'a self,
        actor: &'a Actor,
        outlet: OutletId,
        kind: AlarmKind,
        out: bool,
        note: String,
    ) -> Reply<'a, Read<Receipt>> {
        Box::pin(async move { self.write_service(actor, outlet, kind, out, note) })
    }

    fn enter_shift<'a>(&'a self, actor: &'a Actor, shift: Shift) -> Reply<'a, Read<Receipt>> {
        Box::pin(async move { self.write_shift(actor, shift) })
    }

    fn hand_over<'a>(&'a self, actor: &'a Actor, over: HandOver) -> Reply<'a, Read<Receipt>> {
        Box::pin(async move { self.write_hand_over(actor, over) })
    }
}

impl Canned {
    fn write_act(&self, actor: &Actor, id: AlarmId, act: &AlarmAct) -> Read<Receipt> {
        allow(actor, act.verb.permission())?;
        self.alarm(actor, id)?;
        let mut held = self.lock();
        let row = held.alarms.get_mut(&id).ok_or(BackendError::NotFound)?;
        let what = change(row, actor, act)?;
        let receipt = held.write(actor, what, format!("alarm/{id}"), &act.note);
        drop(held);
        self.announce(&[Change::Alarm(id)]);
        Ok(receipt)
    }

    fn write_service(
        &self,
        actor: &Actor,
        outlet: OutletId,
        kind: AlarmKind,
        out: bool,
        note: String,
    ) -> Read<Receipt> {
        allow(actor, Permission::ManageDesk)?;
        let mut held = self.lock();
        held.outlet(actor, &outlet)?;
        let same = |row: &AlarmServiceRow| row.outlet == outlet && row.kind == kind;
        if held.services.iter().any(|row| same(row) && row.out) == out {
            let code = if out {
                "service-is-out"
            } else {
                "service-is-in"
            };
            return Err(refused(code, &kind.as_str()));
        }
        held.services.retain(|row| !same(row));
        let what = if out {
            "alarm.out-of-service"
        } else {
            "alarm.in-service"
        };
        let receipt = held.write(actor, what, format!("outlet/{outlet}"), &note);
        held.services.push(AlarmServiceRow {
            outlet,
            kind,
            out,
            at: NOW,
            by: actor.user.clone(),
            note,
            seq: receipt.seq,
        });
        drop(held);
        self.announce(&[Change::Desk]);
        Ok(receipt)
    }

    fn write_shift(&self, actor: &Actor, mut shift: Shift) -> Read<Receipt> {
        allow(actor, Permission::ManageDesk)?;
        roster::check_shift(&shift).map_err(|e| refused(e.code(), &e))?;
        known(&shift.people)?;
        shift.by = actor.user.clone();
        let mut held = self.lock();
        let object = format!("shift/{}", shift.from.0);
        let receipt = held.write(actor, "roster.entered", object, "");
        held.shifts.remove(&shift.from);
        if !shift.people.is_empty() {
            let row = ShiftRow {
                shift: shift.clone(),
                seq: receipt.seq,
            };
            held.shifts.insert(shift.from, row);
        }
        drop(held);
        self.announce(&[Change::Desk]);
        Ok(receipt)
    }

    fn write_hand_over(&self, actor: &Actor, over: HandOver) -> Read<Receipt> {
        allow(actor, Permission::AcknowledgeAlarm)?;
        roster::check_hand_over(&over).map_err(|e| refused(e.code(), &e))?;
        known(&over.to)?;
        let mut held = self.lock();
        let receipt = held.write(actor, "desk.handed-over", "desk".to_owned(), &over.note);
        let open = held.alarms.values().filter(|row| row.is_open()).count();
        held.hand_overs.push(HandOverRow {
            id: receipt.seq,
            at: NOW,
            over,
            open_alarms: u32::try_from(open).unwrap_or(u32::MAX),
        });
        drop(held);
        self.announce(&[Change::Desk]);
        Ok(receipt)
    }
}

fn known(people: &BTreeSet<UserId>) -> Read<()> {
    let answers = [Role::DutyOfficer, Role::Supervisor].map(|role| person(role).user);
    match people.iter().find(|user| !answers.contains(user)) {
        Some(user) => Err(refused("unknown-user", user)),
        None => Ok(()),
    }
}

/// Changes a row as the engine would; the code of what was done.
fn change(row: &mut AlarmRow, actor: &Actor, act: &AlarmAct) -> Read<&'static str> {
    let (by, note, seq) = (actor.user.clone(), act.note.clone(), row.updated_seq);
    let code = |error: &alarm::LifecycleError| match error {
        alarm::LifecycleError::Active(_) => "alarm-active",
        alarm::LifecycleError::NotAcknowledged(_) => "alarm-not-acknowledged",
        alarm::LifecycleError::Closed(_) => "alarm-closed",
        alarm::LifecycleError::Unknown(_) => "unknown-alarm",
        alarm::LifecycleError::Shelved(_) => "alarm-shelved",
        alarm::LifecycleError::NotShelved(_) => "alarm-not-shelved",
    };
    let id = row.id;
    let impossible = |error: alarm::LifecycleError| refused(code(&error), &id);
    match act.verb {
        AlarmVerb::Acknowledge => {
            let notice = Acknowledgement {
                at: NOW,
                by,
                note,
                until: act.until,
            };
            if !alarm::acknowledge(row, notice, seq) {
                return Err(refused("already-acknowledged", &id));
            }
            Ok("alarm.acknowledged")
        }
        AlarmVerb::Close => {
            let closure = Closure {
                at: NOW,
                by,
                conclusion: note,
            };
            alarm::close(row, closure, seq).map_err(impossible)?;
            Ok("alarm.closed")
        }
        AlarmVerb::Shelve => {
            let until = act.until.unwrap_or(NOW);
            if until <= NOW || until > NOW.plus_ms(7 * DAY_MS) {
                return Err(refused("hold-too-long", &UtcOffset::default().iso(until)));
            }
            let shelving = Shelving {
                at: NOW,
                until,
                by,
                note,
            };
            alarm::shelve(row, shelving, seq).map_err(impossible)?;
            Ok("alarm.shelved")
        }
        AlarmVerb::Unshelve => {
            alarm::unshelve(row, seq).map_err(impossible)?;
            Ok("alarm.unshelved")
        }
        AlarmVerb::ToldEnterprise | AlarmVerb::ToldOperator if row.enterprise.is_none() => {
            Err(refused("alarm-of-nobody", &id))
        }
        AlarmVerb::ToldEnterprise => Ok("alarm.told-enterprise"),
        AlarmVerb::ToldOperator => Ok("alarm.told-operator"),
        AlarmVerb::HandedOver => Ok("alarm.handed-over"),
        AlarmVerb::Called => Ok("alarm.called"),
        AlarmVerb::Noted => Ok("alarm.noted"),
    }
}
