//! What the addresses of the duty desk do.

use super::answers::{AcknowledgeIn, CloseIn, ReceiptOut};
use super::calls::{Body, Id};
use super::desk::*;
use super::problem::{Answer, Problem};
use super::schema::Iso;
use crate::app::Caller;
use crate::backend::{AlarmAct, AlarmFilter, AlarmVerb};
use crate::pages::{Params, alarm_filter, checked_act, checked_note};
use axum::Json;
use cems_core::alarm::figures::SPAN_MS_MAX;
use cems_core::model::time::DAY_MS;
use cems_core::model::{AlarmId, AlarmKind, HandOver, OutletId, Permission, Shift, UserId};
use std::collections::BTreeSet;

/// Length shown when nobody says from when.
const USUAL_MS: i64 = 7 * DAY_MS;

fn queue_filter(caller: &Caller, query: &Params) -> Result<AlarmFilter, Problem> {
    alarm_filter(query).map_err(|text| caller.bad(text))
}

pub(super) async fn desk(caller: Caller, query: Params) -> Answer<DeskOut> {
    let filter = queue_filter(&caller, &query)?;
    let view = caller.rows(move |b, actor| b.desk(actor, &filter)).await?;
    Ok(Json(caller.convert().desk(&view)))
}

pub(super) async fn groups(caller: Caller, query: Params) -> Answer<QueueOut> {
    let filter = queue_filter(&caller, &query)?;
    let queue = caller
        .rows(move |b, actor| b.alarm_groups(actor, &filter))
        .await?;
    Ok(Json(caller.convert().queue(&queue)))
}

pub(super) async fn figures(caller: Caller, query: Params) -> Answer<FiguresOut> {
    let (from, until) = caller.span_of(&query, USUAL_MS, SPAN_MS_MAX)?;
    let figures = caller
        .rows(move |b, actor| b.alarm_figures(actor, from, until))
        .await?;
    Ok(Json(caller.convert().figures(&figures)))
}

pub(super) async fn roster(caller: Caller, query: Params) -> Answer<RosterOut> {
    let (from, until) = if query.contains_key("from") || query.contains_key("until") {
        caller.span_of(&query, USUAL_MS, SPAN_MS_MAX)?
    } else {
        let now = caller.app.backend.now();
        (now, now.plus_ms(USUAL_MS))
    };
    let view = caller
        .rows(move |b, actor| b.roster(actor, from, until))
        .await?;
    Ok(Json(caller.convert().roster(&view)))
}

/// Does something to an alarm.
async fn act(
    verb: AlarmVerb,
    caller: Caller,
    id: Id<u64>,
    note: Option<&String>,
    until: Option<&Iso>,
) -> Answer<ReceiptOut> {
    let id = AlarmId(caller.id(id)?);
    let until = until.map(|Iso(text)| caller.instant(text)).transpose()?;
    let note = checked_act(verb, note).map_err(|e| caller.problem(&e))?;
    let act = AlarmAct { verb, note, until };
    let backend = &caller.app.backend;
    let receipt = backend.act_on_alarm(&caller.actor, id, act).await;
    let receipt = receipt.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().receipt(receipt)))
}

pub(super) async fn acknowledge(
    caller: Caller,
    id: Id<u64>,
    body: Body<AcknowledgeIn>,
) -> Answer<ReceiptOut> {
    let verb = AlarmVerb::Acknowledge;
    caller.allow(verb.permission())?;
    let body = caller.body(body)?;
    act(verb, caller, id, Some(&body.note), body.until.as_ref()).await
}

pub(super) async fn shelve(
    caller: Caller,
    id: Id<u64>,
    body: Body<ShelveIn>,
) -> Answer<ReceiptOut> {
    let verb = AlarmVerb::Shelve;
    caller.allow(verb.permission())?;
    let body = caller.body(body)?;
    act(verb, caller, id, Some(&body.note), Some(&body.until)).await
}

pub(super) async fn close(caller: Caller, id: Id<u64>, body: Body<CloseIn>) -> Answer<ReceiptOut> {
    let verb = AlarmVerb::Close;
    caller.allow(verb.permission())?;
    let body = caller.body(body)?;
    act(verb, caller, id, Some(&body.conclusion), None).await
}

pub(super) async fn noted(
    verb: AlarmVerb,
    caller: Caller,
    id: Id<u64>,
    body: Body<NoteIn>,
) -> Answer<ReceiptOut> {
    caller.allow(verb.permission())?;
    let body = caller.body(body)?;
    act(verb, caller, id, Some(&body.note), None).await
}

pub(super) async fn remarked(
    verb: AlarmVerb,
    caller: Caller,
    id: Id<u64>,
    body: Body<RemarkIn>,
) -> Answer<ReceiptOut> {
    caller.allow(verb.permission())?;
    let body = caller.body(body)?;
    act(verb, caller, id, body.note.as_ref(), None).await
}

pub(super) async fn service(
    caller: Caller,
    id: Id<String>,
    body: Body<AlarmServiceIn>,
) -> Answer<ReceiptOut> {
    let outlet = OutletId::new(caller.id(id)?);
    caller.allow(Permission::ManageDesk)?;
    let body = caller.body(body)?;
    let kind = AlarmKind::ALL
        .iter()
        .find(|kind| kind.as_str() == body.kind);
    let kind = *kind.ok_or_else(|| caller.bad(format!("kind {}", body.kind)))?;
    let note = checked_note(Some(&body.note)).map_err(|e| caller.problem(&e))?;
    let backend = &caller.app.backend;
    let receipt = backend
        .set_alarm_service(&caller.actor, outlet, kind, body.out, note)
        .await;
    let receipt = receipt.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().receipt(receipt)))
}

fn people(names: &[String]) -> BTreeSet<UserId> {
    names.iter().map(UserId::new).collect()
}

pub(super) async fn hand_over(caller: Caller, body: Body<HandOverIn>) -> Answer<ReceiptOut> {
    caller.allow(Permission::AcknowledgeAlarm)?;
    let body = caller.body(body)?;
    let note = checked_note(Some(&body.note)).map_err(|e| caller.problem(&e))?;
    let over = HandOver {
        from: caller.actor.user.clone(),
        to: people(&body.to),
        note,
    };
    let receipt = caller.app.backend.hand_over(&caller.actor, over).await;
    let receipt = receipt.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().receipt(receipt)))
}

pub(super) async fn shift(caller: Caller, body: Body<ShiftIn>) -> Answer<ReceiptOut> {
    caller.allow(Permission::ManageDesk)?;
    let body = caller.body(body)?;
    let (Iso(from), Iso(until)) = (&body.from, &body.until);
    let shift = Shift {
        from: caller.instant(from)?,
        until: caller.instant(until)?,
        people: people(&body.people),
        by: caller.actor.user.clone(),
    };
    let receipt = caller.app.backend.enter_shift(&caller.actor, shift).await;
    let receipt = receipt.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().receipt(receipt)))
}
