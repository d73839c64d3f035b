//! Exchanges with devices: the row that pages show, kept up by the news in the journal.

use super::context::Cx;
use crate::model::exchange::EXCHANGE_STEPS_MAX;
use crate::model::{ExchangeNews, ExchangeRow, ExchangeState, ExchangeStep, OutletId, Output};

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
