//! Points as golden text, batches against servers that dislike things, and the words for trouble.

mod delivery;
mod points;
mod wire;
