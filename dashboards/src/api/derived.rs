//! Derivations in the API: the tree as JSON, or as text.

use super::problem::Problem;
use super::reckoned::TextOut;
use super::schema::{Iso, shape};
use crate::app::Caller;
use crate::pages::{Params, question};
use crate::text::Lang;
use crate::view::explain::outcome_code;
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use cems_core::explain::{self, Node};
use cems_core::lang::Text;
use cems_core::model::Rounding;

shape! {
    /// An entry of the rule profile that decided.
    RuleOut {
        /// Key in the profile.
        key: String,
        /// Its value.
        value: String,
        /// Where it was read.
        source: String,
        /// How sure that reading is: V, V2 or M.
        sure: Option<String>,
    }
}
shape! {
    /// How a figure was rounded.
    RoundedOut {
        /// Decimal places kept.
        decimals: u64,
        /// half-even or half-away-from-zero.
        mode: String,
    }
}
shape! {
    /// A verdict with its reason.
    NodeVerdictOut {
        /// valid, invalid, not-judged, within, exceeded, holds or fails.
        outcome: String,
        /// The reason as a code.
        code: String,
        /// The reason in words.
        text: TextOut,
    }
}
shape! {
    /// A figure, how it came about, and what it was made of.
    NodeOut {
        /// What it is.
        label: TextOut,
        /// The figure, all digits, or as a device sent it.
        value: Option<String>,
        /// Unit.
        unit: Option<String>,
        /// Formula, by its id in the catalogue.
        formula: Option<String>,
        /// Its expression with the values put in.
        with: Option<String>,
        /// Rule profile that judged.
        profile: Option<String>,
        /// Entry of the profile that decided.
        rule: Option<RuleOut>,
        /// Rounding.
        rounding: Option<RoundedOut>,
        /// Verdict.
        verdict: Option<NodeVerdictOut>,
        /// Journal position.
        seq: Option<u64>,
        /// When it was received.
        received_at: Option<Iso>,
        /// Flag sent with it.
        flag: Option<String>,
        /// Remarks.
        notes: Vec<TextOut>,
        /// What it was made of.
        children: Vec<NodeOut>,
        /// Children that are not listed.
        omitted: u64,
    }
}

fn text(text: &Text) -> TextOut {
    TextOut {
        zh: text.zh.clone(),
        en: text.en.clone(),
    }
}

fn node(row: &Node) -> NodeOut {
    let plain = |text: &smol_str::SmolStr| text.to_string();
    NodeOut {
        label: TextOut {
            zh: row.label_zh.clone(),
            en: row.label_en.clone(),
        },
        value: row.value.clone(),
        unit: row.unit.clone(),
        formula: row.formula.as_ref().map(plain),
        with: row.with.clone(),
        profile: row.profile.as_ref().map(ToString::to_string),
        rule: row.rule.as_ref().map(|rule| RuleOut {
            key: rule.key.to_string(),
            value: rule.value.clone(),
            source: rule.source.clone(),
            sure: rule.sure.map(|sure| sure.as_str().to_owned()),
        }),
        rounding: row.rounding.map(|rounded| RoundedOut {
            decimals: u64::from(rounded.decimals),
            mode: match rounded.mode {
                Rounding::HalfEven => "half-even".to_owned(),
                Rounding::HalfAwayFromZero => "half-away-from-zero".to_owned(),
            },
        }),
        verdict: row.verdict.as_ref().map(|verdict| NodeVerdictOut {
            outcome: outcome_code(verdict.outcome).to_owned(),
            code: verdict.code.to_string(),
            text: text(&verdict.text),
        }),
        seq: row.seq.map(|seq| seq.0),
        received_at: row.received_at.clone().map(Iso),
        flag: row.flag.as_ref().map(plain),
        notes: row.notes.iter().map(text).collect(),
        children: row.children.iter().map(node).collect(),
        omitted: u64::from(row.omitted),
    }
}

fn wants_text(query: &Params, headers: &HeaderMap) -> bool {
    match query.get("format").map(String::as_str) {
        Some(format) => format == "text",
        None => headers
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.trim_start().starts_with("text/plain")),
    }
}

/// `GET /api/v1/explain?outlet=&factor=&period=&depth=&format=`.
pub(super) async fn explain(
    caller: Caller,
    query: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = |name: &str| {
        let given = query
            .get(name)
            .map(String::as_str)
            .filter(|t| !t.is_empty());
        given.ok_or_else(|| caller.bad(format!("{name} = ?")))
    };
    let (outlet, factor, period) = (asked("outlet")?, asked("factor")?, asked("period")?);
    let depth = query.get("depth").map(String::as_str);
    let question = question(outlet, factor, period, depth, caller.registry.offset);
    let question = question.map_err(|e| caller.problem(&e))?;
    let tree = caller
        .rows(move |b, actor| b.explain(actor, &question))
        .await?;
    if !wants_text(&query, &headers) {
        return Ok(Json(node(&tree)).into_response());
    }
    let lang = match caller.words.0 {
        Lang::Zh => cems_core::lang::Lang::Zh,
        Lang::En => cems_core::lang::Lang::En,
    };
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], explain::text(&tree, lang)).into_response())
}
