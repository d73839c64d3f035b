-- Records accepted at outlets whose records are passed on to other centres, in journal order.
CREATE TABLE forward (
    seq    INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    outlet TEXT NOT NULL,
    kind   TEXT NOT NULL,
    start  INTEGER NOT NULL,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;
