//! What the addresses of the API do.

use super::answers::*;
use super::convert::Convert;
use super::problem::{Answer, Problem};
use super::shapes::*;
use crate::app::Caller;
use crate::backend::{Actor, AlarmFilter, Backend, BackendError};
use crate::format::Times;
use crate::pages::Params;
use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::StatusCode;
use cems_core::model::time::DAY_MS;
use cems_core::model::{
    AlarmId, FallbackId, Level, OutletId, Permission, RecordKind, Seq, Timestamp,
};
use chrono::DateTime;

/// Longest span of records in one answer: a month of minute records is some tens of thousands of
/// rows. Longer spans are refused with a text that says so.
const RECORD_SPAN_MS_MAX: i64 = 31 * DAY_MS;
/// Longest span of hour aggregates in one answer.
const HOUR_SPAN_MS_MAX: i64 = 366 * DAY_MS;

pub(super) type Id<T> = Result<Path<T>, PathRejection>;
pub(super) type Body<T> = Result<Json<T>, JsonRejection>;

impl Caller {
    pub(super) fn convert(&self) -> Convert<'_> {
        Convert {
            registry: &self.registry,
            words: self.words,
            times: Times {
                offset: self.registry.offset,
                now: self.app.backend.now(),
                words: self.words,
            },
        }
    }

    pub(super) fn problem(&self, error: &BackendError) -> Problem {
        Problem::from_error(self.words, error)
    }

    pub(super) fn bad(&self, detail: impl AsRef<str>) -> Problem {
        Problem::bad_request(self.words, detail.as_ref())
    }

    /// A read of the backend, or the problem it had.
    pub(super) async fn rows<T, F>(&self, read: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Backend, &Actor) -> Result<T, BackendError> + Send + 'static,
    {
        self.read(read).await.map_err(|e| self.problem(&e))
    }

    /// The problem of a role that may not do this.
    pub(super) fn allow(&self, permission: Permission) -> Result<(), Problem> {
        self.require(permission).map_err(|e| self.problem(&e))
    }

    /// The kind of record of that name.
    pub(super) fn kind(&self, name: &str) -> Result<RecordKind, Problem> {
        RecordKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| self.bad(format!("kind {name}")))
    }

    pub(super) fn id<T>(&self, id: Id<T>) -> Result<T, Problem> {
        id.map(|Path(id)| id)
            .map_err(|_| self.problem(&BackendError::NotFound))
    }

    pub(super) fn body<T>(&self, body: Body<T>) -> Result<T, Problem> {
        body.map(|Json(body)| body).map_err(|e| {
            if e.status() == StatusCode::PAYLOAD_TOO_LARGE {
                self.problem(&crate::upload::json_too_large())
            } else {
                self.bad(e.body_text())
            }
        })
    }

    pub(super) fn instant(&self, text: &str) -> Result<Timestamp, Problem> {
        DateTime::parse_from_rfc3339(text)
            .map(|at| Timestamp(at.timestamp_millis()))
            .map_err(|_| self.bad(format!("time {text}")))
    }

    /// `from` and `until` of a query; the last day when not given.
    fn span(&self, query: &Params, max_ms: i64) -> Result<(Timestamp, Timestamp), Problem> {
        self.span_of(query, DAY_MS, max_ms)
    }

    /// `from` and `until` of a query; the last `usual_ms` when not given.
    pub(super) fn span_of(
        &self,
        query: &Params,
        usual_ms: i64,
        max_ms: i64,
    ) -> Result<(Timestamp, Timestamp), Problem> {
        let asked = |name: &str| query.get(name).map(|text| self.instant(text)).transpose();
        let until = asked("until")?.unwrap_or_else(|| self.app.backend.now());
        let from = asked("from")?.unwrap_or_else(|| until.plus_ms(-usual_ms));
        if from > until {
            return Err(self.bad("from > until"));
        }
        if until.since_ms(from) > max_ms {
            return Err(self.bad(format!("until - from > {} d", max_ms / DAY_MS)));
        }
        Ok((from, until))
    }
}

pub(super) fn flag(query: &Params, name: &str) -> bool {
    query.get(name).is_some_and(|v| v == "true" || v == "1")
}

pub(super) async fn overview(caller: Caller) -> Answer<OverviewOut> {
    let rows = caller.read(|b, actor| b.overview(actor)).await;
    let rows = rows.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().overview(&rows)))
}

pub(super) async fn outlets(caller: Caller) -> Answer<Vec<OutletOut>> {
    let rows = caller.read(|b, actor| b.overview(actor)).await;
    let rows = rows.map_err(|e| caller.problem(&e))?;
    let convert = caller.convert();
    Ok(Json(
        rows.outlets.iter().map(|o| convert.outlet(o)).collect(),
    ))
}

pub(super) async fn outlet(caller: Caller, id: Id<String>) -> Answer<OutletDetailOut> {
    let id = OutletId::new(caller.id(id)?);
    let row = caller.read(move |b, actor| b.outlet(actor, &id)).await;
    let row = row.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().outlet_detail(&row)))
}

