//! What a centre asks of loggers by itself.

/// Dialogues with loggers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialogueSettings {
    /// How long an answer is waited for before the request is sent again, seconds.
    pub answer_timeout_s: u32,
    /// How often a request is sent again.
    pub resends: u32,
    /// How long after it was accepted, or after the last data, the end is waited for, seconds.
    pub execution_timeout_s: u32,
    /// How long an order waits for its logger to connect, seconds.
    pub device_wait_s: u32,
    /// Set a logger's clock when it is off by more than this, seconds; `None`: never unasked.
    pub clock_tolerance_s: Option<u32>,
    /// Fetch missing records of so many past days; `None`: never unasked.
    pub refetch_days: Option<u32>,
    /// Requests for missing records in a minute, all loggers together.
    pub refetch_per_minute: u32,
    /// Set a new key before the old one is 90 days old, where one is in use.
    pub rotate_keys: bool,
    /// What is said to a logger at its first connection; `None`: nothing.
    pub initial: Option<InitialSettings>,
}

impl Default for DialogueSettings {
    /// Time-out and resends as the standard has them for mobile networks. Missing records are
    /// fetched, a week back; clocks are not set unasked, because the clock belongs to the
    /// certified instrument and its operator answers for it.
    fn default() -> Self {
        Self {
            answer_timeout_s: 10,
            resends: 3,
            execution_timeout_s: 300,
            device_wait_s: 3_600,
            clock_tolerance_s: None,
            refetch_days: Some(7),
            refetch_per_minute: 60,
            rotate_keys: true,
            initial: None,
        }
    }
}

/// The initial procedure (HJ 212-2017, 6.7); what is `None` is left as the logger has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitialSettings {
    /// It is repeated when it was last done more than so many days ago.
    pub every_days: u32,
    /// Set the clock.
    pub set_time: bool,
    /// Time-out, seconds, and retries of the logger.
    pub timeouts: Option<(u32, u32)>,
    /// Interval of real-time data, seconds.
    pub realtime_interval_s: Option<u32>,
    /// Interval of minute data, minutes.
    pub minute_interval_min: Option<u32>,
    /// Real-time data on or off.
    pub realtime: Option<bool>,
    /// Facility states on or off.
    pub facility: Option<bool>,
}
