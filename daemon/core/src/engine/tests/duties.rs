//! Duties with a clock as the engine lives them.

use crate::engine::{
    DUTIES_ONE_BY_ONE_MAX, DutyCompletion, DutyOpening, DutyTakeBack, Event, FallbackDecision,
    TakeBack,
};
use crate::fixture::*;
use crate::lang::Text;
use crate::model::profile::Sure;
use crate::model::*;
use std::sync::Arc;

mod properties;
mod triggers;

/// A moment at the site.
fn at(text: &str) -> Timestamp {
    let local = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    UtcOffset::default().instant(local)
}

/// National Day of 2026, with its make-up Saturday.
pub(super) fn calendar() -> WorkCalendar {
    let day = |text: &str| text.parse::<Day>().unwrap();
    let year = CalendarYear {
        holidays: vec![Holiday {
            name: Text::new("国庆节", "National Day"),
            from: day("2026-10-01"),
            to: day("2026-10-07"),
        }],
        make_up: [day("2026-10-10")].into(),
        source: "story".into(),
        provisional: None,
    };
    WorkCalendar {
        years: [(2026, year)].into(),
    }
}

fn rule(id: &str, subject: DutyFor, trigger: DutyTrigger, deadline: DutyDeadline) -> DutyRule {
    DutyRule {
        id: id.into(),
        name: Text::new(format!("事项{id}"), id),
        subject,
        regions: Default::default(),
        roles: [Role::EnterpriseUser].into(),
        trigger,
        deadline,
        moves: false,
        remind_h: vec![72, 24],
        escalate: vec![DutyStep {
            after_h: 24,
            roles: [Role::Supervisor].into(),
        }],
        document: false,
        quota: Vec::new(),
        provenance: Provenance {
            sure: Sure::M,
            source: "story".into(),
        },
        from: None,
        until: None,
    }
}

fn monthly() -> DutyTrigger {
    DutyTrigger::Every {
        period: Recurrence::Month,
        speaks: Speaks::Previous,
        opens: None,
    }
}

fn on(event: DutyEvent) -> DutyTrigger {
    DutyTrigger::On { event }
}

/// A total within seven working days, a report after a fallback, two times after a fault, a
/// finding to be published.
pub(super) fn book() -> DutyBook {
    use DutyDeadline as D;
    let mut total = rule(
        "total",
        DutyFor::Enterprise,
        monthly(),
        D::WorkingDay { n: 7 },
    );
    total.document = true;
    let outlet = DutyFor::Outlet;
    let rules = [
        total,
        rule(
            "report",
            outlet,
            on(DutyEvent::FallbackOpened),
            D::DaysAfter { n: 3 },
        ),
        rule(
            "fault",
            outlet,
            on(DutyEvent::FaultMarked),
            D::HoursAfter { n: 12 },
        ),
        rule(
            "repair",
            outlet,
            on(DutyEvent::FaultMarked),
            D::HoursAfter { n: 48 },
        ),
        rule(
            "finding",
            DutyFor::Enterprise,
            on(DutyEvent::Finding),
            D::WorkingDaysAfter { n: 20 },
        ),
    ];
    DutyBook {
        rules: rules
            .into_iter()
            .map(|rule| (rule.id.clone(), rule))
            .collect(),
        calendar: calendar(),
    }
}

fn policy(duties: DutyBook) -> Event {
    Event::Policy(Arc::new(Policy {
        duties: duties.into(),
        ..Policy::default()
    }))
}

/// The city without anything that would alarm by itself.
fn quiet_city() -> Registry {
    let mut city = registry();
    for outlet in city.outlets.values_mut() {
        outlet.expectation.no_data_after_s = 0;
        outlet.fallback.opens_after_min = 10_000_000;
    }
    city
}

/// 20 September 2026, nine in the morning.
fn start() -> Bench {
    let mut bench = Bench::with(quiet_city(), at("2026-09-20 09:00"));
    bench.send(at("2026-09-20 09:00"), policy(book()));
    bench
}

fn duty(bench: &mut Bench, key: &str) -> DutyRow {
    let mut duties = bench.tables().duties;
    let row = duties.remove(key);
    row.unwrap_or_else(|| panic!("no {key} in {:?}", duties.keys()))
}

pub(super) fn done(key: &str) -> Event {
    Event::DutyCompleted(DutyCompletion {
        key: key.into(),
        by: "wang".into(),
        note: "已报送".into(),
        attachments: vec![Attachment {
            name: "月报.pdf".into(),
            bytes: 3,
            sha256: "00".into(),
        }],
    })
}

