-- Periods that a person has asked to be sent to a centre again. at_outlet, at_rank and place: the
-- mailbox and the kind whose records are booked next, and from which start on; at_outlet is empty
-- at the beginning. booked: records that were made to wait or waited already; each of them ends
-- either acknowledged or passed over, unless the replay is cancelled. ended_at: all are booked;
-- done_at: all have ended.
CREATE TABLE replay (
    id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    uplink       TEXT NOT NULL,
    outlet       TEXT NOT NULL,
    start        INTEGER NOT NULL,
    until        INTEGER NOT NULL,
    asked_by     TEXT NOT NULL,
    asked_at     INTEGER NOT NULL,
    at_outlet    TEXT NOT NULL DEFAULT '',
    at_rank      INTEGER NOT NULL DEFAULT 0,
    place        INTEGER NOT NULL DEFAULT 0,
    booked       INTEGER NOT NULL DEFAULT 0,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    passed       INTEGER NOT NULL DEFAULT 0,
    ended_at     INTEGER,
    done_at      INTEGER,
    cancelled_at INTEGER
) STRICT;

CREATE INDEX replay_uplink ON replay (uplink, id);

-- replay: which one the record belongs to. own: it waits of itself, too, because it is new or was
-- corrected; what waits for a replay only is 0, is history whatever its age, and goes away when
-- the replay is cancelled.
ALTER TABLE pending ADD COLUMN own INTEGER NOT NULL DEFAULT 1;
ALTER TABLE pending ADD COLUMN replay INTEGER;

CREATE INDEX pending_replay ON pending (replay) WHERE replay IS NOT NULL;

-- What no frame can hold: few, and counted often.
CREATE INDEX receipt_unsendable ON receipt (uplink, outlet) WHERE settled = 'unsendable';
