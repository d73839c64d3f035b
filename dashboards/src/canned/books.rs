//! Fictional marks, tests of the equipment and validity reviews, judged by the rules themselves.

use super::registry::{PROFILE, dec};
use super::rows::NOW;
use crate::backend::Upload;
use cems_core::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, quarter_of};
use cems_core::model::{
    Attachment, FactorCode, Mark, MarkKind, MarkRow, OutletId, ProfileId, QaKind, QaPair, QaRow,
    QaTest, Registry, ReviewAction, ReviewEntry, ReviewRow, ReviewStep, Seq, Timestamp, UserId,
    UtcOffset, Withdrawal,
};
use cems_core::{marks, qa};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What people entered.
pub(super) struct Books {
    pub(super) marks: BTreeMap<Seq, MarkRow>,
    pub(super) tests: Vec<QaRow>,
    pub(super) reviews: BTreeMap<(OutletId, Timestamp), ReviewRow>,
    pub(super) files: BTreeMap<(OutletId, String), Upload>,
}

/// The beginning of the running hour.
const HOUR: Timestamp = Timestamp(NOW.0 - 32 * MINUTE_MS - 10_000);

fn hours_ago(hours: i64) -> Timestamp {
    HOUR.plus_ms(-hours * HOUR_MS)
}

