-- What recognition looks at of those who answer for a pupil: keys of their names, eight bytes each. Made anew from what feeds
-- state at the end of each load.
CREATE TABLE guardian_key (
    record_id TEXT NOT NULL PRIMARY KEY,
    keys BYTEA NOT NULL
);
