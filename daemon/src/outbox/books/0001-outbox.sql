-- How far each destination is in each log (`series`: table outgoing of the projections, `events`:
-- table audit), and when that line was written.
CREATE TABLE position (
    destination TEXT NOT NULL,
    stream      TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (destination, stream)
) STRICT, WITHOUT ROWID;

-- What became of things so far, and the trouble that lasts: `since` its beginning, `trouble_at`
-- its last attempt; NULL while there is none.
CREATE TABLE tally (
    destination TEXT NOT NULL PRIMARY KEY,
    delivered   INTEGER NOT NULL DEFAULT 0,
    given_up    INTEGER NOT NULL DEFAULT 0,
    forgotten   INTEGER NOT NULL DEFAULT 0,
    last_sent   INTEGER,
    since       INTEGER,
    trouble_at  INTEGER,
    attempts    INTEGER NOT NULL DEFAULT 0,
    cause       TEXT,
    said        TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- Things refused. `again`: somebody asked for it to be sent again.
CREATE TABLE dead (
    id          INTEGER NOT NULL PRIMARY KEY,
    destination TEXT NOT NULL,
    key         TEXT NOT NULL,
    at          INTEGER NOT NULL,
    why         TEXT NOT NULL,
    again       INTEGER NOT NULL DEFAULT 0,
    UNIQUE (destination, key)
) STRICT;

-- Periods to send from the rows. `step` and `place`: which series of which outlet is next, and from
-- where in it.
CREATE TABLE replay (
    id          INTEGER NOT NULL PRIMARY KEY,
    destination TEXT NOT NULL,
    start       INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    asked_by    TEXT NOT NULL,
    asked_at    INTEGER NOT NULL,
    outlet      TEXT NOT NULL DEFAULT '',
    step        INTEGER NOT NULL DEFAULT 0,
    place       INTEGER NOT NULL DEFAULT 0,
    sent        INTEGER NOT NULL DEFAULT 0,
    done        INTEGER NOT NULL DEFAULT 0,
    total       INTEGER NOT NULL DEFAULT 0,
    ended_at    INTEGER
) STRICT;
