//! The rules of `cemsd`: what readings mean, when a mean counts, when a limit is broken, which
//! alarm a person must answer and which manual report is due.
//!
//! Everything here is a pure function of its inputs: no clock, no IO, no randomness. Time reaches
//! the [`engine`] inside events, so a day can be replayed in milliseconds and a verdict proven.

pub mod aggregate;
pub mod alarm;
pub mod convert;
pub mod duties;
pub mod engine;
pub mod explain;
pub mod fallback;
mod few;
#[cfg(test)]
mod fixture;
pub mod formula;
pub mod gaps;
pub mod incineration;
pub mod lang;
pub mod limits;
pub mod marks;
pub mod model;
pub mod notify;
pub mod pack;
pub mod permits;
pub mod qa;
pub mod quantity;
pub mod rates;
pub mod recompute;
pub mod roster;
pub mod sampling;
pub mod substitute;
pub mod totals;
pub mod validate;
