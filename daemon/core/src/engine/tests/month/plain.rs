//! What two tellings of the same month have in common: tables without order and time of arrival.

use crate::engine::Tables;
use crate::model::*;
use crate::pack::Pack;
use crate::validate::{BACK_FILLED, CLOCK_AHEAD, OUT_OF_ORDER};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// Where `found` says something else than `expected`, in words; the table in `month` says what
/// counts.
pub(super) fn compare(expected: &Tables, found: &Tables) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(differences("record", expected, found, records));
    all.extend(differences("versions", expected, found, former));
    all.extend(differences("aggregate", expected, found, aggregates));
    all.extend(differences("pack", expected, found, packed));
    all.extend(differences("quarter", expected, found, quarters));
    all.extend(differences("clues", expected, found, clues));
    all.extend(differences("latest", expected, found, latest));
    all.extend(differences("entry", expected, found, entered));
    all.extend(differences("alarm", expected, found, active));
    all
}

/// The differences between two tables in what `of` takes from them.
fn differences<K: Ord + Debug, T: PartialEq + Debug>(
    name: &str,
    expected: &Tables,
    found: &Tables,
    of: fn(&Tables) -> BTreeMap<K, T>,
) -> Vec<String> {
    let (expected, found) = (of(expected), of(found));
    let keys: BTreeSet<&K> = expected.keys().chain(found.keys()).collect();
    let different = keys
        .into_iter()
        .filter(|key| expected.get(key) != found.get(key));
    different
        .map(|key| {
            let (a, b) = (expected.get(key), found.get(key));
            format!("{name} {key:?}\n  in order {a:?}\n  told     {b:?}")
        })
        .collect()
}

fn stored(value: &StoredValue) -> StoredValue {
    StoredValue {
        seq: Seq(0),
        received_at: Timestamp(0),
        ..value.clone()
    }
}

type RecordKey = (OutletId, RecordKind, Timestamp);

fn records(tables: &Tables) -> BTreeMap<RecordKey, Vec<StoredValue>> {
    let rows = tables.records.iter();
    rows.map(|(key, row)| (key.clone(), row.values.values().map(stored).collect()))
        .collect()
}

/// The former versions of each value, oldest first.
fn former(tables: &Tables) -> BTreeMap<(RecordKey, FactorCode), Vec<StoredValue>> {
    let mut all: BTreeMap<_, Vec<(Seq, StoredValue)>> = BTreeMap::new();
    for ((outlet, kind, start, factor, _), row) in &tables.superseded {
        let key = ((outlet.clone(), *kind, *start), factor.clone());
        let version = (row.by_seq, stored(&row.old));
        all.entry(key).or_default().push(version);
    }
    let in_order = |mut list: Vec<(Seq, StoredValue)>| {
        list.sort_by_key(|(by, _)| *by);
        list.into_iter().map(|(_, old)| old).collect()
    };
    let lists = all.into_iter();
    lists.map(|(key, list)| (key, in_order(list))).collect()
}

fn aggregate(row: &AggregateRow) -> AggregateRow {
    AggregateRow {
        seq: Seq(0),
        superseded: 0,
        ..row.clone()
    }
}

fn aggregates(tables: &Tables) -> BTreeMap<(OutletId, Level, Timestamp), AggregateRow> {
    let rows = tables.aggregates.iter();
    rows.filter(|(_, row)| !row.factors.is_empty())
        .map(|(key, row)| (key.clone(), aggregate(row)))
        .collect()
}

fn packed(tables: &Tables) -> BTreeMap<(OutletId, Timestamp), Vec<AggregateRow>> {
    let rows = |row: &PackRow| {
        let rows = Pack::open(&row.body).unwrap().rows().unwrap();
        rows.iter().map(aggregate).collect()
    };
    let packs = tables.packs.iter();
    packs.map(|(key, row)| (key.clone(), rows(row))).collect()
}

fn quarters(tables: &Tables) -> BTreeMap<(OutletId, Timestamp), QuarterRow> {
    let mut quarters = tables.quarters.clone();
    for row in quarters.values_mut() {
        row.seq = Seq(0);
    }
    quarters
}

fn clues(tables: &Tables) -> BTreeMap<(OutletId, Level, Timestamp), ClueRow> {
    let clocks = [BACK_FILLED, CLOCK_AHEAD, OUT_OF_ORDER].map(|check| check.stored_code());
    let mut clues = tables.clues.clone();
    for row in clues.values_mut() {
        row.seq = Seq(0);
        row.clues.retain(|clue| !clocks.contains(&clue.check));
    }
    clues.retain(|_, row| !row.clues.is_empty());
    clues
}

