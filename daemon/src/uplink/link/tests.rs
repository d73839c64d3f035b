//! Lines against centres in memory.
