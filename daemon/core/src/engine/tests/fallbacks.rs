//! Manual fallbacks through the engine: opened and closed by evidence, reports corrected and taken
//! back, amounts that follow them, the written report.

use super::judged::{hourly_city, quarter, span_check};
use crate::engine::{Event, ReportBack, WrittenIn};
use crate::fixture::*;
use crate::model::time::HOUR_MS;
use crate::model::*;

const MIDNIGHT: i64 = 1_440;

/// SO2 by hand.
fn report(sampled_at: Timestamp, mg: &str) -> ManualReport {
    ManualReport {
        outlet: GAS.into(),
        sampled_at,
        sampler: "张三".into(),
        method: "HJ 57-2017".into(),
        laboratory: "虚构检测".into(),
        values: vec![ManualValue {
            factor: "a21026".into(),
            value: dec(mg),
        }],
        note: String::new(),
        attachments: vec![sheet("sheet.pdf")],
        corrects: None,
        by: "lab-1".into(),
    }
}

fn sheet(name: &str) -> Attachment {
    Attachment {
        name: name.into(),
        bytes: 7,
        sha256: "ab".repeat(32),
    }
}

fn back(id: u64) -> Event {
    Event::ReportWithdrawn(ReportBack {
        outlet: GAS.into(),
        id: ReportId(id),
        by: "lab-1".into(),
        reason: "sampled at another stack".into(),
    })
}

fn written(fallback: u64, attachments: Vec<Attachment>) -> Event {
    Event::WrittenReport(WrittenIn {
        outlet: GAS.into(),
        fallback: FallbackId(fallback),
        by: "enterprise".into(),
        note: "手工监测情况".into(),
        attachments,
    })
}

fn fallback(bench: &Bench, id: u64) -> FallbackRow {
    bench.past.tables().fallbacks[&FallbackId(id)].clone()
}

fn row_of(bench: &Bench, id: u64) -> ManualReportRow {
    bench.past.tables().reports[&ReportId(id)].clone()
}

/// The city with the stack alone.
fn stack() -> Registry {
    let mut city = registry();
    city.outlets.remove(WATER);
    city
}

/// Lines of the audit trail about what is named so, without those of the registry.
fn trail(bench: &Bench, object: &str) -> Vec<String> {
    let lines = bench.past.tables().audit.into_values();
    let own = lines.filter(|line| line.object == object);
    own.map(|line| format!("{} {}: {}", line.who, line.what, line.detail))
        .collect()
}

/// A stack whose analyser is out of order on the last day of March, with the flow measured: it is
/// the second of April, and the quarter is over.
fn faulty_last_day() -> Bench {
    let mut bench = Bench::with(hourly_city(), minute(-MIDNIGHT));
    for n in -24..24 {
        let flag = if n < 0 { "N" } else { "D" };
        let mut values = vec![value("a21026", "20", flag), value("a00000", "100", "N")];
        for (code, text) in [("a01012", "80"), ("a01013", "0"), ("a01014", "10")] {
            values.push(value(code, text, "N"));
        }
        let start = minute(60 * n);
        let row = data(record(GAS, RecordKind::Hour, start, values));
        bench.send(start.plus_ms(HOUR_MS), row);
    }
    bench.tick(minute(3 * MIDNIGHT));
    bench
}

#[test]
fn amounts_follow_a_report_a_correction_of_it_and_its_being_taken_back() {
    let mut bench = faulty_last_day();
    let manual = |bench: &Bench| -> Option<rust_decimal::Decimal> {
        let gaps = quarter(bench, minute(0)).gaps;
        let put_in = gaps.into_iter().filter_map(|gap| gap.settled);
        let manual = put_in.filter(|settled| settled.rule == "manual");
        manual
            .filter_map(|settled| settled.total_kg)
            .reduce(|a, b| a + b)
    };
    let month = |bench: &Bench| {
        let row = bench.aggregate(GAS, Level::Month, minute(-30 * MIDNIGHT));
        row.factors["a21026"].substituted_kg.unwrap()
    };
    let (now, noon) = (3 * MIDNIGHT, minute(12 * 60 + 30));
    assert_eq!(manual(&bench), None);
    let before = month(&bench);
    bench.send(minute(now + 1), Event::ManualReport(report(noon, "12")));
    bench.tick(minute(now + 2));
    let first = manual(&bench).unwrap();
    let by_hand = month(&bench);
    assert!(by_hand < before);

    let corrected = ManualReport {
        corrects: Some(ReportId(1)),
        ..report(noon, "24")
    };
    bench.send(minute(now + 3), Event::ManualReport(corrected));
    bench.tick(minute(now + 4));
    assert_eq!(manual(&bench), Some(first + first));
    assert_eq!(month(&bench), by_hand + first);
    let old = row_of(&bench, 1);
    assert_eq!(old.superseded.unwrap().by, ReportId(2));
    assert_eq!(old.report.values[0].value, dec("12"), "kept as it was");
    // What does not count any more cannot be corrected or taken back again.
    let again = ManualReport {
        corrects: Some(ReportId(1)),
        ..report(noon, "30")
    };
    bench.send(minute(now + 5), Event::ManualReport(again));
    bench.send(minute(now + 5), back(1));
    assert_eq!(bench.past.tables().reports.len(), 2);
    assert!(trail(&bench, "report/1")[1].starts_with("lab-1 report.refused"));

    bench.restart();
    bench.send(minute(now + 6), back(2));
    bench.tick(minute(now + 7));
    assert_eq!((manual(&bench), month(&bench)), (None, before));
    assert!(row_of(&bench, 2).withdrawn.is_some());
}

