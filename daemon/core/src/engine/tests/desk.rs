//! The life of an alarm on the desk: chattering, put aside, armed again, escalated, suppressed, out
//! of service, first of a cascade. Every story goes on after a restart.

use crate::engine::{
    AlarmAction, AlarmActionKind, AlarmService, Event, HealthReport, Refusal, RefusalReason,
    TakeBack,
};
use crate::fixture::*;
use crate::model::*;
use std::sync::Arc;

/// The stack alone, half an hour of patience for silence, no fallback.
fn bench() -> Bench {
    let mut city = registry();
    city.outlets.remove(WATER);
    for outlet in city.outlets.values_mut() {
        outlet.fallback.opens_after_min = 1_000_000;
    }
    let mut bench = Bench::with(city, minute(0));
    bench.send(minute(0), Event::Policy(Arc::new(policy())));
    bench
}

fn edited(edit: impl FnOnce(&mut Policy)) -> Event {
    let mut policy = policy();
    edit(&mut policy);
    Event::Policy(Arc::new(policy))
}

fn sends(bench: &mut Bench, n: i64) {
    let values = vec![value("a21026", "10", "N")];
    let record = record(GAS, RecordKind::Minute, minute(n - 1), values);
    bench.send(minute(n), data(record));
}

fn disk(bad: bool) -> Event {
    Event::Health(HealthReport {
        kind: AlarmKind::HealthDisk,
        part: "data".into(),
        bad,
        value: Some(dec("90")),
        threshold: Some(dec("1024")),
        detail: "90 MB left".into(),
    })
}

fn act(alarm: u64, kind: AlarmActionKind, until: Option<i64>) -> Event {
    Event::AlarmAction(AlarmAction {
        alarm: AlarmId(alarm),
        kind,
        by: "duty-1".into(),
        note: "because".into(),
        until: until.map(minute),
    })
}

fn row(bench: &mut Bench, id: u64) -> AlarmRow {
    bench.tables().alarms[&AlarmId(id)].clone()
}

/// What happened to an alarm, as codes.
fn life(bench: &mut Bench, id: u64) -> Vec<String> {
    let object = format!("alarm/{id}");
    let lines = bench.tables().audit.into_values();
    lines
        .filter(|line| line.object == object)
        .map(|line| line.what.to_string())
        .collect()
}

fn told(bench: &mut Bench, reason: MessageReason) -> Vec<Recipient> {
    let messages = bench.tables().messages.into_values();
    let of = messages.filter(|message| message.reason == reason);
    of.map(|message| message.to).collect()
}

#[test]
fn what_comes_and_goes_three_times_is_held_until_it_has_been_quiet() {
    let mut bench = bench();
    for n in [0, 4, 8] {
        bench.send(minute(1 + n), disk(true));
        bench.send(minute(3 + n), disk(false));
    }
    let third = row(&mut bench, 3);
    assert!(third.chattering && third.active, "held: {third:#?}");
    assert!(!row(&mut bench, 2).chattering);
    bench.restart();
    // Comes again while it is held: the same alarm, and no fourth one.
    bench.send(minute(20), disk(true));
    bench.send(minute(22), disk(false));
    assert_eq!(bench.tables().alarms.len(), 3);
    bench.tick(minute(22 + 29));
    assert!(row(&mut bench, 3).active);
    bench.tick(minute(22 + 30));
    let third = row(&mut bench, 3);
    assert_eq!(third.returned_at, Some(minute(52)));
    assert_eq!(third.facts["returned"], "quiet");
}

