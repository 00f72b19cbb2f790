-- The house: nouns of the design, one statement text for SQLite and PostgreSQL.
-- Types: TEXT, BIGINT, BOOLEAN, BYTEA. Times (*_at) are microseconds since 1970; days (*_on, birth_date) are
-- YYYY-MM-DD; ids are UUIDs in text. A row made by an import run carries it in created_run; what a run changes in a
-- row that was there before is journalled in change. created_run has no index: a load writes it with every row, an undo
-- that reads a table from end to end is rare.

CREATE TABLE installation (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE installation_secret (
    name TEXT NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL
);

CREATE TABLE signing_key (
    id TEXT NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    state TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    private_sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    activated_at BIGINT,
    retired_at BIGINT,
    CHECK (state IN ('next', 'current', 'retired')),
    CHECK ((state = 'next') = (activated_at IS NULL)),
    CHECK ((state = 'retired') = (retired_at IS NOT NULL))
);
-- One current and one next key for each algorithm, whatever two nodes do at once.
CREATE UNIQUE INDEX signing_key_current ON signing_key (algorithm) WHERE state = 'current';
CREATE UNIQUE INDEX signing_key_next ON signing_key (algorithm) WHERE state = 'next';

CREATE TABLE audit_head (
    lane BIGINT NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL
);
CREATE TABLE audit_event (
    lane BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    about TEXT NOT NULL,
    details TEXT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (lane, sequence)
);
CREATE INDEX audit_event_at ON audit_event (at);

CREATE TABLE academy (
    code TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_run TEXT
);
CREATE TABLE school (
    uai TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    degree TEXT NOT NULL,
    commune TEXT,
    academy TEXT NOT NULL,
    created_run TEXT,
    CHECK (degree IN ('first', 'second'))
);
-- What an academy's feed calls a school (ENTStructureJointure).
CREATE TABLE structure (
    academy TEXT NOT NULL,
    structure_key TEXT NOT NULL,
    uai TEXT NOT NULL,
    created_run TEXT,
    PRIMARY KEY (academy, structure_key)
);
CREATE TABLE class_group (
    id TEXT NOT NULL PRIMARY KEY,
    uai TEXT NOT NULL,
    year BIGINT NOT NULL,
    source TEXT NOT NULL,
    source_key TEXT NOT NULL,
    label TEXT NOT NULL,
    level TEXT,
    created_run TEXT,
    UNIQUE (uai, year, source, source_key)
);
CREATE TABLE class_code (
    class_id TEXT NOT NULL PRIMARY KEY,
    code_index BYTEA NOT NULL UNIQUE,
    code_sealed BYTEA NOT NULL,
    issued_at BIGINT NOT NULL
);

CREATE TABLE identity (
    id TEXT NOT NULL PRIMARY KEY,
    status TEXT NOT NULL,
    status_detail TEXT,
    family_name TEXT NOT NULL,
    usage_name TEXT,
    given_name TEXT NOT NULL,
    birth_date TEXT,
    sex TEXT,
    username TEXT,
    locale TEXT,
    created_at BIGINT NOT NULL,
    created_run TEXT,
    CHECK (status IN ('active', 'suspended', 'departed', 'merged', 'erased')),
    CHECK ((status IN ('departed', 'merged')) = (status_detail IS NOT NULL))
);
-- Pupils have none for years: an index of those who do stays small.
CREATE UNIQUE INDEX identity_username ON identity (username) WHERE username IS NOT NULL;

-- record_key is source:scope:key, so that many keys are looked up in one list. file and line: where the record stood
-- when it was last new or changed.
CREATE TABLE source_record (
    id TEXT NOT NULL PRIMARY KEY,
    record_key TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    scope TEXT NOT NULL,
    identity_id TEXT NOT NULL,
    profile TEXT NOT NULL,
    uai TEXT NOT NULL,
    year BIGINT NOT NULL,
    family_name TEXT NOT NULL,
    usage_name TEXT,
    given_name TEXT NOT NULL,
    other_names TEXT NOT NULL,
    birth_date TEXT NOT NULL,
    sex TEXT,
    given_key TEXT NOT NULL,
    household_key TEXT NOT NULL,
    ine_index BYTEA,
    ine_sealed BYTEA,
    linked_by TEXT NOT NULL,
    missing_since BIGINT,
    file TEXT NOT NULL,
    line BIGINT NOT NULL,
    created_run TEXT,
    CHECK ((ine_index IS NULL) = (ine_sealed IS NULL))
);
CREATE INDEX source_record_identity ON source_record (identity_id);
CREATE INDEX source_record_ine ON source_record (ine_index);
CREATE INDEX source_record_household ON source_record (household_key);
CREATE INDEX source_record_school ON source_record (uai, source, year);

CREATE TABLE enrolment (
    id TEXT NOT NULL PRIMARY KEY,
    identity_id TEXT NOT NULL,
    record_id TEXT,
    uai TEXT NOT NULL,
    class_id TEXT,
    level TEXT,
    profile TEXT NOT NULL,
    year BIGINT NOT NULL,
    starts_on TEXT NOT NULL,
    ends_on TEXT NOT NULL,
    created_run TEXT
);
CREATE INDEX enrolment_identity ON enrolment (identity_id);
CREATE INDEX enrolment_class ON enrolment (class_id);
CREATE UNIQUE INDEX enrolment_record ON enrolment (record_id, year, uai);
CREATE INDEX enrolment_school ON enrolment (uai, year);

-- What changes who is whom (a school of a feed, a human's decision, an undo) happens one at a time, on every node: each
-- such transaction first takes the next turn.
CREATE TABLE recognition (
    id BIGINT NOT NULL PRIMARY KEY,
    turn BIGINT NOT NULL
);
INSERT INTO recognition (id, turn) VALUES (1, 0);

CREATE TABLE import_run (
    id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    scope TEXT NOT NULL,
    year BIGINT NOT NULL,
    status TEXT NOT NULL,
    actor TEXT NOT NULL,
    override_reason TEXT,
    summary TEXT NOT NULL,
    schools BIGINT NOT NULL,
    schools_done BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    CHECK (status IN ('applying', 'applied', 'undone'))
);
CREATE INDEX import_run_started ON import_run (started_at);
-- The columns of a row as they were before a run changed them; undo writes them back, latest turn first.
CREATE TABLE change (
    run_id TEXT NOT NULL,
    turn BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    table_name TEXT NOT NULL,
    row_key TEXT NOT NULL,
    before TEXT NOT NULL,
    PRIMARY KEY (run_id, turn, sequence)
);
CREATE INDEX change_row ON change (table_name, row_key);

-- Two records that may be of one person; record_a < record_b, so a pair has one row.
CREATE TABLE match_case (
    id TEXT NOT NULL PRIMARY KEY,
    record_a TEXT NOT NULL,
    record_b TEXT NOT NULL,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL,
    status TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    decided_at BIGINT,
    decided_by TEXT,
    created_run TEXT,
    UNIQUE (record_a, record_b),
    CHECK (status IN ('open', 'accepted', 'refused', 'moot')),
    CHECK ((status IN ('accepted', 'refused')) = (decided_by IS NOT NULL))
);
CREATE INDEX match_case_status ON match_case (status);
CREATE INDEX match_case_record_b ON match_case (record_b);

CREATE TABLE merge (
    id TEXT NOT NULL PRIMARY KEY,
    kept TEXT NOT NULL,
    absorbed TEXT NOT NULL,
    case_id TEXT,
    actor TEXT NOT NULL,
    undo TEXT NOT NULL,
    merged_at BIGINT NOT NULL,
    undone_at BIGINT,
    created_run TEXT,
    -- In which order merges were made; the last one is undone first.
    sequence BIGINT NOT NULL UNIQUE
);
CREATE INDEX merge_kept ON merge (kept);
CREATE INDEX merge_absorbed ON merge (absorbed);

CREATE TABLE credential (
    identity_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    verifier TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (identity_id, kind),
    CHECK (kind IN ('password', 'picture'))
);
-- Failed logins of an account, of a name nobody has, of a class; refused_at is the last refusal that was journalled.
CREATE TABLE throttle (
    throttle_key TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    first_failure_at BIGINT NOT NULL,
    last_failure_at BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    refused_at BIGINT
);
CREATE INDEX throttle_last ON throttle (last_failure_at);

CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    identity_id TEXT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    acr TEXT NOT NULL,
    amr TEXT NOT NULL,
    device TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX session_identity ON session (identity_id);
CREATE INDEX session_expires ON session (expires_at);
-- A relying party that joined a session.
CREATE TABLE participation (
    session_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, client_id)
);

CREATE TABLE relying_party (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    home TEXT,
    sector TEXT NOT NULL,
    subject_strategy TEXT NOT NULL,
    auth_method TEXT NOT NULL,
    pkce_required BOOLEAN NOT NULL,
    id_token_alg TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    post_logout_redirect_uris TEXT NOT NULL,
    schools TEXT NOT NULL,
    release TEXT NOT NULL,
    secrets TEXT NOT NULL,
    enabled BOOLEAN NOT NULL
);

-- What a sector got for a person, for life: never deleted, never given to another person.
CREATE TABLE subject (
    sector TEXT NOT NULL,
    value TEXT NOT NULL,
    identity_id TEXT NOT NULL,
    in_use BOOLEAN NOT NULL,
    issued_at BIGINT NOT NULL,
    PRIMARY KEY (sector, value)
);
CREATE UNIQUE INDEX subject_in_use ON subject (sector, identity_id) WHERE in_use;
CREATE INDEX subject_identity ON subject (identity_id);

CREATE TABLE oauth_grant (
    id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL,
    identity_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    nonce TEXT,
    authenticated_at BIGINT NOT NULL,
    acr TEXT NOT NULL,
    amr TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX oauth_grant_identity ON oauth_grant (identity_id);
CREATE INDEX oauth_grant_session ON oauth_grant (session_id);
CREATE TABLE authorization_code (
    code_hash BYTEA NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    code_challenge TEXT,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX authorization_code_expires ON authorization_code (expires_at);
CREATE TABLE access_token (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX access_token_grant ON access_token (grant_id);
CREATE INDEX access_token_expires ON access_token (expires_at);