#[test]
fn a_corrected_report_counts_once_and_one_taken_back_no_more() {
    let mut bench = Bench::with(stack(), minute(0));
    bench.tick(minute(60));
    bench.send(minute(110), Event::ManualReport(report(minute(100), "18")));
    let second = ManualReport {
        corrects: Some(ReportId(1)),
        ..report(minute(90), "18.5")
    };
    bench.send(minute(120), Event::ManualReport(second));
    let row = fallback(&bench, 1);
    assert_eq!((row.reports, row.next_due), (1, Some(minute(450))));
    assert_eq!(row_of(&bench, 2).fallback, Some(FallbackId(1)));
    bench.send(minute(430), back(2));
    let row = fallback(&bench, 1);
    assert_eq!((row.reports, row.next_due), (0, Some(minute(420))));
    assert_eq!(row.overdue_since, Some(minute(420)));
    let alarms = bench.tables().alarms.into_values();
    let mut overdue = alarms.filter(|a| a.kind == AlarmKind::ManualReportOverdue);
    assert_eq!(overdue.next().unwrap().since, minute(420));
    assert_eq!(
        trail(&bench, "report/2"),
        [
            "lab-1 report.corrected: dc-01",
            "lab-1 report.withdrawn: sampled at another stack"
        ]
    );
}

#[test]
fn a_report_entered_late_and_odd_is_kept_with_what_was_found() {
    let mut bench = Bench::with(stack(), minute(0));
    for n in 0..3 * 60 {
        let values = ["a21026", "a21002", "a34013"].map(|code| value(code, "20", "N"));
        let record = record(GAS, RecordKind::Minute, minute(n), values.into());
        bench.send(minute(n + 1), data(record));
    }
    bench.tick(minute(4 * 60 + 1));
    assert_eq!(fallback(&bench, 1).opened_at, minute(240));
    bench.send(minute(250), Event::ManualReport(report(minute(245), "200")));
    let row = row_of(&bench, 1);
    let codes: Vec<_> = row
        .findings
        .iter()
        .map(|f| (f.code.as_str(), f.against))
        .collect();
    assert_eq!(
        codes,
        [
            ("decimal-point", Some(dec("20"))),
            ("missing-factor", None),
            ("missing-factor", None)
        ]
    );
    assert!(!row.entered_late);
    bench.send(minute(610), Event::ManualReport(report(minute(249), "200")));
    let row = row_of(&bench, 2);
    assert!(row.entered_late && row.late);
    let codes: Vec<_> = row.findings.iter().map(|f| f.code.as_str()).collect();
    assert!(codes.contains(&"same-as-last") && codes.contains(&"too-close"));
}

