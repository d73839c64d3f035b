//! Words for codes, in both languages.

use crate::marks::NoEffect;
use crate::model::{
    FactorCode, Level, LimitKind, MarkEffect, MarkKind, Outlet, QaKind, QaOutcome, RecordKind,
    ReviewStep,
};
use crate::validate::code;

/// Chinese and English.
pub(super) type Words = (&'static str, &'static str);

/// Name of a factor: that of the registry, else of the quantities the rules know by name, else its
/// code.
pub(super) fn factor(outlet: &Outlet, factor: &FactorCode) -> (String, String) {
    if let Some(settings) = outlet.factors.get(factor) {
        return (settings.name_zh.clone(), settings.name_en.clone());
    }
    let (zh, en, _) = auxiliary(factor.as_str());
    match zh {
        "" => (factor.to_string(), factor.to_string()),
        _ => (zh.to_owned(), en.to_owned()),
    }
}

/// Unit of a factor; empty where nothing says it.
pub(super) fn unit(outlet: &Outlet, factor: &FactorCode) -> String {
    match outlet.factors.get(factor) {
        Some(settings) => settings.unit.clone(),
        None => auxiliary(factor.as_str()).2.to_owned(),
    }
}

fn auxiliary(factor: &str) -> (&'static str, &'static str, &'static str) {
    match factor {
        code::GAS_FLOW => ("烟气流量", "stack gas flow", "m³/s"),
        code::VELOCITY => ("烟气流速", "gas velocity", "m/s"),
        code::TEMPERATURE => ("烟气温度", "gas temperature", "°C"),
        code::PRESSURE => ("烟气静压", "static pressure", "kPa"),
        code::MOISTURE => ("烟气湿度", "moisture", "%"),
        code::OXYGEN => ("氧含量", "oxygen", "%"),
        code::WATER_FLOW => ("污水流量", "waste water flow", "L/s"),
        code::PH => ("pH 值", "pH", ""),
        _ => ("", "", ""),
    }
}

/// Meaning of a flag (HJ 212-2017 table 8).
pub(super) fn flag(flag: &str) -> Words {
    match flag {
        "N" => ("正常", "normal"),
        "F" => ("停运", "stopped"),
        "M" => ("维护", "maintenance"),
        "S" => ("手工输入", "entered by hand"),
        "D" => ("故障", "fault"),
        "C" => ("校准", "calibration"),
        "T" => ("超测量上限", "over range"),
        "B" => ("通讯异常", "communication fault"),
        _ => ("HJ 212 表 8 未列", "not in table 8 of HJ 212"),
    }
}

/// A kind of record.
pub(super) fn kind(kind: RecordKind) -> Words {
    match kind {
        RecordKind::Realtime => ("实时数据", "real-time record"),
        RecordKind::Minute => ("分钟数据", "minute record"),
        RecordKind::Hour => ("小时数据", "hour record"),
        RecordKind::Day => ("日数据", "day record"),
    }
}

/// A period of this level.
pub(super) fn level(level: Level) -> Words {
    match level {
        Level::Hour => ("小时", "hour"),
        Level::Day => ("日", "day"),
        Level::Month => ("月", "month"),
        Level::Year => ("年", "year"),
    }
}

/// The kind of a limit's source.
pub(super) fn limit(kind: LimitKind) -> Words {
    match kind {
        LimitKind::National => ("国家标准", "national standard"),
        LimitKind::Local => ("地方标准", "local standard"),
        LimitKind::UltraLow => ("超低排放", "ultra-low emission"),
        LimitKind::Permit => ("排污许可证", "permit"),
        LimitKind::Special => ("特殊时段", "special period"),
    }
}

/// A kind of mark.
pub(super) fn mark(kind: MarkKind) -> Words {
    match kind {
        MarkKind::Maintenance => ("维护", "maintenance"),
        MarkKind::Fault => ("故障", "fault"),
        MarkKind::Calibration => ("校准", "calibration"),
        MarkKind::EquipmentOff => ("设备未监测", "equipment off"),
        MarkKind::StartUp => ("启炉", "start-up"),
        MarkKind::Shutdown => ("停炉", "shutdown"),
        MarkKind::Stopped => ("停运", "stopped"),
        MarkKind::Banked => ("焖炉", "fire banked"),
        MarkKind::Drying => ("烘炉", "furnace drying"),
        MarkKind::Cooling => ("停炉降温", "cooling down"),
        MarkKind::SourceFault => ("生产或治理设施故障", "source or treatment fault"),
        MarkKind::Accident => ("事故", "accident"),
    }
}

