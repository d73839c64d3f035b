//! Stories of the fallback, and a property against a checker that recomputes everything from the
//! full list of what happened, minute by minute, without keeping any state of its own between
//! minutes but what was decided.

use super::*;
use crate::model::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

mod checker;
mod clocks;
mod compliance;
mod evidence;
mod plausible;
mod play;

const OUTLET: &str = "dc-01";

fn rule(closes_after_min: u32) -> FallbackRule {
    FallbackRule {
        opens_after_min: 60,
        closes_after_min,
        ..FallbackRule::default()
    }
}

fn at(minute: i64) -> Timestamp {
    Timestamp(minute * MINUTE_MS)
}

/// A report in the books.
fn report_row(
    (id, fallback, late): (ReportId, FallbackId, bool),
    (sampled_at, received_at): (Timestamp, Timestamp),
    seq: u64,
) -> ManualReportRow {
    ManualReportRow {
        id,
        fallback: Some(fallback),
        report: ManualReport {
            outlet: OUTLET.into(),
            sampled_at,
            sampler: "张三".into(),
            method: "HJ 57-2017".into(),
            laboratory: "虚构检测".into(),
            values: Vec::new(),
            note: String::new(),
            attachments: Vec::new(),
            corrects: None,
            by: "lab-1".into(),
        },
        received_at,
        late,
        entered_late: false,
        findings: Vec::new(),
        superseded: None,
        withdrawn: None,
        seq: Seq(seq),
    }
}

/// A machine with its numbering.
struct Desk {
    machine: Machine,
    last_id: u64,
    rule: FallbackRule,
    offset: UtcOffset,
    closed: Vec<FallbackRow>,
    turns: Vec<Turn>,
    /// The same with the minute at which the machine was last told of the time.
    at: Vec<(Turn, i64)>,
    now: i64,
    /// Journal position of what happens now.
    seq: u64,
    /// Reports that belong to a fallback.
    reports: Vec<ManualReportRow>,
}

/// Calls a method of the machine with the terms and a fresh identity.
macro_rules! with_identity {
    ($desk:expr, |$machine:ident, $terms:ident, $id:ident| $call:expr) => {{
        let desk = &mut *$desk;
        let outlet = OutletId::new(OUTLET);
        let $terms = &Terms::new(&desk.rule, desk.offset);
        let $machine = &mut desk.machine;
        let $id = Identity {
            outlet: &outlet,
            last_id: &mut desk.last_id,
            seq: Seq(desk.seq),
        };
        $call
    }};
}

impl Desk {
    fn new(rule: FallbackRule, factors: &[&str]) -> Self {
        let mut machine = Machine::default();
        let codes: Vec<FactorCode> = factors.iter().map(|code| FactorCode::new(*code)).collect();
        machine.watch(&codes, at(0));
        Self {
            machine,
            last_id: 0,
            rule,
            offset: UtcOffset::from_minutes(0).unwrap(),
            closed: Vec::new(),
            turns: Vec::new(),
            at: Vec::new(),
            now: 0,
            seq: 0,
            reports: Vec::new(),
        }
    }

    fn note(&mut self, turns: Vec<Turn>) {
        for turn in turns {
            match &turn {
                Turn::Closed(row) => self.closed.push((**row).clone()),
                Turn::Written(id, written) => {
                    self.machine.note_written(*id, written, Seq(self.seq));
                }
                _ => {}
            }
            self.at.push((turn.clone(), self.now));
            self.turns.push(turn);
        }
    }

    fn advance(&mut self, minute: i64) {
        self.now = minute;
        let turns = with_identity!(self, |machine, terms, id| {
            machine.advance(at(minute), terms, id)
        });
        self.note(turns);
    }

    fn value(&mut self, factor: &str, sighting: Sighting, minute: i64) {
        self.advance(minute);
        let times = (at(minute), at(minute));
        let terms = Terms::new(&self.rule, self.offset);
        let turn = self
            .machine
            .observe(&factor.into(), sighting, times, &terms, Seq(self.seq));
        self.note(turn.into_iter().collect());
    }

