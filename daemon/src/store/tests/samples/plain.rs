//! Rows written by hand: an open alarm, an open fallback, an audit line, a minute of a stack.

use cems_core::model::rows::AuditRow;
use cems_core::model::{
    About, AlarmId, AlarmKind, AlarmRow, AlarmServiceRow, AlarmSubject, FactorCode, FallbackId,
    FallbackReason, FallbackRow, Flag, HandOver, HandOverRow, MessageId, MessageReason, MessageRow,
    Number, OutletId, Output, Priority, Recipient, RecordKind, RecordRow, Seq, Shift, ShiftRow,
    StoredValue, Timestamp, UserId, Value, WrittenReport,
};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// 2026-11-22T10:30:00+08:00.
pub(crate) const T0: Timestamp = Timestamp(1_795_314_600_000);

pub(in crate::store::tests) fn alarm_row(
    id: u64,
    subject: AlarmSubject,
    kind: AlarmKind,
) -> AlarmRow {
    AlarmRow::raised(AlarmId(id), kind, subject, T0, Seq(1))
}

/// A shift, a hand-over, a kind of alarm out of service.
pub(in crate::store::tests) fn of_the_desk(n: u64) -> Output {
    let hours = i64::try_from(n).unwrap_or(0) * 3_600_000;
    let people = BTreeSet::from([UserId::new("lin")]);
    match n % 3 {
        0 => Output::Shift(ShiftRow {
            shift: Shift {
                from: T0.plus_ms(hours),
                until: T0.plus_ms(hours + 8 * 3_600_000),
                people,
                by: UserId::new("chief"),
            },
            seq: Seq(n),
        }),
        1 => Output::HandOver(HandOverRow {
            id: Seq(n),
            at: T0.plus_ms(hours),
            over: HandOver {
                from: UserId::new("lin"),
                to: people,
                note: "二号炉启炉".into(),
            },
            open_alarms: 3,
        }),
        _ => Output::AlarmService(AlarmServiceRow {
            outlet: OutletId::new(format!("dc-0{n}")),
            kind: AlarmKind::NoData,
            out: n.is_multiple_of(2),
            at: T0,
            by: UserId::new("chief"),
            note: "线路施工".into(),
            seq: Seq(n),
        }),
    }
}

pub(in crate::store::tests) fn fallback_row(id: u64, outlet: OutletId) -> FallbackRow {
    let reason = FallbackReason::EquipmentState {
        factor: "a21026".into(),
        since: T0,
        seen: vec!["D".into()],
    };
    FallbackRow {
        next_due: Some(T0),
        written: Some(WrittenReport {
            due: T0,
            overdue_since: None,
            delivered: Vec::new(),
        }),
        ..FallbackRow::opened((FallbackId(id), outlet), T0, vec![reason], Seq(1))
    }
}

pub(in crate::store::tests) fn audit_row(seq: u64, n: u32, object: &str) -> AuditRow {
    AuditRow {
        seq: Seq(seq),
        n,
        at: T0,
        who: "engine".into(),
        what: "alarm.raised".into(),
        object: object.into(),
        detail: format!("line {n} of {seq}"),
    }
}

/// Minute `n` of an outlet with ten factors, each with mean, least, greatest, converted value and
/// flag, as a stack sends them.
pub(crate) fn minute(outlet: &OutletId, n: i64) -> RecordRow {
    const CODES: [&str; 10] = [
        "a01001", "a01011", "a01012", "a01013", "a01014", "a19001", "a21002", "a21026", "a34013",
        "a05002",
    ];
    let number = |mantissa: i64| {
        let value = Decimal::new(mantissa, 2);
        Some(Number {
            value,
            text: SmolStr::from(value.to_string()),
        })
    };
    let seq = Seq(u64::try_from(n).unwrap_or(0) + 1);
    let value = |(code, base): (&&str, i64)| {
        let factor = FactorCode::new(code);
        let stored = StoredValue {
            value: Value {
                factor: factor.clone(),
                sent_as: None,
                rtd: None,
                avg: number(base * 700 + n % 97),
                min: number(base * 600 + n % 89),
                max: number(base * 800 + n % 83),
                cou: None,
                converted: number(base * 900 + n % 79),
                flag: Some(Flag("N".into())),
                unreadable: None,
            },
            valid: true,
            checks: Vec::new(),
            received_at: T0.plus_ms(n * 60_000 + 61_500),
            seq,
            superseded: 0,
        };
        (factor, stored)
    };
    RecordRow {
        outlet: outlet.clone(),
        kind: RecordKind::Minute,
        start: T0.plus_ms(n * 60_000),
        resent: false,
        values: CODES.iter().zip(1..).map(value).collect(),
    }
}

pub(in crate::store::tests) fn message_row(id: u64) -> MessageRow {
    MessageRow {
        id: MessageId(id),
        key: "alarm/7/raised".into(),
        reason: MessageReason::AlarmRaised,
        channel: "desk-mail".into(),
        to: Recipient::User("duty-1".into()),
        priority: Priority::High,
        enterprise: Some("jia".into()),
        about: vec![
            About::Alarm(AlarmId(7)),
            About::Fallback(FallbackId(1)),
            About::Duty("duty/2026-01".into()),
        ],
        more: 2,
        at: T0,
        deadline: T0.plus_ms(3_600_000),
        seq: Seq(id),
    }
}
