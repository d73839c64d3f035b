-- Requests to devices and how they went; `id` is the journal position of the order.
CREATE TABLE exchange (
    id     INTEGER NOT NULL PRIMARY KEY,
    outlet TEXT NOT NULL,
    open   INTEGER NOT NULL,
    body   TEXT NOT NULL
) STRICT;

CREATE INDEX exchange_open ON exchange (id) WHERE open = 1;
CREATE INDEX exchange_outlet ON exchange (outlet, id);
