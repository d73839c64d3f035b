//! What the canned backend answers.

use super::held::access;
use super::{Canned, PASSWORD, answers, commands, derivation, desk, reckoning, rows, user_of};
use crate::backend::{
    Actor, AlarmDetail, AlarmFilter, Backend, BackendError, Changes, CommandForm, CommandOrder,
    FallbackDetail, Health, LIST_ROWS_MAX, LoginError, OutletDetail, Overview, ProjectionRow,
    RateRow, RatesOf, Receipt, Reply, ReportEntry, StationStatus, TakenBack, TaxRow, Upload,
};
use cems_core::explain::{Node, Question};
use cems_core::model::rows::{AggregateRow, AuditRow, QuarantineRow, RecordRow, SupersededRow};
use cems_core::model::{
    AlarmId, AlarmRow, AlarmSubject, ClueRow, ExchangeRow, FallbackId, FallbackRow, Level,
    ManualReportRow, Mark, MarkRow, OutletId, QaRow, QaTest, QuarterRow, RecordKind, Registry,
    ReviewAction, ReviewRow, Role, Seq, Timestamp,
};
use std::sync::Arc;
use tokio::sync::broadcast;

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
                && (!filter.open_only || a.is_open())
                && desk::suits(a, filter)
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

    fn superseded(
        &self,
        actor: &Actor,
        id: &OutletId,
        kind: RecordKind,
        start: Timestamp,
    ) -> Result<Vec<SupersededRow>, BackendError> {
        let held = self.lock();
        let outlet = held.outlet(actor, id)?;
        Ok(derivation::superseded(outlet, kind, start))
    }

    fn explain(&self, actor: &Actor, question: &Question) -> Result<Node, BackendError> {
        self.lock().explain(actor, question)
    }

    fn marks(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Result<Vec<MarkRow>, BackendError> {
        self.lock().marks(actor, outlet)
    }

    fn qa_tests(&self, actor: &Actor, outlet: &OutletId) -> Result<Vec<QaRow>, BackendError> {
        self.lock().qa_tests(actor, outlet)
    }

    fn reviews(&self, actor: &Actor, outlet: &OutletId) -> Result<Vec<ReviewRow>, BackendError> {
        self.lock().reviews(actor, outlet)
    }

    fn quarters(&self, actor: &Actor, outlet: &OutletId) -> Result<Vec<QuarterRow>, BackendError> {
        let held = self.lock();
        Ok(reckoning::quarters(held.outlet(actor, outlet)?))
    }

    fn clues(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<ClueRow>, BackendError> {
        let held = self.lock();
        if let Some(id) = outlet {
            held.outlet(actor, id)?;
        }
        let mut rows = reckoning::clues();
        rows.retain(|row| {
            (from..until).contains(&row.start)
                && held.sees(actor, &row.outlet)
                && outlet.is_none_or(|id| *id == row.outlet)
        });
        Ok(rows)
    }

    fn rates(
        &self,
        actor: &Actor,
        of: Option<&RatesOf>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<RateRow>, BackendError> {
        self.lock().rates(actor, of, from, until)
    }

    fn projections(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Result<Vec<ProjectionRow>, BackendError> {
        self.lock().projections(actor, outlet)
    }

    fn tax(
        &self,
        actor: &Actor,
        outlet: &OutletId,
        month: Timestamp,
    ) -> Result<Vec<TaxRow>, BackendError> {
        let held = self.lock();
        Ok(reckoning::tax(held.outlet(actor, outlet)?, month))
    }

    fn attachment(
        &self,
        actor: &Actor,
        outlet: &OutletId,
        sha256: &str,
    ) -> Result<Upload, BackendError> {
        let held = self.lock();
        held.outlet(actor, outlet)?;
        let file = held.files.get(&(outlet.clone(), sha256.to_owned()));
        file.cloned().ok_or(BackendError::NotFound)
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

    fn submit_reports<'a>(
        &'a self,
        actor: &'a Actor,
        entries: Vec<ReportEntry>,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_reports(actor, entries) })
    }

    fn deliver_written<'a>(
        &'a self,
        actor: &'a Actor,
        fallback: FallbackId,
        note: String,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_written(actor, fallback, note, files) })
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

    fn enter_mark<'a>(
        &'a self,
        actor: &'a Actor,
        mark: Mark,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_mark(actor, mark, files) })
    }

    fn enter_qa_test<'a>(
        &'a self,
        actor: &'a Actor,
        test: QaTest,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_test(actor, test, files) })
    }

    fn take_back<'a>(
        &'a self,
        actor: &'a Actor,
        what: TakenBack,
        outlet: OutletId,
        id: Seq,
        reason: String,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_back(actor, what, &outlet, id, reason) })
    }

    fn review<'a>(
        &'a self,
        actor: &'a Actor,
        action: ReviewAction,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_review(actor, action, files) })
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
