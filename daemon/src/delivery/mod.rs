//! What everything that leaves has in common (外发).
//!
//! Records go to centres (`uplink`), messages to people (`notify`), data and events to programs
//! (`outbox`). What is said on the line differs: HJ 212 has its exchange of each record, a message
//! has a deadline and a reader, a destination reads a log. What does not differ stands here or is
//! named here, once:
//!
//! | of every way out | where |
//! | --- | --- |
//! | a small database of its own, opened, migrated and put aside when damaged in one manner | [`SideBook`](crate::store::SideBook) |
//! | what is taken over and the position behind it are one transaction; what left counts after the answer | `notify::Outbox::take`, `uplink::Outbox::fill`, `outbox::Books::done` |
//! | a key that tells a repetition: outlet, kind and time; the fact and its reader; the row | `uplink::Owed`, `MessageRow::key`, `outbox::Key` |
//! | pauses after trouble, capped, with jitter | [`pause_ms`] |
//! | the other side's words, without addresses and secrets | [`redacted`] |
//! | how it is doing: what waits since when, what was given up, what is wrong | [`Way`] |
//!
//! From [`Way`] come the metrics, the alarm with its cause, `/readyz` and the console, so that no
//! way out is watched less than another.

mod pause;
mod said;
mod way;

pub(crate) use pause::{chance, pause_ms};
pub use said::redacted;
#[cfg(test)]
pub(crate) use way::problems;
pub use way::{Board, Delivery, Way, WayKind};
