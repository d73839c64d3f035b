//! Duties that something triggers: a fallback, a marked fault, a finding.

use super::*;
use crate::duties::triggered;

#[test]
fn a_fallback_opens_the_report_of_three_days() {
    let mut bench = start();
    let decision = FallbackDecision {
        outlet: GAS.into(),
        open: true,
        by: "li".into(),
        note: "分析仪故障".into(),
    };
    bench.send(at("2026-10-01 22:10"), Event::FallbackDecision(decision));
    let row = duty(&mut bench, "report:dc-01:fallback-1");
    assert_eq!(row.trigger_at, Some(at("2026-10-01 22:10")));
    assert_eq!(row.due_at, at("2026-10-05 00:00"));
    assert_eq!(row.enterprise, Some("acme".into()));
    assert_eq!(row.standing(at("2026-10-04 23:59")), DutyStanding::Open);
    assert_eq!(row.standing(at("2026-10-05 00:00")), DutyStanding::Overdue);
}

fn fault(from: &str) -> Event {
    Event::Mark(Mark {
        outlet: GAS.into(),
        kind: MarkKind::Fault,
        factors: Vec::new(),
        from: at(from),
        until: at("2026-09-22 00:00"),
        reason: "采样泵停转".into(),
        attachments: Vec::new(),
        by: "wang".into(),
    })
}

#[test]
fn a_marked_fault_is_to_be_reported_and_repaired_unless_the_mark_is_taken_back() {
    let mut bench = start();
    bench.send(at("2026-09-20 10:00"), fault("2026-09-20 08:00"));
    let mark = bench.seq;
    let key = |rule: &str| format!("{rule}:dc-01:{}", triggered("mark", mark));
    let report = duty(&mut bench, &key("fault"));
    assert_eq!(report.due_at, at("2026-09-20 20:00"));
    let repair = duty(&mut bench, &key("repair"));
    assert_eq!(repair.due_at, at("2026-09-22 08:00"));
    // Both are within a day or less of being due at once, or soon.
    assert_eq!(
        alarms(&mut bench),
        [(AlarmKind::DutyNear, GAS.into(), 1, true)]
    );
    bench.tick(at("2026-09-21 09:00"));
    let overdue = (AlarmKind::DutyOverdue, GAS.to_owned(), 1, true);
    assert!(alarms(&mut bench).contains(&overdue));
    let back = TakeBack {
        outlet: GAS.into(),
        id: Seq(mark),
        by: "wang".into(),
        reason: "误填".into(),
    };
    bench.send(at("2026-09-21 10:00"), Event::MarkWithdrawn(back));
    for rule in ["fault", "repair"] {
        let gone = duty(&mut bench, &key(rule)).gone;
        assert_eq!(gone, Some((at("2026-09-21 10:00"), DutyGone::TakenBack)));
    }
    assert!(alarms(&mut bench).iter().all(|alarm| !alarm.3));
}

#[test]
fn a_finding_is_entered_by_a_person_and_can_be_taken_back() {
    let mut bench = start();
    let opening = DutyOpening {
        rule: "finding".into(),
        subject: DutySubject::Enterprise("acme".into()),
        trigger_at: at("2026-09-18 15:00"),
        by: "li".into(),
        note: "台账不全".into(),
    };
    bench.send(at("2026-09-21 09:00"), Event::DutyOpened(opening));
    let key = format!("finding:acme:entry-{}", bench.seq);
    let row = duty(&mut bench, &key);
    // From Monday the 21st: 8 days until the 30th, then 8, 9, 10, 12 to 16, 19 to 22.
    assert_eq!(row.due_at, at("2026-10-23 00:00"));
    assert_eq!(row.opened_by, Some("li".into()));
    assert_eq!(row.note, "台账不全");
    bench.send(at("2026-09-21 10:00"), back(&key));
    let row = duty(&mut bench, &key);
    assert_eq!(row.standing(bench.engine.now()), DutyStanding::Gone);
}
