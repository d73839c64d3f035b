//! What every part of a step has at hand: position, time, the past, and the way out.

use super::history::History;
use crate::aggregate::gather;
use crate::model::rows::AuditRow;
use crate::model::{
    About, OutgoingRow, Outlet, Output, Policy, Profile, Registry, Seq, Series, Timestamp,
    UtcOffset,
};
use crate::notify::Notice;
use smol_str::SmolStr;

/// The surroundings of one event, or of one deadline before it.
pub(super) struct Cx<'a> {
    /// Journal position of the event.
    pub(super) seq: Seq,
    /// Engine time: that of the event, or of the deadline that falls due before it.
    pub(super) at: Timestamp,
    /// Ordinal of the next line within the event.
    n: u32,
    /// The past.
    pub(super) history: &'a dyn History,
    /// The registry in force.
    pub(super) registry: &'a Registry,
    /// The policy in force.
    pub(super) policy: &'a Policy,
    /// What somebody may have to be told; taken by the planner after each event and deadline.
    notices: Vec<Notice>,
    /// What nobody needs to be told by itself any more.
    covered: Vec<About>,
    out: &'a mut dyn FnMut(Output),
}

/// Who the engine is in the audit trail.
pub(super) const ENGINE: &str = "engine";

impl<'a> Cx<'a> {
    pub(super) fn new(
        (seq, at): (Seq, Timestamp),
        history: &'a dyn History,
        (registry, policy): (&'a Registry, &'a Policy),
        out: &'a mut dyn FnMut(Output),
    ) -> Self {
        Self {
            seq,
            at,
            n: 0,
            history,
            registry,
            policy,
            notices: Vec::new(),
            covered: Vec::new(),
            out,
        }
    }

    /// Hands one output to the caller, who applies it at once.
    pub(super) fn emit(&mut self, output: Output) {
        (self.out)(output);
    }

    /// Something somebody may have to be told.
    pub(super) fn notice(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// What was noted about this a moment ago, and nobody has been told yet, is told under
    /// something
    /// else.
    pub(super) fn covered(&mut self, about: About) {
        self.covered.push(about);
    }

    /// Takes what nobody needs to be told by itself any more.
    pub(super) fn take_covered(&mut self) -> Vec<About> {
        std::mem::take(&mut self.covered)
    }

    /// Takes what was noted since the last time.
    pub(super) fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// The next ordinal within the event.
    pub(super) fn ordinal(&mut self) -> u32 {
        let n = self.n;
        self.n = n.saturating_add(1);
        n
    }

    /// Notes a row just written in the log of what goes out, if the data of its outlet do.
    pub(super) fn outgoing(&mut self, site: Site<'_>, what: Series, start: Timestamp) {
        if !site.outlet.feeds {
            return;
        }
        let row = OutgoingRow {
            seq: self.seq,
            n: self.ordinal(),
            at: self.at,
            outlet: site.outlet.id.clone(),
            what,
            start,
        };
        self.emit(Output::Outgoing(row));
    }

    /// A line of the audit trail.
    pub(super) fn audit(
        &mut self,
        who: &str,
        what: &'static str,
        object: impl AsRef<str>,
        detail: String,
    ) {
        let row = AuditRow {
            seq: self.seq,
            n: self.ordinal(),
            at: self.at,
            who: SmolStr::new(who),
            what: SmolStr::new_static(what),
            object: SmolStr::new(object),
            detail,
        };
        self.emit(Output::Audit(row));
    }
}

/// One outlet with the rules that judge it.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) outlet: &'a Outlet,
    pub(super) profile: &'a Profile,
    pub(super) offset: UtcOffset,
}

impl<'a> Site<'a> {
    /// `None` for an outlet whose profile is missing, which a checked registry does not contain.
    pub(super) fn of(registry: &'a Registry, outlet: &'a Outlet, at: Timestamp) -> Option<Self> {
        Some(Self {
            outlet,
            profile: registry.profile_at(outlet, at)?,
            offset: registry.offset,
        })
    }

    /// The same for what gathers a period.
    pub(super) fn of_period(self) -> gather::Of<'a> {
        gather::Of {
            outlet: self.outlet,
            profile: self.profile,
            offset: self.offset,
        }
    }
}
