-- Instances of duties. `subject` is its kind and id (`enterprise/jia`); `inside`: only staff of the
-- authority sees it; `gone`: it ended without being completed; `ended_at`: when it ended or was
-- completed.
CREATE TABLE duty (
    key        TEXT NOT NULL PRIMARY KEY,
    rule       TEXT NOT NULL,
    round      TEXT NOT NULL,
    subject    TEXT NOT NULL,
    outlet     TEXT,
    enterprise TEXT,
    region     TEXT,
    inside     INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    ended_at   INTEGER,
    open       INTEGER NOT NULL,
    gone       INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX duty_round ON duty (rule, round) WHERE open = 1;
CREATE INDEX duty_subject ON duty (subject) WHERE open = 1;
CREATE INDEX duty_open ON duty (due_at, key, inside, rule, enterprise, outlet, region) WHERE open = 1;
CREATE INDEX duty_ended ON duty (ended_at, key, inside, rule, enterprise, outlet, region) WHERE open = 0;
CREATE INDEX duty_due ON duty (due_at, rule, round, open, inside, enterprise, outlet, region)
    WHERE gone = 0;
