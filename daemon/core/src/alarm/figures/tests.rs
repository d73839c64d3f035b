use super::*;
use crate::fixture::{dec, minute};
use crate::model::{OutletId, Seq};
use proptest::prelude::*;

fn occurrence(id: u64, kind: AlarmKind, outlet: u32, raised_min: i64) -> Occurrence {
    let subject = AlarmSubject::Outlet(OutletId::new(format!("o{outlet}")));
    Occurrence::from(&AlarmRow::raised(
        AlarmId(id),
        kind,
        subject,
        minute(raised_min),
        Seq(id),
    ))
}

/// A day with two people on duty.
fn of_day(alarms: &[Occurrence], people: usize) -> Figures {
    figures(
        alarms,
        Terms {
            from: minute(0),
            until: minute(1_440),
            operators: &|_| people,
            within_min: &|kind| (kind == AlarmKind::ExceedanceHour).then_some(10),
        },
    )
}

#[test]
fn a_quiet_day_has_no_rates_to_boast_of_and_no_division_by_nothing() {
    let none = of_day(&[], 0);
    assert_eq!((none.raised, none.intervals), (0, 144));
    assert_eq!((none.rate_mean, none.rate_max), (Some(Decimal::ZERO), None));
    assert_eq!((none.operators, none.top_share_pct), (Some(dec("1")), None));
    assert_eq!(none.all, Answers::default());
    let nothing = figures(
        &[],
        Terms {
            until: minute(0),
            from: minute(0),
            operators: &|_| 1,
            within_min: &|_| None,
        },
    );
    assert_eq!((nothing.intervals, nothing.rate_mean), (0, None));
}

#[test]
fn a_flood_is_more_than_ten_alarms_per_operator_in_ten_minutes() {
    let burst: Vec<Occurrence> = (0..22)
        .map(|n| occurrence(n, AlarmKind::NoData, 1, 600))
        .collect();
    let alone = of_day(&burst, 1);
    assert_eq!(alone.rate_max, Some((dec("22"), minute(600))));
    assert_eq!(alone.flood_intervals, 1);
    assert_eq!(alone.rate_mean, dec("22").checked_div(dec("144")));
    let two = of_day(&burst, 2);
    assert_eq!(
        (two.rate_max, two.flood_intervals),
        (Some((dec("11"), minute(600))), 1)
    );
    let three = of_day(&burst, 3);
    assert_eq!(three.flood_intervals, 0);
    assert_eq!((three.top.len(), three.top[0].count), (1, 22));
    assert_eq!(three.top_share_pct, Some(dec("100")));
}

#[test]
fn who_still_has_time_is_neither_late_nor_in_time() {
    let mut answered = occurrence(1, AlarmKind::ExceedanceHour, 1, 100);
    answered.answered_at = Some(minute(105));
    answered.closed_at = Some(minute(400));
    let mut late = occurrence(2, AlarmKind::ExceedanceHour, 2, 100);
    late.answered_at = Some(minute(130));
    let never = occurrence(3, AlarmKind::ExceedanceHour, 3, 200);
    let fresh = occurrence(4, AlarmKind::ExceedanceHour, 4, 1_435);
    let other = occurrence(5, AlarmKind::NoData, 5, 200);
    let day = of_day(&[answered, late, never, fresh, other], 1);
    assert_eq!((day.all.raised, day.all.acknowledged), (5, 2));
    assert_eq!((day.all.asked, day.all.in_time), (3, 1));
    let urgent = day.by_priority[&Priority::Urgent];
    assert_eq!(urgent.to_acknowledge.median_ms, 5 * MINUTE_MS);
    assert_eq!(urgent.to_acknowledge.max_ms, 30 * MINUTE_MS);
    assert_eq!(
        (urgent.to_close.count, urgent.to_close.p90_ms),
        (1, 300 * MINUTE_MS)
    );
    assert_eq!(
        day.priorities,
        [(Priority::Urgent, 4), (Priority::High, 1)].into()
    );
}

#[test]
fn stale_fleeting_chattering_and_silent_alarms_are_told_apart() {
    let stale = occurrence(1, AlarmKind::NoData, 1, -10);
    let mut mended = occurrence(2, AlarmKind::NoData, 2, -10);
    mended.returned_at = Some(minute(5));
    let mut fleeting = occurrence(3, AlarmKind::ImpossibleValue, 3, 10);
    fleeting.returned_at = Some(minute(12));
    let mut chatter = occurrence(4, AlarmKind::ImpossibleValue, 3, 30);
    chatter.chattering = true;
    let mut silent = occurrence(5, AlarmKind::NoData, 5, 40);
    silent.silent = true;
    let day = of_day(&[stale, mended, fleeting, chatter, silent], 1);
    assert_eq!((day.raised, day.silent), (2, 1));
    assert_eq!(day.stale, [AlarmId(1)]);
    assert_eq!((day.fleeting, day.chattering), (1, 1));
}

