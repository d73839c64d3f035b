//! Addresses about devices: commands to them, exchanges with them, the station's own.

use super::answers::ReceiptOut;
use super::calls::{Body, Id};
use super::convert::Convert;
use super::devices::*;
use super::problem::Answer;
use crate::app::Caller;
use crate::backend::{
    CommandForm, CommandParameter, InstrumentStatus, ParameterKind, StationStatus, UplinkStatus,
};
use crate::pages::Params;
use crate::view::exchange::{command_group, command_name, shown_detail, shown_param};
use axum::Json;
use cems_core::model::rows::Habits;
use cems_core::model::{ExchangeRow, OutletId, Permission, Seq, Timestamp};
use smol_str::SmolStr;

pub(super) async fn commands(caller: Caller, id: Id<String>) -> Answer<Vec<CommandOut>> {
    let id = OutletId::new(caller.id(id)?);
    let forms = caller.read(move |b, actor| b.commands(actor, &id)).await;
    let forms = forms.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().all(&forms, Convert::command)))
}

pub(super) async fn command(
    caller: Caller,
    id: Id<String>,
    body: Body<CommandIn>,
) -> Answer<ReceiptOut> {
    let outlet = OutletId::new(caller.id(id)?);
    caller
        .require(Permission::Command)
        .map_err(|e| caller.problem(&e))?;
    let body = caller.body(body)?;
    let asked = outlet.clone();
    let forms = caller.read(move |b, actor| b.commands(actor, &asked)).await;
    let order = forms
        .and_then(|forms| crate::pages::checked_order(outlet, &forms, &body.cn, &body.params))
        .map_err(|e| caller.problem(&e))?;
    let receipt = caller.app.backend.send_command(&caller.actor, order).await;
    let receipt = receipt.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().receipt(receipt)))
}

pub(super) async fn exchanges(caller: Caller, query: Params) -> Answer<Vec<ExchangeOut>> {
    let outlet = query.get("outlet").map(OutletId::new);
    let rows = caller
        .read(move |b, actor| b.exchanges(actor, outlet.as_ref()))
        .await;
    let rows = rows.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().all(&rows, Convert::exchange)))
}

pub(super) async fn exchange(caller: Caller, id: Id<u64>) -> Answer<ExchangeOut> {
    let id = Seq(caller.id(id)?);
    let row = caller.read(move |b, actor| b.exchange(actor, id)).await;
    let row = row.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().exchange(&row)))
}

pub(super) async fn station(caller: Caller) -> Answer<StationOut> {
    let status = caller.read(|b, actor| b.station(actor)).await;
    let status = status.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().station(&status)))
}

/// Habits in the shape of the API.
pub(super) fn habits(row: &Habits) -> HabitsOut {
    let text = |code: &Option<SmolStr>| code.as_ref().map(ToString::to_string);
    HabitsOut {
        crc: text(&row.crc),
        line_end: text(&row.line_end),
        encoding: text(&row.encoding),
        length: text(&row.length),
        case: text(&row.case),
        wants_answer: row.wants_answer,
        reads_answers: row.reads_answers,
        sets_clock: row.sets_clock,
        encryption: text(&row.encryption),
        clock_offset_s: row.clock_offset_s,
    }
}

impl Convert<'_> {
    fn command(&self, form: &CommandForm) -> CommandOut {
        CommandOut {
            cn: form.cn.clone(),
            label: self
                .words
                .pick(&form.label_zh, Some(&form.label_en))
                .to_owned(),
            group: command_group(&form.cn).to_owned(),
            intrusive: form.intrusive,
            parameters: self.all(&form.parameters, Self::parameter),
        }
    }

    fn parameter(&self, row: &CommandParameter) -> ParameterOut {
        let mut out = ParameterOut {
            name: row.name.clone(),
            label: self
                .words
                .pick(&row.label_zh, Some(&row.label_en))
                .to_owned(),
            kind: row.kind.as_str().to_owned(),
            min: None,
            max: None,
            choices: Vec::new(),
            chars: None,
            optional: row.optional,
            preset: row.preset.clone(),
        };
        match &row.kind {
            ParameterKind::Number { min, max } => {
                out.min = Some(*min);
                out.max = Some(*max);
            }
            ParameterKind::Choice(values) => out.choices.clone_from(values),
            ParameterKind::Text(chars) | ParameterKind::Secret(chars) => {
                out.chars = Some(u64::from(*chars));
            }
            ParameterKind::Time => {}
        }
        out
    }

    fn exchange(&self, row: &ExchangeRow) -> ExchangeOut {
        let params = row.params.iter().map(|(name, value)| ExchangeParamOut {
            name: name.to_string(),
            value: shown_param(name, value),
        });
        let steps = row.steps.iter().map(|step| StepOut {
            at: self.iso(step.at),
            seq: step.seq.0,
            what: step.what.to_string(),
            detail: shown_detail(&step.detail),
        });
        ExchangeOut {
            id: row.id.0,
            outlet: row.outlet.to_string(),
            cn: row.cn.to_string(),
            label: command_name(self.words, &row.cn),
            params: params.collect(),
            by: row.by.to_string(),
            why: row.why.to_string(),
            at: self.iso(row.at),
            state: row.state.as_str().to_owned(),
            over: row.state.is_over(),
            steps: steps.collect(),
            more_steps: u64::from(row.more_steps),
        }
    }

    pub(super) fn trouble(&self, trouble: Option<&(Timestamp, String)>) -> Option<TroubleOut> {
        trouble.map(|(at, text)| TroubleOut {
            at: self.iso(*at),
            text: text.clone(),
        })
    }

    fn instrument(&self, row: &InstrumentStatus) -> InstrumentOut {
        let readings = row.readings.iter().map(|(factor, value, flag)| ReadingOut {
            factor: factor.to_string(),
            value: value.clone(),
            flag: flag.clone(),
        });
        InstrumentOut {
            id: row.id.clone(),
            outlet: row.outlet.to_string(),
            bus: row.bus.clone(),
            map: row.map.clone(),
            ok: row.ok,
            last_ok: self.iso_opt(row.last_ok),
            last_error: self.trouble(row.last_error.as_ref()),
            polls: row.polls,
            failures: row.failures,
            readings: readings.collect(),
        }
    }

    fn uplink(&self, row: &UplinkStatus) -> UplinkOut {
        UplinkOut {
            id: row.id.clone(),
            address: row.address.clone(),
            edition: row.edition.clone(),
            connected: row.connected,
            pending: row.pending,
            oldest_pending: self.iso_opt(row.oldest_pending),
            last_acknowledged: self.iso_opt(row.last_acknowledged),
            acknowledged: row.acknowledged,
            last_error: self.trouble(row.last_error.as_ref()),
        }
    }

    fn station(&self, status: &StationStatus) -> StationOut {
        StationOut {
            instruments: self.all(&status.instruments, Self::instrument),
            uplinks: self.all(&status.uplinks, Self::uplink),
        }
    }
}
