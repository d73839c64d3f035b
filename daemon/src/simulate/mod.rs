//! Simulated stations: a process model, instruments behind Modbus TCP, loggers of every edition
//! of HJ 212 with their bad habits, and their connections to a centre, ours or not.
//!
//! `plant` says what would be measured, `script` what goes wrong, `station` how a logger writes
//! it, `schedule` when, `outbox` what happens to it in an outage; `client` does it over TCP.

pub mod analyser;
pub mod channels;
pub mod client;
pub mod crowd;
pub mod noise;
pub mod outbox;
pub mod parcel;
pub mod plant;
mod reply;
pub mod scenario;
pub mod schedule;
pub mod script;
pub mod slave;
pub mod stack;
pub mod station;
pub mod tally;