#[test]
fn a_failed_test_opens_and_a_passed_or_withdrawn_one_closes() {
    let mut city = hourly_city();
    let outlet = city.outlets.get_mut(GAS).unwrap();
    outlet.fallback.opens_after_min = 300;
    outlet.fallback.closes_after_min = 60;
    let mut bench = Bench::with(city, minute(0));
    let hours = |bench: &mut Bench, range: std::ops::Range<i64>| {
        for n in range {
            let values = ["a21026", "a21002", "a34013"].map(|code| value(code, "20", "N"));
            let record = record(GAS, RecordKind::Hour, minute(60 * n), values.into());
            bench.send(minute(60 * n + 61), data(record));
        }
    };
    hours(&mut bench, 0..4);
    bench.send(
        minute(250),
        span_check(minute(245), QaKind::SpanDrift, "120"),
    );
    let failed = bench.seq;
    let row = fallback(&bench, 1);
    assert_eq!(
        row.reasons,
        [FallbackReason::OutOfControl {
            factor: "a21026".into(),
            kind: QaKind::SpanDrift,
            since: minute(245),
            test: Seq(failed),
        }]
    );
    hours(&mut bench, 4..6);
    bench.restart();
    assert_eq!(fallback(&bench, 1).closed_at, None);
    bench.send(
        minute(370),
        span_check(minute(365), QaKind::SpanDrift, "100"),
    );
    let row = fallback(&bench, 1);
    assert_eq!(row.closed_at, Some(minute(370)));
    assert_eq!(row.closed_why.as_deref(), Some("reasons-lifted"));
    // One that was entered for the wrong stack and is taken back.
    hours(&mut bench, 6..8);
    bench.send(
        minute(490),
        span_check(minute(485), QaKind::SpanDrift, "120"),
    );
    let wrong = bench.seq;
    assert_eq!(fallback(&bench, 2).closed_at, None);
    bench.send(
        minute(491),
        Event::QaWithdrawn(crate::engine::TakeBack {
            outlet: GAS.into(),
            id: Seq(wrong),
            by: "tester".into(),
            reason: "wrong stack".into(),
        }),
    );
    assert_eq!(fallback(&bench, 2).closed_at, Some(minute(491)));
}

#[test]
fn a_failed_review_opens_until_it_is_passed() {
    let mut bench = Bench::with(stack(), minute(0));
    let (quarter, _) = time::quarter_of(minute(-100 * MIDNIGHT), UtcOffset::default());
    let step = |step| {
        Event::Review(ReviewAction {
            outlet: GAS.into(),
            quarter,
            step,
            by: "bureau".into(),
            note: "虚构结论".into(),
            attachments: Vec::new(),
        })
    };
    bench.send(minute(1), step(ReviewStep::Submit));
    bench.send(minute(2), step(ReviewStep::Fail));
    let row = fallback(&bench, 1);
    assert_eq!(
        row.reasons,
        [FallbackReason::ReviewFailed {
            quarter,
            by: "bureau".into(),
            seq: Seq(bench.seq),
        }]
    );
    bench.send(minute(3), step(ReviewStep::Submit));
    assert_eq!(fallback(&bench, 1).lifted, []);
    bench.send(minute(4), step(ReviewStep::Pass));
    assert_eq!(fallback(&bench, 1).lifted.len(), 1);
    let values = ["a21026", "a21002", "a34013"].map(|code| value(code, "20", "N"));
    let record = record(GAS, RecordKind::Minute, minute(4), values.into());
    bench.send(minute(5), data(record));
    assert_eq!(fallback(&bench, 1).closed_at, Some(minute(5)));
}

#[test]
fn the_written_report_is_reminded_of_alarmed_and_handed_in() {
    let mut bench = Bench::with(stack(), minute(0));
    bench.tick(minute(60));
    let values = ["a21026", "a21002", "a34013"].map(|code| value(code, "20", "N"));
    let sound = data(record(GAS, RecordKind::Minute, minute(69), values.into()));
    bench.send(minute(70), sound);
    assert!(fallback(&bench, 1).closed_at.is_some());
    let due = 60 + 3 * MIDNIGHT;
    bench.tick(minute(due + 40));
    bench.restart();
    let alarm = |bench: &Bench| {
        let alarms = bench.past.tables().alarms.into_values();
        let mut own = alarms.filter(|a| a.kind == AlarmKind::WrittenReportOverdue);
        own.next().unwrap()
    };
    assert_eq!(
        (alarm(&bench).since, alarm(&bench).active),
        (minute(60), true)
    );
    let row = fallback(&bench, 1);
    assert_eq!(row.written.unwrap().overdue_since, Some(minute(due)));
    let told = trail(&bench, "fallback/1");
    let told: Vec<&str> = told
        .iter()
        .filter(|line| line.contains("written"))
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        told,
        [
            "engine fallback.reminded",
            "engine fallback.overdue",
            "engine fallback.escalated"
        ]
    );
    bench.send(minute(due + 41), written(1, Vec::new()));
    bench.send(minute(due + 41), written(99, vec![sheet("report.pdf")]));
    assert!(alarm(&bench).active);
    bench.send(minute(due + 42), written(1, vec![sheet("report.pdf")]));
    assert!(!alarm(&bench).active);
    bench.send(minute(due + 43), written(1, vec![sheet("annex.pdf")]));
    let owed = fallback(&bench, 1).written.unwrap();
    assert_eq!((owed.overdue_since, owed.delivered.len()), (None, 2));
    assert!(owed.delivered[0].late);
    assert_eq!(owed.delivered[1].attachments[0].name, "annex.pdf");
}
