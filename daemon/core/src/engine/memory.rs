//! A past held in memory: applies outputs as a store does and answers as one. For tests,
//! simulation and rebuilding in memory; a daemon keeps its rows on disk.

use super::history::History;
use crate::model::rows::{
    AuditRow, DeviceRow, LatestRow, QuarantineRow, StateRow, StatementRow, SupersededRow,
};
use crate::model::{
    AggregateRow, AlarmId, AlarmKind, AlarmRow, AlarmServiceRow, ClueRow, DutyId, DutyKey, DutyRow,
    DutySubject, ExchangeRow, FactorCode, FallbackId, FallbackRow, ForwardRow, HandOverRow, Level,
    ManualReportRow, MarkRow, MessageId, MessageRow, OutgoingRow, OutletId, Output, PackRow,
    QaKind, QaOutcome, QaRow, QuarterRow, RecordKind, RecordRow, ReportId, ReviewRow, Seq, Series,
    ShiftRow, Timestamp,
};
use smol_str::SmolStr;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Key of a superseded value.
pub type SupersededKey = (OutletId, RecordKind, Timestamp, FactorCode, Seq);

/// All projections.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tables {
    /// Records.
    pub records: BTreeMap<(OutletId, RecordKind, Timestamp), RecordRow>,
    /// Replaced values.
    pub superseded: BTreeMap<SupersededKey, SupersededRow>,
    /// Aggregates.
    pub aggregates: BTreeMap<(OutletId, Level, Timestamp), AggregateRow>,
    /// Packed hours.
    pub packs: BTreeMap<(OutletId, Timestamp), PackRow>,
    /// Clues.
    pub clues: BTreeMap<(OutletId, Level, Timestamp), ClueRow>,
    /// Quarters.
    pub quarters: BTreeMap<(OutletId, Timestamp), QuarterRow>,
    /// Marks.
    pub marks: BTreeMap<Seq, MarkRow>,
    /// Tests of the equipment.
    pub qa: BTreeMap<(Seq, u32), QaRow>,
    /// Validity reviews.
    pub reviews: BTreeMap<(OutletId, Timestamp), ReviewRow>,
    /// Latest values.
    pub latest: BTreeMap<(OutletId, FactorCode), LatestRow>,
    /// Loggers.
    pub devices: BTreeMap<SmolStr, DeviceRow>,
    /// Refused bytes.
    pub quarantine: BTreeMap<(Seq, u32), QuarantineRow>,
    /// Statements.
    pub statements: BTreeMap<(OutletId, SmolStr, Timestamp, SmolStr), StatementRow>,
    /// Exchanges with devices.
    pub exchanges: BTreeMap<Seq, ExchangeRow>,
    /// Days of series, by the last event that wrote a row of them.
    pub series_days: BTreeMap<(Series, Timestamp), Seq>,
    /// Records to pass on.
    pub forward: BTreeMap<(Seq, u32), ForwardRow>,
    /// What goes out to destinations.
    pub outgoing: BTreeMap<(Seq, u32), OutgoingRow>,
    /// Alarms.
    pub alarms: BTreeMap<AlarmId, AlarmRow>,
    /// Fallbacks.
    pub fallbacks: BTreeMap<FallbackId, FallbackRow>,
    /// Manual reports.
    pub reports: BTreeMap<ReportId, ManualReportRow>,
    /// Instances of duties.
    pub duties: BTreeMap<DutyKey, DutyRow>,
    /// Audit trail.
    pub audit: BTreeMap<(Seq, u32), AuditRow>,
    /// Registries by the position from which they were in force.
    pub registries: BTreeMap<Seq, String>,
    /// Shifts of the roster.
    pub shifts: BTreeMap<Timestamp, ShiftRow>,
    /// Hand-overs.
    pub hand_overs: BTreeMap<Seq, HandOverRow>,
    /// Kinds of alarm that are or were out of service.
    pub alarm_services: BTreeMap<(OutletId, AlarmKind), AlarmServiceRow>,
    /// Messages to send.
    pub messages: BTreeMap<MessageId, MessageRow>,
    /// Engine state.
    pub state: BTreeMap<SmolStr, String>,
}

