-- The turn of the year. Expand only: a node of the version before goes on working.

-- Those who left are looked through every day, those who are here are many more.
CREATE INDEX identity_gone ON identity (id) WHERE status IN ('departed', 'suspended');

-- Folders into which feeds are dropped. id: its name in the configuration. claim: the node that looks at it, until
-- claimed_until. done_at, delivery, run_id: the last delivery that was loaded; refused_*: the last one that was not, where none
-- was loaded since; failed_at, failure: the last look, where it did not come to its end.
CREATE TABLE feed_folder (
    id TEXT NOT NULL PRIMARY KEY,
    watched_since BIGINT NOT NULL,
    claim TEXT,
    claimed_until BIGINT,
    done_at BIGINT,
    delivery TEXT,
    run_id TEXT,
    refused_at BIGINT,
    refused_delivery TEXT,
    refusal TEXT,
    failed_at BIGINT,
    failure TEXT
);
