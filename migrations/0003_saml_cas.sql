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
