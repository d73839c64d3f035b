-- Local days in which a series has rows, and the last event that wrote one of them. Files of sealed
-- days are held against it. Days of before this version come with `cemsd rebuild`.
CREATE TABLE series_day (
    series TEXT NOT NULL,
    day    INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (series, day)
) STRICT, WITHOUT ROWID;
