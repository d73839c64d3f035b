//! Fictional alarms, fallbacks, reports, quarantine and audit trail: one of every kind.

use super::registry::dec;
use super::rows::NOW;
use crate::backend::AmountProgress;
use cems_core::model::rows::{AuditRow, QuarantineRow};
use cems_core::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use cems_core::model::{
    Acknowledgement, AlarmId, AlarmKind, AlarmRow, AlarmSubject, AmountPeriod, Closure, Delivery,
    FactorCode, FallbackId, FallbackReason, FallbackRow, Level, Lifting, LimitId, ManualReport,
    ManualReportRow, ManualValue, OutletId, Period, QaKind, Registry, ReportFinding, ReportId, Seq,
    Superseded, Timestamp, UserId, WrittenReport,
};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeMap;

fn ago(minutes: i64) -> Timestamp {
    NOW.plus_ms(-minutes * MINUTE_MS)
}

struct Draft {
    kind: AlarmKind,
    subject: AlarmSubject,
    factor: Option<&'static str>,
    since_min: i64,
    value: Option<&'static str>,
    threshold: Option<&'static str>,
    count: u64,
    facts: &'static [(&'static str, &'static str)],
}

fn outlet(id: &str) -> AlarmSubject {
    AlarmSubject::Outlet(OutletId::new(id))
}

/// An alarm of this fiction: kind, subject, factor, minutes since, value, threshold, count, facts.
type DraftRow = (
    AlarmKind,
    &'static str,
    Option<&'static str>,
    i64,
    Option<&'static str>,
    Option<&'static str>,
    u64,
    &'static [(&'static str, &'static str)],
);

const PERMITTED: &[(&str, &str)] = &[("permitted_kg", "36500"), ("share", "90")];
const WORST: &[(&str, &str)] = &[("worst_at", "2026-03-18T13:00:00+08:00")];
const STRANGER: &[(&str, &str)] = &[("peer", "198.51.100.23")];
const INTRUDER: &[(&str, &str)] = &[("peer", "203.0.113.77")];

#[rustfmt::skip]
const DRAFTS: [DraftRow; 10] = {
    use AlarmKind as K;
    [
        (K::UnknownMn, "device/ZZ0000000042", None, 2_940, None, None, 218, STRANGER),
        (K::CrcStorm, "peer/203.0.113.9", None, 1_500, None, None, 64, &[]),
        (K::WrongPassword, "mx-02", None, 1_130, None, None, 17, INTRUDER),
        (K::AmountWarning, "bl-01", Some("w01018"), 900, Some("33215.4"), Some("32850"), 1,
            PERMITTED),
        (K::AmountExceeded, "mx-01", Some("w21003"), 760, Some("3702.118"), Some("3650"), 1, &[]),
        (K::ExceedanceDay, "mx-01", Some("w01018"), 874, Some("56.4"), Some("50"), 1, &[]),
        (K::ImpossibleValue, "bl-01", Some("w01001"), 33, Some("15.20"), Some("14"), 41, &[]),
        (K::NoData, "hy-01", None, 138, None, None, 1, &[]),
        (K::ManualReportOverdue, "yt-01", None, 402, None, None, 1, &[]),
        (K::ExceedanceHour, "qs-01", Some("a21002"), 152, Some("66.93"), Some("50"), 2, WORST),
    ]
};

fn subject(text: &str) -> AlarmSubject {
    match text.split_once('/') {
        Some(("device", mn)) => AlarmSubject::Device(SmolStr::new(mn)),
        Some(("peer", ip)) => AlarmSubject::Peer(SmolStr::new(ip)),
        _ => outlet(text),
    }
}

fn draft(row: DraftRow) -> Draft {
    let (kind, of, factor, since_min, value, threshold, count, facts) = row;
    Draft {
        kind,
        subject: subject(of),
        factor,
        since_min,
        value,
        threshold,
        count,
        facts,
    }
}

