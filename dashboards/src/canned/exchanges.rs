//! Fictional exchanges with devices: one in every state, for every reason.

use super::held::Held;
use super::rows::NOW;
use cems_core::model::time::SECOND_MS;
use cems_core::model::{ExchangeRow, ExchangeState, ExchangeStep, OutletId, Seq, Timestamp};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// An exchange: id, outlet, command, parameters, who, why, seconds ago, state.
type ExchangeLine = (
    u64,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
    i64,
    ExchangeState,
);

/// A step: exchange, seconds after the order, code, detail.
type StepLine = (u64, i64, &'static str, &'static str);

const HOUR: &[(&str, &str)] = &[
    ("BeginTime", "20260318090000"),
    ("EndTime", "20260318110000"),
];
const MINUTES: &[(&str, &str)] = &[
    ("BeginTime", "20260318121400"),
    ("EndTime", "20260318143000"),
];
const CLOCK: &[(&str, &str)] = &[("SystemTime", "20260318101500")];
const NEW_KEY: &[(&str, &str)] = &[("SKCreateTime", "20260318030000"), ("NewSK", "***")];

#[rustfmt::skip]
const LINES: [ExchangeLine; 10] = {
    use ExchangeState as S;
    [
        (183_120, "hy-02", "1000", &[("OverTime", "5"), ("ReCount", "3")], "daemon", "initial",
            90_000, S::Cancelled),
        (183_410, "yt-01", "1014", NEW_KEY, "daemon", "key", 41_500, S::Done),
        (183_702, "qs-01", "2061", HOUR, "daemon", "gap", 16_500, S::Done),
        (183_800, "mx-02", "1012", CLOCK, "daemon", "time", 15_430, S::TimedOut),
        (183_850, "bl-01", "1072", &[("NewPW", "***")], "zhuguan", "order", 9_200, S::Done),
        (183_990, "yt-01", "3012", &[("PolId", "a21026")], "zhiban", "order", 6_300, S::Refused),
        (184_010, "yt-01", "3020", &[("PolId", "a21026"), ("InfoId", "i12001")], "zhiban", "order",
            6_100, S::Failed),
        (184_150, "hy-01", "2051", MINUTES, "daemon", "gap", 60, S::Queued),
        (184_190, "qs-01", "3011", &[("PolId", "a21002")], "zhiban", "order", 25, S::Accepted),
        (184_205, "qs-02", "1062", &[("RtdInterval", "60")], "zhuguan", "order", 4, S::Sent),
    ]
};

#[rustfmt::skip]
const STEPS: [StepLine; 26] = [
    (183_120, 600, "cancelled", "not-connected"),
    (183_410, 1, "sent", ""),
    (183_410, 2, "accepted", "QnRtn=1"),
    (183_410, 3, "done", "ExeRtn=1"),
    (183_702, 1, "sent", ""),
    (183_702, 3, "accepted", "QnRtn=1"),
    (183_702, 4, "data", "2061 DataTime=20260318070000"),
    (183_702, 5, "data", "2061 DataTime=20260318080000"),
    (183_702, 6, "data", "2061 DataTime=20260318090000"),
    (183_702, 7, "done", "ExeRtn=1"),
    (183_800, 1, "sent", ""),
    (183_800, 11, "sent-again", ""),
    (183_800, 21, "sent-again", ""),
    (183_800, 31, "timed-out", "no-answer"),
    (183_850, 1, "sent", ""),
    (183_850, 2, "accepted", "QnRtn=1"),
    (183_850, 4, "done", "ExeRtn=1"),
    (183_990, 1, "sent", ""),
    (183_990, 2, "refused", "QnRtn=2"),
    (184_010, 1, "sent", ""),
    (184_010, 2, "accepted", "QnRtn=1"),
    (184_010, 9, "failed", "ExeRtn=100"),
    (184_190, 1, "sent", ""),
    (184_190, 2, "accepted", "QnRtn=1"),
    (184_190, 14, "data", "3011 <b>i13004-Info=0.3</b>;PW=654321;"),
    (184_205, 1, "sent", ""),
];

fn row(line: &ExchangeLine) -> ExchangeRow {
    let (id, outlet, cn, params, by, why, ago_s, state) = line;
    let at = NOW.plus_ms(-ago_s * SECOND_MS);
    let steps = STEPS.iter().filter(|step| step.0 == *id);
    ExchangeRow {
        id: Seq(*id),
        outlet: OutletId::new(*outlet),
        cn: SmolStr::new(cn),
        params: params
            .iter()
            .map(|(name, value)| (SmolStr::new(name), (*value).to_owned()))
            .collect(),
        by: SmolStr::new(by),
        why: SmolStr::new(why),
        at,
        state: *state,
        steps: (1_u64..)
            .zip(steps)
            .map(|(n, (_, after_s, what, detail))| ExchangeStep {
                at: at.plus_ms(after_s * SECOND_MS),
                seq: Seq(id + n),
                what: SmolStr::new(what),
                detail: (*detail).to_owned(),
            })
            .collect(),
        more_steps: if *id == 183_702 { 21 } else { 0 },
    }
}

/// Exchanges by id.
pub(super) fn exchanges() -> BTreeMap<Seq, ExchangeRow> {
    LINES.iter().map(|line| (Seq(line.0), row(line))).collect()
}

/// An exchange just ordered.
pub(super) fn ordered(
    id: Seq,
    at: Timestamp,
    outlet: OutletId,
    cn: &str,
    params: Vec<(SmolStr, String)>,
    by: &str,
) -> ExchangeRow {
    ExchangeRow {
        id,
        outlet,
        cn: SmolStr::new(cn),
        params,
        by: SmolStr::new(by),
        why: SmolStr::new("order"),
        at,
        state: ExchangeState::Queued,
        steps: Vec::new(),
        more_steps: 0,
    }
}

impl Held {
    /// Adds a step; the outlet of the exchange, or `None` when there is none or it is over.
    pub(super) fn step(
        &mut self,
        id: Seq,
        what: &str,
        detail: &str,
        state: ExchangeState,
    ) -> Option<OutletId> {
        let seq = Seq(self.seq + 1);
        let row = self.exchanges.get_mut(&id)?;
        if row.state.is_over() {
            return None;
        }
        row.state = state;
        row.steps.push(ExchangeStep {
            at: NOW,
            seq,
            what: SmolStr::new(what),
            detail: detail.to_owned(),
        });
        let outlet = row.outlet.clone();
        self.seq = seq.0;
        Some(outlet)
    }
}
