-- What people may do here as administrators, and what came by a login at a provider. Expand only: a node of the version
-- before goes on working, and knows nothing of either table.

-- A role over a scope. scope_key: a UAI or the code of an academy. provider, link_id, rule: by which login at which provider,
-- and by which rule of it; all NULL for what was given by hand. until (YYYY-MM-DD): the first day it no longer counts.
CREATE TABLE assignment (
    id TEXT NOT NULL PRIMARY KEY,
    identity_id TEXT NOT NULL,
    role TEXT NOT NULL,
    scope_kind TEXT NOT NULL,
    scope_key TEXT NOT NULL,
    provider TEXT,
    link_id TEXT,
    rule TEXT,
    since BIGINT NOT NULL,
    until TEXT,
    ended_at BIGINT,
    CHECK (scope_kind IN ('school', 'academy')),
    CHECK ((provider IS NULL) = (link_id IS NULL) AND (provider IS NULL) = (rule IS NULL))
);
CREATE INDEX assignment_identity ON assignment (identity_id);
CREATE INDEX assignment_scope ON assignment (scope_kind, scope_key) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX assignment_link ON assignment (link_id, role, scope_kind, scope_key)
    WHERE link_id IS NOT NULL AND ended_at IS NULL;
CREATE INDEX assignment_provider ON assignment (provider) WHERE provider IS NOT NULL AND ended_at IS NULL;

-- The enrolments that came by a login at a provider: whose login it is, theirs they are. Beside the enrolment, which any node
-- may write.
CREATE TABLE upstream_enrolment (
    enrolment_id TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    link_id TEXT NOT NULL,
    rule TEXT NOT NULL
);
CREATE INDEX upstream_enrolment_link ON upstream_enrolment (link_id);
CREATE INDEX upstream_enrolment_provider ON upstream_enrolment (provider);