#[test]
fn a_shelved_alarm_comes_back_when_its_time_is_over() {
    let mut bench = bench();
    bench.tick(minute(30));
    assert_eq!(row(&mut bench, 1).kind, AlarmKind::NoData);
    bench.send(minute(31), act(1, AlarmActionKind::Shelve, Some(60)));
    assert_eq!(row(&mut bench, 1).state(), AlarmState::Shelved);
    bench.restart();
    bench.tick(minute(59));
    assert_eq!(row(&mut bench, 1).state(), AlarmState::Shelved);
    assert_eq!(row(&mut bench, 1).escalated, 0, "nobody is told meanwhile");
    bench.tick(minute(60));
    let back = row(&mut bench, 1);
    assert_eq!(back.state(), AlarmState::Unacknowledged);
    assert_eq!(back.rearmed, 1);
    assert_eq!(
        told(&mut bench, MessageReason::AlarmRearmed).len(),
        0,
        "it is gathered first"
    );
    bench.tick(minute(61));
    assert!(!told(&mut bench, MessageReason::AlarmRearmed).is_empty());
    // The escalation begins anew.
    bench.tick(minute(60 + 30));
    assert_eq!(row(&mut bench, 1).escalated, 1);
    let codes = life(&mut bench, 1);
    let expected = [
        "alarm.raised",
        "alarm.shelved",
        "alarm.unshelved",
        "alarm.escalated",
    ];
    assert_eq!(codes, expected);
}

#[test]
fn what_is_taken_back_early_or_is_over_meanwhile_is_not_armed_again() {
    let mut bench = bench();
    bench.tick(minute(30));
    bench.send(minute(31), act(1, AlarmActionKind::Shelve, Some(90)));
    bench.send(minute(40), act(1, AlarmActionKind::Unshelve, None));
    assert_eq!(row(&mut bench, 1).state(), AlarmState::Unacknowledged);
    bench.send(minute(41), act(1, AlarmActionKind::Shelve, Some(90)));
    sends(&mut bench, 50);
    bench.restart();
    assert_eq!(row(&mut bench, 1).state(), AlarmState::Shelved);
    bench.send(minute(85), act(1, AlarmActionKind::Unshelve, None));
    let over = row(&mut bench, 1);
    assert_eq!(over.state(), AlarmState::ReturnedUnacknowledged);
    assert_eq!(over.rearmed, 0);
}

#[test]
fn an_acknowledgement_that_runs_out_while_the_condition_holds_arms_the_alarm_again() {
    let mut bench = bench();
    let expires = edited(|policy| {
        let rule = policy.alarms.kinds.get_mut(&AlarmKind::NoData).unwrap();
        rule.ack_expires_min = Some(120);
    });
    bench.send(minute(1), expires);
    bench.tick(minute(30));
    bench.send(minute(40), act(1, AlarmActionKind::Acknowledge, None));
    let noticed = row(&mut bench, 1);
    assert_eq!(noticed.acknowledged.unwrap().until, Some(minute(160)));
    bench.restart();
    bench.tick(minute(160));
    let again = row(&mut bench, 1);
    assert_eq!(again.state(), AlarmState::Unacknowledged);
    assert_eq!(
        again.answered_at,
        Some(minute(40)),
        "the first answer counts"
    );
    // A person may choose a shorter time than the policy.
    bench.send(minute(161), act(1, AlarmActionKind::Acknowledge, Some(170)));
    bench.tick(minute(170));
    assert_eq!(row(&mut bench, 1).rearmed, 2);
    // Once it is gone there is nothing to arm.
    bench.send(minute(171), act(1, AlarmActionKind::Acknowledge, None));
    for n in 172..176 {
        sends(&mut bench, n);
    }
    bench.restart();
    bench.send(minute(180), act(1, AlarmActionKind::Close, None));
    bench.tick(minute(400));
    let closed = row(&mut bench, 1);
    assert_eq!((closed.state(), closed.rearmed), (AlarmState::Closed, 2));
}

#[test]
fn nobody_answers_so_the_next_is_told_until_somebody_does() {
    let mut bench = bench();
    bench.tick(minute(30));
    let high = row(&mut bench, 1).priority;
    assert_eq!(high, Priority::High, "steps after 30 and 120 minutes");
    bench.tick(minute(59));
    assert_eq!(row(&mut bench, 1).escalated, 0);
    bench.tick(minute(60));
    assert_eq!(row(&mut bench, 1).escalated, 1);
    bench.restart();
    bench.tick(minute(70));
    let to = told(&mut bench, MessageReason::AlarmEscalated);
    assert_eq!(to, [Recipient::User("chief".into())]);
    bench.tick(minute(150));
    assert_eq!(row(&mut bench, 1).escalated, 2);
    bench.tick(minute(160));
    let to = told(&mut bench, MessageReason::AlarmEscalated);
    assert!(to.contains(&Recipient::User("check-1".into())), "{to:?}");
    bench.tick(minute(1_000));
    assert_eq!(row(&mut bench, 1).escalated, 2, "there is no third step");
}

