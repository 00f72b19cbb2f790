-- What recognition compares beyond names: expand only. A row without blocks was written by a node of the version before; they are
-- filled in before recognition looks at them.

-- The school of the year before, where a feed states it; the place of the level in the continuum (1 to 15).
ALTER TABLE source_record ADD COLUMN previous_uai TEXT;
ALTER TABLE source_record ADD COLUMN grade BIGINT;
-- The number of the row in its file, from 1, for sources that give no key.
ALTER TABLE source_record ADD COLUMN ordinal BIGINT;
-- Keyed hashes of the three pieces of the INE, four bytes each: whether two numbers are a typing error apart.
ALTER TABLE source_record ADD COLUMN ine_pieces BYTEA;
-- The blocks in which a record meets those it may be (hashes of names, with the birth date but for one).
ALTER TABLE source_record ADD COLUMN block_family BIGINT;
ALTER TABLE source_record ADD COLUMN block_usage BIGINT;
ALTER TABLE source_record ADD COLUMN block_given BIGINT;
ALTER TABLE source_record ADD COLUMN block_names BIGINT;
ALTER TABLE source_record ADD COLUMN block_sound BIGINT;
CREATE INDEX source_record_block_family ON source_record (block_family);
CREATE INDEX source_record_block_usage ON source_record (block_usage) WHERE block_usage IS NOT NULL;
CREATE INDEX source_record_block_given ON source_record (block_given);
CREATE INDEX source_record_block_names ON source_record (block_names);
CREATE INDEX source_record_block_sound ON source_record (block_sound);

-- What agreement weighs here and now: one row. pending: records have not all been looked at under it yet.
CREATE TABLE recognition_model (
    id BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    body BYTEA NOT NULL,
    pending BOOLEAN NOT NULL,
    made_at BIGINT NOT NULL
);
