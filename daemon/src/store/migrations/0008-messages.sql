-- Messages decided on, by number. What became of them is in the audit trail and in `notify.db`.
CREATE TABLE message (
    id   INTEGER NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
