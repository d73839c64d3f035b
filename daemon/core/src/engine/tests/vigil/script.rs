//! The script of the month: October 2026 at the site, ten-minute data of seven outlets.

use super::super::duties;
use crate::engine::{AlarmAction, AlarmActionKind, Event, HealthReport, WrittenIn};
use crate::fixture::*;
use crate::model::policy::*;
use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::model::*;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The site's clock.
pub(super) fn offset() -> UtcOffset {
    UtcOffset::default()
}

/// Minutes of a record.
const STEP_MIN: i64 = 10;

/// Events in order of time.
pub(super) struct Script {
    pub(super) events: Vec<(Timestamp, Event)>,
    pub(super) until: Timestamp,
}

/// An instant of October 2026.
fn at(day: u32, hour: u32, minute: u32) -> Timestamp {
    let day = NaiveDate::from_ymd_opt(2026, 10, day).unwrap();
    offset().instant(day.and_hms_opt(hour, minute, 0).unwrap())
}

const OUTLETS: [(&str, &str, &str); 7] = [
    ("acme-1", "acme", "r"),
    ("acme-2", "acme", "r"),
    ("mill-1", "mill", "r"),
    ("mill-w", "mill", "r"),
    ("kiln-1", "kiln", "s"),
    ("kiln-2", "kiln", "s"),
    ("kiln-3", "kiln", "s"),
];

fn city() -> Registry {
    let mut city = registry();
    let stack = city.outlets.remove(GAS).unwrap();
    let discharge = city.outlets.remove(WATER).unwrap();
    let acme = city.enterprises["acme"].clone();
    city.regions.insert("s".into(), "虚构新区".into());
    let profile = city.profiles.get_mut("plain@1").unwrap();
    profile.hour_min_valid_minutes = 20;
    for (id, enterprise, region) in OUTLETS {
        let firm = Enterprise {
            id: enterprise.into(),
            region: region.into(),
            ..acme.clone()
        };
        city.enterprises.insert(enterprise.into(), firm);
        let mut outlet = if id == "mill-w" { &discharge } else { &stack }.clone();
        outlet.id = id.into();
        outlet.enterprise = enterprise.into();
        outlet.mn = format!("MN-{id}").as_str().into();
        outlet.expectation.minute_min = Some(10);
        outlet.fallback.closes_after_min = 60;
        city.outlets.insert(outlet.id.clone(), outlet);
    }
    city
}

/// The policy of the fixture, with the operators of three enterprises and two duty officers.
fn rules() -> Policy {
    let mut policy = policy();
    let model = policy.people["acme-env"].clone();
    for enterprise in ["acme", "mill", "kiln"] {
        let mut person = model.clone();
        person.access.scope.enterprises = [EnterpriseId::from(enterprise)].into();
        let id = format!("{enterprise}-env");
        policy.people.insert(id.as_str().into(), person);
    }
    let second = policy.people["duty-1"].clone();
    policy.people.insert("duty-2".into(), second);
    // National Day takes a week out of what is due within seven working days: the seventh one of
    // October is the 15th, for the 10th is a make-up Saturday.
    policy.duties = duties::book().into();
    if let Some(near) = policy.alarms.kinds.get_mut(&AlarmKind::LimitApproaching) {
        near.consequence = Consequence::Minor;
    }
    policy.alarms.chatter = ChatterRule {
        raises: 3,
        window_min: 240,
        quiet_min: 120,
    };
    policy
}

/// What is out of the ordinary, and when.
struct Incident {
    outlet: &'static str,
    from: Timestamp,
    until: Timestamp,
    what: What,
}

