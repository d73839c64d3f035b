//! Dead letters: things that a destination will not have, until somebody sends them again.

use super::{Books, Key, StoreError, Timestamp, Transaction, tally};
use smol_str::SmolStr;

/// Dead letters kept for one destination. One more takes the oldest away, which is counted: what
/// is refused in such numbers is refused for one reason, and a replay sends it again.
pub(in crate::outbox) const DEAD_MAX: i64 = 10_000;
/// Dead letters of one list.
const LIST_MAX: i64 = 500;

/// A thing that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number.
    pub id: i64,
    /// Who refused it.
    pub destination: SmolStr,
    /// Which thing.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// Why, in the other side's words.
    pub why: String,
    /// Somebody asked for it to be sent again.
    pub again: bool,
}

const COLUMNS: &str = "SELECT id, destination, key, at, why, again FROM dead";

fn letter(row: &rusqlite::Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        id: row.get(0)?,
        destination: SmolStr::new(row.get::<_, String>(1)?),
        key: row.get(2)?,
        at: Timestamp(row.get(3)?),
        why: row.get(4)?,
        again: row.get(5)?,
    })
}

/// Books what was refused; one more than [`DEAD_MAX`] takes the oldest away.
pub(super) fn book(
    transaction: &Transaction<'_>,
    destination: &str,
    refused: &[(Key, String)],
    now: Timestamp,
) -> Result<(), StoreError> {
    if refused.is_empty() {
        return Ok(());
    }
    for (key, why) in refused {
        transaction
            .prepare_cached(
                "INSERT INTO dead (destination, key, at, why) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (destination, key) DO UPDATE SET at = ?3, why = ?4, again = 0",
            )?
            .execute((destination, key.to_string(), now.0, why))?;
    }
    let gone = transaction
        .prepare_cached(
            "DELETE FROM dead WHERE destination = ?1 AND id <= (SELECT id FROM dead \
             WHERE destination = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute((destination, DEAD_MAX))?;
    tally(transaction, destination)?;
    transaction
        .prepare_cached("UPDATE tally SET forgotten = forgotten + ?2 WHERE destination = ?1")?
        .execute((destination, i64::try_from(gone).unwrap_or(i64::MAX)))?;
    Ok(())
}

impl Books {
    /// Dead letters of a destination, newest first, at most 500.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn dead(&self, destination: &str) -> Result<Vec<DeadLetter>, StoreError> {
        let connection = self.connection();
        let sql = format!("{COLUMNS} WHERE destination = ?1 ORDER BY at DESC, id DESC LIMIT ?2");
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map((destination, LIST_MAX), letter)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Dead letters that somebody asked to be sent again, oldest first.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn asked_again(
        &self,
        destination: &str,
        most: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let connection = self.connection();
        let sql = format!("{COLUMNS} WHERE destination = ?1 AND again = 1 ORDER BY id LIMIT ?2");
        let mut statement = connection.prepare_cached(&sql)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = statement.query_map((destination, most), letter)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One dead letter.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn dead_letter(&self, id: i64) -> Result<Option<DeadLetter>, StoreError> {
        use rusqlite::OptionalExtension as _;
        let connection = self.connection();
        let sql = format!("{COLUMNS} WHERE id = ?1");
        let found = connection
            .prepare_cached(&sql)?
            .query_row([id], letter)
            .optional()?;
        Ok(found)
    }

    /// A dead letter is to be sent again.
    ///
    /// # Errors
    /// Disk.
    pub fn send_again(&self, id: i64) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("UPDATE dead SET again = 1 WHERE id = ?1")?
            .execute([id])?;
        Ok(())
    }
}
