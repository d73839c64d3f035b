//! Calendar feeds of people, beside their sessions: a secret in an address that a calendar program
//! keeps. Losing the file ends the feeds, no more.

use super::error::StoreError;
use super::sessions::{Sessions, key};
use cems_core::model::time::HOUR_MS;
use cems_core::model::{Timestamp, UserId};
use rusqlite::OptionalExtension;

/// `fetched_at` is written when it is at least this old, ms: a program that looks every few minutes
/// must not cost a disk write each time.
const TOUCH_AFTER_MS: i64 = HOUR_MS;

/// When a feed was made, and last fetched.
pub type FeedTimes = (Timestamp, Option<Timestamp>);

impl Sessions {
    /// Gives a person's feed this secret; only its SHA-256 is kept. A former one leads nowhere from
    /// now on.
    ///
    /// # Errors
    /// Disk.
    pub fn renew_feed(&self, user: &UserId, token: &str, now: Timestamp) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "REPLACE INTO feed (user, token_sha256, created_at, fetched_at) \
                 VALUES (?1, ?2, ?3, NULL)",
            )?
            .execute((user.as_str(), key(token), now.0))?;
        Ok(())
    }

    /// Ends a person's feed; false when there was none.
    ///
    /// # Errors
    /// Disk.
    pub fn end_feed(&self, user: &UserId) -> Result<bool, StoreError> {
        let ended = self
            .connection()
            .prepare_cached("DELETE FROM feed WHERE user = ?1")?
            .execute([user.as_str()])?;
        Ok(ended > 0)
    }

    /// A person's feed.
    ///
    /// # Errors
    /// Disk.
    pub fn feed(&self, user: &UserId) -> Result<Option<FeedTimes>, StoreError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT created_at, fetched_at FROM feed WHERE user = ?1")?;
        let found = statement.query_row([user.as_str()], |row| {
            let fetched: Option<i64> = row.get(1)?;
            Ok((Timestamp(row.get(0)?), fetched.map(Timestamp)))
        });
        Ok(found.optional()?)
    }

    /// Whose feed has this secret; notes that it was fetched.
    ///
    /// # Errors
    /// Disk; a full disk does not keep the feed from being read.
    pub fn feed_of(&self, token: &str, now: Timestamp) -> Result<Option<UserId>, StoreError> {
        let key = key(token);
        let connection = self.connection();
        let found: Option<(String, Option<i64>)> = connection
            .prepare_cached("SELECT user, fetched_at FROM feed WHERE token_sha256 = ?1")?
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((user, fetched)) = found else {
            return Ok(None);
        };
        if fetched.is_none_or(|at| now.since_ms(Timestamp(at)) >= TOUCH_AFTER_MS) {
            let touched = connection
                .prepare_cached("UPDATE feed SET fetched_at = ?2 WHERE token_sha256 = ?1")?
                .execute((key, now.0));
            if let Err(error) = touched {
                tracing::warn!(%error, "cannot note that a calendar feed was fetched");
            }
        }
        Ok(Some(UserId::new(user)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp(1_795_314_600_000);

    #[test]
    fn a_feed_has_one_secret_at_a_time_and_keeps_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sessions.db");
        let sessions = Sessions::open(&path).unwrap().sessions;
        let user = UserId::new("lin");
        let (first, second) = ("3f8a5d0c9b7e4f61a2d3c4b5", "0c9b7e4f61a2d3c4b53f8a5d");
        sessions.renew_feed(&user, first, T0).unwrap();
        assert_eq!(sessions.feed(&user).unwrap(), Some((T0, None)));
        let later = T0.plus_ms(5_000);
        assert_eq!(sessions.feed_of(first, later).unwrap(), Some(user.clone()));
        assert_eq!(sessions.feed(&user).unwrap(), Some((T0, Some(later))));

        sessions.renew_feed(&user, second, later).unwrap();
        assert_eq!(sessions.feed_of(first, later).unwrap(), None);
        drop(sessions);
        let sessions = Sessions::open(&path).unwrap().sessions;
        assert_eq!(sessions.feed_of(second, later).unwrap(), Some(user.clone()));
        assert!(sessions.end_feed(&user).unwrap());
        assert!(!sessions.end_feed(&user).unwrap());
        assert_eq!(sessions.feed_of(second, later).unwrap(), None);
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            for token in [first, second] {
                assert!(!bytes.windows(token.len()).any(|w| w == token.as_bytes()));
            }
        }
    }
}
