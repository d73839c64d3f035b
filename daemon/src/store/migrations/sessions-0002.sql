-- The calendar feed of a person: the address is a secret, kept only as its SHA-256.
CREATE TABLE feed (
    user         TEXT NOT NULL PRIMARY KEY,
    token_sha256 BLOB NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    created_at   INTEGER NOT NULL,
    fetched_at   INTEGER
) STRICT, WITHOUT ROWID;
