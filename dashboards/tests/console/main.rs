//! The console as a browser and a program see it, over canned data and real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod assets;
mod control;
mod desk;
mod destinations;
mod duties;
mod forms;
mod http;
mod judgement;
mod live;
mod messages;
mod pages;
mod receipts;
mod reporting;
