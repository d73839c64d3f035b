//! Log-in sessions and failed attempts, in a small database of their own. Losing it logs people
//! out, no more. That somebody logged in stands in the journal.

use super::error::StoreError;
use super::schema::{Damage, SESSIONS};
use super::side::SideBook;
use cems_core::model::{Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::MutexGuard;

/// Sessions of one person at a time: browsers at a desk, at home, on a phone, and some to spare.
/// One more ends the oldest.
pub const SESSIONS_PER_USER_MAX: u32 = 20;

/// Names and addresses whose failed attempts are remembered; above it the one that failed longest
/// ago is forgotten, so that a scan with random names cannot fill the disk.
pub const ATTEMPT_SUBJECTS_MAX: u32 = 10_000;

/// `last_seen` is written when it is at least this old, ms: every page of a live console would
/// otherwise cost a disk write.
const TOUCH_AFTER_MS: i64 = 60_000;

/// A log-in that is still good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub user: UserId,
    /// When they logged in.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Last request, to the minute.
    pub last_seen: Timestamp,
}

/// Failed log-ins of one name or address since the last success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// How many.
    pub failures: u64,
    /// The last of them.
    pub last_at: Timestamp,
}

/// The sessions database. Methods block and take turns; each change is on disk when it returns.
pub struct Sessions {
    book: SideBook,
}

/// Sessions that were opened, and the damaged file they replace, if any.
pub struct OpenedSessions {
    /// The sessions; none when `damage` is set.
    pub sessions: Sessions,
    /// A damaged file was put aside; everybody logs in again.
    pub damage: Option<Damage>,
}

