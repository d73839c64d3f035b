//! What is expected of an outlet and when its fallback opens: `[expect]` and `[fallback]`, in the
//! main file for all outlets, in an outlet for that one.

use crate::report::{Report, say};
use crate::section::Section;
use cems_core::model::{Expectation, FallbackRule, Medium};

/// Minute intervals a logger may be set to (MinInterval, HJ 212-2017 table of fields).
const MINUTE_INTERVALS: [u32; 11] = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30];
/// Real-time intervals a logger may be set to (RtdInterval), seconds.
const REALTIME_S: std::ops::RangeInclusive<u32> = 30..=3_600;
/// Longest gap between manual reports, minutes: no two more than 6 h apart.
const MANUAL_GAP_MIN_MAX: u32 = 360;
/// Fewest manual reports a day.
const MANUAL_REPORTS_MIN: u32 = 4;
/// Longest wait before a fallback opens that goes without a remark: the time within which a fault
/// is to be reported (12 h).
const OPENS_AFTER_MIN_USUAL: u32 = 720;

/// Longest time for the written report, hours: 3 days from the opening.
const WRITTEN_DUE_H_MAX: u32 = 72;
/// Reminders or escalations of one thing; more tell nobody anything new.
const MOMENTS_MAX: usize = 8;

/// What is expected where nothing is said.
pub(super) fn default_expectation() -> Expectation {
    Expectation {
        realtime_s: Some(60),
        minute_min: Some(10),
        hour: true,
        no_data_after_s: 1_800,
    }
}

/// When the fallback opens where nothing is said. Water analysers give a reading every one or two
/// hours, so two must be missing before it opens.
pub(super) fn default_fallback(medium: Medium) -> FallbackRule {
    FallbackRule {
        opens_after_min: match medium {
            Medium::Gas => 60,
            Medium::Water => 240,
        },
        closes_after_min: 60,
        max_gap_min: MANUAL_GAP_MIN_MAX,
        reports_per_day: MANUAL_REPORTS_MIN,
        ..FallbackRule::default()
    }
}

/// `[expect]` over `base`.
pub(super) fn expectation(
    s: Section<'_>,
    base: Option<&Expectation>,
    r: &mut Report,
) -> Expectation {
    let mut out = base.cloned().unwrap_or_else(default_expectation);
    intervals(&s, &mut out, r);
    if let Some(b) = s.boolean(r, "hour") {
        out.hour = b.value;
    }
    let at = match s.integer(r, "no_data_after_s", 60..=604_800) {
        Some(n) => {
            out.no_data_after_s = n.value;
            n.at
        }
        None => s.at,
    };
    match shortest_s(&out) {
        None => r.error(
            s.at,
            say!(
                "nothing is expected, so silence is never noticed",
                "未期望任何数据，断数无法发现"
            ),
            say!(
                "set realtime_s, minute_min or hour",
                "请设置 realtime_s、minute_min 或 hour"
            ),
        ),
        Some(shortest) if out.no_data_after_s <= shortest => {
            let after = out.no_data_after_s;
            r.error(
                at,
                say!(
                    "silence of {after} s is normal for data every {shortest} s",
                    "数据每 {shortest} 秒一次，{after} 秒无数据属正常"
                ),
                say!(
                    "set no_data_after_s to a few intervals",
                    "请将 no_data_after_s 设为数个间隔"
                ),
            );
        }
        Some(_) => {}
    }
    s.finish(r);
    out
}

fn intervals(s: &Section<'_>, out: &mut Expectation, r: &mut Report) {
    if let Some(n) = s.integer::<u32>(r, "realtime_s", 0..=86_400) {
        out.realtime_s = (n.value > 0).then_some(n.value);
        if n.value > 0 && !REALTIME_S.contains(&n.value) {
            let value = n.value;
            r.warn(
                n.at,
                say!(
                    "real-time interval of {value} s is outside 30 to 3600 s",
                    "实时数据间隔 {value} 秒超出 30～3600 秒"
                ),
                say!("HJ 212-2017 RtdInterval", "见 HJ 212-2017 RtdInterval"),
            );
        }
    }
    if let Some(n) = s.integer::<u32>(r, "minute_min", 0..=60) {
        out.minute_min = (n.value > 0).then_some(n.value);
        if n.value > 0 && !MINUTE_INTERVALS.contains(&n.value) {
            let value = n.value;
            r.error(
                n.at,
                say!(
                    "no logger can send minute data every {value} min",
                    "数采仪不能设置 {value} 分钟的分钟数据间隔"
                ),
                say!(
                    "HJ 212-2017 MinInterval: 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30; 0: none",
                    "HJ 212-2017 MinInterval：1、2、3、4、5、6、10、12、15、20、30；0 为不上传"
                ),
            );
        }
    }
}

