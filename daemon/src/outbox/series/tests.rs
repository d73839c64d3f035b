//! Points as golden text, batches against servers that dislike things, and the words for trouble.

mod delivery;
mod parcels;
mod points;
mod wire;