/// A file's entry in the books.
pub(super) fn attachment(file: &Upload) -> Attachment {
    let digest = Sha256::digest(&file.content);
    Attachment {
        name: file.name.clone(),
        bytes: u64::try_from(file.content.len()).unwrap_or(u64::MAX),
        sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// First instant of the quarter so many quarters before the running one.
pub(super) fn quarter_ago(quarters: u32) -> Timestamp {
    let offset = UtcOffset::default();
    let running = quarter_of(NOW, offset).0;
    (0..quarters).fold(running, |start, _| quarter_of(start.plus_ms(-1), offset).0)
}

/// A mark: outlet, kind, factor, from and until (hours ago), entered (hours ago), reason.
type MarkLine = (
    &'static str,
    MarkKind,
    Option<&'static str>,
    i64,
    i64,
    i64,
    &'static str,
);

#[rustfmt::skip]
const MARKS: [MarkLine; 6] = [
    ("hy-02", MarkKind::Stopped, None, 400, 60, 58, "窑系统年度检修停运"),
    ("yt-01", MarkKind::Fault, Some("a21026"), 420, 402, 96, "采样泵故障，备件到货后补录"),
    ("yt-01", MarkKind::Calibration, Some("a21002"), 74, 73, 72, "误选因子，重新录入"),
    ("qs-01", MarkKind::StartUp, None, 52, 46, 45, "启炉"),
    ("yt-01", MarkKind::Calibration, Some("a21026"), 74, 72, 71, "每周零点量程校准"),
    ("yt-01", MarkKind::Fault, None, 9, 0, 1, "采样探头堵塞，正在检修"),
];

fn marks_of(registry: &Registry, files: &mut Files) -> BTreeMap<Seq, MarkRow> {
    let by = |outlet: &str| UserId::new(if outlet == "yt-01" { "yunwei" } else { "qiye" });
    let rules = registry.profiles.values().next().map(|p| p.marks.clone());
    let rules = rules.unwrap_or_default();
    let mut rows = BTreeMap::new();
    for (n, line) in (0_u64..).zip(MARKS) {
        let (outlet, kind, factor, from, until, entered, reason) = line;
        let id = Seq(183_400 + n * 20);
        let mut mark = Mark {
            outlet: OutletId::new(outlet),
            kind,
            factors: factor.map(FactorCode::new).into_iter().collect(),
            from: hours_ago(from),
            until: hours_ago(until),
            reason: reason.to_owned(),
            attachments: Vec::new(),
            by: by(outlet),
        };
        if kind == MarkKind::Calibration {
            let text = "零点 0.3 mg/m³，量程 100.8 mg/m³";
            mark.attachments
                .push(files.keep(&mark.outlet, "校准记录.txt", text));
        }
        let row = marks::enter(mark, id, hours_ago(entered), &rules);
        rows.insert(id, row);
    }
    let taken_back = Withdrawal {
        at: hours_ago(71),
        by: UserId::new("yunwei"),
        reason: "因子选错".to_owned(),
        seq: Seq(183_450),
    };
    if let Some(row) = rows.get_mut(&Seq(183_440)) {
        row.counts = false;
        row.withdrawn = Some(taken_back);
    }
    rows
}

/// Files as they are kept.
#[derive(Default)]
struct Files(BTreeMap<(OutletId, String), Upload>);

impl Files {
    fn keep(&mut self, outlet: &OutletId, name: &str, text: &str) -> Attachment {
        let file = Upload {
            name: name.to_owned(),
            content: text.as_bytes().to_vec(),
        };
        let entry = attachment(&file);
        self.0.insert((outlet.clone(), entry.sha256.clone()), file);
        entry
    }
}

/// A test: outlet, factor, kind, hours ago, pairs, note, command number where a device did it.
type TestLine = (
    &'static str,
    &'static str,
    QaKind,
    i64,
    &'static str,
    &'static str,
    Option<&'static str>,
);

#[rustfmt::skip]
const TESTS: [TestLine; 7] = [
    ("yt-01", "a21026", QaKind::RelativeAccuracy, 1_900,
        "31.2 30.1;30.4 29.8;32.0 31.1;29.9 30.2;31.5 30.9;30.8 30.0;31.1 30.7;30.2 29.5;31.9 31.4",
        "参比方法 HJ 57-2017，示例检测有限公司", None),
    ("hy-01", "a21002", QaKind::Comparison, 700,
        "31 48;32 49;30 47;33 51;31 50;32 48;30 49;31 47;32 50", "HJ 693-2014", None),
    ("yt-01", "a21026", QaKind::ZeroDrift, 241, "0 0.4", "零气", Some("3011")),
    ("yt-01", "a21026", QaKind::SpanDrift, 241, "160 166.1", "标准气体", Some("3011")),
    ("yt-01", "a21002", QaKind::StandardSample, 239, "150 151.2", "标准气体", None),
    ("yt-01", "a34013", QaKind::Comparison, 120, "4.1 4.4;4.0 4.2", "HJ 836-2017", None),
    ("yt-01", "a21002", QaKind::ZeroDrift, 73, "0 0.2", "录入有误", None),
];

/// Pairs as people type them: `reference measured`, separated by semicolons here.
fn pairs(text: &str) -> Vec<QaPair> {
    let pairs = text.split(';').filter_map(|pair| pair.split_once(' '));
    pairs
        .map(|(reference, measured)| QaPair {
            reference: dec(reference),
            measured: dec(measured),
        })
        .collect()
}

/// The row of a test, judged.
pub(super) fn judged(registry: &Registry, test: QaTest, id: Seq, at: Timestamp) -> QaRow {
    let outlet = registry.outlets.get(&test.outlet);
    let profile = outlet.and_then(|outlet| registry.profile_at(outlet, test.at));
    let factor = outlet.and_then(|outlet| outlet.factors.get(&test.factor));
    let scale = factor.and_then(|factor| factor.range_max);
    let annex = cems_core::model::Profile::annex_d(PROFILE);
    QaRow {
        id,
        n: 0,
        entered_at: at,
        verdict: qa::judge(&test, profile.unwrap_or(&annex), scale),
        profile: ProfileId::new(PROFILE),
        withdrawn: None,
        test,
    }
}

fn tests_of(registry: &Registry, files: &mut Files) -> Vec<QaRow> {
    let mut rows = Vec::new();
    for (n, line) in (0_u64..).zip(TESTS) {
        let (outlet, factor, kind, ago, values, note, from_cn) = line;
        let outlet = OutletId::new(outlet);
        let report = (kind == QaKind::RelativeAccuracy).then(|| {
            let text = "相对准确度校验报告（虚构）";
            files.keep(&outlet, "校验报告.txt", text)
        });
        let by = if from_cn.is_some() {
            "device"
        } else {
            "yunwei"
        };
        let test = QaTest {
            outlet,
            factor: FactorCode::new(factor),
            kind,
            at: hours_ago(ago),
            pairs: pairs(values),
            full_scale: None,
            note: note.to_owned(),
            attachments: report.into_iter().collect(),
            by: UserId::new(by),
            from_cn: from_cn.map(SmolStr::new),
        };
        let at = hours_ago(ago - 1);
        rows.push(judged(registry, test, Seq(183_401 + n * 10), at));
    }
    if let Some(last) = rows.last_mut() {
        last.withdrawn = Some(Withdrawal {
            at: hours_ago(71),
            by: UserId::new("yunwei"),
            reason: "录入有误".to_owned(),
            seq: Seq(183_470),
        });
    }
    rows
}

/// A step: outlet, quarters ago, step, days after the quarter's end, who, words.
type StepLine = (
    &'static str,
    u32,
    ReviewStep,
    i64,
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const STEPS: [StepLine; 6] = [
    ("yt-01", 2, ReviewStep::Submit, 5, "qiye", "第三季度自查报告"),
    ("yt-01", 2, ReviewStep::Fail, 12, "zhuguan", "缺少二氧化硫相对准确度校验报告"),
    ("yt-01", 1, ReviewStep::Submit, 6, "qiye", "第四季度自查报告"),
    ("yt-01", 1, ReviewStep::Pass, 15, "zhuguan", ""),
    ("hy-01", 1, ReviewStep::Submit, 20, "yunwei", "第四季度自查报告"),
    ("qs-01", 1, ReviewStep::Submit, 9, "qiye", "第四季度自查报告"),
];

fn reviews_of(files: &mut Files) -> BTreeMap<(OutletId, Timestamp), ReviewRow> {
    let offset = UtcOffset::default();
    let mut rows: BTreeMap<(OutletId, Timestamp), ReviewRow> = BTreeMap::new();
    for (n, (outlet, ago, step, days, by, note)) in (0_u64..).zip(STEPS) {
        let (quarter, end) = quarter_of(quarter_ago(ago), offset);
        let outlet = OutletId::new(outlet);
        let report = (step == ReviewStep::Submit)
            .then(|| files.keep(&outlet, "自查报告.txt", &format!("{note}（虚构）")));
        let entry = ReviewEntry {
            action: ReviewAction {
                outlet: outlet.clone(),
                quarter,
                step,
                by: UserId::new(by),
                note: note.to_owned(),
                attachments: report.into_iter().collect(),
            },
            at: end.plus_ms(days * DAY_MS + 9 * HOUR_MS),
            seq: Seq(150_000 + n * 1_000),
        };
        let row = rows.entry((outlet.clone(), quarter));
        row.or_insert_with(|| ReviewRow {
            outlet,
            quarter,
            entries: Vec::new(),
        })
        .entries
        .push(entry);
    }
    rows
}

/// Everything people entered in this fiction.
pub(super) fn books(registry: &Registry) -> Books {
    let mut files = Files::default();
    Books {
        marks: marks_of(registry, &mut files),
        tests: tests_of(registry, &mut files),
        reviews: reviews_of(&mut files),
        files: files.0,
    }
}
