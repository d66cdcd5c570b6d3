-- +goose Up
-- What takes rows out of the table, or changes their labels, says so in the
-- ledger by a row of its own kind ('retention', 'forget', 'relabel'), which
-- receives and writes nothing:
--
--     removed     rows taken out of the table
--     candidates  negative where candidates went, shifted where they changed
--     labels      likewise: {"wan": {"HDE": -3}}
--
-- So over the whole ledger sum(written) - sum(removed) is the number of rows in
-- the table, and sum(candidates) and the sum of labels are what they hold. A row
-- may stand for many of its kind once they are folded; `batches` says how many.
ALTER TABLE compression_telemetry_batches
    ADD COLUMN batches   bigint NOT NULL DEFAULT 1,
    ADD COLUMN removed   bigint NOT NULL DEFAULT 0,
    ADD COLUMN recorders jsonb  NOT NULL DEFAULT '{}', -- {"<recorder_id>": {"count": n, "last": highest sequence}}
    ADD CONSTRAINT compression_telemetry_batches_kind CHECK (kind <> ''),
    ADD CONSTRAINT compression_telemetry_batches_counts CHECK (batches > 0 AND received >= 0 AND written >= 0 AND duplicate >= 0 AND conflict >= 0 AND rejected >= 0 AND removed >= 0),
    ADD CONSTRAINT compression_telemetry_batches_load CHECK (kind <> 'load' OR removed = 0 AND candidates BETWEEN 0 AND written),
    ADD CONSTRAINT compression_telemetry_batches_correction CHECK (kind = 'load' OR received = 0 AND conflict = 0);
COMMENT ON COLUMN compression_telemetry_batches.kind IS 'load, or what corrects it: retention, forget, relabel';
COMMENT ON COLUMN compression_telemetry_batches.batches IS 'how many batches this row stands for';
COMMENT ON COLUMN compression_telemetry_batches.removed IS 'rows taken out of the table';
COMMENT ON COLUMN compression_telemetry_batches.recorders IS 'per Recorder, how many of its decisions were received and the highest sequence number of them';

-- +goose Down
ALTER TABLE compression_telemetry_batches
    DROP CONSTRAINT compression_telemetry_batches_kind,
    DROP CONSTRAINT compression_telemetry_batches_counts,
    DROP CONSTRAINT compression_telemetry_batches_load,
    DROP CONSTRAINT compression_telemetry_batches_correction,
    DROP COLUMN recorders,
    DROP COLUMN removed,
    DROP COLUMN batches;
