//! Passwords that loggers were told to use (1072). The registry knows the one of the permit file;
//! until somebody writes the new one there, both are right, or the order would cut its own line.

use super::{KeyError, KeyRing};
use cems_core::model::OutletId;
use smol_str::SmolStr;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS password (
    outlet TEXT NOT NULL PRIMARY KEY,
    sha256 TEXT NOT NULL
) STRICT, WITHOUT ROWID;";

impl KeyRing {
    /// Notes the SHA-256 (hexadecimal) of a password that a logger is told to use; it takes the
    /// place of one noted before.
    ///
    /// # Errors
    /// Disk.
    pub fn note_password(&self, outlet: &OutletId, sha256: &str) -> Result<(), KeyError> {
        self.inner().connection.execute(
            "REPLACE INTO password (outlet, sha256) VALUES (?1, ?2)",
            (outlet.as_str(), sha256),
        )?;
        Ok(())
    }

    /// Every password noted, by outlet.
    ///
    /// # Errors
    /// Disk.
    pub fn passwords(&self) -> Result<Vec<(OutletId, SmolStr)>, KeyError> {
        let inner = self.inner();
        let mut statement = inner
            .connection
            .prepare("SELECT outlet, sha256 FROM password ORDER BY outlet")?;
        let rows = statement.query_map([], |row| {
            let (outlet, sha256): (String, String) = (row.get(0)?, row.get(1)?);
            Ok((OutletId::new(outlet), SmolStr::new(sha256)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
