//! Waiting for states, never for time.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Longest wait for anything that should happen at once. Wide, because the machine may be busy
/// compiling; a sound daemon answers within a fraction of a second.
pub const SOON: Duration = Duration::from_secs(60);

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(40);

/// A line on standard error, also of a test that passes.
pub fn say(line: &str) {
    use std::io::Write;
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "\n{line}");
}

/// Looks until `look` gives `Ok`, at most [`SOON`]; the text of the last `Err` says what was there
/// instead.
///
/// # Panics
/// When the time is over.
pub async fn until<T, E: Debug>(what: &str, look: impl AsyncFnMut() -> Result<T, E>) -> T {
    until_within(SOON, what, look).await
}

/// [`until`] with another bound.
///
/// # Panics
/// When the time is over.
pub async fn until_within<T, E: Debug>(
    bound: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let began = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(instead) if began.elapsed() >= bound => {
                panic!(
                    "waited {} s for {what}; instead: {instead:#?}",
                    bound.as_secs()
                );
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
