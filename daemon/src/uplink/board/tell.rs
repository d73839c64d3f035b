//! What the board tells of uploads: lines, receipts, gaps. Everything asks databases: call it on a
//! thread that may wait.

use super::{Entry, Line, UplinkBoard};
use crate::store::StoreError;
use crate::uplink::feed::{goes, owed_from};
use crate::uplink::gaps::{Known, Of, gaps};
use crate::uplink::link::FRESH_MS;
use crate::uplink::receipts::order;
use cems_core::model::{ForwardRow, Level, OutletId, Period, RecordKind, Seq, Timestamp};
use cems_dashboards::backend::{
    GAPS_MAX, SentFilter, SentRow, UplinkGap, UplinkLine, UplinkSummary,
};
use std::collections::{BTreeMap, BTreeSet};

/// Lines of the forward log that are looked through for what the feed has not taken in yet, or
/// counted as waiting for it.
const LAG_MAX: usize = 10_000;

/// Which outlets an actor may see.
pub(super) type Sees<'a> = &'a dyn Fn(&OutletId) -> bool;

/// Starts of the records formed here, by outlet and kind: several centres get the same.
type Formed = BTreeMap<(OutletId, RecordKind), Vec<Timestamp>>;

impl UplinkBoard {
    /// Whether the settings have such an uplink with an outlet that is seen.
    pub fn has(&self, uplink: &str, sees: Sees<'_>) -> bool {
        let of = self
            .uplinks
            .iter()
            .filter(|entry| entry.uplink.id == uplink);
        of.flat_map(|entry| &entry.lines)
            .any(|line| sees(&line.mailbox.outlet))
    }

    /// Whether any outlet that is seen goes to a centre. Asks no database.
    pub fn goes_anywhere(&self, sees: Sees<'_>) -> bool {
        self.uplinks
            .iter()
            .flat_map(|entry| &entry.lines)
            .any(|line| sees(&line.mailbox.outlet))
    }

    /// Every centre with the outlets that are seen. `whole`: with addresses, and with troubles,
    /// which may name them.
    ///
    /// # Errors
    /// Disk or damage of a database.
    pub fn summaries(&self, sees: Sees<'_>, whole: bool) -> Result<Vec<UplinkSummary>, StoreError> {
        let mut all = Vec::new();
        for entry in &self.uplinks {
            let lines = entry.seen(sees).map(|line| self.line_summary(line, whole));
            let lines: Vec<UplinkLine> = lines.collect::<Result<_, StoreError>>()?;
            if lines.is_empty() {
                continue;
            }
            let uplink = &entry.uplink;
            all.push(UplinkSummary {
                id: uplink.id.to_string(),
                address: whole.then(|| uplink.address.to_string()),
                edition: uplink.edition.as_str().to_owned(),
                answer: uplink.answer,
                history_days: uplink.history_days,
                lines,
            });
        }
        Ok(all)
    }

    fn line_summary(&self, line: &Line, whole: bool) -> Result<UplinkLine, StoreError> {
        let mailbox = &line.mailbox;
        let (standing, (seq, n)) = self.receipts.standing(mailbox)?;
        let midnight = Period::containing(Level::Day, self.clock.now(), self.offset).start;
        let (connected, last_error) = {
            let state = line.state();
            (state.connected, state.last_error.clone())
        };
        let outlet = mailbox.outlet.clone();
        Ok(UplinkLine {
            connected,
            last_error: last_error.filter(|_| whole),
            position: (seq > Seq(0)).then_some(seq),
            lag_rows: self.readers.forward_lag(&outlet, seq, n, LAG_MAX)?,
            pending: standing.pending,
            oldest_pending: standing.oldest,
            last_acknowledged: standing.last_acknowledged,
            acknowledged: standing.acknowledged,
            expired: standing.expired,
            today: self.receipts.day(mailbox, midnight)?,
            outlet,
        })
    }

