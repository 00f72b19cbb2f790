-- What a complete OpenID Connect provider keeps besides: metadata and registration of clients, refresh tokens, pushed
-- requests, proofs that were used, what people were shown, logouts to deliver. Expand only: a node of the version before
-- goes on working.

ALTER TABLE relying_party ADD COLUMN basis TEXT NOT NULL DEFAULT 'convention';
ALTER TABLE relying_party ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
-- All three, or none: how a party registered itself.
ALTER TABLE relying_party ADD COLUMN registration_policy TEXT;
ALTER TABLE relying_party ADD COLUMN registration_token BYTEA;
ALTER TABLE relying_party ADD COLUMN registered_at BIGINT;
CREATE INDEX relying_party_registration ON relying_party (registration_policy) WHERE registration_policy IS NOT NULL;

-- What a project may register by itself, and the tokens that let it.
CREATE TABLE registration_policy (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    hosts TEXT NOT NULL,
    most BIGINT NOT NULL,
    settings TEXT NOT NULL,
    release TEXT NOT NULL,
    schools TEXT NOT NULL,
    enabled BOOLEAN NOT NULL
);
CREATE TABLE initial_access_token (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    policy_id TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX initial_access_token_policy ON initial_access_token (policy_id);

-- Services that take access tokens of ours.
CREATE TABLE resource_server (
    audience TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    token_format TEXT NOT NULL,
    token_alg TEXT NOT NULL,
    introspectors TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    CHECK (token_format IN ('opaque', 'at+jwt'))
);

-- How to reach a person; pupils of école have none.
CREATE TABLE contact (
    identity_id TEXT NOT NULL PRIMARY KEY,
    email TEXT,
    email_verified BOOLEAN NOT NULL,
    phone TEXT,
    phone_verified BOOLEAN NOT NULL,
    street TEXT,
    postal_code TEXT,
    locality TEXT,
    region TEXT,
    country TEXT,
    updated_at BIGINT NOT NULL
);

ALTER TABLE oauth_grant ADD COLUMN claims TEXT;
ALTER TABLE oauth_grant ADD COLUMN resource TEXT;
ALTER TABLE authorization_code ADD COLUMN dpop_jkt TEXT;
ALTER TABLE access_token ADD COLUMN issued_at BIGINT;
ALTER TABLE access_token ADD COLUMN scope TEXT;
ALTER TABLE access_token ADD COLUMN audience TEXT;
ALTER TABLE access_token ADD COLUMN jkt TEXT;
ALTER TABLE access_token ADD COLUMN revoked_at BIGINT;

-- The refresh tokens of a grant, one after the other; a used one stays, so that its reuse is noticed. subject: what the
-- first ID Token called the person; a later one must say the same.
CREATE TABLE refresh_token (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    subject TEXT NOT NULL,
    jkt TEXT,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    UNIQUE (grant_id, sequence)
);
CREATE INDEX refresh_token_expires ON refresh_token (expires_at);

-- Access tokens of a service in its own name (RFC 6749 §4.4): no person, no grant.
CREATE TABLE service_token (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    audience TEXT,
    jkt TEXT,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX service_token_expires ON service_token (expires_at);

-- Pushed authorization requests (RFC 9126), sealed: they may name a person.
CREATE TABLE pushed_request (
    uri_hash BYTEA NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX pushed_request_expires ON pushed_request (expires_at);

-- Assertions and proofs that were seen; until they expire by themselves, each is good once.
CREATE TABLE used_proof (
    proof_hash BYTEA NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_proof_expires ON used_proof (expires_at);

-- What a person was told a service receives, or said yes to where they were asked; one that is withdrawn goes away.
CREATE TABLE acknowledgement (
    identity_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    attributes TEXT NOT NULL,
    rights TEXT NOT NULL,
    since BIGINT NOT NULL,
    given_at BIGINT NOT NULL,
    PRIMARY KEY (identity_id, client_id),
    CHECK (kind IN ('information', 'consent'))
);

-- Logout tokens on their way to relying parties (Back-Channel Logout §2.5): one for each party of a login that was ended.
CREATE TABLE logout_delivery (
    session_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    subject TEXT,
    status TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    result TEXT,
    PRIMARY KEY (session_id, client_id),
    CHECK (status IN ('waiting', 'delivered', 'given_up')),
    CHECK ((status = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX logout_delivery_due ON logout_delivery (due_at) WHERE status = 'waiting';
CREATE INDEX logout_delivery_over ON logout_delivery (ended_at) WHERE ended_at IS NOT NULL;
