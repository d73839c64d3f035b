//! Rows for tests: strategies over a small space of keys, so that rows meet and replace each
//! other, and one plausible minute record. Wide strategies are boxed: unboxed they nest into stack
//! frames that a test thread does not have.

mod judged;
mod owed;
mod plain;

pub(super) use owed::duty_row;
pub(crate) use plain::{T0, minute};
pub(super) use plain::{alarm_row, audit_row, fallback_row, message_row, of_the_desk};

use cems_core::model::rows::{
    AggregateOrigin, DeviceRow, Habits, LatestRow, QuarantineRow, StateRow, StatementRow,
    SupersededRow,
};
use cems_core::model::{
    Acknowledgement, AggregateRow, AlarmId, AlarmKind, AlarmRow, AlarmSubject, CheckCode, Closure,
    ExchangeRow, ExchangeState, ExchangeStep, FactorAggregate, FactorCode, FallbackId,
    FallbackReason, FallbackRow, Flag, ForwardRow, JudgedMeans, Level, LimitVerdict, ManualReport,
    ManualReportRow, ManualValue, Number, OutletId, Output, RecordKind, RecordRow, ReportFinding,
    ReportId, Seq, Series, SeriesDayRow, StoredValue, Timestamp, UserId, Value,
};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use rust_decimal::Decimal;
use smol_str::SmolStr;

pub(super) fn outlet() -> impl Strategy<Value = OutletId> {
    prop_oneof![Just("dc-01"), Just("dc-02"), Just("排口-3")].prop_map(OutletId::new)
}

pub(super) fn factor() -> impl Strategy<Value = FactorCode> {
    prop_oneof![
        Just("a21026"),
        Just("a21002"),
        Just("w01018"),
        Just("zz-'\"\\")
    ]
    .prop_map(FactorCode::new)
}

pub(super) fn time() -> impl Strategy<Value = Timestamp> {
    (0..6_i64).prop_map(|n| T0.plus_ms(n * 60_000))
}

pub(super) fn kind() -> impl Strategy<Value = RecordKind> {
    prop::sample::select(RecordKind::ALL.to_vec())
}

pub(super) fn level() -> impl Strategy<Value = Level> {
    prop::sample::select(Level::ALL.to_vec())
}

fn seq() -> impl Strategy<Value = Seq> {
    (1..9_u64).prop_map(Seq)
}

pub(super) fn decimal() -> BoxedStrategy<Decimal> {
    prop_oneof![
        4 => (-99_999_i64..99_999, 0..4_u32).prop_map(|(m, s)| Decimal::new(m, s)),
        1 => (any::<i128>(), 0..=28_u32).prop_map(|(m, s)| {
            Decimal::from_i128_with_scale(m % 79_228_162_514_264_337_593_543_950_335, s)
        }),
        1 => Just(Decimal::MAX),
        1 => Just(-Decimal::ZERO),
    ]
    .boxed()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[ -~]{0,12}", "\\PC{0,8}"]
}

fn short_text() -> impl Strategy<Value = SmolStr> {
    text().prop_map(SmolStr::from)
}

pub(super) fn number() -> BoxedStrategy<Number> {
    (decimal(), of(short_text()))
        .prop_map(|(value, text)| Number {
            value,
            text: text.unwrap_or_else(|| SmolStr::from(value.to_string())),
        })
        .boxed()
}

pub(super) fn stored_value() -> BoxedStrategy<StoredValue> {
    let sent = (
        (factor(), of(short_text()), of(number()), of(number())),
        (of(number()), of(number()), of(number()), of(number())),
        (of(short_text()), of(short_text())),
    );
    let judged = (
        any::<bool>(),
        vec(short_text(), 0..3),
        time(),
        seq(),
        0..3_u32,
    );
    (sent, judged)
        .prop_map(|(sent, (valid, checks, received_at, seq, superseded))| {
            let ((factor, sent_as, rtd, avg), (min, max, cou, converted), (flag, unreadable)) =
                sent;
            StoredValue {
                value: Value {
                    factor,
                    sent_as,
                    rtd,
                    avg,
                    min,
                    max,
                    cou,
                    converted,
                    flag: flag.map(Flag),
                    unreadable,
                },
                valid,
                checks: checks.into_iter().map(CheckCode).collect(),
                received_at,
                seq,
                superseded,
            }
        })
        .boxed()
}

