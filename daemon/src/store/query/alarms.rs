//! Lists of alarms, the cells the desk folds into rows, and what figures of the desk are made of.

use super::{Queries, body_at, int_capped, outlet_list, rows_capped, text_at, uint};
use crate::store::error::StoreError;
use cems_core::alarm::figures::Occurrence;
use cems_core::alarm::groups::Cell;
use cems_core::model::{
    AlarmId, AlarmKind, AlarmRow, AlarmServiceRow, AlarmState, EnterpriseId, OutletId, Priority,
    RegionId, Timestamp,
};
use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};
use std::collections::BTreeSet;

/// Alarms that figures are made of at most: ten a minute over the longest period asked for.
pub const OCCURRENCES_MAX: usize = 1_000_000;

/// Up to so many outlets are looked up one by one. More are a whole part of the site: going through
/// the alarms in their own order finds enough of theirs, or counts them from one index.
const LOOKED_UP_MAX: usize = 64;

/// Which alarms to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlarmFilter {
    /// Only those that stand on the desk.
    pub open_only: bool,
    /// Only of these outlets; `None`: all, also those of unknown loggers and peers.
    pub outlets: Option<BTreeSet<OutletId>>,
    /// Only of this kind.
    pub kind: Option<AlarmKind>,
    /// Only of this priority.
    pub priority: Option<Priority>,
    /// Only in these states; empty: in any.
    pub states: BTreeSet<AlarmState>,
    /// Only of this region.
    pub region: Option<RegionId>,
    /// Only of this enterprise.
    pub enterprise: Option<EnterpriseId>,
    /// Only those that this alarm stands for.
    pub covered_by: Option<AlarmId>,
    /// Only those numbered below this one (for paging).
    pub before: Option<AlarmId>,
    /// At most so many, and never more than [`LIST_MAX`](super::LIST_MAX).
    pub limit: usize,
}

/// A condition with its parameters, made as it is asked for: each combination is one text, finds
/// its index and stays prepared.
#[derive(Default)]
struct Where {
    text: String,
    values: Vec<Value>,
}

impl Where {
    fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        let n = self.values.len().to_string();
        self.plain(&condition.replace("?", &format!("?{n}")));
    }

    fn plain(&mut self, condition: &str) {
        let joint = if self.text.is_empty() {
            "WHERE "
        } else {
            " AND "
        };
        self.text.push_str(joint);
        self.text.push_str(condition);
    }

    fn of_states(&mut self, states: &BTreeSet<AlarmState>) -> Result<(), StoreError> {
        match (states.len(), states.first()) {
            (1, Some(state)) => self.and("standing = ?", state.as_str().to_owned()),
            (0, _) | (_, None) => {}
            _ => {
                let names = states.iter().map(|state| OutletId::new(state.as_str()));
                let list = outlet_list(&names.collect())?;
                self.and("standing IN (SELECT value FROM json_each(?))", list);
            }
        }
        Ok(())
    }

    fn of_outlets(&mut self, outlets: Option<&BTreeSet<OutletId>>) -> Result<(), StoreError> {
        if let Some(outlets) = outlets {
            let list = outlet_list(outlets)?;
            // The sign keeps SQLite from going by the index of outlets.
            let column = if outlets.len() > LOOKED_UP_MAX {
                "+outlet"
            } else {
                "outlet"
            };
            self.and(
                &format!("{column} IN (SELECT value FROM json_each(?))"),
                list,
            );
        }
        Ok(())
    }
}

fn condition(filter: &AlarmFilter) -> Result<Where, StoreError> {
    let mut asked = Where::default();
    if filter.open_only {
        asked.plain("open = 1");
    }
    if let Some(kind) = filter.kind {
        asked.and("kind = ?", kind.as_str().to_owned());
    }
    if let Some(region) = &filter.region {
        asked.and("region = ?", region.to_string());
    }
    if let Some(enterprise) = &filter.enterprise {
        asked.and("enterprise = ?", enterprise.to_string());
    }
    if let Some(priority) = filter.priority {
        asked.and("priority = ?", priority.as_str().to_owned());
    }
    asked.of_states(&filter.states)?;
    if let Some(id) = filter.covered_by {
        asked.plain("standing = 'suppressed'");
        let number = int_capped(id.0);
        asked.and("json_extract(body, '$.suppressed.covered_by') = ?", number);
    }
    asked.of_outlets(filter.outlets.as_ref())?;
    if let Some(before) = filter.before {
        asked.and("id < ?", int_capped(before.0));
    }
    Ok(asked)
}

