//! The engine as a whole: stories of a duty desk, and the invariants of [`Engine`](super::Engine).

mod days;
mod desk;
mod duties;
mod equipment;
mod fallbacks;
mod judged;
mod late;
mod month;
mod outage;
mod outgoing;
mod people;
mod permitted;
mod properties;
mod sampled;
mod sampling;
mod stories;
mod trouble;
mod vigil;
mod watch;
