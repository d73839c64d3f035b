//! Derivations as nested lists, and links to them.

use super::outlet::outlet_link;
use super::sourced::journal;
use crate::format::unit;
use crate::text::{Lang, Words};
use askama::Template;
use cems_core::explain::{Asked, Node, Outcome, Rounded, period};
use cems_core::lang::Text;
use cems_core::model::{FactorCode, OutletId, Rounding, UtcOffset};

/// The name of an outcome in the API, in text keys and in style classes.
pub(crate) fn outcome_code(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Valid => "valid",
        Outcome::Invalid => "invalid",
        Outcome::NotJudged => "not-judged",
        Outcome::Within => "within",
        Outcome::Exceeded => "exceeded",
        Outcome::Holds => "holds",
        Outcome::Fails => "fails",
    }
}

/// The page that derives a figure.
pub(crate) fn explain_link(
    outlet: &OutletId,
    factor: &FactorCode,
    asked: Asked,
    offset: UtcOffset,
) -> String {
    format!(
        "{}/explain?factor={}&period={}",
        outlet_link(outlet.as_str()),
        crate::url::encode(factor.as_str()),
        crate::url::encode(&period::text(asked, offset))
    )
}

/// A verdict in words.
pub(crate) struct VerdictItem {
    pub(crate) class: &'static str,
    /// Empty for what merely holds or not: its text says so.
    pub(crate) word: String,
    pub(crate) text: String,
    pub(crate) code: String,
}

/// A node of a derivation with all below it.
#[derive(Template)]
#[template(path = "part/node.html")]
pub(crate) struct NodeItem {
    pub(crate) label: String,
    pub(crate) value: String,
    pub(crate) unit: String,
    /// A figure should stand here and does not.
    pub(crate) without: String,
    pub(crate) with: String,
    /// Id of the formula, and its address.
    pub(crate) formula: Option<(String, String)>,
    pub(crate) verdict: Option<VerdictItem>,
    pub(crate) flag: String,
    /// Label and value of what else there is to say.
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) notes: Vec<String>,
    pub(crate) children: Vec<NodeItem>,
    pub(crate) omitted: String,
    pub(crate) open: bool,
}

fn pick(words: Words, text: &Text) -> String {
    match words.0 {
        Lang::Zh => text.zh.clone(),
        Lang::En => text.en.clone(),
    }
}

fn rounding(words: Words, rounded: Rounded) -> String {
    let mode = match rounded.mode {
        Rounding::HalfEven => "half-even",
        Rounding::HalfAwayFromZero => "half-away-from-zero",
    };
    words.with(
        "node-rounding-text",
        &[
            ("decimals", &rounded.decimals.to_string()),
            ("mode", &words.code("rounding", mode)),
        ],
    )
}

fn facts(words: Words, node: &Node) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    if let Some(rounded) = node.rounding {
        facts.push((words.t("node-rounding"), rounding(words, rounded)));
    }
    if let Some(rule) = &node.rule {
        let sure = rule.sure.map_or("?", |sure| sure.as_str());
        let text = format!("{} = {} · {} [{sure}]", rule.key, rule.value, rule.source);
        facts.push((words.t("node-rule"), text));
    }
    if let Some(profile) = &node.profile {
        facts.push((words.t("profile"), profile.to_string()));
    }
    if let Some(seq) = node.seq {
        facts.push((words.t("journal"), journal(seq)));
    }
    if let Some(at) = &node.received_at {
        facts.push((words.t("received-at"), at.clone()));
    }
    facts
}

impl NodeItem {
    /// The tree; its root and what lies directly below are open.
    pub(crate) fn new(words: Words, node: &Node) -> Self {
        Self::at(words, node, 0)
    }

    fn at(words: Words, node: &Node, level: u32) -> Self {
        let children = node.children.iter();
        let word = |outcome| match outcome {
            Outcome::Holds | Outcome::Fails => String::new(),
            _ => words.code("node", outcome_code(outcome)),
        };
        let should = node.formula.is_some() || node.unit.is_some();
        Self {
            label: words.pick(&node.label_zh, Some(&node.label_en)).to_owned(),
            value: node.value.clone().unwrap_or_default(),
            unit: node
                .unit
                .as_deref()
                .map_or_else(String::new, |u| unit(u).to_owned()),
            without: if node.value.is_none() && should {
                words.t("node-without")
            } else {
                String::new()
            },
            with: node.with.clone().unwrap_or_default(),
            formula: node.formula.as_ref().map(|id| {
                let href = format!("/formulas#{}", crate::url::encode(id));
                (id.to_string(), href)
            }),
            verdict: node.verdict.as_ref().map(|verdict| VerdictItem {
                class: outcome_code(verdict.outcome),
                word: word(verdict.outcome),
                text: pick(words, &verdict.text),
                code: verdict.code.to_string(),
            }),
            flag: node.flag.as_ref().map_or_else(String::new, |flag| {
                let known = words.find(&format!("flag-{flag}"));
                known.map_or_else(|| flag.to_string(), |text| format!("{flag} {text}"))
            }),
            facts: facts(words, node),
            notes: node.notes.iter().map(|note| pick(words, note)).collect(),
            children: children
                .map(|child| Self::at(words, child, level.saturating_add(1)))
                .collect(),
            omitted: match node.omitted {
                0 => String::new(),
                n => words.count("node-omitted", n),
            },
            open: level < 2,
        }
    }
}
