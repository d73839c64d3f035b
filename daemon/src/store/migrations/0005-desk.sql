-- The desk: what lists and figures of alarms filter and group by; the roster with its hand-overs;
-- messages that the engine decided.

ALTER TABLE alarm ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE alarm ADD COLUMN enterprise TEXT;
ALTER TABLE alarm ADD COLUMN region TEXT;
ALTER TABLE alarm ADD COLUMN raised_at INTEGER NOT NULL DEFAULT 0;
-- State of the alarm, as `core::model::AlarmState` names it.
ALTER TABLE alarm ADD COLUMN standing TEXT NOT NULL DEFAULT '';

UPDATE alarm SET
    kind = json_extract(body, '$.kind'),
    enterprise = json_extract(body, '$.enterprise'),
    raised_at = json_extract(body, '$.raised_at'),
    standing = CASE
        WHEN open = 0 THEN 'closed'
        WHEN active = 1 AND acknowledged = 0 THEN 'unacknowledged'
        WHEN active = 0 AND acknowledged = 0 THEN 'returned-unacknowledged'
        WHEN active = 1 THEN 'acknowledged'
        ELSE 'normal'
    END;

CREATE INDEX alarm_raised ON alarm (raised_at, id);
CREATE INDEX alarm_groups ON alarm (kind, region, enterprise, priority, standing, raised_at)
    WHERE open = 1;

-- Kinds of alarm of an outlet that are or were out of service.
CREATE TABLE alarm_service (
    outlet TEXT NOT NULL,
    kind   TEXT NOT NULL,
    out    INTEGER NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (outlet, kind)
) STRICT;

-- Shifts of the roster; `body` has the people.
CREATE TABLE shift (
    start INTEGER NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL,
    body  TEXT NOT NULL
) STRICT;

-- `id` is the journal position of the hand-over.
CREATE TABLE hand_over (
    id   INTEGER NOT NULL PRIMARY KEY,
    at   INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- `user` is NULL when the message goes to the channel's own address.
CREATE TABLE message (
    id       INTEGER NOT NULL PRIMARY KEY,
    channel  TEXT NOT NULL,
    user     TEXT,
    at       INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    body     TEXT NOT NULL
) STRICT;
