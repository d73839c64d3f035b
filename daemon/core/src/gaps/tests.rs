//! Stories of missing records, and what holds for every history.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn series(kind: RecordKind, step_ms: i64) -> Series {
    Series {
        kind,
        step_ms,
        offset: UtcOffset::default(),
    }
}

fn by_hour() -> Series {
    series(RecordKind::Hour, HOUR_MS)
}

/// Local midnight of a day at +08:00.
const MIDNIGHT: Timestamp = Timestamp(1_767_196_800_000);

fn hour(n: i64) -> Timestamp {
    MIDNIGHT.plus_ms(n * HOUR_MS)
}

fn hours(list: impl IntoIterator<Item = i64>) -> Vec<Timestamp> {
    list.into_iter().map(hour).collect()
}

fn range(first: i64, last: i64) -> Range {
    Range {
        first: hour(first),
        last: hour(last),
    }
}

fn ranges(gaps: &[Gap]) -> Vec<Range> {
    gaps.iter().map(|gap| gap.range).collect()
}

#[test]
fn gaps_are_merged_and_come_newest_first() {
    let present = hours([0, 1, 2, 6, 7, 9]);
    let found = gaps(by_hour(), &present, &[], (hour(0), hour(24)), hour(12));
    // 11:00 ended at 12:00, within the grace.
    assert_eq!(ranges(&found), [range(10, 10), range(8, 8), range(3, 5)]);
    assert_eq!(next(by_hour(), &found, hour(12)), Some(range(10, 10)));
}

#[test]
fn the_running_interval_is_never_missing() {
    let now = hour(3).plus_ms(HOUR_MS / 2);
    let found = gaps(by_hour(), &hours([0, 1]), &[], (hour(0), hour(24)), now);
    assert_eq!(ranges(&found), [range(2, 2)]);
}

#[test]
fn nothing_before_the_logger_was_seen_is_asked_for() {
    let seen = hour(2).plus_ms(1);
    let found = gaps(
        by_hour(),
        &[],
        &[],
        (seen, hour(24)),
        hour(5).plus_ms(GRACE_MS),
    );
    assert_eq!(ranges(&found), [range(3, 4)]);
}

#[test]
fn a_start_inside_its_interval_counts() {
    let odd = vec![hour(0).plus_ms(59 * MINUTE_MS), hour(1).plus_ms(1)];
    let found = gaps(by_hour(), &odd, &[], (hour(0), hour(3)), hour(9));
    assert_eq!(ranges(&found), [range(2, 2)]);
}

#[test]
fn attempts_pause_longer_and_longer_and_end() {
    let window = (hour(0), hour(2));
    let mut attempts = Vec::new();
    let mut now = hour(12);
    let again = |attempts: &mut Vec<Attempt>, now: Timestamp| {
        let found = gaps(by_hour(), &[], attempts, window, now);
        let text = format!("attempt {}", attempts.len());
        assert_eq!(next(by_hour(), &found, now), Some(range(0, 1)), "{text}");
        attempts.push(Attempt {
            range: range(0, 1),
            at: now,
            none_there: false,
        });
    };
    for pause in PAUSES_MS {
        again(&mut attempts, now);
        let found = gaps(by_hour(), &[], &attempts, window, now);
        assert_eq!(next(by_hour(), &found, now), None, "right after one");
        now = now.plus_ms(pause);
    }
    // One more attempt after the last pause, and then no more.
    again(&mut attempts, now);
    let found = gaps(by_hour(), &[], &attempts, window, now.plus_ms(99 * DAY_MS));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].attempts, found[0].due), (5, None));
}

#[test]
fn what_the_logger_does_not_have_is_not_asked_for_again() {
    let attempts = [Attempt {
        range: range(1, 2),
        at: hour(5),
        none_there: true,
    }];
    let found = gaps(by_hour(), &[], &attempts, (hour(0), hour(4)), hour(99));
    assert_eq!(ranges(&found), [range(3, 3), range(1, 2), range(0, 0)]);
    assert_eq!(next(by_hour(), &found, hour(99)), Some(range(3, 3)));
    assert_eq!(found[1].due, None);
}

#[test]
fn a_week_is_asked_for_in_pieces_from_its_end() {
    let minutes = series(RecordKind::Minute, MINUTE_MS);
    let found = gaps(minutes, &[], &[], (hour(0), hour(168)), hour(200));
    assert_eq!(found.len(), 1);
    let piece = next(minutes, &found, hour(200)).expect("something is missing");
    assert_eq!(piece.last, hour(168).plus_ms(-MINUTE_MS));
    let records = piece.last.since_ms(piece.first) / MINUTE_MS + 1;
    assert_eq!(records, RECORDS_PER_REQUEST_MAX);
}

#[test]
fn days_begin_at_local_midnight() {
    let days = series(RecordKind::Day, DAY_MS);
    assert_eq!(days.start_at(hour(23)), MIDNIGHT);
    assert_eq!(days.start_at(hour(0)), MIDNIGHT);
    assert_eq!(days.start_at(hour(-1)), hour(-24));
}

proptest! {
    /// For any history: each settled interval is either there or in exactly one gap, gaps are in
    /// order and do not touch with equal state, and what is asked for is missing.
    #[test]
    fn every_settled_interval_is_there_or_missing(
        there in proptest::collection::btree_set(0i64..48, 0..48),
        tried in proptest::collection::vec((0i64..48, 0i64..12, 0i64..90, any::<bool>()), 0..8),
        from_min in 0i64..1440,
        now_min in 0i64..4320,
    ) {
        let present = hours(there.iter().copied());
        let attempts: Vec<Attempt> = tried
            .into_iter()
            .map(|(first, more, at, none_there)| Attempt {
                range: range(first, first + more),
                at: hour(at),
                none_there,
            })
            .collect();
        let from = MIDNIGHT.plus_ms(from_min * MINUTE_MS);
        let now = MIDNIGHT.plus_ms(now_min * MINUTE_MS);
        let found = gaps(by_hour(), &present, &attempts, (from, hour(48)), now);
        let mut missing = BTreeSet::new();
        for gap in &found {
            let mut at = gap.range.first;
            while at <= gap.range.last {
                prop_assert!(missing.insert(at), "twice");
                at = at.plus_ms(HOUR_MS);
            }
        }
        for pair in found.windows(2) {
            prop_assert!(pair[1].range.last < pair[0].range.first);
        }
        for n in 0..48 {
            let settled = hour(n + 1) <= now.plus_ms(-GRACE_MS) && hour(n) >= from;
            prop_assert_eq!(
                missing.contains(&hour(n)),
                settled && !there.contains(&n),
                "hour {}", n
            );
        }
        if let Some(asked) = next(by_hour(), &found, now) {
            prop_assert!(asked.first <= asked.last);
            prop_assert!(missing.contains(&asked.first) && missing.contains(&asked.last));
        }
    }
}