fn back(key: &str) -> Event {
    Event::DutyTakenBack(DutyTakeBack {
        key: key.into(),
        by: "wang".into(),
        reason: "传错文件".into(),
    })
}

/// What the engine said about duties: time, what, object, detail.
fn told(bench: &mut Bench) -> Vec<String> {
    let lines = bench.tables().audit.into_values();
    let about = |line: &rows::AuditRow| line.what.starts_with("duty");
    lines
        .filter(about)
        .map(|line| {
            let local = UtcOffset::default().local(line.at);
            let when = local.format("%m-%d %H:%M");
            format!("{when} {} {} {}", line.what, line.object, line.detail)
        })
        .collect()
}

/// Kind, subject, count, active of each alarm.
fn alarms(bench: &mut Bench) -> Vec<(AlarmKind, String, u64, bool)> {
    let rows = bench.tables().alarms.into_values();
    let subject = |row: &AlarmRow| match &row.subject {
        AlarmSubject::Enterprise(id) => id.to_string(),
        AlarmSubject::Outlet(id) => id.to_string(),
        AlarmSubject::Region(id) => format!("region {id}"),
        other => format!("{other:?}"),
    };
    rows.map(|row| (row.kind, subject(&row), row.count, row.active))
        .collect()
}

#[test]
fn a_month_that_begins_with_national_day() {
    let mut bench = start();
    bench.tick(at("2026-11-01 00:00"));
    let row = duty(&mut bench, "total:acme:2026-09");
    assert_eq!(row.opens_at, at("2026-10-01 00:00"));
    assert_eq!(row.due_at, at("2026-10-16 00:00"));
    assert_eq!(row.standing(bench.engine.now()), DutyStanding::Overdue);
    assert_eq!(row.region, Some("r".into()));
    assert_eq!(
        told(&mut bench),
        [
            "10-01 00:00 duty.opened duties/total:2026-09 1",
            "10-13 00:00 duty.reminded duties/total:2026-09 1",
            "10-15 00:00 duty.reminded duties/total:2026-09 1",
            "10-16 00:00 duty.overdue duties/total:2026-09 1",
            "10-17 00:00 duty.escalated duties/total:2026-09 1",
            "11-01 00:00 duty.opened duties/total:2026-10 1",
        ]
    );
    let near = (AlarmKind::DutyNear, "acme".to_owned(), 1, false);
    let overdue = (AlarmKind::DutyOverdue, "acme".to_owned(), 1, true);
    assert_eq!(alarms(&mut bench), [near, overdue]);
    let row = &bench.tables().alarms[&AlarmId(2)];
    assert_eq!(row.since, at("2026-10-16 00:00"));
    assert_eq!(row.facts["name_zh"], "事项total");
    assert_eq!(row.facts["due"], "2026-10-16T00:00:00+08:00");
}

#[test]
fn who_comes_in_owes_what_is_open_and_in_time() {
    // On the 20th of September the seven working days have passed, so nothing is owed for August.
    let mut bench = start();
    assert!(bench.tables().duties.is_empty());
    // On the 5th of October they have not.
    let mut bench = Bench::with(quiet_city(), at("2026-10-05 09:00"));
    bench.send(at("2026-10-05 09:00"), policy(book()));
    assert_eq!(
        duty(&mut bench, "total:acme:2026-09").opens_at,
        at("2026-10-05 09:00")
    );
    // Nor does it matter which comes first.
    let mut other = Bench::default();
    other.send(at("2026-10-05 09:00"), policy(book()));
    other.send(
        at("2026-10-05 09:00"),
        Event::Registry(Arc::new(quiet_city())),
    );
    let row = duty(&mut other, "total:acme:2026-09");
    assert_eq!(row.due_at, at("2026-10-16 00:00"));
}

