//! Why a number is what it is.

use super::{Books, Past};
use crate::store::StoreError;
use cems_core::explain::{self, Asked, ExplainError, Node, Question};
use cems_core::model::{Registry, Timestamp};

/// Why there is no explanation.
#[derive(Debug, thiserror::Error)]
pub enum ExplainFailure {
    /// The question has no answer.
    #[error(transparent)]
    Question(#[from] ExplainError),
    /// The books cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The registry of that time cannot be read.
    #[error("the registry of that time is unreadable: {0}")]
    Registry(#[from] serde_json::Error),
}

impl Books<'_> {
    /// The derivation of a figure, under the registry that was in force when its period began.
    ///
    /// # Errors
    /// When outlet or factor are unknown; disk.
    pub fn explain(&self, question: &Question) -> Result<Node, ExplainFailure> {
        let at = match question.asked {
            Asked::Record(_, at) | Asked::Quarter(at) => at,
            Asked::Period(period) => period.start,
        };
        let then = self.registry_then(at)?;
        let knows = |registry: &&Registry| registry.outlets.contains_key(&question.outlet);
        let registry = then.as_ref().filter(knows).unwrap_or(self.registry);
        let past = Past::new(self.queries);
        let versions = |outlet: &_, kind, start, factor: &_| {
            let rows = past.with(|q| q.superseded(outlet, kind, start));
            let own = rows
                .into_iter()
                .filter(|row| row.old.value.factor == *factor);
            own.collect()
        };
        let node = explain::explain_with_versions(question, &past, registry, &versions);
        Ok(past.sound(node)??)
    }

    /// The registry in force at `at`, or the first one for what was before it.
    fn registry_then(&self, at: Timestamp) -> Result<Option<Registry>, ExplainFailure> {
        let Some(json) = self.queries.registry_in_force(at)? else {
            return Ok(None);
        };
        Ok(Some(serde_json::from_str(&json)?))
    }
}
