//! Does what is stored say what the records say? Figures computed anew against the row as kept.

use super::node::{Node, Outcome, exact};
use super::scene::Scene;
use crate::lang::Text;
use crate::model::{AggregateRow, FactorAggregate};
use rust_decimal::Decimal;

/// Code of the verdict when the stored row says something else.
pub const DIFFERS: &str = "differs";

/// The stored row beside the figures computed anew.
pub(super) fn node(
    scene: &Scene<'_>,
    stored: Option<&AggregateRow>,
    computed: Option<&AggregateRow>,
) -> Node {
    let node = Node::new("与存档比较", "Compared with the stored row");
    let Some(row) = stored else {
        let text = match computed {
            Some(_) => Text::new("该时段尚未存档", "the period is not stored yet"),
            None => Text::new(
                "没有存档，也没有数据",
                "nothing is stored, and there are no data",
            ),
        };
        return node.judged(Outcome::NotJudged, "not-stored", text);
    };
    let kept = row.factors.get(scene.factor);
    let mut node = node.valued(kept.and_then(|f| f.mean), &scene.unit());
    node.seq = Some(row.seq);
    node.profile = Some(row.profile.clone());
    if row.profile != scene.profile.id {
        node = node.note(
            format!(
                "存档采用的规则 {} 不在现行登记中，此处按 {} 计算",
                row.profile, scene.profile.id
            ),
            format!(
                "stored under {}, which the registry does not have: computed here under {}",
                row.profile, scene.profile.id
            ),
        );
    }
    if !row.complete {
        node = node.note("该时段尚未结束", "the period is not over yet");
    }
    let Some(anew) = computed else {
        let text = Text::new(
            "没有可供重算的数据",
            "there is nothing to compute it from anew",
        );
        return node.judged(Outcome::NotJudged, "no-inputs", text);
    };
    let mut found = differences(row, anew, scene);
    if found.is_empty() {
        let text = Text::new(
            "重算结果与存档一致",
            "the figures computed anew are those stored",
        );
        return node.judged(Outcome::Holds, "agrees", text);
    }
    let text = Text::new(
        "重算结果与存档不一致",
        "the figures computed anew differ from those stored",
    );
    let mut node = node.judged(Outcome::Fails, DIFFERS, text);
    node.notes.append(&mut found);
    node
}

/// Every figure in which the stored row and the one computed anew are not the same.
fn differences(row: &AggregateRow, anew: &AggregateRow, scene: &Scene<'_>) -> Vec<Text> {
    let kept = row.factors.get(scene.factor);
    let mut found = Vec::new();
    number(
        &mut found,
        ("水量/流量", "volume"),
        row.volume_m3,
        anew.volume_m3,
    );
    match (kept, anew.factors.get(scene.factor)) {
        (Some(kept), Some(anew)) => factors(&mut found, kept, anew),
        (None, None) => {}
        (kept, _) => {
            let (zh, en) = match kept {
                Some(_) => ("存档有该因子，重算没有", "stored, but not found anew"),
                None => ("重算有该因子，存档没有", "found anew, but not stored"),
            };
            found.push(Text::new(zh, en));
        }
    }
    found
}

/// What the root must say when the stored row differs.
pub(super) fn warnings(comparison: &Node) -> Vec<Text> {
    let verdict = comparison.verdict.as_ref();
    verdict
        .filter(|verdict| verdict.code == DIFFERS)
        .map(|verdict| verdict.text.clone())
        .into_iter()
        .collect()
}

fn factors(found: &mut Vec<Text>, kept: &FactorAggregate, anew: &FactorAggregate) {
    number(found, ("均值", "mean"), kept.mean, anew.mean);
    number(
        found,
        ("折算值", "converted value"),
        kept.converted,
        anew.converted,
    );
    number(found, ("最小值", "minimum"), kept.min, anew.min);
    number(found, ("最大值", "maximum"), kept.max, anew.max);
    number(
        found,
        ("上报值", "reported value"),
        kept.reported,
        anew.reported,
    );
    let units = |f: &FactorAggregate| (f.valid_units, f.due_units, f.stopped_units);
    if units(kept) != units(anew) {
        let (a, b) = (units(kept), units(anew));
        found.push(Text::new(
            format!("有效、应有、停运数：存档 {a:?}，重算 {b:?}"),
            format!("valid, due, stopped units: stored {a:?}, anew {b:?}"),
        ));
    }
    number(found, ("排放量", "amount"), kept.amount_kg, anew.amount_kg);
    if kept.valid != anew.valid {
        let (a, b) = (kept.valid, anew.valid);
        found.push(Text::new(
            format!("有效性：存档 {a}，重算 {b}"),
            format!("valid: stored {a}, anew {b}"),
        ));
    }
    if kept.invalid_why != anew.invalid_why {
        let text = |why: &Option<smol_str::SmolStr>| why.clone().unwrap_or_else(|| "—".into());
        let (a, b) = (text(&kept.invalid_why), text(&anew.invalid_why));
        found.push(Text::new(
            format!("无效原因：存档 {a}，重算 {b}"),
            format!("why it does not count: stored {a}, anew {b}"),
        ));
    }
    if (kept.exempt_units, &kept.judged) != (anew.exempt_units, &anew.judged) {
        found.push(Text::new(
            "豁免单位：存档与重算不同",
            "exempt units: stored ones differ from those found anew",
        ));
    }
    if kept.limits != anew.limits {
        found.push(Text::new(
            "限值判定：存档与重算不同",
            "verdicts of the limits: stored ones differ from those given anew",
        ));
    }
}

fn number(
    found: &mut Vec<Text>,
    (zh, en): (&str, &str),
    kept: Option<Decimal>,
    anew: Option<Decimal>,
) {
    if kept == anew {
        return;
    }
    let text = |value: Option<Decimal>| value.map_or_else(|| "—".to_owned(), exact);
    let (kept, anew) = (text(kept), text(anew));
    found.push(Text::new(
        format!("{zh}：存档 {kept}，重算 {anew}"),
        format!("{en}: stored {kept}, anew {anew}"),
    ));
}
