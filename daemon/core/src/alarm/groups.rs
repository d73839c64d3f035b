//! The desk's queue in few rows: alarms of one kind and one enterprise are one row, and where a
//! flood still gives too many, those of one kind and region, or of one kind.
//!
//! Only the kinds that flood are folded further: what happens elsewhere meanwhile keeps its rows.

use crate::model::{AlarmKind, AlarmState, EnterpriseId, Priority, RegionId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The desk has fewer rows than this: what two screens hold.
pub const GROUPS_BELOW: usize = 50;

/// Open alarms of one kind, place, priority and state, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Kind.
    pub kind: AlarmKind,
    /// Region concerned.
    pub region: Option<RegionId>,
    /// Enterprise concerned.
    pub enterprise: Option<EnterpriseId>,
    /// Priority.
    pub priority: Priority,
    /// State.
    pub state: AlarmState,
    /// How many.
    pub count: u64,
    /// When the oldest of them was raised.
    pub oldest: Timestamp,
}

/// What the alarms of a row have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupBy {
    /// Kind and enterprise.
    Enterprise,
    /// Kind and region.
    Region,
    /// Kind.
    Kind,
}

impl GroupBy {
    /// Every way, finest first.
    pub const ALL: [GroupBy; 3] = [Self::Enterprise, Self::Region, Self::Kind];

    /// The name in the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::Region => "region",
            Self::Kind => "kind",
        }
    }

    fn coarser(self) -> Option<Self> {
        match self {
            Self::Enterprise => Some(Self::Region),
            Self::Region => Some(Self::Kind),
            Self::Kind => None,
        }
    }
}

/// One row of the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What its alarms have in common.
    pub by: GroupBy,
    /// Kind.
    pub kind: AlarmKind,
    /// Region, when they have it in common and there is one.
    pub region: Option<RegionId>,
    /// Enterprise, when they have it in common and there is one.
    pub enterprise: Option<EnterpriseId>,
    /// The most urgent of them.
    pub priority: Priority,
    /// How many.
    pub count: u64,
    /// How many of them wait for somebody to take notice.
    pub waiting: u64,
    /// When the oldest was raised.
    pub oldest: Timestamp,
    /// How many in which state.
    pub states: BTreeMap<AlarmState, u64>,
}

/// Where a cell goes under a way of grouping.
type Key = (AlarmKind, Option<RegionId>, Option<EnterpriseId>);

fn key(cell: &Cell, by: GroupBy) -> Key {
    match by {
        GroupBy::Enterprise => (cell.kind, cell.region.clone(), cell.enterprise.clone()),
        GroupBy::Region => (cell.kind, cell.region.clone(), None),
        GroupBy::Kind => (cell.kind, None, None),
    }
}