/// Why minutes of a mark are without effect.
pub(super) fn no_effect(why: NoEffect) -> Words {
    match why {
        NoEffect::Withdrawn => ("已撤回", "withdrawn"),
        NoEffect::Late => ("逾期标记不计", "late marks do not count"),
        NoEffect::NotListed => ("规则未列此类标记", "the rules do not list its kind"),
        NoEffect::ShortChain => ("连续标记过短", "its chain is too short"),
        NoEffect::OnceUsed => ("超过单次时限", "beyond the hours of one occurrence"),
        NoEffect::YearUsed => ("超过年度时限", "beyond the hours of a year"),
    }
}

/// What a mark does to the data of its period.
pub(super) fn effect(effect: MarkEffect) -> Words {
    match effect {
        MarkEffect::Shown => ("仅显示", "shown only"),
        MarkEffect::NotJudged => ("计入均值和排放量，不判定超标", "counts, but is not judged"),
        MarkEffect::Invalid => ("数据不计为有效", "data do not count"),
        MarkEffect::Stopped => ("停运，无应收数据", "stopped, no data are due"),
    }
}

/// A kind of test of the equipment.
pub(super) fn qa(kind: QaKind) -> Words {
    match kind {
        QaKind::ZeroDrift => ("零点漂移", "zero drift"),
        QaKind::SpanDrift => ("量程漂移", "span drift"),
        QaKind::Linearity => ("示值误差", "linearity"),
        QaKind::RelativeAccuracy => ("相对准确度", "relative accuracy"),
        QaKind::Comparison => ("比对监测", "comparison"),
        QaKind::StandardSample => ("标准样品核查", "standard sample"),
    }
}

/// What a test says.
pub(super) fn qa_outcome(outcome: QaOutcome) -> Words {
    match outcome {
        QaOutcome::Passed => ("合格", "passed"),
        QaOutcome::Adjust => ("应调节，未失控", "to be adjusted, within control"),
        QaOutcome::Failed => ("不合格，失控", "failed, out of control"),
        QaOutcome::NotJudged => ("未判定", "not judged"),
    }
}

/// A step of the validity review.
pub(super) fn review(step: ReviewStep) -> Words {
    match step {
        ReviewStep::Submit => ("自查已提交", "self-check handed in"),
        ReviewStep::Pass => ("审核通过", "passed"),
        ReviewStep::Fail => ("审核不通过", "failed"),
    }
}

/// Why a period is not valid, or why a gap is one, as kept in rows.
pub(super) fn why(code: &str) -> Words {
    match code {
        "out-of-control" => ("设备失控期间", "the equipment was out of control"),
        "review-failed" => ("有效性审核不通过", "the validity review failed"),
        "no-data" => ("无数据", "no data"),
        "invalid" => ("有效数据不足", "too few valid data"),
        _ => ("其他原因", "another reason"),
    }
}

/// A rule of substitution, as kept in rows of quarters.
pub(super) fn substitution(rule: &str) -> Words {
    match rule {
        "preceding-mean" => (
            "前一等长时段均值",
            "mean of the preceding period of equal length",
        ),
        "manual" => ("手工监测数据", "manual data"),
        "none" => (
            "规则不替代，或替代表中无适用条目",
            "the rules put nothing in, or no entry of the table fits",
        ),
        "no-history" => ("此前无有效数据", "no valid data before"),
        _ if rule.starts_with("day-max-") => (
            "此前有效日排放量最大值",
            "greatest of the preceding valid daily loads",
        ),
        _ if rule.starts_with("max-") => (
            "此前有效小时排放量最大值",
            "greatest of the preceding valid hours",
        ),
        _ if rule.starts_with("mean-") => (
            "此前有效小时排放量均值",
            "mean of the preceding valid hours",
        ),
        _ => ("其他规则", "another rule"),
    }
}

/// Formula of a rule of substitution, by its id in `formula::catalogue`.
pub(super) fn substitution_formula(rule: &str) -> Option<&'static str> {
    if rule.starts_with("day-max-") {
        Some("substitute-day-max")
    } else if rule.starts_with("max-") {
        Some("substitute-max")
    } else if rule == "preceding-mean" {
        Some("preceding-mean")
    } else if rule.starts_with("mean-") {
        Some("mean")
    } else {
        None
    }
}