fn alarm(registry: &Registry, n: u64, draft: Draft) -> AlarmRow {
    let raised = ago((draft.since_min - 30).max(2));
    let enterprise = match &draft.subject {
        AlarmSubject::Outlet(id) => registry.outlets.get(id).map(|o| o.enterprise.clone()),
        AlarmSubject::Enterprise(id) => Some(id.clone()),
        _ => None,
    };
    let facts = draft
        .facts
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    AlarmRow {
        enterprise,
        limit: draft.factor.map(|code| LimitId::new(format!("{code}-1"))),
        factor: draft.factor.map(FactorCode::new),
        since: ago(draft.since_min),
        value: draft.value.map(dec),
        threshold: draft.threshold.map(dec),
        count: draft.count,
        facts: facts.collect(),
        ..AlarmRow::raised(
            AlarmId(n),
            draft.kind,
            draft.subject,
            raised,
            Seq(183_000 + n),
        )
    }
}

/// Alarms by id, in every state of life.
pub(super) fn alarms(registry: &Registry) -> BTreeMap<AlarmId, AlarmRow> {
    let mut rows = BTreeMap::new();
    for (n, row) in (21_u64..).zip(DRAFTS) {
        rows.insert(AlarmId(n), alarm(registry, n, draft(row)));
    }
    let by = UserId::new("zhiban");
    for (id, minutes, note) in [
        (21, 2_800, "已联系运维单位，核对登记信息"),
        (23, 1_000, "运维人员称未更改密码，继续核实"),
        (26, 700, "已通知企业，正在排查生化池"),
    ] {
        if let Some(row) = rows.get_mut(&AlarmId(id)) {
            row.acknowledged = Some(Acknowledgement {
                at: ago(minutes),
                by: by.clone(),
                note: note.to_owned(),
                until: None,
            });
        }
    }
    for id in [22, 26] {
        if let Some(row) = rows.get_mut(&AlarmId(id)) {
            row.active = false;
            row.returned_at = Some(ago(95));
        }
    }
    rows.insert(AlarmId(12), past(registry, &by));
    if let Some(row) = rows.get_mut(&AlarmId(30)) {
        row.previous = Some(AlarmId(12));
    }
    super::desk::put_aside(&mut rows);
    for row in rows.values_mut() {
        let enterprise = row.enterprise.as_ref();
        let enterprise = enterprise.and_then(|id| registry.enterprises.get(id));
        row.region = enterprise.map(|e| e.region.clone());
    }
    rows
}

/// An alarm of the week before, answered and closed.
fn past(registry: &Registry, by: &UserId) -> AlarmRow {
    let draft = Draft {
        kind: AlarmKind::ExceedanceHour,
        subject: outlet("qs-01"),
        factor: Some("a21002"),
        since_min: 7 * 24 * 60,
        value: Some("54.2"),
        threshold: Some("50"),
        count: 1,
        facts: &[],
    };
    let mut row = alarm(registry, 12, draft);
    row.active = false;
    row.returned_at = Some(ago(7 * 24 * 60 - 120));
    row.acknowledged = Some(Acknowledgement {
        at: ago(7 * 24 * 60 - 40),
        by: by.clone(),
        note: "电话通知企业".to_owned(),
        until: None,
    });
    row.closed = Some(Closure {
        at: ago(6 * 24 * 60),
        by: by.clone(),
        conclusion: "喷氨泵切换期间短时超标，已恢复，企业已提交说明".to_owned(),
    });
    row
}

