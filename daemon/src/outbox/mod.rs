//! Data and events that leave for other systems.

pub mod series;
