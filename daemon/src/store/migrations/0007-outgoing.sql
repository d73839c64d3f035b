-- Records and complete aggregates written at outlets whose data go out to destinations, in journal
-- order. `what`: kind of record (`minute`) or level of aggregate (`hour-mean`).
CREATE TABLE outgoing (
    seq    INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    outlet TEXT NOT NULL,
    what   TEXT NOT NULL,
    start  INTEGER NOT NULL,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;
