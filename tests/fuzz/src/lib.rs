//! Fuzz targets of the protocols. See `protocols/README.md`, "Fuzzing".

pub mod targets;
