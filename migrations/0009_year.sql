-- The turn of the year. Expand only: a node of the version before goes on working.

-- Those who left are looked through every day, those who are here are many more.
CREATE INDEX identity_gone ON identity (id) WHERE status IN ('departed', 'suspended');
