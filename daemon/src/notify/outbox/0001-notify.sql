-- Messages on their way, delivered and given up. Times are INTEGER milliseconds.

-- Number of the last message taken from the projections, and since when they are counted: what was
-- over by then is history.
CREATE TABLE taken (
    one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    id    INTEGER NOT NULL,
    since INTEGER NOT NULL
) STRICT;

-- state: 0 waits, 1 delivered, 2 dead letter. `recipient` is a user id, or * for the channel's own
-- address. `told`: its end stands in the journal.
CREATE TABLE letter (
    id        INTEGER NOT NULL PRIMARY KEY,
    channel   TEXT NOT NULL,
    recipient TEXT NOT NULL,
    key       TEXT NOT NULL,
    state     INTEGER NOT NULL,
    deadline  INTEGER NOT NULL,
    next_at   INTEGER NOT NULL,
    attempts  INTEGER NOT NULL,
    ended_at  INTEGER,
    detail    TEXT NOT NULL,
    told      INTEGER NOT NULL,
    body      TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX letter_key ON letter (channel, recipient, key);
CREATE INDEX letter_waiting ON letter (channel, next_at) WHERE state = 0;
CREATE INDEX letter_ended ON letter (state, ended_at) WHERE state > 0;
CREATE INDEX letter_untold ON letter (id) WHERE told = 0;

-- What became of the messages of a channel so far.
CREATE TABLE channel (
    id         TEXT NOT NULL PRIMARY KEY,
    delivered  INTEGER NOT NULL,
    dead       INTEGER NOT NULL,
    last_sent  INTEGER,
    trouble_at INTEGER,
    trouble    TEXT
) STRICT, WITHOUT ROWID;

-- Alarms that a channel shows the state of; `seq` is that of the version it was told last.
CREATE TABLE shown (
    channel TEXT NOT NULL,
    alarm   INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (channel, alarm)
) STRICT, WITHOUT ROWID;
