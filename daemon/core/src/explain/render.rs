//! A derivation as plain text: one line a node, two spaces a level.

use super::node::{Node, Outcome, Rounded};
use crate::lang::Lang;
use crate::model::Rounding;

/// The tree for a terminal, without colours.
pub fn text(node: &Node, lang: Lang) -> String {
    let mut out = String::new();
    write(node, lang, 0, &mut out);
    out
}

fn write(node: &Node, lang: Lang, level: usize, out: &mut String) {
    let indent = "  ".repeat(level);
    out.push_str(&indent);
    out.push_str(&line(node, lang));
    out.push('\n');
    for note in &node.notes {
        out.push_str(&format!("{indent}  · {}\n", note.get(lang)));
    }
    for child in &node.children {
        write(child, lang, level.saturating_add(1), out);
    }
    if node.omitted > 0 {
        let n = node.omitted;
        let text = match lang {
            Lang::Zh => format!("另有 {n} 项未列出"),
            Lang::En => format!("{n} more not listed"),
        };
        out.push_str(&format!("{indent}  … {text}\n"));
    }
}

fn line(node: &Node, lang: Lang) -> String {
    let mut parts = Vec::new();
    parts.extend(node.flag.as_ref().map(|flag| match lang {
        Lang::Zh => format!("标记 {flag}"),
        Lang::En => format!("flag {flag}"),
    }));
    parts.extend(node.verdict.as_ref().map(|verdict| {
        let (text, code) = (verdict.text.get(lang), &verdict.code);
        let colon = lang.pick("：", ": ");
        match outcome(verdict.outcome, lang) {
            Some(word) => format!("[{word}{colon}{text}] ({code})"),
            None => format!("[{text}] ({code})"),
        }
    }));
    parts.extend(node.formula.as_ref().map(|formula| match lang {
        Lang::Zh => format!("公式 {formula}"),
        Lang::En => format!("formula {formula}"),
    }));
    parts.extend(node.rounding.map(|rounded| rounding(rounded, lang)));
    parts.extend(node.rule.as_ref().map(|rule| {
        let sure = rule.sure.map_or("?", |sure| sure.as_str());
        let (key, value) = (&rule.key, &rule.value);
        format!("{key} = {value} ({}, {sure})", rule.source)
    }));
    parts.extend(node.profile.as_ref().map(|profile| match lang {
        Lang::Zh => format!("规则 {profile}"),
        Lang::En => format!("rules {profile}"),
    }));
    parts.extend(node.seq.map(|seq| match lang {
        Lang::Zh => format!("日志 #{seq}"),
        Lang::En => format!("entry #{seq}"),
    }));
    parts.extend(node.received_at.as_ref().map(|at| match lang {
        Lang::Zh => format!("收到 {at}"),
        Lang::En => format!("received {at}"),
    }));
    let mut head = lang.pick(&node.label_zh, &node.label_en).to_owned();
    if let Some(figure) = figure(node, lang) {
        let colon = lang.pick("：", ": ");
        head = format!("{head}{colon}{figure}");
    }
    parts.insert(0, head);
    parts.join(" · ")
}

/// Value, unit and the expression; a formula or a verdict without a value says that there is none.
fn figure(node: &Node, lang: Lang) -> Option<String> {
    let unit = node
        .unit
        .as_ref()
        .map_or(String::new(), |unit| format!(" {unit}"));
    match (&node.value, &node.with) {
        (Some(value), Some(with)) if is_relation(with) => Some(format!("{value}{unit}; {with}")),
        (Some(value), Some(with)) => Some(format!("{value}{unit} = {with}")),
        (Some(value), None) => Some(format!("{value}{unit}")),
        (None, Some(with)) => Some(with.clone()),
        (None, None) if node.formula.is_some() || node.unit.is_some() => {
            Some(lang.pick("无数值", "no value").to_owned())
        }
        (None, None) => None,
    }
}

fn is_relation(with: &str) -> bool {
    with.contains(['≤', '≥', '<', '>', '/'])
}

/// The word for a verdict; what merely holds or not is said by its text.
fn outcome(outcome: Outcome, lang: Lang) -> Option<&'static str> {
    let (zh, en) = match outcome {
        Outcome::Valid => ("有效", "valid"),
        Outcome::Invalid => ("无效", "invalid"),
        Outcome::NotJudged => ("未判定", "not judged"),
        Outcome::Within => ("达标", "within"),
        Outcome::Exceeded => ("超标", "exceeded"),
        Outcome::Holds | Outcome::Fails => return None,
    };
    Some(lang.pick(zh, en))
}

fn rounding(rounded: Rounded, lang: Lang) -> String {
    let n = rounded.decimals;
    match (lang, rounded.mode) {
        (Lang::Zh, Rounding::HalfEven) => format!("保留 {n} 位小数，四舍六入五成双"),
        (Lang::Zh, Rounding::HalfAwayFromZero) => format!("保留 {n} 位小数，四舍五入"),
        (Lang::En, Rounding::HalfEven) => format!("{n} decimals, half to even"),
        (Lang::En, Rounding::HalfAwayFromZero) => {
            format!("{n} decimals, half away from zero")
        }
    }
}