/// Fallbacks by id: one overdue, one in order, one closed. Their counts are those of their reports.
pub(super) fn fallbacks() -> BTreeMap<FallbackId, FallbackRow> {
    let row = |id: u64, outlet: &str, opened_min: i64, reasons: Vec<FallbackReason>| {
        let of = (FallbackId(id), OutletId::new(outlet));
        let opened_at = ago(opened_min);
        FallbackRow {
            updated_seq: Seq(182_400 + id),
            written: Some(WrittenReport {
                due: opened_at.plus_ms(3 * DAY_MS),
                overdue_since: None,
                delivered: Vec::new(),
            }),
            ..FallbackRow::opened(of, opened_at, reasons, Seq(182_000 + id))
        }
    };
    let faulty = |code: &str, since: i64, seen: &[&str]| FallbackReason::EquipmentState {
        factor: FactorCode::new(code),
        since: ago(since),
        seen: seen.iter().map(SmolStr::new).collect(),
    };
    let midnight = Timestamp(NOW.0 - (14 * 60 + 32) * MINUTE_MS - 10_000);
    let reasons = vec![
        faulty("a21026", 2_460, &["D"]),
        faulty("a21002", 2_460, &["D", "T"]),
    ];
    let overdue = FallbackRow {
        next_due: Some(ago(42)),
        last_report_at: Some(ago(402)),
        reports: 5,
        reports_today: 1,
        overdue_since: Some(ago(42)),
        missed: 6,
        missed_dues: [1_970, 1_420, 1_030, 620, 42].map(ago).to_vec(),
        short_days: vec![midnight.plus_ms(-DAY_MS)],
        ..row(5, "yt-01", 2_400, reasons)
    };
    let due = FallbackRow {
        next_due: Some(NOW.plus_ms(4 * HOUR_MS + 42 * MINUTE_MS)),
        last_report_at: Some(ago(78)),
        reports: 1,
        reports_today: 1,
        lifted: vec![Lifting {
            reason: 1,
            at: ago(60),
            seq: Seq(182_005),
        }],
        ..row(6, "hy-01", 78, many_reasons())
    };
    let mut closed = FallbackRow {
        closed_at: Some(ago(7_000)),
        closed_why: Some("valid-data".to_owned()),
        closed_seq: Some(Seq(182_404)),
        ..row(4, "bl-01", 7_300, vec![faulty("w21011", 7_540, &["M"])])
    };
    if let Some(written) = &mut closed.written {
        written.delivered.push(Delivery {
            at: ago(6_000),
            late: false,
            by: UserId::new("yunwei"),
            note: "替代监测情况说明（虚构）".to_owned(),
            attachments: Vec::new(),
            seq: Seq(182_410),
        });
    }
    [closed, overdue, due]
        .into_iter()
        .map(|row| (row.id, row))
        .collect()
}

/// A reason of every other kind.
fn many_reasons() -> Vec<FallbackReason> {
    vec![
        FallbackReason::NoValidData {
            factor: FactorCode::new("a34013"),
            since: ago(138),
            seen: Vec::new(),
        },
        FallbackReason::OutOfControl {
            factor: FactorCode::new("a34013"),
            kind: QaKind::SpanDrift,
            since: ago(90),
            test: Seq(182_003),
        },
        FallbackReason::ReviewFailed {
            quarter: Timestamp(NOW.0 - 150 * DAY_MS),
            by: UserId::new("zhuguan"),
            seq: Seq(182_004),
        },
        FallbackReason::Decision {
            by: UserId::new("zhuguan"),
            note: "数采仪更换，预计两日".to_owned(),
        },
    ]
}

/// Manual reports of the fallbacks.
pub(super) fn reports() -> Vec<ManualReportRow> {
    let row = |id: u64, fallback: u64, outlet: &str, minutes: i64, late: bool| {
        let values = [("a34013", "3.1"), ("a21026", "14"), ("a21002", "38")];
        let values = values.into_iter().map(|(code, value)| ManualValue {
            factor: FactorCode::new(code),
            value: dec(value),
        });
        let report = ManualReport {
            outlet: OutletId::new(outlet),
            sampled_at: ago(minutes),
            sampler: "采样员甲".to_owned(),
            method: "HJ 57-2017".to_owned(),
            laboratory: "示例检测有限公司".to_owned(),
            values: values.collect(),
            note: String::new(),
            attachments: Vec::new(),
            corrects: None,
            by: UserId::new("yunwei"),
        };
        let (id, at, seq) = (ReportId(id), ago(minutes - 25), Seq(182_500 + id));
        ManualReportRow {
            fallback: Some(FallbackId(fallback)),
            late,
            ..ManualReportRow::received(id, report, at, seq)
        }
    };
    let finding = |code: &str, factor: Option<&str>, against: Option<&str>| ReportFinding {
        code: SmolStr::new(code),
        factor: factor.map(FactorCode::new),
        against: against.map(dec),
    };
    let mut wrong = row(33, 5, "yt-01", 980, true);
    wrong.superseded = Some(Superseded {
        by: ReportId(34),
        at: ago(900),
        seq: Seq(182_534),
    });
    let mut right = row(34, 5, "yt-01", 980, true);
    right.received_at = ago(900);
    right.report.corrects = Some(ReportId(33));
    right.report.note = "更正：二氧化硫小数点".to_owned();
    let mut odd = row(35, 5, "yt-01", 402, true);
    odd.entered_late = true;
    odd.findings = vec![
        finding("decimal-point", Some("a21026"), Some("131.5")),
        finding("same-as-last", None, None),
    ];
    vec![
        row(30, 5, "yt-01", 2_330, false),
        row(31, 5, "yt-01", 1_780, true),
        row(32, 5, "yt-01", 1_390, true),
        wrong,
        right,
        odd,
        row(36, 6, "hy-01", 78, false),
    ]
}

