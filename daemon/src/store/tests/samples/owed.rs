//! Instances of duties, and lines of the log of what goes out.

use super::{T0, outlet, seq, text, time};
use cems_core::duties::key;
use cems_core::model::{
    Attachment, DutyDone, DutyGone, DutyId, DutyRow, DutySubject, OutgoingRow, Seq, Series,
    Timestamp,
};
use proptest::option::of;
use proptest::prelude::*;

/// A line of the log of what goes out.
pub(in crate::store::tests) fn outgoing() -> impl Strategy<Value = OutgoingRow> {
    let what = prop::sample::select(Series::ALL.to_vec());
    (seq(), 0..3_u32, outlet(), what, time()).prop_map(|(seq, n, outlet, what, start)| {
        OutgoingRow {
            seq,
            n,
            at: T0,
            outlet,
            what,
            start,
        }
    })
}

/// An open instance, due so many minutes after [`T0`].
pub(in crate::store::tests) fn duty_row(
    rule: &str,
    subject: DutySubject,
    round: &str,
    due_min: i64,
) -> DutyRow {
    let rule = DutyId::new(rule);
    let enterprise = match &subject {
        DutySubject::Enterprise(id) => Some(id.clone()),
        DutySubject::Outlet(_) => Some("jia".into()),
        DutySubject::Region(_) => None,
    };
    DutyRow {
        key: key(&rule, &subject, round),
        rule,
        round: round.into(),
        subject,
        enterprise,
        region: Some("shili".into()),
        inside: false,
        opens_at: T0,
        due_at: T0.plus_ms(due_min * 60_000),
        trigger_at: None,
        opened_by: None,
        note: String::new(),
        done: None,
        gone: None,
        opened_seq: Seq(1),
        updated_seq: Seq(1),
    }
}

fn subject() -> impl Strategy<Value = DutySubject> {
    prop_oneof![
        Just(DutySubject::Enterprise("jia".into())),
        Just(DutySubject::Outlet("排口-3".into())),
        Just(DutySubject::Region("shili".into())),
    ]
}

fn done() -> BoxedStrategy<DutyDone> {
    (time(), text(), any::<bool>(), seq())
        .prop_map(|(at, note, late, seq)| DutyDone {
            at,
            by: "u".into(),
            note,
            attachments: vec![Attachment {
                name: "月报.pdf".into(),
                bytes: 3,
                sha256: "00".into(),
            }],
            late,
            seq,
        })
        .boxed()
}

fn gone() -> impl Strategy<Value = (Timestamp, DutyGone)> {
    let why = prop_oneof![Just(DutyGone::SubjectGone), Just(DutyGone::TakenBack)];
    (time(), why)
}

pub(in crate::store::tests) fn duty() -> BoxedStrategy<DutyRow> {
    let rule = prop_oneof![Just("month-total"), Just("own")];
    let round = prop_oneof![Just("2026-09"), Just("entry-7")];
    let ended = (of(done()), of(gone()));
    let what = (rule, subject(), round, 0..6_i64);
    (what, of(time()), text(), any::<bool>(), ended, seq())
        .prop_map(|(what, trigger_at, note, inside, (done, gone), seq)| {
            let (rule, subject, round, due_min) = what;
            DutyRow {
                trigger_at,
                opened_by: trigger_at.map(|_| "u".into()),
                note,
                inside,
                done,
                gone,
                updated_seq: seq,
                ..duty_row(rule, subject, round, due_min)
            }
        })
        .boxed()
}
