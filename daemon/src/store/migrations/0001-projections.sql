-- Projections of the journal: one table per kind of engine output.
-- Times: INTEGER milliseconds since 1970-01-01T00:00:00Z. Decimals: TEXT, exact.
-- `body` is JSON TEXT; its short names are explained in ../README.md. A column beside `body` is
-- there because it is part of the key or because a query filters on it.

-- How far the journal has been projected; written in the transaction of the rows.
CREATE TABLE position (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    at  INTEGER NOT NULL
) STRICT;

CREATE TABLE record (
    outlet TEXT NOT NULL,
    kind   TEXT NOT NULL,
    start  INTEGER NOT NULL,
    resent INTEGER NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (outlet, kind, start)
) STRICT, WITHOUT ROWID;

-- `seq` and `version` belong to the value that was replaced, `by_seq` to the one that replaced it.
CREATE TABLE superseded (
    outlet  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    start   INTEGER NOT NULL,
    factor  TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    by_seq  INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (outlet, kind, start, factor, seq, by_seq, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE aggregate (
    outlet   TEXT NOT NULL,
    level    TEXT NOT NULL,
    start    INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (outlet, level, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE latest (
    outlet TEXT NOT NULL,
    factor TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (outlet, factor)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    mn     TEXT NOT NULL PRIMARY KEY,
    outlet TEXT,
    body   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX device_outlet ON device (outlet);

CREATE TABLE quarantine (
    seq     INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    reason  TEXT NOT NULL,
    peer    TEXT NOT NULL,
    mn      TEXT,
    bytes   INTEGER NOT NULL,
    excerpt TEXT NOT NULL,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE statement (
    outlet TEXT NOT NULL,
    cn     TEXT NOT NULL,
    at     INTEGER NOT NULL,
    name   TEXT NOT NULL,
    value  TEXT NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (outlet, cn, at, name)
) STRICT, WITHOUT ROWID;

-- `outlet` is NULL when the alarm is about an unknown logger or peer.
CREATE TABLE alarm (
    id           INTEGER NOT NULL PRIMARY KEY,
    outlet       TEXT,
    priority     TEXT NOT NULL,
    active       INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL,
    open         INTEGER NOT NULL,
    body         TEXT NOT NULL
) STRICT;

CREATE INDEX alarm_open ON alarm (id) WHERE open = 1;
CREATE INDEX alarm_outlet ON alarm (outlet, id);

CREATE TABLE fallback (
    id     INTEGER NOT NULL PRIMARY KEY,
    outlet TEXT NOT NULL,
    open   INTEGER NOT NULL,
    body   TEXT NOT NULL
) STRICT;

CREATE INDEX fallback_open ON fallback (id) WHERE open = 1;
CREATE INDEX fallback_outlet ON fallback (outlet, id);

CREATE TABLE manual_report (
    id         INTEGER NOT NULL PRIMARY KEY,
    fallback   INTEGER,
    outlet     TEXT NOT NULL,
    sampled_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;

CREATE INDEX manual_report_fallback ON manual_report (fallback, sampled_at);
CREATE INDEX manual_report_outlet ON manual_report (outlet, sampled_at);

CREATE TABLE audit (
    seq    INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    who    TEXT NOT NULL,
    what   TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_object ON audit (object, seq, n);

-- The registry in force from `seq` on.
CREATE TABLE registry (
    seq  INTEGER NOT NULL PRIMARY KEY,
    at   INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- Engine state that is not visible elsewhere.
CREATE TABLE state (
    name TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