    /// Records on their way and there, newest data time first.
    ///
    /// # Errors
    /// Disk or damage of `uplink.db`.
    pub fn sent(&self, sees: Sees<'_>, filter: &SentFilter) -> Result<Vec<SentRow>, StoreError> {
        let mut rows = Vec::new();
        for entry in self.asked(filter) {
            let outlets: BTreeSet<&OutletId> = entry
                .seen(sees)
                .map(|line| &line.mailbox.outlet)
                .filter(|outlet| filter.outlet.as_ref().is_none_or(|only| only == *outlet))
                .collect();
            if !outlets.is_empty() {
                rows.extend(self.receipts.sent(&entry.uplink.id, &outlets, filter)?);
            }
        }
        rows.sort_by_cached_key(|row| std::cmp::Reverse(order(row)));
        rows.truncate(filter.limit);
        Ok(rows)
    }

    /// Runs of records formed here without a receipt, newest first, at most [`GAPS_MAX`].
    ///
    /// # Errors
    /// Disk or damage of a database.
    pub fn gaps(&self, sees: Sees<'_>, filter: &SentFilter) -> Result<Vec<UplinkGap>, StoreError> {
        let (now, mut formed, mut all) = (self.clock.now(), Formed::new(), Vec::new());
        let moving = now.plus_ms(-FRESH_MS * i64::from(self.clock.speed()));
        let kinds = RecordKind::ALL.into_iter();
        let kinds: Vec<_> = kinds
            .filter(|kind| filter.kind.is_none_or(|only| only == *kind))
            .collect();
        for entry in self.asked(filter) {
            let from = filter.span.0.max(owed_from(&entry.uplink, now));
            let span = (from, filter.span.1);
            for line in entry.seen(sees) {
                let outlet = &line.mailbox.outlet;
                if filter.outlet.as_ref().is_some_and(|only| only != outlet) {
                    continue;
                }
                for kind in &kinds {
                    let starts = self.formed(&mut formed, outlet, *kind, filter.span)?;
                    all.extend(self.gaps_of(entry, line, *kind, (starts, span), moving)?);
                }
            }
        }
        all.sort_by_key(|gap| std::cmp::Reverse(gap.last));
        all.truncate(GAPS_MAX);
        Ok(all)
    }

    fn gaps_of(
        &self,
        entry: &Entry,
        line: &Line,
        kind: RecordKind,
        (starts, span): (&[Timestamp], (Timestamp, Timestamp)),
        moving: Timestamp,
    ) -> Result<Vec<UplinkGap>, StoreError> {
        let (mailbox, uplink) = (&line.mailbox, &entry.uplink);
        let Some(expected) = &line.formed else {
            return Ok(Vec::new());
        };
        // After the records were looked up: what the feed took in meanwhile is in the mailbox.
        let (_, (seq, n)) = self.receipts.standing(mailbox)?;
        let coming = self.readers.forward_after(seq, n, LAG_MAX)?;
        let of_line = |row: &&ForwardRow| row.outlet == mailbox.outlet && row.kind == kind;
        let coming: BTreeSet<Timestamp> =
            coming.iter().filter(of_line).map(|row| row.start).collect();
        let known = Known {
            waiting: self.receipts.waiting(mailbox, kind, span)?,
            settled: self.receipts.settled(mailbox, kind, span)?,
        };
        let owed = starts.iter().copied().filter(|start| {
            (span.0..span.1).contains(start)
                && goes(uplink, (kind, *start), expected, self.offset)
                && !coming.contains(start)
        });
        let of = Of {
            uplink: &mailbox.uplink,
            outlet: &mailbox.outlet,
            kind,
        };
        Ok(gaps(&of, owed, &known, moving))
    }

    fn formed<'f>(
        &self,
        formed: &'f mut Formed,
        outlet: &OutletId,
        kind: RecordKind,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<&'f [Timestamp], StoreError> {
        let key = (outlet.clone(), kind);
        if !formed.contains_key(&key) {
            let starts = self.readers.record_starts(outlet, kind, from, until)?;
            formed.insert(key.clone(), starts);
        }
        Ok(formed.get(&key).map_or(&[], Vec::as_slice))
    }

    /// The uplinks that a question is about.
    fn asked<'b>(&'b self, filter: &'b SentFilter) -> impl Iterator<Item = &'b Entry> {
        self.uplinks.iter().filter(|entry| {
            let only = filter.uplink.as_ref();
            only.is_none_or(|id| entry.uplink.id == id.as_str())
        })
    }
}

impl Entry {
    pub(super) fn seen(&self, sees: Sees<'_>) -> impl Iterator<Item = &Line> {
        self.lines
            .iter()
            .filter(move |line| sees(&line.mailbox.outlet))
    }
}