#[test]
fn who_takes_notice_ends_the_escalation() {
    let mut bench = bench();
    bench.tick(minute(30));
    bench.send(minute(45), act(1, AlarmActionKind::Acknowledge, None));
    bench.tick(minute(500));
    assert_eq!(row(&mut bench, 1).escalated, 0);
    assert!(told(&mut bench, MessageReason::AlarmEscalated).is_empty());
}

fn mark(bench: &mut Bench, at: i64, kind: MarkKind, (from, until): (i64, i64)) -> Seq {
    let mark = Mark {
        outlet: GAS.into(),
        factors: Vec::new(),
        kind,
        from: minute(from),
        until: minute(until),
        reason: "kiln is cold".into(),
        attachments: Vec::new(),
        by: "acme-env".into(),
    };
    bench.send(minute(at), Event::Mark(mark));
    Seq(bench.seq)
}

/// Silence is suppressed while the outlet is marked stopped.
fn suppressing() -> Event {
    edited(|policy| {
        let rule = policy.alarms.kinds.get_mut(&AlarmKind::NoData).unwrap();
        rule.suppressed_by = [policy::SuppressedBy::Stopped].into();
    })
}

#[test]
fn a_stopped_outlet_is_silent_without_an_alarm_until_the_mark_is_over() {
    let mut bench = bench();
    bench.send(minute(1), suppressing());
    mark(&mut bench, 2, MarkKind::Stopped, (1, 300));
    bench.tick(minute(30));
    let silent = row(&mut bench, 1);
    assert_eq!(silent.state(), AlarmState::Suppressed);
    assert_eq!(silent.suppressed.unwrap().why, "stopped");
    bench.restart();
    bench.tick(minute(299));
    assert!(told(&mut bench, MessageReason::AlarmRaised).is_empty());
    assert_eq!(row(&mut bench, 1).escalated, 0);
    bench.tick(minute(302));
    assert_eq!(row(&mut bench, 1).state(), AlarmState::Unacknowledged);
    assert!(!told(&mut bench, MessageReason::AlarmRaised).is_empty());
    bench.tick(minute(330));
    assert_eq!(row(&mut bench, 1).escalated, 1);
}

#[test]
fn a_mark_entered_later_suppresses_and_one_taken_back_announces_again() {
    let mut bench = bench();
    bench.send(minute(1), suppressing());
    bench.tick(minute(30));
    assert_eq!(row(&mut bench, 1).state(), AlarmState::Unacknowledged);
    let id = mark(&mut bench, 35, MarkKind::Stopped, (20, 300));
    assert_eq!(row(&mut bench, 1).state(), AlarmState::Suppressed);
    bench.restart();
    let back = Event::MarkWithdrawn(TakeBack {
        outlet: GAS.into(),
        id,
        by: "acme-env".into(),
        reason: "wrong stack".into(),
    });
    bench.send(minute(50), back);
    assert_eq!(row(&mut bench, 1).state(), AlarmState::Unacknowledged);
    let codes = life(&mut bench, 1);
    assert_eq!(
        codes,
        ["alarm.raised", "alarm.suppressed", "alarm.unsuppressed"]
    );
    // Maintenance does not suppress what the policy does not say.
    mark(&mut bench, 55, MarkKind::Maintenance, (20, 300));
    assert_eq!(row(&mut bench, 1).state(), AlarmState::Unacknowledged);
}

