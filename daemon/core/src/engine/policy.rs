//! A policy takes force.
//!
//! What was ranked and told under the old one stays as it was; alarms that are active are looked at
//! again only where their kind goes out of service or comes back.

use super::context::{Cx, ENGINE};
use super::{Engine, deadlines, duties};
use crate::model::Policy;
use std::sync::Arc;

/// Puts `new` in force; a policy equal to the one in force changes nothing.
pub(super) fn takes_force(engine: &mut Engine, new: &Arc<Policy>, cx: &mut Cx<'_>) {
    if engine.policy.as_ref() == Some(new) {
        return;
    }
    let detail = format!(
        "kinds {}, routes {}, channels {}, people {}, duties {}",
        new.alarms.kinds.len(),
        new.notify.routes.len(),
        new.notify.channels.len(),
        new.people.len(),
        new.duties.rules.len()
    );
    cx.audit(ENGINE, "policy.changed", "policy", detail);
    engine.shared.book.recheck_all(cx);
    engine.shared.policy_since.get_or_insert(cx.at);
    engine.shared.notices.forget_people();
    let before = engine.policy.take().unwrap_or_default();
    duties::book_changed(&mut engine.shared, &before.duties, cx);
    engine.policy = Some(Arc::clone(new));
    engine.policy_dirty = true;
    let registry = engine.registry.clone();
    for id in registry.iter().flat_map(|registry| registry.outlets.keys()) {
        deadlines::renew_outlet(engine, cx.registry, id);
    }
}
