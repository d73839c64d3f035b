-- What can be told of every record afterwards: when it went out first and last and how often, and
-- what came back. A record that waits keeps its sendings here until its receipt takes them over.
ALTER TABLE pending ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pending ADD COLUMN first_sent INTEGER;
ALTER TABLE pending ADD COLUMN last_sent INTEGER;

CREATE INDEX pending_start ON pending (uplink, start);

-- tries: times it was sent in all versions; versions: those settled. settled: 9014, 9013 (the
-- centre's answer), unasked (it was asked for none), not-owed, unsendable. Receipts from before
-- have neither times nor an answer.
ALTER TABLE receipt ADD COLUMN first_sent INTEGER;
ALTER TABLE receipt ADD COLUMN last_sent INTEGER;
ALTER TABLE receipt ADD COLUMN versions INTEGER NOT NULL DEFAULT 1;
ALTER TABLE receipt ADD COLUMN settled TEXT;

CREATE INDEX receipt_at ON receipt (uplink, outlet, at);
