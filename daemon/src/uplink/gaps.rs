//! What no acknowledgement is on record for: records formed here against receipts.

use super::receipts::Waiting;
use cems_core::model::{RecordKind, Timestamp};
use cems_dashboards::backend::UplinkGap;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of the records of one kind in one mailbox.
pub(super) struct Known {
    /// Starts of records with a receipt.
    pub(super) settled: BTreeSet<Timestamp>,
    /// Records that wait.
    pub(super) waiting: BTreeMap<Timestamp, Waiting>,
}

/// Whose records.
pub(super) struct Of<'a> {
    pub(super) uplink: &'a str,
    pub(super) outlet: &'a cems_core::model::OutletId,
    pub(super) kind: RecordKind,
}

/// Runs of `formed` records, ascending, without a receipt. What was accepted after `moving` and
/// waits is on its way: it belongs to no gap and parts two.
pub(super) fn gaps(
    of: &Of<'_>,
    formed: impl IntoIterator<Item = Timestamp>,
    known: &Known,
    moving: Timestamp,
) -> Vec<UplinkGap> {
    let mut gaps = Vec::new();
    let mut open: Option<UplinkGap> = None;
    for start in formed {
        let waiting = known.waiting.get(&start);
        let is_on_its_way = waiting.is_some_and(|waiting| waiting.at > moving);
        if known.settled.contains(&start) || is_on_its_way {
            gaps.extend(open.take());
            continue;
        }
        let gap = open.get_or_insert_with(|| UplinkGap {
            uplink: of.uplink.to_owned(),
            outlet: of.outlet.clone(),
            kind: of.kind,
            first: start,
            last: start,
            records: 0,
            pending: 0,
            unanswered: 0,
        });
        gap.last = start;
        gap.records += 1;
        gap.pending += u64::from(waiting.is_some());
        gap.unanswered += u64::from(waiting.is_some_and(|waiting| waiting.sent));
    }
    gaps.extend(open);
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use cems_core::model::OutletId;

    fn shown(known: &Known, moving: i64) -> Vec<(i64, i64, u64, u64, u64)> {
        let outlet = OutletId::new("jia-1");
        let of = Of {
            uplink: "centre",
            outlet: &outlet,
            kind: RecordKind::Minute,
        };
        gaps(&of, (0..10).map(Timestamp), known, Timestamp(moving))
            .iter()
            .map(|g| (g.first.0, g.last.0, g.records, g.pending, g.unanswered))
            .collect()
    }

    #[test]
    fn a_gap_is_a_run_of_records_without_a_receipt() {
        let settled = |starts: &[i64]| starts.iter().copied().map(Timestamp).collect();
        let mut known = Known {
            settled: settled(&[0, 1, 5, 6]),
            waiting: BTreeMap::new(),
        };
        assert_eq!(shown(&known, 100), [(2, 4, 3, 0, 0), (7, 9, 3, 0, 0)]);

        // Two of the first wait, one of them was sent; the last one was formed a moment ago.
        let waiting = |at: i64, sent| Waiting {
            at: Timestamp(at),
            sent,
        };
        known.waiting = BTreeMap::from([
            (Timestamp(3), waiting(50, true)),
            (Timestamp(4), waiting(51, false)),
            (Timestamp(9), waiting(101, true)),
        ]);
        assert_eq!(shown(&known, 100), [(2, 4, 3, 2, 1), (7, 8, 2, 0, 0)]);

        known.settled = settled(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(shown(&known, 100).is_empty());
    }
}
