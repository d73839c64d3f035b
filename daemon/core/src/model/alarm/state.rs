//! Where an alarm stands, in the states of ISA-18.2 / IEC 62682.

use super::AlarmRow;
use serde::{Deserialize, Serialize};

/// State of an alarm. `Normal` of the standard has no row of its own: it is an alarm that has
/// returned and was acknowledged, and waits for its conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// The condition holds and nobody has taken notice (未确认).
    Unacknowledged,
    /// The condition is gone and nobody has taken notice (恢复未确认).
    ReturnedUnacknowledged,
    /// The condition holds and somebody has taken notice (已确认).
    Acknowledged,
    /// Put aside by a person for a limited time (搁置).
    Shelved,
    /// Suppressed by design (设计抑制).
    Suppressed,
    /// Out of service (退出服务).
    OutOfService,
    /// Back to normal, acknowledged, waiting for its conclusion (恢复待关闭).
    Normal,
    /// Ended with a conclusion (已关闭).
    Closed,
}

/// Code of a suppression that is an alarm out of service.
pub const OUT_OF_SERVICE: &str = "out-of-service";

impl AlarmState {
    /// Every state.
    pub const ALL: [AlarmState; 8] = [
        Self::Unacknowledged,
        Self::ReturnedUnacknowledged,
        Self::Acknowledged,
        Self::Shelved,
        Self::Suppressed,
        Self::OutOfService,
        Self::Normal,
        Self::Closed,
    ];

    /// The name in the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unacknowledged => "unacknowledged",
            Self::ReturnedUnacknowledged => "returned-unacknowledged",
            Self::Acknowledged => "acknowledged",
            Self::Shelved => "shelved",
            Self::Suppressed => "suppressed",
            Self::OutOfService => "out-of-service",
            Self::Normal => "normal",
            Self::Closed => "closed",
        }
    }
}

impl AlarmRow {
    /// Where it stands.
    pub fn state(&self) -> AlarmState {
        if self.closed.is_some() {
            return AlarmState::Closed;
        }
        match &self.suppressed {
            Some(why) if why.why == OUT_OF_SERVICE => return AlarmState::OutOfService,
            Some(_) => return AlarmState::Suppressed,
            None => {}
        }
        if self.shelved.is_some() {
            return AlarmState::Shelved;
        }
        match (self.active, self.acknowledged.is_some()) {
            (true, false) => AlarmState::Unacknowledged,
            (false, false) => AlarmState::ReturnedUnacknowledged,
            (true, true) => AlarmState::Acknowledged,
            (false, true) => AlarmState::Normal,
        }
    }

    /// True while it stands on the desk: not closed, and not something that was suppressed
    /// throughout and is gone.
    pub fn is_open(&self) -> bool {
        self.closed.is_none() && (self.active || self.suppressed.is_none())
    }

    /// True while people are told about it and waited for.
    pub fn annunciates(&self) -> bool {
        matches!(
            self.state(),
            AlarmState::Unacknowledged | AlarmState::ReturnedUnacknowledged
        )
    }
}
