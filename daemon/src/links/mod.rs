//! The ends of the daemon that touch the outside world's wires.

pub mod hj212;
