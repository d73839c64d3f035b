//! Limits, as explanations name them. The only place here that asks how a mean is judged.

use super::node::{Node, Outcome, Rounded, exact};
use super::scene::Scene;
use super::words;
use crate::lang::Text;
use crate::limits;
use crate::model::rows::AggregateOrigin;
use crate::model::{
    AggregateRow, FactorAggregate, Level, Limit, LimitPeriod, LimitVerdict, Medium,
};
use crate::validate::code;
use rust_decimal::Decimal;

/// Puts the verdicts of the limits in force into a row computed anew.
pub(super) fn judge(scene: &Scene<'_>, row: &mut AggregateRow) {
    let o2_valid = o2_counts(row);
    let of = (row.level, row.start);
    let (outlet, profile) = (scene.outlet, scene.profile);
    for (code, factor) in &mut row.factors {
        if let Some(settings) = outlet.factors.get(code) {
            factor.limits = limits::judge(factor, settings, outlet, profile, of, o2_valid);
        }
    }
}

fn o2_counts(row: &AggregateRow) -> bool {
    row.origin == AggregateOrigin::Reported
        || row.factors.get(code::OXYGEN).is_some_and(|o2| o2.valid)
}

/// Every limit on means of this length: its verdict, or why there is none.
pub(super) fn nodes(scene: &Scene<'_>, row: &AggregateRow, mean: &FactorAggregate) -> Vec<Node> {
    let Some(settings) = scene.outlet.factors.get(scene.factor) else {
        return Vec::new();
    };
    let of_level = |limit: &&Limit| level(limit.period) == row.level;
    let limits = settings.limits.iter().filter(of_level);
    limits
        .map(|limit| {
            let verdict = mean.limits.iter().find(|v| v.limit == limit.id);
            let mut node = match verdict {
                Some(verdict) => given(
                    label(limit, scene.outlet.medium),
                    limit,
                    verdict,
                    &settings.unit,
                ),
                None => withheld(scene, label(limit, scene.outlet.medium), limit, (row, mean)),
            };
            if verdict.is_some() && scene.profile.compare_rounded {
                node.rule = Some(scene.rule("compare_rounded", true));
                node.rounding = Some(Rounded {
                    decimals: settings.decimals,
                    mode: scene.profile.rounding,
                });
            }
            node
        })
        .collect()
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
fn withheld(
    scene: &Scene<'_>,
    node: Node,
    limit: &Limit,
    (row, mean): (&AggregateRow, &FactorAggregate),
) -> Node {
    let gas = scene.outlet.gas.as_ref();
    let converts =
        scene.outlet.medium == Medium::Gas && gas.is_some_and(|gas| gas.reference_o2_pct.is_some());
    let (code, zh, en) = if !limits::in_force(limit, row.level, row.start) {
        (
            "not-in-force",
            "该时段此限值不生效",
            "not in force for this period",
        )
    } else if !mean.valid {
        ("invalid", "均值无效，不判定", "the mean does not count")
    } else if limit.converted && converts && !o2_counts(row) {
        (
            "o2-invalid",
            "氧含量均值无效，不判定",
            "the mean of oxygen does not count",
        )
    } else if limit.converted && converts && mean.converted.is_none() {
        (
            "no-converted",
            "没有折算值，不判定",
            "there is no converted value",
        )
    } else if mean.exempt_units > 0 {
        (
            "exempt",
            "时段内有豁免标记，不判定",
            "marks in the period exempt it",
        )
    } else {
        ("not-judged", "未判定", "not judged")
    };
    node.judged(Outcome::NotJudged, code, Text::new(zh, en))
}