    fn report(&mut self, sampled: i64, minute: i64) -> Option<bool> {
        self.advance(minute);
        let terms = Terms::new(&self.rule, self.offset);
        let (counted, turns) = self
            .machine
            .report(at(sampled), at(minute), &terms, Seq(self.seq));
        self.note(turns);
        if let Some((id, late)) = counted {
            let number = ReportId(u64::try_from(self.reports.len()).unwrap() + 1);
            let row = report_row((number, id, late), (at(sampled), at(minute)), self.seq);
            self.reports.push(row);
        }
        counted.map(|(_, late)| late)
    }

    /// Reports were taken back: these samples are left.
    fn recount(&mut self, samples: &[i64], minute: i64) {
        self.advance(minute);
        let samples: Vec<Timestamp> = samples.iter().map(|m| at(*m)).collect();
        let terms = Terms::new(&self.rule, self.offset);
        let turns = self
            .machine
            .recount(&samples, at(minute), &terms, Seq(self.seq));
        self.note(turns);
    }

    fn tested(&mut self, factor: &str, kind: QaKind, failed: Option<i64>, minute: i64) {
        self.advance(minute);
        let failed = failed.map(|since| (at(since), Seq(9)));
        let of = (&FactorCode::new(factor), kind);
        let turns = with_identity!(self, |machine, terms, id| {
            machine.tested(of, failed, at(minute), terms, id)
        });
        self.note(turns);
    }

    fn reviewed(&mut self, quarter: Timestamp, passed: bool, minute: i64) {
        self.advance(minute);
        let judged = Judged {
            passed,
            by: "bureau".into(),
            seq: Seq(5),
        };
        let turns = with_identity!(self, |machine, terms, id| {
            machine.reviewed((quarter, judged), at(minute), terms, id)
        });
        self.note(turns);
    }

    fn decide_open(&mut self, moment: Timestamp) {
        let words = (UserId::new("duty"), "设备故障".to_owned());
        let turn = with_identity!(self, |machine, terms, id| {
            machine.decide_open(words, moment, terms, id)
        });
        self.note(vec![turn]);
    }

    fn decide_close(&mut self, minute: i64) -> bool {
        self.advance(minute);
        let turn = self
            .machine
            .close(at(minute), "复核通过".into(), Seq(self.seq));
        let closed = turn.is_some();
        self.note(turn.into_iter().collect());
        closed
    }

    /// Written out and read again, as a restart does.
    fn restart(&mut self) {
        let json = serde_json::to_string(&self.machine).unwrap();
        self.machine = serde_json::from_str(&json).unwrap();
    }

    fn row(&self) -> &FallbackRow {
        self.machine.row().unwrap()
    }
}

#[test]
fn it_opens_when_the_time_runs_out_and_names_what_it_saw() {
    let mut desk = Desk::new(rule(0), &["a", "b"]);
    desk.value("a", Sighting::Valid, 10);
    desk.value("b", Sighting::Valid, 10);
    for minute in 11..70 {
        desk.value("a", Sighting::Valid, minute);
        desk.value("b", Sighting::Invalid(vec!["D".into()]), minute);
    }
    assert!(desk.machine.row().is_none());
    desk.advance(300);
    let row = desk.row();
    assert_eq!(row.opened_at, at(70));
    let faulty = FallbackReason::EquipmentState {
        factor: "b".into(),
        since: at(10),
        seen: vec!["D".into()],
    };
    let silent = FallbackReason::NoValidData {
        factor: "a".into(),
        since: at(69),
        seen: Vec::new(),
    };
    // The silence of `a` joins when its own hour has passed.
    assert_eq!(row.reasons, [faulty, silent]);
    assert_eq!(row.next_due, Some(at(70 + 360)));
}

#[test]
fn a_source_that_says_it_is_stopped_owes_no_data_but_must_go_on_saying_so() {
    let mut desk = Desk::new(rule(0), &["a"]);
    for minute in 0..500 {
        desk.value("a", Sighting::Stopped, minute);
    }
    assert!(desk.machine.row().is_none());
    desk.advance(558);
    assert!(desk.machine.row().is_none());
    desk.advance(559);
    assert_eq!(desk.row().opened_at, at(559));
}

