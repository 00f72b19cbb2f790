-- Who else may say who somebody is. Expand only: a node of the version before goes on working.

-- Providers as declared; issuer (an entityID or an OpenID issuer) is of one provider, whatever it is called here.
CREATE TABLE upstream_provider (
    id TEXT NOT NULL PRIMARY KEY,
    place BIGINT NOT NULL,
    issuer TEXT NOT NULL UNIQUE,
    declared TEXT NOT NULL,
    secret_sealed BYTEA
);

-- What is fetched of a provider, and how it went. A declaration writes none of it but next_at.
CREATE TABLE upstream_metadata (
    provider TEXT NOT NULL PRIMARY KEY,
    metadata TEXT,
    next_at BIGINT,
    claim TEXT,
    claimed_until BIGINT,
    succeeded_at BIGINT,
    failed_at BIGINT,
    failure TEXT,
    valid_until BIGINT,
    changed_at BIGINT,
    change TEXT NOT NULL
);
CREATE INDEX upstream_metadata_next ON upstream_metadata (next_at) WHERE next_at IS NOT NULL;

-- How logins by a provider go: the last of each kind, and how many failed since one succeeded.
CREATE TABLE upstream_health (
    provider TEXT NOT NULL PRIMARY KEY,
    succeeded_at BIGINT,
    failed_at BIGINT,
    failure TEXT,
    failures BIGINT NOT NULL
);

-- A login at a provider is of this person. A provider's name for somebody has one live link, for ever; an ended one stays,
-- so that a name that comes again is known to have been somebody's.
CREATE TABLE upstream_link (
    id TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    identity_id TEXT NOT NULL,
    binding TEXT NOT NULL,
    convention TEXT,
    linked_at BIGINT NOT NULL,
    used_at BIGINT,
    ended_at BIGINT,
    end_reason TEXT
);
CREATE UNIQUE INDEX upstream_link_subject ON upstream_link (provider, subject) WHERE ended_at IS NULL;
CREATE INDEX upstream_link_identity ON upstream_link (identity_id);

-- Requests to providers that wait for their answer: one answer each, in the browser that asked. id: of an AuthnRequest, or a
-- state. sealed: where the person was going, the nonce, the verifier of PKCE.
CREATE TABLE upstream_request (
    id TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    browser BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX upstream_request_expires ON upstream_request (expires_at);

-- By which login at which provider a session came: what its logout needs there (sealed), and what a logout that begins there
-- names (name_hash: a keyed hash of the NameID or sub; index_hash: of the SessionIndex or sid).
CREATE TABLE upstream_login (
    session_id TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    link_id TEXT NOT NULL,
    name_hash BYTEA NOT NULL,
    index_hash BYTEA,
    sealed BYTEA NOT NULL,
    started_at BIGINT NOT NULL
);
CREATE INDEX upstream_login_name ON upstream_login (name_hash);
CREATE INDEX upstream_login_index ON upstream_login (index_hash) WHERE index_hash IS NOT NULL;

-- People whom a provider signed in and a human has to recognise. introduction: what the provider said of them, sealed.
CREATE TABLE upstream_case (
    id TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    doubt TEXT NOT NULL,
    candidates TEXT NOT NULL,
    introduction BYTEA NOT NULL,
    opened_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    decided_at BIGINT,
    decided_by TEXT,
    decision TEXT,
    CHECK (decision IN ('linked', 'created', 'refused')),
    CHECK ((decided_at IS NULL) = (decision IS NULL))
);
CREATE UNIQUE INDEX upstream_case_open ON upstream_case (provider, subject) WHERE decided_at IS NULL;

-- An adult and a pupil they answer for; source: who stated it first.
CREATE TABLE guardianship (
    guardian_id TEXT NOT NULL,
    pupil_id TEXT NOT NULL,
    source TEXT NOT NULL,
    stated_at BIGINT NOT NULL,
    PRIMARY KEY (guardian_id, pupil_id)
);
CREATE INDEX guardianship_pupil ON guardianship (pupil_id);

-- Whom a service is for; NULL: everybody.
ALTER TABLE relying_party ADD COLUMN populations TEXT;

-- Records are found by a pupil's number in a school (FrEduVecteur).
CREATE INDEX source_record_attachment ON source_record (attachment, uai) WHERE attachment IS NOT NULL;