/// Folds open alarms into fewer than [`GROUPS_BELOW`] rows, as long as there are fewer kinds than
/// that: what waits for somebody first, then by priority and age.
pub fn fold(cells: &[Cell]) -> Vec<Group> {
    let mut ways: BTreeMap<AlarmKind, (GroupBy, usize)> = BTreeMap::new();
    for kind in cells.iter().map(|cell| cell.kind) {
        ways.entry(kind).or_insert((GroupBy::Enterprise, 0));
    }
    let rows_of = |kind: AlarmKind, by: GroupBy| {
        let mine = cells.iter().filter(|cell| cell.kind == kind);
        let mut keys: Vec<Key> = mine.map(|cell| key(cell, by)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.len()
    };
    for (kind, (by, rows)) in &mut ways {
        *rows = rows_of(*kind, *by);
    }
    while ways.values().map(|(_, rows)| rows).sum::<usize>() >= GROUPS_BELOW {
        // The kind with the most rows gives way; of several the first in the list of kinds.
        let most = ways
            .iter_mut()
            .filter(|(_, (by, _))| by.coarser().is_some())
            .max_by_key(|(kind, (_, rows))| (*rows, std::cmp::Reverse(**kind)));
        let Some((kind, way)) = most else { break };
        let by = way.0.coarser().unwrap_or(way.0);
        *way = (by, rows_of(*kind, by));
    }
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    for cell in cells {
        let by = ways.get(&cell.kind).map_or(GroupBy::Kind, |(by, _)| *by);
        add(&mut groups, key(cell, by), cell, by);
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|g| (g.waiting == 0, g.priority, g.oldest, g.kind));
    groups
}

fn add(groups: &mut BTreeMap<Key, Group>, key: Key, cell: &Cell, by: GroupBy) {
    let (kind, region, enterprise) = key.clone();
    let group = groups.entry(key).or_insert_with(|| Group {
        by,
        kind,
        region,
        enterprise,
        priority: cell.priority,
        count: 0,
        waiting: 0,
        oldest: cell.oldest,
        states: BTreeMap::new(),
    });
    group.priority = group.priority.min(cell.priority);
    group.oldest = group.oldest.min(cell.oldest);
    group.count = group.count.saturating_add(cell.count);
    let of_state = group.states.entry(cell.state).or_default();
    *of_state = of_state.saturating_add(cell.count);
    let waits = matches!(
        cell.state,
        AlarmState::Unacknowledged | AlarmState::ReturnedUnacknowledged
    );
    if waits {
        group.waiting = group.waiting.saturating_add(cell.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell(kind: AlarmKind, region: u32, enterprise: u32, count: u64) -> Cell {
        Cell {
            kind,
            region: Some(format!("r{region}").as_str().into()),
            enterprise: Some(format!("e{enterprise}").as_str().into()),
            priority: kind.priority(),
            state: AlarmState::Unacknowledged,
            count,
            oldest: Timestamp(i64::from(enterprise)),
        }
    }

    #[test]
    fn one_enterprise_has_one_row_per_kind() {
        let mut second = cell(AlarmKind::NoData, 1, 7, 3);
        second.state = AlarmState::Acknowledged;
        second.oldest = Timestamp(1);
        let cells = [
            cell(AlarmKind::NoData, 1, 7, 2),
            second,
            cell(AlarmKind::ExceedanceHour, 1, 7, 1),
        ];
        let groups = fold(&cells);
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].kind, AlarmKind::ExceedanceHour);
        let silent = &groups[1];
        assert_eq!((silent.count, silent.waiting), (5, 2));
        assert_eq!(silent.oldest, Timestamp(1));
        assert_eq!(silent.by, GroupBy::Enterprise);
    }

    #[test]
    fn a_flood_folds_by_region_and_leaves_the_rest_as_it_was() {
        let mut cells: Vec<Cell> = (0..10_000)
            .map(|n| cell(AlarmKind::NoData, n % 12, n, 1))
            .collect();
        cells.push(cell(AlarmKind::ExceedanceHour, 3, 5, 1));
        cells.push(cell(AlarmKind::ExceedanceHour, 3, 6, 1));
        let groups = fold(&cells);
        assert_eq!(groups.len(), 14);
        let by = |by| groups.iter().filter(|g| g.by == by).count();
        assert_eq!((by(GroupBy::Region), by(GroupBy::Enterprise)), (12, 2));
        // Twelve hundred counties at once are one row.
        let cells: Vec<Cell> = (0..10_000)
            .map(|n| cell(AlarmKind::NoData, n % 1_200, n, 1))
            .collect();
        let groups = fold(&cells);
        assert_eq!((groups.len(), groups[0].count), (1, 10_000));
    }

    #[test]
    fn kinds_alone_always_fit() {
        assert!(AlarmKind::ALL.len() < GROUPS_BELOW);
    }

    proptest! {
        #[test]
        fn no_alarm_is_lost_and_the_rows_stay_few(
            picks in prop::collection::vec(
                (0..AlarmKind::ALL.len(), 0u32..9, 0u32..90, 0usize..8, 1u64..5),
                0..400,
            )
        ) {
            let cells: Vec<Cell> = picks
                .iter()
                .map(|&(kind, region, enterprise, state, count)| Cell {
                    state: AlarmState::ALL[state],
                    ..cell(AlarmKind::ALL[kind], region, enterprise, count)
                })
                .collect();
            let groups = fold(&cells);
            prop_assert!(groups.len() < GROUPS_BELOW);
            let total: u64 = groups.iter().map(|g| g.count).sum();
            prop_assert_eq!(total, cells.iter().map(|c| c.count).sum::<u64>());
            for group in &groups {
                prop_assert_eq!(group.count, group.states.values().sum::<u64>());
            }
        }
    }
}
