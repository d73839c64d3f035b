//! Fictional uploads: a centre that takes everything and one whose line is cut.

use super::Canned;
use super::held::access;
use super::rows::NOW;
use crate::backend::{
    Actor, BackendError, LineDay, Receipt, Reply, SentFilter, SentPlace, SentRow, SentState,
    UplinkBackend, UplinkGap, UplinkLine, UplinkReplay, UplinkReplayAsk, UplinkSummary,
};
use cems_core::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use cems_core::model::{OutletId, RecordKind, Seq, Timestamp};

/// When the line to the city was cut.
const CUT: Timestamp = Timestamp(NOW.0 - 64 * MINUTE_MS);
/// Ten minutes, as the records of this fiction.
const STEP_MS: i64 = 10 * MINUTE_MS;
/// Data time of the newest minute record: 14:20.
const NEWEST: Timestamp = Timestamp(NOW.0 - 12 * MINUTE_MS - 10 * SECOND_MS);
/// Minute records of each line of this fiction.
const RECORDS: i64 = 12;

fn line(outlet: &str, cut: bool) -> UplinkLine {
    let refused = "connect 192.0.2.80:9003: connection refused".to_owned();
    UplinkLine {
        outlet: OutletId::new(outlet),
        connected: !cut,
        last_error: cut.then(|| (NOW.plus_ms(-20 * SECOND_MS), refused)),
        position: Some(Seq(184_207)),
        lag_rows: u64::from(!cut),
        pending: if cut { 642 } else { 1 },
        oldest_pending: Some(if cut { CUT } else { NEWEST }),
        last_acknowledged: Some(if cut { CUT } else { NOW.plus_ms(-SECOND_MS) }),
        acknowledged: 101_559,
        expired: if cut { 3 } else { 0 },
        today: LineDay {
            acknowledged: 1_604,
            resent: if cut { 12 } else { 0 },
            unanswered: u64::from(cut),
        },
    }
}

/// The uplinks of this fiction.
pub(super) fn uplinks() -> Vec<UplinkSummary> {
    let uplink = |id: &str, address: &str, edition: &str, cut: bool| UplinkSummary {
        id: id.to_owned(),
        address: Some(address.to_owned()),
        edition: edition.to_owned(),
        answer: true,
        history_days: 30,
        lines: ["qs-01", "yt-01"].map(|outlet| line(outlet, cut)).into(),
    };
    vec![
        uplink("city", "192.0.2.80:9003", "2017", true),
        uplink("province", "198.51.100.10:9025", "2025", false),
    ]
}

/// One record on its way to one centre.
fn record(uplink: &str, outlet: &str, start: Timestamp, kind: RecordKind, n: u64) -> SentRow {
    let formed = start.plus_ms(STEP_MS + 2 * SECOND_MS);
    let cut = uplink == "city" && formed >= CUT;
    let state = match (cut, n) {
        (false, _) => SentState::Acknowledged,
        (true, 0) => SentState::Unanswered,
        (true, _) => SentState::Waiting,
    };
    // One answer was lost on the way, and one record was corrected.
    let resent = uplink == "city" && n == 9;
    let corrected = uplink == "province" && n == 3;
    let sent = state != SentState::Waiting;
    let last = formed.plus_ms(if resent { 35 * SECOND_MS } else { 0 });
    SentRow {
        uplink: uplink.to_owned(),
        outlet: OutletId::new(outlet),
        kind,
        start,
        seq: Seq(184_200 - 12 * n),
        state,
        times: u32::from(sent) + u32::from(resent || corrected),
        first_sent: sent.then_some(formed),
        last_sent: sent.then_some(last),
        settled_at: (state == SentState::Acknowledged).then(|| last.plus_ms(60)),
        answer: (state == SentState::Acknowledged).then(|| "9014".to_owned()),
        resent,
        corrected,
    }
}

/// Every record of this fiction, newest first.
fn rows() -> Vec<SentRow> {
    let mut rows = Vec::new();
    for n in 0..RECORDS {
        let start = NEWEST.plus_ms(-n * STEP_MS);
        for uplink in ["province", "city"] {
            for outlet in ["yt-01", "qs-01"] {
                let n = n.unsigned_abs();
                rows.push(record(uplink, outlet, start, RecordKind::Minute, n));
            }
        }
    }
    let hour = NEWEST.plus_ms(-20 * MINUTE_MS - HOUR_MS);
    let passed = SentRow {
        state: SentState::NotOwed,
        times: 0,
        first_sent: None,
        last_sent: None,
        settled_at: Some(hour.plus_ms(HOUR_MS)),
        answer: None,
        ..record("province", "qs-01", hour, RecordKind::Hour, 1)
    };
    rows.push(passed);
    rows.sort_by_key(|row| std::cmp::Reverse(key(&SentPlace::of(row))));
    rows
}

