//! Marks (标记): what the enterprise states about a period, and what the statement does.
//!
//! | part | what |
//! | --- | --- |
//! | `entry` | a mark is entered, taken back; in time or late |
//! | `check` | whether it makes sense, asked by forms and again by the engine |
//! | `chain` | touching marks form one chain; too short a chain has no effect |
//! | `effects` | what holds in a minute for a factor, after chains and budgets of hours |
//! | `listing` | each mark of a period, with what it did, for pages and explanations |
//!
//! A mark never changes data. It says how the data of its period are used, and only as far as the
//! profile gives its kind an effect ([`MarkRules`](crate::model::profile::MarkRules)). One that was
//! withdrawn, or came too late to count, stays in the books and is listed, without effect.
//!
//! The minute is the unit: a mark covers whole minutes, its end exclusive. Lists that print the
//! last minute of a mark (14:43 to 14:51) mean an end one minute later.
//!
//! Everything here is computed from the marks as a set: the order in which they were entered does
//! not matter.

mod chain;
mod check;
mod effects;
mod entry;
mod listing;
mod spans;

pub use chain::{Chain, chains, reach};
pub use check::{
    ANNOUNCED_DAYS_MAX, ATTACHMENTS_MAX, LENGTH_DAYS_MAX, MarkError, NAME_CHARS_MAX, check,
};
pub use effects::Effects;
pub use entry::{enter, withdraw};
pub use listing::{Listed, Lost, NoEffect, list};

#[cfg(test)]
mod tests;
