-- Log-in sessions. Tokens are kept only as their SHA-256; times are INTEGER milliseconds.
CREATE TABLE session (
    token_sha256 BLOB NOT NULL PRIMARY KEY CHECK (length(token_sha256) = 32),
    user         TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_expires ON session (expires_at);
CREATE INDEX session_user ON session (user, created_at);

-- Failed log-ins per name or address, for throttling across restarts.
CREATE TABLE attempt (
    subject  TEXT NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX attempt_last ON attempt (last_at);
