-- What judges the readings: marks, tests of the equipment, validity reviews; and what comes of it:
-- clues, quarters with their substitutes, packed hours.

-- `id` is the journal position of the entry.
CREATE TABLE mark (
    id        INTEGER NOT NULL PRIMARY KEY,
    outlet    TEXT NOT NULL,
    start     INTEGER NOT NULL,
    until     INTEGER NOT NULL,
    body      TEXT NOT NULL
) STRICT;

CREATE INDEX mark_outlet ON mark (outlet, until, start);

-- `decides`: not withdrawn, and the outcome is not `not-judged`.
CREATE TABLE qa_test (
    id      INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    outlet  TEXT NOT NULL,
    factor  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    decides INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (id, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX qa_test_deciding ON qa_test (outlet, factor, kind, at, id, n) WHERE decides = 1;
CREATE INDEX qa_test_outlet ON qa_test (outlet, at, id, n);

CREATE TABLE review (
    outlet  TEXT NOT NULL,
    quarter INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (outlet, quarter)
) STRICT, WITHOUT ROWID;

CREATE TABLE clue (
    outlet TEXT NOT NULL,
    level  TEXT NOT NULL,
    start  INTEGER NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (outlet, level, start)
) STRICT, WITHOUT ROWID;

CREATE INDEX clue_start ON clue (start);

CREATE TABLE quarter (
    outlet TEXT NOT NULL,
    start  INTEGER NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (outlet, start)
) STRICT, WITHOUT ROWID;

-- The hours of a month, packed; the format is that of `core::pack`.
CREATE TABLE pack (
    outlet TEXT NOT NULL,
    month  INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (outlet, month)
) STRICT, WITHOUT ROWID;