pub(crate) fn record() -> BoxedStrategy<RecordRow> {
    let values = btree_map(factor(), stored_value(), 0..4);
    (outlet(), kind(), time(), any::<bool>(), values)
        .prop_map(|(outlet, kind, start, resent, values)| RecordRow {
            outlet,
            kind,
            start,
            resent,
            values,
        })
        .boxed()
}

pub(super) fn superseded() -> BoxedStrategy<SupersededRow> {
    (outlet(), kind(), time(), stored_value(), seq())
        .prop_map(|(outlet, kind, start, old, by_seq)| SupersededRow {
            outlet,
            kind,
            start,
            old,
            by_seq,
        })
        .boxed()
}

fn factor_aggregate() -> BoxedStrategy<FactorAggregate> {
    let verdict = (
        short_text(),
        decimal(),
        decimal(),
        any::<bool>(),
        of(decimal()),
    )
        .prop_map(|(limit, judged, bound, exceeded, multiple)| LimitVerdict {
            limit: limit.as_str().into(),
            judged,
            bound,
            exceeded,
            multiple,
        });
    let figures = (
        of(decimal()),
        of(decimal()),
        of(decimal()),
        of(decimal()),
        of(decimal()),
    );
    let units = (any::<bool>(), any::<u32>(), 0..61_u32, 0..61_u32);
    let rest = (of(decimal()), of(short_text()), 0..61_u32);
    (figures, units, of(decimal()), vec(verdict, 0..3), rest)
        .prop_map(
            |((mean, converted, min, max, amount_kg), units, reported, limits, rest)| {
                FactorAggregate {
                    substituted_kg: rest.0,
                    invalid_why: rest.1,
                    exempt_units: rest.2,
                    judged: rest.0.map(|mean| JudgedMeans {
                        mean: Some(mean),
                        converted: None,
                        enough: rest.2 > 30,
                    }),
                    mean,
                    converted,
                    min,
                    max,
                    amount_kg,
                    valid: units.0,
                    valid_units: units.1,
                    due_units: units.2,
                    stopped_units: units.3,
                    reported,
                    limits,
                }
            },
        )
        .boxed()
}

pub(super) fn aggregate() -> BoxedStrategy<AggregateRow> {
    let key = (outlet(), level(), time());
    let factors = btree_map(factor(), factor_aggregate(), 0..3);
    let rest = (
        any::<bool>(),
        any::<bool>(),
        of(decimal()),
        short_text(),
        seq(),
        (0..61_u32, 0..61_u32),
    );
    (key, rest, factors)
        .prop_map(|((outlet, level, start), rest, factors)| {
            let (computed, complete, volume_m3, profile, seq, (received, due)) = rest;
            AggregateRow {
                outlet,
                level,
                start,
                origin: if computed {
                    AggregateOrigin::Computed
                } else {
                    AggregateOrigin::Reported
                },
                complete,
                volume_m3,
                factors,
                profile: profile.as_str().into(),
                received,
                due,
                seq,
                superseded: due / 7,
            }
        })
        .boxed()
}

