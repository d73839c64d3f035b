//! One output of the engine becomes one row: insert, or replace by key.

mod log;

pub(crate) use log::OUTGOING_KEPT_MS;

use super::encode::{aggregate_body, json, record_body, value_body};
use super::error::StoreError;
use cems_core::model::rows::{
    AuditRow, DeviceRow, LatestRow, QuarantineRow, StatementRow, SupersededRow,
};
use cems_core::model::{
    AggregateRow, AlarmRow, AlarmServiceRow, AlarmSubject, ClueRow, DutyRow, DutySubject,
    EnterpriseId, ExchangeRow, FallbackRow, HandOverRow, ManualReportRow, MarkRow, MessageRow,
    OutletId, Output, PackRow, QaOutcome, QaRow, QuarterRow, Recipient, RecordRow, RegionId,
    ReviewRow, ShiftRow,
};
use rusqlite::{Connection, Params};

/// Writes `output` in the transaction that is open on `connection`.
pub(super) fn write(connection: &Connection, output: &Output) -> Result<(), StoreError> {
    match output {
        Output::Record(row) => record(connection, row),
        Output::Superseded(row) => superseded(connection, row),
        Output::Aggregate(row) => aggregate(connection, row),
        Output::Pack(row) => pack(connection, row),
        Output::Clues(row) => clues(connection, row),
        Output::Quarter(row) => quarter(connection, row),
        Output::Mark(row) => mark(connection, row),
        Output::Qa(row) => qa(connection, row),
        Output::Review(row) => review(connection, row),
        Output::Latest(row) => latest(connection, row),
        Output::Device(row) => device(connection, row),
        Output::Quarantine(row) => quarantine(connection, row),
        Output::Statement(row) => statement(connection, row),
        Output::Exchange(row) => exchange(connection, row),
        Output::Forward(row) => log::forward(connection, row),
        Output::Outgoing(row) => log::outgoing(connection, row),
        Output::SeriesDay(row) => put(
            connection,
            "REPLACE INTO series_day (series, day, seq) VALUES (?1, ?2, ?3)",
            (
                row.series.as_str(),
                row.day.0,
                int("series day", row.seq.0)?,
            ),
        ),
        Output::Alarm(row) => alarm(connection, row),
        Output::Fallback(row) => fallback(connection, row),
        Output::ManualReport(row) => manual_report(connection, row),
        Output::Duty(row) => duty(connection, row),
        Output::Audit(row) => audit(connection, row),
        Output::Registry { seq, at, json } => put(
            connection,
            "REPLACE INTO registry (seq, at, body) VALUES (?1, ?2, ?3)",
            (int("registry seq", seq.0)?, at.0, json),
        ),
        Output::Shift(row) => shift(connection, row),
        Output::HandOver(row) => hand_over(connection, row),
        Output::AlarmService(row) => alarm_service(connection, row),
        Output::Message(row) => message(connection, row),
        Output::StateRemoved(name) => put(
            connection,
            "DELETE FROM state WHERE name = ?1",
            [name.as_str()],
        ),
        Output::State(row) => put(
            connection,
            "REPLACE INTO state (name, body) VALUES (?1, ?2)",
            (row.name.as_str(), &row.json),
        ),
    }
}

fn put(connection: &Connection, sql: &str, params: impl Params) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute(params)?;
    Ok(())
}

/// SQLite's integers end at 2^63 - 1.
pub(super) fn int(what: &'static str, number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Unstorable {
        what,
        detail: format!("{number} is above 2^63 - 1"),
    })
}

fn record(connection: &Connection, row: &RecordRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO record (outlet, kind, start, resent, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        (
            row.outlet.as_str(),
            row.kind.as_str(),
            row.start.0,
            row.resent,
            record_body(row)?,
        ),
    )
}

fn superseded(connection: &Connection, row: &SupersededRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO superseded (outlet, kind, start, factor, seq, by_seq, version, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            row.outlet.as_str(),
            row.kind.as_str(),
            row.start.0,
            row.old.value.factor.as_str(),
            int("superseded seq", row.old.seq.0)?,
            int("superseded by_seq", row.by_seq.0)?,
            row.old.superseded,
            value_body(&row.old)?,
        ),
    )
}

fn aggregate(connection: &Connection, row: &AggregateRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO aggregate (outlet, level, start, complete, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        (
            row.outlet.as_str(),
            row.level.as_str(),
            row.start.0,
            row.complete,
            aggregate_body(row)?,
        ),
    )
}

