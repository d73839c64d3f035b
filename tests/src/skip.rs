//! Tests that need what a machine may not give.

/// Says that a test cannot run here. `tests/run` counts these lines as skipped, so a missing right
/// or program is seen in the summary and never passes for success.
pub fn skipped(test: &str, why: &str) {
    crate::wait::say(&format!("skipped: {test}: {why}"));
}
