//! Names of the figures and words that clues carry as evidence, for people.

use crate::lang::Text;
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// Decimal places that a person reads in a figure; the stored one is exact.
const SHOWN_PLACES: u32 = 4;

/// Every name: as stored and in the API, Chinese, English. In alphabetical order.
pub const EVIDENCE: &[(&str, &str, &str)] = &[
    ("ahead_max_s", "最多超前（秒）", "most ahead, s"),
    ("air_pct", "空气氧量（%）", "O2 of air, %"),
    ("allowed", "允许", "allowed"),
    ("baseline_o2_pct", "基准氧（%）", "reference O2, %"),
    ("before", "之前", "before"),
    ("computed", "计算值", "computed"),
    ("consequence", "后果", "consequence"),
    ("days", "天数", "days"),
    ("detection_limit", "检出限", "detection limit"),
    ("due", "应收", "due"),
    ("edge", "临界值", "edge"),
    ("factors", "监测因子", "factors"),
    ("flagged", "标识的记录数", "flagged"),
    ("flow_mean", "流量均值", "mean flow"),
    ("greatest", "最大", "greatest"),
    ("greatest_m_s", "最大（m/s）", "greatest, m/s"),
    ("hours", "小时数", "hours"),
    ("kind", "记录类型", "kind of record"),
    ("late_max_s", "最多滞后（秒）", "most late, s"),
    ("least", "最小", "least"),
    ("least_m_s", "最小（m/s）", "least, m/s"),
    ("limit", "限值", "limit"),
    ("load_change_pct", "负荷变化（%）", "change of load, %"),
    ("low", "低于下限的均值数", "means too low"),
    ("low_marked", "其中已标记", "of these marked"),
    ("marked", "标记的记录数", "marked"),
    (
        "mean_by_volume",
        "按水量加权均值",
        "mean weighted by volume",
    ),
    ("mean_of_hours", "小时值的均值", "mean of the hours"),
    ("mean_of_records", "记录的均值", "mean of the records"),
    (
        "mean_of_reported_hours",
        "上报小时值的均值",
        "mean of the reported hours",
    ),
    ("measured_min", "实测最小", "least measured"),
    ("min_c", "下限（℃）", "least allowed, °C"),
    ("more", "另有条数", "more of these"),
    ("next", "之后", "next"),
    ("now", "当时", "now"),
    ("o2_max_pct", "氧量最大（%）", "greatest O2, %"),
    ("o2_mean_pct", "氧量均值（%）", "mean O2, %"),
    ("o2_pct", "氧量（%）", "O2, %"),
    ("of", "总数", "of"),
    ("part", "其一", "part"),
    ("range_max", "量程上限", "range, upper end"),
    ("range_min", "量程下限", "range, lower end"),
    ("received", "收到", "received"),
    ("recomputed", "复算值", "recomputed"),
    ("records", "记录数", "records"),
    ("reported", "上报值", "reported"),
    ("resent", "其中补传", "of these sent again"),
    ("sent", "上报值", "sent"),
    ("sent_m3_per_h", "上报流量（m³/h）", "flow sent, m³/h"),
    ("shape", "形状", "shape"),
    ("share_pct", "占比（%）", "share, %"),
    ("silent_hours", "无数据小时数", "hours without data"),
    ("sum_of_hours", "小时值之和", "sum of the hours"),
    (
        "theory_m3_per_h",
        "理论流量（m³/h）",
        "flow by theory, m³/h",
    ),
    ("upper", "上限", "upper limit"),
    ("value", "数值", "value"),
    ("variance", "方差", "variance"),
    ("velocity_mean_m_s", "流速均值（m/s）", "mean velocity, m/s"),
    ("whole", "总和", "whole"),
];

/// Words that stand as evidence: as stored, Chinese, English.
const VALUES: &[(&str, &str, &str)] = &[
    ("day", "日数据", "day"),
    ("hour", "小时数据", "hour"),
    ("minute", "分钟数据", "minute"),
    ("realtime", "实时数据", "real-time"),
    (
        "restrict-or-suspend-production",
        "可责令限制生产、停产整治",
        "production may be ordered restricted or suspended",
    ),
    ("spike", "尖峰", "spike"),
    ("step", "阶跃", "step"),
];

/// The words of `list` under `name`; the name itself where there are none, as for the code of a
/// factor and for evidence of a later version.
fn words(list: &[(&str, &str, &str)], name: &str) -> Text {
    let entry = list.iter().find(|(known, ..)| *known == name);
    entry.map_or_else(|| Text::new(name, name), |(_, zh, en)| Text::new(*zh, *en))
}

/// One piece of evidence for a person: name and value. Figures are rounded, half to even, to four
/// decimal places.
pub fn evidence_text(name: &str, value: &str) -> (Text, Text) {
    let value = match value.parse::<Decimal>() {
        Ok(figure) => {
            let shown = figure.round_dp(SHOWN_PLACES).normalize().to_string();
            Text::new(shown.as_str(), shown.as_str())
        }
        Err(_) => words(VALUES, value),
    };
    (words(EVIDENCE, name), value)
}

/// True for a name of the list.
pub(crate) fn is_known(name: &SmolStr) -> bool {
    EVIDENCE.iter().any(|(known, ..)| name == known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_reads_in_both_languages() {
        let (name, value) = evidence_text("share_pct", "8.333333333333");
        assert_eq!(
            (name.zh.as_str(), name.en.as_str()),
            ("占比（%）", "share, %")
        );
        assert_eq!(value.zh, "8.3333");
        let (_, value) = evidence_text("shape", "spike");
        assert_eq!((value.zh.as_str(), value.en.as_str()), ("尖峰", "spike"));
        // The code of a factor and a text stay what they are.
        let (name, value) = evidence_text("a21026", "30.2 -> 3");
        assert_eq!(
            (name.zh.as_str(), value.zh.as_str()),
            ("a21026", "30.2 -> 3")
        );
    }

    #[test]
    fn names_are_in_order_and_once() {
        assert!(EVIDENCE.is_sorted_by(|(a, ..), (b, ..)| a < b));
    }
}