impl Tables {
    /// Applies one output.
    pub fn apply(&mut self, output: Output) {
        match output {
            Output::Record(row) => {
                let key = (row.outlet.clone(), row.kind, row.start);
                self.records.insert(key, row);
            }
            Output::Superseded(row) => {
                let factor = row.old.value.factor.clone();
                let key = (row.outlet.clone(), row.kind, row.start, factor, row.old.seq);
                self.superseded.insert(key, row);
            }
            Output::Aggregate(row) => {
                let key = (row.outlet.clone(), row.level, row.start);
                self.aggregates.insert(key, row);
            }
            Output::Pack(row) => {
                self.packs.insert((row.outlet.clone(), row.month), row);
            }
            Output::Clues(row) => {
                let key = (row.outlet.clone(), row.level, row.start);
                self.clues.insert(key, row);
            }
            Output::Quarter(row) => {
                self.quarters.insert((row.outlet.clone(), row.start), row);
            }
            Output::Mark(row) => {
                self.marks.insert(row.id, row);
            }
            Output::Qa(row) => {
                self.qa.insert((row.id, row.n), row);
            }
            Output::Review(row) => {
                self.reviews.insert((row.outlet.clone(), row.quarter), row);
            }
            Output::Latest(row) => {
                let key = (row.outlet.clone(), row.factor.clone());
                self.latest.insert(key, row);
            }
            Output::Device(row) => {
                self.devices.insert(row.mn.clone(), row);
            }
            Output::Quarantine(row) => {
                self.quarantine.insert((row.seq, row.n), row);
            }
            Output::Statement(row) => {
                let key = (row.outlet.clone(), row.cn.clone(), row.at, row.name.clone());
                self.statements.insert(key, row);
            }
            Output::Exchange(row) => {
                self.exchanges.insert(row.id, row);
            }
            Output::SeriesDay(row) => {
                self.series_days.insert((row.series, row.day), row.seq);
            }
            Output::Forward(row) => {
                self.forward.insert((row.seq, row.n), row);
            }
            Output::Outgoing(row) => {
                self.outgoing.insert((row.seq, row.n), row);
            }
            Output::Alarm(row) => {
                self.alarms.insert(row.id, row);
            }
            Output::Fallback(row) => {
                self.fallbacks.insert(row.id, row);
            }
            Output::ManualReport(row) => {
                self.reports.insert(row.id, row);
            }
            Output::Duty(row) => {
                self.duties.insert(row.key.clone(), row);
            }
            Output::Audit(row) => {
                self.audit.insert((row.seq, row.n), row);
            }
            Output::Registry { seq, json, .. } => {
                self.registries.insert(seq, json);
            }
            Output::Shift(row) => {
                self.shifts.insert(row.shift.from, row);
            }
            Output::HandOver(row) => {
                self.hand_overs.insert(row.id, row);
            }
            Output::AlarmService(row) => {
                let key = (row.outlet.clone(), row.kind);
                self.alarm_services.insert(key, row);
            }
            Output::Message(row) => {
                self.messages.insert(row.id, row);
            }
            Output::StateRemoved(name) => {
                self.state.remove(&name);
            }
            Output::State(row) => {
                self.state.insert(row.name, row.json);
            }
        }
    }
}

/// Tests of the equipment by what was tested, in the order in which they were done.
type Tests = BTreeMap<(OutletId, FactorCode, QaKind), BTreeSet<(Timestamp, Seq, u32)>>;

/// The tables behind a cell, so that outputs can be applied while the engine reads.
#[derive(Debug, Clone, Default)]
pub struct MemoryHistory {
    tables: RefCell<Tables>,
    /// Every hour asks for the tests of every factor.
    tests: RefCell<Tests>,
}

impl MemoryHistory {
    /// Applies one output.
    pub fn apply(&self, output: Output) {
        if let Output::Qa(row) = &output {
            let test = &row.test;
            let key = (test.outlet.clone(), test.factor.clone(), test.kind);
            let mut tests = self.tests.borrow_mut();
            tests
                .entry(key)
                .or_default()
                .insert((test.at, row.id, row.n));
        }
        self.tables.borrow_mut().apply(output);
    }

    /// A copy of all rows.
    pub fn tables(&self) -> Tables {
        self.tables.borrow().clone()
    }

    fn open_duties_where(&self, wanted: impl Fn(&DutyRow) -> bool) -> Vec<DutyRow> {
        let tables = self.tables.borrow();
        let open = tables.duties.values().filter(|row| row.is_open());
        open.filter(|row| wanted(row)).cloned().collect()
    }

    /// The state rows, as [`Engine::restore`](super::Engine::restore) wants them.
    pub fn state_rows(&self) -> Vec<StateRow> {
        let tables = self.tables.borrow();
        let rows = tables.state.iter();
        rows.map(|(name, json)| StateRow {
            name: name.clone(),
            json: json.clone(),
        })
        .collect()
    }
}

impl History for MemoryHistory {
    fn record(&self, outlet: &OutletId, kind: RecordKind, start: Timestamp) -> Option<RecordRow> {
        let key = (outlet.clone(), kind, start);
        self.tables.borrow().records.get(&key).cloned()
    }

