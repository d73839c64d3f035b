//! Why is this number what it is? The derivation of any figure, down to the texts that a device
//! sent: inputs with their checks, formulas with the values put in, rules with where they were
//! read, and whether the figures computed anew are those that were stored.
//!
//! Everything comes from the functions the engine uses; where a row is stored, its figures are
//! shown, and a difference is said in so many words. A figure that does not exist is explained as
//! well: the tree says why there is none.
//!
//! | part | what |
//! | --- | --- |
//! | `node`, `render` | the tree, and the tree as text |
//! | `period` | texts of periods |
//! | `scene`, `words` | what is at hand; words for codes |
//! | `record`, `hour`, `longer`, `quarter` | by what was asked |
//! | `gas`, `flow`, `water` | formulas of an hour |
//! | `validity`, `limits`, `checks` | verdicts |
//! | `around` | marks, tests, reviews, manual reports |
//! | `compare` | against the stored row |

mod around;
mod checks;
mod compare;
mod flow;
mod gas;
mod hour;
mod limits;
mod longer;
mod node;
pub mod period;
mod quarter;
mod record;
mod render;
mod scene;
mod validity;
mod water;
mod words;

pub use compare::DIFFERS;
pub use node::{CHILDREN_MAX, Node, Outcome, Rounded, Rule, Verdict};
pub use render::text;

use crate::engine::History;
use crate::model::rows::SupersededRow;
use crate::model::{FactorCode, Level, OutletId, Period, RecordKind, Registry, Timestamp};
use scene::Scene;
use serde::{Deserialize, Serialize};

/// Levels below the root that are shown when nobody says how many: sections, inputs, what is known
/// of each input.
pub const DEPTH_DEFAULT: u32 = 3;

/// Most levels: a year down to the figures of its hours.
pub const DEPTH_MAX: u32 = 7;

/// Which figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// The value of a record at an instant.
    Record(RecordKind, Timestamp),
    /// The mean of an hour, day, month or year, with all that belongs to it.
    Period(Period),
    /// The capture rate of the quarter that begins here, with its substitutes.
    Quarter(Timestamp),
}

/// What is to be explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Whose.
    pub outlet: OutletId,
    /// Which factor.
    pub factor: FactorCode,
    /// When.
    pub asked: Asked,
    /// Levels below the root; more than [`DEPTH_MAX`] count as that.
    pub depth: u32,
}

/// Reads versions that were replaced, which the engine's past does not hold.
pub type Versions<'a> =
    dyn Fn(&OutletId, RecordKind, Timestamp, &FactorCode) -> Vec<SupersededRow> + 'a;

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// No such outlet.
    #[error("the registry has no outlet {0}")]
    UnknownOutlet(OutletId),
    /// The registry does not list the factor, and there are no data of it.
    #[error("outlet {0} has no factor {1} in the registry, and there are no data of it then")]
    UnknownFactor(OutletId, FactorCode),
    /// No rules to judge by, which a checked registry does not allow.
    #[error("the registry has no rule profile in force for outlet {0}")]
    NoProfile(OutletId),
}

impl ExplainError {
    /// A stable code for text keys and the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownOutlet(_) => "unknown-outlet",
            Self::UnknownFactor(..) => "unknown-factor",
            Self::NoProfile(_) => "no-profile",
        }
    }

    /// The same in Chinese.
    pub fn text_zh(&self) -> String {
        match self {
            Self::UnknownOutlet(outlet) => format!("登记中没有排放口 {outlet}"),
            Self::UnknownFactor(outlet, factor) => {
                format!("排放口 {outlet} 未登记因子 {factor}，该时段也没有其数据")
            }
            Self::NoProfile(outlet) => format!("排放口 {outlet} 没有生效的规则"),
        }
    }
}

/// The derivation of a figure, under the `registry` that was in force for it.
///
/// # Errors
/// When outlet or factor are unknown, or there are no rules. A figure that does not exist is no
/// error: the tree says why.
pub fn explain(
    question: &Question,
    history: &dyn History,
    registry: &Registry,
) -> Result<Node, ExplainError> {
    answer(question, history, registry, None)
}

/// The same with the versions of values that were replaced.
///
/// # Errors
/// As [`explain`].
pub fn explain_with_versions(
    question: &Question,
    history: &dyn History,
    registry: &Registry,
    versions: &Versions<'_>,
) -> Result<Node, ExplainError> {
    answer(question, history, registry, Some(versions))
}

fn answer(
    question: &Question,
    history: &dyn History,
    registry: &Registry,
    versions: Option<&Versions<'_>>,
) -> Result<Node, ExplainError> {
    let id = &question.outlet;
    let outlet = registry
        .outlets
        .get(id)
        .ok_or_else(|| ExplainError::UnknownOutlet(id.clone()))?;
    let at = match question.asked {
        Asked::Record(_, at) | Asked::Quarter(at) => at,
        Asked::Period(period) => period.start,
    };
    let profile = registry
        .profile_at(outlet, at)
        .ok_or_else(|| ExplainError::NoProfile(id.clone()))?;
    let scene = Scene {
        outlet,
        factor: &question.factor,
        profile,
        offset: registry.offset,
        history,
        versions,
        registry,
    };
    let depth = question.depth.min(DEPTH_MAX);
    let mut node = match question.asked {
        Asked::Record(kind, at) => record::asked(&scene, kind, at),
        Asked::Period(period) => of_period(&scene, period, depth),
        Asked::Quarter(start) => quarter::explain(&scene, start),
    };
    let known = outlet.factors.contains_key(&question.factor);
    if !known
        && node
            .verdict
            .as_ref()
            .is_some_and(|v| v.code.starts_with("no-"))
    {
        return Err(ExplainError::UnknownFactor(
            id.clone(),
            question.factor.clone(),
        ));
    }
    node.prune(depth);
    Ok(node)
}

fn of_period(scene: &Scene<'_>, period: Period, depth: u32) -> Node {
    match period.level {
        Level::Hour => hour::explain(scene, period),
        Level::Day | Level::Month | Level::Year => longer::explain(scene, period, depth),
    }
}

#[cfg(test)]
pub(crate) mod tests;
