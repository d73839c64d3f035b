//! `[[rule]]` of a register map: from state to flag.

use super::hint_of_names;
use crate::report::{Report, say};
use crate::section::{Got, Section};
use cems_protocols::instrument::{Flag, Place, Point, Role, StateRule, Test};
use cems_protocols::modbus::Kind;
use smol_str::SmolStr;

/// Reads the rules in their order, which is their priority.
pub(super) fn rules(s: &Section<'_>, points: &[Point], r: &mut Report) -> Vec<StateRule> {
    let mut out = Vec::new();
    for s in s.sections(r, "rule") {
        out.extend(rule(&s, points, r));
        s.finish(r);
    }
    out
}

fn rule(s: &Section<'_>, points: &[Point], r: &mut Report) -> Option<StateRule> {
    let hint = say!("the name of a state point", "状态测点的名称");
    let name = s.need_text(r, "point", hint);
    let point = name.as_ref().and_then(|name| find(name, points, r));
    if let (Some(name), Some(point)) = (&name, point.and_then(|index| points.get(index)))
        && point.role != Role::State
    {
        let value = &name.value;
        r.error(
            name.at,
            say!("{value} is no state", "{value} 不是状态测点"),
            say!("give it role = \"state\"", "请为其设置 role = \"state\""),
        );
    }
    let test = test(s, point.and_then(|index| points.get(index)), r);
    if s.item("flag").is_none() {
        let hint = say!(
            "the flag values carry then: D, M, C, F, T, B, or N for none",
            "此时数据的标记：D、M、C、F、T、B；N 表示正常"
        );
        s.missing(r, "flag", hint);
    }
    let flag = s.word(r, "flag", &Flag::ALL);
    let mut concerns = Vec::new();
    for name in s.texts(r, "concerns").unwrap_or_default() {
        concerns.extend(find(&name, points, r));
    }
    Some(StateRule {
        point: point?,
        test: test?,
        flag: flag?.value,
        concerns,
    })
}

fn find(name: &Got<String>, points: &[Point], r: &mut Report) -> Option<usize> {
    let found = points.iter().position(|p| p.name == name.value);
    if found.is_none() && !r.incomplete {
        let value = &name.value;
        r.error(
            name.at,
            say!("no point is called {value}", "没有名为 {value} 的测点"),
            hint_of_names(value, points),
        );
    }
    found
}

/// Exactly one of the ways to test a state.
fn test(s: &Section<'_>, point: Option<&Point>, r: &mut Report) -> Option<Test> {
    let bits_set = numbers(s, "bits", r);
    let bits_clear = numbers(s, "bits_clear", r);
    let values = numbers(s, "values", r);
    let not_values = numbers(s, "not_values", r);
    let texts = s.texts(r, "texts");
    let not_texts = s.texts(r, "not_texts");
    let words = |list: Vec<Got<String>>| -> Vec<SmolStr> {
        list.into_iter()
            .map(|got| SmolStr::new(got.value))
            .collect()
    };
    let ways = [bits_set.is_some(), bits_clear.is_some(), values.is_some()]
        .into_iter()
        .chain([not_values.is_some(), texts.is_some(), not_texts.is_some()])
        .filter(|written| *written)
        .count();
    let width = point.map_or(64, bits_of);
    let mut tests: Vec<Test> = Vec::new();
    tests.extend(
        bits_set
            .and_then(|list| mask(&list, width, r))
            .map(Test::AnyBit),
    );
    tests.extend(
        bits_clear
            .and_then(|list| mask(&list, width, r))
            .map(Test::AnyBitClear),
    );
    let plain = |list: Vec<Got<i64>>| list.into_iter().map(|got| got.value).collect();
    tests.extend(values.map(plain).map(Test::OneOf));
    tests.extend(not_values.map(plain).map(Test::NoneOf));
    tests.extend(texts.map(words).map(Test::Text));
    tests.extend(not_texts.map(words).map(Test::NotText));
    if ways != 1 {
        r.error(
            s.at,
            say!("a rule tests a state in one way", "每条规则只用一种判断"),
            say!(
                "one of `bits`, `bits_clear`, `values`, `not_values`, `texts`, `not_texts`",
                "从 `bits`、`bits_clear`、`values`、`not_values`、`texts`、`not_texts` 中选一个"
            ),
        );
        return None;
    }
    tests.pop()
}

/// Bits a state has.
fn bits_of(point: &Point) -> i64 {
    match point.place {
        Place::Register(at) => match at.kind {
            Kind::Bit => 1,
            Kind::Bits { count, .. } => i64::from(count),
            kind => i64::from(kind.len()) * 16,
        },
        Place::Field => 64,
    }
}

fn mask(list: &[Got<i64>], width: i64, r: &mut Report) -> Option<u64> {
    let mut mask = 0;
    for got in list {
        let Some(bit) = u32::try_from(got.value)
            .ok()
            .filter(|_| got.value < width.min(64))
        else {
            let value = got.value;
            let last = width - 1;
            r.error(
                got.at,
                say!("there is no bit {value}", "没有第 {value} 位"),
                say!(
                    "this state has bits 0 to {last}",
                    "该状态有第 0 到 {last} 位"
                ),
            );
            return None;
        };
        mask |= 1 << bit;
    }
    Some(mask)
}

/// One whole number or a list of them.
fn numbers(s: &Section<'_>, key: &'static str, r: &mut Report) -> Option<Vec<Got<i64>>> {
    use rust_decimal::prelude::ToPrimitive;
    let item = s.item(key)?;
    let mut out = Vec::new();
    for entry in item.entries() {
        let Some(got) = entry.decimal(r, key) else {
            continue;
        };
        match got.value.to_i64().filter(|_| got.value.is_integer()) {
            Some(value) => out.push(Got { value, at: got.at }),
            None => {
                let value = got.value;
                r.error(
                    got.at,
                    say!("`{key}` cannot be {value}", "`{key}` 不能是 {value}"),
                    say!("whole numbers only", "只能是整数"),
                );
            }
        }
    }
    Some(out)
}
