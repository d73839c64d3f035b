//! The engine: `step(event) -> outputs`, and nothing else.
//!
//! Before an event at *t* the engine lets every deadline up to *t* fall due, in order, so the
//! outcome depends only on the sequence of events, never on when it was run.

mod event;
mod history;

pub use event::{
    AlarmAction, AlarmActionKind, AuditEntry, Contact, Event, FallbackDecision, Input, Refusal,
    RefusalReason, Statement,
};
pub use history::{EmptyHistory, History};
