//! Exchanges with devices: the row that pages show, kept up by the news in the journal.

use super::context::Cx;
use crate::model::exchange::EXCHANGE_STEPS_MAX;
use crate::model::{
    ExchangeNews, ExchangeRow, ExchangeState, ExchangeStep, OutletId, Output, QaKind, QaRow,
    QaTest, UserId,
};
use crate::qa;

/// Takes news. A step of an exchange nobody ordered (its order was in a journal that is lost) is
/// dropped here; the journal has it.
pub(super) fn news(outlet: &OutletId, news: ExchangeNews, cx: &mut Cx<'_>) {
    match news {
        ExchangeNews::Ordered {
            cn,
            params,
            by,
            why,
        } => cx.emit(Output::Exchange(ExchangeRow {
            id: cx.seq,
            outlet: outlet.clone(),
            cn,
            params,
            by,
            why,
            at: cx.at,
            state: ExchangeState::Queued,
            steps: Vec::new(),
            more_steps: 0,
        })),
        ExchangeNews::Step {
            id,
            what,
            detail,
            state,
        } => {
            let Some(mut row) = cx.history.exchange(id) else {
                return;
            };
            if row.outlet != *outlet || row.state.is_over() {
                return;
            }
            row.state = state;
            let step = ExchangeStep {
                at: cx.at,
                seq: cx.seq,
                what,
                detail,
            };
            if state == ExchangeState::Done && row.cn == CALIBRATION_CN {
                calibrated(&row, cx);
            }
            // The end is always shown; in between the journal has what the row leaves out.
            if row.steps.len() < EXCHANGE_STEPS_MAX || state.is_over() {
                row.steps.push(step);
            } else {
                row.more_steps = row.more_steps.saturating_add(1);
            }
            cx.emit(Output::Exchange(row));
        }
    }
}

/// Zero and span calibration by order (零点和量程校准).
const CALIBRATION_CN: &str = "3011";

/// A device has carried out a calibration that was ordered: noted among the tests of the equipment.
/// The answer holds no figures, so there is no verdict.
fn calibrated(row: &ExchangeRow, cx: &mut Cx<'_>) {
    let outlet = cx.registry.outlets.get(&row.outlet);
    let named = row.params.iter().find(|(name, _)| name == "PolId");
    let factor = named.and_then(|(_, code)| outlet?.factors.get_key_value(code.as_str()));
    let (Some(outlet), Some((factor, _))) = (outlet, factor) else {
        return;
    };
    let Some(profile) = cx.registry.profile_at(outlet, cx.at) else {
        return;
    };
    let test = QaTest {
        outlet: row.outlet.clone(),
        factor: factor.clone(),
        kind: QaKind::SpanDrift,
        at: cx.at,
        pairs: Vec::new(),
        full_scale: None,
        note: format!("exchange {}", row.id),
        attachments: Vec::new(),
        by: UserId::new(&row.by),
        from_cn: Some(row.cn.clone()),
    };
    let verdict = qa::judge(&test, profile, None);
    let (id, n, entered_at) = (cx.seq, 0, cx.at);
    cx.emit(Output::Qa(QaRow {
        id,
        n,
        test,
        entered_at,
        verdict,
        profile: profile.id.clone(),
        withdrawn: None,
    }));
    cx.audit(
        &row.by,
        "test.not-judged",
        format!("test/{id}"),
        factor.to_string(),
    );
}