fn pack(connection: &Connection, row: &PackRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO pack (outlet, month, seq, body) VALUES (?1, ?2, ?3, ?4)",
        (
            row.outlet.as_str(),
            row.month.0,
            int("pack seq", row.seq.0)?,
            &row.body,
        ),
    )
}

fn clues(connection: &Connection, row: &ClueRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO clue (outlet, level, start, body) VALUES (?1, ?2, ?3, ?4)",
        (
            row.outlet.as_str(),
            row.level.as_str(),
            row.start.0,
            json("clues", row)?,
        ),
    )
}

fn quarter(connection: &Connection, row: &QuarterRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO quarter (outlet, start, body) VALUES (?1, ?2, ?3)",
        (row.outlet.as_str(), row.start.0, json("a quarter", row)?),
    )
}

fn mark(connection: &Connection, row: &MarkRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO mark (id, outlet, start, until, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        (
            int("mark id", row.id.0)?,
            row.mark.outlet.as_str(),
            row.mark.from.0,
            row.mark.until.0,
            json("a mark", row)?,
        ),
    )
}

fn qa(connection: &Connection, row: &QaRow) -> Result<(), StoreError> {
    let decides = row.withdrawn.is_none() && row.verdict.outcome != QaOutcome::NotJudged;
    put(
        connection,
        "REPLACE INTO qa_test (id, n, outlet, factor, kind, at, decides, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            int("test id", row.id.0)?,
            row.n,
            row.test.outlet.as_str(),
            row.test.factor.as_str(),
            row.test.kind.as_str(),
            row.test.at.0,
            decides,
            json("a test", row)?,
        ),
    )
}

fn review(connection: &Connection, row: &ReviewRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO review (outlet, quarter, body) VALUES (?1, ?2, ?3)",
        (row.outlet.as_str(), row.quarter.0, json("a review", row)?),
    )
}

fn latest(connection: &Connection, row: &LatestRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO latest (outlet, factor, body) VALUES (?1, ?2, ?3)",
        (
            row.outlet.as_str(),
            row.factor.as_str(),
            json("a latest value", row)?,
        ),
    )
}

fn device(connection: &Connection, row: &DeviceRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO device (mn, outlet, body) VALUES (?1, ?2, ?3)",
        (
            row.mn.as_str(),
            row.outlet.as_ref().map(|o| o.as_str()),
            json("a logger", row)?,
        ),
    )
}

fn quarantine(connection: &Connection, row: &QuarantineRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO quarantine (seq, n, at, reason, peer, mn, bytes, excerpt) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            int("quarantine seq", row.seq.0)?,
            row.n,
            row.at.0,
            row.reason.as_str(),
            row.peer.as_str(),
            row.mn.as_deref(),
            int("quarantine bytes", row.bytes)?,
            &row.excerpt,
        ),
    )
}

fn statement(connection: &Connection, row: &StatementRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO statement (outlet, cn, at, name, value, seq) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            row.outlet.as_str(),
            row.cn.as_str(),
            row.at.0,
            row.name.as_str(),
            &row.value,
            int("statement seq", row.seq.0)?,
        ),
    )
}

fn exchange(connection: &Connection, row: &ExchangeRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO exchange (id, outlet, open, body) VALUES (?1, ?2, ?3, ?4)",
        (
            int("exchange id", row.id.0)?,
            row.outlet.as_str(),
            !row.state.is_over(),
            json("an exchange", row)?,
        ),
    )
}

/// What stands in the `outlet` column for an enterprise as a whole; no outlet has such an id.
pub(crate) fn enterprise_place(enterprise: &EnterpriseId) -> OutletId {
    OutletId::new(format!("enterprise/{enterprise}"))
}

/// The same for a region as a whole.
pub(crate) fn region_place(region: &RegionId) -> OutletId {
    OutletId::new(format!("region/{region}"))
}