#[test]
fn a_completion_ends_reminders_and_alarms_and_can_be_taken_back() {
    let mut bench = start();
    let key = "total:acme:2026-09";
    bench.tick(at("2026-10-15 08:00"));
    assert!(alarms(&mut bench)[0].3, "near");
    bench.send(at("2026-10-15 09:00"), done(key));
    let row = duty(&mut bench, key);
    assert_eq!(row.standing(bench.engine.now()), DutyStanding::Done);
    assert!(!alarms(&mut bench)[0].3);
    // Taken back in time: near again. Taken back after that: overdue at once.
    bench.send(at("2026-10-15 10:00"), back(key));
    let near = |n: usize, bench: &mut Bench| alarms(bench)[n].clone();
    assert_eq!(
        near(1, &mut bench),
        (AlarmKind::DutyNear, "acme".into(), 1, true)
    );
    let again = &bench.tables().alarms[&AlarmId(2)];
    assert_eq!(again.previous, Some(AlarmId(1)));
    bench.send(at("2026-10-15 11:00"), done(key));
    bench.tick(at("2026-10-20 00:00"));
    assert_eq!(alarms(&mut bench).len(), 2, "nothing more is told");
    bench.send(at("2026-10-20 09:00"), back(key));
    assert_eq!(
        near(2, &mut bench),
        (AlarmKind::DutyOverdue, "acme".into(), 1, true)
    );
    bench.send(at("2026-10-20 10:00"), done(key));
    let row = duty(&mut bench, key);
    assert_eq!(row.standing(bench.engine.now()), DutyStanding::DoneLate);
    assert!(alarms(&mut bench).iter().all(|alarm| !alarm.3));
}

#[test]
fn what_makes_no_sense_leaves_a_line_and_changes_nothing() {
    let mut bench = start();
    bench.tick(at("2026-10-02 00:00"));
    let without = Event::DutyCompleted(DutyCompletion {
        key: "total:acme:2026-09".into(),
        by: "wang".into(),
        note: String::new(),
        attachments: Vec::new(),
    });
    let before = bench.tables().duties;
    bench.send(at("2026-10-02 01:00"), without);
    bench.send(at("2026-10-02 02:00"), done("total:nobody:2026-09"));
    bench.send(at("2026-10-02 03:00"), back("total:acme:2026-09"));
    let opening = |rule: &str, subject: &str| {
        Event::DutyOpened(DutyOpening {
            rule: rule.into(),
            subject: DutySubject::Enterprise(subject.into()),
            trigger_at: at("2026-10-01 00:00"),
            by: "li".into(),
            note: "现场检查".into(),
        })
    };
    bench.send(at("2026-10-02 04:00"), opening("total", "acme"));
    bench.send(at("2026-10-02 05:00"), opening("finding", "nobody"));
    bench.send(at("2026-10-02 06:00"), opening("no-such", "acme"));
    assert_eq!(bench.tables().duties, before);
    let refused = told(&mut bench);
    let refused = refused.iter().filter(|line| line.contains("duty.refused"));
    assert_eq!(refused.count(), 6);
}

#[test]
fn a_province_changes_a_row_while_it_is_open() {
    let mut bench = start();
    bench.tick(at("2026-10-14 12:00"));
    let mut changed = book();
    let total = changed.rules.get_mut("total").unwrap();
    total.deadline = DutyDeadline::WorkingDay { n: 5 };
    bench.send(at("2026-10-14 12:00"), policy(changed));
    // The fifth working day was the 13th: overdue at once.
    let row = duty(&mut bench, "total:acme:2026-09");
    assert_eq!(row.due_at, at("2026-10-14 00:00"));
    bench.tick(at("2026-10-14 12:01"));
    let overdue = (AlarmKind::DutyOverdue, "acme".to_owned(), 1, true);
    assert_eq!(alarms(&mut bench).last(), Some(&overdue));
    assert!(told(&mut bench).contains(
        &"10-14 12:00 duty.moved duties/total:2026-09 2026-10-14T00:00:00+08:00".to_owned()
    ));
    // A row that is taken out is owed no more.
    let mut without = book();
    without.rules.remove("total");
    bench.send(at("2026-10-15 12:00"), policy(without));
    let row = duty(&mut bench, "total:acme:2026-09");
    assert_eq!(row.gone, Some((at("2026-10-15 12:00"), DutyGone::RuleGone)));
    assert!(alarms(&mut bench).iter().all(|alarm| !alarm.3));
    // Back in time it is owed again.
    bench.send(at("2026-10-15 13:00"), policy(book()));
    let row = duty(&mut bench, "total:acme:2026-09");
    assert_eq!((row.gone, row.due_at), (None, at("2026-10-16 00:00")));
}

#[test]
fn who_leaves_the_registry_owes_nothing_and_who_comes_owes_from_then_on() {
    let mut bench = start();
    bench.tick(at("2026-10-17 00:00"));
    let mut without = quiet_city();
    without.enterprises.clear();
    without.outlets.clear();
    bench.send(at("2026-10-17 09:00"), Event::Registry(Arc::new(without)));
    let row = duty(&mut bench, "total:acme:2026-09");
    assert_eq!(
        row.gone,
        Some((at("2026-10-17 09:00"), DutyGone::SubjectGone))
    );
    assert!(alarms(&mut bench).iter().all(|alarm| !alarm.3));
    // It comes back too late for what was owed.
    bench.send(
        at("2026-10-18 09:00"),
        Event::Registry(Arc::new(quiet_city())),
    );
    assert!(duty(&mut bench, "total:acme:2026-09").gone.is_some());
    bench.tick(at("2026-11-02 00:00"));
    assert!(duty(&mut bench, "total:acme:2026-10").is_open());
}

