//! Equipment out of control (失控): the last test of a factor that decides has failed.

use super::rule;
use crate::engine::alarms::{NewAlarm, ended, holds};
use crate::engine::context::{Cx, Site};
use crate::engine::state::{Live, Shared};
use crate::model::{AlarmKind, FactorCode, QaKind, QaOutcome};
use smol_str::{SmolStr, format_smolstr};

/// Looks at the last tests of some factors again: one was entered, stated or taken back.
pub(in crate::engine) fn tested(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    tests: impl IntoIterator<Item = (FactorCode, QaKind)>,
    cx: &mut Cx<'_>,
) {
    if rule(AlarmKind::OutOfControl, cx).is_none() {
        return;
    }
    for (factor, kind) in tests {
        let key = format_smolstr!("control|{factor}|{}", kind.as_str());
        let (last, _) = cx.history.qa_around(&site.outlet.id, &factor, kind, cx.at);
        let failed = last.filter(|row| row.verdict.outcome == QaOutcome::Failed);
        let conditions = &mut live.state.conditions;
        live.dirty = true;
        let Some(row) = failed else {
            ended(conditions, &mut shared.book, &key, "in-control", cx);
            continue;
        };
        let new = NewAlarm {
            factor: Some(factor),
            code: Some(SmolStr::new(kind.as_str())),
            facts: vec![("test", row.id.to_string())],
            ..NewAlarm::of(AlarmKind::OutOfControl, site.outlet, row.test.at)
        };
        holds(conditions, &mut shared.book, (&key, new), None, cx);
    }
}
