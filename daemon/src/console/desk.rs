//! The duty desk: its queue, the roster, what is out of service, and what people do to alarms.

mod reading;

pub use reading::Desk;

use super::write::{allow, refused as impossible};
use super::{Committed, ConsoleBackend, unavailable};
use crate::events::{AlarmVerb as Verb, JournalEvent};
use cems_core::alarm::figures::Figures;
use cems_core::engine::{AlarmAction, check};
use cems_core::model::{
    AlarmId, AlarmKind, HandOver, OutletId, Permission, Shift, Timestamp, UserId,
};
use cems_core::roster::{self, RosterError, SHIFTS_MAX};
use cems_dashboards::backend::{
    Actor, AlarmAct, AlarmFilter, AlarmGroups, AlarmVerb, Backend, BackendError, DeskBackend,
    DeskView, Receipt, Reply, RosterView,
};
use std::collections::BTreeSet;

type Read<T> = Result<T, BackendError>;

impl DeskBackend for ConsoleBackend {
    fn desk(&self, actor: &Actor, filter: &AlarmFilter) -> Read<DeskView> {
        self.seen_from_desk(|desk| desk.view(actor, filter))
    }

    fn alarm_groups(&self, actor: &Actor, filter: &AlarmFilter) -> Read<AlarmGroups> {
        self.seen_from_desk(|desk| desk.queue(actor, filter))
    }

    fn alarm_figures(&self, actor: &Actor, from: Timestamp, until: Timestamp) -> Read<Figures> {
        self.seen_from_desk(|desk| desk.figures(actor, from, until))
    }

    fn roster(&self, actor: &Actor, from: Timestamp, until: Timestamp) -> Read<RosterView> {
        self.seen_from_desk(|desk| desk.roster(actor, from, until))
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

impl ConsoleBackend {
    fn seen_from_desk<T>(&self, look: impl FnOnce(&Desk<'_>) -> Read<T>) -> Read<T> {
        let (registry, policy) = (self.projected.registry(), self.projected.policy());
        look(&Desk {
            readers: &self.readers,
            registry: &registry,
            policy: &policy,
            now: self.clock.now(),
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