#[test]
fn where_many_owe_the_same_the_region_has_one_alarm_that_counts() {
    let mut city = quiet_city();
    let acme = city.enterprises["acme"].clone();
    for n in 0..DUTIES_ONE_BY_ONE_MAX {
        let id = EnterpriseId::new(format!("e{n:02}"));
        let enterprise = Enterprise {
            id: id.clone(),
            ..acme.clone()
        };
        city.enterprises.insert(id, enterprise);
    }
    let mut bench = Bench::with(city, at("2026-09-20 09:00"));
    bench.send(at("2026-09-20 09:00"), policy(book()));
    bench.tick(at("2026-10-16 08:00"));
    let all = u64::try_from(DUTIES_ONE_BY_ONE_MAX).unwrap() + 1;
    let overdue = |count, active| (AlarmKind::DutyOverdue, "region r".to_owned(), count, active);
    assert_eq!(alarms(&mut bench)[1..], [overdue(all, true)]);
    bench.send(at("2026-10-16 09:00"), done("total:e03:2026-09"));
    assert_eq!(alarms(&mut bench)[1..], [overdue(all - 1, true)]);
    bench.send(at("2026-10-16 09:10"), back("total:e03:2026-09"));
    assert_eq!(alarms(&mut bench)[1..], [overdue(all, true)]);
    let keys: Vec<String> = bench
        .tables()
        .duties
        .into_keys()
        .map(|k| k.to_string())
        .collect();
    for key in keys {
        bench.send(at("2026-10-16 10:00"), done(&key));
    }
    assert_eq!(alarms(&mut bench)[1..], [overdue(1, false)]);
}

#[test]
fn those_who_owe_it_are_reminded_and_the_next_in_the_chain_is_told() {
    let person = |role, enterprise: &str| Person {
        name: "甲".into(),
        access: Access {
            role,
            scope: Scope {
                enterprises: [enterprise.into()].into(),
                ..Scope::default()
            },
        },
        lang: Default::default(),
        channels: ["mail".into()].into(),
    };
    let route = policy::Route {
        id: "all".into(),
        channels: ["mail".into()].into(),
        reasons: Default::default(),
        kinds: Default::default(),
        priority: None,
        roles: Default::default(),
        users: Default::default(),
        regions: Default::default(),
        enterprises: Default::default(),
        days: Default::default(),
        hours: None,
        on_duty_only: false,
    };
    let channel = policy::ChannelRule {
        kind: ChannelKind::Mail,
        group_wait_s: 0,
        per_hour_max: 100,
        deadline_min: 60,
    };
    let notify = policy::NotifyPolicy {
        channels: [("mail".into(), channel)].into(),
        routes: vec![route],
        quiet: Vec::new(),
    };
    let people = [
        ("wang".into(), person(Role::EnterpriseUser, "acme")),
        ("other".into(), person(Role::EnterpriseUser, "elsewhere")),
        ("boss".into(), person(Role::Supervisor, "acme")),
    ];
    let mut bench = Bench::with(quiet_city(), at("2026-09-20 09:00"));
    let with_people = Policy {
        duties: book().into(),
        notify,
        people: people.into(),
        ..Policy::default()
    };
    bench.send(at("2026-09-20 09:00"), Event::Policy(Arc::new(with_people)));
    bench.tick(at("2026-10-18 00:00"));
    let about_duties = |row: &&MessageRow| {
        let duty = |about: &About| matches!(about, About::Duty(_));
        row.about.iter().any(duty)
    };
    let messages = bench.tables().messages;
    let told: Vec<(String, MessageReason)> = messages
        .values()
        .filter(about_duties)
        .map(|row| (format!("{:?}", row.to), row.reason))
        .collect();
    let to = |user: &str| format!("{:?}", Recipient::User(user.into()));
    assert_eq!(
        told,
        [
            (to("wang"), MessageReason::DutyReminder),
            (to("wang"), MessageReason::DutyReminder),
            (to("wang"), MessageReason::DutyEscalated),
            (to("boss"), MessageReason::DutyEscalated),
        ]
    );
}
