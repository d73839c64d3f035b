//! What was noted for people in a step goes through the planner; what is due comes out as messages.

use super::context::Cx;
use super::state::Shared;
use crate::model::{Output, Timestamp};
use crate::notify::{People, Planner, Scene};

/// The planner with its caches.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Notices {
    /// In a row of its own.
    pub(super) planner: Planner,
    /// That row must be written.
    pub(super) dirty: bool,
    people: Option<People>,
}

impl Notices {
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.planner.due()
    }

    /// The policy changed: who covers what is looked up anew.
    pub(super) fn forget_people(&mut self) {
        self.people = None;
    }
}

/// Takes in what was noted since the last time, and puts out what is due; true when a deadline may
/// have moved.
pub(super) fn plan(shared: &mut Shared, cx: &mut Cx<'_>) -> bool {
    let (noted, covered) = (cx.take_notices(), cx.take_covered());
    let due = shared.notices.due().is_some_and(|due| due <= cx.at);
    if cx.policy.notify.routes.is_empty() || (noted.is_empty() && covered.is_empty() && !due) {
        return false;
    }
    let policy = cx.policy;
    let Shared {
        notices, roster, ..
    } = shared;
    let Notices {
        planner,
        dirty,
        people,
    } = notices;
    let people = people.get_or_insert_with(|| People::of(policy));
    let on_duty = roster.on_duty(cx.at);
    let scene = Scene {
        policy,
        people,
        on_duty: &on_duty,
        offset: cx.registry.offset,
    };
    for notice in &noted {
        planner.note(notice, cx.at, scene);
    }
    planner.forget(&covered);
    *dirty = true;
    if due {
        for row in planner.flush(cx.at, cx.seq, scene) {
            cx.emit(Output::Message(row));
        }
    }
    true
}
