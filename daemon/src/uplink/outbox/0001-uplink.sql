-- How far the forward log was read for each outlet of each uplink, and what became of it.
-- Times are INTEGER milliseconds.
CREATE TABLE reader (
    uplink            TEXT NOT NULL,
    outlet            TEXT NOT NULL,
    seq               INTEGER NOT NULL,
    n                 INTEGER NOT NULL,
    acknowledged      INTEGER NOT NULL,
    last_acknowledged INTEGER,
    expired           INTEGER NOT NULL,
    PRIMARY KEY (uplink, outlet)
) STRICT, WITHOUT ROWID;

-- Records owed to a centre; rank: 0 hour, 1 day, 2 minute, 3 real-time, in the order in which
-- history is served.
CREATE TABLE pending (
    uplink TEXT NOT NULL,
    outlet TEXT NOT NULL,
    rank   INTEGER NOT NULL,
    start  INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (uplink, outlet, rank, start)
) STRICT, WITHOUT ROWID;

CREATE INDEX pending_at ON pending (uplink, outlet, at);

-- Records a centre has acknowledged, so that the same version is not sent to it again.
CREATE TABLE receipt (
    uplink TEXT NOT NULL,
    outlet TEXT NOT NULL,
    rank   INTEGER NOT NULL,
    start  INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    tries  INTEGER NOT NULL,
    PRIMARY KEY (uplink, outlet, rank, start)
) STRICT, WITHOUT ROWID;

CREATE INDEX receipt_start ON receipt (uplink, start);

-- What a centre has set (CN 1000, 1062, 1072, 2011, ...).
CREATE TABLE setting (
    uplink TEXT NOT NULL,
    outlet TEXT NOT NULL,
    name   TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (uplink, outlet, name)
) STRICT, WITHOUT ROWID;