impl Queries<'_> {
    /// Alarms, newest first.
    pub fn alarms(&self, filter: &AlarmFilter) -> Result<Vec<AlarmRow>, StoreError> {
        let mut asked = condition(filter)?;
        asked.values.push(Value::Integer(rows_capped(filter.limit)));
        let (text, n) = (&asked.text, asked.values.len());
        self.list(
            &format!("SELECT body FROM alarm {text} ORDER BY id DESC LIMIT ?{n}"),
            params_from_iter(asked.values),
            |row| body_at("alarm", row),
        )
    }

    /// Open alarms counted by kind, place, priority and state; `None`: of every outlet.
    pub fn open_alarm_cells(
        &self,
        outlets: Option<&BTreeSet<OutletId>>,
    ) -> Result<Vec<Cell>, StoreError> {
        let mut asked = Where::default();
        asked.plain("open = 1");
        asked.of_outlets(outlets)?;
        let by = "kind, region, enterprise, priority, standing";
        let text = &asked.text;
        self.list(
            &format!(
                "SELECT {by}, count(*), min(raised_at) FROM alarm {text} \
                 GROUP BY {by} ORDER BY {by}"
            ),
            params_from_iter(asked.values),
            cell,
        )
    }

    /// Alarms raised in `from <= t < until`, and those raised before that are still active, in the
    /// order raised, at most [`OCCURRENCES_MAX`].
    pub fn alarm_occurrences(
        &self,
        outlets: Option<&BTreeSet<OutletId>>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Occurrence>, StoreError> {
        let mut asked = Where::default();
        asked.and("raised_at < ?", until.0);
        asked.and("(raised_at >= ? OR (open = 1 AND active = 1))", from.0);
        asked.of_outlets(outlets)?;
        asked.values.push(Value::Integer(
            i64::try_from(OCCURRENCES_MAX).unwrap_or(i64::MAX),
        ));
        let (text, n) = (&asked.text, asked.values.len());
        self.list(
            &format!("SELECT body FROM alarm {text} ORDER BY raised_at, id LIMIT ?{n}"),
            params_from_iter(asked.values),
            |row| Ok(Occurrence::from(&body_at::<AlarmRow>("alarm", row)?)),
        )
    }

    /// Kinds of alarm that are out of service, by outlet.
    pub fn alarm_services(&self) -> Result<Vec<AlarmServiceRow>, StoreError> {
        self.list(
            "SELECT body FROM alarm_service WHERE out = 1 ORDER BY outlet, kind LIMIT ?1",
            [rows_capped(super::LIST_MAX)],
            |row| body_at("alarm_service", row),
        )
    }
}

fn cell(row: &Row<'_>) -> Result<Cell, StoreError> {
    let kind = text_at(row, 0)?;
    let kind = AlarmKind::ALL.iter().find(|known| known.as_str() == kind);
    let standing = text_at(row, 4)?;
    let state = AlarmState::ALL.iter().find(|s| s.as_str() == standing);
    let region: Option<String> = row.get(1)?;
    let enterprise: Option<String> = row.get(2)?;
    Ok(Cell {
        kind: *kind.ok_or_else(|| StoreError::Damaged("an alarm of no known kind".into()))?,
        region: region.map(RegionId::new),
        enterprise: enterprise.map(EnterpriseId::new),
        priority: super::trail::priority(&text_at(row, 3)?)?,
        state: *state.ok_or_else(|| StoreError::Damaged(format!("alarm state {standing}")))?,
        count: uint(row.get(5)?)?,
        oldest: Timestamp(row.get(6)?),
    })
}
