//! What everything that leaves has in common (外发).
//!
//! Records go to centres (`uplink`), messages to people (`notify`), data and events to programs
//! (`outbox`). What is said on the line differs: HJ 212 has its exchange of each record, a message
//! has a deadline and a reader, a destination reads a log. What does not differ stands here or is
//! named here, once:
//!
//! * A small database of its own, opened, migrated and put aside when damaged in one manner:
//!   `store::SideBook`.
//! * What is taken over and the position behind it are one transaction; what left counts after the
//!   answer: `notify::Outbox::take`, `uplink::Outbox::fill`, `outbox::Books::done`.
//! * A key that tells a repetition: outlet, kind and time (`uplink::Owed`); the fact and its reader
//!   (`MessageRow::key`); the row (`outbox::Key`).
//! * Pauses after trouble, capped, with jitter: `pause_ms`.
//! * The other side's words, without addresses and secrets: [`redacted`].
//! * Dead letters that a person sends again, and periods of data that a person has sent again:
//!   `notify::PostBoard`, `outbox::OutboxBoard`, `uplink::UplinkBoard`.
//! * How it is doing, since when what waits, what was given up, what is wrong: [`Way`].
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