/// Totals of the year.
pub(super) fn amounts(registry: &Registry) -> Vec<AmountProgress> {
    let shares: [(&str, &str, &str); 8] = [
        ("mx-01", "w21003", "101.428"),
        ("bl-01", "w01018", "91.001"),
        ("qs-01", "a21002", "83.2"),
        ("hy-02", "a21026", "64.75"),
        ("yt-01", "a21002", "41.9"),
        ("qs-02", "a34013", "38.16"),
        ("mx-01", "w01018", "33.3"),
        ("qs-01", "a21026", "12.04"),
    ];
    let year = Period::containing(Level::Year, NOW, registry.offset);
    let rows = shares.into_iter().filter_map(|(id, code, share)| {
        let outlet = registry.outlets.get(&OutletId::new(id))?;
        let permitted = outlet
            .permitted
            .iter()
            .find(|p| p.factor.as_str() == code)?;
        Some(AmountProgress {
            outlet: outlet.id.clone(),
            factor: permitted.factor.clone(),
            period: AmountPeriod::Year,
            start: year.start,
            amount_kg: permitted.amount_kg * dec(share) / Decimal::ONE_HUNDRED,
            permitted_kg: permitted.amount_kg,
            share_pct: dec(share),
        })
    });
    rows.collect()
}

/// What was refused.
pub(super) fn quarantine() -> Vec<QuarantineRow> {
    let row = |seq: u64, reason: &str, peer: &str, mn: Option<&str>, text: &str| QuarantineRow {
        seq: Seq(seq),
        n: 0,
        at: ago(i64::try_from(184_210 - seq).unwrap_or(0)),
        reason: SmolStr::new(reason),
        peer: SmolStr::new(peer),
        mn: mn.map(SmolStr::new),
        bytes: 214,
        excerpt: text.to_owned(),
    };
    vec![
        row(
            184_205,
            "unknown-mn",
            "198.51.100.23:40112",
            Some("ZZ0000000042"),
            "##0212QN=20260318142700000;ST=31;CN=2011;PW=123456;MN=ZZ0000000042;Flag=4;CP=&&",
        ),
        row(
            184_181,
            "crc",
            "203.0.113.9:51200",
            None,
            "##0187QN=20260318140300000;ST=32;CN=2051;MN=<script>alert(1)</script>",
        ),
        row(
            184_090,
            "garbage",
            "203.0.113.9:51188",
            None,
            "GET / HTTP/1.1\\r\\nHost: example",
        ),
        row(
            183_950,
            "wrong-password",
            "203.0.113.77:49152",
            Some("MX20050002"),
            "##0136ST=31;CN=2011;PW=000000;MN=MX20050002;CP=&&DataTime=20260318101200;",
        ),
    ]
}

/// A line of the audit trail: position, minutes ago, who, what, object, detail.
type AuditLine = (
    u64,
    i64,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const AUDIT: [AuditLine; 8] = [
    (181_000, 4_320, "daemon", "start", "daemon", "0.1.0"),
    (181_001, 4_319, "guanli", "registry.changed", "registry", "9 outlets"),
    (181_021, 2_910, "engine", "alarm.raised", "alarm/21", "intake.unknown-mn"),
    (181_410, 2_800, "zhiban", "alarm.acknowledged", "alarm/21", "已联系运维单位，核对登记信息"),
    (182_005, 1_840, "engine", "fallback.opened", "fallback/5", "yt-01"),
    (183_400, 420, "zhiban", "login", "user/zhiban", "from 192.0.2.5"),
    (183_930, 122, "engine", "alarm.raised", "alarm/30", "exceedance.hour"),
    (184_168, 42, "engine", "fallback.overdue", "fallback/5", "yt-01"),
];

/// The audit trail, oldest first.
pub(super) fn audit() -> Vec<AuditRow> {
    let rows = AUDIT.map(|(seq, minutes, who, what, object, detail)| AuditRow {
        seq: Seq(seq),
        n: 0,
        at: ago(minutes),
        who: SmolStr::new(who),
        what: SmolStr::new(what),
        object: SmolStr::new(object),
        detail: detail.to_owned(),
    });
    rows.into()
}
