//! Values as they were sent: text, flag, checks, position in the journal, earlier versions.

use super::node::{Node, Outcome};
use super::scene::Scene;
use super::{checks, gas, words};
use crate::lang::Text;
use crate::model::time::{MINUTE_MS, SECOND_MS};
use crate::model::{Number, RecordKind, RecordRow, StoredValue, Timestamp, Value};

/// The record that covers `at`.
pub(super) fn asked(scene: &Scene<'_>, kind: RecordKind, at: Timestamp) -> Node {
    let (zh, en) = words::kind(kind);
    let Some(row) = find(scene, kind, at) else {
        let text = Text::new("没有该时刻的记录", "there is no record of that time");
        return scene.title((zh, en), &scene.instant(at)).judged(
            Outcome::NotJudged,
            "no-record",
            text,
        );
    };
    let title = scene.title((zh, en), &scene.instant(row.start));
    let Some(stored) = row.values.get(scene.factor) else {
        let text = Text::new("该记录不含此因子", "the record does not carry the factor");
        return title.judged(Outcome::NotJudged, "no-value", text);
    };
    let mut node = value(scene, title, stored, (kind, row.start));
    node.profile = Some(scene.profile.id.clone());
    if row.start != at {
        let start = scene.instant(row.start);
        node = node.note(
            format!("所问时刻属于 {start} 开始的记录"),
            format!("the time asked for belongs to the record that begins at {start}"),
        );
    }
    if row.resent {
        node = node.note(
            "设备标明为补传数据",
            "the device marked the record as re-sent",
        );
    }
    node.with_children(parts(&stored.value))
        .with_children(gas::of_record(scene, &row))
}

/// The record that begins within the unit of time asked for, else the last one whose interval may
/// reach it.
fn find(scene: &Scene<'_>, kind: RecordKind, at: Timestamp) -> Option<RecordRow> {
    let interval_min = scene.outlet.expectation.minute_min.unwrap_or(1).max(1);
    let (before_ms, after_ms) = match kind {
        RecordKind::Realtime => (0, SECOND_MS),
        RecordKind::Minute => {
            let reach_ms = (i64::from(interval_min) - 1).saturating_mul(MINUTE_MS);
            (reach_ms, MINUTE_MS)
        }
        RecordKind::Hour | RecordKind::Day => (0, MINUTE_MS),
    };
    let (from, until) = (at.plus_ms(-before_ms), at.plus_ms(after_ms));
    scene
        .history
        .records(&scene.outlet.id, kind, from, until)
        .pop()
}

/// One value of a record, under `node`'s label.
pub(super) fn value(
    scene: &Scene<'_>,
    node: Node,
    stored: &StoredValue,
    (kind, start): (RecordKind, Timestamp),
) -> Node {
    let sent = &stored.value;
    let mut node = checks::judge(node.valued(None, &scene.unit()), stored);
    node.value = sent.figure().map(|number| number.text.to_string());
    node.seq = Some(stored.seq);
    node.received_at = Some(scene.offset.iso(stored.received_at));
    node.flag = sent.flag.as_ref().map(|flag| flag.0.clone());
    if let Some(number) = sent.figure().filter(|number| differs(number)) {
        let unit = scene.unit();
        let value = number.value.normalize();
        node = node.note(
            format!("换算为 2017 版单位：{value} {unit}"),
            format!("in the unit of 2017: {value} {unit}"),
        );
    }
    if let Some(code) = &sent.sent_as {
        node = node.note(
            format!("原编码 {code}"),
            format!("sent under the code {code}"),
        );
    }
    if let Some(field) = &sent.unreadable {
        node = node.note(format!("无法识读：{field}"), format!("unreadable: {field}"));
    }
    if stored.superseded > 0 {
        node = node.child(earlier(scene, stored, (kind, start)));
    }
    node
}

/// The text does not say the value: the unit was another one.
fn differs(number: &Number) -> bool {
    number.text.parse() != Ok(number.value)
}

/// What was sent beside the figure.
fn parts(value: &Value) -> Vec<Node> {
    let part = |number: &Option<Number>, field: &str, zh: &str, en: &str| {
        let number = number.as_ref()?;
        let mut node = Node::new(format!("{zh}（{field}）"), format!("{en} ({field})"));
        node.value = Some(number.text.to_string());
        Some(node)
    };
    let second = value.rtd.clone().filter(|_| value.avg.is_some());
    [
        part(&second, "-Rtd", "实时值", "real-time value"),
        part(&value.min, "-Min", "最小值", "minimum"),
        part(&value.max, "-Max", "最大值", "maximum"),
        part(&value.cou, "-Cou", "累计值", "amount"),
        part(
            &value.converted,
            "-Zs",
            "设备上报折算值",
            "converted value as sent",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Versions that were replaced by the one that counts.
fn earlier(
    scene: &Scene<'_>,
    stored: &StoredValue,
    (kind, start): (RecordKind, Timestamp),
) -> Node {
    let n = stored.superseded;
    let node = Node::new(
        format!("此前被替代的版本：{n} 个"),
        format!("Earlier versions that were replaced: {n}"),
    );
    let Some(versions) = scene.versions else {
        return Node { omitted: n, ..node };
    };
    let rows = versions(&scene.outlet.id, kind, start, scene.factor);
    let found = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let children = rows.iter().map(|row| {
        let by = row.by_seq;
        let label = Node::new(
            format!("被日志 #{by} 替代"),
            format!("replaced by entry #{by}"),
        );
        // The old value counts its own predecessors; they stand beside it here.
        let old = StoredValue {
            superseded: 0,
            ..row.old.clone()
        };
        value(scene, label, &old, (kind, start))
    });
    Node {
        omitted: n.saturating_sub(found),
        ..node.with_children(children)
    }
}