/// What the list is sorted by.
fn key(place: &SentPlace) -> (Timestamp, String, OutletId, RecordKind) {
    let SentPlace {
        start,
        uplink,
        outlet,
        kind,
    } = place.clone();
    (start, uplink, outlet, kind)
}

impl Canned {
    /// Takes every uplink away, for tests of a daemon that uploads nothing.
    pub fn without_uplinks(&self) {
        self.lock().uplinks.clear();
    }

    pub(super) fn seen_uplinks(&self, actor: &Actor) -> Vec<UplinkSummary> {
        let held = self.lock();
        let whole = access(actor).sees_all();
        let mut all = held.uplinks.clone();
        for uplink in &mut all {
            uplink.lines.retain(|line| held.sees(actor, &line.outlet));
            if !whole {
                uplink.address = None;
                for line in &mut uplink.lines {
                    line.last_error = None;
                }
            }
        }
        all.retain(|uplink| !uplink.lines.is_empty());
        all
    }

    fn seen_rows(&self, actor: &Actor, filter: &SentFilter) -> Result<Vec<SentRow>, BackendError> {
        let uplinks = self.seen_uplinks(actor);
        if let Some(outlet) = &filter.outlet {
            self.lock().outlet(actor, outlet)?;
        }
        let known = |id: &String| uplinks.iter().any(|uplink| uplink.id == *id);
        if filter.uplink.as_ref().is_some_and(|id| !known(id)) {
            return Err(BackendError::NotFound);
        }
        let (from, until) = filter.span;
        let wanted = |row: &SentRow| {
            let line = |uplink: &UplinkSummary| {
                uplink.id == row.uplink && uplink.lines.iter().any(|l| l.outlet == row.outlet)
            };
            uplinks.iter().any(line)
                && filter.uplink.as_ref().is_none_or(|id| *id == row.uplink)
                && filter.outlet.as_ref().is_none_or(|id| *id == row.outlet)
                && filter.kind.is_none_or(|kind| kind == row.kind)
                && (from..until).contains(&row.start)
        };
        Ok(rows().into_iter().filter(wanted).collect())
    }
}

impl UplinkBackend for Canned {
    fn has_uplinks(&self, actor: &Actor) -> bool {
        !self.seen_uplinks(actor).is_empty()
    }

    fn is_uploaded(&self, outlet: &OutletId) -> bool {
        let held = self.lock();
        let mut lines = held.uplinks.iter().flat_map(|uplink| &uplink.lines);
        lines.any(|line| line.outlet == *outlet)
    }

    fn uplinks(&self, actor: &Actor) -> Result<Vec<UplinkSummary>, BackendError> {
        Ok(self.seen_uplinks(actor))
    }

    fn sent(&self, actor: &Actor, filter: &SentFilter) -> Result<Vec<SentRow>, BackendError> {
        let mut rows = self.seen_rows(actor, filter)?;
        rows.retain(|row| !filter.open_only || row.state.is_open());
        if let Some(behind) = &filter.behind {
            rows.retain(|row| key(&SentPlace::of(row)) < key(behind));
        }
        rows.truncate(filter.limit);
        Ok(rows)
    }

    fn uplink_gaps(
        &self,
        actor: &Actor,
        filter: &SentFilter,
    ) -> Result<Vec<UplinkGap>, BackendError> {
        let mut gaps: Vec<UplinkGap> = Vec::new();
        for row in self.seen_rows(actor, filter)? {
            if !row.state.is_open() {
                continue;
            }
            let unanswered = u64::from(row.state == SentState::Unanswered);
            let of = |gap: &&mut UplinkGap| gap.uplink == row.uplink && gap.outlet == row.outlet;
            if let Some(gap) = gaps.iter_mut().find(of) {
                gap.first = row.start;
                gap.records += 1;
                gap.pending += 1;
                gap.unanswered += unanswered;
                continue;
            }
            gaps.push(UplinkGap {
                first: row.start,
                last: row.start,
                records: 1,
                pending: 1,
                unanswered,
                uplink: row.uplink,
                outlet: row.outlet,
                kind: row.kind,
            });
        }
        Ok(gaps)
    }

    fn uplink_replays(&self, actor: &Actor) -> Result<Vec<UplinkReplay>, BackendError> {
        self.seen_replays(actor)
    }

    fn replay_uplink<'a>(
        &'a self,
        actor: &'a Actor,
        ask: UplinkReplayAsk,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_uplink_replay(actor, ask) })
    }

    fn cancel_uplink_replay<'a>(
        &'a self,
        actor: &'a Actor,
        replay: u64,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_replay_cancelled(actor, replay) })
    }
}
