//! The ends of the daemon that touch the outside world's wires.

pub mod bus;
pub mod hj212;
pub mod mqtt;