#[test]
fn four_a_day_across_midnight_from_ten_in_the_evening() {
    let mut desk = Desk::new(rule(0), &["a"]);
    let evening = 22 * 60;
    desk.value("a", Sighting::Valid, evening - 60);
    desk.advance(evening);
    assert_eq!(desk.row().opened_at, at(evening));
    // Before the opening: kept by the caller, not counted.
    assert_eq!(desk.report(evening - 10, evening + 5), None);
    let day = 1_440;
    for sample in [evening + 120, day + 300, day + 620, day + 940, day + 1_260] {
        assert_eq!(desk.report(sample, sample + 20), Some(false), "{sample}");
    }
    desk.advance(2 * day);
    let row = desk.row();
    assert_eq!(
        (row.reports, row.missed, row.short_days.as_slice()),
        (5, 0, &[][..])
    );
    assert_eq!(row.reports_today, 0);
    // The second full day gets three samples, close enough to each other.
    for sample in [2 * day + 100, 2 * day + 430, 2 * day + 760] {
        assert_eq!(desk.report(sample, sample), Some(false));
    }
    desk.advance(3 * day);
    let row = desk.row();
    assert_eq!(row.short_days, [at(2 * day)]);
    // The gap since 12:40 ran out at 18:40, the short day at midnight: two misses, one alarm.
    assert_eq!(row.missed, 2);
    assert_eq!(row.overdue_since, Some(at(2 * day + 760 + 360)));
    assert_eq!(desk.report(3 * day, 3 * day + 1), Some(true));
    assert_eq!(desk.row().overdue_since, None);
    assert!(desk.turns.contains(&Turn::Relieved));
}

#[test]
fn an_old_sample_does_not_end_an_overdue_one() {
    let mut desk = Desk::new(rule(0), &["a"]);
    desk.advance(60 + 360);
    assert_eq!(desk.row().overdue_since, Some(at(420)));
    // Sampled in time, reported 400 minutes later: its own successor is overdue already.
    assert_eq!(desk.report(400, 800), Some(true));
    assert_eq!(desk.row().overdue_since, Some(at(760)));
    assert_eq!(desk.row().missed, 2);
    // Older than the last one: counts as a report, moves nothing.
    desk.report(300, 810);
    assert_eq!(
        (desk.row().reports, desk.row().overdue_since),
        (2, Some(at(760)))
    );
}

#[test]
fn it_closes_when_all_have_been_valid_without_a_break() {
    let mut desk = Desk::new(rule(30), &["a", "b"]);
    desk.advance(100);
    for minute in 100..140 {
        desk.value("a", Sighting::Valid, minute);
    }
    assert!(desk.closed.is_empty());
    for minute in 140..=170 {
        desk.value("a", Sighting::Valid, minute);
        let b = if minute == 150 {
            Sighting::Invalid(vec!["C".into()])
        } else {
            Sighting::Valid
        };
        desk.value("b", b, minute);
    }
    assert!(desk.closed.is_empty());
    for minute in 171..=181 {
        desk.value("a", Sighting::Valid, minute);
        desk.value("b", Sighting::Valid, minute);
    }
    let row = &desk.closed[0];
    assert_eq!(row.closed_at, Some(at(181)));
    assert_eq!(row.closed_why.as_deref(), Some("valid-data"));
    assert_eq!((row.next_due, row.overdue_since), (None, None));
}

#[test]
fn what_a_person_opened_only_a_person_closes() {
    let mut desk = Desk::new(rule(0), &["a"]);
    desk.decide_open(at(5));
    assert_eq!(desk.turns, [Turn::Opened]);
    desk.value("a", Sighting::Valid, 6);
    assert!(desk.closed.is_empty());
    assert!(desk.decide_close(7));
    assert_eq!(desk.closed[0].closed_at, Some(at(7)));
    assert!(!desk.decide_close(8));
    // The time without data counts from the closing, so that it does not open again at once.
    let terms = Terms::new(&desk.rule, desk.offset);
    assert_eq!(desk.machine.next_deadline(&terms), Some(at(67)));
}

