//! A backend with fictional data that shows every state, for pages and tests without a daemon.
//!
//! Actions change what it holds and are announced as the daemon would announce them, so that the
//! live pages and a browser test work against it. Its clock stands still at
//! 2026-03-18 14:32:10 +08:00.

mod answers;
mod commands;
mod exchanges;
mod held;
mod registry;
mod rows;
mod station;
mod writing;

use crate::backend::{
    Actor, AlarmDetail, AlarmFilter, Backend, BackendError, Change, Changes, CommandForm,
    CommandOrder, FallbackDetail, Health, LIST_ROWS_MAX, LoginError, OutletDetail, Overview,
    Receipt, Reply, StationStatus,
};
use crate::{DemoAccount, DemoBanner};
use cems_core::model::rows::{AggregateRow, AuditRow, QuarantineRow, RecordRow};
use cems_core::model::{
    AlarmId, AlarmRow, AlarmSubject, EnterpriseId, ExchangeRow, ExchangeState, FallbackId,
    FallbackRow, Level, ManualReport, ManualReportRow, OutletId, RecordKind, Registry, Role, Scope,
    Seq, Timestamp, UserId,
};
use held::{Held, access};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Password of every canned user.
pub const PASSWORD: &str = "demo";

/// Changes a slow page may fall behind before it is told to fetch everything.
const CHANGES_MAX: usize = 64;

/// The canned backend.
pub struct Canned {
    held: Mutex<Held>,
    changes: broadcast::Sender<Changes>,
}

impl Default for Canned {
    fn default() -> Self {
        Self::new()
    }
}

/// User name of each role's log-in.
fn user_of(role: Role) -> &'static str {
    match role {
        Role::DutyOfficer => "zhiban",
        Role::Supervisor => "zhuguan",
        Role::EnterpriseUser => "qiye",
        Role::Operator => "yunwei",
        Role::Inspector => "zhifa",
        Role::Auditor => "shenji",
        Role::Administrator => "guanli",
    }
}

impl Canned {
    /// Fresh canned data.
    pub fn new() -> Self {
        let registry = registry::registry();
        let held = Held {
            alarms: answers::alarms(&registry),
            fallbacks: answers::fallbacks(),
            reports: answers::reports(),
            audit: answers::audit(),
            exchanges: exchanges::exchanges(),
            station: station::station(),
            registry: Arc::new(registry),
            health: Health {
                ready: true,
                problems: Vec::new(),
                journal_seq: 184_210,
                projected_seq: 184_210,
                connections: 7,
                version: "0.1.0".to_owned(),
            },
            ended: Vec::new(),
            seq: 184_210,
        };
        Self {
            held: Mutex::new(held),
            changes: broadcast::channel(CHANGES_MAX).0,
        }
    }

    /// A banner that lists the canned log-ins.
    pub fn banner() -> DemoBanner {
        let accounts = Role::ALL.into_iter().map(|role| DemoAccount {
            user: user_of(role).to_owned(),
            password: PASSWORD.to_owned(),
            role,
        });
        DemoBanner {
            accounts: accounts.collect(),
            speed: 1,
        }
    }

    /// The session token of a role, as [`Backend::login`] gives it; also its API token.
    pub fn token(role: Role) -> String {
        format!("canned-{role}")
    }

    /// Announces changes, as the daemon does after a commit.
    pub fn announce(&self, changes: &[Change]) {
        let seq = Seq(self.lock().seq);
        // Without a page there is nobody to tell.
        let _ = self.changes.send(Changes {
            seq,
            changes: changes.into(),
        });
    }

    /// Replaces the health.
    pub fn set_health(&self, health: Health) {
        self.lock().health = health;
        self.announce(&[Change::Health]);
    }

    /// Changes the registry, for tests with odd names.
    pub fn edit_registry(&self, edit: impl FnOnce(&mut Registry)) {
        edit(Arc::make_mut(&mut self.lock().registry));
        self.announce(&[Change::Registry]);
    }

    /// Replaces the station's status, for tests.
    pub fn set_station(&self, status: StationStatus) {
        self.lock().station = status;
        self.announce(&[Change::Health]);
    }

