//! Two real days through the engine, and every figure of them asked for.

use super::*;
use crate::fixture::*;
use crate::lang::Lang;
use crate::model::Provenance;
use crate::model::Sure;

pub(crate) mod arithmetic;
mod bearing;
mod days;
mod golden;
mod trouble;

/// The fixture's city with names, units and sources.
fn city() -> Registry {
    let mut city = registry();
    let names = [
        ("a34013", "颗粒物", "dust"),
        ("a21026", "二氧化硫", "SO2"),
        ("a21002", "氮氧化物", "NOx"),
        ("a19001", "氧含量", "oxygen"),
        ("w01018", "化学需氧量", "COD"),
        ("w21003", "氨氮", "NH3-N"),
        ("w01001", "pH 值", "pH"),
        ("w00000", "污水流量", "flow"),
    ];
    for outlet in city.outlets.values_mut() {
        for (code, zh, en) in names {
            let Some(factor) = outlet.factors.get_mut(code) else {
                continue;
            };
            factor.name_zh = zh.into();
            factor.name_en = en.into();
            factor.unit = match code {
                "a19001" => "%",
                "w01001" => "",
                "w00000" => "L/s",
                "w01018" | "w21003" => "mg/L",
                _ => "mg/m³",
            }
            .into();
        }
    }
    let profile = city.profiles.get_mut("plain@1").unwrap();
    for (key, sure, source) in [
        ("hour_min_valid_minutes", Sure::V2, "HJ 76-2017 annex B"),
        ("day_min_valid_hours", Sure::V2, "HJ 76-2017 annex B"),
        ("o2_guard_pct", Sure::V, "HJ 212-2017 annex D (28)"),
        (
            "convert_after_mean",
            Sure::V2,
            "HJ 212-2017 annex D (24), (28)",
        ),
        ("marks", Sure::M, "invented rule"),
    ] {
        let source = source.into();
        profile
            .provenance
            .insert(key.into(), Provenance { sure, source });
    }
    city
}

/// Runs records through the engine under `registry`, until the day after is well begun.
fn run(registry: &Registry, records: Vec<crate::model::Record>) -> Bench {
    let mut bench = Bench::with(registry.clone(), minute(-10));
    for record in records {
        bench.send(record.start.plus_ms(61_000), data(record));
    }
    bench.tick(minute(1_440 + 10));
    bench.flush();
    bench
}

fn hour_of(hour: i64) -> Asked {
    Asked::Period(Period {
        level: Level::Hour,
        start: minute(60 * hour),
    })
}

fn day_of() -> Asked {
    Asked::Period(Period {
        level: Level::Day,
        start: minute(0),
    })
}

fn question(outlet: &str, factor: &str, asked: Asked) -> Question {
    Question {
        outlet: outlet.into(),
        factor: factor.into(),
        asked,
        depth: DEPTH_DEFAULT,
    }
}

fn ask(bench: &Bench, registry: &Registry, question: &Question) -> Node {
    let tables = bench.past.tables();
    let versions = move |outlet: &OutletId, kind, start, factor: &FactorCode| {
        let rows = tables.superseded.values();
        rows.filter(|row| {
            (&row.outlet, row.kind, row.start, &row.old.value.factor)
                == (outlet, kind, start, factor)
        })
        .cloned()
        .collect()
    };
    explain_with_versions(question, &bench.past, registry, &versions).unwrap()
}

/// Every node of a tree.
fn all(node: &Node) -> Vec<&Node> {
    let mut nodes = vec![node];
    for child in &node.children {
        nodes.extend(all(child));
    }
    nodes
}

/// The first node with this English label, or one that begins like it.
fn find<'n>(node: &'n Node, label: &str) -> &'n Node {
    all(node)
        .into_iter()
        .find(|node| node.label_en.starts_with(label))
        .unwrap_or_else(|| panic!("no {label} in\n{}", text(node, Lang::En)))
}

fn code_of(node: &Node) -> &str {
    node.verdict.as_ref().map_or("", |verdict| &verdict.code)
}