#[test]
fn a_suppressed_alarm_that_is_over_never_stood_on_the_desk() {
    let mut bench = bench();
    bench.send(minute(1), suppressing());
    mark(&mut bench, 2, MarkKind::Stopped, (1, 300));
    bench.tick(minute(30));
    assert!(row(&mut bench, 1).is_open(), "it is listed while it holds");
    sends(&mut bench, 60);
    let over = row(&mut bench, 1);
    assert!(!over.active && !over.is_open(), "{over:#?}");
    assert!(told(&mut bench, MessageReason::AlarmReturned).is_empty());
}

fn service(bench: &mut Bench, at: i64, out: bool) {
    let order = AlarmService {
        outlet: GAS.into(),
        kind: AlarmKind::NoData,
        out,
        by: "chief".into(),
        note: "line works".into(),
    };
    bench.send(minute(at), Event::AlarmService(order));
}

#[test]
fn a_kind_out_of_service_is_kept_and_tells_nobody_until_it_is_put_back() {
    let mut bench = bench();
    service(&mut bench, 5, true);
    let kept = bench.tables().alarm_services;
    let entry = &kept[&(GAS.into(), AlarmKind::NoData)];
    assert_eq!((entry.out, entry.note.as_str()), (true, "line works"));
    bench.restart();
    bench.tick(minute(30));
    assert_eq!(row(&mut bench, 1).state(), AlarmState::OutOfService);
    bench.tick(minute(500));
    assert!(told(&mut bench, MessageReason::AlarmRaised).is_empty());
    service(&mut bench, 501, false);
    assert_eq!(row(&mut bench, 1).state(), AlarmState::Unacknowledged);
    let kept = bench.tables().alarm_services;
    assert!(!kept[&(GAS.into(), AlarmKind::NoData)].out);
    // Another kind of the same outlet was never out.
    let wrong = Event::Refused(Refusal {
        reason: RefusalReason::WrongPassword,
        peer: "203.0.113.9:1".into(),
        mn: Some("MN-GAS".into()),
        outlet: Some(GAS.into()),
        bytes: 1,
        excerpt: String::new(),
    });
    service(&mut bench, 502, true);
    bench.send(minute(503), wrong);
    assert_eq!(row(&mut bench, 2).state(), AlarmState::Unacknowledged);
}

#[test]
fn a_kind_that_the_policy_takes_out_of_service_is_looked_at_again_when_it_changes() {
    let mut bench = bench();
    bench.tick(minute(30));
    let out = edited(|policy| {
        let rule = policy.alarms.kinds.get_mut(&AlarmKind::NoData).unwrap();
        rule.in_service = false;
    });
    bench.send(minute(40), out);
    assert_eq!(row(&mut bench, 1).state(), AlarmState::OutOfService);
    bench.restart();
    bench.send(minute(50), Event::Policy(Arc::new(policy())));
    assert_eq!(row(&mut bench, 1).state(), AlarmState::Unacknowledged);
}

#[test]
fn the_first_of_a_cascade_is_named_by_those_that_follow_within_the_hour() {
    let mut bench = bench();
    let wrong = |n: i64| {
        let refusal = Refusal {
            reason: RefusalReason::WrongPassword,
            peer: "203.0.113.9:1".into(),
            mn: Some("MN-GAS".into()),
            outlet: Some(GAS.into()),
            bytes: 1,
            excerpt: String::new(),
        };
        (minute(n), Event::Refused(refusal))
    };
    let (at, event) = wrong(10);
    bench.send(at, event);
    bench.tick(minute(30));
    assert_eq!(row(&mut bench, 1).first_out, None);
    let silent = row(&mut bench, 2);
    assert_eq!(
        (silent.kind, silent.first_out),
        (AlarmKind::NoData, Some(AlarmId(1)))
    );
    bench.restart();
    // What comes hours later is another story.
    for n in (31..=201).step_by(10) {
        sends(&mut bench, n);
    }
    bench.tick(minute(300));
    let again = row(&mut bench, 3);
    assert_eq!((again.kind, again.first_out), (AlarmKind::NoData, None));
    assert_eq!(again.previous, Some(AlarmId(2)), "but the same condition");
}
