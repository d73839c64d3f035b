//! Comparing and exchanging whole stores: a digest, a file whose bytes depend only on the rows,
//! and putting one file in the place of another.

use super::error::StoreError;
use super::schema::{
    BUSY_TIMEOUT, PAGE_SIZE, PROJECTIONS, open_read_only, pragma, set_aside, set_journal_mode,
    sync_directory, with_suffix,
};
use crate::text::hex;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Contents of one table in one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDigest {
    /// Name of the table.
    pub table: String,
    /// Rows in it.
    pub rows: u64,
    /// SHA-256 (hex) over all columns of all rows in key order.
    pub sha256: String,
}

/// Contents of a store in numbers: equal exactly when the rows are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Every table, by name.
    pub tables: Vec<TableDigest>,
    /// SHA-256 (hex) over all of them.
    pub total: String,
}

/// Computes the digest of the projections in `path`, a live store or a canonical file.
///
/// # Errors
/// [`StoreError::Newer`], [`StoreError::Foreign`] or [`StoreError::Damaged`] when the file is not
/// a store of this version; disk.
pub fn digest(path: &Path) -> Result<Digest, StoreError> {
    let connection = open_read_only(path)?;
    check_version(&connection, path)?;
    // One transaction: a live store may move on meanwhile.
    connection.execute_batch("BEGIN")?;
    let mut tables = Vec::new();
    let mut total = Sha256::new();
    for (table, key) in tables_of(&connection)? {
        let (rows, hash) = table_digest(&connection, &table, &key)?;
        add_bytes(&mut total, b't', table.as_bytes());
        total.update(rows.to_le_bytes());
        total.update(hash);
        tables.push(TableDigest {
            table,
            rows,
            sha256: hex(&hash),
        });
    }
    Ok(Digest {
        tables,
        total: hex(&total.finalize()),
    })
}

/// Writes the rows of the store `source` to the new file `target`, whose bytes depend on the rows
/// alone: not on batches, on the order of arrival, or on what was replaced meanwhile. `source` is
/// not changed and may be live. An existing `target` is replaced; on failure it stays.
///
/// # Errors
/// As [`digest`].
pub fn canonicalise(source: &Path, target: &Path) -> Result<(), StoreError> {
    check_version(&open_read_only(source)?, source)?;
    let building = with_suffix(target, ".building");
    let packed = with_suffix(target, ".packed");
    remove(&building)?;
    remove(&packed)?;
    let result = build(source, &building, &packed).and_then(|()| {
        std::fs::File::open(&packed)?.sync_all()?;
        std::fs::rename(&packed, target)?;
        sync_directory(target)
    });
    let tidied = remove(&building).and(remove(&packed));
    result.and(tidied)
}

/// Puts the store `new` in the place of the store `live`, atomically: whoever opens `live`
/// afterwards, even after a power cut in the middle, finds the old or the new one whole. Nobody
/// may have either of them open. A `live` that is damaged is put aside first; returns where.
///
/// # Errors
/// [`StoreError::Busy`] when `live` is in use; disk.
pub fn replace(live: &Path, new: &Path) -> Result<Option<PathBuf>, StoreError> {
    // Neither may leave a write-ahead log behind: it would be read into the other's file.
    fold(new)?;
    let aside = match live.try_exists()?.then(|| fold(live)) {
        Some(Err(StoreError::Damaged(_))) => Some(set_aside(live)?),
        Some(other) => {
            other?;
            None
        }
        None => None,
    };
    std::fs::File::open(new)?.sync_all()?;
    std::fs::rename(new, live)?;
    sync_directory(live)?;
    Ok(aside)
}

/// Moves everything into the database file itself and leaves write-ahead logging.
fn fold(path: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    set_journal_mode(&connection, "delete")?;
    connection.close().map_err(|(_, error)| error.into())
}

/// Copies the rows in key order into an empty store at `building`, then packs that into `packed`.
fn build(source: &Path, building: &Path, packed: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(building, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "page_size", PAGE_SIZE)?;
    // A crash leaves a file that nobody reads; it is removed the next time.
    set_journal_mode(&connection, "off")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    PROJECTIONS.migrate(&mut connection)?;
    connection.execute("ATTACH DATABASE ?1 AS source", [read_only_uri(source)])?;
    connection.execute_batch("BEGIN")?;
    for (table, key) in tables_of(&connection)? {
        connection.execute_batch(&format!(
            "INSERT INTO main.\"{table}\" SELECT * FROM source.\"{table}\" ORDER BY {key}"
        ))?;
    }
    connection.execute_batch("COMMIT; DETACH DATABASE source")?;
    let packed = packed.to_str().ok_or_else(|| {
        StoreError::Io(format!(
            "{} is not UTF-8, name another file",
            packed.display()
        ))
    })?;
    connection.execute("VACUUM main INTO ?1", [packed])?;
    connection.close().map_err(|(_, error)| error.into())
}

/// A `file:` URI that opens `path` for reading only, with every special byte escaped.
fn read_only_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str("?mode=ro");
    uri
}

fn check_version(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    PROJECTIONS.check_owner(connection, path)?;
    let found = pragma(connection, "user_version")?;
    if found != PROJECTIONS.version() {
        return Err(StoreError::Damaged(format!(
            "schema version {found} of {}, open it with the store first",
            path.display()
        )));
    }
    Ok(())
}

/// Tables with their key columns as SQL, by name.
fn tables_of(connection: &Connection) -> Result<Vec<(String, String)>, StoreError> {
    let mut names = connection.prepare(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' \
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let mut key = connection.prepare(
        "SELECT group_concat('\"' || name || '\"', ', ' ORDER BY pk) \
         FROM pragma_table_info(?1, 'main') WHERE pk > 0",
    )?;
    let names = names.query_map([], |row| row.get::<_, String>(0))?;
    let mut tables = Vec::new();
    for name in names {
        let name = name?;
        let key = key.query_row([&name], |row| row.get(0))?;
        tables.push((name, key));
    }
    Ok(tables)
}

fn table_digest(
    connection: &Connection,
    table: &str,
    key: &str,
) -> Result<(u64, [u8; 32]), StoreError> {
    let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\" ORDER BY {key}"))?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut count = 0_u64;
    let mut hash = Sha256::new();
    while let Some(row) = rows.next()? {
        count += 1;
        for column in 0..columns {
            match row.get_ref(column)? {
                ValueRef::Null => hash.update(b"n"),
                ValueRef::Integer(number) => {
                    hash.update(b"i");
                    hash.update(number.to_le_bytes());
                }
                ValueRef::Real(number) => {
                    hash.update(b"r");
                    hash.update(number.to_bits().to_le_bytes());
                }
                ValueRef::Text(text) => add_bytes(&mut hash, b't', text),
                ValueRef::Blob(bytes) => add_bytes(&mut hash, b'b', bytes),
            }
        }
    }
    Ok((count, hash.finalize().into()))
}

/// Type and length before the bytes, so that neighbours cannot be shifted into each other.
fn add_bytes(hash: &mut Sha256, kind: u8, bytes: &[u8]) {
    hash.update([kind]);
    hash.update(bytes.len().to_le_bytes());
    hash.update(bytes);
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