    /// Adds a step to an exchange, as if its device had answered. An exchange that is not there
    /// or is over stays as it is.
    pub fn advance(&self, id: Seq, what: &str, detail: &str, state: ExchangeState) {
        let moved = self.lock().step(id, what, detail, state);
        if let Some(outlet) = moved {
            self.announce(&[Change::Exchange(id, outlet)]);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // Canned data have no invariant that a panicking test could break.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn actor(token: &str) -> Option<Actor> {
        let role = Role::from_name(token.strip_prefix("canned-")?)?;
        let scope = match role {
            Role::EnterpriseUser => Scope {
                enterprises: [EnterpriseId::new("yuntai")].into(),
                ..Scope::default()
            },
            Role::Operator => Scope {
                outlets: [OutletId::new("yt-01"), OutletId::new("hy-01")].into(),
                ..Scope::default()
            },
            _ => Scope::default(),
        };
        Some(Actor {
            user: UserId::new(user_of(role)),
            name: match role {
                Role::DutyOfficer => "值班员甲",
                Role::Supervisor => "主管乙",
                Role::EnterpriseUser => "企业用户丙",
                Role::Operator => "运维员丁",
                Role::Inspector => "执法员戊",
                Role::Auditor => "审计员己",
                Role::Administrator => "管理员庚",
            }
            .to_owned(),
            role,
            scope,
        })
    }
}

impl Backend for Canned {
    fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.lock().registry)
    }

    fn now(&self) -> Timestamp {
        rows::NOW
    }

    fn health(&self) -> Health {
        self.lock().health.clone()
    }

    fn metrics(&self) -> String {
        let seq = self.lock().seq;
        format!("# TYPE cems_journal_seq gauge\ncems_journal_seq {seq}\n")
    }

    fn overview(&self, actor: &Actor) -> Result<Overview, BackendError> {
        Ok(self.lock().overview(actor))
    }

    fn outlet(&self, actor: &Actor, id: &OutletId) -> Result<OutletDetail, BackendError> {
        self.lock().detail(actor, id)
    }

    fn records(
        &self,
        actor: &Actor,
        id: &OutletId,
        kind: RecordKind,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<RecordRow>, BackendError> {
        let held = self.lock();
        Ok(rows::records(held.outlet(actor, id)?, kind, from, until))
    }

    fn aggregates(
        &self,
        actor: &Actor,
        id: &OutletId,
        level: Level,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AggregateRow>, BackendError> {
        let held = self.lock();
        Ok(rows::aggregates(
            held.outlet(actor, id)?,
            level,
            from,
            until,
        ))
    }

    fn alarms(&self, actor: &Actor, filter: &AlarmFilter) -> Result<Vec<AlarmRow>, BackendError> {
        let held = self.lock();
        let of = filter.outlet.clone().map(AlarmSubject::Outlet);
        let rows = held.alarms.values().rev().filter(|a| {
            held.sees_alarm(actor, a)
                && !(filter.open_only && a.closed.is_some())
                && of.as_ref().is_none_or(|of| &a.subject == of)
                && filter.before.is_none_or(|before| a.id < before)
        });
        Ok(rows.take(LIST_ROWS_MAX).cloned().collect())
    }

    fn alarm(&self, actor: &Actor, id: AlarmId) -> Result<AlarmDetail, BackendError> {
        self.lock().alarm(actor, id)
    }

    fn fallbacks(&self, actor: &Actor, open_only: bool) -> Result<Vec<FallbackRow>, BackendError> {
        let mut rows = self.lock().fallbacks(actor);
        rows.retain(|f| !open_only || f.closed_at.is_none());
        Ok(rows)
    }

    fn fallback(&self, actor: &Actor, id: FallbackId) -> Result<FallbackDetail, BackendError> {
        let held = self.lock();
        let row = held
            .fallbacks
            .get(&id)
            .filter(|f| held.sees(actor, &f.outlet));
        let mut reports: Vec<ManualReportRow> = held
            .reports
            .iter()
            .filter(|r| r.fallback == Some(id))
            .cloned()
            .collect();
        reports.sort_by_key(|r| r.report.sampled_at);
        Ok(FallbackDetail {
            fallback: row.ok_or(BackendError::NotFound)?.clone(),
            reports,
        })
    }

    fn quarantine(&self, actor: &Actor) -> Result<Vec<QuarantineRow>, BackendError> {
        let all = access(actor).sees_all();
        Ok(if all {
            answers::quarantine()
        } else {
            Vec::new()
        })
    }

    fn commands(&self, actor: &Actor, id: &OutletId) -> Result<Vec<CommandForm>, BackendError> {
        let held = self.lock();
        let outlet = held.outlet(actor, id)?;
        let device = rows::device(outlet);
        Ok(device.map_or_else(Vec::new, |d| commands::forms(outlet, &d.edition)))
    }

    fn exchanges(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Result<Vec<ExchangeRow>, BackendError> {
        let held = self.lock();
        if let Some(id) = outlet {
            held.outlet(actor, id)?;
        }
        let rows = held.exchanges.values().rev().filter(|row| {
            held.sees(actor, &row.outlet) && outlet.is_none_or(|id| *id == row.outlet)
        });
        Ok(rows.take(LIST_ROWS_MAX).cloned().collect())
    }

    fn exchange(&self, actor: &Actor, id: Seq) -> Result<ExchangeRow, BackendError> {
        let held = self.lock();
        let row = held.exchanges.get(&id);
        row.filter(|row| held.sees(actor, &row.outlet))
            .cloned()
            .ok_or(BackendError::NotFound)
    }

    fn station(&self, actor: &Actor) -> Result<StationStatus, BackendError> {
        let held = self.lock();
        let mut status = held.station.clone();
        status.instruments.retain(|i| held.sees(actor, &i.outlet));
        if !access(actor).sees_all() {
            status.uplinks.clear();
        }
        Ok(status)
    }

    fn send_command<'a>(
        &'a self,
        actor: &'a Actor,
        order: CommandOrder,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_command(actor, order) })
    }

    fn audit(&self, _actor: &Actor, before: Option<Seq>) -> Result<Vec<AuditRow>, BackendError> {
        let held = self.lock();
        let rows = held
            .audit
            .iter()
            .rev()
            .filter(|r| before.is_none_or(|seq| r.seq < seq));
        Ok(rows.take(LIST_ROWS_MAX).cloned().collect())
    }

    fn acknowledge<'a>(
        &'a self,
        actor: &'a Actor,
        alarm: AlarmId,
        note: String,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_acknowledge(actor, alarm, &note) })
    }

    fn close<'a>(
        &'a self,
        actor: &'a Actor,
        alarm: AlarmId,
        conclusion: String,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_close(actor, alarm, &conclusion) })
    }

    fn submit_report<'a>(
        &'a self,
        actor: &'a Actor,
        report: ManualReport,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_report(actor, report) })
    }

    fn decide_fallback<'a>(
        &'a self,
        actor: &'a Actor,
        outlet: OutletId,
        open: bool,
        note: String,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_decision(actor, &outlet, open, note) })
    }

    fn login<'a>(
        &'a self,
        user: &'a str,
        password: &'a str,
        _peer: &'a str,
    ) -> Reply<'a, Result<String, LoginError>> {
        Box::pin(async move {
            if user == "slow" {
                return Err(LoginError::Slow(30));
            }
            let role = Role::ALL.into_iter().find(|role| user_of(*role) == user);
            let role = role
                .filter(|_| password == PASSWORD)
                .ok_or(LoginError::Wrong)?;
            let token = Self::token(role);
            self.lock().ended.retain(|ended| *ended != token);
            Ok(token)
        })
    }

    fn logout<'a>(&'a self, token: &'a str) -> Reply<'a, ()> {
        Box::pin(async move { self.lock().ended.push(token.to_owned()) })
    }

    fn session(&self, token: &str) -> Option<Actor> {
        let ended = self.lock().ended.iter().any(|t| t == token);
        Self::actor(token).filter(|_| !ended)
    }

    fn api_token(&self, token: &str) -> Option<Actor> {
        Self::actor(token)
    }

    fn changes(&self) -> broadcast::Receiver<Changes> {
        self.changes.subscribe()
    }
}