pub(super) fn alarm() -> BoxedStrategy<AlarmRow> {
    let subject = prop_oneof![
        3 => outlet().prop_map(AlarmSubject::Outlet),
        1 => short_text().prop_map(AlarmSubject::Device),
        1 => short_text().prop_map(AlarmSubject::Peer),
    ];
    let kind = prop::sample::select(AlarmKind::ALL.to_vec());
    let figures = (of(decimal()), of(decimal()), any::<u64>(), any::<bool>());
    let people = (of(text()), of(text()), of((1..9_u64).prop_map(AlarmId)));
    let facts = btree_map(text(), text(), 0..3);
    (1..9_u64, subject, kind, figures, people, facts)
        .prop_map(|(id, subject, kind, figures, people, facts)| {
            let by = || UserId::new("lin");
            AlarmRow {
                enterprise: Some("enterprise-1".into()),
                value: figures.0,
                threshold: figures.1,
                count: figures.2,
                active: figures.3,
                acknowledged: people.0.map(|note| Acknowledgement {
                    at: T0,
                    by: by(),
                    note,
                    until: None,
                }),
                closed: people.1.map(|conclusion| Closure {
                    at: T0,
                    by: by(),
                    conclusion,
                }),
                previous: people.2,
                facts,
                ..alarm_row(id, subject, kind)
            }
        })
        .boxed()
}

pub(super) fn fallback() -> BoxedStrategy<FallbackRow> {
    let reason = text().prop_map(|note| FallbackReason::Decision {
        by: "lin".into(),
        note,
    });
    (
        1..6_u64,
        outlet(),
        vec(reason, 0..2),
        vec(time(), 0..3),
        of(time()),
    )
        .prop_map(|(id, outlet, reasons, short_days, closed_at)| FallbackRow {
            reasons,
            short_days,
            closed_at,
            ..fallback_row(id, outlet)
        })
        .boxed()
}

pub(super) fn manual_report() -> BoxedStrategy<ManualReportRow> {
    let values = vec(
        (factor(), decimal()).prop_map(|(factor, value)| ManualValue { factor, value }),
        0..3,
    );
    (
        1..6_u64,
        of(1..6_u64),
        outlet(),
        time(),
        text(),
        values,
        any::<bool>(),
    )
        .prop_map(
            |(id, fallback, outlet, sampled_at, note, values, late)| ManualReportRow {
                id: ReportId(id),
                fallback: fallback.map(FallbackId),
                report: ManualReport {
                    outlet,
                    sampled_at,
                    sampler: "王采样".into(),
                    method: "HJ 57-2017".into(),
                    laboratory: "虚构检测".into(),
                    values,
                    note,
                    attachments: Vec::new(),
                    corrects: fallback.map(ReportId),
                    by: "lin".into(),
                },
                received_at: T0,
                late,
                entered_late: late,
                findings: vec![ReportFinding {
                    code: "negative".into(),
                    factor: Some("a21026".into()),
                    against: None,
                }],
                superseded: None,
                withdrawn: None,
                seq: Seq(id),
            },
        )
        .boxed()
}

fn latest() -> impl Strategy<Value = LatestRow> {
    (
        outlet(),
        factor(),
        kind(),
        time(),
        of(decimal()),
        of(short_text()),
        any::<bool>(),
    )
        .prop_map(
            |(outlet, factor, kind, start, value, flag, valid)| LatestRow {
                outlet,
                factor,
                kind,
                start,
                value,
                converted: value,
                flag,
                valid,
                received_at: T0,
                seq: Seq(1),
            },
        )
}

fn device() -> impl Strategy<Value = DeviceRow> {
    let findings = btree_map(short_text(), any::<u64>(), 0..3);
    (
        prop_oneof![Just("MN-1"), Just("MN-2")],
        of(outlet()),
        any::<u64>(),
        findings,
    )
        .prop_map(|(mn, outlet, frames, findings)| DeviceRow {
            mn: mn.into(),
            outlet,
            peer: "192.0.2.7:4000".into(),
            edition: "2017".into(),
            first_seen: T0,
            last_seen: T0,
            frames,
            duplicates: 0,
            findings,
            habits: Habits::default(),
        })
}