fn alarm(connection: &Connection, row: &AlarmRow) -> Result<(), StoreError> {
    let outlet = match &row.subject {
        AlarmSubject::Outlet(outlet) => Some(outlet.to_string()),
        AlarmSubject::Enterprise(enterprise) => Some(enterprise_place(enterprise).to_string()),
        AlarmSubject::Region(region) => Some(region_place(region).to_string()),
        AlarmSubject::Daemon(_) | AlarmSubject::Device(_) | AlarmSubject::Peer(_) => None,
    };
    put(
        connection,
        "REPLACE INTO alarm (id, outlet, priority, active, acknowledged, open, body, kind, \
         enterprise, region, raised_at, standing) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        (
            int("alarm id", row.id.0)?,
            outlet,
            row.priority.as_str(),
            row.active,
            row.acknowledged.is_some(),
            row.is_open(),
            json("an alarm", row)?,
            row.kind.as_str(),
            row.enterprise.as_ref().map(EnterpriseId::as_str),
            row.region.as_ref().map(RegionId::as_str),
            row.raised_at.0,
            row.state().as_str(),
        ),
    )
}

fn alarm_service(connection: &Connection, row: &AlarmServiceRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO alarm_service (outlet, kind, out, body) VALUES (?1, ?2, ?3, ?4)",
        (
            row.outlet.as_str(),
            row.kind.as_str(),
            row.out,
            json("an alarm service entry", row)?,
        ),
    )
}

fn shift(connection: &Connection, row: &ShiftRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO shift (start, until, body) VALUES (?1, ?2, ?3)",
        (row.shift.from.0, row.shift.until.0, json("a shift", row)?),
    )
}

fn hand_over(connection: &Connection, row: &HandOverRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO hand_over (id, at, body) VALUES (?1, ?2, ?3)",
        (
            int("hand-over id", row.id.0)?,
            row.at.0,
            json("a hand-over", row)?,
        ),
    )
}

fn message(connection: &Connection, row: &MessageRow) -> Result<(), StoreError> {
    let user = match &row.to {
        Recipient::User(user) => Some(user.as_str()),
        Recipient::Channel => None,
    };
    put(
        connection,
        "REPLACE INTO message (id, channel, user, at, deadline, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            int("message id", row.id.0)?,
            row.channel.as_str(),
            user,
            row.at.0,
            row.deadline.0,
            json("a message", row)?,
        ),
    )
}

fn fallback(connection: &Connection, row: &FallbackRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO fallback (id, outlet, open, body) VALUES (?1, ?2, ?3, ?4)",
        (
            int("fallback id", row.id.0)?,
            row.outlet.as_str(),
            row.closed_at.is_none(),
            json("a fallback", row)?,
        ),
    )
}

fn manual_report(connection: &Connection, row: &ManualReportRow) -> Result<(), StoreError> {
    let fallback = row
        .fallback
        .map(|id| int("manual report fallback", id.0))
        .transpose()?;
    put(
        connection,
        "REPLACE INTO manual_report (id, fallback, outlet, sampled_at, body) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
        (
            int("manual report id", row.id.0)?,
            fallback,
            row.report.outlet.as_str(),
            row.report.sampled_at.0,
            json("a manual report", row)?,
        ),
    )
}

/// What stands in the `subject` column for a subject of duties.
pub(super) fn duty_subject(subject: &DutySubject) -> String {
    format!("{}/{}", subject.kind().as_str(), subject.id())
}

fn duty(connection: &Connection, row: &DutyRow) -> Result<(), StoreError> {
    let outlet = match &row.subject {
        DutySubject::Outlet(id) => Some(id.as_str()),
        DutySubject::Enterprise(_) | DutySubject::Region(_) => None,
    };
    put(
        connection,
        "REPLACE INTO duty (key, rule, round, subject, outlet, enterprise, region, inside, due_at, \
         ended_at, open, gone, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        (
            row.key.as_str(),
            row.rule.as_str(),
            row.round.as_str(),
            duty_subject(&row.subject),
            outlet,
            row.enterprise.as_ref().map(|id| id.as_str()),
            row.region.as_ref().map(|id| id.as_str()),
            row.inside,
            row.due_at.0,
            row.ended_at().map(|at| at.0),
            row.is_open(),
            row.gone.is_some(),
            json("a duty", row)?,
        ),
    )
}

fn audit(connection: &Connection, row: &AuditRow) -> Result<(), StoreError> {
    put(
        connection,
        "REPLACE INTO audit (seq, n, at, who, what, object, detail) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            int("audit seq", row.seq.0)?,
            row.n,
            row.at.0,
            row.who.as_str(),
            row.what.as_str(),
            row.object.as_str(),
            &row.detail,
        ),
    )
}
