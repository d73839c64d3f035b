//! A node of a derivation: a figure, how it came about, and what it was made of.

use crate::lang::Text;
use crate::model::{ProfileId, Rounding, Seq, Sure};
use crate::quantity::INTERNAL_SCALE;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Children of one node; 60 minutes of an hour fit. What is beyond is counted in
/// [`Node::omitted`].
pub const CHILDREN_MAX: usize = 64;

/// What a verdict says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Counts (有效).
    Valid,
    /// Does not count (无效).
    Invalid,
    /// Not judged, or there is nothing to judge (未判定).
    NotJudged,
    /// Within a limit (达标).
    Within,
    /// Outside a limit (超标).
    Exceeded,
    /// Something else than validity that is so: a test passed, a mark has its effect, a stored
    /// figure agrees.
    Holds,
    /// Something else than validity that is not so.
    Fails,
}

/// A verdict with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What it says.
    pub outcome: Outcome,
    /// The reason as a code; several failed checks are separated by commas.
    pub code: SmolStr,
    /// The reason in words.
    #[serde(flatten)]
    pub text: Text,
}

/// An entry of the rule profile that decided, with where it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Key of the entry in the profile.
    pub key: SmolStr,
    /// Its value.
    pub value: String,
    /// Standard and clause, or what else it was read in.
    pub source: String,
    /// How sure that reading is; `None` where the profile does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sure: Option<Sure>,
}

/// How a figure was rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounded {
    /// Decimal places kept.
    pub decimals: u32,
    /// Mode.
    pub mode: Rounding,
}

/// One node of a derivation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What it is, Chinese.
    pub label_zh: String,
    /// What it is, English.
    pub label_en: String,
    /// The figure, exact: as sent for what a device sent, all digits for what was computed here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Unit of the figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Formula, by its id in `formula::catalogue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<SmolStr>,
    /// Its expression with the values put in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// Profile that judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileId>,
    /// Entry of the profile that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Rounding of the figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Rounded>,
    /// Verdict on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Journal position it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    /// When it was received, ISO 8601 by the site's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<String>,
    /// Flag sent with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<SmolStr>,
    /// Remarks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Text>,
    /// What it was made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Node>,
    /// Children that are not listed: beyond the depth asked for, or too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "signature asked for by serde"
)]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Node {
    /// A node that is nothing but its label.
    pub(super) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            label_zh: zh.into(),
            label_en: en.into(),
            ..Self::default()
        }
    }

    /// With a computed figure, if there is one.
    pub(super) fn valued(mut self, value: Option<Decimal>, unit: &str) -> Self {
        self.value = value.map(exact);
        self.unit = (!unit.is_empty()).then(|| unit.to_owned());
        self
    }

    /// With an amount in kg, where there is one.
    pub(super) fn amount(self, kg: Option<Decimal>) -> Self {
        self.valued(kg, if kg.is_some() { "kg" } else { "" })
    }

    /// By this formula, with these values put in; the result is kept to [`INTERNAL_SCALE`].
    pub(super) fn by(mut self, formula: &'static str, with: Option<String>) -> Self {
        self.formula = Some(SmolStr::new_static(formula));
        self.with = with;
        self.rounding = self.value.is_some().then_some(Rounded {
            decimals: INTERNAL_SCALE,
            mode: Rounding::HalfEven,
        });
        self
    }

    /// With a verdict.
    pub(super) fn judged(mut self, outcome: Outcome, code: &str, text: Text) -> Self {
        self.verdict = Some(Verdict {
            outcome,
            code: code.into(),
            text,
        });
        self
    }

    /// With a remark.
    pub(super) fn note(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.notes.push(Text::new(zh, en));
        self
    }

    /// With a child.
    pub(super) fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// With children.
    pub(super) fn with_children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// Takes out what lies deeper than `depth` levels below this node and what is too much for
    /// one node, and counts it.
    pub(super) fn prune(&mut self, depth: u32) {
        let keep = if depth == 0 { 0 } else { CHILDREN_MAX };
        let beyond = self.children.len().saturating_sub(keep);
        self.children.truncate(keep);
        let beyond = u32::try_from(beyond).unwrap_or(u32::MAX);
        self.omitted = self.omitted.saturating_add(beyond);
        for child in &mut self.children {
            child.prune(depth.saturating_sub(1));
        }
    }
}

/// All digits of a figure, without trailing zeros.
pub(super) fn exact(value: Decimal) -> String {
    value.normalize().to_string()
}
