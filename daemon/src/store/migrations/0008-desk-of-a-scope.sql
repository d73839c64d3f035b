-- The desk of a region: the rows of its queue are counted from the index alone, and the few alarms
-- that stand shelved, suppressed or out of service are found without going through the open ones.
DROP INDEX alarm_groups;
CREATE INDEX alarm_groups
    ON alarm (kind, region, enterprise, priority, standing, raised_at, outlet)
    WHERE open = 1;
CREATE INDEX alarm_standing ON alarm (standing, id) WHERE open = 1;