enum What {
    /// Nothing comes.
    Silent,
    /// A factor has this value.
    Value(&'static str, &'static str),
    /// Every value has this flag.
    Flag(&'static str),
    /// A factor swings between nonsense and sense: so many records bad, so many good.
    Swing(&'static str, i64, i64),
}

fn incidents() -> Vec<Incident> {
    let of = |outlet, from, until, what| Incident {
        outlet,
        from,
        until,
        what,
    };
    let mut list = vec![
        // SO2 of 41 mg/m3 at 9 % O2 is 51 converted: over the limit of 50.
        of(
            "acme-1",
            at(2, 10, 0),
            at(2, 13, 0),
            What::Value("a21026", "60"),
        ),
        // The analyser of the discharge fails in the evening of a holiday.
        of("mill-w", at(3, 21, 0), at(5, 9, 0), What::Flag("D")),
        // One outlet alone, for half a day.
        of("kiln-1", at(9, 8, 0), at(9, 20, 0), What::Silent),
        // Maintenance that was announced.
        of("acme-2", at(12, 9, 0), at(12, 11, 30), What::Silent),
        // An analyser that cannot decide.
        of(
            "kiln-2",
            at(14, 8, 0),
            at(14, 14, 0),
            What::Swing("a21002", 1, 3),
        ),
        // Near the limit in the night.
        of(
            "mill-1",
            at(22, 23, 0),
            at(23, 2, 0),
            What::Value("a21026", "37"),
        ),
    ];
    // A line of the first region is out before dawn.
    for outlet in ["acme-1", "acme-2", "mill-1", "mill-w"] {
        list.push(of(outlet, at(7, 3, 0), at(7, 5, 30), What::Silent));
    }
    list
}

fn base(id: &str) -> BTreeMap<&'static str, &'static str> {
    if id == "mill-w" {
        [
            ("w01018", "40"),
            ("w21003", "2"),
            ("w01001", "7.2"),
            ("w00000", "9.5"),
        ]
        .into()
    } else {
        [
            ("a21026", "20"),
            ("a21002", "60"),
            ("a34013", "3"),
            ("a19001", "9"),
            ("a01011", "12"),
            ("a01012", "80"),
            ("a01013", "-0.2"),
            ("a01014", "12"),
        ]
        .into()
    }
}

/// The record of an outlet that begins at `start`; `None`: nothing comes.
fn reading(id: &str, start: Timestamp, incidents: &[Incident]) -> Option<Event> {
    let mut values = base(id);
    let mut flag = "N";
    for incident in incidents {
        if incident.outlet != id || start < incident.from || start >= incident.until {
            continue;
        }
        match incident.what {
            What::Silent => return None,
            What::Value(code, text) => {
                values.insert(code, text);
            }
            What::Flag(letter) => flag = letter,
            What::Swing(code, bad, good) => {
                let n = start.since_ms(incident.from) / (STEP_MIN * MINUTE_MS);
                if n.rem_euclid(bad + good) < bad {
                    values.insert(code, "-5");
                }
            }
        }
    }
    let values = values
        .into_iter()
        .map(|(code, text)| value(code, text, flag));
    let record = record(id, RecordKind::Minute, start, values.collect());
    Some(Event::Record(contact(id), record))
}

fn act(alarm: u64, kind: AlarmActionKind, by: &str, note: &str) -> Event {
    until(alarm, kind, by, note, None)
}

fn until(
    alarm: u64,
    kind: AlarmActionKind,
    by: &str,
    note: &str,
    until: Option<Timestamp>,
) -> Event {
    Event::AlarmAction(AlarmAction {
        alarm: AlarmId(alarm),
        kind,
        by: by.into(),
        note: note.into(),
        until,
    })
}

fn report(sampled_at: Timestamp, cod: &str) -> Event {
    Event::ManualReport(ManualReport {
        outlet: "mill-w".into(),
        sampled_at,
        sampler: "张三".into(),
        method: "HJ 828-2017".into(),
        laboratory: "虚构检测有限公司".into(),
        values: vec![ManualValue {
            factor: "w01018".into(),
            value: dec(cod),
        }],
        note: String::new(),
        attachments: Vec::new(),
        corrects: None,
        by: "mill-env".into(),
    })
}

fn mark(outlet: &str, kind: MarkKind, from: Timestamp, until: Timestamp) -> Event {
    Event::Mark(Mark {
        outlet: outlet.into(),
        factors: Vec::new(),
        kind,
        from,
        until,
        reason: "as announced".into(),
        attachments: Vec::new(),
        by: "acme-env".into(),
    })
}

fn roster() -> Vec<(Timestamp, Event)> {
    let mut list = Vec::new();
    for day in 1..=31 {
        for (hour, who) in [(8, "duty-1"), (20, "duty-2")] {
            let from = at(day, hour, 0);
            let shift = Shift {
                from,
                until: from.plus_ms(12 * HOUR_MS),
                people: [UserId::from(who)].into(),
                by: "chief".into(),
            };
            // A day before, as rosters are.
            list.push((from.plus_ms(-DAY_MS).max(at(1, 0, 2)), Event::Shift(shift)));
        }
    }
    let over = HandOver {
        from: "duty-1".into(),
        to: [UserId::from("duty-2")].into(),
        note: "mill-w: analyser out, manual reports run".into(),
    };
    list.push((at(4, 20, 1), Event::HandOver(over)));
    list
}

/// What people do, by the numbers that the alarms have.
fn people() -> Vec<(Timestamp, Event)> {
    use AlarmActionKind as Do;
    let mut kv = city();
    let kiln = kv.outlets.get_mut("kiln-3").and_then(|o| o.gas.as_mut());
    kiln.unwrap().velocity_coefficient = dec("0.8");
    let health = |bad| {
        Event::Health(HealthReport {
            kind: AlarmKind::HealthOutbox,
            part: "mail".into(),
            bad,
            value: Some(dec("900")),
            threshold: Some(dec("600")),
            detail: "the mail server refuses".into(),
        })
    };
    let mut list = vec![
        (at(12, 10, 0), duties::done("total:acme:2026-09")),
        (at(15, 16, 0), duties::done("total:mill:2026-09")),
        (at(17, 9, 0), duties::done("total:kiln:2026-09")),
        (at(2, 11, 20), act(1, Do::Acknowledge, "duty-1", "calling")),
        (
            at(2, 11, 25),
            act(1, Do::Called, "duty-1", "王示例: kiln fan failed"),
        ),
        (at(2, 11, 26), act(1, Do::ToldEnterprise, "duty-1", "")),
        (at(2, 16, 0), act(1, Do::Close, "duty-1", "fan repaired")),
        // The fallback of the discharge opens at 22:00 on the 3rd and runs over two midnights.
        (at(3, 23, 40), report(at(3, 23, 30), "41")),
        (at(4, 5, 10), report(at(4, 5, 0), "39")),
        (at(4, 12, 20), report(at(4, 11, 50), "44")),
        (at(4, 17, 30), report(at(4, 17, 10), "40")),
        (at(4, 23, 5), report(at(4, 22, 50), "42")),
        (at(5, 4, 30), report(at(5, 4, 10), "40")),
        (
            at(8, 15, 0),
            Event::WrittenReport(WrittenIn {
                outlet: "mill-w".into(),
                fallback: FallbackId(1),
                by: "mill-env".into(),
                note: "report and data, stamped".into(),
                attachments: vec![Attachment {
                    name: "report.pdf".into(),
                    sha256: "0".repeat(64).as_str().into(),
                    bytes: 12,
                }],
            }),
        ),
        (
            at(2, 11, 21),
            act(2, Do::Acknowledge, "duty-1", "the same cause"),
        ),
        (at(2, 16, 1), act(2, Do::Close, "duty-1", "fan repaired")),
        (
            at(5, 10, 20),
            act(5, Do::Acknowledge, "duty-1", "valid data flow again"),
        ),
        (
            at(5, 10, 21),
            act(5, Do::Close, "duty-1", "the fallback is closed"),
        ),
        (
            at(7, 4, 10),
            act(11, Do::Acknowledge, "duty-2", "the provider works on it"),
        ),
        (
            at(7, 4, 12),
            act(
                11,
                Do::HandedOver,
                "duty-2",
                "day shift: check re-sent data",
            ),
        ),
        // Acknowledged for two hours only: it arms again; then shelved, and back by itself.
        (
            at(9, 8, 40),
            until(
                12,
                Do::Acknowledge,
                "duty-1",
                "technician is on the way",
                Some(at(9, 10, 40)),
            ),
        ),
        (
            at(9, 11, 0),
            until(
                12,
                Do::Shelve,
                "duty-1",
                "spare part in the afternoon",
                Some(at(9, 15, 0)),
            ),
        ),
        (at(9, 15, 5), act(12, Do::ToldOperator, "duty-1", "")),
        (
            at(9, 21, 30),
            act(12, Do::Acknowledge, "duty-2", "sends again"),
        ),
        (
            at(9, 21, 31),
            act(12, Do::Close, "duty-2", "modem exchanged"),
        ),
        (
            at(11, 17, 0),
            mark("acme-2", MarkKind::Maintenance, at(12, 9, 0), at(12, 12, 0)),
        ),
        (at(16, 9, 0), Event::Registry(Arc::new(kv))),
        (at(20, 3, 0), health(true)),
        (at(20, 3, 40), health(false)),
    ];
    list.extend(roster());
    list
}

/// The month.
pub(super) fn month() -> Script {
    let start = at(1, 0, 0);
    let mut events = vec![
        (start, Event::Registry(Arc::new(city()))),
        (at(1, 0, 1), Event::Policy(Arc::new(rules()))),
    ];
    let incidents = incidents();
    let end = at(31, 23, 50);
    let mut begin = start;
    while begin < end {
        let next = begin.plus_ms(STEP_MIN * MINUTE_MS);
        for (id, _, _) in OUTLETS {
            let arrives = next.plus_ms(5_000);
            events.extend(reading(id, begin, &incidents).map(|event| (arrives, event)));
        }
        begin = next;
    }
    events.extend(people());
    events.sort_by_key(|(at, _)| *at);
    Script { events, until: end }
}