fn latest(tables: &Tables) -> BTreeMap<(OutletId, FactorCode), rows::LatestRow> {
    let mut latest = tables.latest.clone();
    for row in latest.values_mut() {
        (row.seq, row.received_at) = (Seq(0), Timestamp(0));
    }
    latest
}

fn withdrawn(withdrawal: &Option<Withdrawal>) -> Option<Withdrawal> {
    let withdrawal = withdrawal.clone()?;
    Some(Withdrawal {
        seq: Seq(0),
        ..withdrawal
    })
}

/// What people entered, in the order of entry.
fn entered(tables: &Tables) -> BTreeMap<(&'static str, usize), String> {
    let mut all = BTreeMap::new();
    for (n, row) in tables.marks.values().enumerate() {
        let row = MarkRow {
            id: Seq(0),
            withdrawn: withdrawn(&row.withdrawn),
            ..row.clone()
        };
        all.insert(("mark", n), format!("{row:?}"));
    }
    for (n, row) in tables.qa.values().enumerate() {
        let row = QaRow {
            id: Seq(0),
            withdrawn: withdrawn(&row.withdrawn),
            ..row.clone()
        };
        all.insert(("test", n), format!("{row:?}"));
    }
    for (n, row) in tables.reviews.values().enumerate() {
        let steps = row.entries.iter().map(|entry| (&entry.action, entry.at));
        all.insert(("review", n), format!("{:?}", steps.collect::<Vec<_>>()));
    }
    for (n, row) in tables.reports.values().enumerate() {
        let report = format!("{:?} {:?}", row.received_at, row.report);
        all.insert(("report", n), report);
    }
    all
}

/// Kinds of alarm that follow from the data.
const FOLLOWING: [AlarmKind; 4] = [
    AlarmKind::ExceedanceHour,
    AlarmKind::ExceedanceDay,
    AlarmKind::AmountWarning,
    AlarmKind::AmountExceeded,
];

/// The alarms that are active at the end, with their figures and how many are alike.
fn active(tables: &Tables) -> BTreeMap<String, u32> {
    let mut all = BTreeMap::new();
    let rows = tables.alarms.values();
    for row in rows.filter(|row| row.active && FOLLOWING.contains(&row.kind)) {
        let facts = [
            "period",
            "period_start",
            "share",
            "worst_at",
            "last_at",
            "latest",
        ];
        let facts = facts.map(|name| row.facts.get(name));
        let (kind, factor, limit) = (row.kind.as_str(), &row.factor, &row.limit);
        let figures = (row.since, row.count, row.value, row.threshold);
        let words = format!("{kind} {factor:?} {limit:?} {figures:?} {facts:?}");
        *all.entry(words).or_insert(0) += 1;
    }
    all
}

/// Hours and days outside a limit of which no alarm tells.
pub(super) fn untold(tables: &Tables) -> Vec<String> {
    let offset = UtcOffset::default();
    let mut told: BTreeMap<_, Vec<(String, &str)>> = BTreeMap::new();
    for row in tables.alarms.values().filter(|row| row.count > 0) {
        if let (Some(factor), Some(limit)) = (&row.factor, &row.limit) {
            let span = (offset.iso(row.since), row.facts["last_at"].as_str());
            told.entry((row.kind, factor, limit))
                .or_default()
                .push(span);
        }
    }
    let mut untold = Vec::new();
    for row in tables.aggregates.values().filter(|row| row.complete) {
        let kind = match row.level {
            Level::Hour => AlarmKind::ExceedanceHour,
            Level::Day | Level::Month | Level::Year => AlarmKind::ExceedanceDay,
        };
        let at = offset.iso(row.start);
        let factors = row.factors.iter();
        let verdicts = factors.flat_map(|(code, f)| f.limits.iter().map(move |v| (code, v)));
        for (code, verdict) in verdicts.filter(|(_, verdict)| verdict.exceeded) {
            let spans = told.get(&(kind, code, &verdict.limit));
            let mut spans = spans.into_iter().flatten();
            if !spans.any(|(since, last)| *since <= at && at.as_str() <= *last) {
                untold.push(format!("{kind:?} {code} {} {at}", verdict.limit));
            }
        }
    }
    untold
}