pub(super) async fn records(
    caller: Caller,
    id: Id<String>,
    query: Params,
) -> Answer<Vec<RecordOut>> {
    let id = OutletId::new(caller.id(id)?);
    let name = query.get("kind").map_or("realtime", String::as_str);
    let kind = caller.kind(name)?;
    let (from, until) = caller.span(&query, RECORD_SPAN_MS_MAX)?;
    let rows = caller
        .read(move |b, a| b.records(a, &id, kind, from, until))
        .await;
    let rows = rows.map_err(|e| caller.problem(&e))?;
    let convert = caller.convert();
    Ok(Json(rows.iter().map(|r| convert.record(r)).collect()))
}

pub(super) async fn aggregates(
    caller: Caller,
    id: Id<String>,
    query: Params,
) -> Answer<Vec<AggregateOut>> {
    let id = OutletId::new(caller.id(id)?);
    let name = query.get("level").map_or("hour", String::as_str);
    let level = Level::ALL
        .into_iter()
        .find(|level| level.as_str() == name)
        .ok_or_else(|| caller.bad(format!("level {name}")))?;
    let max = if level == Level::Hour {
        HOUR_SPAN_MS_MAX
    } else {
        i64::MAX
    };
    let (from, until) = if level == Level::Hour || query.contains_key("from") {
        caller.span(&query, max)?
    } else {
        // Days, months and years: all there are, for they are few.
        (Timestamp(0), caller.app.backend.now())
    };
    let rows = caller
        .read(move |b, a| b.aggregates(a, &id, level, from, until))
        .await;
    let rows = rows.map_err(|e| caller.problem(&e))?;
    let convert = caller.convert();
    Ok(Json(rows.iter().map(|r| convert.aggregate(r)).collect()))
}

pub(super) async fn alarms(caller: Caller, query: Params) -> Answer<Vec<AlarmOut>> {
    let filter = AlarmFilter {
        open_only: flag(&query, "open"),
        ..crate::pages::alarm_filter(&query).map_err(|text| caller.bad(text))?
    };
    let rows = caller.read(move |b, actor| b.alarms(actor, &filter)).await;
    let rows = rows.map_err(|e| caller.problem(&e))?;
    let convert = caller.convert();
    Ok(Json(rows.iter().map(|r| convert.alarm(r)).collect()))
}

pub(super) async fn alarm(caller: Caller, id: Id<u64>) -> Answer<AlarmDetailOut> {
    let id = AlarmId(caller.id(id)?);
    let row = caller.read(move |b, actor| b.alarm(actor, id)).await;
    let row = row.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().alarm_detail(&row)))
}

pub(super) async fn fallbacks(caller: Caller, query: Params) -> Answer<Vec<FallbackOut>> {
    let open_only = flag(&query, "open");
    let rows = caller
        .read(move |b, actor| b.fallbacks(actor, open_only))
        .await;
    let rows = rows.map_err(|e| caller.problem(&e))?;
    let convert = caller.convert();
    Ok(Json(rows.iter().map(|r| convert.fallback(r)).collect()))
}

pub(super) async fn fallback(caller: Caller, id: Id<u64>) -> Answer<FallbackDetailOut> {
    let id = FallbackId(caller.id(id)?);
    let row = caller.read(move |b, actor| b.fallback(actor, id)).await;
    let row = row.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().fallback_detail(&row)))
}

pub(super) async fn decide(
    caller: Caller,
    id: Id<String>,
    body: Body<DecisionIn>,
) -> Answer<ReceiptOut> {
    let outlet = OutletId::new(caller.id(id)?);
    caller
        .require(Permission::DecideFallback)
        .map_err(|e| caller.problem(&e))?;
    let body = caller.body(body)?;
    let note = crate::pages::checked_note(Some(&body.note)).map_err(|e| caller.problem(&e))?;
    let backend = &caller.app.backend;
    let receipt = backend
        .decide_fallback(&caller.actor, outlet, body.open, note)
        .await;
    let receipt = receipt.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().receipt(receipt)))
}

pub(super) async fn quarantine(caller: Caller) -> Answer<Vec<QuarantineOut>> {
    let rows = caller.read(|b, actor| b.quarantine(actor)).await;
    let rows = rows.map_err(|e| caller.problem(&e))?;
    let convert = caller.convert();
    Ok(Json(rows.iter().map(|r| convert.quarantine(r)).collect()))
}

pub(super) async fn audit(caller: Caller, query: Params) -> Answer<Vec<AuditOut>> {
    caller
        .require(Permission::ViewAudit)
        .map_err(|e| caller.problem(&e))?;
    let before = match query.get("before") {
        None => None,
        Some(text) => Some(
            text.parse()
                .map_err(|_| caller.bad(format!("before {text}")))?,
        ),
    };
    let rows = caller
        .read(move |b, actor| b.audit(actor, before.map(Seq)))
        .await;
    let rows = rows.map_err(|e| caller.problem(&e))?;
    let convert = caller.convert();
    Ok(Json(rows.iter().map(|r| convert.audit(r)).collect()))
}

pub(super) async fn health(caller: Caller) -> Answer<HealthOut> {
    let health = caller.read(|b, _| Ok(b.health())).await;
    Ok(Json(health.map_err(|e| caller.problem(&e))?.into()))
}
