//! Files that are not what they should be.

use super::*;

fn filled(path: &Path, minutes: i64) {
    let mut store = SqliteStore::open(path).unwrap().store;
    store.begin().unwrap();
    for n in 0..minutes {
        store.apply(&Output::Record(minute("dc-01", n))).unwrap();
    }
    store.commit(at(1)).unwrap();
    store.checkpoint().unwrap();
}

#[test]
fn damage_never_keeps_the_store_from_opening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("projections.db");
    filled(&path, 300);
    let sound = std::fs::read(&path).unwrap();
    let middle = sound.len() / 2;

    let mut zeroed = sound.clone();
    zeroed[middle..middle + 8192].fill(0);
    let mut header = sound.clone();
    header[..16].fill(b'x');
    let mut schema = sound.clone();
    schema[100..4000].fill(0xff);
    let cases: [(&str, Vec<u8>); 5] = [
        ("cut in half", sound[..middle].to_vec()),
        ("a page of zeros", zeroed),
        ("no header", header),
        ("no schema", schema),
        (
            "text",
            b"this is not a database, it only has its name\n".repeat(300),
        ),
    ];
    for (n, (what, bytes)) in (1..).zip(cases) {
        std::fs::write(&path, &bytes).unwrap();
        let opened = SqliteStore::open(&path).unwrap();
        let damage = opened
            .damage
            .unwrap_or_else(|| panic!("{what} was not noticed"));
        assert_eq!(
            damage.set_aside,
            dir.path().join(format!("projections.db.damaged-{n}"))
        );
        assert_eq!(
            std::fs::read(&damage.set_aside).unwrap(),
            bytes,
            "{what} is kept"
        );
        assert_eq!(opened.store.position().unwrap(), None, "{what}");
        drop(opened.store);
    }

    // The store that took its place works.
    std::fs::remove_file(&path).unwrap();
    filled(&path, 3);
    assert_eq!(SqliteStore::open(&path).unwrap().damage, None);
}

#[test]
fn an_empty_file_is_a_new_store() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("projections.db");
    std::fs::write(&path, b"").unwrap();
    let opened = SqliteStore::open(&path).unwrap();
    assert_eq!(opened.damage, None);
    assert_eq!(opened.store.position().unwrap(), None);
}

#[test]
fn a_table_that_someone_altered_counts_as_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("projections.db");
    filled(&path, 3);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("ALTER TABLE audit ADD COLUMN x TEXT")
        .unwrap();
    drop(connection);
    let damage = SqliteStore::open(&path).unwrap().damage.unwrap();
    assert_eq!(damage.reason, "tables are missing or altered");
}

#[test]
fn files_of_others_and_of_later_versions_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("projections.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(connection);
    let bytes = std::fs::read(&path).unwrap();
    let error = SqliteStore::open(&path).err().unwrap();
    assert!(
        matches!(error, StoreError::Foreign { found: 0, .. }),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), bytes);

    std::fs::remove_file(&path).unwrap();
    filled(&path, 1);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .pragma_update(None, "user_version", 4_000)
        .unwrap();
    drop(connection);
    let error = SqliteStore::open(&path).err().unwrap();
    assert!(
        matches!(error, StoreError::Newer { found: 4_000, .. }),
        "{error}"
    );
    assert!(matches!(digest(&path), Err(StoreError::Newer { .. })));
    assert!(path.exists() && !dir.path().join("projections.db.damaged-1").exists());
}

#[test]
fn a_place_that_cannot_be_written_is_an_io_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = SqliteStore::open(&dir.path().join("no/such/dir.db"))
        .err()
        .unwrap();
    assert!(matches!(error, StoreError::Io(_)), "{error}");
    assert!(error.recoverable());
}
