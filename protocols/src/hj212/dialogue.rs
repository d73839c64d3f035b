//! Dialogues: who says what after what, and what happens when nothing comes (section 6.6 of 2017:
//! request, upload and notice, each with time-outs and retries).
//!
//! [`Centre`] is the centre's side of one connection, [`Station`] the logger's. Both are state
//! machines without sockets and clocks: messages and times go in, frames to send and news come
//! out. Times are milliseconds since 1970-01-01T00:00:00Z of a clock of the caller; one that steps
//! back delays timers but never repeats a QN.

mod centre;
mod clock;
mod initial;
mod outcome;
mod qn;
mod settings;
mod station;

pub use centre::{Centre, CentreConfig, CentreOutput};
pub use clock::{ClockKeeper, ClockRules};
pub use initial::{InitialSettings, initial_procedure};
pub use outcome::{Outcome, Progress, Waited, exe_rtn_text, qn_rtn_text};
pub use qn::QnSource;
pub use settings::Settings;
pub use station::{Station, StationConfig, StationOutput, Token, UploadError};