    fn records(
        &self,
        outlet: &OutletId,
        kind: RecordKind,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<RecordRow> {
        if from >= until {
            return Vec::new();
        }
        let key = |at| (outlet.clone(), kind, at);
        let tables = self.tables.borrow();
        let rows = tables.records.range(key(from)..key(until));
        rows.map(|(_, row)| row.clone()).collect()
    }

    fn aggregates(
        &self,
        outlet: &OutletId,
        level: Level,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<AggregateRow> {
        if from >= until {
            return Vec::new();
        }
        let key = |at| (outlet.clone(), level, at);
        let tables = self.tables.borrow();
        let rows = tables.aggregates.range(key(from)..key(until));
        rows.map(|(_, row)| row.clone()).collect()
    }

    fn alarm(&self, id: AlarmId) -> Option<AlarmRow> {
        self.tables.borrow().alarms.get(&id).cloned()
    }

    fn fallback(&self, id: FallbackId) -> Option<FallbackRow> {
        self.tables.borrow().fallbacks.get(&id).cloned()
    }

    fn exchange(&self, id: Seq) -> Option<ExchangeRow> {
        self.tables.borrow().exchanges.get(&id).cloned()
    }

    fn mark(&self, id: Seq) -> Option<MarkRow> {
        self.tables.borrow().marks.get(&id).cloned()
    }

    fn marks(&self, outlet: &OutletId, from: Timestamp, until: Timestamp) -> Vec<MarkRow> {
        let tables = self.tables.borrow();
        let touches = |row: &&MarkRow| {
            row.mark.outlet == *outlet && row.mark.from < until && from < row.mark.until
        };
        tables.marks.values().filter(touches).cloned().collect()
    }

    fn qa_tests(&self, id: Seq) -> Vec<QaRow> {
        let tables = self.tables.borrow();
        let rows = tables.qa.range((id, 0)..=(id, u32::MAX));
        rows.map(|(_, row)| row.clone()).collect()
    }

    fn qa_around(
        &self,
        outlet: &OutletId,
        factor: &FactorCode,
        kind: QaKind,
        at: Timestamp,
    ) -> (Option<QaRow>, Option<QaRow>) {
        let (tables, tests) = (self.tables.borrow(), self.tests.borrow());
        let Some(tests) = tests.get(&(outlet.clone(), factor.clone(), kind)) else {
            return (None, None);
        };
        let decides = |(_, id, n): &(Timestamp, Seq, u32)| {
            let row = tables.qa.get(&(*id, *n))?;
            let judged = row.verdict.outcome != QaOutcome::NotJudged;
            (row.withdrawn.is_none() && judged).then(|| row.clone())
        };
        let next = (at.plus_ms(1), Seq(0), 0);
        let before = tests.range(..next).rev().find_map(decides);
        (before, tests.range(next..).find_map(decides))
    }

    fn qa_between(&self, outlet: &OutletId, from: Timestamp, until: Timestamp) -> Vec<QaRow> {
        let tables = self.tables.borrow();
        let wanted = |row: &&QaRow| {
            row.test.outlet == *outlet
                && row.withdrawn.is_none()
                && row.verdict.outcome != QaOutcome::NotJudged
                && (from..until).contains(&row.test.at)
        };
        let mut rows: Vec<QaRow> = tables.qa.values().filter(wanted).cloned().collect();
        rows.sort_by_key(|row| (row.test.at, row.id, row.n));
        rows
    }

    fn review(&self, outlet: &OutletId, quarter: Timestamp) -> Option<ReviewRow> {
        let key = (outlet.clone(), quarter);
        self.tables.borrow().reviews.get(&key).cloned()
    }

    fn quarter(&self, outlet: &OutletId, start: Timestamp) -> Option<QuarterRow> {
        let key = (outlet.clone(), start);
        self.tables.borrow().quarters.get(&key).cloned()
    }

    fn pack(&self, outlet: &OutletId, month: Timestamp) -> Option<PackRow> {
        let key = (outlet.clone(), month);
        self.tables.borrow().packs.get(&key).cloned()
    }

    fn clues(&self, outlet: &OutletId, level: Level, start: Timestamp) -> Option<ClueRow> {
        let key = (outlet.clone(), level, start);
        self.tables.borrow().clues.get(&key).cloned()
    }

    fn duty(&self, key: &DutyKey) -> Option<DutyRow> {
        self.tables.borrow().duties.get(key).cloned()
    }

    fn open_duties(&self, rule: &DutyId, round: Option<&str>) -> Vec<DutyRow> {
        self.open_duties_where(|row| {
            row.rule == *rule && round.is_none_or(|round| row.round == round)
        })
    }

    fn open_duties_about(&self, subject: &DutySubject) -> Vec<DutyRow> {
        self.open_duties_where(|row| row.subject == *subject)
    }

    fn manual_report(&self, id: ReportId) -> Option<ManualReportRow> {
        self.tables.borrow().reports.get(&id).cloned()
    }

    fn manual_reports(
        &self,
        outlet: &OutletId,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<ManualReportRow> {
        let tables = self.tables.borrow();
        let within = |row: &&ManualReportRow| {
            row.report.outlet == *outlet && (from..until).contains(&row.report.sampled_at)
        };
        let mut rows: Vec<ManualReportRow> =
            tables.reports.values().filter(within).cloned().collect();
        rows.sort_by_key(|row| (row.report.sampled_at, row.id));
        rows
    }
}
