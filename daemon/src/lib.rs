//! The shell of `cemsd`: wires, books, pages and the command line around the pure crates.
//!
//! [`app`] puts it together. A reading goes `links` → `intake` → `journal` → `pipeline`
//! (engine) → `store` → `console`; nothing downstream calls upstream.

pub mod app;
pub mod archive;
pub mod attachments;
pub mod cli;
pub mod clock;
pub mod console;
pub mod delivery;
pub mod demo;
pub mod events;
pub mod figures;
pub mod health;
pub mod intake;
pub mod journal;
pub mod keys;
pub mod links;
pub mod notify;
pub mod outbox;
pub mod pipeline;
pub mod simulate;
pub mod store;
pub mod switchboard;
pub mod telemetry;
pub mod text;
pub mod uplink;