/// Alarms of a few hours by minutes: raised, then perhaps returned, answered, closed.
fn any_alarm() -> impl Strategy<Value = Occurrence> {
    let later = || prop::option::of(0i64..2_000);
    let of = (
        0usize..4,
        0u32..5,
        -2_000i64..400,
        later(),
        later(),
        later(),
    );
    (of, any::<bool>(), any::<bool>()).prop_map(|(of, silent, chattering)| {
        let (kind, outlet, raised, returned, answered, closed) = of;
        let kinds = [
            AlarmKind::ExceedanceHour,
            AlarmKind::NoData,
            AlarmKind::InvalidData,
            AlarmKind::CrcStorm,
        ];
        let mut alarm = occurrence(0, kinds[kind], outlet, raised);
        let at = |after: Option<i64>| after.map(|min| minute(raised + min));
        alarm.returned_at = at(returned);
        alarm.answered_at = at(answered);
        alarm.closed_at = at(closed);
        (alarm.silent, alarm.chattering) = (silent, chattering);
        alarm
    })
}

/// The smallest of `took` that at least `pct` percent of them do not exceed.
fn by_counting(took: &[i64], pct: usize) -> i64 {
    let enough =
        |bound: i64| took.iter().filter(|t| **t <= bound).count() * 100 >= took.len() * pct;
    let fit = took.iter().copied().filter(|bound| enough(*bound));
    fit.min().unwrap_or(0)
}

proptest! {
    #[test]
    fn the_figures_agree_with_counting(
        mut alarms in prop::collection::vec(any_alarm(), 0..120),
        span in 1i64..400,
        people in 0usize..4,
    ) {
        for (n, alarm) in (1..).zip(&mut alarms) {
            alarm.id = AlarmId(n);
        }
        let (from, until) = (minute(0), minute(span));
        let found = figures(&alarms, Terms {
            from,
            until,
            operators: &|at| people + usize::from(at >= minute(100)),
            within_min: &|kind| (kind != AlarmKind::CrcStorm).then_some(60),
        });
        let told: Vec<&Occurrence> = alarms
            .iter()
            .filter(|a| !a.silent && (from..until).contains(&a.raised_at))
            .collect();
        prop_assert_eq!(found.raised, count(told.len()));
        prop_assert_eq!(found.priorities.values().sum::<u64>(), found.raised);
        // Interval by interval.
        let (mut floods, mut most, mut intervals) = (0, Decimal::ZERO, 0);
        for start in (0..span).step_by(10) {
            let operators = (people + usize::from(start >= 100)).max(1);
            let inside = told.iter().filter(|a| {
                a.raised_at >= minute(start) && a.raised_at < minute(start + 10)
            });
            let rate = Decimal::from(inside.count()) / Decimal::from(operators);
            floods += u64::from(rate > Decimal::TEN);
            most = most.max(rate);
            intervals += 1;
        }
        prop_assert_eq!((found.flood_intervals, found.intervals), (floods, intervals));
        prop_assert_eq!(found.rate_max.map_or(Decimal::ZERO, |(rate, _)| rate), most);
        // Response times.
        let took: Vec<i64> = told
            .iter()
            .filter_map(|a| Some(a.answered_at?.since_ms(a.raised_at)))
            .collect();
        prop_assert_eq!(found.all.to_acknowledge.median_ms, by_counting(&took, 50));
        prop_assert_eq!(found.all.to_acknowledge.p90_ms, by_counting(&took, 90));
        prop_assert_eq!(found.all.to_acknowledge.max_ms, took.iter().copied().max().unwrap_or(0));
        let in_time = told.iter().filter(|a| {
            a.kind != AlarmKind::CrcStorm
                && a.answered_at.is_some_and(|at| at <= a.raised_at.plus_ms(60 * MINUTE_MS))
        });
        prop_assert_eq!(found.all.in_time, count(in_time.count()));
        prop_assert!(found.all.in_time <= found.all.asked && found.all.asked <= found.raised);
        let sum: u64 = found.by_priority.values().map(|a| a.acknowledged).sum();
        prop_assert_eq!(sum, found.all.acknowledged);
        // Nobody outside the list alarms more often than somebody on it.
        let of = |top: &Top| {
            let same = |a: &&&Occurrence| a.kind == top.kind && a.subject == top.subject;
            count(told.iter().filter(same).count())
        };
        prop_assert!(found.top.iter().all(|top| top.count == of(top)));
        prop_assert!(found.top.is_sorted_by(|a, b| a.count >= b.count));
        for id in &found.stale {
            let alarm = alarms.iter().find(|a| a.id == *id).unwrap();
            prop_assert!(alarm.raised_at < until.plus_ms(-STALE_MS));
            prop_assert!(alarm.returned_at.is_none_or(|at| at >= until));
        }
    }
}
