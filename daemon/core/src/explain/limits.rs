//! Limits, as explanations name them. The only place here that asks how a mean is judged.

use super::node::{Node, Outcome, Rounded, exact};
use super::scene::Scene;
use super::words;
use crate::aggregate::gather::HourInputs;
use crate::lang::Text;
use crate::limits::{self, Circumstances, why};
use crate::model::rows::AggregateOrigin;
use crate::model::{
    AggregateRow, FactorAggregate, FactorCode, Level, Limit, LimitPeriod, LimitVerdict, MarkKind,
    Medium, OutletFactor, Timestamp,
};
use crate::validate::code;
use rust_decimal::Decimal;

/// Puts the verdicts of the limits in force into a row computed anew; `hour`: what it was made of.
pub(super) fn judge(scene: &Scene<'_>, row: &mut AggregateRow, hour: Option<&HourInputs>) {
    let o2_valid = o2_counts(row);
    let (level, start) = (row.level, row.start);
    for (code, factor) in &mut row.factors {
        let Some(settings) = scene.outlet.factors.get(code) else {
            continue;
        };
        let marks = kinds(hour, code, start);
        let of = circumstances(scene, (level, start), o2_valid, &marks);
        factor.limits = limits::judge(factor, settings, &of).verdicts;
    }
}

fn kinds(hour: Option<&HourInputs>, factor: &FactorCode, start: Timestamp) -> Vec<MarkKind> {
    hour.map_or_else(Vec::new, |hour| hour.standing.kinds(factor, start))
}

fn circumstances<'a>(
    scene: &'a Scene<'_>,
    (level, start): (Level, Timestamp),
    o2_valid: bool,
    marks: &'a [MarkKind],
) -> Circumstances<'a> {
    let registry = scene.registry;
    let enterprise = registry.enterprises.get(&scene.outlet.enterprise);
    Circumstances {
        outlet: scene.outlet,
        profile: scene.profile,
        level,
        start,
        o2_valid,
        marks,
        special_periods: &registry.special_periods,
        region: enterprise.map(|enterprise| &enterprise.region),
    }
}

fn o2_counts(row: &AggregateRow) -> bool {
    row.origin == AggregateOrigin::Reported
        || row.factors.get(code::OXYGEN).is_some_and(|o2| o2.valid)
}

/// Every limit on means of this length: its verdict as stored, or why there is none.
pub(super) fn nodes(
    scene: &Scene<'_>,
    row: &AggregateRow,
    mean: &FactorAggregate,
    hour: Option<&HourInputs>,
) -> Vec<Node> {
    let Some(settings) = scene.outlet.factors.get(scene.factor) else {
        return Vec::new();
    };
    let marks = kinds(hour, scene.factor, row.start);
    let of = circumstances(scene, (row.level, row.start), o2_counts(row), &marks);
    let anew = limits::judge(mean, settings, &of);
    let of_level = |limit: &&Limit| level(limit.period) == row.level;
    let node = |limit: &Limit| {
        let label = label(limit, scene.outlet.medium);
        let stored = mean.limits.iter().find(|verdict| verdict.limit == limit.id);
        if let Some(verdict) = stored {
            let node = given(label, limit, verdict, &settings.unit);
            return how(scene, node, settings, limit, mean);
        }
        let why = anew.not_judged.iter().find(|not| not.limit == limit.id);
        withheld(label, why.map_or(NOT_IN_FORCE, |not| not.why))
    };
    settings.limits.iter().filter(of_level).map(node).collect()
}

const NOT_IN_FORCE: &str = "not-in-force";

/// How the judged figure came out of the mean: exempt hours, confidence interval, rounding.
fn how(
    scene: &Scene<'_>,
    mut node: Node,
    settings: &OutletFactor,
    limit: &Limit,
    mean: &FactorAggregate,
) -> Node {
    if let Some(judged) = &mean.judged {
        let text = |value: Option<Decimal>| value.map_or_else(|| "—".to_owned(), exact);
        let (plain, converted) = (text(judged.mean), text(judged.converted));
        node = node.note(
            format!("不计豁免时段：均值 {plain}，折算 {converted}"),
            format!("without the exempt units: mean {plain}, converted {converted}"),
        );
    }
    let share = scene.profile.confidence_pct.get(&settings.code);
    if let Some((pct, upper)) = share.zip(limit.upper) {
        let (pct, upper) = (exact(*pct), exact(upper));
        node.rule = Some(scene.rule("confidence_pct", &pct));
        node.formula = Some("confidence".into());
        node = node.note(
            format!("判定前减去限值 {upper} 的 {pct} %"),
            format!("{pct} % of the limit {upper} is subtracted before it is judged"),
        );
    }
    if scene.profile.compare_rounded {
        node.rule = Some(scene.rule("compare_rounded", &true));
        node.rounding = Some(Rounded {
            decimals: settings.decimals,
            mode: scene.profile.rounding,
        });
    }
    node
}