fn shortest_s(e: &Expectation) -> Option<u32> {
    let hour = e.hour.then_some(3_600);
    [e.realtime_s, e.minute_min.map(|m| m * 60), hour]
        .into_iter()
        .flatten()
        .min()
}

/// `[fallback]` over `base`.
pub(super) fn fallback(s: Section<'_>, base: &FallbackRule, r: &mut Report) -> FallbackRule {
    let mut out = base.clone();
    if let Some(n) = s.integer::<u32>(r, "opens_after_min", 10..=10_080) {
        out.opens_after_min = n.value;
        if n.value > OPENS_AFTER_MIN_USUAL {
            let hours = n.value / 60;
            r.warn(
                n.at,
                say!(
                    "the fallback opens only after {hours} h",
                    "{hours} 小时后才启动人工监测替代"
                ),
                say!(
                    "a fault is to be reported within 12 h",
                    "故障应在 12 小时内报告"
                ),
            );
        }
    }
    if let Some(n) = s.integer(r, "closes_after_min", 1..=10_080) {
        out.closes_after_min = n.value;
    }
    if let Some(n) = s.integer::<u32>(r, "max_gap_min", 1..=10_080) {
        out.max_gap_min = n.value;
        if n.value > MANUAL_GAP_MIN_MAX {
            let value = n.value;
            r.error(
                n.at,
                say!(
                    "manual reports {value} min apart: the law allows 360",
                    "人工监测报送间隔 {value} 分钟，规定不得超过 360 分钟"
                ),
                say!(
                    "360 or less (no two more than 6 h apart)",
                    "不大于 360（间隔不超过 6 小时）"
                ),
            );
        }
    }
    if let Some(n) = s.integer::<u32>(r, "reports_per_day", 1..=96) {
        out.reports_per_day = n.value;
        if n.value < MANUAL_REPORTS_MIN {
            let value = n.value;
            r.error(
                n.at,
                say!(
                    "{value} manual reports a day: the law asks for 4",
                    "每日人工监测报送 {value} 次，规定不少于 4 次"
                ),
                say!("4 or more", "不少于 4"),
            );
        }
    }
    clocks(&s, &mut out, r);
    s.finish(r);
    out
}

/// What is told when, and what is owed besides the reports.
fn clocks(s: &Section<'_>, out: &mut FallbackRule, r: &mut Report) {
    let lists = [
        ("remind_before_min", 1_440, &mut out.remind_before_min),
        ("escalate_after_min", 10_080, &mut out.escalate_after_min),
        (
            "written_remind_before_h",
            720,
            &mut out.written_remind_before_h,
        ),
    ];
    for (key, most, list) in lists {
        if let Some(moments) = moments(s, r, key, most) {
            *list = moments;
        }
    }
    if let Some(n) = s.integer::<u32>(r, "written_due_h", 0..=720) {
        out.written_due_h = n.value;
        if n.value > WRITTEN_DUE_H_MAX {
            let hours = n.value;
            r.error(
                n.at,
                say!(
                    "the written report within {hours} h: 3 days are given",
                    "书面报告期限 {hours} 小时，规定为 3 日内"
                ),
                say!("72 or less; 0: none is owed", "不大于 72；0 表示不要求"),
            );
        }
    }
    if let Some(n) = s.integer(r, "late_entry_after_min", 1..=43_200) {
        out.late_entry_after_min = n.value;
    }
    if let Some(n) = s.integer(r, "review_valid_days", 0..=366) {
        out.review_valid_days = Some(n.value);
    }
}

/// A list of times before or after something, each once.
fn moments(s: &Section<'_>, r: &mut Report, key: &'static str, most: i64) -> Option<Vec<u32>> {
    let item = s.item(key)?;
    let entries = item.entries();
    let list: Vec<u32> = entries
        .iter()
        .filter_map(|entry| entry.integer(r, key, 1..=most))
        .map(|got| got.value)
        .collect();
    let mut distinct = list.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() != list.len() || list.len() > MOMENTS_MAX {
        r.error(
            item.at,
            say!(
                "`{key}` names a time twice, or more than {MOMENTS_MAX}",
                "`{key}` 中有重复的时间，或多于 {MOMENTS_MAX} 个"
            ),
            say!("such as [60, 15]; []: none", "如 [60, 15]；[] 表示没有"),
        );
    }
    Some(list)
}