pub(super) fn quarantine() -> BoxedStrategy<QuarantineRow> {
    (seq(), 0..3_u32, of(short_text()), 0..70_000_u64, text())
        .prop_map(|(seq, n, mn, bytes, excerpt)| QuarantineRow {
            seq,
            n,
            at: T0,
            reason: "crc".into(),
            peer: "192.0.2.7:4000".into(),
            mn,
            bytes,
            excerpt,
        })
        .boxed()
}

fn statement() -> impl Strategy<Value = StatementRow> {
    (outlet(), time(), short_text(), text(), seq()).prop_map(|(outlet, at, name, value, seq)| {
        StatementRow {
            outlet,
            cn: "3020".into(),
            at,
            name,
            value,
            seq,
        }
    })
}

fn exchange() -> impl Strategy<Value = ExchangeRow> {
    let state = prop_oneof![Just(ExchangeState::Queued), Just(ExchangeState::Done)];
    (seq(), outlet(), state, text()).prop_map(|(id, outlet, state, detail)| ExchangeRow {
        id,
        outlet,
        cn: "2061".into(),
        params: vec![("BeginTime".into(), "20240520210000".into())],
        by: "duty-1".into(),
        why: "order".into(),
        at: T0,
        state,
        steps: vec![ExchangeStep {
            at: T0,
            seq: id,
            what: "sent".into(),
            detail,
        }],
        more_steps: 0,
    })
}

fn forward() -> impl Strategy<Value = ForwardRow> {
    (seq(), 0..3_u32, outlet(), kind(), time()).prop_map(|(seq, n, outlet, kind, start)| {
        ForwardRow {
            seq,
            n,
            at: T0,
            outlet,
            kind,
            start,
        }
    })
}

/// Any output, of every kind.
pub(super) fn output() -> BoxedStrategy<Output> {
    let object = prop_oneof![Just("alarm/1"), Just("alarm/2"), Just("outlet/dc-01")];
    let name = prop_oneof![Just("#"), Just("dc-01"), Just("排口-3")];
    prop_oneof![
        4 => record().prop_map(Output::Record),
        2 => superseded().prop_map(Output::Superseded),
        2 => aggregate().prop_map(Output::Aggregate),
        1 => judged::pack().prop_map(Output::Pack),
        1 => judged::clues().prop_map(Output::Clues),
        1 => judged::quarter().prop_map(Output::Quarter),
        1 => judged::mark().prop_map(Output::Mark),
        1 => judged::qa().prop_map(Output::Qa),
        1 => judged::review().prop_map(Output::Review),
        2 => latest().prop_map(Output::Latest),
        1 => device().prop_map(Output::Device),
        1 => quarantine().prop_map(Output::Quarantine),
        1 => statement().prop_map(Output::Statement),
        1 => exchange().prop_map(Output::Exchange),
        1 => forward().prop_map(Output::Forward),
        1 => owed::outgoing().prop_map(Output::Outgoing),
        1 => (kind(), seq()).prop_map(|(kind, seq)| Output::SeriesDay(SeriesDayRow {
            series: Series::Record(kind),
            day: T0,
            seq,
        })),
        2 => alarm().prop_map(Output::Alarm),
        1 => fallback().prop_map(Output::Fallback),
        1 => manual_report().prop_map(Output::ManualReport),
        2 => owed::duty().prop_map(Output::Duty),
        1 => (1..9_u64).prop_map(|id| Output::Message(message_row(id))),
        1 => (1..9_u64).prop_map(of_the_desk),
        1 => (1..9_u64, 0..3_u32, object)
            .prop_map(|(seq, n, object)| Output::Audit(audit_row(seq, n, object))),
        1 => (seq(), text()).prop_map(|(seq, json)| Output::Registry { seq, at: T0, json }),
        1 => (name, text()).prop_map(|(name, json)| Output::State(StateRow {
            name: name.into(),
            json,
        })),
    ]
    .boxed()
}
