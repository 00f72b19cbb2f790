-- Where a relying party wants to be told what happened to the people it knows (RFC 8935), and what it is told.
CREATE TABLE event_receiver (
    client_id TEXT NOT NULL PRIMARY KEY,
    uri TEXT NOT NULL,
    token_sealed BYTEA
);
CREATE TABLE event_delivery (
    id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT,
    other TEXT,
    happened_at BIGINT NOT NULL,
    status TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    ended_at BIGINT,
    result TEXT,
    CHECK (status IN ('waiting', 'delivered', 'given_up')),
    CHECK ((status = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX event_delivery_due ON event_delivery (due_at) WHERE status = 'waiting';
CREATE INDEX event_delivery_party ON event_delivery (client_id, subject);
CREATE INDEX event_delivery_over ON event_delivery (ended_at) WHERE ended_at IS NOT NULL;