fn level(period: LimitPeriod) -> Level {
    match period {
        LimitPeriod::Hour => Level::Hour,
        LimitPeriod::Day => Level::Day,
        LimitPeriod::Month => Level::Month,
    }
}

fn label(limit: &Limit, medium: Medium) -> Node {
    let (zh, en) = words::limit(limit.kind);
    let mut node = Node::new(
        format!("限值 {}（{zh}）", limit.id),
        format!("Limit {} ({en})", limit.id),
    );
    let bound = |bound: Option<Decimal>, sign: &str| bound.map(|b| format!("{sign} {}", exact(b)));
    let bounds: Vec<String> = [bound(limit.lower, "≥"), bound(limit.upper, "≤")]
        .into_iter()
        .flatten()
        .collect();
    let bounds = bounds.join(", ");
    let (judged_zh, judged_en) = match (medium, limit.converted) {
        (Medium::Gas, true) => ("折算值", "converted value"),
        (Medium::Gas, false) => ("实测值（标态干基）", "measured value (standard, dry)"),
        (Medium::Water, _) => ("均值", "mean"),
    };
    node = node.note(
        format!("{bounds}，判定{judged_zh}；依据：{}", limit.source),
        format!("{bounds}, judges the {judged_en}; source: {}", limit.source),
    );
    node
}

fn given(node: Node, limit: &Limit, verdict: &LimitVerdict, unit: &str) -> Node {
    let (judged, bound) = (exact(verdict.judged), exact(verdict.bound));
    let mut node = node.valued(Some(verdict.judged), unit);
    if !verdict.exceeded {
        node.with = Some(match (limit.lower, limit.upper) {
            (Some(lower), Some(upper)) => {
                format!("{} ≤ {judged} ≤ {}", exact(lower), exact(upper))
            }
            (Some(lower), None) => format!("{judged} ≥ {}", exact(lower)),
            _ => format!("{judged} ≤ {bound}"),
        });
        let text = Text::new("未超过限值", "within the limit");
        return node.judged(Outcome::Within, "within", text);
    }
    let under = limit.lower == Some(verdict.bound) && verdict.judged < verdict.bound;
    let sign = if under { '<' } else { '>' };
    node.with = Some(format!("{judged} {sign} {bound}"));
    if let Some(multiple) = verdict.multiple {
        let with = format!("{judged} ÷ {bound} − 1");
        let label = Node::new("超标倍数", "Exceedance multiple");
        node = node.child(label.valued(Some(multiple), "").by("multiple", Some(with)));
    }
    let text = if under {
        Text::new("低于限值下限", "below the lower limit")
    } else {
        Text::new("超过限值", "over the limit")
    };
    node.judged(Outcome::Exceeded, "exceeded", text)
}

/// Why a limit gave no verdict.
fn withheld(node: Node, code: &str) -> Node {
    let (zh, en) = match code {
        NOT_IN_FORCE => ("该时段此限值不生效", "not in force for this period"),
        why::MEAN_INVALID => ("均值无效，不判定", "the mean does not count"),
        why::EXEMPT_MARK => ("有豁免标记，不判定", "a mark exempts the period"),
        why::NO_CONVERTED_VALUE => ("没有折算值，不判定", "there is no converted value"),
        why::O2_INVALID => (
            "氧含量均值无效，不判定",
            "the mean of oxygen does not count",
        ),
        why::NOT_IN_SPECIAL_PERIOD => (
            "不在该限值的特殊时段内",
            "outside the special period of the limit",
        ),
        why::NO_BOUND => ("限值没有上下限", "the limit has no bound"),
        _ => ("未判定", "not judged"),
    };
    node.judged(Outcome::NotJudged, code, Text::new(zh, en))
}
