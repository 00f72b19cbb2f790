-- What a SAML identity provider and a CAS server keep besides. Expand only: a node of the version before goes on working.

ALTER TABLE relying_party ADD COLUMN saml TEXT;
ALTER TABLE relying_party ADD COLUMN cas TEXT;

-- CAS. Tickets, each under its digest; of a service or proxy ticket, used_at says that it was shown.
CREATE TABLE cas_ticket (
    ticket_hash BYTEA NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    client_id TEXT NOT NULL,
    service TEXT NOT NULL,
    session_id TEXT NOT NULL,
    is_from_login BOOLEAN NOT NULL,
    proxies TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    CHECK (kind IN ('ST', 'PT', 'PGT'))
);
CREATE INDEX cas_ticket_expires ON cas_ticket (expires_at);

-- CAS. The latest ticket that each declared address (place) of a party validated in a login, sealed: the message that tells
-- of the end of the login carries it.
CREATE TABLE cas_login (
    session_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    place TEXT NOT NULL,
    service TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    validated_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, client_id, place)
);
-- SAML: whom a relying party is there; no two are the same.
ALTER TABLE relying_party ADD COLUMN saml_entity_id TEXT;
CREATE UNIQUE INDEX relying_party_saml ON relying_party (saml_entity_id) WHERE saml_entity_id IS NOT NULL;

-- Where metadata of service providers come from. terms is what the operator declared; all below it is what refreshes found,
-- and neither ever writes the other. claim: the node that is refreshing, until claimed_until.
CREATE TABLE saml_source (
    id TEXT NOT NULL PRIMARY KEY,
    origin TEXT NOT NULL,
    terms TEXT NOT NULL,
    next_at BIGINT,
    claim TEXT,
    claimed_until BIGINT,
    succeeded_at BIGINT,
    failed_at BIGINT,
    failure TEXT,
    valid_until BIGINT,
    etag TEXT,
    signed_by TEXT,
    entities BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    changed_at BIGINT,
    changes TEXT NOT NULL,
    our_keys TEXT NOT NULL,
    CHECK (origin IN ('file', 'url', 'federation'))
);
CREATE INDEX saml_source_next ON saml_source (next_at) WHERE next_at IS NOT NULL;

-- Service providers as each source has them. rank: the lowest that is still valid counts (file, url, federation).
-- valid_until is the entity's own; that of its source holds for it too.
CREATE TABLE saml_entity (
    entity_id TEXT NOT NULL,
    source TEXT NOT NULL,
    rank BIGINT NOT NULL,
    provider TEXT NOT NULL,
    digest BYTEA NOT NULL,
    valid_until BIGINT,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (entity_id, source)
);
CREATE INDEX saml_entity_source ON saml_entity (source);

-- Entities that were left out at the last refresh, and why.
CREATE TABLE saml_quarantine (
    source TEXT NOT NULL,
    place BIGINT NOT NULL,
    entity_id TEXT,
    reason TEXT NOT NULL,
    PRIMARY KEY (source, place)
);

-- The number of a pupil in the register of their school (ENTEleveStructRattachId), where a feed states it.
ALTER TABLE source_record ADD COLUMN attachment TEXT;

-- By which format of name a SAML service provider knows the person of a login that it takes part in.
ALTER TABLE participation ADD COLUMN name_id_format TEXT;

-- SAML service providers that were asked, through the browser, to end a login, and what they answered.
CREATE TABLE saml_logout (
    session_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    answered_at BIGINT,
    succeeded BOOLEAN,
    PRIMARY KEY (session_id, client_id)
);
CREATE UNIQUE INDEX saml_logout_request ON saml_logout (request_id);

-- The keys of SAML, apart from those of OpenID Connect: partners pin them (docs/adr/0015).
CREATE TABLE saml_key (
    id TEXT NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    state TEXT NOT NULL,
    certificate BYTEA NOT NULL,
    private_sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    activated_at BIGINT,
    retired_at BIGINT,
    CHECK (state IN ('next', 'current', 'retired')),
    CHECK ((state = 'next') = (activated_at IS NULL)),
    CHECK ((state = 'retired') = (retired_at IS NOT NULL))
);
CREATE UNIQUE INDEX saml_key_current ON saml_key (algorithm) WHERE state = 'current';
CREATE UNIQUE INDEX saml_key_next ON saml_key (algorithm) WHERE state = 'next';
