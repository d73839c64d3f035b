//! What the end-to-end tests are made of: a built `cemsd` on free ports in a directory that
//! vanishes, a data logger that speaks HJ 212, a client of the API, a browser.
//!
//! Nothing here waits for a fixed time: [`wait::until`] asks again until the state is there, with
//! a bound so wide that only a real fault reaches it. Randomness comes from a seed that is printed
//! ([`random::Random`]), so a failure can be repeated with `CEMS_TEST_SEED`.

pub mod api;
pub mod browser;
pub mod city;
pub mod frames;
pub mod grafana;
pub mod logger;
pub mod place;
pub mod process;
pub mod random;
pub mod skip;
pub mod time;
pub mod wait;
