-- Adults as feeds state them. Expand only.
-- A table of their own, not more of source_record: an adult has mostly no birth date and never an INE, is recognised through
-- the children and not through names, and must not be weighed against pupils; and the largest table of an academy need not be
-- rebuilt while a node of the version before goes on writing it.

-- record_key is source:scope:key, as in source_record. profile, uai, year: where and when they were last stated.
CREATE TABLE adult_record (
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
    birth_date TEXT,
    sex TEXT,
    file TEXT NOT NULL,
    line BIGINT NOT NULL,
    created_run TEXT
);
CREATE INDEX adult_record_identity ON adult_record (identity_id);
CREATE INDEX adult_record_school ON adult_record (uai, source);

-- That a feed says an adult answers for a pupil: between records, so that it goes wherever the records go. What follows of all
-- of them for people is guardianship.
CREATE TABLE guardian_statement (
    adult_id TEXT NOT NULL,
    pupil_record_id TEXT NOT NULL,
    kinship TEXT,
    legal BOOLEAN,
    year BIGINT NOT NULL,
    created_run TEXT,
    PRIMARY KEY (adult_id, pupil_record_id)
);
CREATE INDEX guardian_statement_pupil ON guardian_statement (pupil_record_id);

-- The enrolments of adults that came by a feed, beside the enrolment, which any node may write: an adult has several in a
-- school.
CREATE TABLE adult_enrolment (
    enrolment_id TEXT NOT NULL PRIMARY KEY,
    adult_id TEXT NOT NULL,
    created_run TEXT
);
CREATE INDEX adult_enrolment_adult ON adult_enrolment (adult_id);

-- What an adult is to a pupil, and by which run it is known; no run: by a login.
ALTER TABLE guardianship ADD COLUMN kinship TEXT;
ALTER TABLE guardianship ADD COLUMN legal BOOLEAN;
ALTER TABLE guardianship ADD COLUMN created_run TEXT;