#[test]
fn a_sample_noted_to_the_minute_of_the_opening_counts() {
    let mut desk = Desk::new(rule(0), &["a"]);
    desk.decide_open(at(10).plus_ms(30_000));
    assert_eq!(desk.report(9, 11), None, "the minute before does not");
    assert_eq!(desk.report(10, 11), Some(false));
    assert_eq!(desk.row().reports, 1);
    assert_eq!(desk.row().next_due, Some(at(10 + 360)));
}

#[test]
fn a_report_taken_back_counts_no_more_and_what_was_missed_stays() {
    let mut desk = Desk::new(rule(0), &["a"]);
    desk.advance(60);
    assert_eq!(desk.report(100, 110), Some(false));
    assert_eq!(desk.report(400, 410), Some(false));
    // The last one goes: the next is due by the first again, which passes.
    desk.recount(&[100], 420);
    assert_eq!(
        (desk.row().reports, desk.row().next_due),
        (1, Some(at(460)))
    );
    assert_eq!(desk.report(470, 480), Some(true));
    assert_eq!(desk.row().missed_dues, [at(460)]);
    // That goes, too: its due time had been missed once already.
    desk.recount(&[100], 490);
    let row = desk.row();
    assert_eq!((row.missed, row.overdue_since), (1, Some(at(460))));
    // An older sample goes: nothing is due at another time.
    desk.report(480, 495);
    desk.recount(&[480], 500);
    let row = desk.row();
    assert_eq!(
        (row.missed, row.reports, row.next_due),
        (1, 1, Some(at(840)))
    );
    // All go: due as at the opening, at 420, which has passed but was met in its time.
    desk.recount(&[], 510);
    let row = desk.row();
    assert_eq!(row.missed_dues, [at(460), at(420)]);
    assert_eq!((row.last_report_at, row.reports_today), (None, 0));
}

#[test]
fn a_day_of_samples_by_itself() {
    let of = |minutes: &[i64]| {
        let times: Vec<Timestamp> = minutes.iter().map(|m| at(*m)).collect();
        sampling_day(
            &times,
            &Terms::new(&rule(0), UtcOffset::from_minutes(0).unwrap()),
        )
    };
    let good = of(&[1_080, 0, 360, 720]);
    assert_eq!((good.samples, good.ok()), (4, true));
    assert_eq!(good.max_gap_ms, Some(360 * MINUTE_MS));
    let gap = of(&[0, 361, 720, 1_080, 1_080]);
    assert_eq!(
        (gap.samples, gap.enough, gap.close_enough),
        (4, true, false)
    );
    // The same sample entered twice is one.
    assert!(!of(&[0, 360, 360, 720]).enough);
    assert_eq!(of(&[]).max_gap_ms, None);
    assert!(!of(&[]).ok() && of(&[]).close_enough);
}

proptest! {
    /// Samples reported at once, with the fallback open since the evening before and a sample at
    /// midnight: the machine and the day by itself say the same.
    #[test]
    fn the_machine_agrees_with_the_day_by_itself(
        minutes in prop::collection::btree_set(1i64..1_440, 0..9),
    ) {
        let day = 1_440;
        let times: BTreeSet<i64> = minutes.iter().map(|m| day + m).chain([day]).collect();
        let list: Vec<i64> = times.iter().copied().collect();
        prop_assume!(list.windows(2).all(|pair| pair[1] - pair[0] != 360));
        let mut desk = Desk::new(rule(0), &["a"]);
        desk.value("a", Sighting::Valid, day - 90);
        for sample in &list {
            desk.report(*sample, *sample);
        }
        let missed_before_night = desk.row().missed;
        desk.advance(2 * day);
        let samples: Vec<Timestamp> = list.iter().map(|m| at(*m)).collect();
        let by_itself = sampling_day(&samples, &Terms::new(&desk.rule, desk.offset));
        prop_assert_eq!(desk.row().short_days.is_empty(), by_itself.enough);
        prop_assert_eq!(missed_before_night == 0, by_itself.close_enough);
    }
}