pub(super) fn key(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn attempts_at(row: &Row<'_>) -> rusqlite::Result<Attempts> {
    let failures: i64 = row.get(0)?;
    Ok(Attempts {
        failures: failures.unsigned_abs(),
        last_at: Timestamp(row.get(1)?),
    })
}

impl Sessions {
    /// Opens the sessions in `path`; creates or migrates the file, puts a damaged one aside.
    ///
    /// # Errors
    /// As [`SqliteStore::open`](super::SqliteStore::open).
    pub fn open(path: &Path) -> Result<OpenedSessions, StoreError> {
        let (book, damage) = SideBook::open(&SESSIONS, path)?;
        let sessions = Self { book };
        Ok(OpenedSessions { sessions, damage })
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.book.connection()
    }

    /// Begins a session; only the SHA-256 of `token` is kept. Ends the person's oldest sessions
    /// above [`SESSIONS_PER_USER_MAX`].
    ///
    /// # Errors
    /// Disk.
    pub fn create(
        &self,
        token: &str,
        user: &UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction
            .prepare_cached(
                "REPLACE INTO session (token_sha256, user, created_at, expires_at, last_seen) \
                 VALUES (?1, ?2, ?3, ?4, ?3)",
            )?
            .execute((key(token), user.as_str(), now.0, expires_at.0))?;
        transaction
            .prepare_cached(
                "DELETE FROM session WHERE token_sha256 IN (SELECT token_sha256 FROM session \
                 WHERE user = ?1 ORDER BY created_at DESC, token_sha256 LIMIT -1 OFFSET ?2)",
            )?
            .execute((user.as_str(), SESSIONS_PER_USER_MAX))?;
        Ok(transaction.commit()?)
    }

    /// The session of `token`, unless it has expired; notes that it was seen.
    ///
    /// # Errors
    /// Disk; a full disk does not keep anyone from being recognised.
    pub fn find(&self, token: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let key = key(token);
        let connection = self.connection();
        let found = connection
            .prepare_cached(
                "SELECT user, created_at, expires_at, last_seen FROM session \
                 WHERE token_sha256 = ?1 AND expires_at > ?2",
            )?
            .query_row((key, now.0), |row| {
                Ok(Session {
                    user: UserId::new(row.get::<_, String>(0)?),
                    created_at: Timestamp(row.get(1)?),
                    expires_at: Timestamp(row.get(2)?),
                    last_seen: Timestamp(row.get(3)?),
                })
            })
            .optional()?;
        let Some(mut session) = found else {
            return Ok(None);
        };
        if now.since_ms(session.last_seen) >= TOUCH_AFTER_MS {
            let touched = connection
                .prepare_cached("UPDATE session SET last_seen = ?2 WHERE token_sha256 = ?1")?
                .execute((key, now.0));
            match touched {
                Ok(_) => session.last_seen = now,
                Err(error) => tracing::warn!(%error, "cannot note that a session was seen"),
            }
        }
        Ok(Some(session))
    }

    /// Ends the session of `token`; false when there was none.
    ///
    /// # Errors
    /// Disk.
    pub fn delete(&self, token: &str) -> Result<bool, StoreError> {
        let ended = self
            .connection()
            .prepare_cached("DELETE FROM session WHERE token_sha256 = ?1")?
            .execute([key(token)])?;
        Ok(ended > 0)
    }

    /// Ends all sessions of a person (password changed, account closed); returns how many.
    ///
    /// # Errors
    /// Disk.
    pub fn delete_user(&self, user: &UserId) -> Result<usize, StoreError> {
        Ok(self
            .connection()
            .prepare_cached("DELETE FROM session WHERE user = ?1")?
            .execute([user.as_str()])?)
    }

    /// Removes what has expired at `now`; returns how many.
    ///
    /// # Errors
    /// Disk.
    pub fn expire(&self, now: Timestamp) -> Result<usize, StoreError> {
        Ok(self
            .connection()
            .prepare_cached("DELETE FROM session WHERE expires_at <= ?1")?
            .execute([now.0])?)
    }

    /// Failed attempts of a name or address; `None` when there are none.
    ///
    /// # Errors
    /// Disk.
    pub fn attempts(&self, subject: &str) -> Result<Option<Attempts>, StoreError> {
        Ok(self
            .connection()
            .prepare_cached("SELECT failures, last_at FROM attempt WHERE subject = ?1")?
            .query_row([subject], attempts_at)
            .optional()?)
    }

    /// Counts a failed attempt; returns the count with it.
    ///
    /// # Errors
    /// Disk.
    pub fn add_failure(&self, subject: &str, now: Timestamp) -> Result<Attempts, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let attempts = transaction
            .prepare_cached(
                "INSERT INTO attempt (subject, failures, last_at) VALUES (?1, 1, ?2) \
                 ON CONFLICT (subject) DO UPDATE SET failures = failures + 1, \
                 last_at = excluded.last_at RETURNING failures, last_at",
            )?
            .query_row((subject, now.0), attempts_at)?;
        transaction
            .prepare_cached(
                "DELETE FROM attempt WHERE subject IN (SELECT subject FROM attempt \
                 ORDER BY last_at DESC, subject LIMIT -1 OFFSET ?1)",
            )?
            .execute([ATTEMPT_SUBJECTS_MAX])?;
        transaction.commit()?;
        Ok(attempts)
    }

    /// Forgets the failed attempts of a name or address (a log-in succeeded).
    ///
    /// # Errors
    /// Disk.
    pub fn clear_failures(&self, subject: &str) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("DELETE FROM attempt WHERE subject = ?1")?
            .execute([subject])?;
        Ok(())
    }

    /// Forgets attempts whose last failure is before `before`; returns how many names.
    ///
    /// # Errors
    /// Disk.
    pub fn forget_failures(&self, before: Timestamp) -> Result<usize, StoreError> {
        Ok(self
            .connection()
            .prepare_cached("DELETE FROM attempt WHERE last_at < ?1")?
            .execute([before.0])?)
    }

    /// Sessions that have not expired at `now`.
    ///
    /// # Errors
    /// Disk.
    pub fn count(&self, now: Timestamp) -> Result<u64, StoreError> {
        let count: i64 = self
            .connection()
            .prepare_cached("SELECT count(*) FROM session WHERE expires_at > ?1")?
            .query_row([now.0], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp(1_795_314_600_000);
    const HOUR: i64 = 3_600_000;

    fn open() -> (tempfile::TempDir, Sessions) {
        let dir = tempfile::tempdir().unwrap();
        let opened = Sessions::open(&dir.path().join("sessions.db")).unwrap();
        assert_eq!(opened.damage, None);
        (dir, opened.sessions)
    }

    #[test]
    fn a_session_lives_until_it_expires_or_is_ended() {
        let (dir, sessions) = open();
        let user = UserId::new("lin");
        let end = T0.plus_ms(8 * HOUR);
        sessions.create("token-a", &user, T0, end).unwrap();
        sessions.create("token-b", &user, T0, end).unwrap();

        let found = sessions
            .find("token-a", T0.plus_ms(30_000))
            .unwrap()
            .unwrap();
        assert_eq!((found.user, found.last_seen), (user.clone(), T0));
        let later = T0.plus_ms(HOUR);
        let found = sessions.find("token-a", later).unwrap().unwrap();
        assert_eq!(found.last_seen, later);
        assert_eq!(sessions.find("token-x", later).unwrap(), None);
        assert_eq!(sessions.find("token-a", end).unwrap(), None, "expired");

        assert!(sessions.delete("token-a").unwrap());
        assert!(!sessions.delete("token-a").unwrap());
        assert_eq!(sessions.find("token-a", later).unwrap(), None);
        assert_eq!(sessions.count(later).unwrap(), 1);

        // A restart keeps it.
        drop(sessions);
        let sessions = Sessions::open(&dir.path().join("sessions.db"))
            .unwrap()
            .sessions;
        assert!(sessions.find("token-b", later).unwrap().is_some());
        assert_eq!(sessions.expire(end).unwrap(), 1);
        assert_eq!(sessions.delete_user(&user).unwrap(), 0);
    }

    #[test]
    fn the_token_itself_is_nowhere_in_the_files() {
        let (dir, sessions) = open();
        let token = "3f8a5d0c9b7e4f61a2d3c4b5a69788ff";
        let end = T0.plus_ms(HOUR);
        sessions
            .create(token, &UserId::new("lin"), T0, end)
            .unwrap();
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(token.len()).any(|w| w == token.as_bytes()));
        }
    }

    #[test]
    fn one_more_session_than_allowed_ends_the_oldest() {
        let (_dir, sessions) = open();
        let user = UserId::new("lin");
        let end = T0.plus_ms(24 * HOUR);
        for n in 0..=SESSIONS_PER_USER_MAX {
            let at = T0.plus_ms(i64::from(n));
            sessions
                .create(&format!("token-{n}"), &user, at, end)
                .unwrap();
        }
        assert_eq!(
            sessions.count(T0).unwrap(),
            u64::from(SESSIONS_PER_USER_MAX)
        );
        assert_eq!(sessions.find("token-0", T0).unwrap(), None);
        assert!(sessions.find("token-1", T0).unwrap().is_some());
    }

    #[test]
    fn failures_add_up_until_a_success_and_never_fill_the_disk() {
        let (_dir, sessions) = open();
        assert_eq!(sessions.attempts("lin").unwrap(), None);
        sessions.add_failure("lin", T0).unwrap();
        let twice = sessions.add_failure("lin", T0.plus_ms(5)).unwrap();
        assert_eq!(twice.failures, 2);
        assert_eq!(twice.last_at, T0.plus_ms(5));
        assert_eq!(sessions.attempts("lin").unwrap(), Some(twice));
        sessions.clear_failures("lin").unwrap();
        assert_eq!(sessions.attempts("lin").unwrap(), None);

        // Ten thousand names at once stand for a scan; the next failure pushes out the oldest.
        let fill = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \
             {ATTEMPT_SUBJECTS_MAX}) INSERT INTO attempt SELECT 'name-' || i, 1, i FROM n"
        );
        sessions.connection().execute_batch(&fill).unwrap();
        sessions.add_failure("lin", T0).unwrap();
        assert_eq!(sessions.attempts("name-1").unwrap(), None);
        assert!(sessions.attempts("name-2").unwrap().is_some());
        let forgotten = sessions.forget_failures(T0).unwrap();
        assert_eq!(
            forgotten,
            usize::try_from(ATTEMPT_SUBJECTS_MAX).unwrap() - 1
        );
    }

    #[test]
    fn a_damaged_file_is_put_aside_and_people_log_in_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sessions.db");
        std::fs::write(&path, b"SQLite format 3\0 and then nothing sensible").unwrap();
        let opened = Sessions::open(&path).unwrap();
        let damage = opened.damage.unwrap();
        assert_eq!(damage.set_aside, dir.path().join("sessions.db.damaged-1"));
        assert!(damage.set_aside.exists());
        assert_eq!(opened.sessions.count(T0).unwrap(), 0);
    }
}
