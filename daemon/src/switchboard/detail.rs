//! The details of steps: what the logger returned, or why it ended, as codes that pages put words
//! beside.

use cems_protocols::hj212::dialogue::{Outcome, Progress, Waited};

/// The logger did not connect in time.
pub const NOT_CONNECTED: &str = "not-connected";
/// The connection ended; what became of it is not known.
pub const CONNECTION_LOST: &str = "connection-lost";
/// The daemon was stopped; what became of it is not known.
pub const RESTARTED: &str = "restarted";
/// ExeRtn 100: no data.
pub const NO_DATA: &str = "ExeRtn=100";

/// Detail of a step on the way.
pub fn of_progress(progress: Progress, said: &str) -> String {
    match progress {
        Progress::Sent => format!("QN={said}"),
        Progress::Accepted if !said.is_empty() => format!("QnRtn={said}"),
        Progress::SentAgain | Progress::Accepted | Progress::Data => said.to_owned(),
    }
}

/// Detail of the last step.
pub fn of_outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Done { exe_rtn: None } => String::new(),
        Outcome::Done {
            exe_rtn: Some(exe_rtn),
        }
        | Outcome::Failed { exe_rtn } => format!("ExeRtn={exe_rtn}"),
        Outcome::Refused { qn_rtn } => format!("QnRtn={qn_rtn}"),
        Outcome::TimedOut(Waited::Answer) => "no-answer".to_owned(),
        Outcome::TimedOut(Waited::Execution) => "no-end".to_owned(),
        Outcome::Disconnected { sent: true } => CONNECTION_LOST.to_owned(),
        Outcome::Disconnected { sent: false } => NOT_CONNECTED.to_owned(),
        Outcome::Unsayable => "unsupported".to_owned(),
        Outcome::Withdrawn => "withdrawn".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_data_is_known_by_its_code() {
        assert_eq!(of_outcome(Outcome::Failed { exe_rtn: 100 }), NO_DATA);
    }
}
